"""Whether a failed test fails at all when it is run again, unhealed: what does not must never be healed by changing what it expects."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.experiments import Conditions
from pytest_maestro_healer.evidence.nodeids import is_test
from pytest_maestro_healer.model import Cause, Diagnosis, Failure, FailurePattern, World
from pytest_maestro_healer.prove.runner import Runner, RunReport

#: Runs from a clean state; one that fails every second time is found with a probability of 94 %, together with the run near by.
_TRIES = 3
#: Runs in which one that passes every fifth time passes with a probability of 96 %.
_SELDOM = 14
AGAIN = "it passes when it is run again, unchanged"
ALONE = "it passes, unchanged, when no other test has run before it"
HUNTED = "it passed in the order of the run, and failed when the tests ran in another"
OUT_OF_TIME = "its share of the time for healing is used up: what experiments would show is not known"
HASHED = "what it compares comes in another order where PYTHONHASHSEED differs"
LISTED = "what it compares comes in another order where a directory is listed in another"
SETTER = "it passes, unchanged, when all tests of its file run in their order"


class Steadiness:
    """Probes failed tests, each once; ``reasons`` holds what was found, by nodeid."""

    def __init__(self, runner: Runner, ctx: Context) -> None:
        self.runner = runner
        self.ctx = ctx
        self.reasons: dict[str, str] = {}
        self._near: dict[str, bool] = {}
        self._many: set[str] = set()
        self._files: dict[str, RunReport] = {}
        self._seen: dict[tuple[str, frozenset[tuple[str, bytes]]], bool] = {}

    def seen(self, nodeid: str, overlay: Mapping[str, bytes], report: RunReport) -> None:
        """Take note of a run near by that an experiment made anyway: it answers :meth:`near`."""
        self._seen.setdefault((nodeid, frozenset(overlay.items())), _passes(report, nodeid))

    def near(self, failure: Failure, base: Mapping[str, bytes]) -> str:
        """Cheap (one run in a copy of this process): why the test is not steady, or ``""``."""
        if not _can_vary(failure):
            return ""
        if failure.nodeid not in self._near:
            known = self._seen.get((failure.nodeid, frozenset(base.items())))
            self._near[failure.nodeid] = _passes(self.runner.run([failure.nodeid], base), failure.nodeid) if known is None else known
            if self._near[failure.nodeid]:
                self.reasons.setdefault(failure.nodeid, AGAIN)
        return self.reasons.get(failure.nodeid, "")

    def far(self, failure: Failure, base: Mapping[str, bytes]) -> str:
        """The same, and from a state in which no test has run: needs another process."""
        found = self.near(failure, base)
        if found or not _can_vary(failure):
            return found
        if permuted(failure):
            return self._hashes(failure, base)
        if not self.ctx.before(failure.nodeid):
            return found
        for _ in range(_TRIES):
            report = self.runner.run([failure.nodeid], base, conditions=Conditions(clean=True))
            if _passes(report, failure.nodeid):
                self.reasons[failure.nodeid] = ALONE
                break
        return self.reasons.get(failure.nodeid, "")

    def often(self, failure: Failure, base: Mapping[str, bytes]) -> str:
        """The same with many runs, for a test of which something else was seen to vary: it may pass seldom."""
        if not _can_vary(failure) or failure.nodeid in self._many:
            return self.reasons.get(failure.nodeid, "")
        self._many.add(failure.nodeid)
        if any(_passes(self.runner.run([failure.nodeid], base), failure.nodeid) for _ in range(_SELDOM)):
            self.reasons[failure.nodeid] = AGAIN
        return self.reasons.get(failure.nodeid, "")

    def _hashes(self, failure: Failure, base: Mapping[str, bytes]) -> str:
        """The same items in another order: do they come in another order where strings hash otherwise, or directories are listed otherwise?"""
        for order in ("sorted", "reversed"):
            if self._differs(failure, base, Conditions(world=World(listing=order))):
                return self.reasons.setdefault(failure.nodeid, LISTED)
        for seed in ("0", "1", "2"):
            if self._differs(failure, base, Conditions(env={"PYTHONHASHSEED": seed}, fresh=True)):
                return self.reasons.setdefault(failure.nodeid, HASHED)
        return self.reasons.get(failure.nodeid, "")

    def _differs(self, failure: Failure, base: Mapping[str, bytes], conditions: Conditions) -> bool:
        """Whether the test passes under ``conditions``, or compares other values there."""
        report = self.runner.run([failure.nodeid], base, conditions=conditions)
        result = report.results.get(failure.nodeid)
        if result is None or report.problem:
            return False
        return result.outcome == "passed" or (result.failure is not None and _compared(result.failure) != _compared(failure))

    def needs_others(self, failure: Failure, base: Mapping[str, bytes]) -> str:
        """Whether the test passes only after others of its file, of which the run left some out or ran them later."""
        if not self.ctx.partial or not _can_vary(failure):
            return ""
        if failure.path not in self._files:
            self._files[failure.path] = self.runner.run([failure.path], base, whole_files=True, conditions=Conditions(clean=True))
        if _passes(self._files[failure.path], failure.nodeid):
            self.reasons[failure.nodeid] = SETTER
        return self.reasons.get(failure.nodeid, "")


def flaky(first: Diagnosis, reason: str) -> Diagnosis:
    """The diagnosis of a test that does not fail every time."""
    return Diagnosis(FailurePattern.FLAKY_BEHAVIOR, max(first.probability, 0.9), Cause.FLAKY, (reason,))


def permuted(failure: Failure) -> bool:
    """Whether two sequences of the same items in another order were compared."""
    sides = [o.value for o in failure.comparison.operands[:2]] if failure.comparison is not None else []
    if len(sides) != 2 or any(v.kind not in ("list", "tuple") or v.truncated for v in sides):
        return False
    a, b = ([i.repr for i in v.items] for v in sides)
    return a != b and sorted(a) == sorted(b)


def _compared(failure: Failure) -> tuple[str, ...]:
    return tuple(o.value.repr for o in failure.comparison.operands) if failure.comparison is not None else (failure.message,)


def _can_vary(failure: Failure) -> bool:
    return failure.phase != "collect" and is_test(failure.nodeid) and failure.healable


def _passes(report: RunReport, nodeid: str) -> bool:
    result = report.results.get(nodeid)
    return not report.problem and result is not None and result.outcome == "passed"
