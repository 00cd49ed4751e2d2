"""The pipeline over a project and a runner of which everything is known: what is proved, who wins, what is left and what may be written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.git import Hunk
from pytest_maestro_healer.model import (
    Applicability,
    Cause,
    DecisionKind,
    Diagnosis,
    Evidence,
    Failure,
    Frame,
    HealingResult,
    Location,
    Proof,
    ProofStep,
    Proposal,
)
from pytest_maestro_healer.prove.candidates import Candidate
from pytest_maestro_healer.prove.original import Original
from pytest_maestro_healer.prove.runner import RunReport
from pytest_maestro_healer.strategies.base import Tactic
from tests.unit.worlds import FILE, WEAK, Swap, Toy, World, calls, fail, result

ONE, TWO, THREE = f"{FILE}::test_0", f"{FILE}::test_1", f"{FILE}::test_2"
OTHER = "tests/test_b.py"
SAFE = {"apply": "safe"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def single(world: World) -> World:
    """One test that calls ``lib.old`` and wants ``lib.new``."""
    world.write(FILE, calls("old"))
    world.needs(ONE, "lib.new(")
    return world


def only(results: list[HealingResult]) -> HealingResult:
    assert len(results) == 1, [(r.test_id, r.decision) for r in results]
    return results[0]


def kinds(results: list[HealingResult]) -> dict[str, str]:
    return {r.test_id: str(r.decision.kind) for r in results}


def healed_text(result: HealingResult, path: str = FILE) -> str:
    return next(c.after for c in result.changes if c.path == path)


# -- one heal ----------------------------------------------------------------------------------------------------
def test_a_proved_heal_is_pending_with_all_its_rungs(single: World) -> None:
    r = only(single.heal(Toy(Swap("lib.old(", "lib.new("))))
    assert (r.decision.kind, r.success, r.nodeids) == (DecisionKind.PENDING, True, (ONE,))
    assert {s.rung: s.passed for s in r.verdict.steps} == {"guard": True, "rerun": True, "stable": True, "teeth": None, "fresh": True}
    assert healed_text(r) == calls("new")
    assert (single.root / FILE).read_text() == calls("old")


def test_safe_applies_it(single: World) -> None:
    assert only(single.heal(Toy(Swap("lib.old(", "lib.new(")), **SAFE)).decision.kind is DecisionKind.APPLIED


@pytest.mark.parametrize("option", ["fresh_confirm", "validate_before_apply"])
def test_without_the_fresh_confirmation_nothing_is_applied(single: World, option: str) -> None:
    r = only(single.heal(Toy(Swap("lib.old(", "lib.new(")), apply="all", **{option: False}))
    assert r.decision.kind is DecisionKind.PENDING
    assert not any(c.fresh for c in single.calls)


def test_nothing_fits(single: World) -> None:
    r = only(single.heal(Toy()))
    assert (r.decision.kind, r.decision.rule, r.success) == (DecisionKind.REJECTED, "no heal is known for this", False)


def test_a_heal_that_does_not_help_says_what_the_test_still_says(single: World) -> None:
    r = only(single.heal(Toy(Swap("lib.old(", "lib.wrong("))))
    assert r.decision.rule == "no candidate was proved"
    assert r.refused == ("swap: the test still fails (AttributeError: no lib.new()",)


def test_the_guard_refuses_before_anything_runs(single: World) -> None:
    r = only(single.heal(Toy(Swap("assert lib.old(1) == 2", "pass"))))
    assert "swap: " in r.refused[0]
    # what runs is the unhealed test alone, to see whether it is flaky
    assert all(not c.overlay for c in single.calls)


def test_an_edit_that_changes_nothing_is_refused(single: World) -> None:
    single.checks[ONE] = lambda texts: "AssertionError: x"
    assert "changes nothing" in only(single.heal(Toy(Swap("lib.old(", "lib.old(")))).refused[0]


@pytest.mark.parametrize("problem", ["hang: 1 s", "crash: status 9", "state: not served"])
def test_a_run_that_breaks_down_refuses_the_heal(single: World, problem: str) -> None:
    single.problem = lambda call: problem if call.overlay else ""
    assert only(single.heal(Toy(Swap("lib.old(", "lib.new(")))).refused == (f"swap: {problem}",)


def test_a_result_that_differs_between_repeats_is_refused(single: World) -> None:
    seen = []

    def check(texts: Mapping[str, str]) -> str:
        if "lib.new(" not in texts[FILE]:
            return "AttributeError: no"
        seen.append(1)
        return "" if len(seen) < 2 else "AssertionError: 2 is 3"

    single.checks[ONE] = check
    assert "differs between runs" in only(single.heal(Toy(Swap("lib.old(", "lib.new(")))).refused[0]


def test_an_opted_out_test_is_named_and_left_alone(single: World) -> None:
    single.failures = [fail(ONE, healable=False, no_heal_reason="by hand")]
    r = only(single.heal(Toy(Swap("lib.old(", "lib.new("))))
    assert r.decision.rule == "opted out: by hand"
    assert single.calls == []


# -- follow-ups --------------------------------------------------------------------------------------------------
@pytest.fixture
def double(world: World) -> World:
    """One test with two causes, the second behind the first."""
    world.write(FILE, "import lib\n\n\ndef test_0():\n    assert lib.old(1) == 2\n    assert lib.gone(1) == 2\n")
    world.needs(ONE, "lib.new(", "lib.back(")
    return world


FIRST, SECOND = Swap("lib.old(", "lib.new(", words="lib.new("), Swap("lib.gone(", "lib.back(", name="second", words="lib.back(")


def test_a_heal_in_two_steps_is_one_heal(double: World) -> None:
    r = only(double.heal(Toy(FIRST, SECOND), **SAFE))
    assert (r.decision.kind, r.tactic) == (DecisionKind.APPLIED, "swap+second")
    assert r.explanation == "lib.old( is lib.new( now; then lib.gone( is lib.back( now"
    assert r.changes[0].before == (double.root / FILE).read_text()
    assert "lib.new(" in healed_text(r)
    assert "lib.back(" in healed_text(r)


def test_a_first_step_without_its_second_is_no_heal(double: World) -> None:
    r = only(double.heal(Toy(FIRST)))
    assert (r.decision.kind, r.changes) == (DecisionKind.REJECTED, ())


@pytest.mark.parametrize(("weak", "evidence", "word"), [(0, WEAK, "confidence"), (1, WEAK, "confidence"), (1, (), "evidence"), (0, (), "evidence")])
def test_a_chain_is_as_sure_as_its_weakest_step(double: World, weak: int, evidence: tuple[Evidence, ...], word: str) -> None:
    """Evidence for one step is none for the other."""
    steps = [FIRST, SECOND]
    old = steps[weak]
    steps[weak] = Swap(old.old, old.new, name=old.name, words=old.words, evidence=evidence)
    r = only(double.heal(Toy(*steps), apply="safe", confidence_threshold=0.75 if evidence else 0.0))
    assert r.decision.kind is DecisionKind.PENDING
    assert word in r.decision.rule
    assert r.confidence_score < 0.6


def test_a_chain_goes_no_further_than_its_step_for_review(double: World) -> None:
    second = Swap("lib.gone(", "lib.back(", words="lib.back(", applicability=Applicability.REVIEW)
    r = only(double.heal(Toy(FIRST, second), **SAFE))
    assert (r.applicability, r.decision.kind) == (Applicability.REVIEW, DecisionKind.PENDING)


def test_a_tie_in_the_second_step_is_a_tie_of_the_whole(double: World) -> None:
    double.checks[ONE] = lambda t: (
        "AttributeError: no lib.new(" if "lib.new(" not in t[FILE] else "" if "lib.gone(" not in t[FILE] else "AttributeError: no lib.back("
    )
    third = Swap("lib.gone(", "lib.ago(", name="third", words="lib.back(")
    r = only(double.heal(Toy(FIRST, SECOND, third), **SAFE))
    assert r.decision.kind is DecisionKind.PENDING
    assert len(r.alternatives) == 1


def test_endless_progress_ends(world: World) -> None:
    world.write(FILE, "import lib\n\n\ndef test_0():\n    assert lib.f0(1) == 2\n")

    def check(texts: Mapping[str, str]) -> str:
        return f"AttributeError: {texts[FILE].split('lib.f')[1].partition('(')[0]}"

    class Next(Tactic):
        name = "next"

        def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
            n = int(failure.message.split()[-1])
            yield from Swap(f"lib.f{n}(", f"lib.f{n + 1}(").propose(failure, ctx)

    world.checks[ONE] = check
    r = only(world.heal(Toy(Next())))
    assert r.decision.kind is DecisionKind.REJECTED
    assert len([c for c in world.calls if c.overlay]) <= 12


# -- rivals ------------------------------------------------------------------------------------------------------
def either(texts: Mapping[str, str]) -> str:
    return "AttributeError: old" if "lib.old(" in texts[FILE] else ""


def test_two_meanings_are_a_tie_for_the_user(single: World) -> None:
    single.checks[ONE] = either
    r = only(single.heal(Toy(Swap("lib.old(", "lib.newer("), Swap("lib.old(", "lib.new(", score=0.2)), **SAFE))
    assert r.decision.kind is DecisionKind.PENDING
    assert "two different heals" in r.decision.rule
    assert r.alternatives == ("lib.old(->lib.newer(",), "the smaller edit wins"


def test_the_same_meaning_twice_is_no_tie(single: World) -> None:
    single.checks[ONE] = either
    r = only(single.heal(Toy(Swap("lib.old(", "lib.new("), Swap("lib.old", "lib.newer", meaning="lib.old(->lib.new(")), **SAFE))
    assert (r.decision.kind, r.alternatives) == (DecisionKind.APPLIED, ())


def test_other_layout_is_no_tie(single: World) -> None:
    single.checks[ONE] = either
    r = only(single.heal(Toy(Swap("lib.old(1)", "lib.new(1)"), Swap("lib.old(1)", "lib.new( 1 )", meaning="spaced")), **SAFE))
    assert (r.decision.kind, r.alternatives) == (DecisionKind.APPLIED, ())


def test_much_weaker_evidence_is_no_tie(single: World) -> None:
    single.checks[ONE] = either
    r = only(single.heal(Toy(Swap("lib.old(", "lib.new("), Swap("lib.old(", "lib.newer(", evidence=WEAK)), **SAFE))
    assert (r.decision.kind, r.alternatives) == (DecisionKind.APPLIED, ())


@pytest.mark.parametrize("between", [{"meaning": "lib.old(->lib.new("}, {"evidence": WEAK}], ids=["same meaning", "weak"])
def test_a_rival_behind_one_that_is_none_is_tried(single: World, between: dict[str, Any]) -> None:
    single.checks[ONE] = either
    tactics = [
        Swap("lib.old(", "lib.new(", score=0.9),
        Swap("lib.old(", "lib.same(", score=0.8, **between),
        Swap("lib.old(", "lib.third(", score=0.7),
    ]
    r = only(single.heal(Toy(*tactics), **SAFE))
    assert r.decision.kind is DecisionKind.PENDING
    assert len(r.alternatives) == 1


def test_better_evidence_wins_over_the_own_estimate(single: World) -> None:
    single.checks[ONE] = either
    r = only(single.heal(Toy(Swap("lib.old(", "lib.new(", score=0.9, evidence=WEAK), Swap("lib.old(", "lib.right(", score=0.1)), **SAFE))
    assert "lib.right(" in healed_text(r)
    assert r.decision.kind is DecisionKind.APPLIED


def test_a_cause_is_healed_before_an_expectation(single: World) -> None:
    single.checks[ONE] = lambda t: "AssertionError: old" if "lib.old(1) == 2" in t[FILE] else ""
    expect = Toy(Swap("== 2", "== 3", score=1.0, strategy="expect"), name="expect", symptom=True)
    r = only(single.heal(expect, Toy(Swap("lib.old(", "lib.new(", score=0.1, evidence=WEAK))))
    assert r.strategy_used == "toy"
    assert r.alternatives == ()


def test_attempts_are_capped_and_it_is_said(single: World) -> None:
    tactics = [Swap("lib.old(", f"lib.wrong{i}(", name=f"t{i}", score=1 - i / 10) for i in range(5)]
    r = only(single.heal(Toy(*tactics, Swap("lib.old(", "lib.new(", score=0.1)), max_attempts=2))
    assert not r.success
    assert r.refused[-1] == "t2: not tried, 2 attempts were made"
    assert len([c for c in single.calls if c.overlay]) == 2


def test_rivals_of_what_is_proved_get_attempts_of_their_own(single: World) -> None:
    single.checks[ONE] = either
    tactics = [Swap("lib.old(", f"lib.new{i}(", name=f"t{i}", score=1 - i / 10) for i in range(2)]
    r = only(single.heal(Toy(*tactics), max_attempts=1, **SAFE))
    assert (r.decision.kind, r.alternatives) == (DecisionKind.PENDING, ("lib.old(->lib.new1(",))


def test_a_rival_that_nobody_tried_is_a_tie_too(single: World) -> None:
    single.checks[ONE] = either
    tactics = [Swap("lib.old(", f"lib.new{i}(", name=f"t{i}", score=1 - i / 10) for i in range(4)]
    weak = Swap("lib.old(", "lib.weak(", score=0.05, evidence=WEAK)
    r = only(single.heal(Toy(*tactics, weak), max_attempts=1, **SAFE))
    assert r.decision.kind is DecisionKind.PENDING
    assert r.alternatives == ("lib.old(->lib.new1(", "lib.old(->lib.new2( (not tried)", "lib.old(->lib.new3( (not tried)")
    assert r.refused == ("t2: not tried, 2 attempts were made",)


def test_an_untried_candidate_that_the_guard_refuses_is_no_tie(single: World) -> None:
    single.checks[ONE] = lambda t: "" if "lib.new(" in t[FILE] else "AttributeError: old"
    wrong = Swap("lib.old(", "lib.wrong(", score=0.9)
    weakening = Swap("assert lib.old(1) == 2", "pass", score=0.5)
    r = only(single.heal(Toy(Swap("lib.old(", "lib.new(", score=1.0), wrong, weakening), max_attempts=1, **SAFE))
    assert (r.decision.kind, r.alternatives) == (DecisionKind.APPLIED, ())


def test_the_guards_refusals_are_no_attempts(single: World) -> None:
    weakening = Swap("assert lib.old(1) == 2", "pass", score=1.0)
    assert only(single.heal(Toy(weakening, Swap("lib.old(", "lib.new(")), max_attempts=1)).success


def test_a_tactic_cannot_flood(single: World) -> None:
    drawn = []

    class Endless(Tactic):
        name = "endless"

        def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
            while True:
                drawn.append(1)
                yield from Swap("lib.old(", f"lib.wrong{len(drawn)}(").propose(failure, ctx)

    single.heal(Toy(Endless()))
    assert len(drawn) == 6


# -- budget ------------------------------------------------------------------------------------------------------
def test_the_budget_ends_the_phase_and_it_is_said(world: World) -> None:
    world.write(FILE, calls("old", "old", "old"))
    for i, n in enumerate((ONE, TWO, THREE)):
        world.needs(n, f"lib.n{i}(")
    now = [0.0]

    def problem(call: Any) -> str:
        now[0] += 6
        return ""

    world.problem = problem
    world.heal(Toy(), clock=lambda: now[0], budget=10.0)
    assert world.pipeline.notes == ["the budget of 10 s is used up: 1 failures were not looked at"]


def test_candidates_end_with_the_budget(single: World) -> None:
    now = [0.0]

    def problem(call: Any) -> str:
        now[0] += 6
        return ""

    single.problem = problem
    tactics = [Swap("lib.old(", f"lib.wrong{i}(", name=f"t{i}", score=1 - i / 10) for i in range(3)]
    r = only(single.heal(Toy(*tactics), clock=lambda: now[0], budget=10.0))
    assert r.refused[-1] == "t2: not tried, the time for healing is used up"


@pytest.mark.parametrize("late", [False, True])
def test_the_original_is_not_asked_when_the_budget_is_used_up_and_it_is_said(single: World, late: bool) -> None:
    now, asked = [0.0], []

    def problem(call: Any) -> str:
        now[0] += 6 * late
        return ""

    def original(nodeids: Any) -> Original:
        asked.append(nodeids)
        return Original(why="it is not there")

    single.problem = problem
    past = SimpleNamespace(original=original)
    r = only(single.heal(Toy(Swap("lib.old(", "lib.new(")), clock=lambda: now[0], past=past, budget=10.0))
    teeth = next(s for s in r.verdict.steps if s.rung == "teeth")
    why = "the time for that is used up" if late else "it is not there"
    assert teeth.reason.endswith(f"; not compared with the original: {why}")
    assert len(asked) == (not late)


# -- strategies that misbehave -----------------------------------------------------------------------------------
class Bad(Tactic):
    name = "bad"

    def __init__(self, what: str) -> None:
        self.what = what

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        if self.what == "answers":
            raise RuntimeError("no answer")
        return True

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Any]:
        if self.what == "propose":
            raise RuntimeError("no proposal")
        if self.what == "none":
            return None  # type: ignore[return-value]
        if self.what == "half":
            return self.half(failure, ctx)
        return [{"None": None, "text": "lib.new(", "tuple": ("toy", "swap")}[self.what]]

    def half(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        yield from Swap("lib.old(", "lib.wrong(").propose(failure, ctx)
        raise RuntimeError("half way")


@pytest.mark.parametrize("what", ["answers", "propose", "none", "half", "None", "text", "tuple"])
def test_a_strategy_that_misbehaves_is_left_out_and_the_others_heal(single: World, what: str) -> None:
    r = only(single.heal(Toy(Bad(what), name="mine"), Toy(Swap("lib.old(", "lib.new("))))
    assert r.success
    (note,) = single.pipeline.notes
    assert note.startswith("mine/bad raised ")
    assert note.endswith("; it was left out")


def test_edits_that_do_not_fit_are_a_refusal(single: World) -> None:
    class Stale(Swap):
        def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
            for p in super().propose(failure, ctx):
                yield replace(p, edits=(replace(p.edits[0], sha256="0" * 64),))
                yield replace(p, edits=p.edits * 2)

    r = only(single.heal(Toy(Stale("lib.old(", "lib.new("))))
    assert all("do not fit" in line for line in r.refused)
    assert len(r.refused) == 2


# -- groups ------------------------------------------------------------------------------------------------------
def test_one_root_cause_in_two_files_is_one_heal(world: World) -> None:
    for path in (FILE, OTHER):
        world.write(path, calls("old"))
        world.needs(f"{path}::test_0", "lib.new(")
    r = only(world.heal(Toy(Swap("lib.old(", "lib.new(", group=True, paths=(FILE, OTHER)))))
    assert set(r.nodeids) == {ONE, f"{OTHER}::test_0"}
    assert r.files == (FILE, OTHER)


def test_two_heals_of_one_cause_are_merged(world: World) -> None:
    for path in (FILE, OTHER):
        world.write(path, calls("old"))
        world.needs(f"{path}::test_0", "lib.new(")
    r = only(world.heal(Toy(Swap("lib.old(", "lib.new(", cause_key="old"))))
    assert set(r.nodeids) == {ONE, f"{OTHER}::test_0"}
    assert r.files == (FILE, OTHER)


def test_a_second_cause_of_one_of_the_group_is_healed_on_top(world: World) -> None:
    """What appears behind a group's heal is looked for with the new failure, not with the old one."""
    world.write(FILE, calls("old", "old") + "    assert lib.gone(1) == 2\n")
    world.needs(ONE, "lib.new(")
    world.needs(TWO, "lib.new(", "lib.back(")
    results = world.heal(Toy(Swap("lib.old(", "lib.new(", group=True, words="lib.new("), SECOND), **SAFE)
    assert kinds(results) == {ONE: "applied", TWO: "applied"}
    assert results[1].tactic == "second"
    assert "lib.new(" in results[1].changes[0].before, "it builds on the first"


