"""What is learned: order and confidence, never more."""

from __future__ import annotations

import json
from statistics import mean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_maestro_healer.decide.confidence import confidence
from pytest_maestro_healer.learn.entries import outcome
from pytest_maestro_healer.learn.ranking import Ranking
from pytest_maestro_healer.model import Applicability, Edit, Evidence, ProofStep, Proposal, Verdict
from pytest_maestro_healer.prove.candidates import order
from tests.bench import bench_learning

PROVED = Verdict((ProofStep("guard", True), ProofStep("rerun", True), ProofStep("stable", True), ProofStep("fresh", True)))


def proposal(tactic: str, score: float, strategy: str = "toy", at: int = 0) -> Proposal:
    return Proposal(
        strategy, tactic, (Edit("a.py", "0", at, at + 1, tactic),), (Evidence("git", "x", "", 0.8),), Applicability.REVIEW, "", score=score
    )


def tried(tactic: str, result: str, n: int, what: str = "", pattern: str = "api_change") -> list[dict[str, Any]]:
    """``n`` attempts, each with an outcome if given."""
    out: list[dict[str, Any]] = []
    for i in range(n):
        out.append(
            {"t": "attempt", "at": 0.0, "id": f"{tactic}-{result}-{pattern}-{what}-{i}", "tests": [], "strategy": "toy", "tactic": tactic,
             "pattern": pattern, "cause": "", "result": result, "decision": "pending", "confidence": 0.5, "strength": 0.5, "size": 1}
        )  # fmt: skip
        if what:
            out.append(outcome(out[-1]["id"], what, "toy", tactic, pattern, 1.0))
    return out


A, B = proposal("first", 0.6), proposal("second", 0.5, at=5)


def ordered(ranking: Ranking, *proposals: Proposal, pattern: str = "api_change") -> list[str]:
    found = order(proposals, frozenset(), lambda p: ranking.weight(p, pattern))
    return [p.tactic for p in found]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_without_a_history_nothing_changes(scores: list[float]) -> None:
    proposals = [proposal(f"t{i}", s, at=i) for i, s in enumerate(scores)]
    for ranking in (Ranking(), Ranking(seed=3)):
        assert [ranking.weight(p, "timeout") for p in proposals] == pytest.approx(scores)
    assert Ranking().shifted(0.7, "timeout", "toy", "t0") == 0.7


def test_what_failed_here_comes_later_and_what_was_proved_sooner() -> None:
    assert ordered(Ranking(), A, B) == ["first", "second"]
    assert ordered(Ranking(tried("first", "failed", 3)), A, B) == ["second", "first"]
    assert ordered(Ranking(tried("second", "proved", 5)), A, B) == ["second", "first"]
    assert ordered(Ranking(tried("second", "proved", 5, "rejected")), A, B) == ["first", "second"]


def test_other_patterns_count_less() -> None:
    elsewhere = Ranking(tried("first", "failed", 3, pattern="timeout")).weight(A, "api_change")
    here = Ranking(tried("first", "failed", 3)).weight(A, "api_change")
    assert here < elsewhere < A.score


def test_causes_stay_before_symptoms() -> None:
    ranking = Ranking([*tried("first", "failed", 50), *tried("second", "proved", 50)])
    cause, symptom = proposal("first", 0.6, "cause"), proposal("second", 0.9, "toy")
    assert [p.tactic for p in order([symptom, cause], frozenset({"toy"}), lambda p: ranking.weight(p, "api_change"))] == ["first", "second"]


def test_a_heal_proposed_in_ten_runs_is_one_heal() -> None:
    once = tried("first", "proved", 1)
    assert Ranking(once * 10).weight(A, "api_change") == Ranking(once).weight(A, "api_change")


def test_the_present_weighs_more_than_the_past() -> None:
    past = [*tried("first", "failed", 100, pattern="p"), *tried("first", "proved", 40, pattern="p")]
    assert Ranking(past).weight(A, "p") > 40 / 140


