"""Assertions that a repair made of nothing: what they compare is not what they test."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from pytest_maestro_healer.evidence.symbols import parse


def vacuous(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> bool:
    """Whether a repair of what did not parse makes an assertion that holds whatever is compared in it.

    So do ``assert clean(a == b)`` and ``assert a[0 == b]``; ``before`` and ``after`` are the bytes of test files by path.
    """
    lines = {line.strip() for d in before.values() for line in d.splitlines()}
    for data in after.values():
        tree = parse(data)
        for node in ast.walk(tree) if tree is not None else ():
            tested = node.test if isinstance(node, ast.Assert) else _tested(node)
            if tested is not None and _within(tested) and data.splitlines()[tested.lineno - 1].strip() not in lines:
                return True
    return False


def _tested(node: ast.AST) -> ast.expr | None:
    named = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("assertTrue", "assertFalse")
    return node.args[0] if isinstance(node, ast.Call) and named and node.args else None


def _within(tested: ast.expr) -> bool:
    """Whether the comparison is given to a call, to an index, or stands in a tuple, which is always true."""
    if isinstance(tested, ast.UnaryOp):
        return _within(tested.operand)
    if isinstance(tested, ast.Call):
        given = (*tested.args, *(k.value for k in tested.keywords))
        return any(isinstance(a, ast.Compare) for a in given) and not (isinstance(tested.func, ast.Name) and tested.func.id in ("all", "any", "bool"))
    return isinstance(tested, ast.Tuple) or (isinstance(tested, ast.Subscript) and isinstance(tested.slice, ast.Compare))
