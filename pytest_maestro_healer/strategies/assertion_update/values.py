"""Expected values: the literal that an assertion was compared with, wherever it was written."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Evidence, Failure, FailurePattern, Proposal, Value
from pytest_maestro_healer.strategies.assertion_update import intent
from pytest_maestro_healer.strategies.assertion_update.case import (
    Change,
    Finding,
    Sides,
    advice,
    alike,
    also_used,
    degenerate,
    facts_for,
    one_site_many_values,
    proposal,
    shorten,
    sides_of,
    subjects,
    volatile,
    writer_for,
)
from pytest_maestro_healer.strategies.assertion_update.examples_values import EXPECTED_DECLINES, EXPECTED_HEALS
from pytest_maestro_healer.strategies.assertion_update.floats import is_rounding
from pytest_maestro_healer.strategies.assertion_update.orders import only_order, unordered_evidence
from pytest_maestro_healer.strategies.assertion_update.render import Unwritable
from pytest_maestro_healer.strategies.assertion_update.strings import Splice
from pytest_maestro_healer.strategies.assertion_update.structure import Differ
from pytest_maestro_healer.strategies.assertion_update.told import masked, told_by
from pytest_maestro_healer.strategies.assertion_update.trace import Origin, Tracer
from pytest_maestro_healer.strategies.base import Tactic

PATTERNS = frozenset({FailurePattern.ASSERTION_FAILURE, FailurePattern.API_CHANGE})
EQUALITY = ("==", "is")
SINGLETONS = ("None", "True", "False", "...", "NotImplemented")


def compared(failure: Failure, tracer: Tracer) -> Sides | None:
    """The sides of a failed equality."""
    c = failure.comparison
    if c is None or c.negated or c.operator not in EQUALITY or failure.phase != "call":
        return None
    return sides_of(failure, tracer, c)


def edit_value(change: Change, failure: Failure, tracer: Tracer, origin: Origin, old: Value, new: Value) -> None:
    """Add the splices that turn ``origin`` into ``new``; raises :class:`Unwritable`."""
    src = origin.src
    writer = writer_for(src, failure, told_by(failure, origin))

    def follow(node: ast.expr, before: Value | None, after: Value) -> list[Splice] | None:
        inner = tracer.trace(node, src, before)
        if inner is None or inner.src is not src or inner.node is node:
            raise Unwritable(ast.unparse(node))
        return Differ(src, writer, follow).edit(inner.node, inner.written(before), inner.written(after) or after)

    splices = Differ(src, writer, follow).edit(origin.node, origin.written(old), origin.written(new) or new)
    change.add(src, splices, writer.imports)


class ExpectedValue(Tactic):
    """An expected literal that the product no longer produces."""

    name = "expected_value"
    summary = "Updates an expected value where it was written, changing only the parts that differ"
    patterns = PATTERNS
    applicability = Applicability.REVIEW
    evidence = ("value", "git", "docs")
    heals = EXPECTED_HEALS
    declines = EXPECTED_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """One proposal for this value and for all parameter sets of the same assertion."""
        tracer = Tracer(failure, ctx, stripped=True)
        sides = compared(failure, tracer)
        if sides is None or failure.comparison is None or failure.comparison.style == "pandas":
            return
        old, new = sides.expected.value, sides.actual.value
        if new.truncated or not new.type or is_rounding(old, new):
            return
        if failure.comparison.operator == "is" and new.source not in SINGLETONS and "." not in (new.source or "") and new.type != "type":
            return
        if only_order(old, new) and unordered_evidence(ctx, sides.actual.source) is not None:
            return
        facts = facts_for(ctx, failure, old, new, sides.actual.source)
        if degenerate(new) and not degenerate(old) and not facts:
            return
        refused = self._refused(failure, ctx, sides)
        if refused is not None:
            yield refused
            return
        found = self._change(failure, ctx, sides, facts)
        if found is not None:
            yield found

    def _refused(self, failure: Failure, ctx: Context, sides: Sides) -> Proposal | None:
        old, new = sides.expected.value, sides.actual.value
        why = volatile(old.source or old.repr, masked(new.source or new.repr, told_by(failure, sides.origin)), ctx)
        if why:
            what = shorten(sides.actual.source or "the actual value")
            text = f"{what} is not the same in every run ({why}): no literal can be right; compare what is stable"
            return advice("nondeterministic_value", failure, text, [Evidence("value", why, sides.origin.where, 0.8)])
        why = one_site_many_values(failure, ctx, sides.origin) or also_used(sides, failure)
        if why:
            return advice("several_values", failure, f"not edited: {why}", [Evidence("value", why, sides.origin.where, 0.6)])
        against = intent.contradiction(ctx, subjects(sides.actual.source), old.source or "", new.source or "")
        if against is not None:
            text = f"looks like a regression: {shorten(sides.actual.source or '')} gives {shorten(new.repr)}, but {against.sentence}"
            return advice("contradicted", failure, text, [against])
        return None

    def _change(self, failure: Failure, ctx: Context, sides: Sides, facts: list[Evidence]) -> Proposal | None:
        change = Change()
        healed: list[Failure] = []
        places: list[str] = []
        wanted: dict[tuple[str, int], str] = {}
        for other in alike(failure, ctx):
            tracer = Tracer(other, ctx, stripped=True)
            theirs = sides if other is failure else compared(other, tracer)
            if theirs is None or (other is not failure and (theirs.origin.src is not sides.origin.src or theirs.actual.value.truncated)):
                continue
            key = (theirs.origin.src.path, theirs.origin.src.span(theirs.origin.node)[0])
            new = theirs.actual.value
            if wanted.setdefault(key, new.repr) != new.repr:
                why = f"the expected value at {theirs.origin.where} would have to be {shorten(new.repr, 40)} and {shorten(wanted[key], 40)} at once"
                return advice("several_values", failure, f"not edited: {why}", [Evidence("value", why, theirs.origin.where, 0.6)])
            if other is not failure and (degenerate(new) or volatile(theirs.expected.value.repr, masked(new.repr, told_by(other, theirs.origin)))):
                continue
            trial = Change()
            try:
                edit_value(trial, other, tracer, theirs.origin, theirs.expected.value, new)
            except Unwritable:
                if other is failure:
                    return None
                continue
            for src, splices in trial.splices.items():
                change.add(src, splices, trial.imports.get(src, ()))
            healed.append(other)
            places.append(theirs.origin.where)
        return self._proposal(failure, ctx, sides, facts, change, healed, places)

    def _proposal(
        self, failure: Failure, ctx: Context, sides: Sides, facts: list[Evidence], change: Change, healed: list[Failure], places: list[str]
    ) -> Proposal | None:
        old, new = sides.expected.value, sides.actual.value
        what = shorten(sides.actual.source or "the actual value", 60)
        seen = Evidence("value", f"`{what}` gave {shorten(new.repr)} where {shorten(old.repr)} was expected", sides.origin.where, 0.5)
        shared = sides.origin.shared or ctx.is_helper(sides.origin.src.path)
        score = 0.55 - (0.1 if shared else 0) - (0.15 if old.kind != new.kind or (old.type != new.type and old.kind == "scalar") else 0)
        rows = f" ({len(healed)} rows)" if len(healed) > 1 and sides.origin.row else ""
        return proposal(
            Finding(
                self.name,
                change,
                healed,
                f"the expected {sides.origin.via} at {', '.join(dict.fromkeys(places))}{rows} now reads as `{what}` gives it",
                f"{what} is {shorten(new.repr, 60)}",
                f"value:{sides.origin.src.path}:{failure.comparison.location.line if failure.comparison and failure.comparison.location else 0}",
                [seen],
                [] if shared and len(facts) < 2 else facts,
                score,
            )
        )
