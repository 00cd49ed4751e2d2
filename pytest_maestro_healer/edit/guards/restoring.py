"""What is changed only to be given back: the test itself notices nothing of it, those that run after it find what was there before."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pytest_maestro_healer.edit.guards.expressions import FuncDef, constant, dotted, last_name


def giving_back(tree: ast.Module) -> frozenset[int]:
    """The calls (ids of their nodes) that make a module's names, or its place in :data:`sys.modules`, be given back at the end of a test.

    That is ``mock.patch.dict(vars(m))`` without values, as a decorator or around the ``yield`` of a fixture, not around a part of a test: that would
    undo there what the test is to see. And ``monkeypatch.setitem(sys.modules, "m", sys.modules["m"])``.
    """
    calls = (n for n in ast.walk(tree) if isinstance(n, ast.Call))
    return frozenset(id(n) for n in (*filter(_itself, calls), *_around(tree)))


def _around(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, FuncDef):
            yield from (d for d in node.decorator_list if _namespace(d))
        elif isinstance(node, ast.With) and _only_yields(node):
            yield from (i.context_expr for i in node.items if i.optional_vars is None and _namespace(i.context_expr))


def _namespace(node: ast.expr) -> bool:
    """``mock.patch.dict(vars(m))`` of a module that has a name."""
    if not isinstance(node, ast.Call) or not dotted(node.func).endswith("patch.dict") or len(node.args) != 1 or node.keywords:
        return False
    inner = node.args[0]
    return isinstance(inner, ast.Call) and dotted(inner.func) == "vars" and len(inner.args) == 1 and bool(dotted(inner.args[0]))


def _only_yields(node: ast.With) -> bool:
    (body, *more) = node.body
    if isinstance(body, ast.With):
        return not more and _only_yields(body)
    return not more and isinstance(body, ast.Expr) and isinstance(body.value, ast.Yield) and body.value.value is None


def _itself(call: ast.Call) -> bool:
    """``setitem(sys.modules, "m", sys.modules["m"])``."""
    if last_name(call.func) != "setitem" or not isinstance(call.func, ast.Attribute) or len(call.args) != 3 or call.keywords:
        return False
    holder, key, value = call.args
    name = constant(key)
    return (
        dotted(holder) == "sys.modules"
        and isinstance(name, str)
        and isinstance(value, ast.Subscript)
        and dotted(value.value) == "sys.modules"
        and constant(value.slice) == name
    )
