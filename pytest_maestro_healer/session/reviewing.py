"""``--heal-review``: the interactive review at the end of a run on a terminal."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from pytest_maestro_healer.apply.store import Store
from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.edit.diff import unified
from pytest_maestro_healer.errors import HealerError
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.learning import attend, open_history
from pytest_maestro_healer.model import FileChange, HealingResult, ProofStep, Verdict
from pytest_maestro_healer.session.fresh import Fresh


def interactive(config: pytest.Config) -> bool:
    """Whether there is a person at a terminal to ask."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    real = sys.__stdin__
    return bool(reporter is not None and reporter.isatty and real is not None and real.isatty() and not hasattr(config, "workerinput"))


def run_review(config: pytest.Config, settings: HealerConfig, files: ProjectFiles, pending: Sequence[HealingResult]) -> frozenset[str]:
    """Ask about each heal and do what was said; returns the ids of the applied ones. Does nothing without a terminal."""
    if not interactive(config):
        return frozenset()
    from pytest_maestro_healer.report.review import review

    capman: Any = config.pluginmanager.get_plugin("capturemanager")
    if capman is not None:
        capman.suspend_global_capture(in_=True)
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    editor = _Editor(config, settings, files)
    outcome = review(pending, ask=input, out=reporter.write_line, color=reporter.hasmarkup, edit=editor)
    store = Store(files.root, settings)
    attend(store, open_history(files.root, settings))
    applied: set[str] = set()
    try:
        for result in store.apply(outcome.accepted) if outcome.accepted else ():
            if result.status == "applied":
                applied.add(result.healing_id)
            else:
                reporter.write_line(f"{result.healing_id}: {result.message}")
        if outcome.rejected:
            store.reject(outcome.rejected)
    except HealerError as exc:
        reporter.write_line(str(exc))
    for note in store.notes:
        reporter.write_line(f"note: {note}")
    return frozenset(applied)


class _Editor:
    """Opens the user's editor on the healed file and proves what comes back in a fresh process."""

    def __init__(self, config: pytest.Config, settings: HealerConfig, files: ProjectFiles) -> None:
        self._fresh = Fresh(config, files, settings.timeout)

    def __call__(self, result: HealingResult) -> HealingResult | None:
        from pytest_maestro_healer.report.review import open_editor

        data = open_editor(result)
        if data is None:
            return None
        first = result.changes[0]
        change = FileChange.of(first.path, first.before_bytes, data)
        changes = (change, *result.changes[1:])
        report = self._fresh.run(result.nodeids, {c.path: c.after_bytes for c in changes})
        failed = report.failed()
        if report.problem or failed:
            raise HealerError(f"the edited test does not pass: {report.problem or failed[0].nodeid}")
        verdict = Verdict((ProofStep("guard", None, "edited by hand"), ProofStep("fresh", True, "edited by hand, passes in a fresh process")))
        return dataclasses.replace(
            result,
            changes=changes,
            healed_code=data.decode("utf-8", "replace"),
            diff="".join(unified(c.path, c.before_bytes, c.after_bytes) for c in changes),
            verdict=verdict,
        )
