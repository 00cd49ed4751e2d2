"""Mutants where processes cannot be copied (macOS, Windows): fresh processes try them, one after the other, each undone before the next.

What a mutant or a test leaves behind in such a process must not become the next mutant's fate. So the tests run twice unmutated first, and again
after each mutant that they notice; where they do not pass any more, the rest is asked in another process. A mutant that tests would not meet a second
time (its value was kept, its module was set up) gets a process in which nothing has run. Answers are left on the disk line by line: those given
before a hang or a crash count.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import math
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_maestro_healer.evidence.nodeids import file_of
from pytest_maestro_healer.prove.mutants import Mutant
from pytest_maestro_healer.prove.runner import RunReport
from pytest_maestro_healer.session import compat, wire
from pytest_maestro_healer.session.fresh import START, Fresh
from pytest_maestro_healer.session.mutating import Patience, swapped, targets
from pytest_maestro_healer.session.rerun import InProcess

#: Processes that one question may cost.
_PROCESSES = 6
#: Seconds between two looks at the answers, and what a process may take beside what its tests may.
_LOOK = 0.02
_SLACK = 2.0


def killed(
    fresh: Fresh,
    nodeids: Sequence[str],
    overlay: Mapping[str, bytes],
    mutants: Sequence[Mutant],
    timeout: float,
    *,
    seconds: float = math.inf,
    hung: bool | None = True,
) -> list[bool | None]:
    """For each mutant whether one of ``nodeids`` fails with it, with ``overlay`` served; ``None`` where that could not be tried.

    A crash under a mutant counts as killed. So does a hang, unless ``hung`` says otherwise. ``timeout`` seconds a run at most, ``seconds`` in all.
    """
    if not nodeids or not mutants:
        return [None] * len(mutants)
    asking = _Asking(fresh, nodeids, overlay, mutants, timeout, min(seconds, START + timeout * (1 + len(mutants))), hung)
    for _ in range(_PROCESSES):
        if not asking.more():
            break
    return [asking.fates.get(i) for i in range(len(mutants))]


class _Asking:
    """The asking side. ``warm`` are the mutants to be asked one after the other in one process, ``cold`` those that each need one of their own."""

    def __init__(
        self,
        fresh: Fresh,
        nodeids: Sequence[str],
        overlay: Mapping[str, bytes],
        mutants: Sequence[Mutant],
        timeout: float,
        seconds: float,
        hung: bool | None,
    ) -> None:
        self._fresh = fresh
        self._nodeids = list(nodeids)
        self._overlay = overlay
        self._mutants = mutants
        self._limit = timeout
        self._until = time.monotonic() + seconds
        self._hung = hung
        self.fates: dict[int, bool | None] = {}
        self._warm = list(range(len(mutants)))
        self._cold: list[int] = []
        self._known = False

    def more(self) -> bool:
        """Ask in one more process; false where there is nothing left to ask, or no sense in it."""
        left = self._until - time.monotonic()
        if left <= 0 or not (self._warm or self._cold):
            return False
        if not self._warm:
            self._ask(self._cold[:1], left, cold=True)
            del self._cold[0]
            return True
        some = self._warm
        passed = self._ask(some, left, cold=False)
        self._warm = [i for i in self._warm if i not in self.fates]
        if sorted(self._warm) == sorted(some):  # the second run ended the process: there are no two runs in one
            self._warm, self._cold = [], [*self._cold, *some]
        return passed

    def _ask(self, some: Sequence[int], left: float, *, cold: bool) -> bool:
        """One process; whether the tests pass there unmutated."""
        question = {
            "nodeids": self._nodeids,
            "mutants": [[i, wire.of_mutant(self._mutants[i])] for i in some],
            "cold": cold,
            "known": self._known,
            "limit": self._limit,
            "seconds": left,
        }
        passed, begun = False, -1
        fate: bool | None = True
        with tempfile.TemporaryDirectory(prefix="maestro-heal-", ignore_cleanup_errors=True) as folder, contextlib.suppress(OSError):
            work = Path(folder)
            files = list(dict.fromkeys(file_of(n) for n in self._nodeids))
            process = self._fresh.start(work, files, self._overlay, question)
            try:
                for said in _answers(process, work / "result.json", START + self._limit, self._until):
                    if said["what"] == "silent":
                        fate = self._hung
                        continue
                    i = said.get("mutant", -1)
                    begun = i if said["what"] == "begin" else -1
                    if said["what"] == "passed":
                        passed, self._limit = True, said["limit"]
                    elif said["what"] == "cold":
                        self._known = True
                        self._cold += said["some"]
                        self._warm = [w for w in self._warm if w not in said["some"]]
                    elif said["what"] == "doubt":
                        self._warm = [i, *(w for w in self._warm if w != i)]
                    elif said["what"] == "fate":
                        self.fates[i] = said["killed"]
            finally:
                if process.returncode is None:  # else its number may be another one's by now
                    Fresh.kill(process)
                    process.wait()
        if begun >= 0 and time.monotonic() < self._until:
            self.fates[begun] = fate  # it crashed or hung
        return passed


def _answers(process: subprocess.Popen[bytes], path: Path, wait: float, until: float) -> Iterator[dict[str, Any]]:
    """What ``process`` writes to ``path``, as it comes; it is ended where it is silent for longer than it said that it may be, or at ``until``."""
    due = time.monotonic() + wait
    read = 0
    while True:
        ended = process.poll() is not None  # asked before reading: what it wrote last is read
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            *lines, _ = path.read_bytes()[read:].split(b"\n")
            for line in lines:
                read += len(line) + 1
                said = json.loads(line)
                due = time.monotonic() + said["wait"] + _SLACK
                yield said
        if ended:
            return
        if time.monotonic() > min(due, until):
            Fresh.kill(process)
            process.wait()
            yield {"what": "silent"}
        else:
            time.sleep(_LOOK)


def serve(runner: InProcess, job: Mapping[str, Any]) -> None:
    """The side that is asked, in the fresh process, instead of running its tests."""
    # nobody may be there any more to end it: not on Windows, when the asking process is killed
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        faulthandler.dump_traceback_later(job["seconds"] + START, exit=True, file=nowhere)
        try:
            tries = _Tries(runner, job)
            if job["cold"]:
                tries.cold()
            else:
                tries.warm(job["known"])
            tries.say("end", wait=START)
        finally:
            faulthandler.cancel_dump_traceback_later()


class _Tries:
    """One process's tries."""

    def __init__(self, runner: InProcess, job: Mapping[str, Any]) -> None:
        self._runner = runner
        self._nodeids = job["nodeids"]
        self._limit = job["limit"]
        self._mutants: dict[int, Mutant] = {i: wire.mutant(m) for i, m in job["mutants"]}
        self._out = Path(job["out"])
        self._process = os.getpid()

    def cold(self) -> None:
        """The mutant in a process in which no test has run."""
        ((i, mutant),) = self._mutants.items()
        functions = targets(self._runner.files.root, [mutant])[0]
        if not functions:
            self.say("fate", mutant=i, killed=None)
            return
        self.say("begin", mutant=i)
        with swapped(functions, mutant.code):
            passed = _good(self._run())
        self.say("fate", mutant=i, killed=not passed)

    def warm(self, known: bool) -> None:
        """The mutants one after the other, as long as the tests pass without them. Unless it is ``known``, first which can be tried that way."""
        began = time.perf_counter()
        if not _good(self._run()):
            return
        # the next run is traced, which takes many times as long: it gets all the time that a run may take
        wait, self._limit = self._limit, Patience(time.perf_counter() - began, self._limit).longest
        self.say("passed", limit=self._limit, wait=wait)
        order = list(self._mutants)
        if not known:
            again = self._run(trace=True)
            met = again.executed if _good(again) else {}
            order = [i for i, m in self._mutants.items() if m.at in met.get(m.path, ())]
            self.say("cold", some=[i for i in self._mutants if i not in order])
        self._one_by_one(order)

    def _one_by_one(self, order: Sequence[int]) -> None:
        certain = True  # nothing that an earlier mutant left behind can be the reason
        # the product may have been imported only while the tests ran
        for i, functions in zip(order, targets(self._runner.files.root, [self._mutants[i] for i in order]), strict=True):
            if not functions:
                self.say("fate", mutant=i, killed=None)
                continue
            self.say("begin", mutant=i)
            with swapped(functions, self._mutants[i].code):
                passed = _good(self._run())
            if passed:
                self.say("fate", mutant=i, killed=False)
                certain = False
                continue
            self.say("fate" if certain else "doubt", mutant=i, killed=True)
            if certain and i == order[-1]:
                return
            if not _good(self._run()):
                return
            if not certain:
                self.say("fate", mutant=i, killed=True)
            certain = True

    def say(self, what: str, *, wait: float | None = None, **more: Any) -> None:
        """Leave one line for the asking side: what there is to say, and after how many ``wait`` seconds without another it need not wait any more."""
        if os.getpid() != self._process:  # a copy that a mutant let live on
            os._exit(1)
        with self._out.open("a", encoding="utf-8") as out:
            out.write(json.dumps({"what": what, "wait": self._limit if wait is None else wait, **more}) + "\n")

    def _run(self, *, trace: bool = False) -> RunReport:
        try:
            report = self._runner.run(self._nodeids, {}, trace=trace, outcome_only=True)
        except BaseException as exc:  # pytest.exit, say
            report = RunReport(problem=f"crash: {type(exc).__name__}")
        with contextlib.suppress(BaseException):
            # the first failure ends a run: what was set up for the tests after it is no longer wanted
            compat.tear_down(self._runner.session)
        return report


def _good(report: RunReport) -> bool:
    return bool(report.results) and not report.problem and not report.failed()
