"""The expected arguments of a mock's call."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Evidence, Failure, FailurePattern, Proposal, Value
from pytest_maestro_healer.strategies.assertion_update.case import Change, Finding, advice, facts_for, proposal, shorten, volatile, writer_for
from pytest_maestro_healer.strategies.assertion_update.examples_calls import MOCK_DECLINES, MOCK_HEALS
from pytest_maestro_healer.strategies.assertion_update.layout import Items
from pytest_maestro_healer.strategies.assertion_update.matching import differs, is_literal, text_of
from pytest_maestro_healer.strategies.assertion_update.render import Unwritable, Writer
from pytest_maestro_healer.strategies.assertion_update.strings import Splice
from pytest_maestro_healer.strategies.assertion_update.structure import Differ
from pytest_maestro_healer.strategies.assertion_update.trace import Tracer
from pytest_maestro_healer.strategies.assertion_update.tree import loop_of, node_at
from pytest_maestro_healer.strategies.base import Tactic


class MockCall(Tactic):
    """``mock.assert_called_with(...)``."""

    name = "mock_call"
    summary = "Updates the arguments in assert_called_with and its kind to those of the call that was made"
    patterns = frozenset({FailurePattern.ASSERTION_FAILURE, FailurePattern.API_CHANGE})
    applicability = Applicability.REVIEW
    evidence = ("value", "git", "docs")
    heals = MOCK_HEALS
    declines = MOCK_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """Only the arguments that differ."""
        c = failure.comparison
        if c is None or c.style != "mock" or failure.phase != "call":
            return
        expected, actual, count = c.operand("expected"), c.operand("actual"), c.operand("count")
        src = ctx.source(c.location.path) if c.location else None
        node = node_at(src, c.location, ast.Call) if src else None
        if (
            expected is None
            or actual is None
            or src is None
            or not isinstance(node, ast.Call)
            or len(actual.value.items) != 2
            or len(expected.value.items) != 2
        ):
            return
        if count is not None and count.value.source == "0":
            return
        if "once" in c.operator and count is not None and count.value.source != "1":
            yield advice(
                self.name, failure, f"the mock was called {count.value.source} times: how often is the product's behaviour, not a value to update"
            )
            return
        if volatile(expected.value.repr, actual.value.repr) or loop_of(src, node) is not None:
            return
        writer = writer_for(src, failure)
        change = Change()
        try:
            change.add(src, arguments(src, node, expected.value, actual.value, writer, Tracer(failure, ctx)), writer.imports)
        except Unwritable:
            return
        seen = Evidence("value", f"the mock was called as {shorten(actual.value.repr)}, not as {shorten(expected.value.repr)}", str(c.location), 0.5)
        facts = facts_for(ctx, failure, expected.value, actual.value, None)
        found = proposal(
            Finding(
                self.name,
                change,
                [failure],
                f"the expected call is now {shorten(actual.value.repr)}",
                f"the call is {shorten(actual.value.repr, 60)}",
                f"mock:{c.location}",
                [seen],
                facts,
                0.5,
            )
        )
        if found is not None:
            yield found


def arguments(src: SourceFile, node: ast.Call, old: Value, new: Value, writer: Writer, tracer: Tracer) -> list[Splice]:
    """Splices that turn the arguments of ``node`` from one captured call into another; raises :class:`Unwritable`."""

    def follow(expr: ast.expr, before: Value | None, after: Value) -> list[Splice] | None:
        inner = tracer.trace(expr, src, before)
        if inner is None or inner.src is not src or not is_literal(inner.node):
            raise Unwritable(ast.unparse(expr))
        return [Splice(*src.span(expr), writer.text(after))]

    if any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords) or len(node.args) != len(old.items[0].items):
        raise Unwritable("* or ** in the call")
    differ = Differ(src, writer, follow)
    positional_old, positional_new = old.items[0].items, new.items[0].items
    out: list[Splice] = []
    for arg, a, b in zip(node.args, positional_old, positional_new, strict=False):
        out += differ.edit(arg, a, b)
    names_old = {text_of(k) or "": v for k, v in zip(old.items[1].keys, old.items[1].items, strict=True)}
    names_new = {text_of(k) or "": v for k, v in zip(new.items[1].keys, new.items[1].items, strict=True)}
    layout = Items(src, node, [src.span(x) for x in (*node.args, *node.keywords)])
    for i, k in enumerate(node.keywords, len(node.args)):
        name = k.arg or ""
        if name not in names_new:
            out += layout.delete(i, i + 1)
        elif differs(names_old.get(name), names_new[name]):
            out += differ.edit(k.value, names_old.get(name), names_new[name])
    if len(positional_new) < len(node.args):
        out += layout.delete(len(positional_new), len(node.args))
    extra = [writer.text(v) for v in positional_new[len(node.args) :]]
    if extra:
        out += layout.insert(len(node.args), extra)
    named = [f"{n}={writer.text(v)}" for n, v in names_new.items() if n not in names_old]
    if named:
        out += layout.insert(len(layout.spans), named)
    return out
