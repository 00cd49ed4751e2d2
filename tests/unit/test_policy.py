"""The decision table: row by row, and the law over every combination."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.decide.policy import Case, decide
from pytest_maestro_healer.model import Applicability, Cause, DecisionKind

BEST = Case(Applicability.SAFE, True, True, 0.9, Cause.DRIFT, False, False, False, False, False)
FLAGS = ("proved", "fresh", "symptom_only", "tied", "helper", "in_ci", "conflict", "evidence")
CONFIGS = [
    HealerConfig(apply="none"),
    HealerConfig(apply="safe", fresh_confirm=False),
    HealerConfig(apply="all", validate_before_apply=False),
    *(HealerConfig(apply=apply, apply_in_ci=told) for apply in ("safe", "all") for told in (False, True)),
]


def cases() -> Iterator[Case]:
    for values in itertools.product((False, True), repeat=len(FLAGS)):
        for applicability, cause, sure in itertools.product(Applicability, Cause, (0.7, 0.75, float("nan"))):
            for score in (0.7, 0.75):
                yield replace(BEST, applicability=applicability, cause=cause, confidence=sure, score=score, **dict(zip(FLAGS, values, strict=True)))


def lawful(case: Case, config: HealerConfig) -> bool:
    """DESIGN.md, "The decision", said once more."""
    asked = config.apply != "none" and config.validate_before_apply and config.fresh_confirm
    always = asked and case.proved and case.fresh and case.applicability is not Applicability.ADVICE and not case.conflict and not case.tied
    always = always and (config.apply_in_ci or not case.in_ci)
    if config.apply == "all":
        return always
    safe = case.applicability is Applicability.SAFE and case.confidence >= config.confidence_threshold and case.score >= config.confidence_threshold
    return always and safe and case.evidence and not case.helper and case.cause not in (Cause.REGRESSION_SUSPECTED, Cause.TEST_CHANGED)


def breaches(case: Case, config: HealerConfig) -> Iterator[str]:
    """Which laws the decision breaks."""
    found = decide(case, config)
    if not found.rule:
        yield "no rule is said"
    if (found.kind is DecisionKind.APPLIED) != lawful(case, config):
        yield "applied, not exactly where that is allowed"
    if (found.kind is DecisionKind.ADVISED) != (case.applicability is Applicability.ADVICE):
        yield "advice is advice"
    if not case.proved and found.kind in (DecisionKind.APPLIED, DecisionKind.PENDING):
        yield "on offer without a proof"
    suspected = case.symptom_only and case.cause in (Cause.REGRESSION_SUSPECTED, Cause.TEST_CHANGED)
    if suspected and config.effective_apply != "all" and found.kind in (DecisionKind.APPLIED, DecisionKind.PENDING):
        yield "an expectation is on offer although a regression is suspected"


def test_the_law_holds_in_every_combination() -> None:
    every = list(cases())
    assert [(why, case, config.apply) for config in CONFIGS for case in every for why in breaches(case, config)] == []


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({}, "applied", "safe, proved and confidence 0.90 at or over 0.75"),
        ({"confidence": 0.75}, "applied", "at or over"),
        ({"confidence": 0.749}, "pending", "under the threshold"),
        ({"applicability": Applicability.ADVICE, "proved": False}, "advised", "advice only"),
        ({"proved": False}, "rejected", "not proved"),
        ({"proved": False, "refused": "it hangs"}, "rejected", "it hangs"),
        ({"symptom_only": True, "cause": Cause.REGRESSION_SUSPECTED}, "rejected", "looks like a regression"),
        ({"cause": Cause.REGRESSION_SUSPECTED}, "pending", "a regression is suspected"),
        ({"symptom_only": True, "cause": Cause.TEST_CHANGED}, "rejected", "only the test was changed"),
        ({"cause": Cause.TEST_CHANGED}, "pending", "only the test was changed"),
        ({"cause": Cause.UNKNOWN}, "applied", ""),
        ({"fresh": False}, "pending", "fresh process"),
        ({"in_ci": True}, "pending", "in CI"),
        ({"conflict": True}, "pending", "uncommitted"),
        ({"tied": True}, "pending", "yours to choose"),
        ({"applicability": Applicability.REVIEW}, "pending", "for review"),
        ({"helper": True}, "pending", "shared test code"),
        ({"evidence": False}, "pending", "no evidence"),
        ({"symptom_only": True}, "applied", ""),
    ],
)
def test_rows(changes: dict[str, object], kind: str, words: str) -> None:
    found = decide(replace(BEST, **changes), HealerConfig(apply="safe"))  # type: ignore[arg-type]
    assert str(found.kind) == kind
    assert words in found.rule


def test_review_mode_and_ci_that_was_told() -> None:
    assert decide(BEST, HealerConfig()).kind is DecisionKind.PENDING
    told = HealerConfig(apply="safe", apply_in_ci=True)
    assert decide(replace(BEST, in_ci=True), told).kind is DecisionKind.APPLIED


def test_all_applies_what_is_for_review_but_settles_no_tie() -> None:
    review = replace(BEST, applicability=Applicability.REVIEW, helper=True, confidence=0.1, evidence=False)
    assert decide(review, HealerConfig(apply="all")).kind is DecisionKind.APPLIED
    assert decide(replace(review, tied=True), HealerConfig(apply="all")).kind is DecisionKind.PENDING


def test_a_threshold_of_nothing_lets_nothing_without_evidence_through() -> None:
    config = HealerConfig(apply="safe", confidence_threshold=0.0)
    assert decide(replace(BEST, evidence=False, confidence=0.99), config).kind is DecisionKind.PENDING
