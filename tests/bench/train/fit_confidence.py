"""Fits what turns the evidence score of a heal into a probability, on heals whose outcome is known, and measures it on projects left out.

Used by ``tests/bench/bench_calibration.py``. The fit is a logistic curve over the score with a shift for each strategy, shrunk towards none:
monotone, and few numbers, because there are few heals.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from pytest_maestro_healer.decide import calibration

#: How strongly the curve and the shifts of strategies are held: inverse of the penalty on their squares.
HOLD_CURVE, HOLD_STRATEGY = 1.0, 0.5
FOLDS = 5
TIED = 0.6


@dataclass
class Heals:
    """Rows of proved heals. ``good`` is 1, 0, or a half where an edit passes and is neither the expected one nor known to be worse."""

    score: np.ndarray
    good: np.ndarray
    strategy: np.ndarray
    group: np.ndarray
    source: np.ndarray
    weight: np.ndarray
    auto: np.ndarray
    suspected: np.ndarray
    right: list[str]
    title: list[str]

    @property
    def told(self) -> np.ndarray:
        """The scores as they would be shown without a curve."""
        return self.score * np.where(self.suspected, TIED, 1.0)


def raw(record: dict[str, Any]) -> float:
    """The evidence score that a record was made with: its confidence without the factor of a tie, or of a suspected regression."""
    confidence = float(record["confidence_score"])
    return min(0.99, confidence / TIED) if record.get("alternatives") or is_suspected(record) else confidence


def is_suspected(record: dict[str, Any]) -> bool:
    """Whether the heal was made although a regression is suspected: what it is sure of is lowered as by a tie, whatever the curve says."""
    return (record.get("diagnosis") or {}).get("cause") == "regression_suspected"


def unasked(record: dict[str, Any]) -> bool:
    """Whether the policy's hard rules let ``--heal-apply=safe`` write it, if only its confidence does; conftest files stand for shared test code."""
    rungs = {k for k, v in record["validation_results"].items() if v.get("passed")}
    diagnosis = record.get("diagnosis") or {}
    shared = any(Path(f).name in ("conftest.py", "__init__.py") for f in record.get("files", ()))
    safe = record["applicability"] == "safe" and "fresh" in rungs and not record.get("alternatives") and bool(record.get("evidence"))
    return safe and not shared and diagnosis.get("cause") != "regression_suspected"


def read(paths: Iterable[Path], plausible: float = 0.5) -> Heals:
    """All proved heals of a corpus; ``plausible`` is what an edit counts that passes and is another than the maintainers'.

    In the fault benchmark a plausible edit was held against mutants of the product and noticed all that the expected one does: it counts as right.
    """
    rows: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            data = json.loads(line)
            record = data.get("record")
            if not record or record["decision"]["kind"] != "applied" or data["right"] in ("none", "advised"):
                continue  # what --heal-apply=all left pending (a tie) was not judged
            good = {"exact": 1.0, "plausible": plausible}.get(data["right"], 0.0)
            good = 1.0 if (data["source"], data["right"]) == ("faults", "plausible") else good
            group = "" if data["source"] == "examples" else data["group"]  # some tactics share an example
            key = (data["source"], group, data["title"], record["strategy_used"], record["tactic"], record["test_id"])
            facts = (raw(record), good, record["strategy_used"], data["group"], data["source"], unasked(record), is_suspected(record))
            rows.setdefault(key, (*facts, data["right"], data["title"]))
    cases: dict[tuple[Any, ...], int] = {}
    for k in rows:
        cases[k[:3]] = cases.get(k[:3], 0) + 1
    score, good, strategy, group, source, auto, suspected, right, title = zip(*rows.values(), strict=True)
    weight = np.array([1 / cases[k[:3]] for k in rows])
    return Heals(
        np.array(score), np.array(good), np.array(strategy), np.array(group), np.array(source), weight, np.array(auto), np.array(suspected),
        list(right), list(title),
    )  # fmt: skip


def logit(p: np.ndarray) -> np.ndarray:
    """The log odds."""
    p = np.clip(p, 0.01, 0.99)
    return np.log(p / (1 - p))


def fit(h: Heals, rows: Sequence[int]) -> dict[str, Any]:
    """The data of :mod:`pytest_maestro_healer.decide.calibration`, from ``rows``; a heal that counts half stands in both classes."""
    at = np.asarray([i for i in rows if not h.suspected[i]])
    names = sorted(set(h.strategy[at]))
    columns = [logit(h.score[at]) * np.sqrt(HOLD_CURVE), *((h.strategy[at] == n) * np.sqrt(HOLD_STRATEGY) for n in names)]
    x = np.stack(columns, axis=1)
    both = np.concatenate([x, x])
    y = np.concatenate([np.ones(len(at)), np.zeros(len(at))])
    weight = np.concatenate([h.weight[at] * h.good[at], h.weight[at] * (1 - h.good[at])])
    kept = weight > 0
    model = LogisticRegression(C=1.0, max_iter=1000).fit(both[kept], y[kept], sample_weight=weight[kept])
    slope, *shifts = model.coef_[0]
    return {
        "version": calibration.VERSION,
        "intercept": round(float(model.intercept_[0]), 4),
        "slope": round(max(0.05, float(slope * np.sqrt(HOLD_CURVE))), 4),
        "strategies": {str(n): round(float(s * np.sqrt(HOLD_STRATEGY)), 4) for n, s in zip(names, shifts, strict=True)},
        "lowest": round(float(h.score[at].min()), 3),
        "heals": round(float(h.weight[at].sum())),
    }


def applied(data: dict[str, Any], h: Heals, rows: Sequence[int]) -> np.ndarray:
    """What the product makes of the scores with ``data``."""
    curve = calibration.parse(data)
    return np.array([curve.probability(float(h.score[i]), str(h.strategy[i])) * (TIED if h.suspected[i] else 1.0) for i in rows])


def held_out(h: Heals) -> np.ndarray:
    """Every heal's probability from a fit that saw nothing of its project."""
    out = np.zeros(len(h.score))
    for train, test in GroupKFold(FOLDS).split(h.score, groups=h.group):
        out[test] = applied(fit(h, train), h, test)
    return out


def brier(p: np.ndarray, h: Heals) -> float:
    """The mean squared distance from what turned out."""
    return float(np.average((p - h.good) ** 2, weights=h.weight))


def bins(p: np.ndarray, h: Heals, count: int = 10) -> list[tuple[float, float, float]]:
    """(mean probability, share that was right, heals) in bins of equal width."""
    at = np.minimum((p * count).astype(int), count - 1)
    out = []
    for k in range(count):
        w = h.weight * (at == k)
        if w.sum():
            out.append((float(np.average(p, weights=w)), float(np.average(h.good, weights=w)), float(w.sum())))
    return out


def ece(p: np.ndarray, h: Heals) -> float:
    """Expected calibration error over these bins."""
    return sum(n * abs(a - b) for a, b, n in bins(p, h)) / float(h.weight.sum())
