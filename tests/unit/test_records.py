"""From candidates and refusals to the public record."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Cause, DecisionKind, Diagnosis, Evidence, FailurePattern, HealingResult, ProofStep, Proposal
from pytest_maestro_healer.prove.candidates import Candidate, Link
from pytest_maestro_healer.records import Facts, advised, healed, refused
from tests.unit.worlds import FILE, GOOD, WEAK, fail

ONE = f"{FILE}::test_0"
HELPER = "tests/conftest.py"
DRIFT = Diagnosis(FailurePattern.API_CHANGE, 0.9, Cause.DRIFT)
BEFORE, AFTER = b"x = lib.old(1)\n", b"x = lib.new(1)\n"


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    return Facts(Context(tmp_path, HealerConfig(apply="safe")), HealerConfig(apply="safe"), now=12.5)


def proposal(**more: Any) -> Proposal:
    fields: dict[str, Any] = {"evidence": GOOD, "applicability": Applicability.SAFE, "explanation": "renamed", **more}
    return Proposal("toy", "swap", edits=(), **fields)


def candidate(**more: Any) -> Candidate:
    p = more.pop("proposal", proposal())
    c = Candidate(fail(ONE), p, {FILE: BEFORE}, {FILE: AFTER}, nodeids=[ONE], diagnosis=DRIFT, seconds=0.123456)
    c.steps = [ProofStep(r, True, f"{r} is fine", 0.25) for r in ("guard", "rerun", "stable", "fresh")]
    for name, value in more.items():
        setattr(c, name, value)
    return c


def test_a_healed_record(facts: Facts) -> None:
    r = healed(facts, candidate())
    assert (r.decision.kind, r.success, r.test_id, r.nodeids) == (DecisionKind.APPLIED, True, ONE, (ONE,))
    assert (r.original_code, r.healed_code) == (BEFORE.decode(), AFTER.decode())
    assert r.diff.endswith("-x = lib.old(1)\n+x = lib.new(1)\n")
    assert r.validation_results["fresh"] == {"passed": True, "reason": "fresh is fine", "seconds": 0.25}
    assert (r.execution_time, r.created_at, r.evidence, r.diagnosis) == (0.1235, 12.5, GOOD, DRIFT)
    assert HealingResult.from_dict(json.loads(json.dumps(r.to_dict()))) == r


def test_what_may_be_written_unasked_is_said_whatever_the_run_may_write(facts: Facts) -> None:
    for config in (HealerConfig(), HealerConfig(apply="safe"), HealerConfig(apply="all")):
        one = Facts(facts.ctx, config, in_ci=True)
        assert healed(one, candidate()).unasked.startswith("safe, proved and confidence")
        assert healed(one, candidate(proposal=proposal(applicability=Applicability.REVIEW))).unasked == ""
        assert healed(one, candidate(steps=[ProofStep("guard", True), ProofStep("rerun", True)])).unasked == ""
    assert healed(Facts(facts.ctx, HealerConfig(confidence_threshold=1.0)), candidate()).unasked == ""
    assert healed(Facts(facts.ctx, HealerConfig(fresh_confirm=False)), candidate()).unasked == ""


def test_the_id_is_the_heals_not_the_runs(facts: Facts) -> None:
    first, again = healed(facts, candidate()), healed(Facts(facts.ctx, HealerConfig(), now=99.0), candidate(seconds=9.0))
    assert first.healing_id == again.healing_id
    assert first.healing_id != healed(facts, candidate(after={FILE: b"x = lib.newer(1)\n"})).healing_id


def test_files_that_did_not_change_are_no_changes(facts: Facts) -> None:
    r = healed(facts, candidate(before={FILE: BEFORE, "a.py": b"a"}, after={FILE: AFTER, "a.py": b"a"}))
    assert r.files == (FILE,)


def test_files_come_in_order_and_the_first_is_shown(facts: Facts) -> None:
    r = healed(facts, candidate(before={"b.py": b"b\n", "a.py": b"a\n"}, after={"b.py": b"B\n", "a.py": b"A\n"}))
    assert (r.files, r.original_code) == (("a.py", "b.py"), "a\n")


def test_undecodable_code_is_shown_and_kept(facts: Facts) -> None:
    r = healed(facts, candidate(before={FILE: b"\xff\n"}, after={FILE: b"\xfe\n"}))
    assert r.original_code == "\ufffd\n"
    assert r.changes[0].before_bytes == b"\xff\n"
    assert HealingResult.from_dict(json.loads(json.dumps(r.to_dict()))) == r


@pytest.mark.parametrize(
    ("more", "kind", "words"),
    [
        ({"steps": [ProofStep("guard", True), ProofStep("rerun", True)]}, "pending", "fresh process"),
        ({"steps": [ProofStep("guard", True), ProofStep("rerun", True), ProofStep("teeth", False, "0/5 mutants")]}, "rejected", "0/5 mutants"),
        ({"steps": []}, "rejected", "not proved"),
        ({"ties": ["another meaning"]}, "pending", "yours to choose"),
        ({"proposal": proposal(applicability=Applicability.REVIEW)}, "pending", "for review"),
        ({"proposal": proposal(evidence=WEAK)}, "pending", "confidence"),
        ({"before": {HELPER: BEFORE}, "after": {HELPER: AFTER}}, "pending", "shared test code"),
        ({"before": {FILE: BEFORE, HELPER: BEFORE}, "after": {FILE: AFTER, HELPER: BEFORE}}, "applied", ""),
        ({"symptom": True, "diagnosis": Diagnosis(FailurePattern.UNKNOWN, 0.1, Cause.REGRESSION_SUSPECTED)}, "rejected", "regression"),
        ({"diagnosis": Diagnosis(FailurePattern.UNKNOWN, 0.1, Cause.REGRESSION_SUSPECTED)}, "pending", "regression"),
    ],
)
def test_the_policy_is_asked_about_this_very_heal(facts: Facts, more: dict[str, Any], kind: str, words: str) -> None:
    r = healed(facts, candidate(**more))
    assert str(r.decision.kind) == kind
    assert words in r.decision.rule
    assert r.success is (kind != "rejected")


def test_ci_and_merges_in_progress(facts: Facts) -> None:
    assert healed(Facts(facts.ctx, facts.config, in_ci=True), candidate()).decision.kind is DecisionKind.PENDING
    facts.ctx.__dict__["_git"] = SimpleNamespace(unmerged=lambda p: p == FILE)
    assert "uncommitted" in healed(facts, candidate()).decision.rule


def test_every_step_needs_evidence_of_its_own(facts: Facts) -> None:
    both = proposal(evidence=(*GOOD, Evidence("k", "another", "", 0.9)))
    steps = [proposal(), proposal(evidence=())]
    c = candidate(proposal=both, links=tuple(Link(fail(ONE), p, {}) for p in steps))
    assert healed(Facts(facts.ctx, HealerConfig(apply="safe", confidence_threshold=0.0)), c).decision.rule == "for review: no evidence is cited"
    assert healed(facts, c).confidence_score < 0.5


def test_earlier_heals_move_the_confidence(facts: Facts) -> None:
    asked: list[dict[str, Any]] = []

    def shift(value: float, **about: Any) -> float:
        asked.append(about)
        return 0.5

    r = healed(Facts(facts.ctx, facts.config, shift=shift), candidate())
    assert (r.confidence_score, r.decision.kind) == (0.5, DecisionKind.PENDING)
    assert asked == [{"proposal": proposal(), "diagnosis": DRIFT}] * 2, "the confidence and the score behind it"


def test_the_named_test_is_one_that_was_healed(facts: Facts) -> None:
    assert healed(facts, candidate(nodeids=["t.py::b", "t.py::c", "t.py::b"])).test_id == "t.py::b"
    assert healed(facts, candidate(nodeids=["t.py::b", ONE])).test_id == ONE
    at_collection = candidate(failure=fail(FILE), nodeids=[ONE])
    assert healed(facts, at_collection).test_id == FILE
    assert healed(facts, candidate(nodeids=[])).nodeids == (ONE,)


@pytest.mark.parametrize(
    ("cause", "suspect", "reason", "refusals", "rule"),
    [
        (Cause.UNKNOWN, "", "", (), "no heal is known for this"),
        (Cause.UNKNOWN, "", "", ("t: no",), "no candidate was proved"),
        (Cause.REGRESSION_SUSPECTED, "pkg/m.py:7", "", ("t: no",), "looks like a regression in pkg/m.py:7"),
        (Cause.REGRESSION_SUSPECTED, "", "", (), "looks like a regression"),
        (Cause.REGRESSION_SUSPECTED, "pkg/m.py:7", "opted out: mine", (), "opted out: mine"),
    ],
)
def test_refusals(facts: Facts, cause: Cause, suspect: str, reason: str, refusals: tuple[str, ...], rule: str) -> None:
    diagnosis = Diagnosis(FailurePattern.UNKNOWN, 0.1, cause, suspect=suspect)
    r = refused(facts, fail(ONE), diagnosis, reason, 1.0, refusals * 2)
    assert (r.decision.kind, r.decision.rule, r.success, r.changes) == (DecisionKind.REJECTED, rule, False, ())
    assert r.refused == refusals
    assert r.diagnosis == diagnosis


def test_refusals_of_different_tests_have_different_ids(facts: Facts) -> None:
    ids = {refused(facts, fail(n, m), DRIFT, "").healing_id for n in (ONE, ONE + "1") for m in ("A: x", "A: y")}
    assert len(ids) == 4


def test_advice(facts: Facts) -> None:
    texts = ("pip install a", "pip install b", "pip install a", "pip install b")
    given = [proposal(advice=t, nodeids=(ONE, "t.py::b")) for t in texts]
    r = advised(facts, fail(ONE), DRIFT, given, ["t: no", "t: no"], 0.5)
    assert (r.decision.kind, r.advice, r.alternatives, r.success) == (DecisionKind.ADVISED, "pip install a", ("pip install b",), False)
    assert (r.nodeids, r.refused, r.applicability) == ((ONE, "t.py::b"), ("t: no",), Applicability.ADVICE)


class TestSecrets:
    def test_sentences_are_redacted_as_the_record_is_made(self, facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("API_TOKEN", "v4lue-of-a-secret")
        evidence = (Evidence("value", "it was v4lue-of-a-secret", "https://me:pa55@h/x", 0.9),)
        r = healed(
            facts, candidate(proposal=proposal(evidence=evidence, explanation="Authorization: Basic Zm9vOmJhcg=="), refusals=["v4lue-of-a-secret"])
        )
        assert r.evidence[0].sentence == "it was ***"
        assert r.evidence[0].where == "https://***@h/x"
        assert r.explanation == "Authorization: ***"
        assert r.refused == ("***",)
        assert r.changes[0].after_bytes == AFTER
        assert refused(facts, fail(ONE), DRIFT, "token v4lue-of-a-secret").decision.rule == "token ***"
        told = advised(facts, fail(ONE), DRIFT, [proposal(advice="export API_TOKEN=v4lue-of-a-secret")], [], 0.0)
        assert told.advice == "export API_TOKEN=***"

    def test_an_edit_that_would_write_a_secret_down_is_refused_and_not_shown(self, facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("API_TOKEN", "v4lue-of-a-secret")
        r = healed(facts, candidate(after={FILE: b"x = 'v4lue-of-a-secret'\n"}, nodeids=[ONE, "other"]))
        assert r.decision.kind is DecisionKind.REJECTED
        assert r.decision.rule == f"it would write the value of API_TOKEN into {FILE}: let the test read the variable"
        assert (r.changes, r.diff, r.healed_code, r.nodeids) == ((), "", "", (ONE, "other"))
        assert "v4lue" not in json.dumps(r.to_dict())

    def test_a_secret_that_the_test_had_before_may_stay(self, facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("API_TOKEN", "v4lue-of-a-secret")
        line = b"t = 'v4lue-of-a-secret'\n"
        r = healed(facts, candidate(before={FILE: line + BEFORE}, after={FILE: line + AFTER}))
        assert r.decision.kind is DecisionKind.APPLIED
        assert r.changes[0].after_bytes == line + AFTER
