"""What reaches past the test into the interpreter, the product's namespace or pytest itself: an edit may not have more of it than there was.

The plain ways of replacing product code (patches, assignments, redefinitions) are :mod:`census`'s; these are the detours.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Container, Iterator, Sequence

from pytest_maestro_healer.edit.guards.expressions import FuncDef, constant, dotted, keyword, last_name, root_name, words

#: Methods by which a value says that it equals, contains or counts whatever it is asked, or by which a block swallows an exception.
_ANSWERS = frozenset(
    {"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__contains__", "__bool__", "__hash__", "__instancecheck__", "__exit__", "__aexit__"}
)
_INNARDS = frozenset({"__code__", "__globals__", "__defaults__", "__kwdefaults__", "__class__", "__wrapped__", "__closure__", "__bases__"})
_RUNS_TEXT = frozenset({"exec", "eval", "execfile", "run_path"})
_CHANGES = frozenset({"update", "pop", "popitem", "clear", "setdefault", "__setitem__", "__delitem__", "__ior__"})
_HIDING = words("skip skipif skipIf skipUnless xfail expectedFailure importorskip exit no_heal flaky")
_SPYING = frozenset({"get_referrers", "get_referents", "get_objects", "_getframe", "settrace", "setprofile", "currentframe"})


def grew(before: Sequence[ast.AST], after: Sequence[ast.AST], imported: Container[str] = (), fine: Container[int] = ()) -> list[str]:
    """What ``after`` has more of than ``before``, as reasons to refuse.

    ``imported`` are the names that the module has from elsewhere, ``fine`` the calls (ids of their nodes) that are let through.
    """
    old, new = Counter(_items(before, imported)), Counter(_items(after, imported, fine))
    return [f"adds {what}" for what, count in new.items() if count > old[what]]


def _items(parts: Sequence[ast.AST], imported: Container[str], fine: Container[int] = ()) -> Iterator[str]:
    for node in (n for part in parts for n in ast.walk(part) if id(n) not in fine):
        if isinstance(node, ast.Call):
            yield from _call(node, imported)
        elif isinstance(node, (*FuncDef, ast.ClassDef)):
            yield from _definition(node)
        elif isinstance(node, ast.Attribute) and (node.attr in _SPYING or (node.attr in _INNARDS and not isinstance(node.ctx, ast.Load))):
            yield f"a look into the interpreter ({node.attr})"
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load) and (what := namespace(node.value)):
            yield f"a change of {what}"
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield from _name(node.id)
        elif isinstance(node, ast.alias) and (node.asname or node.name).startswith("pytest_"):
            yield "a pytest hook"


def _call(node: ast.Call, imported: Container[str]) -> Iterator[str]:
    name = last_name(node.func)
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    if name in _RUNS_TEXT and (owner is None or root_name(owner) in ("builtins", "runpy")):
        yield f"{name}(), which runs text as code"
    if name in ("__setattr__", "__delattr__"):
        yield "an attribute set behind the object's back"
    if name in _CHANGES and owner is not None and (what := namespace(owner)):
        yield f"a change of {what}"
    if name in ("setitem", "delitem") and node.args and (what := namespace(node.args[0])) and not _own_name(node, imported):
        yield f"a change of {what}"
    if name == "dict" and owner is not None and last_name(owner) == "patch" and node.args and (what := _patched(node.args[0])):
        yield f"a change of {what}"
    if name == "getattr" and len(node.args) > 1 and ((attr := constant(node.args[1])) in _HIDING or (attr is ... and _marks(node.args[0]))):
        yield "a mark by way of getattr"
    if name in ("hookimpl", "hookspec") and keyword(node, "specname") is not None:
        yield "a pytest hook"
    if name == "type" and len(node.args) == 3 and isinstance(node.args[2], ast.Dict):
        yield from (f"its own {key}" for k in node.args[2].keys if (key := constant(k)) in _ANSWERS)
    if name == "reload" and owner is not None:
        yield "a module loaded again"


def _definition(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[str]:
    if not isinstance(node, ast.ClassDef) and node.name in _ANSWERS:
        yield f"its own {node.name}"


def _name(name: str) -> Iterator[str]:
    if name in _ANSWERS:
        yield f"its own {name}"
    elif name.startswith("pytest_"):
        yield "`pytest_plugins`" if name == "pytest_plugins" else "a pytest hook"


def _own_name(call: ast.Call, imported: Container[str]) -> bool:
    """Whether ``setitem(globals(), "NAME", ...)`` is about a name of the test module's own."""
    key = constant(call.args[1]) if len(call.args) > 1 else ...
    return last_name(call.args[0]) == "globals" and isinstance(key, str) and key not in imported


def _marks(node: ast.expr) -> bool:
    return dotted(node) in ("pytest", "pytest.mark", "mark", "unittest")


def namespace(node: ast.expr) -> str:
    """What namespace of others an expression is (``sys.modules``, ``x.__dict__``, ``vars(x)``), or ``""``."""
    if isinstance(node, ast.Attribute) and node.attr == "__dict__":
        return "a namespace (__dict__)"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("vars", "globals", "locals"):
        return f"a namespace ({node.func.id}())"
    return "sys.modules" if dotted(node) in ("sys.modules", "modules") and isinstance(node, (ast.Name, ast.Attribute)) else ""


def _patched(target: ast.expr) -> str:
    """What ``patch.dict(target)`` changes, unless that belongs to the interpreter's surroundings (``os.environ``)."""
    text = constant(target)
    path = text if isinstance(text, str) else dotted(target)
    if path.endswith((".__dict__", "sys.modules")) or namespace(target):
        return namespace(target) or ("sys.modules" if path == "sys.modules" else "a namespace (__dict__)")
    return ""


# -- imported names covered by others of the test's own -----------------------------------------------------------------
def covered(before: ast.AST, after: ast.AST, imported: dict[str, str]) -> list[str]:
    """Names that both modules import from outside the standard library, and that a function newly binds for itself.

    ``imported`` maps such names to the top-level module they come from. An import of the same module inside the function is no cover.
    """
    names = {n for n, root in imported.items() if root not in sys.stdlib_module_names}
    fresh = _local(after, imported) - _local(before, imported)
    return [f"replaces product code in the test ({name} is bound anew inside it)" for name in sorted(fresh & names)]


def _local(function: ast.AST, imported: dict[str, str]) -> set[str]:
    out: set[str] = set()
    optional = {t for n in ast.walk(function) if isinstance(n, ast.Assign) and last_name(n.value) == "importorskip" for t in n.targets}
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            out.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node not in optional:
            out.add(node.id)
        elif isinstance(node, (*FuncDef, ast.ClassDef)) and node is not function:
            out.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            root = (node.module or ".").partition(".")[0]
            out |= {a.asname or a.name for a in node.names if imported.get(a.asname or a.name) != root}
    return out
