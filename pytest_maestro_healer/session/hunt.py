"""Looks for flaky tests among those that passed: the tests run again in their order, reversed and shuffled, each time from a clean state."""

from __future__ import annotations

import random
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field

from pytest_maestro_healer.evidence.experiments import Conditions
from pytest_maestro_healer.evidence.nodeids import scope_of
from pytest_maestro_healer.model import Failure
from pytest_maestro_healer.prove.runner import Runner


@dataclass
class Hunt:
    """What was found: the failures (first one of each test), the order in which each was met, how often each failed, and the runs made.

    ``broken`` says of each run that did not come to its end how far it came; ``problems`` why others could not be made at all.
    """

    failures: dict[str, Failure] = field(default_factory=dict)
    sequences: dict[str, Sequence[str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    runs: int = 0
    problems: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def told(self) -> str:
        """One line for the summary."""
        if not self.runs and not self.broken:
            return "no run in another order could be made" + (f": {self.problems[0]}" if self.problems else "")
        what = f"{len(self.failures)} flaky test{'s' * (len(self.failures) != 1)} found" if self.failures else "no flaky test found"
        lost = f"; {len(self.problems)} could not be made ({self.problems[0]})" if self.problems else ""
        ended = f"; {len(self.broken)} more ended before all tests had run ({self.broken[0]})" if self.broken else ""
        return f"hunt: {what} in {self.runs} runs in changed order{ended}{lost}"


def hunt(
    runner: Runner, nodeids: Sequence[str], runs: int, expired: Callable[[], bool] = lambda: False, failed: Container[str] = frozenset()
) -> Hunt:
    """Run ``nodeids`` ``runs`` times: in their order, reversed, then shuffled by module, class and test in turn (seeds 2, 3...).

    What ``failed`` in the run itself is run along, since others may depend on it, and is no find. A run that crashes or hangs counts as far as it
    came.
    """
    found = Hunt()
    for i in range(runs):
        if expired():
            found.problems.append("the budget is used up")
            break
        order = arranged(nodeids, i)
        report = runner.run(order, {}, conditions=Conditions(clean=True, ordered=True, partial=True))
        if report.problem and not report.results and not report.at:
            found.problems.append(report.problem)
            continue
        if report.problem:
            where = f"in {report.at}" if report.at else "between two tests"
            found.broken.append(f"{where}, after {len(report.results)} of {len(order)} tests: {report.problem}")
        else:
            found.runs += 1
        for nodeid, result in report.results.items():
            if result.outcome in ("failed", "error") and result.failure is not None and nodeid not in failed:
                found.counts[nodeid] = found.counts.get(nodeid, 0) + 1
                if nodeid not in found.failures:
                    found.failures[nodeid] = result.failure
                    found.sequences[nodeid] = order
    return found


def arranged(nodeids: Sequence[str], i: int) -> list[str]:
    """The ``i``-th arrangement: 0 as it is, 1 reversed, then shuffled: every second time modules and classes stay together."""
    if i == 0:
        return list(nodeids)
    if i == 1:
        return list(reversed(nodeids))
    rng = random.Random(i)
    if i % 2:
        out = list(nodeids)
        rng.shuffle(out)
        return out
    groups: dict[str, list[str]] = {}
    for n in nodeids:
        groups.setdefault(scope_of(n), []).append(n)
    parts = list(groups.values())
    rng.shuffle(parts)
    for part in parts:
        rng.shuffle(part)
    return [n for part in parts for n in part]