def test_a_test_that_a_sweep_only_pushed_down_did_not_get_further(world: World) -> None:
    """The first heal adds a line above; the second is made against the file as it is, not on top of the first."""
    world.write(FILE, calls("old", "other"))
    world.needs(ONE, "import new")

    def check(texts: Mapping[str, str]) -> str:
        return "" if "lib.right(" in texts[FILE] else "AttributeError: other"

    world.checks[TWO] = check
    real = world.run

    def run(nodeids: Any, overlay: Any, **kw: Any) -> Any:
        report = real(nodeids, overlay, **kw)
        line = 9 + overlay.get(FILE, b"").count(b"import new")
        moved = {n: replace(r, failure=replace(r.failure, location=Location(FILE, line))) if r.failure else r for n, r in report.results.items()}
        return replace(report, results=moved)

    world.run = run  # type: ignore[method-assign]
    world.failures = [fail(ONE, "AttributeError: no import new", line=5), fail(TWO, "AttributeError: other", line=9)]
    results = world.heal(Toy(Swap("import lib\n", "import lib\nimport new\n", words="import new"), Swap("lib.other(", "lib.right(", words="other")))
    assert kinds(results) == {ONE: "pending", TWO: "pending"}
    assert "import new" not in healed_text(next(r for r in results if r.test_id == TWO))


