"""Exceptions and warnings of another type than before; callbacks of tests that are called with more than before."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.signatures import Param, Signature, of_function, of_live
from pytest_maestro_healer.evidence.similarity import Function
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Proposal
from pytest_maestro_healer.strategies.api_contract_adaptation import calls
from pytest_maestro_healer.strategies.api_contract_adaptation import examples_raising as examples
from pytest_maestro_healer.strategies.api_contract_adaptation.cause import changes, misfit, raised_in_test, test_frame
from pytest_maestro_healer.strategies.api_contract_adaptation.renames import STRATEGY, reference
from pytest_maestro_healer.strategies.api_contract_adaptation.resolve import Resolver, resolver
from pytest_maestro_healer.strategies.base import Tactic

_RAISES = frozenset({"raises", "assertRaises", "assertRaisesRegex"})
_WARNS = frozenset({"warns", "assertWarns", "assertWarnsRegex", "deprecated_call"})
_EMITTED = re.compile(r"Emitted warnings: \[(.*)\]", re.S)


class ExceptionType(Tactic):
    name = "exception_type"
    summary = "A test that expects an exception or warning by its type expects the type that the product raises since its change."
    applicability = Applicability.REVIEW
    evidence = ("git",)
    sources = ("git history of the product",)
    heals = examples.TYPES
    declines = examples.NOT_TYPES

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Exceptions that came out of a block that expects another, warnings of another category."""
        return failure.phase == "call" and not failure.is_a("AssertionError", "SyntaxError", "ImportError")

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """Only where git shows the product putting the one type in place of the other."""
        if failure.is_a("Failed") and "DID NOT WARN" in failure.message:
            m = _EMITTED.search(failure.message)
            new_names = re.findall(r"\b([A-Za-z_]\w*Warning)\(", m[1]) if m else []
            yield from self._swap(_WARNS, list(dict.fromkeys(new_names)), failure, ctx)
        elif not failure.is_a("Failed") and not raised_in_test(failure):
            yield from self._swap(_RAISES, [failure.exc_type], failure, ctx)

    def _swap(self, functions: frozenset[str], new_names: list[str], failure: Failure, ctx: Context) -> Iterator[Proposal]:
        frame = test_frame(failure)
        src = ctx.source(frame.location.path) if frame is not None and ctx.is_test_code(frame.location.path) else None
        if frame is None or src is None or src.tree is None:
            return
        names = resolver(src, ctx)
        for node in ast.walk(src.tree):
            if not isinstance(node, (ast.With, ast.AsyncWith)) or not node.lineno <= frame.location.line <= (node.end_lineno or 0):
                continue
            for item in node.items:
                call = item.context_expr
                if not isinstance(call, ast.Call) or last_name(call.func) not in functions or not call.args:
                    continue
                expected = call.args[0]
                old = last_name(expected) if isinstance(expected, (ast.Name, ast.Attribute)) else ""
                for new in new_names:
                    where = self._swapped(old, new.rpartition(".")[2], ctx) if old else ""
                    if where:
                        yield from self._made(expected, old, new, where, names, failure, src)

    def _swapped(self, old: str, new: str, ctx: Context) -> str:
        """Where the product's change says ``new`` instead of ``old``."""
        known = changes(ctx)
        if old == new or not ctx.git.available:
            return ""
        for rev in ("HEAD", *(f"{c}~1" for c, _ in ctx.git.commits(limit=3))):
            for h in known.hunks(rev):
                gone, came = "\n".join(h.removed), "\n".join(h.added)
                if (
                    re.search(rf"\b{re.escape(old)}\b", gone)
                    and re.search(rf"\b{re.escape(new)}\b", came)
                    and not re.search(rf"\braise\s+{re.escape(old)}\b", came)
                ) and re.search(r"\braise\b|\bwarn", gone + came):
                    return f"{h.path}:{h.new_line}"
        return ""

    def _made(self, expected: ast.expr, old: str, new: str, where: str, names: Resolver, failure: Failure, src: SourceFile) -> Iterator[Proposal]:
        edits = calls.Edits()
        editor = edits.of(src)
        dotted = new if "." in new else self._home(new, names)
        editor.replace_node(expected, reference(editor, names, dotted))
        made = edits.all()
        if made:
            fact = Evidence("git", f"the product's change says {new.rpartition('.')[2]} where it said {old}", where, 0.75)
            text = f"{old} became {new.rpartition('.')[2]}"
            yield Proposal(STRATEGY, self.name, made, (fact,), Applicability.REVIEW, f"{text}: the test expects that", (failure.nodeid,),
                           meaning=text, cause_key=f"raises:{old}:{new}", score=0.8)  # fmt: skip

    def _home(self, name: str, names: Resolver) -> str:
        import builtins

        if hasattr(builtins, name):
            return f"builtins.{name}"
        found = [d for d in names.ctx.symbols.find(name) if not d.is_test and d.kind == "class"]
        return found[0].dotted if len(found) == 1 else f"builtins.{name}"


