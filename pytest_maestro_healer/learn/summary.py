"""What the history shows, for ``maestro-heal stats``: figures, rows by tactic, and how many attempts a heal took over time."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pytest_maestro_healer.learn.entries import Entry
from pytest_maestro_healer.learn.green import Greens
from pytest_maestro_healer.learn.tally import BAD, GOOD, Key, Tally, final, tallies


@dataclass(frozen=True)
class Row:
    """One kind of failure and way to heal it. ``rate``: proved and not turned down later, out of all that was tried."""

    key: Key
    tally: Tally

    @property
    def rate(self) -> float:
        """Share of good candidates, 0 where nothing was tried."""
        tried = self.tally.good + self.tally.bad
        return self.tally.good / tried if tried > 0 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        pattern, strategy, tactic = self.key
        return {"pattern": pattern, "strategy": strategy, "tactic": tactic, "rate": round(self.rate, 3), **self.tally.rounded()}


@dataclass(frozen=True)
class Summary:
    """``curve`` has, for each heal in the order of time, how many candidates were tried for its tests until it was proved."""

    records: int
    attempts: int
    heals: int
    outcomes: dict[str, int]
    green_files: int
    green_commits: int
    rows: tuple[Row, ...]
    curve: tuple[int, ...]

    @property
    def undecided(self) -> int:
        """Heals of which nobody has said anything yet."""
        return max(0, self.heals - sum(n for what, n in self.outcomes.items() if what in GOOD | BAD))

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "records": self.records,
            "attempts": self.attempts,
            "heals": self.heals,
            "undecided": self.undecided,
            "outcomes": self.outcomes,
            "green_files": self.green_files,
            "green_commits": self.green_commits,
            "rows": [r.to_dict() for r in self.rows],
            "attempts_per_heal": list(self.curve),
        }


def summary(entries: Sequence[Entry]) -> Summary:
    """The figures of a history."""
    attempts = [e for e in entries if e["t"] == "attempt"]
    greens = [e for e in entries if e["t"] == "green"]
    became = final(entries)
    outcomes: dict[str, int] = {}
    for what in became.values():
        outcomes[what] = outcomes.get(what, 0) + 1
    rows = sorted((Row(k, t) for k, t in tallies(entries).items()), key=lambda r: (-sum(r.tally.numbers()), r.key))
    return Summary(
        records=len(entries),
        attempts=len(attempts),
        heals=len({e["id"] for e in attempts if e["result"] == "proved"}),
        outcomes=dict(sorted(outcomes.items())),
        green_files=Greens(greens).files,
        green_commits=len({e["c"] for e in greens}),
        rows=tuple(rows),
        curve=tuple(curve(attempts)),
    )


def curve(attempts: Sequence[Entry]) -> list[int]:
    """Candidates tried per heal, in the order of time; a candidate that the guard refused took no run and does not count."""
    seen: set[str] = set()
    failed: dict[str, int] = {}
    out = []
    for e in attempts:
        if e["result"] == "failed" and e["tests"]:
            failed[e["tests"][0]] = failed.get(e["tests"][0], 0) + 1
        elif e["result"] == "proved" and e["id"] not in seen:
            seen.add(e["id"])
            out.append(1 + sum(failed.pop(t, 0) for t in e["tests"]))
    return out


def averaged(values: Sequence[int], groups: int = 10) -> list[float]:
    """Means of ``groups`` equal parts, in order (of fewer, where there are not enough values)."""
    groups = min(groups, len(values))
    cuts = [round(i * len(values) / groups) for i in range(groups + 1)] if groups else []
    return [sum(values[a:b]) / (b - a) for a, b in itertools.pairwise(cuts)]