def test_a_test_that_a_sweep_brought_further_is_looked_at_as_it_fails_then(world: World) -> None:
    world.write(FILE, calls("old", "old") + "    assert lib.gone(1) == 2\n")
    world.needs(ONE, "lib.new(")
    world.needs(TWO, "lib.new(", "lib.back(")
    results = world.heal(Toy(Swap("lib.old(", "lib.new(", words="lib.new("), SECOND))
    assert kinds(results) == {ONE: "pending", TWO: "pending"}
    assert results[1].tactic == "second"


@pytest.mark.parametrize("review", [True, False])
def test_what_builds_on_a_heal_goes_no_further_than_that(world: World, review: bool) -> None:
    world.write(FILE, calls("old", "old") + "    assert lib.gone(1) == 2\n")
    world.needs(ONE, "lib.new(")
    world.needs(TWO, "lib.new(", "lib.back(")
    if not review:
        world.fresh_checks[ONE] = lambda texts: "AssertionError: fresh"
    applicability = Applicability.REVIEW if review else Applicability.SAFE
    results = world.heal(Toy(Swap("lib.old(", "lib.new(", group=True, words="lib.new(", applicability=applicability), SECOND), **SAFE)
    kind = DecisionKind.PENDING if review else DecisionKind.REJECTED
    assert [r.decision.kind for r in results] == [kind, kind]
    assert results[0].healing_id in results[1].decision.rule or "fresh process" in results[1].decision.rule


