"""The plugin of a run that another door asked for: serves code that is not on the disk, runs chosen tests, tells what it saw.

Loaded with ``-p pytest_maestro_healer.session.given``; the job file's path is in :data:`ENV` (see
:mod:`pytest_maestro_healer.remote.job`). In any other process, a proof's or an xdist worker's, it does nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer.evidence.nodeids import function_of, name_of, tail_of
from pytest_maestro_healer.model import Failure
from pytest_maestro_healer.session import wire

ENV = "MAESTRO_HEAL_GIVEN"
NAME = "maestro-healer-given"


class Given:
    """One job: ``files`` (absolute path -> bytes) are served instead of the disk's, ``select`` are the tests to run (none: all)."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        self.files: dict[str, bytes] = wire.files(job["files"])
        self.select: list[tuple[str, str]] = [(str(p), str(t)) for p, t in job["select"]]
        self.fallback = bool(job["fallback"])
        self.out = Path(job["out"])
        self.outcomes: dict[str, str] = {}
        self.missing: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Keep what was asked for; a parameter set that is gone stands for its whole function."""
        if not self.select:
            return
        wanted: set[str] = set()
        names = [(_path(config, i), tail_of(str(i.nodeid)), str(i.nodeid)) for i in items]
        for path, tail in self.select:
            found = chosen([(t, n) for p, t, n in names if not path or p == path], tail)
            wanted |= found
            if not found:
                self.missing.append(f"{path}::{tail}" if path and tail else path or tail)
        if not wanted and self.fallback:
            return
        config.hook.pytest_deselected(items=[i for i in items if str(i.nodeid) not in wanted])
        items[:] = [i for i in items if str(i.nodeid) in wanted]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """The worst outcome of a test's phases; a passed test has passed its call."""
        nodeid, outcome = str(report.nodeid), str(report.outcome)
        if outcome == "failed" or (self.outcomes.get(nodeid) != "failed" and (report.when == "call" or outcome == "skipped")):
            self.outcomes[nodeid] = outcome

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write what was seen."""
        healing: Any = session.config.pluginmanager.get_plugin("maestro-healer-session")
        failures: list[Failure] = []
        unserved: list[str] = []
        if healing is not None:
            failures = [*healing.failures.values(), *(c.failure for c in healing.collecting.heals)]
            unserved = sorted(set(self.files) - healing.collecting.overlay.served)
        answer = {
            "failures": [f.to_dict() for f in failures],
            "outcomes": self.outcomes,
            "missing": self.missing,
            "unserved": unserved,
        }
        wire.leave(self.out, answer)


def chosen(names: Sequence[tuple[str, str]], tail: str) -> set[str]:
    """The nodeids among ``names``, pairs of (what follows the file, nodeid), that ``tail`` means.

    Exactly it, else its function with other parameters, else (for a bare name) the tests of that name in any class; an empty one means all.
    """
    base = function_of(f"::{tail}")
    for matches in (
        lambda t: not tail or t == tail,
        lambda t: function_of(f"::{t}") == base,
        lambda t: t.startswith(base + "::"),
        lambda t: "::" not in base and name_of(f"::{t}") == base,
    ):
        found = {n for t, n in names if matches(t)}
        if found:
            return found
    return set()


def _path(config: pytest.Config, item: pytest.Item) -> str:
    try:
        return item.path.relative_to(config.rootpath).as_posix()
    except ValueError:
        return item.path.as_posix()


def given(config: pytest.Config) -> Given | None:
    """The job of this process, if it has one."""
    return config.pluginmanager.get_plugin(NAME)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Take the job over before anything is imported; it is not for the processes that tests start."""
    path = os.environ.pop(ENV, "")
    if path:
        job = json.loads(Path(path).read_text(encoding="utf-8"))
        early_config.pluginmanager.register(Given(job), NAME)
