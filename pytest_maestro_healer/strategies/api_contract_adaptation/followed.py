"""Whether the product followed a change of its own: where its code still reckons with what was before, the change is half done or a slip.

Only what cannot be meant is looked for: a coroutine that is indexed, a method that is added to a number, a generator that is measured.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.model import Applicability, Evidence, Failure, Proposal
from pytest_maestro_healer.strategies.api_contract_adaptation.cause import changes
from pytest_maestro_healer.strategies.api_contract_adaptation.renames import STRATEGY

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
#: What only a list has, of all that is iterated.
_OF_A_LIST = frozenset({"append", "extend", "insert", "remove", "pop", "index", "count", "sort", "reverse", "copy"})


def member_used_as_before(name: str, ctx: Context, *, to_call: bool) -> str:
    """``path:line`` where a class of the product still takes its own method ``name`` for a value, or calls its own value; ``""`` if nowhere.

    ``to_call`` says that it became a method.
    """

    def own(node: ast.expr) -> bool:
        return isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")

    for path, tree in changes(ctx).trees_with(name):
        for cls in ast.walk(tree):
            if isinstance(cls, ast.ClassDef) and any(isinstance(n, _FUNCTIONS) and n.name == name for n in cls.body):
                line = _line(cls, own, _values if to_call else _called)
                if line:
                    return f"{path}:{line}"
    return ""


def awaited_nowhere(name: str, ctx: Context) -> str:
    """``path:line`` where the product uses what the function ``name`` gives without waiting for it; ``""`` if nowhere."""
    return _result_used(name, ctx, lambda node: [*_values(node), *_iterated(node)])


def handed_on(name: str, ctx: Context) -> str:
    """``path:line`` where the product speaks of ``name`` other than to await it: who gets it there may not wait. ``""`` if nowhere."""
    for path, tree in changes(ctx).trees_with(name):
        waited = {id(f) for n in ast.walk(tree) if isinstance(n, ast.Await) for f in ast.walk(n)}
        for node in ast.walk(tree):
            own = last_name(node)
            if own == name and isinstance(getattr(node, "ctx", None), ast.Load) and id(node) not in waited:
                return f"{path}:{node.lineno}"  # type: ignore[attr-defined]
            if isinstance(node, _FUNCTIONS) and node.name == name and node.decorator_list:
                return f"{path}:{node.lineno}"
    return ""


def still_a_list(name: str, ctx: Context) -> str:
    """``path:line`` where the product uses what the function ``name`` gives as only a list can be used; ``""`` if nowhere."""

    def of_a_list(node: ast.AST) -> list[ast.expr]:
        if isinstance(node, ast.Attribute):
            return [node.value] if node.attr in _OF_A_LIST else []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len":
            return node.args
        return _values(node) if isinstance(node, (ast.BinOp, ast.Subscript)) else []

    return _result_used(name, ctx, of_a_list)


def slip(tactic: str, what: str, where: str, fact: Evidence, failure: Failure) -> Proposal:
    """Advice: the product changed something and did not follow."""
    text = f"{what}, and the product itself has not followed at {where}: this looks like a regression of the product"
    evidence = (fact, Evidence("callers", f"{where} still takes it for what it was", where, 0.8))
    return Proposal(STRATEGY, tactic, (), evidence, Applicability.ADVICE, text, (failure.nodeid,), cause_key=f"slip:{where}", advice=text)


def _result_used(name: str, ctx: Context, used: Callable[[ast.AST], list[ast.expr]]) -> str:
    """Where a call of the product's one function of that name is ``used``; another definition of the name may be what is called."""
    known = changes(ctx)
    files = list(known.trees_with(name))
    if sum(d.name == name for path, _ in files for d in known.current(path).values()) != 1:
        return ""

    def call(node: ast.expr) -> bool:
        f = node.func if isinstance(node, ast.Call) else None
        return (isinstance(f, ast.Name) and f.id == name) or (isinstance(f, ast.Attribute) and f.attr == name)

    return next((f"{path}:{line}" for path, tree in files if (line := _line(tree, call, used))), "")


def _line(tree: ast.AST, wanted: Callable[[ast.expr], bool], used: Callable[[ast.AST], list[ast.expr]]) -> int:
    return next((n.lineno for outer in ast.walk(tree) for n in used(outer) if wanted(n)), 0)


def _values(node: ast.AST) -> list[ast.expr]:
    """The expressions that a node takes for a value: added, compared, looked into or shown. What is handed on is not."""
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.Compare) and not any(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
        return [node.left, *node.comparators]
    if isinstance(node, ast.Attribute):
        return [] if node.attr.startswith("__") else [node.value]
    return [node.value] if isinstance(node, (ast.FormattedValue, ast.Subscript)) else []


def _iterated(node: ast.AST) -> list[ast.expr]:
    return [node.iter] if isinstance(node, (ast.For, ast.comprehension)) and not getattr(node, "is_async", 0) else []


def _called(node: ast.AST) -> list[ast.expr]:
    return [node.func] if isinstance(node, ast.Call) else []