def test_a_sweep_finds_the_others_of_the_file(world: World) -> None:
    world.write(FILE, "import lib\n\nF = lib.old(1)\n\n\ndef test_0():\n    assert F == 2\n\n\ndef test_1():\n    assert F > 1\n")
    world.needs(ONE, "lib.new(")
    world.needs(TWO, "lib.new(")
    r = only(world.heal(Toy(Swap("lib.old(", "lib.new("))))
    assert r.nodeids == (ONE, TWO)


def test_a_parameter_set_that_passed_and_fails_with_the_edit_refuses_it(world: World) -> None:
    world.write(FILE, calls("old"))
    one, two = ONE + "[1]", ONE + "[2]"
    world.needs(one, "lib.new(")
    world.checks[two] = lambda t: "AssertionError: now I fail" if "lib.new(" in t[FILE] else ""
    r = only(world.heal(Toy(Swap("lib.old(", "lib.new("))))
    assert r.decision.kind is DecisionKind.REJECTED
    assert r.refused == (f"swap: {two} passed before the edit and fails with it",)


def test_passing_parameter_sets_run_with_the_failing_one(world: World) -> None:
    world.write(FILE, calls("old"))
    world.needs(ONE + "[1]", "lib.new(")
    world.checks[ONE + "[2]"] = lambda t: ""
    assert only(world.heal(Toy(Swap("lib.old(", "lib.new(")))).success
    assert (ONE + "[1]", ONE + "[2]") in [c.nodeids for c in world.calls]


def test_overlapping_heals_of_two_tests(world: World) -> None:
    """The second is refused, with the reason, once."""
    world.write(FILE, "import lib\n\nF = lib.old(1)\n\n\ndef test_0():\n    assert F == 2\n\n\ndef test_1():\n    assert F > 1\n")
    world.needs(ONE, "lib.new(")
    world.needs(TWO, "lib.other(")
    results = world.heal(Toy(Swap("lib.old(", "lib.new(", words="lib.new("), Swap("lib.old(", "lib.other(", words="lib.other(")))
    assert kinds(results) == {ONE: "pending", TWO: "rejected"}
    assert results[1].decision.rule == f"overlaps another heal's edit of {FILE}"


