"""What a heal adds to a test's properties in a JUnit file, through ``item.user_properties``; never an extra test case."""

from __future__ import annotations

from pytest_maestro_healer.model import DecisionKind, HealingResult
from pytest_maestro_healer.report.terminal import refusal
from pytest_maestro_healer.report.text import one_line

#: All property names begin so.
PREFIX = "maestro_"


def properties(result: HealingResult) -> dict[str, str]:
    """Property name -> value for each of the result's tests: id, decision, strategy and confidence, or why it was not healed."""
    kind = result.decision.kind
    out = {"healing_id": result.healing_id, "decision": str(kind), "strategy": result.strategy_used}
    if kind is DecisionKind.REJECTED:
        out["reason"] = refusal(result)
    elif kind is DecisionKind.ADVISED:
        out["advice"] = result.advice or result.explanation
    else:
        out["confidence"] = f"{result.confidence_score:.2f}"
    return {PREFIX + name: one_line(value) for name, value in out.items() if value}
