"""Charts of the history as numbers for inline SVG: everything a template needs to draw, already scaled."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 640, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 12, 22, 24
_GROUPS = 12
MAX_BARS = 10


@dataclass(frozen=True)
class Point:
    """A point of the curve with what it says."""

    x: float
    y: float
    label: str


@dataclass(frozen=True)
class Bar:
    """One way to heal: shares of the width in per cent."""

    name: str
    pattern: str
    good: float
    bad: float
    label: str


@dataclass(frozen=True)
class Charts:
    """What the history section draws; ``points`` and ``bars`` may be empty."""

    points: tuple[Point, ...]
    top: str
    heals: int
    bars: tuple[Bar, ...]
    outcomes: tuple[tuple[str, int], ...]
    attempts: int
    undecided: int
    more: int

    @property
    def polyline(self) -> str:
        """The curve as SVG wants it."""
        return " ".join(f"{p.x:.1f},{p.y:.1f}" for p in self.points)


def charts(history: Mapping[str, Any] | None) -> Charts | None:
    """From the figures of ``maestro-heal stats --json``; ``None`` where there is nothing to draw."""
    if not history or not history.get("attempts"):
        return None
    curve = [int(n) for n in history.get("attempts_per_heal", ())]
    rows = [r for r in history.get("rows", ()) if r["good"] + r["bad"] > 0]
    points, top = _points(curve)
    return Charts(
        points,
        f"{top:.3g}",
        int(history.get("heals", 0)),
        tuple(_bars(rows[:MAX_BARS])),
        tuple((what.replace("_", " "), int(n)) for what, n in history.get("outcomes", {}).items()),
        int(history["attempts"]),
        int(history.get("undecided", 0)),
        max(len(rows) - MAX_BARS, 0),
    )


def _points(curve: Sequence[int]) -> tuple[tuple[Point, ...], float]:
    groups = min(_GROUPS, len(curve))
    cuts = [round(i * len(curve) / groups) for i in range(groups + 1)] if groups else []
    parts = [(a, b, sum(curve[a:b]) / (b - a)) for a, b in itertools.pairwise(cuts)]
    top = max([2.0, *(mean for _, _, mean in parts)])
    wide, high = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    out = []
    for i, (a, b, mean) in enumerate(parts):
        which = f"heal {a + 1}" if b - a == 1 else f"heals {a + 1} to {b}"
        out.append(Point(_LEFT + wide * (i + 0.5) / len(parts), _TOP + high * (top - mean) / (top - 1.0), f"{which}: {mean:.2f} attempts"))
    return tuple(out), top


def _bars(rows: Sequence[Mapping[str, Any]]) -> list[Bar]:
    most = max((r["good"] + r["bad"] for r in rows), default=1.0)
    out = []
    for r in rows:
        tried = r["good"] + r["bad"]
        label = f"{100 * r['good'] / tried:.0f} % of {tried:.0f}"
        out.append(Bar(f"{r['strategy']}/{r['tactic']}", str(r["pattern"]), 100 * r["good"] / most, 100 * r["bad"] / most, label))
    return out