class CallbackSignature(Tactic):
    name = "callback_signature"
    summary = "A function of the test that the product or a library calls (an override, a fake, a hook) takes the arguments that it is given now."
    patterns = frozenset({FailurePattern.API_CHANGE})
    applicability = Applicability.REVIEW
    evidence = ("signature",)
    sources = ("the signature of what it overrides or replaces",)
    heals = examples.CALLBACKS
    declines = examples.NOT_CALLBACKS

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Binding errors that came up outside the test."""
        return _wrong(failure) is not None

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The function of that name in the failing file, if it is the test's own."""
        wrong = _wrong(failure)
        src = ctx.source(failure.path)
        if wrong is None or src is None or src.tree is None:
            return
        qualname, reason = wrong
        parts = [p for p in qualname.split(".") if p != "<locals>"]
        names = resolver(src, ctx)
        for node in ast.walk(src.tree):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or node.name != parts[-1] or not _at(node, parts, names):
                continue
            pattern = self._pattern(node, names, ctx)
            extra = _missing(node, reason, pattern[1] if pattern is not None else None)
            if not extra:
                continue
            edits = calls.Edits()
            _extend(edits, src, node, extra)
            made = edits.all()
            if made:
                text = f"{node.name} takes {', '.join(p.name for p in extra)} too"
                fact = (
                    Evidence("signature", f"{pattern[0]} is {pattern[0].rpartition('.')[2]}{pattern[1]} now", pattern[0], 0.8)
                    if pattern
                    else Evidence("signature", f"it is called so: {reason[:120]}", src.path, 0.4)
                )
                yield Proposal(
                    STRATEGY,
                    self.name,
                    made,
                    (fact,),
                    Applicability.REVIEW,
                    text,
                    (failure.nodeid,),
                    meaning=text,
                    cause_key=f"callback:{qualname}",
                    score=0.85 if pattern else 0.6,
                )

    def _pattern(self, node: Function, names: Resolver, ctx: Context) -> tuple[str, Signature] | None:
        """(name, signature) of what the function overrides in a base class or stands in for."""
        cls = names.up.get(node)
        if isinstance(cls, ast.ClassDef):
            for base in cls.bases:
                ref = names.ref(base)
                for owner in names.classes.mro(ref.dotted) if ref is not None and ref.kind == "class" else ():
                    dotted = f"{owner}.{node.name}"
                    function = names.classes.function_node(dotted)
                    if function is not None:
                        return dotted, of_function(function, bound=True)
                    found, obj = ctx.live.get(dotted)
                    if found and inspect.isfunction(obj):
                        sig = of_live(obj)
                        return (dotted, Signature(sig.params[1:])) if sig is not None else None
            return None
        for call in ast.walk(names.src.tree) if names.src.tree is not None else ():
            if (
                isinstance(call, ast.Call)
                and last_name(call.func) in ("setattr", "patch", "object")
                and any(isinstance(a, ast.Name) and a.id == node.name for a in [*call.args, *(k.value for k in call.keywords)])
            ):
                dotted = _replaced(call, names)
                function = names.classes.function_node(dotted) if dotted else None
                if function is not None:
                    return dotted, of_function(function, bound="." in names.classes.split(dotted)[1])
        return None


def _wrong(failure: Failure) -> tuple[str, str] | None:
    bad = misfit(failure)
    if bad is not None and not raised_in_test(failure):
        return bad.function, bad.reason
    m = re.search(
        r"([\w.<>]+)\(\) (got an unexpected keyword argument '\w+'|takes \d+ positional arguments? but \d+ (?:was|were) given)", failure.message
    )
    return (m[1], m[2]) if m and failure.is_a("AssertionError") else None


def _at(node: ast.AST, parts: list[str], names: Resolver) -> bool:
    above = [getattr(n, "name", "") for n in names.above(node) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))]
    return [*reversed(above), getattr(node, "name", "")] == parts


def _missing(node: Function, reason: str, pattern: Signature | None) -> list[Param]:
    """The parameters to add: those of the pattern that the function lacks, else the keyword that it was given."""
    own = {a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)}
    m = re.search(r"unexpected keyword argument '(\w+)'", reason)
    if pattern is not None:
        lacking = [p for p in pattern.params if p.name not in own and p.kind not in ("args", "kwargs")]
        if m is None or any(p.name == m[1] for p in lacking):
            return lacking
    return [Param(m[1], "normal")] if m and pattern is None else []


def _extend(edits: calls.Edits, src: SourceFile, node: Function, extra: list[Param]) -> None:
    a = node.args
    if a.kwarg is not None or a.vararg is not None:
        return
    last = [*a.posonlyargs, *a.args, *a.kwonlyargs]
    with_default = bool(a.defaults) or any(d is not None for d in a.kw_defaults)
    text = ", ".join(p.name + (f"={p.default if p.default is not None else None}" if with_default or p.default is not None else "") for p in extra)
    if last:
        ends = [src.span(x)[1] for x in last] + [src.span(d)[1] for d in [*a.defaults, *a.kw_defaults] if d is not None]
        edits.of(src).replace(max(ends), max(ends), ", " + text)
    else:
        at = src.text.index("(", src.text.index(node.name, src.span(node)[0])) + 1
        edits.of(src).replace(at, at, text)


def _replaced(call: ast.Call, names: Resolver) -> str:
    """The dotted name of what a patching call replaces."""
    strings = [x.value for x in call.args[:2] if isinstance(x, ast.Constant) and isinstance(x.value, str)]
    if strings and "." in strings[0]:
        return strings[0]
    ref = names.ref(call.args[0]) if call.args else None
    return f"{ref.dotted}.{strings[0]}" if ref is not None and strings else ""
