"""Order and bounds: what was compared too strictly for what the product promises."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Evidence, Failure, FailurePattern, Proposal, Value
from pytest_maestro_healer.strategies.assertion_update import intent
from pytest_maestro_healer.strategies.assertion_update.case import (
    Change,
    Finding,
    advice,
    alike,
    one_site_many_values,
    origin_of,
    proposal,
    shorten,
    subjects,
)
from pytest_maestro_healer.strategies.assertion_update.examples_values import (
    BOUND_DECLINES,
    BOUND_HEALS,
    ORDER_DECLINES,
    ORDER_HEALS,
    TRUTH_DECLINES,
    TRUTH_HEALS,
)
from pytest_maestro_healer.strategies.assertion_update.floats import number
from pytest_maestro_healer.strategies.assertion_update.strings import Splice
from pytest_maestro_healer.strategies.assertion_update.trace import Tracer
from pytest_maestro_healer.strategies.assertion_update.tree import loop_of, node_at
from pytest_maestro_healer.strategies.base import Tactic

PATTERNS = frozenset({FailurePattern.ASSERTION_FAILURE, FailurePattern.FLAKY_BEHAVIOR})
_UNORDERED = re.compile(
    r"\bset\(|\bfrozenset\(|\{[^{}:]+ for [^{}]+\}|listdir\(|scandir\(|as_completed\("
    r"|\.(?:union|intersection|difference|symmetric_difference|iterdir|glob|rglob)\("
)
_PROMISE = re.compile(
    r"(?:no|any|arbitrary|undefined|unspecified)\s+(?:particular\s+|specific\s+|guaranteed\s+)?order|unordered|order\s+is\s+not", re.I
)
_CLOCK = re.compile(r"time|elapsed|duration|perf_counter|monotonic|seconds|delay|took|clock", re.I)


def only_order(old: Value, new: Value) -> bool:
    """Whether two sequences have the same elements in another order."""
    if old.kind not in ("list", "tuple") or new.kind != old.kind or len(old.items) != len(new.items) or len(old.items) < 2:
        return False
    a, b = [v.source or v.repr for v in old.items], [v.source or v.repr for v in new.items]
    return a != b and sorted(a) == sorted(b)


def unordered_evidence(ctx: Context, actual: str | None) -> Evidence | None:
    """That the actual value has no order of its own: made from a set or a directory, or documented so."""
    if actual and (m := _UNORDERED.search(actual)):
        return Evidence("value", f"`{shorten(actual, 60)}` comes from `{m[0]}`, which has no order", "", 0.7)
    for name in subjects(actual):
        for definition in ctx.symbols.find(name):
            if ctx.is_test_code(definition.path):
                continue
            body = _text_of(ctx, definition.path, definition.line)
            returned = [line for line in body.splitlines() if "return" in line or "yield" in line]
            found = _PROMISE.search(body) or next((m for line in returned if "sorted(" not in line and (m := _UNORDERED.search(line))), None)
            if found:
                return Evidence(
                    "symbol",
                    f"{name} in {definition.path} gives its result without an order (`{shorten(found[0], 40)}`)",
                    f"{definition.path}:{definition.line}",
                    0.8,
                )
    return None


def _text_of(ctx: Context, path: str, line: int) -> str:
    """The text of the product function that starts at ``line``, with its docstring and comments."""
    src = ctx.source(path)
    for node in ast.walk(src.tree) if src and src.tree else ():
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.lineno <= line <= node.lineno and src is not None:
            return src.segment(node)
    return ""


def _sortable(values: Iterable[Value]) -> bool:
    kinds = {v.type for v in values}
    return kinds <= {"str"} or kinds <= {"int", "float"}


class UnorderedCompare(Tactic):
    """A list compared in order although it has none."""

    name = "unordered_comparison"
    summary = "Compares sorted where the product's own code shows that the result has no order"
    patterns = PATTERNS
    applicability = Applicability.REVIEW
    evidence = ("symbol", "value")
    heals = ORDER_HEALS
    declines = ORDER_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """``sorted(...)`` around both sides."""
        c = failure.comparison
        if c is None or c.operator != "==" or c.negated or c.style not in ("assert", "assertEqual", "assertListEqual"):
            return
        left, right = c.operand("left"), c.operand("right")
        if left is None or right is None or not only_order(left.value, right.value) or not _sortable([*left.value.items, *right.value.items]):
            return
        shown = unordered_evidence(ctx, left.source) or unordered_evidence(ctx, right.source)
        src = ctx.source(left.location.path) if left.location else None
        nodes = [node_at(src, o.location) for o in (left, right)] if src else []
        if shown is None or src is None or not all(isinstance(n, ast.expr) for n in nodes) or left.value.kind != "list":
            return
        change = Change()
        for n in nodes:
            assert isinstance(n, ast.expr)
            start, end = src.span(n)
            change.add(src, [Splice(start, end, f"sorted({src.text[start:end]})")])
        finding = Finding(
            self.name, change, alike(failure, ctx), "the same elements in another order: both sides are compared sorted",
            "the order carries no meaning", f"order:{c.location}", [shown], score=0.7,
        )  # fmt: skip
        found = proposal(finding)
        if found is not None:
            yield found


class Bound(Tactic):
    """``assert x < 5``."""

    name = "bound"
    summary = "Moves a literal bound just so far that the actual value is inside, keeping the operator"
    patterns = PATTERNS
    applicability = Applicability.REVIEW
    evidence = ("value", "git")
    heals = BOUND_HEALS
    declines = BOUND_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The tightest bound of the same precision."""
        c = failure.comparison
        if c is None or c.operator not in ("<", "<=", ">", ">=") or c.negated or failure.phase != "call":
            return
        left, right = c.operand("left"), c.operand("right")
        if left is None or right is None:
            return
        tracer = Tracer(failure, ctx)
        origins = [origin_of(left, tracer), origin_of(right, tracer)]
        if (origins[0] is None) == (origins[1] is None):
            return
        at = 0 if origins[0] is not None else 1
        origin, bound, actual = origins[at], (left, right)[at], (left, right)[1 - at]
        value, limit = number(actual.value), number(bound.value)
        if origin is None or value is None or limit is None or _CLOCK.search(f"{actual.source} {failure.function}"):
            return
        if one_site_many_values(failure, ctx, origin) or loop_of(origin.src, origin.node) is not None:
            return
        upper = (c.operator in ("<", "<=")) == (at == 1)
        new = _next(value, limit, upper, strict="=" not in c.operator, written=origin.src.segment(origin.node))
        change = Change()
        start, end = origin.src.span(origin.node)
        change.add(origin.src, [Splice(start, end, new)])
        facts = intent.corroboration(ctx, failure, origin.src.segment(origin.node), new, subjects(actual.source))
        seen = Evidence("value", f"`{shorten(actual.source or '', 60)}` is {actual.value.repr}", origin.where, 0.4)
        finding = Finding(
            self.name, change, [failure], f"the bound at {origin.where} is now {new}",
            f"{shorten(actual.source or '', 60)} may be {actual.value.repr}", f"bound:{origin.where}", [seen], facts, 0.35,
        )  # fmt: skip
        found = proposal(finding)
        if found is not None:
            yield found


