"""Candidates compete: order, rank, rivals, progress, chains and merges."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_maestro_healer.model import Applicability, Cause, Diagnosis, Edit, Evidence, Failure, FailurePattern, ProofStep, Proposal
from pytest_maestro_healer.prove.candidates import Candidate, Link, chained, merged_causes, order, progressed, rank, rivals, same_code, size, sure
from tests.unit.worlds import FILE, fail

SYMPTOMS = frozenset({"expect"})
ONE = f"{FILE}::test_0"


def evidence(*weights: float) -> tuple[Evidence, ...]:
    return tuple(Evidence("k", f"fact {i} {w}", "", w) for i, w in enumerate(weights))


def prop(text: str = "x", *, weights: tuple[float, ...] = (0.9,), **more: Any) -> Proposal:
    fields: dict[str, Any] = {"strategy": "toy", "tactic": "t", "applicability": Applicability.SAFE, "explanation": text, **more}
    return Proposal(edits=(Edit(FILE, "0", 0, 1, text),), evidence=evidence(*weights), **fields)


def cand(proposal: Proposal, after: bytes = b"x = 1\n", path: str = FILE, **more: Any) -> Candidate:
    c = Candidate(fail(f"{path}::test_0"), proposal, {path: b"x = 0\n"}, {path: after}, links=(Link(fail(ONE), proposal, {}),))
    c.steps = [ProofStep("guard", True), ProofStep("rerun", True, "1 passed", 1.0)]
    c.nodeids = [f"{path}::test_0"]
    for name, value in more.items():
        setattr(c, name, value)
    return c


# -- order and rank ----------------------------------------------------------------------------------------------
def test_causes_come_before_symptoms_whatever_the_scores() -> None:
    found = order([prop("a", strategy="expect", score=1.0), prop("b", score=0.0, weights=())], SYMPTOMS)
    assert [p.explanation for p in found] == ["b", "a"]


def test_then_by_score_evidence_and_size() -> None:
    given = [prop("long one"), prop("b", score=0.9), prop("c", weights=(0.95,)), prop("d")]
    assert [p.explanation for p in order(given, frozenset())] == ["b", "c", "d", "long one"]


def test_an_own_weight_takes_the_scores_place() -> None:
    found = order([prop("a", score=1.0), prop("b", score=0.0)], frozenset(), lambda p: -p.score)
    assert [p.explanation for p in found] == ["b", "a"]


def test_equal_edits_are_tried_once_and_equals_keep_their_order() -> None:
    assert order([prop("a", score=0.1, tactic="u"), prop("a", score=0.9)], frozenset()) == [prop("a", score=0.9)]
    assert [p.explanation for p in order([prop("b"), prop("a"), prop("c")], frozenset())] == ["b", "a", "c"]


def test_rank() -> None:
    given = [
        prop("symptom", strategy="expect", weights=(1.0,)),
        prop("weak", weights=(0.5,)),
        prop("review", applicability=Applicability.REVIEW),
        prop("a longer one"),
        prop("best"),
    ]
    assert [p.explanation for p in sorted(given, key=lambda p: rank(p, SYMPTOMS))] == ["best", "a longer one", "review", "weak", "symptom"]


def test_size_counts_what_goes_and_what_comes() -> None:
    assert size(Proposal("s", "t", (Edit("a", "", 2, 5, "xy"), Edit("b", "", 0, 0, "z")), (), Applicability.SAFE, "")) == 6


@pytest.mark.parametrize(
    ("best", "other", "expected"),
    [
        (prop("a", meaning="m"), prop("b", meaning="n"), True),
        (prop("a", meaning="m"), prop("b", meaning="m"), False),
        (prop("a"), prop("b"), True),
        (prop("a", weights=(0.9,)), prop("b", weights=(0.83,)), True),
        (prop("a", weights=(0.9,)), prop("b", weights=(0.81,)), False),
        (prop("a", weights=(0.5,)), prop("b", weights=(0.9,)), True),
        (prop("a"), prop("b", strategy="expect", weights=(1.0,)), False),
        (prop("a", strategy="expect"), prop("b", weights=()), True),
        (prop("a", strategy="expect", meaning="m"), prop("b", meaning="m"), True),
    ],
)
def test_rivals(best: Proposal, other: Proposal, expected: bool) -> None:
    assert rivals(best, other, SYMPTOMS) is expected


# -- progress ----------------------------------------------------------------------------------------------------
def at(message: str, line: int = 0, **more: Any) -> Failure:
    return fail(ONE, message, line=line, **more)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (at("A: x", phase="collect"), at("A: x", phase="setup"), True),
        (at("A: x", phase="call"), at("A: y", phase="setup"), False),
        (at("A: x", phase="call"), at("B: x", phase="collect"), False),
        (at("A: x", phase="call"), at("A: x", phase="teardown"), True),
        (at("AttributeError: x"), at("KeyError: x"), True),
        (at("AttributeError: x", 5), at("AttributeError: y", 7), True),
        (at("AttributeError: x", 5), at("AttributeError: y", 3), False),
        (at("AttributeError: x", 5, statement="s"), at("AttributeError: y", 3, statement="s"), True),
        (at("AssertionError: x", 5, statement="s"), at("AssertionError: y", 5, statement="s"), False),
        (at("AssertionError: x", 5), at("AssertionError: x", 8, statement="t"), True),
        (at("AssertionError: x", 5, statement="s"), at("AssertionError: x", 8, statement="s"), True),
        (at("A: x"), at("A: x"), False),
        (at("AttributeError: x", 5), at("KeyError: x", 3), False),
        (at("AttributeError: x", 5), at("KeyError: x", 7), True),
        (at("AttributeError: x", 5, statement="s"), at("TypeError: y", 5, statement="s"), True),
        (at("TypeError: x", 5, statement="s"), at("AttributeError: y", 5, statement="s"), True),
        (at("TypeError: x", 5, statement="s"), at("AssertionError: y", 5, statement="s"), True),
        (at("AssertionError: x", 5, statement="s"), at("TypeError: y", 5, statement="s"), False),
        (at("AssertionError: x", 5, statement="s"), at("TypeError: y", 7, statement="t"), True),
        (at("AttributeError: x", 5, statement="s"), at("NameError: y", 5, statement="s"), False),
        (at("AttributeError: x", 5, statement="s"), at("NameError: y", 7, statement="t"), True),
        (at("ImportError: x", 5, phase="collect"), at("SyntaxError: y", 5, phase="collect"), False),
        (at("SyntaxError: x", 5, phase="collect"), at("ImportError: y", 1, phase="collect"), True),
        (at("SyntaxError: x", exc_attrs={"lineno": 3}), at("SyntaxError: x", exc_attrs={"lineno": 4}), True),
        (at("SyntaxError: x", exc_attrs={"lineno": 3}), at("SyntaxError: y", exc_attrs={"lineno": 3}), False),
        (at("SyntaxError: x", exc_attrs={"lineno": None}), at("SyntaxError: y", exc_attrs={}), False),
    ],
)
def test_progress(old: Failure, new: Failure, expected: bool) -> None:
    assert progressed(old, new) is expected


def test_the_same_words_pushed_down_by_the_edit_are_no_progress() -> None:
    old, new = at("AssertionError: x", 5, statement="s"), at("AssertionError: y", 7, statement="s")
    assert not progressed(old, new, grown=2)
    assert progressed(old, new, grown=1)


def test_another_file_that_does_not_parse_is_progress() -> None:
    old = fail("tests/conftest.py", "SyntaxError: x", exc_attrs={"lineno": 9})
    assert progressed(old, fail(FILE, "SyntaxError: x", exc_attrs={"lineno": 1}))


def test_lines_that_went_with_the_edit_do_not_count_as_going_back() -> None:
    old, new = at("AttributeError: x", 9, statement="s"), at("KeyError: y", 7, statement="t")
    assert not progressed(old, new)
    assert progressed(old, new, grown=-2)


# -- chains ------------------------------------------------------------------------------------------------------
def test_a_chain() -> None:
    first = cand(prop("a", meaning="m", cause_key="k", nodeids=("1", "2")), b"x = 1\n")
    rest = cand(prop("b", tactic="u", meaning="n", cause_key="l", nodeids=("2", "3"), weights=(0.5,), applicability=Applicability.REVIEW), b"x = 2\n")
    rest.before, rest.symptom, rest.left = {FILE: b"x = 1\n", "b.py": b"old"}, True, {"n": None}
    rest.after["b.py"] = b"new"
    whole = chained(first, rest)
    p = whole.proposal
    assert (p.tactic, p.explanation, p.meaning, p.cause_key) == ("t+u", "a; then b", "m; n", "k+l")
    assert (p.applicability, p.nodeids) == (Applicability.REVIEW, ("1", "2", "3"))
    assert (whole.before, whole.after) == ({FILE: b"x = 0\n", "b.py": b"old"}, {FILE: b"x = 2\n", "b.py": b"new"})
    assert (whole.symptom, whole.left, whole.failure) == (True, {"n": None}, first.failure)
    assert [link.proposal.explanation for link in whole.links] == ["a", "b"]
    assert len(p.edits) == len(p.evidence) == 2


def chain(*steps: Proposal, symptom: bool = False) -> Candidate:
    links = tuple(Link(fail(ONE), p, {}) for p in steps)
    return Candidate(fail(ONE), steps[0], {}, {}, symptom=symptom, links=links)


def test_a_chain_is_ranked_by_its_weakest_step() -> None:
    """Facts for one step are none for another, however many they are together."""
    long = chain(prop("a", weights=(0.6, 0.6)), prop("b", weights=(0.3,)))
    short = chain(prop("a longer edit than both", weights=(0.5,)))
    assert sure(long) == pytest.approx(0.3)
    assert rank(short, SYMPTOMS) < rank(long, SYMPTOMS)
    assert not rivals(short, long, SYMPTOMS)
    assert rivals(long, short, SYMPTOMS)


def test_a_chain_that_ends_in_an_expectation_comes_behind_a_cause() -> None:
    changed = chain(prop("a", weights=(1.0,)), prop("b", strategy="expect", weights=(1.0,)), symptom=True)
    cause = chain(prop("c", weights=(0.2,)))
    assert rank(cause, SYMPTOMS) < rank(changed, SYMPTOMS)
    assert not rivals(cause, changed, SYMPTOMS)


def test_a_chain_with_an_unnamed_cause_has_no_name() -> None:
    assert chained(cand(prop("a", cause_key="k")), cand(prop("b"))).proposal.cause_key == ""


@pytest.mark.parametrize("first", list(Applicability))
@pytest.mark.parametrize("second", list(Applicability))
def test_a_chain_goes_as_far_as_its_least_step(first: Applicability, second: Applicability) -> None:
    found = chained(cand(prop("a", applicability=first)), cand(prop("b", applicability=second))).proposal.applicability
    assert (found is Applicability.SAFE) == (first is second is Applicability.SAFE)
    assert (found is Applicability.ADVICE) == (Applicability.ADVICE in (first, second))


# -- equal code --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("a", "b", "path", "expected"),
    [
        (b"x = 1\n", b"x = 1\n", "a.py", True),
        (b"x = 1\n", b"x  =  1  # one\n", "a.py", True),
        (b"x = 1\n", b"x = 2\n", "a.py", False),
        (b"x = '\\d'\n", b'x = "\\d"\n', "a.py", True),
        (b"x = (\n", b"x = [\n", "a.py", False),
        (b"x = (\n", b"x = (\n", "a.py", True),
        (b"a: 1\n", b"a:  1\n", "a.yaml", False),
        (b"\0", b"\0\0", "a.py", False),
        (b"(" * 3000, b"[" * 3000, "a.py", False),
    ],
)
def test_same_code(a: bytes, b: bytes, path: str, expected: bool) -> None:
    assert same_code(cand(prop("a"), a, path), cand(prop("b"), b, path)) is expected


def test_other_files_are_other_code() -> None:
    assert not same_code(cand(prop("a")), cand(prop("a"), path="b.py"))


# -- merges ------------------------------------------------------------------------------------------------------
OTHER = "tests/test_b.py"


def twins(**more: Any) -> list[Candidate]:
    first, second = cand(prop("a", cause_key="k")), cand(prop("a", cause_key="k"), path=OTHER)
    for name, value in more.items():
        setattr(second, name, value)
    return [first, second]


def test_one_cause_is_one_heal() -> None:
    (whole,) = merged_causes(twins(seconds=2.0))
    assert set(whole.after) == set(whole.before) == {FILE, OTHER}
    assert whole.nodeids == [f"{FILE}::test_0", f"{OTHER}::test_0"]
    assert [(s.rung, s.passed, s.seconds) for s in whole.steps] == [("guard", True, 0.0), ("rerun", True, 2.0)]
    assert whole.seconds == 2.0
    assert len(whole.links) == 2
    assert whole.proposal.explanation == "a"


@pytest.mark.parametrize(
    "other",
    [
        {"proposal": prop("a")},
        {"proposal": prop("a", cause_key="l")},
        {"proposal": prop("a", cause_key="k", tactic="u")},
        {"proposal": prop("a", cause_key="k", strategy="s")},
        {"proposal": prop("a", cause_key="k", applicability=Applicability.REVIEW)},
        {"ties": ["another meaning"]},
        {"collected": True},
        {"symptom": True},
        {"diagnosis": Diagnosis(FailurePattern.UNKNOWN, 0.5, Cause.REGRESSION_SUSPECTED)},
        {"after": {FILE: b"x = 3\n"}, "before": {FILE: b"x = 1\n"}},
    ],
    ids=lambda d: next(iter(d)),
)
def test_what_differs_stays_apart(other: dict[str, Any]) -> None:
    first, second = twins(**other)
    assert merged_causes([first, second]) == [first, second]
    assert len(merged_causes([second, first])) == 2


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (True, True, True),
        (True, None, None),
        (None, None, None),
        (True, False, False),
        (None, False, False),
        (False, False, False),
        ("absent", True, None),
        ("absent", False, False),
        ("absent", None, None),
    ],
)
def test_a_rung_that_failed_for_one_failed_for_all(a: Any, b: Any, expected: bool | None) -> None:
    for left, right in ((a, b), (b, a)):
        first, second = twins()
        first.steps += [ProofStep("teeth", left)] * (left != "absent")
        second.steps += [ProofStep("teeth", right)] * (right != "absent")
        (whole,) = merged_causes([first, second])
        assert [s.passed for s in whole.steps] == [True, True, expected]


def test_what_built_on_a_merged_heal_builds_on_the_whole() -> None:
    first, second = twins()
    third = cand(prop("c"), path="tests/test_c.py", ground=second)
    whole, rest = merged_causes([first, second, third])
    assert rest.ground is whole