class Advice(Tactic):
    """Names a cause for which there is no edit."""

    name = "advice"

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        yield Proposal("toy", "advice", (), (), Applicability.ADVICE, "install it", advice="pip install x")


def test_advice_stands_where_nothing_is_proved(single: World) -> None:
    r = only(single.heal(Toy(Advice())))
    assert (r.decision.kind, r.advice) == (DecisionKind.ADVISED, "pip install x")
    assert only(single.heal(Toy(Advice(), Swap("lib.old(", "lib.new(")))).success


# -- the confirmation --------------------------------------------------------------------------------------------
@pytest.fixture
def pair(world: World) -> World:
    for path, new in ((FILE, "new"), (OTHER, "newer")):
        world.write(path, calls("old"))
        world.needs(f"{path}::test_0", f"lib.{new}(")
    return world


PAIR = (Swap("lib.old(", "lib.new(", words="lib.new("), Swap("lib.old(", "lib.newer(", words="lib.newer("))


def test_the_fresh_process_is_asked_once_where_all_is_well(pair: World) -> None:
    assert kinds(pair.heal(Toy(*PAIR), **SAFE)) == {ONE: "applied", f"{OTHER}::test_0": "applied"}
    assert len([c for c in pair.calls if c.fresh]) == 1


@pytest.mark.parametrize("bad", [FILE, OTHER])
def test_the_fresh_process_names_the_culprit(pair: World, bad: str) -> None:
    nodeid = f"{bad}::test_0"
    pair.fresh_checks[nodeid] = lambda texts: "AssertionError: only in-process"
    results = {r.test_id: r for r in pair.heal(Toy(*PAIR), **SAFE)}
    assert results.pop(nodeid).decision.kind is DecisionKind.REJECTED
    assert only(list(results.values())).decision.kind is DecisionKind.APPLIED


def test_heals_that_fail_together_only_are_not_both_written(pair: World) -> None:
    nodeid = f"{OTHER}::test_0"

    def together(texts: Mapping[str, str]) -> str:
        return "AssertionError: both" if "lib.new(" in texts[FILE] else pair.checks[nodeid](texts)

    pair.fresh_checks[nodeid] = together
    assert kinds(pair.heal(Toy(*PAIR), **SAFE)) == {ONE: "applied", nodeid: "rejected"}


def test_a_passing_neighbour_lost_in_the_fresh_process_refuses(single: World) -> None:
    single.checks[TWO] = lambda t: ""
    single.fresh_checks[TWO] = lambda t: "AssertionError: lost" if "lib.new(" in t[FILE] else ""
    r = only(single.heal(Toy(Swap("lib.old(", "lib.new(")), **SAFE))
    assert (r.decision.kind, r.decision.rule) == (DecisionKind.REJECTED, f"in a fresh process {TWO} fails (passed before the edit)")


def test_a_healed_test_that_does_not_run_in_the_fresh_process_is_not_confirmed(single: World) -> None:
    single.fresh_checks[ONE] = lambda t: "missing"
    r = only(single.heal(Toy(Swap("lib.old(", "lib.new(")), **SAFE))
    assert r.decision.kind is DecisionKind.REJECTED


# -- people ------------------------------------------------------------------------------------------------------
def test_a_remembered_rejection_is_not_offered_again_and_said_once(world: World) -> None:
    world.write(FILE, calls("old", "old"))
    world.needs(ONE, "lib.new(")
    world.needs(TWO, "lib.new(")
    r = only(world.heal(Toy(Swap("lib.old(", "lib.new(", group=True)), remembered=lambda r: True))
    assert (r.decision.kind, r.decision.rule) == (DecisionKind.REJECTED, "this very edit was rejected before")
    assert set(r.nodeids) == {ONE, TWO}


def test_behind_a_remembered_rejection_the_next_best_is_offered(single: World) -> None:
    single.checks[ONE] = either
    tactics = [Swap("lib.old(", "lib.new(", score=0.9), Swap("lib.old(", "lib.newer(", score=0.5)]
    r = only(single.heal(Toy(*tactics), remembered=lambda r: "lib.new(" in healed_text(r)))
    assert (r.decision.kind, r.alternatives) == (DecisionKind.PENDING, ())
    assert "lib.newer(" in healed_text(r)
    assert r.refused == ("swap: this very edit was rejected before",)


def test_a_candidate_that_overlaps_another_heal_makes_way_for_one_that_does_not(world: World) -> None:
    world.write(FILE, "import lib\n\nWANT = 2\n\n\ndef test_0():\n    assert lib.f(1) == WANT\n\n\ndef test_1():\n    assert lib.g(1) == WANT\n")
    world.checks[ONE] = lambda t: "" if "WANT = 3" in t[FILE] else "KeyError: one"
    world.checks[TWO] = lambda t: "" if "WANT = 4" in t[FILE] or "lib.h(1)" in t[FILE] else "KeyError: two"
    tactics = [
        Swap("WANT = 2", "WANT = 3", words="one", name="a"),
        Swap("WANT = 2", "WANT = 4", words="two", name="b", score=0.9),
        Swap("lib.g(1)", "lib.h(1)", words="two", name="c", score=0.1),
    ]
    results = world.heal(Toy(*tactics))
    assert kinds(results) == {ONE: "pending", TWO: "pending"}
    assert next(r for r in results if r.test_id == TWO).tactic == "c"


def test_interrupted_healing_offers_what_it_found_and_writes_nothing(pair: World) -> None:
    def problem(call: Any) -> str:
        if call.overlay and OTHER in call.overlay:
            raise KeyboardInterrupt
        return ""

    pair.problem = problem
    r = only(pair.heal(Toy(*PAIR), apply="all"))
    assert (r.test_id, r.decision.kind) == (ONE, DecisionKind.PENDING)
    assert "interrupted" in pair.pipeline.notes[0]


