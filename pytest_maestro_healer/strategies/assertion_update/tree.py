"""Finding one's way in a test file's syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.model import Location

Function = ast.FunctionDef | ast.AsyncFunctionDef
_LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.comprehension, ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)


@lru_cache(maxsize=64)
def parents(src: SourceFile) -> dict[ast.AST, ast.AST]:
    """Child -> parent for every node of the file."""
    return {child: node for node in ast.walk(src.tree) for child in ast.iter_child_nodes(node)} if src.tree else {}


def above(src: SourceFile, node: ast.AST) -> Iterator[ast.AST]:
    """The nodes around ``node``, innermost first."""
    known = parents(src)
    at = known.get(node)
    while at is not None:
        yield at
        at = known.get(at)


def function_of(src: SourceFile, node: ast.AST) -> Function | None:
    """The innermost function around ``node``."""
    return next((n for n in above(src, node) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))), None)


def class_of(src: SourceFile, node: ast.AST) -> ast.ClassDef | None:
    """The innermost class around ``node``."""
    return next((n for n in above(src, node) if isinstance(n, ast.ClassDef)), None)


def loop_of(src: SourceFile, node: ast.AST) -> ast.AST | None:
    """The innermost loop of the same function that ``node`` stands in the body of."""
    below = node
    for n in above(src, node):
        if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return None
        if isinstance(n, _LOOPS) and below is not getattr(n, "iter", None):
            return n
        below = n
    return None


def node_at(src: SourceFile, where: Location | None, kinds: type | tuple[type, ...] = ast.expr) -> ast.AST | None:
    """The node of one of ``kinds`` that spans exactly ``where``; with a line only, the innermost statement's on that line."""
    if where is None or src.tree is None:
        return None
    span = (where.line, where.col, where.end_line, where.end_col)
    if where.col >= 0:
        return next((n for n in ast.walk(src.tree) if isinstance(n, kinds) and span_of(n) == span), None)
    found = [n for n in ast.walk(src.tree) if isinstance(n, kinds) and getattr(n, "lineno", 0) == where.line]
    return found[0] if len(found) == 1 else None


def span_of(node: ast.AST) -> tuple[int, int, int, int]:
    """Lines and byte columns."""
    return (getattr(node, "lineno", -1), getattr(node, "col_offset", -1), getattr(node, "end_lineno", -1), getattr(node, "end_col_offset", -1))


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function's own body, not those of functions and classes inside it."""
    stack = list(ast.iter_child_nodes(function))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            stack.extend(ast.iter_child_nodes(node))


def parameters(function: Function) -> list[str]:
    """The names of all parameters, positional first."""
    a = function.args
    return [x.arg for x in [*a.posonlyargs, *a.args, *a.kwonlyargs]]


def default_of(function: Function, name: str) -> ast.expr | None:
    """The default of a parameter."""
    a = function.args
    positional = [*a.posonlyargs, *a.args]
    pairs: dict[str, ast.expr | None] = dict(zip([x.arg for x in reversed(positional)], reversed(a.defaults), strict=False))
    pairs |= {x.arg: d for x, d in zip(a.kwonlyargs, a.kw_defaults, strict=True)}
    return pairs.get(name)


def argument(call: ast.Call, function: Function, name: str, bound: bool) -> ast.expr | None:
    """What ``call`` passes for a parameter of ``function``; ``bound`` where the first parameter is filled by the receiver."""
    for k in call.keywords:
        if k.arg == name:
            return k.value
    a = function.args
    positional = [x.arg for x in [*a.posonlyargs, *a.args]][1 if bound else 0 :]
    if name in positional:
        index = positional.index(name)
        given = call.args[: index + 1]
        if len(given) > index and not any(isinstance(g, ast.Starred) for g in given):
            return given[index]
        if any(isinstance(g, ast.Starred) for g in given):
            return None
    return default_of(function, name)
