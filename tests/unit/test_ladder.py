"""The proof ladder over a runner of which everything is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.experiments import Conditions
from pytest_maestro_healer.model import Proof
from pytest_maestro_healer.prove.ladder import ENOUGH, MUTANTS, Climb, Ladder
from tests.unit.worlds import FILE, World

ONE, TWO, SETS = f"{FILE}::test_0", f"{FILE}::test_1", f"{FILE}::test_p[1]"
OTHER = "tests/test_b.py::test_x"
NEW = {FILE: b"new\n"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write(FILE, "old\n")
    made.checks = {ONE: heals, TWO: heals}
    return made


@pytest.fixture
def ladder(world: World) -> Ladder:
    return Ladder(world, HealerConfig())


def heals(texts: Mapping[str, str]) -> str:
    return "" if "new" in texts[FILE] else "AssertionError: old"


def says(*answers: str) -> Callable[[Mapping[str, str]], str]:
    """One answer after the other, the last one for ever."""
    left = list(answers)
    return lambda texts: left.pop(0) if len(left) > 1 else left[0]


# -- guard and rerun ---------------------------------------------------------------------------------------------
def test_guard(ladder: Ladder) -> None:
    assert ladder.guarded(lambda: []).passed is True
    refused = ladder.guarded(lambda: ["weakens", "pins"])
    assert (refused.passed, refused.reason) == (False, "weakens; pins")


def test_rerun(world: World, ladder: Ladder) -> None:
    climb = ladder.rerun([ONE, TWO], NEW)
    assert (climb.ok, climb.healed, dict(climb.left)) == (True, (ONE, TWO), {})
    world.checks[TWO] = says("AssertionError: still")
    climb = ladder.rerun([ONE, TWO], NEW)
    assert (climb.ok, climb.healed) == (False, (ONE,))
    assert climb.left[TWO] is not None
    assert climb.steps[0].reason == "1 of 2 still fail"


@pytest.mark.parametrize("answer", ["missing", "xpass", "AssertionError: x"])
def test_what_does_not_pass_is_left(world: World, ladder: Ladder, answer: str) -> None:
    world.checks[ONE] = says(answer)
    assert not ladder.rerun([ONE], NEW).ok


@pytest.mark.parametrize("answer", ["skip", "xfail"])
def test_a_skip_proves_nothing(world: World, ladder: Ladder, answer: str) -> None:
    world.checks[ONE] = says(answer)
    climb = ladder.rerun([ONE], NEW)
    assert (climb.ok, climb.healed, set(climb.left)) == (False, (), {ONE})
    assert ladder.rerun([ONE, TWO], NEW).ok


def test_a_run_that_breaks_down(world: World, ladder: Ladder) -> None:
    world.problem = lambda call: "hang: 1 s"
    climb = ladder.rerun([ONE], NEW)
    assert (climb.steps[0].passed, climb.steps[0].reason, set(climb.left)) == (False, "hang: 1 s", {ONE})
    assert ladder.stable([ONE], NEW).passed is False
    assert ladder.steady(Proof(), [ONE], NEW).passed is False
    assert ladder.fresh([ONE], NEW, frozenset())[0].reason == "hang: 1 s"
    assert ladder.under(Proof(), [ONE], {}, NEW).steps[0].reason == "hang: 1 s"
    assert ladder.teeth([ONE], NEW, lambda p: b"").passed is None


def test_nothing_ran_is_no_success(ladder: Ladder) -> None:
    assert ladder.rerun([], NEW).healed == ()
    assert Climb(()).ok


# -- stable ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("repeats", [1, 2, 5])
def test_stable(world: World, ladder: Ladder, repeats: int) -> None:
    assert ladder.stable([ONE], NEW, repeats).passed is True
    assert len(world.calls) == repeats


def test_one_bad_repeat_is_enough(world: World, ladder: Ladder) -> None:
    world.checks[ONE] = says("", "", "AssertionError: 3")
    step = ladder.stable([ONE, TWO], NEW, 5)
    assert (step.passed, step.reason) == (False, f"{ONE} fails on repeat 3: its result differs between runs")
    assert len(world.calls) == 3


def test_without_repeats_it_says_nothing(world: World, ladder: Ladder) -> None:
    assert ladder.stable([ONE], NEW, 0).passed is None
    assert ladder.steady(Proof(repeats=0), [ONE], NEW).passed is None
    assert world.calls == []


# -- under stated conditions -------------------------------------------------------------------------------------
def test_under_conditions_it_must_fail_before_and_pass_after(ladder: Ladder) -> None:
    climb = ladder.under(Proof(order=(TWO, ONE)), [ONE], {}, NEW)
    assert (climb.ok, climb.healed) == (True, (ONE,))


def test_what_does_not_fail_before_proves_nothing(world: World, ladder: Ladder) -> None:
    world.checks[ONE] = says("")
    climb = ladder.under(Proof(order=(ONE,), repeats=3), [ONE], {}, NEW)
    assert not climb.ok
    assert "did not fail in 3 runs" in climb.steps[0].reason
    assert len(world.calls) == 3


def test_a_measured_rate_stands_for_the_failure(world: World, ladder: Ladder) -> None:
    world.checks[ONE] = says("")
    assert ladder.under(Proof(order=(ONE,), fails_before=False), [ONE], {}, NEW).ok
    assert len(world.calls) == 1


def test_a_claimed_test_outside_the_order_is_no_failure(world: World, ladder: Ladder) -> None:
    """The run says nothing of it: neither that it failed before nor that it is healed."""
    world.checks[ONE] = says("")
    assert not ladder.under(Proof(order=(ONE,)), [ONE, TWO], {}, NEW).ok
    world.checks[ONE] = heals
    climb = ladder.under(Proof(order=(ONE,)), [ONE, TWO], {}, NEW)
    assert (climb.ok, climb.healed) == (True, (ONE,))


def test_a_neighbour_in_the_order_that_the_edit_breaks_is_left(world: World, ladder: Ladder) -> None:
    world.checks[TWO] = lambda t: "AssertionError: broken" if "new" in t[FILE] else ""
    climb = ladder.under(Proof(order=(TWO, ONE)), [ONE], {}, NEW)
    assert (climb.ok, set(climb.left)) == (False, {TWO})


def test_a_neighbour_that_failed_already_is_not(world: World, ladder: Ladder) -> None:
    world.checks[TWO] = says("AssertionError: always")
    assert ladder.under(Proof(order=(TWO, ONE)), [ONE], {}, NEW).ok


@pytest.mark.parametrize(
    ("proof", "conditions"),
    [
        (Proof(repeats=1), [Conditions(clean=True)]),
        (Proof(repeats=1, order=(ONE,)), [Conditions(clean=True, ordered=True)]),
        (Proof(repeats=1, fresh=True), [Conditions(clean=True, fresh=True)]),
        (
            Proof(repeats=3, environments=({"TZ": "A"}, {"TZ": "B"})),
            [Conditions(clean=True, fresh=True, env={"TZ": z}) for z in ("A", "B", "A")],
        ),
    ],
)
def test_conditions(world: World, ladder: Ladder, proof: Proof, conditions: list[Conditions]) -> None:
    assert ladder.steady(proof, [ONE], NEW).passed is True
    assert [c.conditions for c in world.calls] == conditions


def test_steady_says_the_bound(world: World, ladder: Ladder) -> None:
    reason = ladder.steady(Proof(repeats=59, rate=0.4), [ONE], NEW).reason
    assert reason == "0 failures in 59 runs (failed in 40% before); failure rate under 5.0% (95 %, Clopper-Pearson)"
    world.checks[ONE] = says("", "AssertionError: x")
    assert ladder.steady(Proof(repeats=9), [ONE], NEW).reason == f"{ONE} fails in run 2 of 9"


# -- teeth -------------------------------------------------------------------------------------------------------
PRODUCT = b"def f(a):\n    b = a + 1\n    c = b * 2\n    return c - 3\n"


def chew(world: World, killed: list[bool | None] | bool | None, *, files: int = 1, **more: Any) -> Any:
    world.executed = {f"lib{i}.py": frozenset({2, 3, 4}) for i in range(files)}
    asked = []

    def kill(nodeids: Any, overlay: Any, mutants: Any) -> list[bool | None]:
        asked.extend(mutants)
        return killed if isinstance(killed, list) else [killed] * len(mutants)

    world.killed = kill  # type: ignore[method-assign]
    step = Ladder(world, HealerConfig()).teeth([ONE], NEW, more.pop("source", lambda p: PRODUCT), **more)
    return step, asked


@pytest.mark.parametrize(
    ("killed", "expectation", "passed"),
    [(True, True, True), (True, False, True), (False, True, False), (False, False, None), (None, True, None), (None, False, None)],
)
def test_teeth(world: World, killed: bool | None, expectation: bool, passed: bool | None) -> None:
    step, asked = chew(world, killed, expectation=expectation)
    assert step.passed is passed
    at_least = 1 if killed and not expectation else ENOUGH
    assert at_least <= len(asked) <= MUTANTS


def test_a_heal_that_left_all_checks_is_done_with_the_first_that_is_noticed(world: World) -> None:
    step, asked = chew(world, True, expectation=False)
    assert (len(asked), step.reason) == (1, "1/1 mutants of the product are noticed")


def test_of_too_few_mutants_none_is_tried(world: World) -> None:
    step, asked = chew(world, True, source=lambda p: b"def f(a):\n    return a\n")
    assert (step.passed, asked) == (None, [])


def test_what_may_only_take_longer_is_tried_last(world: World) -> None:
    """Where the first mutant that is noticed ends it; where all are tried, they come as they are."""
    product = b"def f(a):\n    wait(0.04)\n    b = a + 1\n    return b\n"
    _, tried = chew(world, [False], expectation=False, source=lambda p: product)
    assert [m.number for m in tried] == sorted(m.number for m in tried)
    assert {m.number for m in tried} == {False, True}
    _, tried = chew(world, True, source=lambda p: product)
    assert tried[0].number


def test_one_dead_mutant_is_teeth_and_the_living_are_named(world: World) -> None:
    _, asked = chew(world, True)
    step, _ = chew(world, [True] + [False] * (len(asked) - 1))
    assert step.passed is True
    assert step.reason.startswith(f"1/{len(asked)} mutants of the product are noticed; not: `")
    assert len(step.details) == len(asked)
    assert [d.partition(":")[0] for d in step.details[:2]] == ["noticed", "not noticed"]
    assert all(" at lib0.py:" in d for d in step.details)


def test_too_few_that_could_be_tried_say_nothing(world: World) -> None:
    _, asked = chew(world, True)
    step, _ = chew(world, [False] * (ENOUGH - 1) + [None] * (len(asked) - ENOUGH + 1))
    assert step.passed is None


@pytest.mark.parametrize("source", [lambda p: None, lambda p: b"", lambda p: b"def f(:\n"], ids=["gone", "empty", "broken"])
def test_products_that_cannot_be_read(world: World, source: Any) -> None:
    assert chew(world, True, source=source)[0].passed is None


@pytest.mark.parametrize("files", [1, 2, 4, 20])
def test_mutants_are_capped_and_spread_over_files(world: World, files: int) -> None:
    _, asked = chew(world, True, files=files)
    assert len(asked) <= MUTANTS
    assert len({m.path for m in asked}) == min(files, 4)


# -- fresh -------------------------------------------------------------------------------------------------------
def fresh(ladder: Ladder, *nodeids: str, passed: tuple[str, ...] = (), overlay: Mapping[str, bytes] = NEW) -> tuple[bool | None, str, frozenset[str]]:
    step, lost = ladder.fresh(nodeids, overlay, frozenset(passed))
    return step.passed, step.reason, lost


def test_fresh_runs_the_touched_files_whole(world: World, ladder: Ladder) -> None:
    assert fresh(ladder, ONE) == (True, "1 file in a fresh process", frozenset())
    assert world.calls[0].nodeids == (FILE,)
    assert world.calls[0].fresh


def test_fresh_takes_edited_files_of_passing_tests_with_it(world: World, ladder: Ladder) -> None:
    world.write("tests/test_b.py", "x")
    world.checks[OTHER] = says("")
    assert fresh(ladder, ONE, passed=(OTHER,), overlay={**NEW, "tests/test_b.py": b"y", "tests/helper.py": b"z"})[0]
    assert world.calls[0].nodeids == (FILE, "tests/test_b.py")


@pytest.mark.parametrize("answer", ["AssertionError: x", "xpass", "missing"])
def test_fresh_refuses_what_is_not_healed_there(world: World, ladder: Ladder, answer: str) -> None:
    world.checks[ONE] = says(answer)
    passed, reason, lost = fresh(ladder, ONE)
    assert (passed, lost) == (False, frozenset({ONE}))
    assert reason == f"in a fresh process {ONE} fails (not healed there)"


def test_fresh_refuses_what_breaks_a_neighbour(world: World, ladder: Ladder) -> None:
    world.checks[TWO] = says("AssertionError: x")
    assert fresh(ladder, ONE)[0] is True, "it failed before"
    assert fresh(ladder, ONE, passed=(TWO,)) == (False, f"in a fresh process {TWO} fails (passed before the edit)", frozenset({TWO}))


def test_fresh_takes_new_parameter_ids_for_the_old(world: World, ladder: Ladder) -> None:
    world.checks = {SETS.replace("1", "2"): says(""), SETS.replace("1", "3"): says("")}
    assert fresh(ladder, SETS)[0] is True
    world.checks[SETS.replace("1", "3")] = says("AssertionError: x")
    assert fresh(ladder, SETS)[0] is False


def test_fresh_is_not_confirmed_by_nothing(world: World, ladder: Ladder) -> None:
    world.checks = {}
    assert fresh(ladder, ONE)[0] is False


def test_a_file_healed_at_collection_needs_a_passing_test(world: World, ladder: Ladder) -> None:
    assert fresh(ladder, FILE)[0] is True
    world.checks = {FILE + "x::test_0": says("")}
    assert fresh(ladder, FILE)[0] is False
    world.checks = {ONE: says("skip")}
    assert fresh(ladder, FILE)[0] is False
