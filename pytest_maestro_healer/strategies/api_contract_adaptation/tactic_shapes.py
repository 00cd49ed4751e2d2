"""How something is called: method or property, plain or async."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.similarity import CALLABLE, Function
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Follows, Proposal
from pytest_maestro_healer.strategies.api_contract_adaptation import calls
from pytest_maestro_healer.strategies.api_contract_adaptation import examples_shapes as examples
from pytest_maestro_healer.strategies.api_contract_adaptation.cause import Gone, changes, raised_in_test, statement_at, test_function
from pytest_maestro_healer.strategies.api_contract_adaptation.followed import awaited_nowhere, handed_on, member_used_as_before, slip
from pytest_maestro_healer.strategies.api_contract_adaptation.renames import STRATEGY
from pytest_maestro_healer.strategies.api_contract_adaptation.resolve import Classes, Ref, Resolver, resolver
from pytest_maestro_healer.strategies.api_contract_adaptation.sites import attribute_uses, calls_of
from pytest_maestro_healer.strategies.base import Tactic
from pytest_maestro_healer.strategies.dependency_fix.editor import FileEditor

_METHOD = re.compile(r"<bound method|'method'|method' object|builtin_function_or_method|<function ")
_COROUTINE = re.compile(r"coroutine")
_AWAIT = re.compile(r"can't be used in 'await' expression|a coroutine was expected|awaitable is required|object is not awaitable")
_RUNNERS = frozenset(
    {"run", "run_until_complete", "wait_for", "gather", "create_task", "ensure_future", "shield", "wait", "run_coroutine_threadsafe"}
)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def shown(failure: Failure) -> str:
    """Everything that the failure shows of values: the message, the compared operands, what was raised behind it."""
    parts = [failure.message, *(t for _, t in failure.chain)]
    if failure.comparison is not None:
        parts += [f"{o.value.type} {o.value.repr}" for o in failure.comparison.operands]
    return "\n".join(parts)


def near(failure: Failure, ctx: Context) -> list[tuple[SourceFile, ast.AST]]:
    """The failing statement, then the whole failing test: where to look for the cause of a wrong value."""
    out: list[tuple[SourceFile, ast.AST]] = []
    at, test = statement_at(failure, ctx), test_function(failure, ctx)
    if at is not None:
        out.append(at)
    if test is not None:
        out.append(test)
    return out


class MethodOrProperty(Tactic):
    name = "method_or_property"
    summary = "What became a property or an attribute is no longer called; what became a method is."
    patterns = frozenset({FailurePattern.API_CHANGE, FailurePattern.ASSERTION_FAILURE})
    applicability = Applicability.SAFE
    follows = Follows.ACCESS
    evidence = ("git", "signature")
    sources = ("git history of the product", "https://docs.python.org/3/library/functions.html#property")
    heals = examples.METHODS
    declines = examples.NOT_METHODS

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Values that are not callable, or that are methods themselves."""
        return ("not callable" in failure.message and failure.is_a("TypeError")) or bool(_METHOD.search(shown(failure)))

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """One proposal per member that is used the wrong way round."""
        if failure.is_a("TypeError") and not raised_in_test(failure):
            return
        to_call = "not callable" not in failure.message
        seen: set[str] = set()
        for src, place in near(failure, ctx):
            names = resolver(src, ctx)
            for node in ast.walk(place):
                if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load):
                    continue
                parent = names.up.get(node)
                called = isinstance(parent, ast.Call) and parent.func is node
                if called == to_call or (called and isinstance(parent, ast.Call) and (parent.args or parent.keywords)):
                    continue
                ref = names.ref(node.value)
                if ref is None or ref.kind not in ("instance", "class") or f"{ref.dotted}.{node.attr}" in seen:
                    continue
                seen.add(f"{ref.dotted}.{node.attr}")
                fact = member_shape(ref, node.attr, ctx, callable_now=to_call)
                if fact is not None:
                    yield from self._made(Gone(ref.dotted, ref.kind, node.attr), fact, failure, ctx, to_call=to_call)

    def _made(self, member: Gone, fact: Evidence, failure: Failure, ctx: Context, *, to_call: bool) -> Iterator[Proposal]:
        edits = calls.Edits()
        where = member_used_as_before(member.name, ctx, to_call=to_call)
        if where:  # it lost a decorator rather than changed its mind
            yield slip(self.name, f"{member.dotted} is {'a method' if to_call else 'no method any more'}", where, fact, failure)
            return
        for use in attribute_uses([member], ctx, []):
            node = use.node
            parent = use.resolver.up.get(node)
            assert isinstance(node, ast.Attribute)
            called = isinstance(parent, ast.Call) and parent.func is node
            if to_call and not called and isinstance(node.ctx, ast.Load) and not isinstance(parent, ast.Call):
                calls.make_call(edits.of(use.src), node)
            elif not to_call and called and isinstance(parent, ast.Call) and not parent.args and not parent.keywords:
                calls.drop_call(edits.of(use.src), parent)
        made = edits.all()
        if made:
            text = f"{member.dotted} is {'a method' if to_call else 'no method any more'}: it is {'called' if to_call else 'read'}"
            safe = Applicability.SAFE if fact.weight >= 0.8 else Applicability.REVIEW
            yield Proposal(
                STRATEGY, self.name, made, (fact,), safe, text, (failure.nodeid,), meaning=text, cause_key=f"shape:{member.dotted}", score=0.9
            )


