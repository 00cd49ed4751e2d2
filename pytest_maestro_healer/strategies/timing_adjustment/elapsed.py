"""Upper bounds of measured durations that are tighter than the machine."""

from __future__ import annotations

import ast
import re
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Proposal
from pytest_maestro_healer.strategies.base import Tactic
from pytest_maestro_healer.strategies.environment_healing.place import Place, failing_function, statement_at, test_function
from pytest_maestro_healer.strategies.environment_healing.writer import Writer
from pytest_maestro_healer.strategies.timing_adjustment import examples_elapsed as examples
from pytest_maestro_healer.strategies.timing_adjustment.bounds import literal_of, number_of
from pytest_maestro_healer.strategies.timing_adjustment.build import advice, proposal
from pytest_maestro_healer.strategies.timing_adjustment.measure import IDLE, LOADED, RULE, group, proof, rounded, runs, slower_than_before, written

#: The new bound is that many times the slowest run, and no more than that many times the old one.
MARGIN, WIDEST = 3.0, 10.0
_CLOCK = re.compile(
    r"elapsed|duration|took|seconds|runtime|latency|delta|\bdt\b|perf_counter|monotonic|process_time|timeit|time\.time|total_seconds|_time\b|\btime_"
)


@dataclass(frozen=True)
class Upper:
    """One upper bound of a comparison: the literal and its value."""

    node: ast.expr
    value: float
    other: str


class ElapsedBound(Tactic):
    """``assert elapsed < 0.1``."""

    name = "elapsed_bound"
    summary = "Widens an upper bound of a measured duration to three times the slowest of several runs; lower bounds stay, and so does the assertion"
    patterns = frozenset({FailurePattern.TIMEOUT, FailurePattern.ASSERTION_FAILURE, FailurePattern.FLAKY_BEHAVIOR})
    applicability = Applicability.REVIEW
    evidence = ("timing",)
    sources = ("https://docs.python.org/3/library/time.html#time.perf_counter",)
    heals = examples.ELAPSED_HEALS
    declines = examples.ELAPSED_DECLINES

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Comparisons by order, in the test itself."""
        return failure.phase == "call" and failure.is_a("AssertionError") and bool(re.search(r"[<>]|assert(Less|Greater)", failure.statement))

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The measured bound."""
        place = failing_function(failure, ctx) or test_function(failure, ctx)
        statement = statement_at(place, failure.location.line) if place and failure.location else None
        if place is None or statement is None or not ctx.experiments.available:
            return
        found = [u for u in _uppers(statement, place) if _is_clock(u, place, failure)]
        if len(found) != 1:
            return
        upper = found[0]
        idle = self._values(failure, ctx, place, upper, IDLE, 0)
        loaded = self._values(failure, ctx, place, upper, LOADED, ctx.machine.cpus)
        if not idle or not loaded:
            return
        longest, old = max(*idle, *loaded), upper.value
        where = f"{place.src.path}:{upper.node.lineno}"
        data = f"{len(idle)} runs measure {statistics.median(idle):.2g} (median) to {max(idle):.2g}, {len(loaded)} under load up to {max(loaded):.2g}"
        became = slower_than_before(failure, ctx, statistics.median(idle))
        fact = Evidence("timing", f"{data}; the bound is {written(old)}", where, 0.8)
        if became and became.refused:
            yield advice(self.name, failure, f"slower than before, and by a change of the product: {became.text}", [fact])
            return
        under, rate = proof(failure, ctx)
        target = rounded(MARGIN * longest)
        if rate == 0.0 or target <= old:
            return
        if target > WIDEST * old:
            text = f"{data}, where {written(old)} is allowed at {where}: too far apart to widen the bound; look at what became slow"
            yield advice(self.name, failure, text, [fact])
            return
        writer = Writer(place.src)
        writer.replace_node(upper.node, written(target))
        facts = [Evidence("timing", f"{data}; bound = {MARGIN:g} times the longest, {RULE}: {written(target)}", where, 0.8)]
        facts += [became.fact] if became else []
        made = proposal(
            self.name, group(failure, ctx, [statement.lineno]), ctx, writer, evidence=facts,
            explanation=f"the bound {written(old)} at {where} is tighter than this machine: up to {longest:.2g} is measured",
            meaning=f"up to {written(target)} is fast enough", safe=False, score=0.75, proof=under,
        )  # fmt: skip
        if made is not None:
            yield made

    @staticmethod
    def _values(failure: Failure, ctx: Context, place: Place, upper: Upper, times: int, load: int) -> list[float]:
        """What the test measures: an impossible bound makes it fail there, with the value at hand."""
        writer = Writer(place.src)
        writer.replace_node(upper.node, "-1")
        trial = {place.src.path: place.src.with_edits(writer.edits()).data}
        out = []
        for seen in runs(failure, ctx, trial, times, load):
            comparison = seen.failure.comparison if seen.failure is not None else None
            values = [v for o in (comparison.operands if comparison else ()) if (v := _float(o.value.source)) is not None and v > 0]
            if values:
                out.append(max(values))
        return out


def _float(text: str | None) -> float | None:
    try:
        value = ast.literal_eval(text or "")
    except (ValueError, SyntaxError):
        return None
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _uppers(statement: ast.stmt, place: Place) -> Iterator[Upper]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            for i, op in enumerate(node.ops):
                if isinstance(op, (ast.Lt, ast.LtE)):
                    yield from _upper(sides[i + 1], sides[i], place)
                elif isinstance(op, (ast.Gt, ast.GtE)):
                    yield from _upper(sides[i], sides[i + 1], place)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and len(node.args) >= 2:
            if node.func.attr in ("assertLess", "assertLessEqual"):
                yield from _upper(node.args[1], node.args[0], place)
            elif node.func.attr in ("assertGreater", "assertGreaterEqual"):
                yield from _upper(node.args[0], node.args[1], place)


def _upper(bound: ast.expr, other: ast.expr, place: Place) -> Iterator[Upper]:
    literal = literal_of(place, bound)
    value = number_of(literal)
    if literal is not None and value is not None and value > 0 and number_of(other) is None:
        yield Upper(literal, value, ast.unparse(other))


def _is_clock(upper: Upper, place: Place, failure: Failure) -> bool:
    """Whether the other side is a duration, by its name or by what it was set to."""
    if _CLOCK.search(upper.other):
        return True
    for node in ast.walk(place.node):
        if (
            isinstance(node, ast.Assign)
            and any(isinstance(t, ast.Name) and t.id == upper.other for t in node.targets)
            and _CLOCK.search(ast.unparse(node.value))
        ):
            return True
    return False