def _next(value: float, limit: float, upper: bool, strict: bool, written: str) -> str:
    """The nearest bound beyond ``value`` with as many decimals as were written."""
    digits = len(written.partition(".")[2]) if "." in written and written.partition(".")[2].isdigit() else 0
    if not digits and value != int(value) and "." not in written:
        digits = 2
    step = 10.0**-digits
    scaled = value / step
    found = math.ceil(scaled) if upper else math.floor(scaled)
    if strict and math.isclose(found * step, value, rel_tol=1e-12, abs_tol=0.0):
        found += 1 if upper else -1
    del limit
    return f"{found * step:.{digits}f}"


class Truth(Tactic):
    """A bare ``assert f(x)`` or ``assert not f(x)``."""

    name = "truth_value"
    summary = "Names the product change behind a bare boolean check; reversing it would pass whatever is true, so a person decides"
    patterns = PATTERNS
    applicability = Applicability.ADVICE
    evidence = ("git",)
    heals = TRUTH_HEALS
    declines = TRUTH_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """A text with the hunk that changed what the check calls, for real booleans only."""
        c = failure.comparison
        if c is None or c.operator != "bool" or c.style not in ("assert", "assertTrue", "assertFalse"):
            return
        actual = c.operand("actual")
        changed = self._changed(ctx, subjects(actual.source)) if actual is not None and actual.value.source in ("True", "False") else None
        if changed is not None and actual is not None:
            what = shorten(actual.source or "", 60)
            text = (
                f"`{what}` is {actual.value.source} now ({changed.sentence} at {changed.where}): if that was meant, reverse the check at {c.location}"
            )
            yield advice(self.name, failure, text, [changed], f"truth:{c.location}")

    def _changed(self, ctx: Context, names: list[str]) -> Evidence | None:
        """A product hunk that touches the function the check calls."""
        for name in names[:1]:
            for h in intent.product_hunks(ctx):
                if re.search(rf"\bdef {re.escape(name)}\b", "\n".join([*h.added, *h.removed])) or self._inside(ctx, h.path, h.new_line, name):
                    return Evidence("git", f"{h.path} changed {name}", f"{h.path}:{h.new_line}", 0.6)
        return None

    def _inside(self, ctx: Context, path: str, line: int, name: str) -> bool:
        """Whether a product line stands inside a function of that name."""
        src = ctx.source(path) if path.endswith(".py") else None
        functions = (ast.FunctionDef, ast.AsyncFunctionDef)
        nodes = [n for n in ast.walk(src.tree) if isinstance(n, functions)] if src and src.tree else []
        return any(n.name == name and n.lineno <= line <= (n.end_lineno or n.lineno) for n in nodes)
