"""The shipped weights of the pattern classifier: a multinomial logistic regression, one signed byte a weight, read when first asked.

``patterns.json`` is made by ``tests/bench/train/fit_patterns.py`` and has ``version`` (of the features), ``classes``, ``scale`` and ``bias`` by
class, ``places``, and ``weights``: base64 of ``places`` rows of one signed byte for each class.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pytest_maestro_healer.diagnose.features import PLACES, VERSION
from pytest_maestro_healer.model import FailurePattern

PATH = Path(__file__).with_name("patterns.json")


@dataclass(frozen=True)
class Weights:
    """Ready to be asked."""

    classes: tuple[FailurePattern, ...]
    bias: tuple[float, ...]
    scale: tuple[float, ...]
    rows: Sequence[int]

    def probabilities(self, places: Sequence[int]) -> dict[FailurePattern, float]:
        """How likely each pattern is for a failure with features in ``places``."""
        n = len(self.classes)
        sums = [0] * n
        rows = self.rows
        for place in places:
            at = place * n
            for k in range(n):
                sums[k] += rows[at + k]
        length = math.sqrt(len(places)) or 1.0
        scores = [b + s * v / length for b, s, v in zip(self.bias, self.scale, sums, strict=True)]
        top = max(scores)
        powers = [math.exp(v - top) for v in scores]
        whole = sum(powers)
        return {c: p / whole for c, p in zip(self.classes, powers, strict=True)}


def parse(data: Mapping[str, Any]) -> Weights:
    """The weights of a data file. Raises :class:`ValueError` where it is damaged or of other features."""
    try:
        if (data["version"], data["places"]) != (VERSION, PLACES):
            raise ValueError(f"it is of version {data['version']}, not {VERSION}")
        classes = tuple(FailurePattern(c) for c in data["classes"])
        bias, scale = tuple(map(float, data["bias"])), tuple(map(float, data["scale"]))
        rows = memoryview(base64.b64decode(data["weights"], validate=True)).cast("b")
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError(f"{type(exc).__name__}: {exc}") from exc
    finite = all(map(math.isfinite, (*bias, *scale)))
    if (
        not classes
        or len(set(classes)) < len(classes)
        or {len(bias), len(scale)} != {len(classes)}
        or len(rows) != PLACES * len(classes)
        or not finite
    ):
        raise ValueError("its parts do not fit together")
    return Weights(classes, bias, scale, rows)


@cache
def load() -> tuple[Weights | None, str]:
    """The shipped weights, or none and why in one line."""
    try:
        return parse(json.loads(PATH.read_text(encoding="utf-8"))), ""
    except (OSError, ValueError, RecursionError) as exc:
        return (
            None,
            f"the trained classifier cannot be used ({PATH.name}: {' '.join(str(exc).split())[:120]}); rules alone say what kind of failure it is",
        )