def member_shape(ref: Ref, name: str, ctx: Context, *, callable_now: bool) -> Evidence | None:
    """Evidence that a member is (``callable_now``) a method without required parameters, or none, today; stronger where git knows it otherwise."""
    classes = Classes(ctx)
    known = changes(ctx)
    for cls in classes.mro(ref.dotted):
        module, qualname = classes.split(cls)
        path = ctx.symbols.module_path(module) if module else None
        present = known.current(path).get(f"{qualname}.{name}") if path is not None and known.is_product(path) else None
        if present is None or path is None:
            continue
        if (present.kind in CALLABLE) != callable_now:
            return None
        former = known.former(path, f"{qualname}.{name}", lambda d: (d.kind in CALLABLE) != callable_now)
        if former is not None:
            text = f"{qualname}.{name} was a {former.definition.kind} and became a {present.kind} by {former.label}"
            return Evidence("git", text, f"{path}:{present.line}", 0.85)
        return Evidence("signature", f"{qualname}.{name} is a {present.kind}", f"{path}:{present.line}", 0.6)
    found, cls_obj = ctx.live.get(ref.dotted)
    if not found or not inspect.isclass(cls_obj):
        return None
    try:
        member = inspect.getattr_static(cls_obj, name)
    except AttributeError:
        return None
    routine = inspect.isroutine(member) or isinstance(member, (staticmethod, classmethod))
    if routine != callable_now or (not routine and not isinstance(member, property) and "property" not in type(member).__name__):
        return None
    return Evidence("signature", f"{ref.dotted}.{name} is a {'method' if routine else 'property'} in the installed version", ref.dotted, 0.8)


