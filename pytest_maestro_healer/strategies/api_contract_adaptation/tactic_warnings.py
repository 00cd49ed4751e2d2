"""Deprecation warnings that became errors: the message, or the shim that gave it, says what to use."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Iterable, Iterator

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence import notes
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.signatures import Argument, has_stars
from pytest_maestro_healer.evidence.symbols import absolute_module
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Proposal
from pytest_maestro_healer.strategies.api_contract_adaptation import examples_warnings as examples
from pytest_maestro_healer.strategies.api_contract_adaptation.calls import Edits, rewrite
from pytest_maestro_healer.strategies.api_contract_adaptation.cause import Gone, statement_at
from pytest_maestro_healer.strategies.api_contract_adaptation.renames import STRATEGY, Migration, proposal
from pytest_maestro_healer.strategies.api_contract_adaptation.resolve import Resolver, resolver
from pytest_maestro_healer.strategies.api_contract_adaptation.successors import Successor
from pytest_maestro_healer.strategies.base import Tactic

_PARAMETER = re.compile(
    r"(?i)(?:the\s+)?[`'\"](\w+)[`'\"]\s+(?:parameter|argument|keyword|option|kwarg)|"
    r"(?:parameter|argument|keyword argument|option|kwarg)\s+[`'\"](\w+)[`'\"]|"
    r"(?:passing|pass)\s+[`'\"]?(\w+)=?[`'\"]?"
)
_NAMES = (
    "DeprecationWarning",
    "PendingDeprecationWarning",
    "FutureWarning",
    "RemovedInNextVersionWarning",
    "SADeprecationWarning",
    "MovedIn20Warning",
)


def _is_deprecation(failure: Failure) -> bool:
    return failure.is_a(*_NAMES) or ("Warning" in failure.exc_type and "deprecat" in failure.message.lower())


class DeprecatedUse(Tactic):
    name = "deprecated_use"
    summary = "A deprecated name, whose warning is an error here, gives way to what the warning names or the shim hands out."
    patterns = frozenset({FailurePattern.API_CHANGE})
    applicability = Applicability.SAFE
    evidence = ("docs", "symbol")
    sources = ("the warning's own text", "https://peps.python.org/pep-0562/")
    heals = examples.HEALS
    declines = examples.DECLINES

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Deprecations that were raised."""
        return _is_deprecation(failure)

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """Names first, then parameters."""
        at = statement_at(failure, ctx)
        if at is None:
            return
        src, statement = at
        group = [failure, *(f for f in ctx.failures if f.nodeid != failure.nodeid and f.message == failure.message and _is_deprecation(f))]
        for gone in _deprecated(src, statement, failure, ctx):
            found = list(_successors(gone, failure, ctx))
            for s in found:
                edits = Migration(gone, gone.owner, s, group, ctx).run()
                if edits:
                    yield proposal(self.name, gone, s, edits, group, ctx, tied=len(found) > 1 and found[0] is not s)
        yield from self._parameters(src, statement, failure, group)

    def _parameters(self, src: SourceFile, statement: ast.stmt, failure: Failure, group: list[Failure]) -> Iterator[Proposal]:
        mentioned = {n for m in _PARAMETER.finditer(failure.message) for n in m.groups() if n}
        for call in ast.walk(statement):
            if not isinstance(call, ast.Call) or has_stars(call):
                continue
            for keyword in call.keywords:
                if keyword.arg not in mentioned or keyword.arg is None:
                    continue
                words = [w.name for w in notes.successors_in(failure.message) if w.name != keyword.arg and "." not in w.name]
                dropped = not words and re.search(r"(?i)no effect|ignored|will be removed|no longer|is deprecated", failure.message)
                for to in words[:1] or ([""] if dropped else []):
                    edits = Edits()
                    arguments = [Argument("", i) for i in range(len(call.args))]
                    arguments += [Argument(to if k is keyword else k.arg or "", k.arg) for k in call.keywords if k is not keyword or to]
                    rewrite(edits.of(src), call, arguments)
                    text = f"{keyword.arg} is {to}" if to else f"{keyword.arg} is left out"
                    fact = Evidence("docs", f"the warning says: {failure.message[:160]}", src.path + f":{call.lineno}", 0.8 if to else 0.4)
                    made = edits.all()
                    if made:
                        safe = Applicability.SAFE if to else Applicability.REVIEW
                        yield Proposal(STRATEGY, self.name, made, (fact,), safe, text, tuple(f.nodeid for f in group[:1]),
                                       meaning=text, cause_key=f"deprecated:{failure.message[:80]}", score=0.85 if to else 0.5)  # fmt: skip


