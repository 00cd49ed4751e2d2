"""Operands of two matched checks: does the second still compare the whole value with one that is written out, and as closely?"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from pytest_maestro_healer.edit.guards.checks import Check, exception_names
from pytest_maestro_healer.edit.guards.expressions import (
    Scope,
    calls,
    computed,
    constant,
    dump,
    last_name,
    number,
    root_name,
    states_value,
    words,
)  # fmt: skip
from pytest_maestro_healer.edit.guards.limits import Limits

#: Functions and methods that throw information away: applied to a compared value they accept more than the value itself.
_PROJECTIONS = words(
    "len type bool set frozenset round int any all abs id hash callable min max sum lower upper casefold strip lstrip rstrip startswith "
    "endswith keys count isspace floor ceil trunc sorted Counter"
)
_ORDER_ONLY = frozenset({"sorted", "set", "frozenset", "Counter"})
_LOOSE_TRUE = frozenset({"check_like", "equal_nan", "ignore_order", "ignore_case", "ignore_whitespace", "partial", "allow_extra"})


def tolerance_widened(before: Check, after: Check, scope: Scope | None, limits: Limits) -> list[str]:
    """Why an approximate comparison accepts more than before; empty where it does not."""
    if after.op != "approx" or after.tolerance is None:
        return []
    rel, absolute = after.tolerance
    if before.op == "approx" and before.tolerance is not None:
        base_rel, base_abs = before.tolerance
        if rel <= max(base_rel, limits.max_rel) * 1.0001 and absolute <= max(base_abs, 1e-12) * 1.0001:
            return []
    scale = _scale(after, scope)
    base = before.tolerance or (0.0, 0.0)
    if "approx" not in limits.allow and (rel > max(base[0], limits.max_rel) * 1.0001 or absolute > max(base[1], limits.max_rel * scale, 1e-12) * 1.6):
        return [f"the tolerance of `{after.short}` is wider than {limits.max_rel:g} of the value warrants"]
    if rel >= 0.5 or absolute >= max(scale, 1e-3) * 0.5 or rel != rel:
        return [f"the tolerance of `{after.short}` accepts almost anything"]
    return []


def _scale(check: Check, scope: Scope | None) -> float:
    for side in (check.right, check.left):
        node = scope.resolve(side, check.line) if scope else side
        if isinstance(node, ast.Call) and last_name(node) == "approx" and node.args:
            node = node.args[0]
        numbers = [abs(v) for n in ast.walk(node) if (v := number(n) if isinstance(n, ast.Constant) else None)] if node is not None else []
        if numbers:
            return min(numbers)
    return 1.0


def told_less(before: Check, after: Check) -> list[str]:
    """Options of an asserting call that make it compare less; empty where there are none."""
    had = {k.arg: dump(k.value) for k in before.options}
    for k in after.options:
        if k.arg is None or had.get(k.arg) == dump(k.value):
            continue
        value = constant(k.value)
        if (value is True and k.arg in _LOOSE_TRUE) or (value is False and (k.arg.startswith("check_") or k.arg in ("strict", "exact"))):
            return [f"`{after.short}` is told to compare less ({k.arg}={value})"]
        if (
            k.arg in ("rtol", "atol", "rel", "abs", "delta", "places", "decimal")
            and after.op != "approx"
            and k.arg not in had
            and (number(k.value) or 1) > 1e-6
        ):
            return [f"`{after.short}` has a new tolerance ({k.arg})"]
    strict = {k.arg for k in before.options if constant(k.value) is True and k.arg in ("strict", "exact", "check_exact")}
    if strict - {k.arg for k in after.options}:
        return [f"`{after.short}` is no longer strict"]
    return []


# -- operands --------------------------------------------------------------------------------------------------
def operands_weaker(before: Check, after: Check, old: Scope | None, new: Scope | None, limits: Limits) -> list[str]:
    """Why the operands of ``after`` say less than those of ``before``; ``old`` and ``new`` resolve variables."""
    a = [old.resolve(s, before.line) if old else s for s in (before.left, before.right)]
    b = [new.resolve(s, after.line) if new else s for s in (after.left, after.right)]
    if [dump(s) for s in a] == [dump(s) for s in b] and before.op == after.op:
        return []
    out = _members(before, after)
    if (
        before.text != after.text
        and not (words(before.text) & words(after.text) - {"assert"})
        and not any(words(_source(x)) & words(_source(y)) for x in a for y in b if x is not None and y is not None)
    ):
        out.append(f"`{before.short}` was replaced by the unrelated `{after.short}`")
    if after.op in ("==", "is", "approx", "unordered", "in") and before.op in ("==", "is", "approx", "unordered", "in"):
        out += _expected(after, a, b)
    out += _projected(before, after, a, b, limits)
    out += _bounds(before, after, a, b, limits)
    if (
        before.op == after.op == "truth"
        and isinstance(before.left, ast.Call)
        and isinstance(after.left, ast.Name)
        and last_name(before.left.func) == after.left.id
    ):
        out.append(f"`{after.short}` looks at the function instead of calling it")
    return out


def _source(node: ast.expr) -> str:
    return ast.unparse(node)


def _members(before: Check, after: Check) -> list[str]:
    if before.op == after.op == "or" and len(after.members) > len(before.members):
        return [f"`{after.short}` has one more way to pass"]
    if after.op in ("isinstance", "hasattr") and before.op == after.op:
        one, two = exception_names(before.right), exception_names(after.right)
        if (one and len(set(two)) > len(set(one))) or ("object" in two and "object" not in one):
            return [f"`{after.short}` accepts more types than before"]
    if after.op in ("!=", "is not", "not in") and _is_none(after.right) and not _is_none(before.right):
        return [f"`{after.short}` excludes None only"]
    if before.op == "isinstance" == after.op or before.op not in ("in", "subset"):
        return []
    x, y = constant(before.right), constant(after.right)
    if after.op == "in" and isinstance(x, (list, tuple, set, dict)) and isinstance(y, (list, tuple, set, dict)) and len(y) > len(x):
        return [f"`{after.short}` accepts more values than before"]
    needle, shorter = constant(before.left), constant(after.left)
    if after.op != "in" or not isinstance(needle, str) or not isinstance(shorter, str):
        return []
    if not shorter.strip() or (len(shorter) * 2 < len(needle) and shorter in needle):
        return [f"`{after.short}` looks for much less than before"]
    return []


def _is_none(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _expected(after: Check, a: Sequence[ast.expr | None], b: Sequence[ast.expr | None]) -> list[str]:
    """An expected value that was written out must stay written out, or the product is compared with itself."""
    stated = [i for i, s in enumerate(a) if states_value(s)]
    if not stated or any(states_value(s) for s in b):
        return []
    actual = {last_name(c) for i, s in enumerate(a) if i not in stated for c in calls(s)} | {root_name(s) for i, s in enumerate(a) if i not in stated}
    if after.op == "in" and 0 in stated and 1 not in stated:
        return [f"the expected value of `{after.short}` is computed now instead of written out"] if computed(b[0]) else []
    kept = [dump(s) for i, s in enumerate(a) if i not in stated]
    sides = [s for s in b if dump(s) not in kept] or list(b)
    if (
        all(computed(s) for s in sides if s is not None)
        or any(last_name(c) in actual for s in sides for c in calls(s))
        or any(root_name(s) in actual - {"self", ""} for s in sides[:1] if len(sides) == 1)
    ):
        return [f"the expected value of `{after.short}` is computed now instead of written out"]
    return []


def _projections(node: ast.expr | None) -> list[tuple[str, ast.expr]]:
    found: list[tuple[str, ast.expr]] = []
    for n in ast.walk(node) if node is not None else ():
        if isinstance(n, ast.Call) and last_name(n.func) in _PROJECTIONS:
            if isinstance(n.func, ast.Attribute):
                found.append((n.func.attr, n.func.value))
            elif n.args:
                found.append((last_name(n.func), n.args[0]))
        elif isinstance(n, ast.Subscript) and isinstance(n.slice, ast.Slice):
            found.append(("a slice", n.value))
    return found


def _projected(before: Check, after: Check, a: Sequence[ast.expr | None], b: Sequence[ast.expr | None], limits: Limits) -> list[str]:
    if before.op not in ("==", "is", "approx", "unordered"):
        return []
    old = {(name, dump(inner)) for s in (*a, before.left, before.right) for name, inner in _projections(s)}
    whole = {dump(s) for s in (*a, before.left, before.right) if s is not None}
    counts = [sum(1 for s in sides for _ in _projections(s)) for sides in (a, b)]
    for side in (*b, after.left, after.right):
        for name, inner in _projections(side):
            if (name, dump(inner)) in old or (name in _ORDER_ONLY and "unordered" in limits.allow):
                continue
            if name in _ORDER_ONLY and after.op == before.op == "unordered":
                continue
            scalar = isinstance(constant(b[1]), (bool, int, type)) and isinstance(constant(a[1]), (list, tuple, dict, set, str, bytes))
            if dump(inner) in whole or (counts[1] > counts[0] and scalar):
                return [f"`{after.short}` compares only {name} of the value that was compared whole"]
    if before.op == after.op == "unordered" and _outer(b) == {"set"} and _outer(a) & {"sorted", "Counter"}:
        return [f"`{after.short}` no longer counts duplicates"]
    return []


def _outer(sides: Sequence[ast.expr | None]) -> set[str]:
    return {"set" if last_name(s) == "frozenset" else last_name(s) for s in sides}


def _bounds(before: Check, after: Check, a: Sequence[ast.expr | None], b: Sequence[ast.expr | None], limits: Limits) -> list[str]:
    if before.op not in ("<", "<=") or after.op not in ("<", "<="):
        return []
    lower = [number(a[0]), number(b[0])]
    upper = [number(a[1]), number(b[1])]
    if (upper[0] is None and lower[0] is not None and upper[1] is not None) or (lower[0] is None and upper[0] is not None and lower[1] is not None):
        return [f"`{after.short}` turns the comparison round"]
    if dump(a[0]) == dump(b[1]) and dump(a[1]) == dump(b[0]) and dump(a[0]) != dump(a[1]):
        return [f"`{after.short}` turns the comparison round"]
    for (x, y), sign in ((upper, 1), (lower, -1)):
        if x is None or y is None or (y - x) * sign <= 0:
            continue
        if (
            y in (float("inf"), float("-inf"))
            or (x == 0 and abs(y) > limits.max_widening)
            or (x * sign > 0 and y > x * limits.max_widening)
            or (sign < 0 and x > 0 and (y <= 0 or y * limits.max_widening < x))
        ):
            return [f"the bound of `{after.short}` was moved too far: {x:g} became {y:g}"]
    return []