class SyncOrAsync(Tactic):
    name = "sync_or_async"
    summary = "What became a coroutine function is awaited (or run, in a plain test); what no longer is one is called plainly."
    patterns = frozenset({FailurePattern.API_CHANGE, FailurePattern.ASSERTION_FAILURE})
    applicability = Applicability.SAFE
    follows = Follows.AWAITING
    evidence = ("git", "signature")
    sources = ("git history of the product", "https://docs.python.org/3/library/asyncio-runner.html")
    heals = examples.ASYNC
    declines = examples.NOT_ASYNC

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Coroutines where values were expected, and the other way round."""
        return bool(_COROUTINE.search(shown(failure)) or _AWAIT.search(failure.message))

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """One proposal per function of the failing test."""
        to_plain = bool(_AWAIT.search(failure.message))
        seen: set[str] = set()
        for src, place in near(failure, ctx):
            names = resolver(src, ctx)
            for call in ast.walk(place):
                if not isinstance(call, ast.Call):
                    continue
                ref = names.ref(call.func)
                if ref is None or ref.kind != "function" or ref.dotted in seen:
                    continue
                fact = _async_fact(ref.dotted, ctx, is_async=not to_plain)
                if fact is None or waited(call, names) != to_plain:
                    continue
                seen.add(ref.dotted)
                where = "" if to_plain else awaited_nowhere(ref.dotted.rpartition(".")[2], ctx)
                if where:
                    yield slip(self.name, f"{ref.dotted} is a coroutine function", where, fact, failure)
                    continue
                yield from self._made(ref.dotted, fact, failure, ctx, to_plain=to_plain)

    def _made(self, dotted: str, fact: Evidence, failure: Failure, ctx: Context, *, to_plain: bool) -> Iterator[Proposal]:
        edits = calls.Edits()
        for src, call, names in calls_of({dotted}, dotted.rpartition(".")[2], ctx):
            if waited(call, names) != to_plain:
                continue
            editor = edits.of(src)
            (_plain if to_plain else _await)(editor, call, names)
        made = edits.all()
        if made:
            text = f"{dotted} is {'no coroutine function any more' if to_plain else 'a coroutine function'}"
            loose = "" if to_plain else handed_on(dotted.rpartition(".")[2], ctx)
            safe = Applicability.SAFE if fact.weight >= 0.8 and not loose else Applicability.REVIEW
            facts = (fact, Evidence("callers", f"{loose} hands it on: whether it is awaited there is not known", loose, 0.3)) if loose else (fact,)
            yield Proposal(STRATEGY, self.name, made, facts, safe, text, (failure.nodeid,), meaning=text, cause_key=f"async:{dotted}", score=0.9)


def waited(call: ast.Call, names: Resolver) -> bool:
    """Whether a call's result is awaited or given to an event loop."""
    parent = names.up.get(call)
    if isinstance(parent, ast.Await):
        return True
    if isinstance(parent, ast.Call):
        f = parent.func
        return last_name(f) in _RUNNERS
    return False


def _await(editor: FileEditor, call: ast.Call, names: Resolver) -> None:
    function = names.function_of(call)
    parent = names.up.get(call)
    if isinstance(function, ast.AsyncFunctionDef):
        tight = (
            isinstance(parent, (ast.Attribute, ast.Subscript))
            or (isinstance(parent, ast.Call) and parent.func is call)
            or isinstance(parent, (ast.BinOp, ast.UnaryOp))
        )
        calls.wrap(editor, call, "(await " if tight else "await ", ")" if tight else "")
    else:
        editor.need("import asyncio")
        calls.wrap(editor, call, "asyncio.run(", ")")


def _plain(editor: FileEditor, call: ast.Call, names: Resolver) -> None:
    parent = names.up.get(call)
    src = editor.src
    if isinstance(parent, ast.Await):
        outer = names.up.get(parent)
        editor.replace(src.span(parent)[0], src.span(call)[0], "")
        if isinstance(outer, (ast.Attribute, ast.Subscript)):  # (await f()).x: the brackets go as well
            start, end = src.span(parent)
            if src.text[start - 1 : start] == "(" and src.text[end : end + 1] == ")":
                editor.replace(start - 1, start, "")
                editor.replace(end, end + 1, "")
    elif isinstance(parent, ast.Call) and len(parent.args) == 1 and not parent.keywords:
        editor.replace_node(parent, src.segment(call))


def _async_fact(dotted: str, ctx: Context, *, is_async: bool) -> Evidence | None:
    classes = Classes(ctx)
    known = changes(ctx)
    module, qualname = classes.split(dotted)
    path = ctx.symbols.module_path(module) if module else None
    if path is not None and known.is_product(path):
        present = known.current(path).get(qualname)
        if present is None or present.function is None or present.is_async != is_async:
            return None
        former = known.former(path, qualname, lambda d: d.function is not None and d.is_async != is_async)
        where = f"{path}:{present.line}"
        if former is not None:
            return Evidence("git", f"{qualname} became {'async' if is_async else 'a plain function'} by {former.label}", where, 0.85)
        return Evidence("signature", f"{qualname} is {'an async' if is_async else 'a plain'} function", where, 0.6)
    found, obj = ctx.live.get(dotted)
    if not found or not callable(obj) or inspect.iscoroutinefunction(obj) != is_async:
        return None
    return Evidence("signature", f"{dotted} is {'a coroutine function' if is_async else 'a plain function'} in the installed version", dotted, 0.8)


def enclosing_test(node: ast.AST, names: Resolver) -> Function | None:
    """The outermost function around a node."""
    found = [n for n in names.above(node) if isinstance(n, _FUNCTIONS)]
    return found[-1] if found else None