def _deprecated(src: SourceFile, statement: ast.stmt, failure: Failure, ctx: Context) -> Iterator[Gone]:
    """What the failing statement takes that the warning speaks of."""
    names = resolver(src, ctx)
    words = set(re.findall(r"\w+", failure.message.partition(" instead")[0].partition("Use ")[0] or failure.message))
    if isinstance(statement, ast.ImportFrom):
        base = absolute_module(statement, names.module, src.path.endswith("__init__.py"))
        for a in statement.names:
            if a.name in words:
                yield Gone(base, "module", a.name, imported=True)
        return
    seen: set[str] = set()
    parts = [statement] if not hasattr(statement, "body") else [n for n in ast.iter_child_nodes(statement) if isinstance(n, ast.expr)]
    if isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.With, ast.AsyncWith)):
        parts += list(getattr(statement, "decorator_list", [])) + [i.context_expr for i in getattr(statement, "items", [])]
    for part in parts:
        for node in ast.walk(part):
            gone = _gone(node, names, words)
            if gone is not None and gone.dotted not in seen:
                seen.add(gone.dotted)
                yield gone


def _gone(node: ast.AST, names: Resolver, words: set[str]) -> Gone | None:
    if isinstance(node, ast.Attribute) and node.attr in words:
        owner = names.ref(node.value)
        if owner is not None and owner.kind in ("module", "class", "instance"):
            return Gone(owner.dotted, owner.kind, node.attr)
    if isinstance(node, ast.Name) and node.id in words:
        ref = names.ref(node)
        if ref is not None and ref.kind in ("function", "class"):
            module, qualname = names.classes.split(ref.dotted)
            for stmt in ast.walk(names.src.tree) if names.src.tree is not None else ():
                if isinstance(stmt, ast.ImportFrom) and any((a.asname or a.name) == node.id for a in stmt.names):
                    base = absolute_module(stmt, names.module, names.src.path.endswith("__init__.py"))
                    return Gone(base, "module", next(a.name for a in stmt.names if (a.asname or a.name) == node.id), imported=True)
            return Gone(module, "module", qualname) if qualname.isidentifier() else None
    return None


def _successors(gone: Gone, failure: Failure, ctx: Context) -> Iterator[Successor]:
    """What the message names, where that exists; else the object that the shim hands out, under the name it has without a warning."""
    quoted = Evidence("docs", f"the warning says: {' '.join(failure.message.split())[:160]}", gone.dotted, 0.85)
    given: set[str] = set()
    for word in notes.successors_in(failure.message):
        dotted = _place(word.name, gone, ctx)
        if dotted and dotted != gone.dotted and dotted not in given:
            given.add(dotted)
            local = dotted == f"{gone.owner}.{dotted.rpartition('.')[2]}"
            yield Successor(dotted, "renamed" if local else "moved", (quoted,), True, 0.9)
    same = _identical(gone, ctx)
    if same and same not in given:
        fact = Evidence("symbol", f"{gone.dotted} is the very object {same}", same, 0.7)
        local = same == f"{gone.owner}.{same.rpartition('.')[2]}"
        yield Successor(same, "renamed" if local else "moved", (fact,), False, 0.8)


def _place(name: str, gone: Gone, ctx: Context) -> str:
    """The dotted name of what a message calls ``name``."""
    top = gone.owner.partition(".")[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for dotted in (f"{gone.owner}.{name}", name if "." in name else "", f"{top}.{name}"):
            if not dotted:
                continue
            if ctx.live.module(dotted) is not None:
                inner = f"{dotted}.{gone.name}"
                return inner if ctx.live.get(inner)[0] else ""
            if ctx.live.get(dotted)[0]:
                return dotted
        if gone.kind != "module":
            last = f"{gone.owner}.{name.rpartition('.')[2]}"
            if ctx.live.get(last)[0]:
                return last
        if ctx.live.module(name) is not None and ctx.live.get(f"{name}.{gone.name}")[0]:
            return f"{name}.{gone.name}"
        head, _, _rest = name.partition(".")
        homes = [m for m in ctx.live.homes(head, top) if not any(p.startswith("_") for p in m.split("."))]
        for home in homes[:1]:
            dotted = f"{home}.{name}"
            if ctx.live.get(dotted)[0]:
                return dotted
        return ""


def _identical(gone: Gone, ctx: Context) -> str:
    """Where the object behind a deprecated module attribute is found without the shim: another name of the same object."""
    if gone.kind != "module":
        return ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found, obj = ctx.live.get(gone.dotted)
    if not found or not (isinstance(obj, type) or callable(obj)):
        return ""
    top = gone.owner.partition(".")[0]
    home = str(getattr(obj, "__module__", ""))
    for name in dict.fromkeys([gone.owner, home]):
        if name.partition(".")[0] != top:
            continue
        space = getattr(sys.modules.get(name), "__dict__", {})
        twins = [k for k, v in list(space.items()) if v is obj and (k != gone.name or name != gone.owner)]
        if len(twins) == 1:
            return f"{name}.{twins[0]}"
    return ""
