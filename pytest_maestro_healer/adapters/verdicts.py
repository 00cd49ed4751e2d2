"""What a repair service may do with a heal, by its configuration: a pure table."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_maestro_healer.adapters.config import RepairConfig
from pytest_maestro_healer.adapters.states import RepairStatus
from pytest_maestro_healer.model import HealingResult

_NOTHING_TO_DO = "the test passes here"


@dataclass(frozen=True)
class Verdict:
    """``status`` is final, or ``None`` where the heal may be written: after a person was asked (``ask``), or at once."""

    status: RepairStatus | None
    reason: str
    ask: bool = False


def judge(result: HealingResult, config: RepairConfig) -> Verdict:
    """The first rule that speaks decides."""
    proof = result.validation_results
    rule = result.decision.rule
    if not result.success:
        if proof.get("not_reproduced_because") == _NOTHING_TO_DO:
            return Verdict(RepairStatus.SKIPPED, "the test passes here: there is nothing to heal")
        if rule.startswith("opted out"):
            return Verdict(RepairStatus.SKIPPED, rule)
        return Verdict(RepairStatus.FAILED, result.advice or rule or "no heal is known for this")
    if not result.changes or not result.verdict.proved or proof.get("source", "live") != "live":
        why = proof.get("not_reproduced_because") or "it was not proved"
        return Verdict(RepairStatus.SKIPPED, f"a suggestion only, never written: {why}")
    if config.require_approval:
        return Verdict(None, "proved; a person is asked", ask=True)
    if not config.auto_fix:
        return Verdict(RepairStatus.SKIPPED, f"auto_fix is off: {result.healing_id} stays pending")
    if not result.unasked:
        why = f"{result.applicability}, confidence {result.confidence_score:.2f}: {rule}"
        return Verdict(RepairStatus.SKIPPED, f"not to be written unasked ({why}): {result.healing_id} stays pending")
    if result.confidence_score < config.confidence_threshold:
        why = f"confidence {result.confidence_score:.2f} is under the threshold {config.confidence_threshold:.2f}"
        return Verdict(RepairStatus.SKIPPED, f"{why}: {result.healing_id} stays pending")
    return Verdict(None, result.unasked)