def test_decisions_shift_the_confidence_by_shrinkage() -> None:
    one, many = (Ranking(tried("first", "proved", n, "rejected")).shifted(0.8, "api_change", "toy", "first") for n in (1, 30))
    assert 0.7 < one < 0.8
    assert many < 0.4
    kept = Ranking(tried("first", "proved", 30, "committed")).shifted(0.8, "api_change", "toy", "first")
    assert 0.9 < kept <= 0.99
    assert Ranking(tried("first", "proved", 30)).shifted(0.8, "api_change", "toy", "first") == 0.8  # nobody decided
    assert Ranking(tried("first", "proved", 30, "committed")).shifted(0.0, "api_change", "toy", "first") == 0.0


def test_the_last_word_counts() -> None:
    entries = tried("first", "proved", 1, "accepted")
    undone = [*entries, outcome(entries[0]["id"], "rolled_back", "toy", "first", "api_change", 2.0)]
    assert Ranking(undone).shifted(0.8, "api_change", "toy", "first") < 0.8 < Ranking(entries).shifted(0.8, "api_change", "toy", "first")


def test_what_the_policy_refused_is_no_lesson() -> None:
    entries = [{**e, "decision": "rejected"} for e in tried("first", "proved", 20)]
    assert Ranking(entries).weight(A, "api_change") == A.score


@given(
    st.lists(
        st.tuples(st.sampled_from(["proved", "failed", "guard"]), st.sampled_from(["", "accepted", "committed", "rejected", "edited"])), max_size=40
    ),
    st.floats(0, 1),
)
def test_a_weight_is_a_probability_and_confidence_never_certain(events: list[tuple[str, str]], sure: float) -> None:
    entries = [e for i, (r, w) in enumerate(events) for e in tried(f"t{i % 3}", r, 1, w if r == "proved" else "")]
    for seed in (None, 7):
        assert 0.0 <= Ranking(entries, seed=seed).weight(proposal("t0", sure), "api_change") <= 1.0
    assert 0.0 <= Ranking(entries).shifted(sure, "api_change", "toy", "t0") <= max(0.99, sure)


def test_thompson_sampling_is_reproducible_and_explores() -> None:
    entries = [*tried("first", "proved", 3), *tried("first", "failed", 3), *tried("second", "proved", 2), *tried("second", "failed", 3)]
    draws = {seed: ordered(Ranking(entries, seed=seed), A, B) for seed in range(40)}
    assert draws == {seed: ordered(Ranking(entries, seed=seed), B, A) for seed in range(40)}
    assert {tuple(d) for d in draws.values()} == {("first", "second"), ("second", "first")}


def test_the_confidence_of_what_is_not_proved_stays_nothing() -> None:
    assert confidence(A, Verdict(), shift=lambda value: 0.9) == 0.0


def test_a_shift_comes_before_the_tie() -> None:
    assert confidence(A, PROVED, tied=True, shift=lambda value: 0.9) == pytest.approx(0.9 * 0.6)
    assert confidence(A, PROVED, shift=lambda value: value) == confidence(A, PROVED)


# -- recorded candidates, replayed ---------------------------------------------------------------------------
def attempts(scene: str, policy: str) -> tuple[float, float]:
    """(mean attempts per heal over some streams of a project, of their last third)."""
    recorded = [f for f in json.loads(bench_learning.MATRIX.read_text()) if any(r["right"] for r in f["rows"])]
    rows = []
    for seed in range(4):
        failures = bench_learning.crowded(recorded, seed) if scene == "crowded" else recorded
        rows.append(bench_learning.replay(bench_learning.streams(failures, "project", seed), bench_learning.POLICIES[policy]))
    last = bench_learning.LENGTH * 2 // 3
    return mean(v for r in rows for v in r), mean(v for r in rows for v in r[last:])


def test_replayed_a_history_saves_attempts_where_there_are_any_to_save() -> None:
    without, with_ = attempts("crowded", "without"), attempts("crowded", "expected value")
    assert with_[1] < without[1] - 0.5
    assert with_[1] < 1.3


def test_replayed_a_history_does_no_harm_where_the_order_is_right_already() -> None:
    assert attempts("as recorded", "expected value")[0] <= attempts("as recorded", "without")[0] + 0.01
