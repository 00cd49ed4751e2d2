"""Fixed sleeps that are sometimes too short: polls with a deadline."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Proposal
from pytest_maestro_healer.strategies.base import Tactic
from pytest_maestro_healer.strategies.environment_healing.place import Place, failing_function, statement_at, test_function
from pytest_maestro_healer.strategies.environment_healing.writer import Writer, free_name
from pytest_maestro_healer.strategies.timing_adjustment import examples_sleeps as examples
from pytest_maestro_healer.strategies.timing_adjustment.bounds import number_of
from pytest_maestro_healer.strategies.timing_adjustment.build import advice, proposal
from pytest_maestro_healer.strategies.timing_adjustment.conditions import Wanted, joined, wanted
from pytest_maestro_healer.strategies.timing_adjustment.helpers import Helper, helper
from pytest_maestro_healer.strategies.timing_adjustment.measure import (
    LEAST,
    MARGIN,
    bound,
    evidence,
    group,
    measured,
    proof,
    rounded,
    runs,
    seconds,
    slower_than_before,
    written,
)

#: The longest wait of an experiment, and how much longer than the slowest run what was waited for has to stay as it is.
PATIENCE, STAYS = 2.0, 3.0


@dataclass(frozen=True)
class Sleep:
    """A pause of fixed length in a test: its statement, the call and the literal in it."""

    statement: ast.stmt
    call: ast.Call
    literal: ast.expr
    value: float
    awaited: bool


class FixedSleep(Tactic):
    """``time.sleep`` before an assertion."""

    name = "fixed_sleep"
    summary = "Turns a fixed sleep before an assertion into a poll with a deadline: it ends when the condition holds, however long that takes"
    patterns = frozenset({FailurePattern.ASSERTION_FAILURE, FailurePattern.TIMEOUT, FailurePattern.FLAKY_BEHAVIOR, FailurePattern.UNKNOWN})
    applicability = Applicability.SAFE
    evidence = ("timing",)
    sources = (
        "https://docs.python.org/3/library/time.html#time.monotonic",
        "https://testing.googleblog.com/2017/04/where-do-our-flaky-tests-come-from.html",
    )
    heals = examples.SLEEP_HEALS
    declines = examples.SLEEP_DECLINES

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Errors of the test itself; whether a sleep stands before them is looked at in the source."""
        return failure.phase == "call" and bool(failure.frames) and not failure.is_a("NameError", "ImportError", "SyntaxError")

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The poll, where what is waited for comes, and a longer sleep makes the unhealed test pass too."""
        place = failing_function(failure, ctx) or test_function(failure, ctx)
        line = failure.location.line if failure.location else 0
        failing = statement_at(place, line) if place else None
        if place is None or failing is None or not ctx.experiments.available:
            return
        pause = next(iter(sleeps_before(place, failing)), None)
        if pause is None:
            return
        condition = condition_after(place, pause.statement, failing)
        if condition is None:
            if any(self._slept(failure, ctx, place, pause, longer) for longer in (max(0.3, 5 * pause.value), PATIENCE)):
                yield from self._lengthened(failure, ctx, place, pause)
            return
        try:
            trial = place.src.with_edits(self._polled(place, pause, condition, PATIENCE, None).edits()).data
        except EditError:
            return
        data, _ = measured(failure, ctx, {place.src.path: trial})
        if data is None or not self._slept(failure, ctx, place, pause, max(0.1, 2 * pause.value, STAYS * data.longest)):
            return  # it never comes, or it was on its way to something else
        became = slower_than_before(failure, ctx, data.median)
        if became and became.refused:
            fact = evidence(data, seconds(data.longest), "the slowest run", f"{place.src.path}:{pause.statement.lineno}")
            yield advice(self.name, failure, f"slower than before, and by a change of the product: {became.text}", [fact])
            return
        under, rate = proof(failure, ctx)
        if rate == 0.0:
            return
        deadline = bound(data.longest)
        where = f"{place.src.path}:{pause.statement.lineno}"
        facts = [evidence(data, f"{written(deadline)} s", f"deadline = {MARGIN:g} times the longest, at least {LEAST:g} s", where)]
        facts.append(Evidence("reruns", f"unchanged, the test fails in {rate:.0%} of the runs{' under load' if under else ''}", failure.path, 0.4))
        facts += [became.fact] if became else []
        made = proposal(
            self.name, group(failure, ctx, [line]), ctx, self._polled(place, pause, condition, deadline, helper(place.src, ctx)), evidence=facts,
            explanation=f"{written(pause.value)} s of sleep at {where} are not always enough: what is waited for takes up to {seconds(data.longest)}",
            meaning=f"wait until {condition.positive}", safe=condition.looks and became is None, score=0.85, proof=under,
        )  # fmt: skip
        if made is not None:
            yield made

    def _lengthened(self, failure: Failure, ctx: Context, place: Place, pause: Sleep) -> Iterable[Proposal]:
        """What is waited for cannot be asked without an effect: the sleep itself is made longer."""
        where = f"{place.src.path}:{pause.statement.lineno}"
        became = slower_than_before(failure, ctx, pause.value)
        if became and became.refused:
            fact = Evidence("timing", f"a longer sleep than {written(pause.value)} s makes the test pass", where, 0.6)
            yield advice(self.name, failure, f"slower than before, and by a change of the product: {became.text}", [fact])
            return
        length = rounded(max(pause.value, 0.001) * 1.5)
        while length < PATIENCE:
            writer = Writer(place.src)
            writer.replace_node(pause.literal, written(length))
            data, _ = measured(failure, ctx, {place.src.path: place.src.with_edits(writer.edits()).data})
            if data is not None:
                break
            length = rounded(length * 1.5)
        under, rate = proof(failure, ctx)
        if rate == 0.0 or length >= PATIENCE:
            return
        writer = Writer(place.src)
        writer.replace_node(pause.literal, written(rounded(3 * length)))
        told = f"{written(length)} s of sleep were enough in every run, also under load; three times that, rounded up to 1, 2 or 5"
        made = proposal(
            self.name, [failure], ctx, writer, evidence=[Evidence("timing", told, where, 0.6)],
            explanation=f"{written(pause.value)} s of sleep at {where} are not enough, and what is waited for cannot be polled",
            meaning=f"sleep {written(rounded(3 * length))} s", safe=False, score=0.6, proof=under,
        )  # fmt: skip
        if made is not None:
            yield made

    @staticmethod
    def _slept(failure: Failure, ctx: Context, place: Place, pause: Sleep, longer: float) -> bool:
        """Whether the unhealed test passes with a longer sleep."""
        writer = Writer(place.src)
        writer.replace_node(pause.literal, f"{max(min(longer, PATIENCE), pause.value):.3g}")
        seen = runs(failure, ctx, {place.src.path: place.src.with_edits(writer.edits()).data}, 1)
        return bool(seen) and seen[0].passed

    @staticmethod
    def _polled(place: Place, pause: Sleep, condition: Wanted, deadline: float, known: Helper | None) -> Writer:
        writer = Writer(place.src)
        indent = place.src.indent_of(pause.statement.lineno)
        sleep = place.src.segment(pause.call.func)
        step = "0.01" if pause.value >= 0.01 else "0.001"
        if known is not None and known.is_async <= pause.awaited:
            writer.replace_node(pause.statement, known.call(writer, condition.positive, written(deadline)))
            return writer
        clock = writer.imported("time", "monotonic")
        name = free_name(place.src, "deadline", "wait_until")
        nap = f"{'await ' if pause.awaited else ''}{sleep}({step})"
        lines = [f"{name} = {clock}() + {written(deadline)}", f"while {condition.negative} and {clock}() < {name}:", f"    {nap}"]
        writer.replace_node(pause.statement, f"\n{indent}".join(lines))
        return writer


def sleeps_before(place: Place, failing: ast.stmt) -> Iterator[Sleep]:
    """The fixed sleeps in front of a statement, in its block or in one around it, nearest first."""
    found = [s for block in _blocks(place.node) for s in _in_front(block, failing)]
    for statement in sorted(found, key=lambda n: -n.lineno):
        value = statement.value if isinstance(statement, ast.Expr) else None
        awaited = isinstance(value, ast.Await)
        call = value.value if isinstance(value, ast.Await) else value
        if isinstance(call, ast.Call) and len(call.args) == 1 and not call.keywords:
            name = last_name(call.func)
            number = number_of(call.args[0])
            if name == "sleep" and number is not None and 0 <= number < PATIENCE:
                yield Sleep(statement, call, call.args[0], number, awaited)


def _blocks(node: ast.AST) -> Iterator[Sequence[ast.stmt]]:
    for n in ast.walk(node):
        for part in ("body", "orelse", "finalbody"):
            block = getattr(n, part, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                yield block


def _in_front(block: Sequence[ast.stmt], failing: ast.stmt) -> Iterator[ast.stmt]:
    for i, statement in enumerate(block):
        if statement.lineno <= failing.lineno <= (statement.end_lineno or 0):
            yield from block[:i]


def condition_after(place: Place, pause: ast.stmt, failing: ast.stmt) -> Wanted | None:
    """What the assertions behind a pause wait for: the failing one, and those next to it."""
    block = next((b for b in _blocks(place.node) if pause in b), [])
    assigned: dict[str, ast.expr] = {}
    found: list[Wanted] = []
    main: Wanted | None = None
    for statement in block[list(block).index(pause) + 1 :]:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
            assigned[statement.targets[0].id] = statement.value
            continue
        one = wanted(statement, place.src, assigned)
        if one is None:
            break
        found.append(one)
        if statement is failing:
            main = one
    if main is None:
        return None
    alike = [w for w in found if w.looks]
    return joined(alike) if main in alike and len(alike) <= 3 else main
