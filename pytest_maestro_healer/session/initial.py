"""Heal an initial conftest: pytest has not even been configured then."""

from __future__ import annotations

import dataclasses
import os
import sys
import time

import pytest

from pytest_maestro_healer import __version__
from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.redact import for_display, redact
from pytest_maestro_healer.model import HealingReport
from pytest_maestro_healer.session import compat
from pytest_maestro_healer.session.capture import Capture
from pytest_maestro_healer.session.collecting import CollectHealer

#: The collection healer that healed an initial conftest, for the healing session to take over.
KEY: pytest.StashKey[CollectHealer] = pytest.StashKey()


def heal_initial_conftest(config: pytest.Config, exc: BaseException) -> bool:
    """Heal the conftest that ``exc`` is about and load the initial conftests again; whether that worked."""
    path = compat.broken_conftest(exc)
    if path is None:
        return False
    from pytest_maestro_healer.session.options import build_early
    from pytest_maestro_healer.session.start import project_files

    files = project_files(config)
    capture = Capture(config, files)
    settings = build_early(config)
    healer = CollectHealer(config, settings, files, capture)
    began = time.perf_counter()
    nodeid = files.relative(path)
    failure = capture.of_import(nodeid, nodeid, exc)

    def attempt() -> tuple[object, BaseException | None]:
        compat.forget_conftest(config, path)
        try:
            compat.load_initial_conftests(config)
        except Exception as again:
            return None, again
        return True, None

    _, winner = healer.heal(failure, attempt)
    if winner is None:
        _tell(config, healer, settings, time.perf_counter() - began)
        return False
    reason = (failure.message.strip().splitlines() or [""])[0]
    healer.notes.append(f"{nodeid} could not be loaded ({failure.exc_type}: {reason}); this run used it healed")
    config.stash[KEY] = healer
    return True


def _tell(config: pytest.Config, healer: CollectHealer, settings: HealerConfig, seconds: float) -> None:
    """There will be no healing session to report it: say here why the conftest was not healed, before pytest says how it failed."""
    from pytest_maestro_healer.report import github, terminal
    from pytest_maestro_healer.session.writing import write_reports

    report = HealingReport(
        results=tuple(healer.told),
        failures=1,
        seconds=round(seconds, 4),
        apply=settings.effective_apply,
        review=settings.review,
        threshold=settings.confidence_threshold,
        notes=tuple(dict.fromkeys(map(redact, healer.notes))),
        version=__version__,
    )
    problems = write_reports(report, settings, config.invocation_params.dir, healer.files.root)
    report = for_display(dataclasses.replace(report, notes=(*report.notes, *problems)))
    verbosity = int(getattr(config.known_args_namespace, "verbose", 0) or 0)
    lines = ["".join(text for text, _ in row) for row in terminal.summary(report, verbosity=verbosity, unicode_ok=False)]
    sys.stderr.write("\n".join(["healing summary", *lines, ""]) if lines else "")
    if os.environ.get("GITHUB_ACTIONS") == "true":
        github.publish(report, os.environ, lambda line: print(line, file=sys.stderr), str(healer.files.root))
