"""Members that stand on another object of the same expression now: ``x.a.b`` became ``x.b``."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.symbols import flat
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, Proposal
from pytest_maestro_healer.strategies.api_contract_adaptation import examples_former as examples
from pytest_maestro_healer.strategies.api_contract_adaptation.calls import Edits
from pytest_maestro_healer.strategies.api_contract_adaptation.cause import gone, nodes_at, raised_in_test, test_function
from pytest_maestro_healer.strategies.api_contract_adaptation.renames import STRATEGY
from pytest_maestro_healer.strategies.api_contract_adaptation.resolve import Resolver, resolver
from pytest_maestro_healer.strategies.base import Tactic


class MemberOfOther(Tactic):
    name = "member_of_outer_object"
    summary = "A member that a package took from an inner object and gave to the outer one is read from there (x.a.b becomes x.b)."
    applicability = Applicability.REVIEW
    evidence = ("symbol",)
    sources = ("the source of the installed package",)
    heals = examples.HOISTED
    declines = examples.NOT_HOISTED

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """A missing attribute, or a value that is not what the test expects."""
        return failure.phase == "call" and (failure.is_a("AttributeError", "KeyError", "AssertionError"))

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """One proposal per chain of the failing test."""
        if not raised_in_test(failure):
            return
        at = test_function(failure, ctx)
        lacking = gone(failure)
        if lacking is not None:
            for src, node in nodes_at(failure, ctx, ast.Attribute):
                if node.attr == lacking.name and isinstance(node.value, ast.Attribute):
                    yield from self._lacked(src, node, node.value, failure, ctx)
        elif not failure.is_a("AttributeError") and at is not None:
            yield from self._attached(*at, failure, ctx)

    def _lacked(self, src: SourceFile, node: ast.Attribute, inner: ast.Attribute, failure: Failure, ctx: Context) -> Iterator[Proposal]:
        """``x.a`` has no ``b`` but ``x`` has."""
        names = resolver(src, ctx)
        outer = names.ref(inner.value)
        if outer is None or outer.kind not in ("instance", "class", "module") or names.classes.member(outer, node.attr) is None:
            return
        fact = Evidence("symbol", f"{outer.dotted} itself has {node.attr}", outer.dotted, 0.6)
        yield from self._made(inner.attr, node.attr, {ast.dump(inner.value)}, src, fact, failure, ctx)

    def _attached(self, src: SourceFile, function: ast.stmt, failure: Failure, ctx: Context) -> Iterator[Proposal]:
        """A decorator's package puts both ``a`` and ``b`` on the function that it gives."""
        names = resolver(src, ctx)
        seen: set[tuple[str, str]] = set()
        for node in ast.walk(function):
            if not isinstance(node, ast.Attribute) or not isinstance(inner := node.value, ast.Attribute) or not isinstance(inner.value, ast.Name):
                continue
            key = (inner.attr, node.attr)
            where = _both_attached(decorator_packages(inner.value, names), inner.attr, node.attr, ctx) if key not in seen else ""
            seen.add(key)
            if where:
                fact = Evidence("symbol", f"{where} sets both {inner.attr} and {node.attr} on the decorated function", where, 0.6)
                roots = {ast.dump(n) for n in ast.walk(function) if isinstance(n, ast.Name) and decorator_packages(n, names)}
                yield from self._made(inner.attr, node.attr, roots, src, fact, failure, ctx, within=function)

    def _made(
        self, a: str, b: str, roots: set[str], src: SourceFile, fact: Evidence, failure: Failure, ctx: Context, *, within: ast.AST | None = None
    ) -> Iterator[Proposal]:
        scope = within if within is not None else resolver(src, ctx).function_of(next(iter(_chains(src.tree, a, b, roots)), ast.Pass())) or src.tree
        edits = Edits()
        for node in _chains(scope, a, b, roots):
            inner = node.value
            assert isinstance(inner, ast.Attribute)
            edits.of(src).replace(src.span(inner.value)[1], src.span(inner)[1], "")
        made = edits.all()
        if made:
            text = f".{a}.{b} is .{b} now"
            yield Proposal(STRATEGY, self.name, made, (fact,), Applicability.REVIEW, f"{text}: {fact.sentence}", (failure.nodeid,), meaning=text,
                           cause_key=f"hoisted:{a}.{b}", score=0.7)  # fmt: skip


def _chains(scope: ast.AST | None, a: str, b: str, roots: set[str]) -> list[ast.Attribute]:
    """The ``x.a.b`` of a scope whose ``x`` is one of ``roots``."""
    return [
        n
        for n in (ast.walk(scope) if scope is not None else ())
        if isinstance(n, ast.Attribute)
        and n.attr == b
        and isinstance(n.value, ast.Attribute)
        and n.value.attr == a
        and ast.dump(n.value.value) in roots
    ]


def decorator_packages(name: ast.Name, names: Resolver) -> set[str]:
    """The top-level packages of the decorators of the function that a name of a test file stands for."""
    tree = names.src.tree
    scopes = [n.body for n in names.above(name) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))] + [tree.body if tree is not None else []]
    for body in scopes:
        for stmt in flat(body):
            if isinstance(stmt, (ast.FunctionDef, ast.AsyncFunctionDef)) and stmt.name == name.id:
                targets = [d.func if isinstance(d, ast.Call) else d for d in stmt.decorator_list]
                refs = [names.ref(t) for t in targets]
                return {r.dotted.partition(".")[0] for r in refs if r is not None}
    return set()


def _both_attached(tops: set[str], a: str, b: str, ctx: Context) -> str:
    """``module:line`` where a function of one of the packages sets attributes ``a`` and ``b`` of one local name."""
    for top in sorted(tops):
        if ctx.live.is_stdlib(top):
            continue
        for module, path in ctx.symbols.package(top).items():
            data = ctx.symbols.read(path)
            if f".{a}".encode() not in data or f".{b}".encode() not in data:
                continue
            tree = ctx.symbols.tree(path)
            for function in ast.walk(tree) if tree is not None else ():
                if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    set_on = {x: _set_on(function, x) for x in (a, b)}
                    if (set_on[a] & set_on[b]) - {"self", "cls"}:
                        return f"{module}:{function.lineno}"
    return ""


def _set_on(function: ast.AST, attribute: str) -> set[str]:
    """The names whose ``attribute`` a function assigns."""
    return {
        t.value.id
        for n in ast.walk(function)
        if isinstance(n, ast.Assign)
        for t in n.targets
        if isinstance(t, ast.Attribute) and t.attr == attribute and isinstance(t.value, ast.Name)
    }
