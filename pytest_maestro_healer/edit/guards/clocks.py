"""Clocks that stand still: what may be put in place of a clock, in the product too, where the evidence is about the date."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from pytest_maestro_healer.edit.guards.expressions import constant, dotted, last_name

_METHODS = frozenset({"now", "today", "utcnow"})
_FUNCTIONS = ("time", "time_ns")


def standing(tree: ast.Module) -> frozenset[int]:
    """The calls of ``monkeypatch.setattr`` and ``setitem`` (ids of their nodes) that put nothing but a standing clock in place of something.

    A standing clock is a class derived from ``date`` or ``datetime`` alone of which nothing differs but that ``now`` and its kin give one moment,
    or for ``time.time`` a function that gives one number.
    """
    classes = {n.name for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and _is_clock(n)}
    others = {n.name for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and not _is_clock(n)}
    calls = (
        n for n in ast.walk(tree) if isinstance(n, ast.Call) and last_name(n.func) in ("setattr", "setitem") and isinstance(n.func, ast.Attribute)
    )
    return frozenset(id(n) for n in calls if _replaces(n, classes - others))


def _replaces(call: ast.Call, classes: set[str]) -> bool:
    if not 2 <= len(call.args) <= 3 or call.keywords:
        return False
    value, *target = [call.args[-1], *call.args[:-1]]
    if isinstance(value, ast.Name):
        return value.id in classes
    names = [constant(t) for t in target]
    last = str(names[-1]).rpartition(".")[2] if isinstance(names[-1], str) else ""
    return last in _FUNCTIONS and isinstance(value, ast.Lambda) and not value.args.args and isinstance(constant(value.body), (int, float))


def _is_clock(node: ast.ClassDef) -> bool:
    if len(node.bases) != 1 or node.keywords or node.decorator_list or dotted(node.bases[0]).rpartition(".")[2] not in ("date", "datetime"):
        return False
    return all(isinstance(n, ast.FunctionDef) and n.name in _METHODS and _gives_a_moment(n) for n in node.body)


def _gives_a_moment(method: ast.FunctionDef) -> bool:
    """``return cls(2024, 5, 6)`` and no more."""
    made: ast.expr | None = method.body[0].value if len(method.body) == 1 and isinstance(method.body[0], ast.Return) else None
    marks: Sequence[str] = [dotted(d) for d in method.decorator_list]
    if marks != ["classmethod"] or not isinstance(made, ast.Call) or dotted(made.func) != "cls":
        return False
    zoned = all(k.arg == "tzinfo" and isinstance(k.value, ast.Name) for k in made.keywords)
    return zoned and all(isinstance(constant(a), int) for a in made.args)