def test_interrupted_in_the_confirmation(pair: World) -> None:
    def problem(call: Any) -> str:
        if call.fresh:
            raise KeyboardInterrupt
        return ""

    pair.problem = problem
    assert set(kinds(pair.heal(Toy(*PAIR), apply="all")).values()) == {"pending"}


def test_interrupted_over_a_heal_made_at_collection(single: World) -> None:
    """What was healed at collection stays on offer too."""
    pair = [single.heal(Toy(Swap("lib.old(", "lib.new(")))]
    (accepted,) = single.pipeline.accepted
    ready = Candidate(accepted.failure, accepted.proposal, accepted.before, accepted.after, nodeids=[ONE], steps=accepted.steps[:2], collected=True)
    ctx = single.ctx
    pipeline = type(single.pipeline)(ctx, single, (), single.pipeline.config.replace(apply="all"))

    def problem(call: Any) -> str:
        if call.fresh:
            raise KeyboardInterrupt
        return ""

    single.problem = problem
    r = only(pipeline.run([], [ready]))
    assert r.decision.kind is DecisionKind.PENDING
    assert pair


def test_where_something_speaks_against_a_heal_made_at_collection_its_rival_is_taken(single: World) -> None:
    single.heal(Toy(Swap("lib.old(", "lib.new(")))
    (accepted,) = single.pipeline.accepted

    def made(meaning: str, *steps: ProofStep) -> Candidate:
        proposal = replace(accepted.proposal, meaning=meaning)
        kept = [*accepted.steps[:1], *steps]
        return Candidate(accepted.failure, proposal, accepted.before, accepted.after, nodeids=[ONE], steps=kept, collected=True)

    first = made("blunt", ProofStep("teeth", False, "nothing is noticed"))
    first.rivals = [made("right"), made("as right")]
    pipeline = type(single.pipeline)(single.ctx, single, (), single.pipeline.config.replace(apply="all"))
    r = only(pipeline.run([], [first]))
    assert r.decision.kind is DecisionKind.PENDING
    assert r.alternatives == ("as right",)

    first = made("blunt", ProofStep("teeth", False, "nothing is noticed"))
    r = only(type(pipeline)(single.ctx, single, (), pipeline.config).run([], [first]))
    assert (r.decision.kind, r.decision.rule) == (DecisionKind.REJECTED, "nothing is noticed")


# -- verdicts ----------------------------------------------------------------------------------------------------
class FakeGit(SimpleNamespace):
    """A repository of which nothing else is known; one object, so it can be remembered by."""

    __hash__ = object.__hash__


def product(world: World, added: str, line: int = 2) -> None:
    """``lib.py`` changed on ``line``, and every test executes that."""
    hunk = Hunk("lib.py", "lib.py", line, line, ("    return x + 1",), (added,))
    git = FakeGit(
        available=True,
        hunks=lambda *a: (hunk,),
        last_change=lambda *a: "1a2b3c4",
        unmerged=lambda p: False,
        commits=lambda *a, **k: [],
        bytes_at=lambda *a: None,
        shallow=False,
        has_parent=lambda *a: True,
        message=lambda *a: "",
        changed_files=lambda *a: [],
        untracked=lambda: [],
        files_of=lambda *a: [],
        renames=lambda *a: {},
        tracked=lambda: [],
    )
    world.write("lib.py", "def f(x):\n    y = x + 1\n    if y > 3:\n        y = 4\n    return y\n")
    world.executed = {"lib.py": frozenset({line})}
    world.prepare = lambda ctx: ctx.__dict__.update(_git=git)  # type: ignore[method-assign,assignment]


EXPECT = Toy(Swap("== 2", "== 3", strategy="expect", words="AssertionError"), name="expect", symptom=True)


@pytest.fixture
def value(world: World) -> World:
    """A test that expects 2 where the product gives 3."""
    world.write(FILE, "import lib\n\n\ndef test_0():\n    assert lib.f(1) == 2\n")
    world.checks[ONE] = lambda t: "" if "== 3" in t[FILE] else "AssertionError: assert 3 == 2"
    return world


def test_changed_logic_is_named_not_healed(value: World) -> None:
    product(value, "    return x + 2")
    r = only(value.heal(EXPECT, **SAFE))
    assert (r.decision.kind, r.decision.rule) == (DecisionKind.REJECTED, "looks like a regression in lib.py:2 (changed in 1a2b3c4)")
    assert r.diagnosis is not None
    assert r.diagnosis.suspect == "lib.py:2 (changed in 1a2b3c4)"
    assert [c for c in value.calls if c.overlay] == [], "what is refused by the verdict is not proved"


def test_a_better_value_that_is_barred_bars_a_worse_one_too(value: World) -> None:
    """The value that the product gives is no regression's sign only if it is stated; another value that passes by chance is no way around that."""
    product(value, "    return x + 2  # 0")
    value.checks[ONE] = lambda t: "" if "== 3" in t[FILE] or "!= 0" in t[FILE] else "AssertionError: assert 3 == 2"
    other = Swap("== 2", "!= 0", strategy="expect", evidence=WEAK, score=0.9, words="AssertionError")
    r = only(value.heal(Toy(other, *EXPECT.tactics, name="expect", symptom=True), **SAFE))
    assert (r.decision.kind, r.decision.rule) == (DecisionKind.REJECTED, "looks like a regression in lib.py:2 (changed in 1a2b3c4)")


def test_what_one_regression_breaks_is_one_record_and_few_runs(world: World) -> None:
    product(world, "    return x + 2")
    number = 60
    world.write(FILE, "import lib\n" + "".join(f"\n\ndef test_{i}():\n    assert lib.f({i}) == {i} + 2\n" for i in range(number)))
    for i in range(number):
        world.checks[f"{FILE}::test_{i}"] = lambda t: "" if "+ 3" in t[FILE] else "AssertionError: wrong"
    expect = Toy(Swap("+ 2", "+ 3", strategy="expect", words="AssertionError"), name="expect", symptom=True)
    r = only(world.heal(expect, **SAFE))
    assert r.decision.rule == "looks like a regression in lib.py:2 (changed in 1a2b3c4)"
    assert len(r.nodeids) == number
    assert len(world.calls) < number / 4


