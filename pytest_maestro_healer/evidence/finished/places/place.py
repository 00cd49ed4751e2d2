"""What a definition makes of the module that it stands in: the globals that it reads, and whether they tell where they are."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_maestro_healer.evidence.changes import Changes
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.similarity import VALUES, Def, Home
from pytest_maestro_healer.evidence.symbols import absolute_module, flat

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
#: What every module has of its own, and what looks around in the module that it is called from.
_PLACE = frozenset({"__name__", "__file__", "__package__", "__spec__", "__path__", "__loader__", "globals", "eval", "exec"})
#: What makes nothing of a path but the folder that it lies in, and what only makes another form of it.
_FOLDER = frozenset({"parent", "parents", "with_name", "dirname"})
_FORMS = frozenset({"Path", "PurePath", "resolve", "absolute", "realpath", "abspath", "expanduser", "fspath", "str"})
_CHANGES = frozenset(
    {"append", "add", "update", "extend", "insert", "pop", "popitem", "setdefault", "clear", "remove", "discard", "appendleft", "set"}
)
#: Calls whose result is as good as another one of the same arguments.
_VALUES = frozenset({
    "compile", "Path", "PurePath", "frozenset", "tuple", "Decimal", "Fraction", "int", "str", "float", "bytes", "timedelta", "date",
    "datetime", "TypeVar", "namedtuple", "getLogger", "ParamSpec", "NewType", "Struct", "itemgetter", "attrgetter", "range", "len", "join",
    "ZoneInfo", "timezone",
})  # fmt: skip


def home_of(known: Changes, path: str) -> Home:
    """The module of a file."""
    return known.symbols.module_name(path), path.endswith("__init__.py")


def imports_of(tree: ast.Module | None, home: Home) -> dict[str, str]:
    """What a module imports outside of its functions and classes: the dotted place of each name."""
    out: dict[str, str] = {}
    for node in flat(tree.body) if tree is not None else ():
        if isinstance(node, ast.Import):
            out.update({a.asname or a.name.partition(".")[0]: a.name if a.asname else a.name.partition(".")[0] for a in node.names})
        elif isinstance(node, ast.ImportFrom):
            out.update({a.asname or a.name: f"{absolute_module(node, *home)}.{a.name}" for a in node.names})
    return out


def all_imports_of(tree: ast.Module, home: Home) -> dict[str, str]:
    """What a module imports anywhere, inside of functions and classes too."""
    return imports_of(ast.Module([n for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom))], []), home)


def globals_read(node: ast.AST) -> set[str]:
    """The names that a definition reads and that are not its own."""
    return set(_read(node, frozenset()))


def _read(node: ast.AST, own: frozenset[str]) -> Iterator[str]:
    if isinstance(node, _FUNCTIONS):
        yield from (name for d in getattr(node, "decorator_list", ()) for name in _read(d, own))
        yield from (name for d in (*node.args.defaults, *node.args.kw_defaults) if d is not None for name in _read(d, own))
        inside = own | _own(node)
        body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
        yield from (name for child in body for name in _read(child, inside))
        return
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in own:
        yield node.id
    if isinstance(node, ast.Global):
        yield from node.names
    for child in ast.iter_child_nodes(node):
        yield from _read(child, own)


def _own(function: ast.AST) -> frozenset[str]:
    nodes = list(ast.walk(function))
    out = {n.arg for n in nodes if isinstance(n, ast.arg)} | {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    out |= {n.name for n in nodes if n is not function and isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))}
    out |= {n.name for n in nodes if isinstance(n, ast.ExceptHandler) and n.name}
    out |= {(a.asname or a.name).partition(".")[0] for n in nodes if isinstance(n, (ast.Import, ast.ImportFrom)) for a in n.names}
    return frozenset(out - {name for n in nodes if isinstance(n, ast.Global) for name in n.names})


def bound_in(tree: ast.Module) -> set[str]:
    """All names that a module binds anywhere outside of its functions and classes; ``*`` for whatever a star import brings."""
    out = set(imports_of(tree, ("", False)))
    for node in flat(tree.body):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            out.add(node.name)
        else:
            out |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return out | {n for f in ast.walk(tree) if isinstance(f, ast.Global) for n in f.names}


def beside(root: Path, was: str, now: str) -> bool:
    """Whether what lies beside the file ``now`` is what lay beside ``was``: the same folder, or one that took the place of a whole other one."""
    old, new = was.rpartition("/")[0], now.rpartition("/")[0]
    if old == new:
        return True
    left = (root / old).iterdir() if (root / old).is_dir() else ()
    return old.count("/") == new.count("/") and bool(old and new) and all(p.name == "__pycache__" for p in left)


def tells_place(nodes: Iterable[ast.AST], *, beside: bool) -> str:
    """What of some code is another thing in another module: the module's name, its path; ``""`` if nothing is.

    A path does not count where only its folder is taken, and the two modules are ``beside`` the same files.
    """
    for top in nodes:
        harmless = _folders(top) if beside else set()
        for node in ast.walk(top):
            if (
                isinstance(node, ast.Name)
                and node.id in _PLACE
                and id(node) not in harmless
                and not (node.id in ("__package__", "__path__") and beside)
            ):
                return node.id
    return ""


def _folders(top: ast.AST) -> set[int]:
    """The places where a path is taken for its folder only."""
    above = {id(child): node for node in ast.walk(top) for child in ast.iter_child_nodes(node)}
    out: set[int] = set()
    for node in ast.walk(top):
        if isinstance(node, ast.Name) and node.id == "__file__":
            outer = above.get(id(node))
            while outer is not None:
                name = outer.attr if isinstance(outer, ast.Attribute) else ""
                if isinstance(outer, ast.Call):
                    f = outer.func
                    name = last_name(f)
                if name in _FOLDER:
                    out.add(id(node))
                if name not in _FORMS:
                    break
                outer = above.get(id(outer))
    return out


def doubled(known: Changes, name: str, value: Def) -> bool:
    """Whether a global that two modules have now is a thing of its own in each: it is changed somewhere, or it is an object and no value."""
    if value.kind not in VALUES:
        return False
    node = value.node
    if isinstance(node, ast.Call):
        last = last_name(node.func)
        if last not in (*_VALUES, "dict", "list", "set"):
            return True
    return any(_changed(n, name) for _, tree in known.trees_with(name) for n in ast.walk(tree))


def _changed(node: ast.AST, name: str) -> bool:
    """Whether a node changes what ``name`` stands for, or has a function bind it."""
    if isinstance(node, ast.Global):
        return name in node.names
    if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
        return _is(node.value, name)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in _CHANGES and _is(node.func.value, name)
    if isinstance(node, ast.Attribute):
        return not isinstance(node.ctx, ast.Load) and (node.attr == name or _is(node.value, name))
    return isinstance(node, ast.AugAssign) and _is(node.target, name)


def _is(node: ast.expr, name: str) -> bool:
    return (isinstance(node, ast.Name) and node.id == name) or (isinstance(node, ast.Attribute) and node.attr == name)


def asked_by_place(known: Changes, definition: Def, reach: Iterable[str]) -> str:
    """``path:line`` in ``reach`` where a class or function is asked for its module; ``""`` if nowhere, or if nobody took note of the definition.

    ``reach`` are the files that load the definition or are loaded by it.
    """
    if not getattr(definition.node, "decorator_list", ()) and not getattr(definition.node, "bases", ()):
        return ""
    for path in reach:
        tree = known.symbols.tree(path) if b"module" in known.symbols.read(path) or b"getfile" in known.symbols.read(path) else None
        for n in ast.walk(tree) if tree is not None else ():
            if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Load) and n.attr in ("__module__", "getmodule", "getfile", "getsourcefile"):
                return f"{path}:{n.lineno}"
            if isinstance(n, ast.Constant) and n.value == "__module__":
                return f"{path}:{n.lineno}"
    return ""
