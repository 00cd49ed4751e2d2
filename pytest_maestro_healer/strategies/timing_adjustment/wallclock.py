"""Durations that a test measures with the wall clock, which somebody may set meanwhile."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.evidence.clocks import ClockRead, clock_reads
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.experiments import Conditions
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Proof, Proposal, World
from pytest_maestro_healer.strategies.base import Tactic
from pytest_maestro_healer.strategies.environment_healing.place import Place, failing_function, statement_at, test_function
from pytest_maestro_healer.strategies.environment_healing.writer import Writer
from pytest_maestro_healer.strategies.timing_adjustment import examples_wallclock as examples
from pytest_maestro_healer.strategies.timing_adjustment.build import advice, proposal
from pytest_maestro_healer.strategies.timing_adjustment.measure import runs, seconds, slower_than_before

#: How far the clock is set back and forth in the proof, and how much longer than the whole test a duration has to be to be impossible.
_HOUR, _SLACK = 3600.0, 0.05
_RUNS = 3
_STEADY = {"time.time": "perf_counter", "time.time_ns": "perf_counter_ns"}
_BY_ORDER = re.compile(r"[<>]|assert(Less|Greater)|isclose|approx|AlmostEqual")
_FIELDS = {"days": 86400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0, "milliseconds": 1e-3, "microseconds": 1e-6}


@dataclass(frozen=True)
class Measurement:
    """The readings whose differences the failing statement looks at."""

    reads: tuple[ClockRead, ...]

    def steadied(self, place: Place) -> Writer:
        """The file with every one of them taken from a clock that only goes forward."""
        writer = Writer(place.src)
        renamed = self._renamed(place, writer)
        for r in self.reads:
            if r.source in _STEADY:
                writer.replace_node(r.node.func, renamed or writer.imported("time", _STEADY[r.source]))
            else:
                writer.replace_node(r.node, f"{writer.imported('datetime', 'timedelta')}(seconds={writer.imported('time', 'perf_counter')}())")
        return writer

    def _renamed(self, place: Place, writer: Writer) -> str:
        """Where nothing else uses a clock that is imported by its name: the other one imported instead, by its name."""
        tree, first = place.src.tree or place.node, self.reads[0]
        uses = {id(n) for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == first.name}
        if first.source not in _STEADY or not first.name or not uses <= {id(r.node.func) for r in self.reads}:
            return ""
        aliases = [a for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module == "time" for a in n.names]
        mine = [a for a in aliases if (a.asname or a.name) == first.name]
        if len(mine) != 1 or any(a.name == _STEADY[first.source] for a in aliases):
            return ""
        writer.replace_node(mine[0], _STEADY[first.source])
        return _STEADY[first.source]


class WallClock(Tactic):
    """``started = time.time() ... assert time.time() - started < 1``."""

    name = "wall_clock"
    summary = "Measures a duration with a clock that only goes forward, where the wall clock was set meanwhile or is too coarse; the bounds stay"
    patterns = frozenset({FailurePattern.TIMEOUT, FailurePattern.ASSERTION_FAILURE, FailurePattern.FLAKY_BEHAVIOR})
    applicability = Applicability.SAFE
    evidence = ("timing", "experiment")
    sources = ("https://docs.python.org/3/library/time.html#time.perf_counter", "https://peps.python.org/pep-0418/")
    heals = examples.CLOCK_HEALS
    declines = examples.CLOCK_DECLINES

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Comparisons of numbers or durations, in the test itself."""
        return failure.phase == "call" and failure.is_a("AssertionError") and bool(_BY_ORDER.search(failure.statement))

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The same measurement with :func:`time.perf_counter`, where the test passes with that."""
        place = failing_function(failure, ctx) or test_function(failure, ctx)
        statement = statement_at(place, failure.location.line) if place and failure.location else None
        if place is None or statement is None or not ctx.experiments.available:
            return
        found = measurement(place, statement)
        if found is None:
            return
        try:
            trial = {place.src.path: place.src.with_edits(found.steadied(place).edits()).data}
        except EditError:
            return
        good = runs(failure, ctx, trial, _RUNS)
        if len(good) < _RUNS or not all(o.passed for o in good):
            return  # it takes that long by any clock
        fact, sure = self._clock_was_set(failure), True
        if fact is not None:
            again = runs(failure, ctx, {}, 1)
            fact = fact if again and again[0].passed else None  # who sets it each time is no accident
        if fact is None:
            again = runs(failure, ctx, {}, _RUNS)
            bad = sum(not o.passed for o in again)
            if not bad:
                return
            told = f"with the wall clock it fails in {bad} of {len(again)} runs, with a clock that only goes forward in none of {_RUNS}"
            fact, sure = Evidence("timing", told, str(failure.location), 0.7), bad == len(again)
            became = slower_than_before(failure, ctx, failure.duration) if sure else None
            if became and became.told:
                yield advice("wall_clock", failure, f"by a change of the product the test fails: {became.text}", [fact])
                return
            sure = sure and became is None
        worlds = tuple(w for w in (World(step=-_HOUR), World(step=_HOUR)) if not self._passes(failure, ctx, w))
        if not worlds:
            return
        shown = Evidence("experiment", f"setting the clock by {seconds(_HOUR)} while the test runs makes it fail", failure.path, 0.6)
        names = ", ".join(dict.fromkeys(r.source for r in found.reads))
        made = proposal(
            "wall_clock", [failure], ctx, found.steadied(place), evidence=[fact, shown],
            explanation=f"the duration is measured with {names}, which jumps when the clock is set; now with time.perf_counter",
            meaning="the duration is meant, not the time of day", safe=sure, score=0.9, proof=Proof(repeats=4, worlds=worlds),
        )  # fmt: skip
        if made is not None:
            yield made

    @staticmethod
    def _clock_was_set(failure: Failure) -> Evidence | None:
        """A duration that cannot be: negative, or longer than the whole test took by another clock."""
        values = [v for o in (failure.comparison.operands if failure.comparison else ()) if (v := in_seconds(o.value.source)) is not None]
        measured = values[0] if values else None
        for v in values:
            if v < 0:
                return Evidence(
                    "timing", f"the test measured {v:.3g} s: time does not run backwards, the clock was set back", str(failure.location), 0.9
                )
        if measured is not None and failure.duration and measured > failure.duration + _SLACK:
            told = f"the test measured {measured:.3g} s, and took {failure.duration:.3g} s as a whole: the clock was set forward"
            return Evidence("timing", told, str(failure.location), 0.9)
        return None

    @staticmethod
    def _passes(failure: Failure, ctx: Context, world: World) -> bool:
        seen = ctx.experiments.observe([failure.nodeid], ctx.overlay, Conditions(world=world)).get(failure.nodeid)
        return seen is not None and seen.passed


def in_seconds(source: str | None) -> float | None:
    """The number of a literal, or of a ``timedelta``."""
    try:
        node = ast.parse(source or "", mode="eval").body
    except SyntaxError:
        return None
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("timedelta") and not any(k.arg not in _FIELDS for k in node.keywords):
        values = [(k.arg, _number(k.value)) for k in node.keywords] + [("days", _number(a)) for a in node.args[:1]]
        return None if len(node.args) > 1 or any(v is None for _, v in values) else sum(_FIELDS[n or ""] * (v or 0.0) for n, v in values)
    return _number(node)


def _number(node: ast.expr) -> float | None:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def measurement(place: Place, statement: ast.stmt) -> Measurement | None:
    """The readings behind the durations of a statement; ``None`` where there are none, or where they are used for anything else."""
    if place.src.tree is None:
        return None
    reads = {id(r.node): r for r in clock_reads(place.src.tree, place.node)}
    assigned: dict[str, list[ast.expr]] = {}
    for node in ast.walk(place.node):
        for target, value in _assignments(node):
            assigned.setdefault(target, []).append(value)
    taken: dict[int, ClockRead] = {}
    points: set[str] = set()
    for difference in _differences(statement, assigned):
        for side in (difference.left, difference.right):
            values = [side] if not isinstance(side, ast.Name) else assigned.get(side.id, [])
            mine = [reads[id(v)] for v in values if id(v) in reads]
            if not mine or len(mine) != len(values):
                break
            taken.update((id(r.node), r) for r in mine)
            points |= {side.id} if isinstance(side, ast.Name) else set()
    kinds = {r.owner for r in taken.values()}
    if len(taken) < 2 or len(kinds) != 1 or kinds - {"time.time", "time.time_ns", "datetime.datetime"} or any(_zoned(r) for r in taken.values()):
        return None
    return Measurement(tuple(taken.values())) if all(_only_subtracted(place.node, name, taken) for name in points) else None


def _zoned(read: ClockRead) -> bool:
    return bool(read.node.args or read.node.keywords) and read.method != "now"


def _assignments(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        yield from ((t.id, node.value) for t in node.targets if isinstance(t, ast.Name))
    elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and isinstance(node.target, ast.Name) and node.value is not None:
        yield node.target.id, node.value


def _differences(statement: ast.stmt, assigned: dict[str, list[ast.expr]]) -> Iterator[ast.BinOp]:
    """The subtractions in a statement, and in what the names in it were set to."""
    todo: list[ast.AST] = [statement]
    seen: set[str] = set()
    while todo:
        for node in ast.walk(todo.pop()):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
                yield node
            elif isinstance(node, ast.Name) and node.id not in seen:
                seen.add(node.id)
                todo += assigned.get(node.id, [])


def _only_subtracted(function: ast.AST, name: str, taken: dict[int, ClockRead]) -> bool:
    """Whether a point in time is used for nothing but differences to the other ones."""
    fine: set[int] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
            fine |= {id(n) for n in (node.left, node.right)}
    uses: Sequence[ast.Name] = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]
    return all(id(n) in fine for n in uses)