def test_a_failure_of_another_kind_is_not_closed_with_the_others(world: World) -> None:
    product(world, "    return x + 2")
    world.write(FILE, calls("f", "old"))
    world.checks[ONE] = lambda t: "AssertionError: wrong"
    world.needs(TWO, "lib.new(")
    results = world.heal(EXPECT, Toy(Swap("lib.old(", "lib.new(")))
    assert kinds(results) == {ONE: "rejected", TWO: "pending"}


def test_an_expectation_does_not_follow_a_symptom_whose_cause_is_named(value: World) -> None:
    r = only(value.heal(EXPECT, Toy(Advice())))
    assert (r.decision.kind, r.advice, r.changes) == (DecisionKind.ADVISED, "pip install x", ())
    assert r.refused == ("swap: another cause is named: pip install x",)


def test_unless_all_is_to_be_applied(value: World) -> None:
    assert only(value.heal(EXPECT, Toy(Advice()), apply="all")).decision.kind is DecisionKind.APPLIED


def test_advice_about_the_expectation_itself_withholds_nothing(value: World) -> None:
    class Remark(Advice):
        def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
            yield Proposal("expect", "remark", (), (), Applicability.ADVICE, "look", advice="look at it")

    assert only(value.heal(Toy(*EXPECT.tactics, Remark(), name="expect", symptom=True))).success


def test_a_value_that_the_change_states_is_drift(value: World) -> None:
    product(value, "    return 3")
    value.checks[ONE] = lambda t: "" if "== 3" in t[FILE] else "AssertionError: assert 3 == 2"
    expect = Toy(Swap("2\n", "3\n", strategy="expect"), name="expect", symptom=True)
    r = only(value.heal(expect, **SAFE))
    assert r.diagnosis is not None
    assert r.diagnosis.cause is Cause.DRIFT


def test_all_applies_also_against_the_suspicion(value: World) -> None:
    product(value, "    return x + 2")
    assert only(value.heal(EXPECT, apply="all")).decision.kind is DecisionKind.APPLIED


def test_a_regression_behind_a_drift_is_still_named(value: World) -> None:
    """Until the call is healed the test never reaches the changed product: what the second step changes is judged where it stands."""
    value.write(FILE, "import lib\n\n\ndef test_0():\n    assert lib.old(1) == 2\n")
    value.checks[ONE] = lambda t: "AttributeError: no" if "lib.old(" in t[FILE] else "" if "== 3" in t[FILE] else "AssertionError: assert 3 == 2"
    product(value, "    return x + 2")
    real = value.run

    def run(nodeids: Any, overlay: Any, **kw: Any) -> Any:
        report = real(nodeids, overlay, **kw)
        return report if overlay else replace(report, executed={})

    value.run = run  # type: ignore[method-assign]
    r = only(value.heal(EXPECT, Toy(Swap("lib.old(", "lib.f(", words="AttributeError")), **SAFE))
    assert (r.decision.kind, r.decision.rule) == (DecisionKind.REJECTED, "looks like a regression in lib.py:2 (changed in 1a2b3c4)")


def test_an_exception_inside_the_product_behind_a_drift_is_named(world: World) -> None:
    world.write(FILE, "import lib\n\n\ndef test_0():\n    assert lib.old(1) == 2\n")
    inside = Frame(Location("lib.py", 3), "f", "product", "return d[x]")

    def check(texts: Mapping[str, str]) -> str:
        return "AttributeError: no" if "lib.old(" in texts[FILE] else "" if "== 3" in texts[FILE] else "KeyError: 1"

    world.checks[ONE] = check
    real = world.run

    def run(nodeids: Any, overlay: Any, **kw: Any) -> Any:
        report = real(nodeids, overlay, **kw)
        results = {
            n: replace(r, failure=replace(r.failure, frames=(*r.failure.frames, inside))) if r.failure else r for n, r in report.results.items()
        }
        return replace(
            report, results={n: r if r.failure is None or r.failure.exc_type == "KeyError" else report.results[n] for n, r in results.items()}
        )

    world.run = run  # type: ignore[method-assign]
    expect = Toy(Swap("== 2", "== 3", strategy="expect", words="KeyError"), name="expect", symptom=True)
    r = only(world.heal(expect, Toy(Swap("lib.old(", "lib.f(", words="AttributeError")), **SAFE))
    assert (r.decision.kind, r.decision.rule) == (DecisionKind.REJECTED, "looks like a regression in lib.py:3")


def test_unhealed_with_changed_logic_looks_like_a_regression(value: World) -> None:
    product(value, "    return x + 2")
    assert only(value.heal(Toy())).decision.rule == "looks like a regression in lib.py:2 (changed in 1a2b3c4)"


def test_a_refused_heal_is_no_ground_and_no_bar(world: World) -> None:
    """A heal without teeth is refused; another heal of the same lines is not refused for overlapping it."""
    world.write(FILE, "import lib\n\nWANT = 2\n\n\ndef test_0():\n    assert lib.f(1) == WANT\n\n\ndef test_1():\n    assert lib.g(1) == WANT\n")
    world.write("lib.py", "def f(x):\n    y = x + 1\n    if y > 3:\n        y = 4\n    return y\n")
    world.executed = {"lib.py": frozenset({2, 3, 4, 5})}
    world.checks[ONE] = lambda t: "" if "WANT = 3" in t[FILE] else "AssertionError: 3"
    world.checks[TWO] = lambda t: "" if "WANT = 4" in t[FILE] else "AttributeError: 4"
    world.kills = False
    expect = Toy(Swap("WANT = 2", "WANT = 3", strategy="expect", words="3"), name="expect", symptom=True)
    results = world.heal(expect, Toy(Swap("WANT = 2", "WANT = 4", words="4")))
    assert kinds(results) == {ONE: "rejected", TWO: "pending"}
    refused = next(r for r in results if r.test_id == ONE)
    assert refused.decision.rule.startswith("0/")


# -- flaky -------------------------------------------------------------------------------------------------------
def test_what_passes_again_is_flaky_and_its_expectation_stays(value: World) -> None:
    seen = []

    def check(texts: Mapping[str, str]) -> str:
        seen.append(1)
        return ""

    value.failures = [fail(ONE, "AssertionError: assert 3 == 2")]
    value.checks[ONE] = check
    r = only(value.heal(EXPECT))
    assert r.decision.kind is DecisionKind.REJECTED
    assert r.diagnosis is not None
    assert r.diagnosis.cause is Cause.FLAKY
    assert "what it expects is not the cause" in r.refused[-1]


