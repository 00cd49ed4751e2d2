"""What product functions start and hand out: running threads, futures."""

from __future__ import annotations

import ast

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name

_THREADS = frozenset({"Thread", "Timer"})


def handed_out(name: str, src: SourceFile, ctx: Context) -> str:
    """What the product's only function of that name, of those the file can reach, has started and returns: ``thread``, ``future`` or ``""``."""
    found = []
    for path in ctx.variables.reachable(src.path):
        tree = ctx.symbols.tree(path) if not ctx.is_test_code(path) else None
        found += [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) and n.name == name] if tree is not None else []
    return _of(found[0]) if len(found) == 1 and isinstance(found[0], ast.FunctionDef) else ""


def _of(function: ast.FunctionDef) -> str:
    returned = [n.value for n in ast.walk(function) if isinstance(n, ast.Return) and n.value is not None]
    kinds = {_kind(value, function) for value in returned}
    return kinds.pop() if len(kinds) == 1 else ""


def _kind(value: ast.expr, function: ast.FunctionDef) -> str:
    if isinstance(value, ast.Call):
        return "future" if last_name(value.func) == "submit" else ""
    if not isinstance(value, ast.Name):
        return ""
    made = [n.value for n in ast.walk(function) if isinstance(n, ast.Assign) and any(isinstance(t, ast.Name) and t.id == value.id for t in n.targets)]
    if len(made) != 1 or not isinstance(made[0], ast.Call):
        return ""
    started = any(isinstance(n, ast.Call) and ast.unparse(n.func) == f"{value.id}.start" for n in ast.walk(function))
    if last_name(made[0].func) in _THREADS and started:
        return "thread"
    return "future" if last_name(made[0].func) == "submit" else ""
