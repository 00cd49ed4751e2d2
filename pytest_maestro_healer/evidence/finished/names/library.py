"""Does the product still use what a library gave up? Then a test that follows the library leaves the product behind."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pytest_maestro_healer.evidence.changes import Changes
from pytest_maestro_healer.evidence.expressions import dotted_name
from pytest_maestro_healer.evidence.finished.edited import Edited
from pytest_maestro_healer.evidence.finished.places.place import all_imports_of, home_of
from pytest_maestro_healer.evidence.symbols import parse


def library_used(known: Changes, edit: Edited) -> str:
    """``path:line`` where the product uses a library's name that a heal takes out of the tests; ``""`` if it uses none."""
    gone: set[str] = set()
    for path, data in edit.after.items():
        home = home_of(known, path)
        before, after = ({name for name, _ in _foreign(parse(d or b""), home)} for d in (edit.before.get(path), data))
        gone |= before - after
    gone = {name for name in gone if not known.symbols.is_project_module(name.partition(".")[0])}
    for dotted in sorted(gone):
        for path, tree in known.trees_with(dotted.rpartition(".")[2]):
            line = next((line for name, line in _foreign(tree, home_of(known, path)) if name == dotted), 0)
            if line:
                return f"{path}:{line} still uses {dotted}"
    return ""


def _foreign(tree: ast.Module | None, home: tuple[str, bool]) -> Iterator[tuple[str, int]]:
    """(dotted name, line) of what a file takes from modules by their imports."""
    if tree is None:
        return
    taken = all_imports_of(tree, home)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((f"{node.module}.{a.name}", node.lineno) for a in node.names)
        elif isinstance(node, ast.Attribute):
            root, _, rest = dotted_name(node).partition(".")
            if root in taken and rest:
                yield f"{taken[root]}.{rest}", node.lineno
