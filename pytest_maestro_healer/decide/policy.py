"""The decision table: the first rule that speaks decides."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.model import Applicability, Cause, Decision, DecisionKind


@dataclass(frozen=True)
class Case:
    """What the table looks at; ``score`` is the evidence score behind the ``confidence``.

    ``unsure`` says why it cannot be told whether the product is at fault, where that is so.
    """

    applicability: Applicability
    proved: bool
    fresh: bool
    confidence: float
    cause: Cause
    symptom_only: bool
    tied: bool
    helper: bool
    in_ci: bool
    conflict: bool
    refused: str = ""
    evidence: bool = True
    score: float = 1.0
    unsure: str = ""


_BARRED = {Cause.REGRESSION_SUSPECTED: "looks like a regression", Cause.TEST_CHANGED: "only the test was changed"}


def decide(case: Case, config: HealerConfig) -> Decision:
    """What becomes of a heal. ``symptom_only`` heals change an expectation, not a call; ``conflict`` means uncommitted edits in the way."""
    if case.applicability is Applicability.ADVICE:
        return Decision(DecisionKind.ADVISED, "advice only: nothing to edit")
    if not case.proved:
        return Decision(DecisionKind.REJECTED, case.refused or "not proved")
    apply = config.effective_apply
    if case.symptom_only and case.cause.bars and apply != "all":
        return Decision(DecisionKind.REJECTED, _BARRED[case.cause])
    if apply == "none":
        return Decision(DecisionKind.PENDING, "review mode: nothing is written unasked")
    if not case.fresh:
        return Decision(DecisionKind.PENDING, "not confirmed in a fresh process")
    if case.in_ci and not config.apply_in_ci:
        return Decision(DecisionKind.PENDING, "in CI nothing is written unless told")
    if case.conflict:
        return Decision(DecisionKind.PENDING, "the edit meets uncommitted changes in the same lines")
    if case.tied:
        return Decision(DecisionKind.PENDING, "two different heals prove equally right: yours to choose")
    if apply == "all":
        return Decision(DecisionKind.APPLIED, "every proved heal is applied (--heal-apply=all)")
    if case.applicability is not Applicability.SAFE:
        return Decision(DecisionKind.PENDING, "for review: its intent cannot be proved by running tests")
    if case.helper:
        return Decision(DecisionKind.PENDING, "for review: shared test code")
    if case.cause.bars:
        return Decision(DecisionKind.PENDING, "a regression is suspected" if case.cause is Cause.REGRESSION_SUSPECTED else _BARRED[case.cause])
    if case.unsure:
        return Decision(DecisionKind.PENDING, f"for review: {case.unsure}")
    if not case.evidence:
        return Decision(DecisionKind.PENDING, "for review: no evidence is cited")
    if not case.confidence >= config.confidence_threshold:
        return Decision(DecisionKind.PENDING, f"confidence {case.confidence:.2f} is under the threshold {config.confidence_threshold:.2f}")
    if not case.score >= config.confidence_threshold:  # however well such heals turned out elsewhere, this one has to bring its own evidence
        return Decision(DecisionKind.PENDING, f"its evidence scores {case.score:.2f}, under the threshold {config.confidence_threshold:.2f}")
    return Decision(DecisionKind.APPLIED, f"safe, proved and confidence {case.confidence:.2f} at or over {config.confidence_threshold:.2f}")
