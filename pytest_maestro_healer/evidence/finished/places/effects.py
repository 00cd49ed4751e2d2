"""What a module does when it is loaded, besides defining things: a setting that it makes, something that it registers elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.finished.places.loaded import PURE, Loads
from pytest_maestro_healer.evidence.finished.places.place import bound_in, home_of, imports_of
from pytest_maestro_healer.evidence.symbols import absolute_module, flat

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
#: Calls at the head of a module that leave nothing behind.
_IDLE = frozenset({"print", "annotations", "TypeVar", "getLogger", "info", "debug", "warning"})


def left_behind(loads: Loads, was: str, base: str, now: str) -> str:
    """What the module ``was`` did at ``base`` when it was loaded, and what is not done any more where its definitions are ``now``; ``""`` if nothing.

    It is done where ``now`` does it itself, loads what does it, or where all who loaded ``was`` for its definitions still load it.
    """
    before, tree = loads.known.tree_at(was, base), loads.known.symbols.tree(now)
    present = set(effects(tree))
    still = effects(loads.known.symbols.tree(was))
    for text, line in effects(before).items():
        if text in present:
            continue
        if text not in still:
            return f"{was}:{line} did {_short(text)} when it was loaded, and {now} does not"
        without = _without(loads, was, now)
        if without:
            return f"{without} loads {now} and not {was} any more, which does {_short(text)} when it is loaded"
    for path in _taken_along(loads, before, was, base):
        if now not in loads.loaders(path, then=False, eager=True):
            return f"{was} loaded {path}, which acts by being loaded, and {now} does not"
    return ""


def effects(tree: ast.Module | None) -> dict[str, int]:
    """The statements of a module that change something outside of it, each with its line: calls for their effect, and what sets others' things."""
    if tree is None:
        return {}
    own = bound_in(tree) - set(imports_of(tree, ("", False)))
    return {ast.unparse(n): n.lineno for n in flat(tree.body) if _acts(n, own)}


def _acts(node: ast.stmt, own: set[str]) -> bool:
    if isinstance(node, ast.Expr):
        called = node.value.value if isinstance(node.value, ast.Await) else node.value
        return isinstance(called, ast.Call) and last_name(called.func) not in _IDLE and _root(called.func) not in own
    targets = node.targets if isinstance(node, (ast.Assign, ast.Delete)) else [node.target] if isinstance(node, ast.AugAssign) else []
    return any(isinstance(t, (ast.Attribute, ast.Subscript)) and _root(t) not in own for t in targets)


def _without(loads: Loads, was: str, now: str) -> str:
    """Who loaded ``was`` before and now loads ``now`` without it."""
    before, there = loads.loaders(was, then=True, eager=True), loads.loaders(was, then=False, eager=True)
    if now in there:
        return ""
    return min((before & loads.loaders(now, then=False, eager=True)) - there, default="")


def _taken_along(loads: Loads, tree: ast.Module | None, was: str, base: str) -> Iterator[str]:
    """The product's files that a module imports and uses nothing of, and that act by being loaded."""
    if tree is None or was.endswith("__init__.py"):
        return
    read = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    home = home_of(loads.known, was)
    for node in flat(tree.body):
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        for alias in node.names:
            if (alias.asname or alias.name.partition(".")[0]) in read:
                continue
            module = alias.name if isinstance(node, ast.Import) else f"{absolute_module(node, *home)}.{alias.name}"
            path = loads.file_of(module)
            if path and _does_something(loads, path, base):
                yield path


def _does_something(loads: Loads, path: str, base: str) -> bool:
    tree = loads.known.symbols.tree(path) or loads.known.tree_at(path, base)
    if effects(tree):
        return True
    taken = imports_of(tree, home_of(loads.known, path))
    nodes = [n for n in (flat(tree.body) if tree is not None else ()) if isinstance(n, _DEFINITIONS)]
    marks = [d.func if isinstance(d, ast.Call) else d for n in nodes for d in n.decorator_list]
    return any(taken.get(_root(d), "").partition(".")[0] not in (*PURE, "") for d in marks)


def _root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _short(text: str) -> str:
    line = text.splitlines()[0]
    return line if len(line) < 50 else f"{line[:47]}..."
