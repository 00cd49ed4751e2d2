"""How is the result of a call taken? Told in words (``unpacked into 2``, ``handed on``), to compare a use with what it was."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.model import Follows

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
#: The function around gives the result, as it is, to whoever called it.
HANDED_ON = "handed on"
#: What goes through a result once, whether it is a list or lazy.
_ONCE = frozenset({"iterated", "spread", *(f"given to {f}" for f in ("list", "tuple", "set", "frozenset", "sorted", "sum", "join", "extend"))})
#: Variables within variables are followed that far.
_DEPTH = 4
#: What a decorator may do with a function besides calling it.
_LOOKS = frozenset({"wraps", "update_wrapper", "iscoroutinefunction", "isgeneratorfunction", "signature", "callable", "cast"})


def parents(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    """The parent of each node."""
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def function_around(node: ast.AST, up: Mapping[ast.AST, ast.AST]) -> _Function | None:
    """The function that a node stands in the body of."""
    inner: ast.AST | None = node
    while (inner := up.get(inner) if inner is not None else None) is not None:
        if isinstance(inner, _FUNCTIONS):
            return inner
    return None


def taken(node: ast.expr, tree: ast.Module, up: Mapping[ast.AST, ast.AST], depth: int = _DEPTH) -> set[str]:
    """How the result of the call of ``node`` is taken; where it is not called, how ``node`` itself is; through variables and members, too."""
    value: ast.AST = node
    parent = up.get(node)
    if isinstance(parent, ast.Call) and parent.func is node:
        value, parent = parent, up.get(parent)
    elif isinstance(node, (ast.Name, ast.Attribute)) and depth == _DEPTH and isinstance(parent, (ast.Call, ast.keyword)):
        return {f"itself given to {_called(parent, up)}"}
    while isinstance(parent, (ast.Await, ast.BoolOp)) or (isinstance(parent, ast.IfExp) and parent.test is not value):
        value, parent = parent, up.get(parent)
    if isinstance(parent, ast.Return):
        return {HANDED_ON}
    if isinstance(parent, (ast.Yield, ast.YieldFrom)):
        return {"yielded"}
    targets = _targets(parent, value)
    if targets:
        return {how for t in targets for how in _target(t, tree, up, depth)}
    return {_used(parent, value, up)}


def _used(parent: ast.AST | None, value: ast.AST, up: Mapping[ast.AST, ast.AST]) -> str:
    if isinstance(parent, ast.Subscript) and parent.value is value:
        return f"subscript {ast.unparse(parent.slice)}"
    if isinstance(parent, ast.Attribute):
        return f"its {parent.attr}"
    if isinstance(parent, (ast.For, ast.AsyncFor, ast.comprehension)):
        return "iterated" if isinstance(parent.target, ast.Name) else f"iterated by {_length(parent.target)}"
    if isinstance(parent, ast.Starred):
        return "spread"
    if isinstance(parent, (ast.Call, ast.keyword)):
        return f"given to {_called(parent, up)}"
    if isinstance(parent, ast.BinOp):
        return f"operand of {type(parent.op).__name__}"
    return type(parent).__name__


def _called(parent: ast.AST, up: Mapping[ast.AST, ast.AST]) -> str:
    call = up.get(parent) if isinstance(parent, ast.keyword) else parent
    func = call.func if isinstance(call, ast.Call) else None
    return last_name(func)


def _targets(parent: ast.AST | None, value: ast.AST) -> list[ast.expr]:
    if isinstance(parent, ast.Assign):
        return parent.targets
    if isinstance(parent, (ast.AnnAssign, ast.NamedExpr)):
        return [parent.target]
    if isinstance(parent, ast.withitem) and parent.optional_vars is not None:
        return [parent.optional_vars]
    return []


def _target(target: ast.expr, tree: ast.Module, up: Mapping[ast.AST, ast.AST], depth: int) -> Iterator[str]:
    if isinstance(target, (ast.Tuple, ast.List)):
        yield f"unpacked into {_length(target)}"
    elif isinstance(target, ast.Name) and depth:
        scope = function_around(target, up) or tree
        loads = [n for n in ast.walk(scope) if isinstance(n, ast.Name) and n.id == target.id and isinstance(n.ctx, ast.Load)]
        for name in loads:
            yield from taken(name, tree, up, depth - 1)
    elif isinstance(target, ast.Attribute) and depth:
        yield f"kept as {target.attr}"
        for member in (n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr == target.attr and isinstance(n.ctx, ast.Load)):
            yield from taken(member, tree, up, depth - 1)
    else:
        yield "stored"


def _length(target: ast.AST) -> str:
    elements = target.elts if isinstance(target, (ast.Tuple, ast.List)) else []
    return f"{len(elements)}{'+' if any(isinstance(e, ast.Starred) for e in elements) else ''}"


def uses_in(scope: ast.AST, name: str) -> Iterator[ast.expr]:
    """The uses of a name, as itself or as a member, below a node."""
    for node in ast.walk(scope):
        if (isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)) or (
            isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.ctx, ast.Load)
        ):
            yield node


def ways(scope: ast.AST, tree: ast.Module, name: str) -> set[str]:
    """How the results of all uses of a name below ``scope`` are taken."""
    up = parents(tree)
    return {how for node in uses_in(scope, name) for how in taken(node, tree, up)}


def harmless(how: str, follows: Follows) -> bool:
    """Whether it makes no difference to a way of taking a result that it changed as ``follows`` says."""
    return bool(follows & Follows.LAZINESS) and how in _ONCE


def meddles(decorator: _Function | ast.ClassDef, *, called: bool) -> bool:
    """Whether a decorator does more with a function than to give, as it is, what its call gives; ``called``: the decorator is made by a call.

    What keeps the function lets others call it, what catches an error or opens something around the call does not do so for what runs later, and
    what looks at the result knows its form.
    """
    if isinstance(decorator, ast.ClassDef):
        return True
    makers = [n for n in decorator.body if isinstance(n, _FUNCTIONS)] if called else [decorator]
    return not makers or any(_meddles(maker) for maker in makers)


def _meddles(maker: _Function) -> bool:
    arguments = [a.arg for a in (*maker.args.posonlyargs, *maker.args.args)][:1]
    if not arguments:
        return True
    tree = ast.Module([maker], [])
    up = parents(tree)
    for node in uses_in(maker, arguments[0]):
        parent = up.get(node)
        looked = isinstance(parent, ast.Attribute) and parent.attr.startswith("__")
        given = isinstance(parent, ast.Call) and node in parent.args and _called(parent, up) in _LOOKS
        returned = isinstance(parent, ast.Return) or (isinstance(parent, ast.Call) and parent.func is node and taken(node, tree, up) == {HANDED_ON})
        if not (looked or given or returned):
            return True
        if returned and isinstance(parent, ast.Call) and _within(node, up):
            return True
    return False


def _within(node: ast.AST, up: Mapping[ast.AST, ast.AST]) -> bool:
    """Whether something is opened or caught around a node, in its function."""
    inner: ast.AST | None = node
    while (inner := up.get(inner) if inner is not None else None) is not None and not isinstance(inner, _FUNCTIONS):
        if isinstance(inner, (ast.Try, ast.With, ast.AsyncWith)):
            return True
    return False
