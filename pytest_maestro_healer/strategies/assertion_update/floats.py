"""Equality of floats that differ by rounding only."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Evidence, Failure, FailurePattern, Proposal, Value
from pytest_maestro_healer.strategies.assertion_update.case import Change, Finding, alike, proposal, shorten, sides_of
from pytest_maestro_healer.strategies.assertion_update.examples_values import FLOAT_DECLINES, FLOAT_HEALS
from pytest_maestro_healer.strategies.assertion_update.render import imported_names
from pytest_maestro_healer.strategies.assertion_update.strings import Splice
from pytest_maestro_healer.strategies.assertion_update.trace import Tracer
from pytest_maestro_healer.strategies.assertion_update.tree import node_at
from pytest_maestro_healer.strategies.base import Tactic

#: More than that many units in the last place is another value, not rounding.
_ULPS = 64


def number(value: Value) -> float | None:
    """The float (or int) that a value is."""
    try:
        found = ast.literal_eval(value.source or "")
    except (ValueError, SyntaxError):
        return None
    return float(found) if isinstance(found, (int, float)) and not isinstance(found, bool) and math.isfinite(found) else None


def numbers(old: Value, new: Value) -> list[tuple[float, float]] | None:
    """The pairs of numbers of two scalars, or of two flat sequences of the same length; ``None`` for anything else."""
    pairs = [(old, new)]
    if old.kind in ("list", "tuple") and old.kind == new.kind and len(old.items) == len(new.items) and old.items:
        pairs = list(zip(old.items, new.items, strict=True))
    out = []
    for a, b in pairs:
        x, y = number(a), number(b)
        if x is None or y is None:
            return None
        out.append((x, y))
    return out


def is_rounding(old: Value, new: Value) -> bool:
    """Whether the values are floats that differ by the noise of a few operations."""
    pairs = numbers(old, new)
    if not pairs or "float" not in (old.type, new.type, *(v.type for v in [*old.items, *new.items])):
        return False
    return all(x == y or abs(x - y) <= _ULPS * math.ulp(max(abs(x), abs(y), 1e-300)) for x, y in pairs)


def tolerance(pairs: list[tuple[float, float]]) -> str:
    """The next power of ten above the observed relative difference, at least a few units in the last place."""
    worst = max(abs(x - y) / max(abs(x), abs(y)) for x, y in pairs if x != y)
    return f"1e{max(-15, math.ceil(math.log10(worst)) + 1)}"


class FloatApprox(Tactic):
    """``==`` between floats."""

    name = "float_approx"
    summary = "Compares floats that differ by rounding through pytest.approx, no wider than the rounding that was observed"
    patterns = frozenset({FailurePattern.ASSERTION_FAILURE})
    applicability = Applicability.SAFE
    evidence = ("value",)
    sources = ("https://docs.pytest.org/en/stable/reference/reference.html#pytest-approx", "https://docs.python.org/3/tutorial/floatingpoint.html")
    heals = FLOAT_HEALS
    declines = FLOAT_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """Wrap the expected side."""
        c = failure.comparison
        if c is None or c.operator != "==" or c.negated or c.style not in ("assert", "assertEqual", "assertListEqual", "assertTupleEqual"):
            return
        left, right = c.operand("left"), c.operand("right")
        if left is None or right is None or left.location is None or right.location is None or not is_rounding(left.value, right.value):
            return
        sides = sides_of(failure, Tracer(failure, ctx), c)
        expected = sides.expected if sides else right
        src = ctx.source(expected.location.path) if expected.location else None
        node = node_at(src, expected.location) if src else None
        pairs = numbers(left.value, right.value)
        if src is None or not isinstance(node, ast.expr) or not pairs or ctx.is_helper(src.path):
            return
        limit = tolerance(pairs)
        approx, needed = _approx(imported_names(src))
        change = Change()
        start, end = src.span(node)
        if c.style != "assert" and not _unittest_accepts(c.style):
            return
        change.add(src, [Splice(start, end, f"{approx}({src.text[start:end]}, rel={limit})")], needed)
        x, y = max(pairs, key=lambda p: abs(p[0] - p[1]))
        apart = abs(x - y) / math.ulp(max(abs(x), abs(y)))
        found = proposal(
            Finding(
                self.name, change, alike(failure, ctx), f"{shorten(left.source or '')} and {shorten(right.source or '')} differ by rounding only",
                "the difference is rounding", f"float:{src.path}:{c.location.line if c.location else 0}",
                [Evidence("value", f"{y!r} and {x!r} are {apart:.0f} units in the last place apart", str(c.location or ""), 0.8)],
                score=0.85, safe=True,
            )
        )  # fmt: skip
        if found is not None:
            yield found


def _unittest_accepts(style: str) -> bool:
    return style == "assertEqual"


def _approx(known: dict[str, str]) -> tuple[str, list[str]]:
    for name, dotted in known.items():
        if dotted == "pytest.approx":
            return name, []
    for name, dotted in known.items():
        if dotted == "pytest":
            return f"{name}.approx", []
    return "pytest.approx", ["import pytest"]
