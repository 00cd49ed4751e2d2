"""Ways to break a product function: for the negatives, and to see whether a healed test still notices."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterator

from .pysource import replaced, source, span

Mutations = Iterator[str]
Maker = Callable[[str, ast.FunctionDef], Mutations]
ARITHMETIC = {ast.Add: "-", ast.Sub: "+", ast.Mult: "//", ast.Div: "*", ast.FloorDiv: "*", ast.Mod: "//"}
COMPARE = {
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Lt: ">",
    ast.Gt: "<",
    ast.LtE: ">=",
    ast.GtE: "<=",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Is: "is not",
    ast.IsNot: "is",
}
EDGE = {ast.Lt: "<=", ast.Gt: ">=", ast.LtE: "<", ast.GtE: ">"}


def _inside(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """The nodes of the body, docstring and annotations left out."""
    body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    for statement in body:
        for node in ast.walk(statement):
            if not isinstance(node, ast.JoinedStr):
                yield node


def arithmetic(text: str, function: ast.FunctionDef) -> Mutations:
    """``+`` for ``-`` and the like."""
    for node in _inside(function):
        if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC and not isinstance(node.left, (ast.Constant, ast.JoinedStr)):
            yield replaced(text, node, f"({source(text, node.left)} {ARITHMETIC[type(node.op)]} {source(text, node.right)})")


def comparison(text: str, function: ast.FunctionDef) -> Mutations:
    """The opposite comparison."""
    yield from _compare(text, function, COMPARE)


def off_by_one(text: str, function: ast.FunctionDef) -> Mutations:
    """``<=`` for ``<``, one more or one less in an index, a slice or a range."""
    yield from _compare(text, function, EDGE)
    for node in _inside(function):
        targets: list[ast.AST | None] = []
        if isinstance(node, ast.Slice):
            targets = [node.lower, node.upper]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("range", "islice", "repeat"):
            targets = list(node.args[-1:])
        for target in targets:
            if target is not None and not isinstance(target, ast.Starred):
                yield replaced(text, target, f"({source(text, target)}) - 1")


def _compare(text: str, function: ast.FunctionDef, table: dict[type, str]) -> Mutations:
    for node in _inside(function):
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in table:
            new = f"{source(text, node.left)} {table[type(node.ops[0])]} {source(text, node.comparators[0])}"
            yield replaced(text, node, new)


def boolean(text: str, function: ast.FunctionDef) -> Mutations:
    """``or`` for ``and``; a condition turned round."""
    for node in _inside(function):
        if isinstance(node, ast.BoolOp):
            word = " or " if isinstance(node.op, ast.And) else " and "
            yield replaced(text, node, "(" + word.join(f"({source(text, v)})" for v in node.values) + ")")
        elif isinstance(node, (ast.If, ast.IfExp)) and not isinstance(node.test, (ast.Compare, ast.BoolOp)):
            yield replaced(text, node.test, f"not ({source(text, node.test)})")


def default(text: str, function: ast.FunctionDef) -> Mutations:
    """Another default."""
    for node in [*function.args.defaults, *(d for d in function.args.kw_defaults if d)]:
        if isinstance(node, ast.Constant):
            new = _other(node.value)
            if new:
                yield replaced(text, node, new)


def _other(value: object) -> str:
    if isinstance(value, bool):
        return repr(not value)
    if isinstance(value, int):
        return repr(value + 1)
    if isinstance(value, float):
        return repr(value * 2 + 1)
    if isinstance(value, str) and value:
        return repr(value[1:] if len(value) > 1 else "_" if value != "_" else "-")
    return ""


def constant(text: str, function: ast.FunctionDef) -> Mutations:
    """A number that is off by one, a text that lost its first letter."""
    for node in _inside(function):
        if isinstance(node, ast.Constant) and not isinstance(node.value, bool):
            new = _other(node.value)
            inside = source(text, node)
            if new and (inside[:1] in "'\"" or inside[:1].isdigit()):
                yield replaced(text, node, new)


def swallowed(text: str, function: ast.FunctionDef) -> Mutations:
    """An exception that callers rely on is swallowed."""
    for node in _inside(function):
        if isinstance(node, ast.Raise):
            yield replaced(text, node, "return None")
    for node in _inside(function):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Call):
            pad = " " * node.col_offset
            yield replaced(text, node, f"try:\n{pad}    {_indented(source(text, node))}\n{pad}except Exception:\n{pad}    return None")


def check_removed(text: str, function: ast.FunctionDef) -> Mutations:
    """A validation or permission check is gone: ``if ...: raise ...``."""
    for node in _inside(function):
        if isinstance(node, ast.If) and not node.orelse and isinstance(node.body[-1], ast.Raise) and source(text, node).startswith("if"):
            yield replaced(text, node, "pass")


def lost_return(text: str, function: ast.FunctionDef) -> Mutations:
    """A result is computed and not returned, or an empty one is."""
    for node in _inside(function):
        if isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
            yield replaced(text, node, f"result = {source(text, node.value)}")


def wrong_argument(text: str, function: ast.FunctionDef) -> Mutations:
    """Two arguments exchanged in a call."""
    for node in _inside(function):
        if isinstance(node, ast.Call) and len(node.args) == 2 and not any(isinstance(a, ast.Starred) for a in node.args):
            a, b = (source(text, x) for x in node.args)
            if a != b:
                begin, end = span(text, node.args[0])[0], span(text, node.args[1])[1]
                yield text[:begin] + f"{b}, {a}" + text[end:]


def lost_statement(text: str, function: ast.FunctionDef) -> Mutations:
    """A statement that had an effect is gone."""
    for node in _inside(function):
        if isinstance(node, (ast.AugAssign, ast.Expr)) and not (
            isinstance(node, ast.Expr) and isinstance(node.value, (ast.Constant, ast.Yield, ast.YieldFrom))
        ):
            yield replaced(text, node, "pass")


def _indented(code: str) -> str:
    return code.replace("\n", "\n    ")


MAKERS: dict[str, Maker] = {
    "arithmetic": arithmetic,
    "comparison": comparison,
    "off_by_one": off_by_one,
    "boolean": boolean,
    "default": default,
    "constant": constant,
    "swallowed_exception": swallowed,
    "check_removed": check_removed,
    "lost_return": lost_return,
    "wrong_argument": wrong_argument,
    "lost_statement": lost_statement,
}


def parses(text: str) -> bool:
    """Whether it is Python."""
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def mutants(text: str, function: ast.FunctionDef, rng: random.Random, count: int) -> list[str]:
    """Up to ``count`` different mutants of one function, of all kinds."""
    found = [m for maker in MAKERS.values() for m in maker(text, function)]
    found = [m for m in dict.fromkeys(found) if m != text and parses(m)]
    return rng.sample(found, min(count, len(found)))
