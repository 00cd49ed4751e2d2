"""Assertions that cannot fail."""

from __future__ import annotations

import ast

from pytest_maestro_healer.edit.guards.checks import Check, exception_names
from pytest_maestro_healer.edit.guards.expressions import Scope, constant, dump, is_constant, last_name, number


def vacuous(check: Check, scope: Scope | None) -> str:
    """Why a check can never fail, ``""`` where it can."""
    sides = [scope.resolve(s, check.line) if scope else s for s in (check.left, check.right)]
    left, right = sides
    short = check.short
    if check.op == "truth":
        if isinstance(left, ast.Tuple) and left.elts:
            return f"`{short}` asserts a tuple, which is always true"
        if is_constant(left) or isinstance(left, (ast.JoinedStr, ast.Lambda)):
            return f"`{short}` is always true"
    if check.op == "false" and is_constant(left):
        return f"`{short}` is always true"
    if check.op == "or":
        if any(constant(m) not in (..., False, None, 0, "") for m in check.members):
            return f"`{short}` is always true"
        negated = {dump(m.operand) for m in check.members if isinstance(m, ast.UnaryOp)}
        if any(dump(m) in negated for m in check.members):
            return f"`{short}` is always true"
    if right is None or check.op in ("raises", "warns"):
        return ""
    if check.op in ("==", "is", "<=", "approx", "unordered", "subset", "in") and _same(left, right):
        return f"`{short}` compares a value with itself"
    if all(is_constant(s) for s in sides) and check.op not in ("isinstance", "hasattr"):
        return f"`{short}` compares constants only"
    if check.op in ("==", "!=", "in") and any(last_name(s) == "ANY" for s in sides):
        return f"`{short}` compares with ANY"
    if (
        check.op == "<="
        and number(left) is not None
        and (number(left) or 0) <= 0
        and last_name(right) in ("len", "abs")
        and isinstance(right, ast.Call)
    ):
        return f"`{short}` is always true"
    if check.op == "isinstance" and "object" in exception_names(right):
        return f"`{short}` is always true"
    if check.op == "in" and (
        constant(left) in ("", b"") or (isinstance(right, (ast.List, ast.Tuple, ast.Set)) and any(_same(left, e) for e in right.elts))
    ):
        return f"`{short}` is always true"
    if (check.op == "regex" and constant(left) in ("", ".*")) or (check.op == "regex" and constant(right) in ("", ".*")):
        return f"`{short}` is always true"
    return ""


def _same(left: ast.expr | None, right: ast.expr | None) -> bool:
    def bare(node: ast.expr | None) -> ast.expr | None:
        while (
            isinstance(node, ast.Call)
            and last_name(node) in ("approx", "sorted", "set", "list", "tuple", "frozenset", "Counter", "copy", "deepcopy", "str", "repr")
            and len(node.args) >= 1
        ):
            node = node.args[0]
        return node

    return dump(bare(left)) == dump(bare(right))