@pytest.mark.parametrize(("every", "cause"), [(9, Cause.FLAKY), (0, Cause.UNKNOWN)], ids=["passes seldom", "never passes"])
def test_where_a_heal_varies_the_unhealed_test_is_run_often(value: World, every: int, cause: Cause) -> None:
    healed: list[str] = []
    unhealed: list[str] = []

    def check(texts: Mapping[str, str]) -> str:
        runs = healed if "== 3" in texts[FILE] else unhealed
        runs.append("")
        if runs is healed:
            return "AssertionError: assert 4 == 3" if len(runs) > 1 else ""
        return "" if every and len(runs) % every == 0 else "AssertionError: assert 3 == 2"

    value.failures = [fail(ONE, "AssertionError: assert 3 == 2")]
    value.checks[ONE] = check
    r = only(value.heal(EXPECT))
    assert r.decision.kind is DecisionKind.REJECTED
    assert r.diagnosis is not None
    assert r.diagnosis.cause is cause
    assert (len(unhealed) > 9) is (cause is Cause.UNKNOWN)


@pytest.mark.parametrize(
    ("strategy", "alone", "kind"),
    [
        ("environment_healing", "", "rejected"),  # a test before it left the working directory, say: that one is to be healed
        ("environment_healing", "AttributeError: broken", "pending"),
        ("toy", "", "pending"),  # a name that is gone is gone: no clean run is asked for
    ],
)
def test_surroundings_that_another_test_left_behind_are_not_what_is_healed(single: World, strategy: str, alone: str, kind: str) -> None:
    single.checks[OTHER + "::test_before"] = lambda texts: ""
    single.write(OTHER, "def test_before(): ...")
    single.checks = dict(reversed(single.checks.items()))  # what runs before it
    near = single.run

    def run(nodeids: Any, overlay: Any, **more: Any) -> RunReport:
        conditions = more.get("conditions")
        if conditions is not None and conditions.clean and ONE in nodeids and not overlay:
            return RunReport({ONE: result(ONE, alone)})
        return near(nodeids, overlay, **more)

    single.run = run  # type: ignore[method-assign]

    class Around(Swap):
        def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
            return diagnosis.cause is not Cause.FLAKY  # as all tactics that are about surroundings

    swap = Around("lib.old(", "lib.new(", strategy=strategy)
    r = only(single.heal(Toy(swap, name=strategy)))
    assert str(r.decision.kind) == kind
    if kind == "rejected":
        assert "it passes, unchanged, when no other test has run before it: what it repairs is not the cause" in r.refused[-1]
        assert r.diagnosis is not None
        assert r.diagnosis.cause is Cause.FLAKY


def test_a_cause_of_a_flaky_test_is_proved_under_its_conditions(value: World) -> None:
    state = {"run": 0}

    def check(texts: Mapping[str, str]) -> str:
        if "lib.g(" in texts[FILE]:
            return ""
        state["run"] += 1
        return "AssertionError: now and then" if state["run"] % 2 == 0 else ""

    value.failures = [fail(ONE, "AssertionError: now and then")]
    value.checks[ONE] = check
    proof = Proof(order=(ONE,), repeats=4, rate=0.5)
    r = only(value.heal(Toy(Swap("lib.f(", "lib.g(", proof=proof)), **SAFE))
    assert r.decision.kind is DecisionKind.APPLIED
    assert next(s for s in r.verdict.steps if s.rung == "stable").reason.startswith("0 failures in 4 runs")


# -- the time that flaky tests take -------------------------------------------------------------------------------------
class Clock:
    """Stands still but for what is added."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Digging(Swap):
    """Heals one test at once; for all others it makes experiments of ten seconds as long as it may."""

    def __init__(self, clock: Clock, *healed: str) -> None:
        super().__init__("lib.old(", "lib.new(")
        self.clock, self.healed, self.asked = clock, healed, dict.fromkeys((ONE, TWO, THREE), 0.0)

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        while failure.nodeid not in self.healed and ctx.experiments.available:
            self.clock.now += 10
            self.asked[failure.nodeid] += 10
        return super().propose(failure, ctx) if failure.nodeid in self.healed else ()


def test_a_flaky_test_that_takes_long_leaves_time_for_the_others(world: World) -> None:
    """The third has its turn although the first two would use up all there is; then these get what is left."""
    for nodeid, path in zip((ONE, TWO, OTHER + "::test_0"), (FILE, FILE, OTHER), strict=True):
        world.write(path, calls("old", "old"))
        world.needs(nodeid, "lib.new(")
    clock = Clock()
    tactic = Digging(clock, OTHER + "::test_0")
    results = world.heal(Toy(tactic), clock=clock, hunted=world.checks, budget=300)
    assert [r.nodeids for r in results if r.success] == [(OTHER + "::test_0",)]
    # a third for each at first, the last one leaves its own to them
    assert tactic.asked[ONE] + tactic.asked[TWO] == pytest.approx(300, abs=40)
    assert tactic.asked[ONE] == pytest.approx(tactic.asked[TWO], abs=40)


class Late(Swap):
    """A tactic that takes long."""

    late = True


@pytest.mark.parametrize(("proved", "asked"), [(True, []), (False, ["asked"])], ids=["another is proved", "none is proved"])
def test_what_takes_long_is_asked_of_a_flaky_test_only_where_nothing_else_is_proved(single: World, proved: bool, asked: list[str]) -> None:
    told: list[str] = []

    class Asked(Late):
        def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
            told.append("asked")
            return super().propose(failure, ctx)

    first = Swap("lib.old(", "lib.new(" if proved else "lib.wrong(")
    r = only(single.heal(Toy(Asked("lib.old(", "lib.new(", name="late"), first), hunted=[ONE]))
    assert (r.success, told[:1], r.tactic) == (True, asked, "swap" if proved else "late")


def test_what_takes_long_competes_where_the_test_fails_every_time(single: World) -> None:
    """There it may be the better one."""
    late = Late("lib.old(1)", "lib.new(1)", name="late")
    r = only(single.heal(Toy(late, Swap("lib.old(", "lib.new(1 and ", evidence=WEAK))))
    assert r.tactic == "late"
