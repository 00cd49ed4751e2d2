"""Does a use of a function or member fit what it is now? Asked of the product's own uses, by their syntax."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Collection, Sequence

from pytest_maestro_healer.evidence.changes import COMMON
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.symbols import parse
from pytest_maestro_healer.model import Follows

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_RUNS = frozenset({"run", "create_task", "ensure_future", "gather", "run_until_complete", "wait_for", "start_soon", "run_coroutine_threadsafe"})


def fits(ctx: Context, follows: Follows, path: str, node: ast.expr, definitions: Sequence[_Definition]) -> bool:
    """Whether ``node`` (a name or attribute in the product's file ``path``) is used as at least one of ``definitions`` is to be used.

    ``PARAMETERS``: it is called with arguments that bind; ``ACCESS``: it is called, or is not; ``AWAITING``: its call is awaited or run, or is not.
    """
    tree = ctx.symbols.tree(path)
    functions = [d for d in definitions if isinstance(d, (ast.FunctionDef, ast.AsyncFunctionDef))]
    if tree is None or not definitions:
        return False
    call = next((n for n in ast.walk(tree) if isinstance(n, ast.Call) and n.func is node), None)
    if follows & Follows.PARAMETERS:
        made = [n for d in definitions if isinstance(d, ast.ClassDef) for n in d.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"]
        asked = [*((d, isinstance(node, ast.Attribute)) for d in functions), *((n, True) for n in made)]
        return call is not None and any(binds(call, d.args, member=member) for d, member in asked)
    if not functions:
        return True  # a class is what it was: its members are asked by their own names
    if follows & Follows.ACCESS:
        return any((call is not None) != _is_property(d) for d in functions)
    waited = call is not None and _waited(tree, call)
    return any(waited == isinstance(d, ast.AsyncFunctionDef) for d in functions)


def strange(ctx: Context, path: str, node: ast.expr, homes: Collection[str]) -> bool:
    """Whether ``node`` cannot mean what is defined in one of ``homes``: its file has its own of that name, or has it from Python or a library."""
    tree = ctx.symbols.tree(path)
    if tree is None or (path in homes and isinstance(node, ast.Name)):
        return False
    root = node
    while isinstance(root, ast.Attribute):
        root = root.value
    if not isinstance(root, ast.Name):
        return False
    tops = {n.name for n in tree.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))}
    taken, starred = _imported(tree)
    if root.id in taken:
        return not all(ctx.symbols.is_project_module(m.partition(".")[0]) or m.startswith(".") for m in taken[root.id])
    if isinstance(node, ast.Attribute):  # of a variable: ``sep.join`` is a text's own, where no class of ours has a ``join``
        return node.attr in COMMON and not any(_member(ctx.symbols.tree(home), node.attr) for home in homes)
    return root is node and (root.id in tops or (hasattr(builtins, root.id) and not starred))


def _member(tree: ast.Module | None, name: str) -> bool:
    """Whether a file gives something a member of that name, in a class or later; also where that cannot be told."""
    if tree is None:
        return True
    inside = (n for c in ast.walk(tree) if isinstance(c, ast.ClassDef) for n in ast.walk(c))
    if any(name in (getattr(n, "name", ""), getattr(n, "id", "")) for n in inside):
        return True
    return any(isinstance(n, ast.Attribute) and n.attr == name and isinstance(n.ctx, ast.Store) for n in ast.walk(tree))


def _imported(tree: ast.Module) -> tuple[dict[str, set[str]], bool]:
    """The modules that each imported name comes from, by any import of a file, and whether it imports all names of one."""
    out: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for a in node.names:
                out.setdefault(a.asname or a.name.partition(".")[0], set()).add(a.name)
        elif isinstance(node, ast.ImportFrom):
            for a in node.names:
                out.setdefault(a.asname or a.name, set()).add("." * node.level + (node.module or ""))
    return out, "*" in out


def _is_property(definition: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("property" in ast.unparse(d) for d in definition.decorator_list)


def calls_shown(line: str, name: str) -> list[ast.Call]:
    """The calls of ``name`` that a line of a document shows; empty where it says the name in another way too, or a call does not end there."""
    out: list[ast.Call] = []
    for m in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", line):
        rest = line[m.start() :]
        ends = (i + 1 for i, c in enumerate(rest) if c == ")")
        tree = next((t for end in ends if (t := parse(rest[:end].encode())) is not None), None) if rest.startswith(f"{name}(") else None
        call = tree.body[0].value if tree is not None and isinstance(tree.body[0], ast.Expr) else None
        if not isinstance(call, ast.Call) or any(isinstance(a, ast.Constant) and a.value is ... for a in call.args):
            return []
        call.func = ast.Attribute(ast.Name("_", ast.Load()), name, ast.Load()) if line[: m.start()].endswith((".", ":")) else call.func
        out.append(call)
    return out


def _waited(tree: ast.Module, call: ast.Call) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Await) and node.value is call:
            return True
        if isinstance(node, ast.Call) and call in node.args:
            name = last_name(node.func)
            if name in _RUNS:
                return True
    return False


def binds(call: ast.Call, a: ast.arguments, *, member: bool) -> bool:
    """Whether the arguments of a call fit the parameters ``a``: counts and keywords; ``member`` leaves the instance out of these.

    What is unpacked into a call may be anything, and so does not show that it fits.
    """
    if any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords):
        return False
    names = [x.arg for x in (*a.posonlyargs, *a.args)]
    bound = names[1:] if member and names[:1] in (["self"], ["cls"]) else names
    keywords = {k.arg for k in call.keywords if k.arg}
    if len(call.args) > len(bound) and a.vararg is None:
        return False
    only = [x.arg for x in a.kwonlyargs]
    allowed = {*[x for x in bound if x not in {p.arg for p in a.posonlyargs}], *only}
    if not keywords <= allowed and a.kwarg is None:
        return False
    taken = set(bound[: len(call.args)])
    if taken & keywords:
        return False
    required = set(names[: len(names) - len(a.defaults)]) & set(bound)
    required |= {x for x, d in zip(only, a.kw_defaults, strict=True) if d is None}
    return required <= taken | keywords
