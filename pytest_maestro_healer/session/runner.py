"""The session's implementation of :class:`~pytest_maestro_healer.prove.runner.Runner`: fork, in-process or fresh process, chosen by need."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.experiments import Conditions
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.evidence.nodeids import file_of
from pytest_maestro_healer.model import Failure
from pytest_maestro_healer.prove.mutants import Mutant
from pytest_maestro_healer.prove.runner import RunReport
from pytest_maestro_healer.session import apart, forked, lifeline, unforked
from pytest_maestro_healer.session.fresh import Fresh
from pytest_maestro_healer.session.mutating import Patience, killed
from pytest_maestro_healer.session.rerun import InProcess
from pytest_maestro_healer.session.serving import change_environment, reseed
from pytest_maestro_healer.session.zygote import Zygote

#: Errors on import of a healed module that another process would meet too; any other may come from executing it twice.
_SAME_EVERYWHERE = ("SyntaxError", "ImportError", "NameError", "AttributeError")


class SessionRunner:
    """Runs proofs for a live session; ``runs`` counts them by the way they went.

    ``ground`` are the files that were healed at collection: this process has them already, a fresh one must be given them.
    """

    def __init__(
        self, config: HealerConfig, files: ProjectFiles, inprocess: InProcess, fresh: Fresh, ground: Mapping[str, bytes] | None = None
    ) -> None:
        self.ground = dict(ground or {})
        self.config = config
        self.files = files
        self.inprocess = inprocess
        self.fresh = fresh
        self.zygote = Zygote(fresh, self.ground)
        self._stage: tuple[object, Zygote] | None = None
        self.runs: dict[str, int] = {"forked": 0, "clean": 0, "fresh": 0}
        self._took: dict[tuple[str, ...], float] = {}
        self._apart: tuple[tuple[str, ...], dict[str, bytes]] | None = None

    def prepare(self, failures: Sequence[Failure]) -> None:
        """Start the process for clean runs meanwhile, where one will probably be asked for: a test failed by what it expects."""
        if any(f.phase == "call" and f.is_a("AssertionError", "Failed") for f in failures) and not self.config.isolate:
            self.zygote.start(sorted({f.path for f in failures if f.path.endswith(".py")}))

    def close(self) -> None:
        """End the processes that were started for clean runs and for mutants, where any was."""
        self.zygote.close()
        if self._stage is not None:
            self._stage[1].close()

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
        """See :class:`~pytest_maestro_healer.prove.runner.Runner`."""
        overlay = {p: d for p, d in overlay.items() if self.ground.get(p) != d}
        if conditions is not None:
            with _load(conditions.load):
                if conditions.clean and not (fresh or conditions.fresh):
                    report = self.zygote.run(nodeids, overlay, whole_files=whole_files, trace=trace, conditions=conditions)
                    if report is not None:
                        self.runs["clean"] += 1
                        return report
                    fresh = True
                if fresh or conditions.fresh or self.config.isolate or not self._fits(nodeids, overlay):
                    self.runs["fresh"] += 1
                    return self.fresh.run(nodeids, {**self.ground, **overlay}, whole_files=whole_files, trace=trace, conditions=conditions)
                return self._near(nodeids, overlay, whole_files, trace, conditions)
        if fresh or self.config.isolate or not self._fits(nodeids, overlay):
            return self._fresh(nodeids, overlay, whole_files, trace)
        return self._sure(self._near(nodeids, overlay, whole_files, trace), nodeids, overlay, whole_files, trace)

    def again(self, nodeids: Sequence[str], overlay: Mapping[str, bytes], times: int) -> Iterator[RunReport]:
        """See :class:`~pytest_maestro_healer.prove.runner.Runner`: as many at once as there are processors, no one's time is measured here."""
        mine = {p: d for p, d in overlay.items() if self.ground.get(p) != d}
        while times > 0:
            at_once = min(times, apart.processors()) if self._apart == (tuple(nodeids), mine) and forked.possible() else 1
            if at_once < 2:
                yield self.run(nodeids, overlay)
            else:
                self.runs["forked"] += at_once
                for report in forked.run_all(self._work(nodeids, mine), self.config.timeout, at_once):
                    yield self._sure(report, nodeids, mine)
            times -= at_once

    def _sure(self, report: RunReport, nodeids: Sequence[str], overlay: Mapping[str, bytes], whole: bool = False, trace: bool = False) -> RunReport:
        """``report`` of a copy of this process, or that of a fresh one where it may be this process that is at fault."""
        if report.problem or self._suspicious(report):
            again = self._fresh(nodeids, overlay, whole, trace)
            if not again.problem or report.problem:
                return again
        return report

    def killed(self, nodeids: Sequence[str], overlay: Mapping[str, bytes], mutants: Sequence[Mutant]) -> list[bool | None]:
        """See :class:`~pytest_maestro_healer.prove.runner.Runner`; only in copies of a process, so that nothing can remain.

        Where this process cannot be copied safely, or has not imported the helpers as they are edited, a fresh one is. Where none can be, fresh ones
        try the mutants themselves.
        """
        files = {**self.ground, **overlay}
        found = self._copied(nodeids, overlay, mutants) if forked.known_safe() else None
        return unforked.killed(self.fresh, nodeids, files, mutants, self.config.timeout) if found is None else found

    def _copied(self, nodeids: Sequence[str], overlay: Mapping[str, bytes], mutants: Sequence[Mutant]) -> list[bool | None] | None:
        """What copies of this process, or of a fresh one, say; ``None`` where neither can be copied."""
        overlay = {p: d for p, d in overlay.items() if self.ground.get(p) != d}
        if not self._fits(nodeids, overlay):
            return self._staged(nodeids, overlay).killed(nodeids, {}, mutants, self.config.timeout)
        if not forked.possible() or self.config.isolate:
            return self.zygote.killed(nodeids, overlay, mutants, self.config.timeout)
        self.inprocess.compile(nodeids, overlay)
        patience = Patience(self._took.get(tuple(nodeids), self.config.timeout), self.config.timeout)
        return killed(self.files.root, mutants, lambda: self.inprocess.run(nodeids, overlay, outcome_only=True), patience)

    def _staged(self, nodeids: Sequence[str], overlay: Mapping[str, bytes]) -> Zygote:
        """A process that has had ``overlay`` from its start; the last one is kept, as several questions are asked of one heal."""
        key = (tuple(sorted(overlay.items())), tuple(nodeids))
        if self._stage is None or self._stage[0] != key:
            if self._stage is not None:
                self._stage[1].close()
            self._stage = (key, Zygote(self.fresh, {**self.ground, **overlay}))
        return self._stage[1]

    def _fits(self, nodeids: Sequence[str], overlay: Mapping[str, bytes]) -> bool:
        """In-process serves test modules only: helpers and conftest files are already imported by others."""
        known = self.inprocess.collectors
        return all(p in known and not p.endswith("conftest.py") for p in overlay) and all(file_of(n) in known for n in nodeids)

    def _near(
        self, nodeids: Sequence[str], overlay: Mapping[str, bytes], whole: bool, trace: bool, conditions: Conditions | None = None
    ) -> RunReport:
        if forked.possible():
            self.runs["forked"] += 1
            self.inprocess.compile(nodeids, overlay, whole_files=whole)
            near = forked.run(self._work(nodeids, overlay, whole, trace, conditions), self.config.timeout)
            self._took[tuple(nodeids)] = near.seconds
            if not (whole or trace or conditions):
                self._apart = (tuple(nodeids), dict(overlay)) if near.apart else None
            return near
        # in the user's own process nothing is tried out: os._exit, a fault or a block in C would end the run with it
        files = {**self.ground, **overlay}
        report = self.zygote.run(nodeids, files, whole_files=whole, trace=trace, conditions=conditions or Conditions())
        if report is None:
            return self._fresh(nodeids, overlay, whole, trace, conditions)
        self.runs["clean"] += 1
        return report

    def _work(
        self,
        nodeids: Sequence[str],
        overlay: Mapping[str, bytes],
        whole: bool = False,
        trace: bool = False,
        conditions: Conditions | None = None,
    ) -> Callable[[], RunReport]:
        """What a copy of this process does for one run."""

        def work() -> RunReport:
            reseed()
            self.inprocess.plainly()
            if conditions is not None:
                change_environment(conditions.env)
                return self.inprocess.run(nodeids, overlay, whole_files=whole, trace=trace, conditions=conditions)
            watch = apart.Watch()
            report = self.inprocess.run(nodeids, overlay, whole_files=whole, trace=trace)
            return replace(report, apart=watch.apart())

        return work

    def _fresh(
        self, nodeids: Sequence[str], overlay: Mapping[str, bytes], whole: bool, trace: bool, conditions: Conditions | None = None
    ) -> RunReport:
        self.runs["fresh"] += 1
        return self.fresh.run(nodeids, {**self.ground, **overlay}, whole_files=whole, trace=trace, conditions=conditions)

    @staticmethod
    def _suspicious(report: RunReport) -> bool:
        return any(r.outcome == "error" and r.failure is not None and not r.failure.is_a(*_SAME_EVERYWHERE) for r in report.results.values())


@contextlib.contextmanager
def _load(processes: int) -> Iterator[None]:
    """Keep ``processes`` CPU-bound processes busy."""
    busy = [subprocess.Popen(lifeline.busy(), stdin=subprocess.DEVNULL) for _ in range(processes)]
    try:
        yield
    finally:
        for p in busy:
            p.kill()
            p.wait()
