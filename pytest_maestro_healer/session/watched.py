"""The plugin of one round of ``maestro-heal watch``: collects what is due, runs first what failed last, tells what it saw.

Loaded with ``-p pytest_maestro_healer.session.watched``; the job file's path is in :data:`ENV` (see :mod:`pytest_maestro_healer.watch.child`).
With pytest-xdist the workers get the job from their controller. In any other process, a proof's above all, it does nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer.apply.paths import project_cache_dir
from pytest_maestro_healer.evidence.nodeids import file_of
from pytest_maestro_healer.session import lifeline, wire

ENV = "MAESTRO_HEAL_WATCHED"
NAME = "maestro-healer-watched"
_INPUT = "maestro_watched"


class Watched:
    """One round: ``files`` (root-relative) are collected, others are not (``None``: all); ``first`` are the nodeids to run first."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        self.job = dict(job)
        self.root = os.path.realpath(job["root"])
        self.first = {str(n): i for i, n in enumerate(job["first"])}
        self.files: set[str] | None = None
        self.folders: set[str] = set()
        if job["files"] is not None:
            self.files = {os.path.join(self.root, *str(f).split("/")) for f in job["files"]}
            self.folders = {str(p) for f in self.files for p in Path(f).parents}
        self.outcomes: dict[str, str] = {}
        self.collected: set[str] = set()
        self.nodeids: list[str] = []

    # -- what runs -----------------------------------------------------------------------------------------
    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leave out what the change does not reach, with its imports and its folder's conftest."""
        return True if self._left_out(collection_path) else None

    def _left_out(self, path: Path) -> bool:
        if self.files is None:
            return False
        real = os.path.realpath(path)
        if not real.startswith(os.path.join(self.root, "")):
            return False
        if Path(real).is_dir():
            return real not in self.folders
        return real.endswith(".py") and real not in self.files

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Files that were named on the command line are collected in any case; and what failed last goes first, as with ``--ff``."""
        out = [i for i in items if self._left_out(i.path)]
        if out:
            config.hook.pytest_deselected(items=out)
        keep = [i for i in items if not self._left_out(i.path)]
        last = len(self.first)
        items[:] = sorted(keep, key=lambda i: self.first.get(str(i.nodeid), last))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """What is to run."""
        self.nodeids = [str(i.nodeid) for i in session.items]
        self.collected |= {self._relative(i.path) for i in session.items}

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """The same for xdist's workers."""
        node.workerinput[_INPUT] = json.dumps(self.job)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        """A worker has collected."""
        self.nodeids = [str(i) for i in ids]
        self.collected |= {self._relative(node.config.rootpath / file_of(str(i))) for i in ids}

    def _relative(self, path: str | os.PathLike[str]) -> str:
        return os.path.relpath(os.path.realpath(path), self.root).replace(os.sep, "/")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Say where this run keeps its journal: options may have moved it."""
        healing: Any = session.config.pluginmanager.get_plugin("maestro-healer-session")
        if healing is not None and not hasattr(session.config, "workerinput"):
            folder = project_cache_dir(healing.files.root, healing.settings.cache_dir)
            Path(self.job["begun"]).write_text(str(folder), encoding="utf-8")

    # -- what was seen -------------------------------------------------------------------------------------
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """The worst outcome of a test's phases."""
        nodeid, outcome = str(report.nodeid), str(report.outcome)
        if outcome == "failed" or (self.outcomes.get(nodeid) != "failed" and outcome in ("passed", "skipped") and self._counts(report, outcome)):
            self.outcomes[nodeid] = outcome

    @staticmethod
    def _counts(report: pytest.TestReport, outcome: str) -> bool:
        return report.when == "call" or outcome == "skipped"

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be collected stands for its tests."""
        if report.failed:
            self.outcomes[str(report.nodeid)] = "failed"

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write what was seen."""
        config = session.config
        healing: Any = config.pluginmanager.get_plugin("maestro-healer-session")
        failures: set[str] = set()
        if healing is not None:
            failures = {f.nodeid for f in [*healing.failures.values(), *(c.failure for c in healing.collecting.heals)]}
        answer = {
            "outcomes": self.outcomes,
            "failures": sorted(failures | {n for n, o in self.outcomes.items() if o == "failed"}),
            "collected": sorted(self.collected),
            "python_files": list(config.getini("python_files")),
            "testpaths": list(config.getini("testpaths")),
            "left": sorted({file_of(n) for n in self.nodeids if n not in self.outcomes}),
        }
        wire.leave(Path(self.job["out"]), answer)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Take the job over before anything is imported; it is not for the processes that tests start."""
    path = os.environ.pop(ENV, "")
    if path:
        job = json.loads(Path(path).read_text(encoding="utf-8"))
        lifeline.tie(job["parent"])
        Path(job["begun"]).touch()
        early_config.pluginmanager.register(Watched(job), NAME)


def pytest_configure(config: pytest.Config) -> None:
    """In an xdist worker."""
    job = getattr(config, "workerinput", {}).get(_INPUT)
    if job and not config.pluginmanager.hasplugin(NAME):
        config.pluginmanager.register(Watched(json.loads(job)), NAME)
