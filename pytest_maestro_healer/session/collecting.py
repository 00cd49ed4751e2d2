"""Heal collection errors while pytest collects, so that the file's tests run in this very session."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.diagnose.verdict import preliminary
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.experiments import Conditions
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.judging import drifted
from pytest_maestro_healer.learn.learner import Learner
from pytest_maestro_healer.model import Failure, HealingResult
from pytest_maestro_healer.pipeline import Found, Pipeline
from pytest_maestro_healer.prove.candidates import Candidate
from pytest_maestro_healer.prove.mutants import Mutant
from pytest_maestro_healer.prove.runner import RunReport, TestResult
from pytest_maestro_healer.session import compat, guard
from pytest_maestro_healer.session.capture import Capture
from pytest_maestro_healer.session.overlay import Overlay
from pytest_maestro_healer.session.own import strategies

Attempt = Callable[[], "tuple[Any, BaseException | None]"]


class CollectRunner:
    """A :class:`~pytest_maestro_healer.prove.runner.Runner` that collects: passing means that the file can be collected."""

    def __init__(self, overlay: Overlay, capture: Capture, files: ProjectFiles, nodeid: str, path: str, attempt: Attempt, timeout: float) -> None:
        self.overlay, self.capture, self.files = overlay, capture, files
        self.nodeid, self.path, self.attempt, self.timeout = nodeid, path, attempt, timeout
        self.kept = dict(overlay.files)
        self.report: Any = None

    def run(
        self,
        nodeids: Sequence[str],
        overlay: Mapping[str, bytes],
        *,
        whole_files: bool = False,
        fresh: bool = False,
        trace: bool = False,
        conditions: Conditions | None = None,
    ) -> RunReport:
        """Collect once with ``overlay`` served."""
        began = time.perf_counter()
        self.overlay.uninstall()
        self.overlay.files = {**self.kept, **{str(self.files.root / p): d for p, d in overlay.items()}}
        self.overlay.install()
        for path in overlay:
            _forget(self.files.root / path)
        try:
            with guard.limit(self.timeout):
                self.report, error = self.attempt()
        except guard.Hang as exc:
            return RunReport(problem=f"hang: {exc}", seconds=time.perf_counter() - began)
        seconds = time.perf_counter() - began
        if error is None:
            return RunReport({self.nodeid: TestResult(self.nodeid, "passed", seconds=seconds)}, seconds=seconds)
        failure = self.capture.of_import(self.nodeid, self.path, error)
        return RunReport({self.nodeid: TestResult(self.nodeid, "error", failure, seconds)}, seconds=seconds)

    def again(self, nodeids: Sequence[str], overlay: Mapping[str, bytes], times: int) -> Iterator[RunReport]:
        """One after the other."""
        return (self.run(nodeids, overlay) for _ in range(times))

    def killed(self, nodeids: Sequence[str], overlay: Mapping[str, bytes], mutants: Sequence[Mutant]) -> list[bool | None]:
        """Nothing runs at collection, so nothing can be killed."""
        return [None] * len(mutants)


class CollectHealer:
    """Heals of one session's collection. ``heals`` are the accepted ones, to be finished by the healing phase."""

    def __init__(self, config: pytest.Config, settings: HealerConfig, files: ProjectFiles, capture: Capture) -> None:
        self.config, self.settings, self.files, self.capture = config, settings, files, capture
        self.overlay = Overlay(config)
        self.heals: list[Candidate] = []
        self.originals: list[pytest.CollectReport] = []
        self.notes: list[str] = []
        self.busy = False
        #: What the last attempt has to say where it found no heal.
        self.told: list[HealingResult] = []
        #: Knows what became of earlier heals; the session says who.
        self.learner: Callable[[], Learner | None] = lambda: None

    def heal(self, failure: Failure, attempt: Attempt) -> tuple[Any, Candidate | None]:
        """Try to make ``failure`` collectable; returns the report of the successful attempt and the heal, or ``(None, None)``."""
        self.busy = True
        try:
            return self._heal(failure, attempt)
        except Exception as exc:  # a bug of ours must not change the user's run
            self.notes.append(f"healing the collection of {failure.path} raised {type(exc).__name__}: {exc}; it was left alone")
            return None, None
        finally:
            self.busy = False

    def _heal(self, failure: Failure, attempt: Attempt) -> tuple[Any, Candidate | None]:
        began = time.perf_counter()
        runner = CollectRunner(self.overlay, self.capture, self.files, failure.nodeid, failure.path, attempt, self.settings.timeout)
        base = {self.files.relative(p): d for p, d in self.overlay.files.items()}
        learner = self.learner()
        green = learner.green_commits if learner is not None else None
        ctx = Context(self.files.root, self.settings, failures=(failure,), files=self.files, green_commits=green)
        pipeline = Pipeline(ctx, runner, strategies(self.config, self.settings, self.notes), self.settings, repeats=0, learner=learner)
        pipeline.deadline = time.perf_counter() + self.settings.budget / 4
        found: Found = pipeline.search(failure, preliminary(failure), base, 0)
        self.notes += pipeline.notes
        self.told = []
        if found.winner is None:
            pipeline.unhealed(failure, preliminary(failure), found, base, began)
            self.told = pipeline.others
            runner.overlay.uninstall()
            self.overlay.files = runner.kept
            if runner.kept:
                self.overlay.install()
            return None, None
        # several candidates may have been tried: leave the winner's module behind
        winner = found.winner
        runner.run([failure.nodeid], winner.after)
        winner.rivals = found.rivals(winner, pipeline.symptoms)
        for c in (winner, *winner.rivals):
            c.collected = True
            c.seconds = time.perf_counter() - began
            c.after = {p: d for p, d in c.after.items() if base.get(p) != d}  # not what was healed before
            c.before = {p: d for p, d in c.before.items() if p in c.after}
            c.diagnosis = drifted(preliminary(failure))
            c.refusals = found.refusals
            c.steps = [s for s in c.steps if s.rung == "guard"]
            c.ties += found.unknown(winner, pipeline.symptoms)  # which of the rivals is a tie, their tests will tell
        self.heals.append(winner)
        return runner.report, winner

    # -- the two places ------------------------------------------------------------------------------------
    def module(self, collector: pytest.Collector, failure: Failure) -> pytest.CollectReport | None:
        """Heal a test module (or what it imports)."""
        nodeid = str(collector.nodeid)

        def attempt() -> tuple[Any, BaseException | None]:
            compat.purge_fixtures(collector.session, nodeid)
            assert collector.parent is not None
            made = collector.parent.ihook.pytest_collect_file(file_path=collector.path, parent=collector.parent)
            nodes = [n for entry in made for n in (entry if isinstance(entry, list) else [entry])]
            fresh = next((n for n in nodes if type(n) is type(collector)), None)
            if fresh is None:
                return None, RuntimeError("pytest makes no collector for this file")
            return _collect(fresh)

        report, _ = self.heal(failure, attempt)
        return report  # type: ignore[no-any-return]

    def folder(self, collector: pytest.Collector, failure: Failure) -> pytest.CollectReport | None:
        """Heal the conftest of a sub-directory."""
        report, _ = self.heal(failure, lambda: _collect(collector))
        return report  # type: ignore[no-any-return]


def _collect(collector: pytest.Collector) -> tuple[Any, BaseException | None]:
    rep = collector.ihook.pytest_make_collect_report(collector=collector)
    if rep.failed:
        return rep, getattr(rep, "maestro_exception", None) or compat.CollectFailed(str(rep.longrepr))
    return rep, None


def _forget(path: Path) -> None:
    for name, module in list(sys.modules.items()):
        if getattr(module, "__file__", None) == str(path):
            del sys.modules[name]
