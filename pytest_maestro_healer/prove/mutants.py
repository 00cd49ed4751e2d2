"""Mutants of product functions, made in memory: does a healed test still notice when the product is wrong?

The operators are the standard ones of mutation testing (arithmetic, comparison, boundary, constant, return value, condition, exception;
Jia and Harman, "An Analysis and Survey of the Development of Mutation Testing", 2011). Pure: source text in, source text out.
"""

from __future__ import annotations

import ast
import copy
import types
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

_ARITHMETIC: dict[type, type] = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult}
_COMPARE: dict[type, type] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Mutant:
    """One changed function of one product file.

    ``path`` is root-relative, ``qualname`` names the function, ``code`` is its mutated code object (same name and first line as the original's),
    ``at`` the changed line and ``what`` the change in words.
    """

    path: str
    qualname: str
    code: types.CodeType
    at: int
    what: str


def mutants(path: str, source: bytes, executed: frozenset[int], limit: int) -> list[Mutant]:
    """Up to ``limit`` mutants of the functions of ``source`` on the ``executed`` lines, spread over functions and operators."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the product's own, about escapes and literals
            tree = ast.parse(source)
            queues = []
            for qualname, function in _functions(tree):
                sites = [s for s in _sites(function) if s.line in executed]
                if sites:
                    queues.append([(qualname, function, s) for s in sites])
            chosen = _round_robin(queues, limit)
            return [m for q, f, s in chosen if (m := _mutated(path, tree, q, f, s)) is not None]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


@dataclass(frozen=True)
class _Site:
    """Where (path of field names and indices from the function) and how."""

    steps: tuple[tuple[str, int], ...]
    line: int
    what: str
    change: Callable[[ast.AST], ast.AST]


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    def walk(body: Sequence[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
        for node in body:
            if isinstance(node, _FUNCTIONS):
                yield prefix + node.name, node
            elif isinstance(node, ast.ClassDef):
                yield from walk(node.body, f"{prefix}{node.name}.")
            else:
                for field in ("body", "handlers", "orelse", "finalbody"):
                    for inner in getattr(node, field, ()):
                        if isinstance(inner, ast.ExceptHandler):
                            yield from walk(inner.body, prefix)
                        elif isinstance(inner, ast.stmt):
                            yield from walk([inner], prefix)

    return walk(tree.body, "")


def _sites(function: ast.AST) -> Iterator[_Site]:
    """All mutations of a function, without those in its signature, decorators, annotations, docstring, format codes and nested functions."""

    def walk(node: ast.AST, steps: tuple[tuple[str, int], ...]) -> Iterator[_Site]:
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef, ast.Lambda)) and steps:
            return
        for change, what in _changes(node):
            yield _Site(steps, getattr(node, "lineno", 0), what, change)
        for field, value in ast.iter_fields(node):
            if field in ("args", "decorator_list", "returns", "annotation", "type_params", "exc", "msg", "ctx", "format_spec"):
                continue
            if isinstance(value, list):
                for i, item in enumerate(value):
                    if isinstance(item, ast.AST) and not _docstring(node, field, i, item):
                        yield from walk(item, (*steps, (field, i)))
            elif isinstance(value, ast.AST):
                yield from walk(value, (*steps, (field, -1)))

    return walk(function, ())


def _docstring(node: ast.AST, field: str, index: int, item: ast.AST) -> bool:
    return field == "body" and index == 0 and isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant)


def _changes(node: ast.AST) -> Iterable[tuple[Callable[[ast.AST], ast.AST], str]]:
    if isinstance(node, ast.Return) and node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
        yield _returns_none, "return value replaced by None"
    elif isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in _ARITHMETIC and not _is_text(node):
        yield _swap_operator, f"{type(node.op).__name__} replaced by {_ARITHMETIC[type(node.op)].__name__}"
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARE:
        yield _swap_compare, f"{type(node.ops[0]).__name__} replaced by {_COMPARE[type(node.ops[0])].__name__}"
    elif isinstance(node, ast.BoolOp):
        yield _swap_bool, f"{type(node.op).__name__} replaced by {'Or' if isinstance(node.op, ast.And) else 'And'}"
    elif isinstance(node, (ast.If, ast.While, ast.IfExp)) and not isinstance(node, ast.While):
        yield _negate_test, "condition negated"
    elif isinstance(node, ast.Raise):
        yield _no_raise, "exception not raised"
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield _change_constant, f"{node.value} replaced by {not node.value}"
        elif isinstance(node.value, (int, float)):
            yield _change_constant, f"{node.value!r} replaced by {node.value + 1!r}"
        elif isinstance(node.value, str) and node.value:
            yield _change_constant, "text changed"


def _is_text(node: ast.BinOp | ast.AugAssign) -> bool:
    """Concatenation and formatting of strings: another operator would only crash."""
    sides = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.value]
    return any(isinstance(s, ast.JoinedStr) or (isinstance(s, ast.Constant) and isinstance(s.value, (str, bytes))) for s in sides)


def _returns_none(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Return)
    node.value = ast.Constant(None)
    return node


def _swap_operator(node: ast.AST) -> ast.AST:
    assert isinstance(node, (ast.BinOp, ast.AugAssign))
    node.op = _ARITHMETIC[type(node.op)]()
    return node


def _swap_compare(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Compare)
    node.ops[0] = _COMPARE[type(node.ops[0])]()
    return node


def _swap_bool(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.BoolOp)
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    return node


def _negate_test(node: ast.AST) -> ast.AST:
    assert isinstance(node, (ast.If, ast.IfExp))
    node.test = ast.UnaryOp(ast.Not(), node.test)
    return node


def _no_raise(node: ast.AST) -> ast.AST:
    return ast.Pass()


def _change_constant(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Constant)
    value = node.value
    if isinstance(value, bool):
        node.value = not value
    elif isinstance(value, str):
        node.value = value + "~"
    else:
        node.value = value + 1  # type: ignore[operator]
    return node


def _round_robin(queues: list[list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef, _Site]]], limit: int) -> list[tuple[str, ast.AST, _Site]]:
    """Take turns between functions, and within one spread over its sites."""
    spread = []
    for q in queues:
        step = max(1, len(q) // max(1, limit // max(1, len(queues))))
        spread.append([*q[::step], *[x for i, x in enumerate(q) if i % step]])
    out: list[tuple[str, ast.AST, _Site]] = []
    i = 0
    while len(out) < limit and any(len(q) > i for q in spread):
        out += [q[i] for q in spread if len(q) > i]
        i += 1
    return out[:limit]


def _mutated(path: str, tree: ast.Module, qualname: str, function: ast.AST, site: _Site) -> Mutant | None:
    """A copy of the statement of the module that holds the function, with one change; line numbers stay those of the file."""
    where = _path_to(tree, function)
    if where is None:
        return None
    # the rest of a module may be long, and means nothing for the code but what it takes from the future
    futures: list[ast.stmt] = [n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
    top = copy.deepcopy(tree.body[where[0][1]])
    copied = ast.Module([*futures, top], [])
    node: ast.AST = top
    for field, index in (*where[1:], *site.steps[:-1]):
        value = getattr(node, field)
        node = value[index] if index >= 0 else value
    if site.steps:
        field, index = site.steps[-1]
        old = getattr(node, field)[index] if index >= 0 else getattr(node, field)
        new = ast.copy_location(site.change(old), old)
        if index >= 0:
            getattr(node, field)[index] = new
        else:
            setattr(node, field, new)
    else:
        site.change(node)
    ast.fix_missing_locations(copied)
    try:
        module = compile(copied, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    decorators = getattr(function, "decorator_list", [])
    first = min([getattr(function, "lineno", 0), *(d.lineno for d in decorators)])
    code = _find_code(module, getattr(function, "name", ""), first)
    return Mutant(path, qualname, code, site.line, site.what) if code is not None else None


def _find_code(code: types.CodeType, name: str, first: int) -> types.CodeType | None:
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            if const.co_name == name and const.co_firstlineno == first:
                return const
            inner = _find_code(const, name, first)
            if inner is not None:
                return inner
    return None


def _path_to(tree: ast.AST, target: ast.AST) -> tuple[tuple[str, int], ...] | None:
    for field, value in ast.iter_fields(tree):
        items = list(enumerate(value)) if isinstance(value, list) else [(-1, value)]
        for i, item in items:
            if item is target:
                return ((field, i),)
            if isinstance(item, (ast.stmt, ast.ExceptHandler)) and not isinstance(item, _FUNCTIONS):
                inner = _path_to(item, target)
                if inner is not None:
                    return ((field, i), *inner)
    return None
