"""How facts add up."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_maestro_healer.model import Evidence


def strength(evidence: Iterable[Evidence]) -> float:
    """Independent facts combined: one minus the product of their doubts, 0..1."""
    doubt = 1.0
    for e in evidence:
        doubt *= 1.0 - max(0.0, min(1.0, e.weight))
    return 1.0 - doubt
