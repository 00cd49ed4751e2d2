"""A product that does something else since a day that is written in it: at no commit would it do today what it did then."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence

from pytest_maestro_healer.evidence.past.ran import Unit

_CLOCKS = frozenset({"today", "now", "utcnow", "localtime", "gmtime", "time_ns"})
_DAYS = frozenset({"date", "datetime", "fromisoformat", "strptime", "struct_time", "Timestamp", "parse"})
_DAY = re.compile(r"(?:19[7-9]|2[01])\d\d(?:[-/.]?\d\d){1,2}(?!\d)")
#: Years that a launch may have; seconds since the epoch: a round number is a duration.
_YEARS, _SECONDS, _ROUND = range(1990, 2200), 10**9, 10**6


def switch(found: Mapping[str, Sequence[Unit]]) -> str:
    """``path:line`` where what a test runs through compares the clock with a constant day; ``""`` if it does nowhere."""
    nodes = [n for units in found.values() for u in units for n in ast.walk(u.node)]
    clocks, days = _names(nodes, _clock), _names(nodes, _day)
    for path, units in found.items():
        for node in (n for u in units for n in ast.walk(u.node)):
            if isinstance(node, ast.Compare):
                sides, line = [node.left, *node.comparators], node.lineno
            elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
                sides, line = [node.left, node.right], node.lineno
            else:
                continue
            if any(_has(a, clocks, _clock) and (_has(b, days, _day) or _years(a, b)) for a in sides for b in sides if a is not b):
                return f"{path}:{line}"
    return ""


def _names(nodes: Sequence[ast.AST], value: Callable[[ast.AST], bool]) -> frozenset[str]:
    """The names that are bound to such a value, and those of functions that return one."""
    out: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value is not None and _has(node.value, frozenset(), value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            out |= {t.id if isinstance(t, ast.Name) else t.attr for t in targets if isinstance(t, ast.Name | ast.Attribute)}
        elif isinstance(node, ast.FunctionDef):
            returned = (n.value for n in ast.walk(node) if isinstance(n, ast.Return) and n.value is not None)
            out |= {node.name for expr in returned if not isinstance(expr, ast.Compare | ast.BoolOp) and value(_root(expr))}
    return frozenset(out)


def _root(expr: ast.expr) -> ast.expr:
    """The call that ``date.today().isoformat()`` begins with."""
    while isinstance(expr, ast.Call) and isinstance(expr.func, ast.Attribute) and isinstance(expr.func.value, ast.Call):
        expr = expr.func.value
    return expr


def _has(expr: ast.expr, names: frozenset[str], value: Callable[[ast.AST], bool]) -> bool:
    return any(value(n) or getattr(n, "id", getattr(n, "attr", "")) in names for n in ast.walk(expr))


def _clock(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    of = node.func.value if isinstance(node.func, ast.Attribute) else None
    return _called(node) in _CLOCKS or (
        _called(node) in ("time", "strftime") and (of is None or getattr(of, "id", "") == "time") and len(node.args) < 2
    )


def _day(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        number = isinstance(node.value, int | float) and node.value >= _SECONDS and node.value % _ROUND != 0
        return number or (isinstance(node.value, str) and _DAY.match(node.value) is not None)
    given = [*node.args, *(k.value for k in node.keywords)] if isinstance(node, ast.Call) and _called(node) in _DAYS else []
    given = node.elts if isinstance(node, ast.Tuple) else given
    return bool(given) and _is_year(given[0])


def _years(clock: ast.expr, other: ast.expr) -> bool:
    """Whether a year is compared with a constant one."""
    return any(isinstance(n, ast.Attribute) and n.attr in ("year", "tm_year") for n in ast.walk(clock)) and _is_year(other)


def _is_year(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int) and node.value in _YEARS


def _called(node: ast.Call) -> str:
    return getattr(node.func, "id", getattr(node.func, "attr", ""))
