"""State that outlives a test by the product's own doing: to give it back after each test may hide that."""

from __future__ import annotations

import ast

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.nodeids import file_of
from pytest_maestro_healer.evidence.state import Change

#: Methods of containers that change them.
_CHANGING = frozenset({
    "append", "add", "update", "extend", "insert", "pop", "popitem", "setdefault", "clear", "remove", "discard", "appendleft", "sort", "reverse",
})  # fmt: skip


def products_own(change: Change, polluter: str, ctx: Context) -> bool:
    """Whether the state is the product's own affair, of which no test speaks: that it lives on may be the product's fault."""
    if change.kind == "module":
        src = ctx.source(file_of(polluter))
        return src is None or not any(word in src.text for word in ("reload", "sys.modules"))
    name = change.dotted.rpartition(".")[2]
    return (
        (name.startswith("_") and not name.startswith("__") and not ctx.test_files_with(name))
        or shared_by_all(change, ctx)
        or bound_beside(change, ctx)
    )


def bound_beside(change: Change, ctx: Context) -> bool:
    """Whether a function of the product gives a variable of its own the name of the changed global, which another one declares ``global``: it may
    have meant that one, and then it is the product that does not clear it."""
    path = ctx.symbols.module_path(change.module)
    tree = ctx.symbols.tree(path) if change.kind == "attribute" and "." not in change.path and path else None
    functions = [n for n in (ast.walk(tree) if tree is not None else ()) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    declaring = [f for f in functions if any(isinstance(n, ast.Global) and change.path in n.names for n in ast.walk(f))]
    others = (n for f in functions if f not in declaring for n in ast.walk(f))
    return bool(declaring) and any(isinstance(n, ast.Name) and n.id == change.path and isinstance(n.ctx, ast.Store) for n in others)


def shared_by_all(change: Change, ctx: Context) -> bool:
    """Whether the state is a container that a class has for all its objects, and that a method changes through ``self`` as if it were its own."""
    owner, _, name = change.path.rpartition(".")
    path = ctx.symbols.module_path(change.module)
    tree = ctx.symbols.tree(path) if change.kind == "attribute" and not change.rebound and owner and path else None
    cls = next((n for n in (ast.walk(tree) if tree is not None else ()) if isinstance(n, ast.ClassDef) and n.name == owner.rpartition(".")[2]), None)
    if cls is None:
        return False
    own = {id(n) for n in ast.walk(cls) if isinstance(n, ast.Attribute) and n.attr == name and isinstance(n.value, ast.Name) and n.value.id == "self"}
    if any(isinstance(n, ast.Attribute) and id(n) in own and not isinstance(n.ctx, ast.Load) for n in ast.walk(cls)):
        return False  # an object gets one of its own
    for node in ast.walk(cls):
        if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load) and id(node.value) in own:
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and id(node.func.value) in own and node.func.attr in _CHANGING:
            return True
    return False
