"""What is known about each test, and which tests are due."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pytest_maestro_healer.evidence.nodeids import file_of
from pytest_maestro_healer.model import DecisionKind, HealingReport
from pytest_maestro_healer.watch.affected import Affected

Reason = Literal["start", "change", "heal"]

#: Rounds in succession that nothing but applied heals brings about.
FOLLOW_UPS = 2


@dataclass(frozen=True)
class Plan:
    """One round: the Python files to run (``None``: all), tests to run first, and why."""

    reason: Reason
    files: frozenset[str] | None
    first: tuple[str, ...] = ()
    why: str = ""
    changed: tuple[str, ...] = ()
    broken: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What a round showed: outcomes by nodeid (of a file that cannot be collected: by its path) and what pytest is set up to collect.

    ``left`` are the files with tests that did not come to run.
    """

    outcomes: Mapping[str, str]
    failures: tuple[str, ...] = ()
    collected: tuple[str, ...] = ()
    python_files: tuple[str, ...] = ()
    testpaths: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Outcome:
        """From what the round's plugin wrote; raises :class:`KeyError` or :class:`TypeError` for anything else."""
        lists = ("failures", "collected", "python_files", "testpaths", "left")
        return cls(dict(data["outcomes"]), *(tuple(map(str, data[key])) for key in lists))


class Board:
    """The state of the watch between rounds."""

    def __init__(self) -> None:
        #: nodeid -> passed, failed, skipped, or healed (failed, and its applied heal was proved).
        self.outcomes: dict[str, str] = {}
        #: nodeid -> (healing id, decision) of the last round in which it failed.
        self.heals: dict[str, tuple[str, str]] = {}
        #: Every file that pytest collected.
        self.collected: set[str] = set()
        self.python_files: tuple[str, ...] = ("test_*.py", "*_test.py")
        self.testpaths: tuple[str, ...] = ()
        self._due = Affected(everything="the first round")
        self._follow_ups = 0

    @property
    def failing(self) -> list[str]:
        """The tests that failed when they ran last, and are not healed."""
        return sorted(n for n, o in self.outcomes.items() if o == "failed")

    def tell(self, reached: Affected, *, own: bool) -> bool:
        """Something changed that reaches these files; ``own`` where it was written by a heal. Returns whether a round is worth it."""
        self._follow_ups = self._follow_ups + 1 if own else 0
        if self._follow_ups > FOLLOW_UPS:
            return False
        self._due |= reached
        return True

    def plan(self, reason: Reason, changed: Collection[str] = (), broken: Mapping[str, str] | None = None) -> Plan:
        """The next round: all that is due, what failed last first."""
        due = self._due
        files = None if due.everything else due.files
        first = [n for n in self.failing if files is None or file_of(n) in files]
        return Plan(reason, files, tuple(first), due.everything, tuple(sorted(changed)), broken or {})

    def finished(self, plan: Plan, seen: Outcome, report: HealingReport) -> None:
        """The round came to its end."""
        self._due = Affected(frozenset(seen.left))
        ran = {file_of(n) for n in seen.outcomes} | {file_of(n) for n in seen.failures}
        for nodeid in [n for n in self.outcomes if plan.files is None or file_of(n) in plan.files or file_of(n) in ran]:
            if file_of(nodeid) not in seen.left:
                del self.outcomes[nodeid]
                self.heals.pop(nodeid, None)
        self.outcomes.update(seen.outcomes)
        self.outcomes.update(dict.fromkeys(seen.failures, "failed"))
        # a test's own heal says more about it than that of its file, which made it run
        for result in sorted(report.results, key=lambda r: not r.collected):
            for nodeid in dict.fromkeys([*result.nodeids, result.test_id]):
                if nodeid in seen.failures:
                    self.heals[nodeid] = (result.healing_id if result.changes else "", str(result.decision.kind))
                    if result.decision.kind is DecisionKind.APPLIED:
                        self.outcomes[nodeid] = "healed"
        self.collected = (set() if plan.files is None else self.collected - plan.files) | set(seen.collected) | ran
        self.python_files, self.testpaths = seen.python_files or self.python_files, seen.testpaths

    def gone(self, path: str) -> None:
        """A file was deleted, and its tests with it."""
        self.outcomes = {n: o for n, o in self.outcomes.items() if file_of(n) != path}
        self.collected.discard(path)

    def counts(self) -> dict[str, int]:
        """How many tests stand where."""
        out = dict.fromkeys(("passed", "failed", "healed", "skipped"), 0)
        for outcome in self.outcomes.values():
            out[outcome] = out.get(outcome, 0) + 1
        return out
