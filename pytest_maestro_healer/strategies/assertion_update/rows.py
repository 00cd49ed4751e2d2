"""The rows of ``parametrize`` and of fixtures with ``params``."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.model import Value
from pytest_maestro_healer.strategies.assertion_update.matching import literal_is
from pytest_maestro_healer.strategies.assertion_update.tree import Function, class_of

Cell = tuple[SourceFile, ast.expr]
#: Resolves the table expression of a mark to a display.
Table = Callable[[ast.expr], "Cell | None"]


def cell(function: Function, src: SourceFile, name: str, index: int, value: Value, table: Table) -> Cell | None:
    """The expression that row ``index`` of the mark for ``name`` passes."""
    for mark in _marks(function, src):
        names = _names(mark)
        if name not in names:
            continue
        rows = next((k.value for k in mark.keywords if k.arg == "argvalues"), mark.args[1] if len(mark.args) > 1 else None)
        found = table(rows) if rows is not None else None
        if found is None or not isinstance(found[1], (ast.List, ast.Tuple)):
            return None
        return _pick(found[0], found[1].elts, names.index(name), len(names), index, value)
    return None


def _pick(src: SourceFile, rows: list[ast.expr], column: int, width: int, index: int, value: Value) -> Cell | None:
    starred = any(isinstance(r, ast.Starred) for r in rows)
    if not starred and 0 <= index < len(rows):
        found = _column(rows[index], column, width)
        return None if found is None else (src, found)
    cells = [c for r in rows if not isinstance(r, ast.Starred) and (c := _column(r, column, width)) is not None and literal_is(c, value)]
    return (src, cells[0]) if len(cells) == 1 else None


def _column(row: ast.expr, column: int, width: int) -> ast.expr | None:
    if isinstance(row, ast.Call) and last_name(row.func) == "param":
        return row.args[column] if column < len(row.args) and not any(isinstance(a, ast.Starred) for a in row.args) else None
    if width == 1:
        return row
    if isinstance(row, (ast.Tuple, ast.List)) and column < len(row.elts) and not any(isinstance(e, ast.Starred) for e in row.elts):
        return row.elts[column]
    return None


def _marks(function: Function, src: SourceFile) -> Iterator[ast.Call]:
    """The parametrize calls that apply to a function: its own, its class's, ``pytestmark``'s."""
    pools: list[ast.expr] = list(function.decorator_list)
    cls = class_of(src, function)
    bodies = [src.tree.body if src.tree else []]
    if cls is not None:
        pools += cls.decorator_list
        bodies.append(cls.body)
    for body in bodies:
        for n in body:
            if isinstance(n, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in n.targets):
                pools += n.value.elts if isinstance(n.value, (ast.List, ast.Tuple)) else [n.value]
    for d in pools:
        if isinstance(d, ast.Call) and last_name(d.func) == "parametrize":
            yield d
        elif isinstance(d, ast.Name) and src.tree is not None:  # cases = pytest.mark.parametrize(...); @cases
            for n in src.tree.body:
                named = isinstance(n, ast.Assign) and any(isinstance(t, ast.Name) and t.id == d.id for t in n.targets)
                if named and isinstance(n.value, ast.Call) and last_name(n.value.func) == "parametrize":  # type: ignore[attr-defined]
                    yield n.value  # type: ignore[attr-defined]


def _names(mark: ast.Call) -> list[str]:
    given = next((k.value for k in mark.keywords if k.arg == "argnames"), mark.args[0] if mark.args else None)
    if isinstance(given, ast.Constant) and isinstance(given.value, str):
        return [n.strip() for n in given.value.split(",") if n.strip()]
    if isinstance(given, (ast.List, ast.Tuple)):
        return [e.value for e in given.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]
    return []


def is_fixture(function: Function) -> bool:
    """Whether a function is a pytest fixture."""
    return any(last_name(d.func if isinstance(d, ast.Call) else d) in ("fixture", "yield_fixture") for d in function.decorator_list)


def fixture_at(src: SourceFile, line: int) -> Function | None:
    """The fixture function whose definition starts at ``line`` (decorators included)."""
    for n in ast.walk(src.tree) if src.tree else ():
        if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([n.lineno, *(d.lineno for d in n.decorator_list)])
            if first <= line <= n.lineno:
                return n
    return None


def fixture_cell(function: Function, src: SourceFile, index: int) -> Cell | None:
    """Row ``index`` of ``@pytest.fixture(params=[...])``."""
    for d in function.decorator_list:
        if isinstance(d, ast.Call) and last_name(d.func) == "fixture":
            for k in d.keywords:
                if k.arg == "params" and isinstance(k.value, (ast.List, ast.Tuple)) and 0 <= index < len(k.value.elts):
                    row = _column(k.value.elts[index], 0, 1)
                    return None if row is None else (src, row)
    return None
