"""Whether a name that a test lacks was one of its own: what the product or a library has under that name need not be the same thing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pytest_maestro_healer.edit.guards.expressions import last_name
from pytest_maestro_healer.edit.guards.walk import units
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.similarity import Def, definitions, identical
from pytest_maestro_healer.evidence.symbols import parse

_BOUND = r"^((async +)?def|class) +{0}([^[:alnum:]_]|$)|^{0} *(:[^=]*)?=([^=]|$)"
#: So many calls deep a function of the product is followed.
_DEPTH = 3


def other_than_own(name: str, path: str, line: str, ctx: Context) -> str:
    """Why ``line``, which imports ``name`` into the test file ``path``, may bring in another thing than was meant; ``""`` if nothing says so."""
    return _once_its_own(name, path, line, ctx) or _compares_with_itself(name, path, line, ctx)


def _once_its_own(name: str, path: str, line: str, ctx: Context) -> str:
    """An older version of the test file, or of a conftest above it, that defined the name, and not as what is imported now."""
    folders = path.split("/")[:-1]
    former = [old for old, new in ctx.git.renames().items() if new == path]
    places = [path, *former, *("/".join([*folders[:n], "conftest.py"]) for n in range(len(folders) + 1))]
    for place in places:
        for commit in (ctx.git.touching(_BOUND.format(re.escape(name)), place) or ())[:5]:
            for rev in (f"{commit}~1", commit):
                own = definitions(parse(ctx.git.bytes_at(place, rev) or b"")).get(name)
                if own is None:
                    continue
                if any(d.kind == own.kind and identical(own, d) for d in _imported(name, line, ctx)):
                    return ""  # it was moved there
                return f"{place} defined {name} itself ({commit[:7]})"
    return ""


def _imported(name: str, line: str, ctx: Context) -> Iterator[Def]:
    """The project's definition that an import statement takes."""
    for node in ast.parse(line).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                found = ctx.symbols.resolve(node.module, alias.name) if (alias.asname or alias.name) == name else None
                if found is not None and (d := definitions(ctx.symbols.tree(found.path)).get(found.qualname or found.name)) is not None:
                    yield d


def _compares_with_itself(name: str, path: str, line: str, ctx: Context) -> str:
    """A function of the product that calls what is imported, and whose result the test compares with the result of just that."""
    src = ctx.source(path)
    if src is None or src.tree is None or not any(d.function is not None for d in _imported(name, line, ctx)):
        return ""
    for unit in units(src):
        for check in unit.checks if name in unit.text else ():
            sides = [_called(s) for s in (check.left, check.right)]
            if unit.scope is not None:
                sides = [_called(unit.scope.resolve(s, check.line)) for s in (check.left, check.right)]
            for mine, other in (sides, sides[::-1]):
                through = next((f for f in sorted(other - {name}) if name in mine and name not in other and _reaches(f, name, ctx)), "")
                if through:
                    return f"{through}, which {unit.name} compares with it, calls it: the product would be compared with itself"
    return ""


def _called(node: ast.AST | None) -> set[str]:
    return {last_name(n.func) for n in ast.walk(node) if isinstance(n, ast.Call)} if node is not None else set()


def _reaches(function: str, name: str, ctx: Context, depth: int = _DEPTH) -> bool:
    """Whether a function of the product calls ``name``, itself or through others."""
    for found in ctx.symbols.find(function):
        d = definitions(ctx.symbols.tree(found.path)).get(found.qualname or found.name) if not found.is_test and found.kind == "function" else None
        calls = _called(d.node) if d is not None else set()
        if name in calls or (depth and any(_reaches(c, name, ctx, depth - 1) for c in calls - {function})):
            return True
    return False
