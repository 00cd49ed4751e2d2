"""How sure a heal is: bounds, order, and what lowers it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_maestro_healer.decide.confidence import confidence, score
from pytest_maestro_healer.evidence.weight import strength
from pytest_maestro_healer.model import Applicability, Evidence, ProofStep, Proposal, Verdict

RUNGS = ("guard", "rerun", "stable", "teeth", "fresh")


def proposal(*weights: float, applicability: Applicability = Applicability.SAFE) -> Proposal:
    return Proposal("s", "t", (), tuple(Evidence("k", f"fact {i}", "", w) for i, w in enumerate(weights)), applicability, "")


def climbed(*rungs: str, failed: str = "") -> Verdict:
    steps = [ProofStep(r, True if r in rungs else None) for r in RUNGS]
    return Verdict((*steps, ProofStep(failed, False)) if failed else tuple(steps))


ALL = climbed(*RUNGS)


@pytest.mark.parametrize("verdict", [Verdict(), climbed("guard"), climbed("rerun", "fresh"), climbed(*RUNGS, failed="teeth")])
def test_what_is_not_proved_is_worth_nothing(verdict: Verdict) -> None:
    assert confidence(proposal(1.0), verdict) == 0.0


def test_without_evidence_it_is_under_every_sensible_threshold() -> None:
    assert score(proposal(), ALL) == 0.35
    assert confidence(proposal(), ALL) < 0.75


@pytest.mark.parametrize("missing", ["stable", "fresh"])
def test_each_rung_that_was_not_climbed_lowers_it(missing: str) -> None:
    assert confidence(proposal(0.8), climbed(*(r for r in RUNGS if r != missing))) < confidence(proposal(0.8), ALL)


def test_review_and_ties_lower_it() -> None:
    best = confidence(proposal(0.9), ALL)
    assert confidence(proposal(0.9, applicability=Applicability.REVIEW), ALL) < best
    assert confidence(proposal(0.9), ALL, tied=True) < 0.75 < best


def test_the_past_moves_it_before_a_tie_does() -> None:
    assert confidence(proposal(0.5), ALL, shift=lambda v: 0.5) == 0.5
    assert confidence(proposal(0.5), ALL, shift=lambda v: 1.0, tied=True) == 0.6
    assert confidence(proposal(0.5), Verdict(), shift=lambda v: 1.0) == 0.0, "not above what is proved"


@given(st.lists(st.floats(-2, 3), max_size=5), st.booleans(), st.sampled_from(list(Applicability)), st.floats(-1, 2))
def test_it_is_a_probability_and_never_certain(weights: list[float], tied: bool, applicability: Applicability, shifted: float) -> None:
    p = proposal(*weights, applicability=applicability)
    for shift in (None, lambda v: shifted):
        assert 0.0 <= confidence(p, ALL, tied=tied, shift=shift) <= 0.99


@given(st.lists(st.floats(0, 1), max_size=4), st.floats(0, 1))
def test_more_evidence_never_lowers_it(weights: list[float], more: float) -> None:
    assert strength(proposal(*weights, more).evidence) >= strength(proposal(*weights).evidence) - 1e-12
    assert confidence(proposal(*weights, more), ALL) >= confidence(proposal(*weights), ALL)


def test_strength_combines_independent_facts() -> None:
    assert strength(()) == 0.0
    assert strength(proposal(0.5, 0.5).evidence) == 0.75
    assert strength(proposal(7.0).evidence) == 1.0
    assert strength(proposal(-1.0).evidence) == 0.0
