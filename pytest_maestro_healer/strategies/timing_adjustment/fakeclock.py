"""Sleeps that are longer than the test may take: time passes on the fake clock that the project has."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Proposal
from pytest_maestro_healer.strategies.base import Tactic
from pytest_maestro_healer.strategies.environment_healing.place import Place, statement_at, test_function
from pytest_maestro_healer.strategies.environment_healing.writer import Writer, free_name
from pytest_maestro_healer.strategies.timing_adjustment import examples_fakeclock as examples
from pytest_maestro_healer.strategies.timing_adjustment.bounds import number_of
from pytest_maestro_healer.strategies.timing_adjustment.build import proposal
from pytest_maestro_healer.strategies.timing_adjustment.measure import runs, seconds

_RUNS = 3


class FakeClock(Tactic):
    """``time.sleep(60)`` in a test that may take one second."""

    name = "fake_clock"
    summary = "Lets the time of a long sleep pass on a fake clock, where the project already has freezegun, pytest-freezer or time-machine"
    patterns = frozenset({FailurePattern.TIMEOUT})
    applicability = Applicability.REVIEW
    evidence = ("timing", "distribution")
    sources = (
        "https://github.com/spulec/freezegun",
        "https://github.com/pytest-dev/pytest-freezer",
        "https://time-machine.readthedocs.io/en/stable/",
    )
    heals = examples.FAKE_HEALS
    declines = examples.FAKE_DECLINES

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Tests that were stopped."""
        return failure.phase == "call" and "pytest-timeout" in failure.message

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The first clock with which the test passes each time."""
        place = test_function(failure, ctx)
        slept = own_sleep(failure, place)
        if place is None or slept is None or not place.takes_fixtures or not ctx.experiments.available:
            return
        statement, length = slept
        for library, writer in _ways(place, statement, ctx):
            try:
                trial = {place.src.path: place.src.with_edits(writer.edits()).data}
            except EditError:
                continue
            seen = runs(failure, ctx, trial, _RUNS)
            if len(seen) < _RUNS or not all(o.passed for o in seen):
                continue
            took = max(o.seconds for o in seen)
            where = f"{place.src.path}:{statement.lineno}"
            facts = [Evidence("timing", f"{_RUNS} runs with a fake clock take up to {seconds(took)}, the sleep alone {seconds(length)}", where, 0.7)]
            facts.append(Evidence("distribution", f"the project has {library}", "", 0.5))
            made = proposal(
                self.name, [failure], ctx, writer, evidence=facts,
                explanation=f"the test sleeps for {seconds(length)} at {where}, longer than it may take: the time passes on {library}'s clock",
                meaning="the time is to pass for what is tested, not for who waits", safe=False, score=0.7,
            )  # fmt: skip
            if made is not None:
                yield made
                return


def own_sleep(failure: Failure, place: Place | None) -> tuple[ast.stmt, float] | None:
    """The ``time.sleep`` of the test itself in which it was stopped, and its length."""
    if place is None or failure.location is None or failure.location.path != place.src.path:
        return None
    statement = statement_at(place, failure.location.line)
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or len(call.args) != 1 or ast.unparse(call.func).rpartition(".")[2] != "sleep":
        return None
    length = number_of(call.args[0])
    return (statement, length) if statement is not None and length else None


def _ways(place: Place, statement: ast.stmt, ctx: Context) -> Iterator[tuple[str, Writer]]:
    """The libraries that are installed and that the project says it has, with the file that uses them."""
    call = next(n for n in ast.walk(statement) if isinstance(n, ast.Call))
    length = place.src.segment(call.args[0])
    if _has("pytest_freezer", "pytest-freezer", ctx):
        writer = Writer(place.src)
        writer.argument(place.node, "freezer")
        writer.replace_node(statement, f"freezer.tick({length})")
        yield "pytest-freezer", writer
    if _has("freezegun", "freezegun", ctx):
        writer = Writer(place.src)
        freeze, name = writer.imported("freezegun", "freeze_time"), free_name(place.src, "clock", "frozen")
        writer.argument(place.node, "request")
        holder = free_name(place.src, "freezer", "holder")
        writer.start(place.node, [f"{holder} = {freeze}()", f"{name} = {holder}.start()", f"request.addfinalizer({holder}.stop)"])
        writer.replace_node(statement, f"{name}.tick({length})")
        yield "freezegun", writer
    if _has("time_machine", "time-machine", ctx):
        writer = Writer(place.src)
        writer.argument(place.node, "time_machine")
        writer.start(place.node, [f"time_machine.move_to({writer.imported('time', 'time')}())"])
        writer.replace_node(statement, f"time_machine.shift({length})")
        yield "time-machine", writer


def _has(module: str, distribution: str, ctx: Context) -> bool:
    if not ctx.live.importable(module):
        return False
    imports = (f"import {module}".encode(), f"from {module} import".encode())
    return bool(ctx.distributions.declared(distribution)) or any(i in src.data for src in ctx.test_files_with(module) for i in imports)
