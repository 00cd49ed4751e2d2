"""Mutants that cannot behave otherwise than the code as it is: no test could notice them, so they say nothing about one.

What is decidable is decided: the same compiled code (Papadakis et al., "Trivial Compiler Equivalence", 2015), nought added or taken away, the
boundary of a minimum or maximum, and what only goes into a log. Other equivalent mutants there may be; they count as alive for the
original and for the healed test alike.
"""

from __future__ import annotations

import ast
import types

from pytest_maestro_healer.evidence.expressions import last_name

_LOGGED = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})
_STRICT = frozenset({"Lt replaced by LtE", "LtE replaced by Lt", "Gt replaced by GtE", "GtE replaced by Gt"})


def same_code(a: types.CodeType, b: types.CodeType) -> bool:
    """Whether two code objects do the same, wherever their parts stand in the file."""
    return _plain(a) == _plain(b)


def _plain(code: types.CodeType) -> tuple[object, ...]:
    # 1, 1.0 and True are equal, and not the same
    consts = tuple(_plain(c) if isinstance(c, types.CodeType) else (type(c), repr(c)) for c in code.co_consts)
    return (code.co_code, consts, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, getattr(code, "co_exceptiontable", b""))


def changes_nothing(node: ast.AST, what: str, even: frozenset[int]) -> bool:
    """Whether the change ``what`` of ``node`` is one that no run can show; ``even`` is what :func:`boundaries` found."""
    if isinstance(node, (ast.BinOp, ast.AugAssign)):
        right = node.right if isinstance(node, ast.BinOp) else node.value
        nought = isinstance(right, ast.Constant) and type(right.value) in (int, float) and right.value == 0
        return nought and isinstance(node.op, (ast.Add, ast.Sub))
    return what in _STRICT and id(node) in even


def boundaries(function: ast.AST) -> frozenset[int]:
    """The comparisons (by ``id``) at whose boundary both ways give the same: ``if x > most: x = most``, ``a if a < b else b``."""
    return frozenset(id(n.test) for n in ast.walk(function) if isinstance(n, (ast.If, ast.IfExp)) and _boundary(n))


def _boundary(node: ast.If | ast.IfExp) -> bool:
    test = node.test
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], (ast.Lt, ast.LtE, ast.Gt, ast.GtE)):
        return False
    sides = {ast.dump(test.left), ast.dump(test.comparators[0])}
    if any(isinstance(n, ast.Call) for n in ast.walk(test)):
        return False  # asked twice, it may answer twice
    if isinstance(node, ast.IfExp):
        return {ast.dump(node.body), ast.dump(node.orelse)} == sides
    if node.orelse or len(node.body) != 1 or not isinstance(node.body[0], ast.Assign) or len(node.body[0].targets) != 1:
        return False
    target = _loaded(node.body[0].targets[0])
    return {target, ast.dump(node.body[0].value)} == sides


def _loaded(target: ast.expr) -> str:
    return ast.dump(ast.parse(ast.unparse(target), mode="eval").body)


def only_logs(node: ast.AST) -> bool:
    """A statement that only logs: ``log.info(...)``, ``self._logger.debug(...)``, ``logging.warning(...)``."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call) or not isinstance(node.value.func, ast.Attribute):
        return False
    of = node.value.func.value
    name = last_name(of)
    return node.value.func.attr in _LOGGED and "log" in name.lower()
