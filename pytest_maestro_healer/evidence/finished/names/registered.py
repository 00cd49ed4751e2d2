"""Is a function called by its name from outside? What a decorator makes of it, a command, a task or a key, has that name too."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from pytest_maestro_healer.evidence.changes import Changes
from pytest_maestro_healer.evidence.expressions import dotted_name
from pytest_maestro_healer.evidence.finished.places.place import home_of, imports_of

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
#: Decorators of libraries that make a function a command, task, field or tool of the same name, unless they are given another one.
_NAMED_AFTER = frozenset({
    "command", "group", "callback", "task", "shared_task", "periodic_task", "actor", "job", "flow", "dag", "tool", "field", "mutation", "query",
    "event", "hookimpl",
})  # fmt: skip
_NAMES = frozenset({"__name__", "__qualname__"})


def registered(known: Changes, base: str, paths: Iterable[str], old: str, new: str) -> str:
    """Why the function ``new``, which was ``old`` at ``base``, is called by its name from outside; ``""`` where nothing says that it is."""
    for path in dict.fromkeys(paths):
        before = known.at(path, base)
        for found in known.current(path).values():
            if found.name != new or found.function is None or found.qualname in before or not any(d.name == old for d in before.values()):
                continue
            for decorator in found.function.decorator_list:
                name = dotted_name(decorator.func if isinstance(decorator, ast.Call) else decorator)
                if _makes_a_name(known, path, decorator, name):
                    return f"@{name or ast.unparse(decorator)} makes a name of the function's: whoever used it says {old}"
    return ""


def _makes_a_name(known: Changes, path: str, decorator: ast.expr, name: str) -> bool:
    own = _own(known, path, name)
    if own is not None:
        return any(_keeps_name(n) for n in ast.walk(own))
    if name.rpartition(".")[2] not in _NAMED_AFTER:
        return False
    call = decorator if isinstance(decorator, ast.Call) else None
    if call is None:
        return True
    told = (*(a for a in call.args[:1]), *(k.value for k in call.keywords if k.arg in ("name", "specname")))
    return not any(isinstance(a, ast.Constant) and isinstance(a.value, str) for a in told)


def _own(known: Changes, path: str, name: str) -> ast.AST | None:
    """The product's function or class that a decorator is, or whose method it is."""
    root, _, rest = name.partition(".")
    here = known.current(path)
    place, first = path, root
    if root not in here:
        module, _, first = imports_of(known.symbols.tree(path), home_of(known, path)).get(root, "").rpartition(".")
        found = known.symbols.resolve(module, first) if module else None
        if found is None or not known.is_product(found.path):
            return None
        place = found.path
    definition = known.current(place).get(first)
    if definition is None:
        return None
    if not rest:
        return definition.node if isinstance(definition.node, (*_FUNCTIONS, ast.ClassDef)) else None
    made = dotted_name(definition.node.func) if isinstance(definition.node, ast.Call) else ""
    methods = (known.current(place).get(f"{owner}.{rest}") for owner in (first, made))
    return next((m.node for m in methods if m is not None), None)


def _keeps_name(node: ast.AST) -> bool:
    """Whether a node uses a name as a key, or hands it to something that keeps it; not to a log, nor to another function's own name."""
    if isinstance(node, ast.Subscript):
        return any(_names(node.slice))
    if isinstance(node, ast.Dict):
        return any(name for k in node.keys if k is not None for name in _names(k))
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("setdefault", "register", "add", "append", "add_parser")
    ):
        return any(name for a in (*node.args, *(k.value for k in node.keywords)) for name in _names(a))
    return False


def _names(node: ast.AST) -> Iterator[bool]:
    yield from (True for n in ast.walk(node) if isinstance(n, ast.Attribute) and n.attr in _NAMES and isinstance(n.ctx, ast.Load))
