"""From the evidence score of a heal to the probability that it is right: a shipped monotone curve with a small shift for each strategy.

``calibration.json`` is made by ``tests/bench/bench_calibration.py --write``; without it, or with one that cannot be read, the score itself is
the answer. The curve orders the heals of a strategy as their scores do: it never turns a weaker proof into a surer heal.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("calibration.json")
VERSION = 1
_LEAST = 0.01


@dataclass(frozen=True)
class Curve:
    """``sigmoid(intercept + slope * logit(score) + shift of the strategy)``; under the ``lowest`` score that was seen a straight line to zero.

    A strategy that was not measured is taken for one like the least sure of those that were.
    """

    intercept: float = 0.0
    slope: float = 1.0
    strategies: Mapping[str, float] = field(default_factory=dict)
    lowest: float = 0.0

    def probability(self, score: float, strategy: str) -> float:
        """How likely a heal of ``strategy`` with evidence ``score`` is right."""
        shift = self.strategies.get(strategy, min(self.strategies.values(), default=0.0))
        at = min(1.0 - _LEAST, max(_LEAST, self.lowest, score))
        odds = self.intercept + self.slope * math.log(at / (1.0 - at)) + shift
        found = 1.0 / (1.0 + math.exp(-odds))
        return found if score >= self.lowest else found * max(0.0, score) / self.lowest


def parse(data: Mapping[str, Any]) -> Curve:
    """The curve of a data file. Raises :class:`ValueError` where it is damaged."""
    try:
        if data["version"] != VERSION:
            raise ValueError(f"version {data['version']}")
        shifts = {str(k): float(v) for k, v in data["strategies"].items()}
        curve = Curve(float(data["intercept"]), float(data["slope"]), shifts, float(data["lowest"]))
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError(f"{type(exc).__name__}: {exc}") from exc
    if not all(abs(v) < 50 for v in (curve.intercept, curve.slope, *curve.strategies.values())) or curve.slope <= 0 or not 0 <= curve.lowest < 1:
        raise ValueError("no monotone curve")
    return curve


@cache
def load() -> Curve | None:
    """The shipped curve, or none."""
    try:
        return parse(json.loads(PATH.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return None
