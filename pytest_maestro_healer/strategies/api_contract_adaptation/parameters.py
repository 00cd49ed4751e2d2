"""Calls that a changed signature no longer takes, or takes differently: what each argument meant before, written for today."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.changes import Former, product_calls
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.signatures import Argument, Mapped, Signature, correspond, has_stars, module_constants, of_definition, rebind
from pytest_maestro_healer.evidence.similarity import Def
from pytest_maestro_healer.model import Evidence, Failure
from pytest_maestro_healer.strategies.api_contract_adaptation import calls
from pytest_maestro_healer.strategies.api_contract_adaptation.cause import changes, misfit, nodes_at
from pytest_maestro_healer.strategies.api_contract_adaptation.resolve import Classes, Ref, resolver
from pytest_maestro_healer.strategies.api_contract_adaptation.sites import calls_of, constructor


@dataclass(frozen=True)
class Callee:
    """A function, method or class of the product: canonical name, file and present definition."""

    dotted: str
    path: str
    definition: Def

    @property
    def word(self) -> str:
        """The name by which it is called."""
        return self.definition.name


@dataclass(frozen=True)
class Contract:
    """One changed signature, old against new, and how the parameters correspond."""

    callee: Callee
    former: Former
    old: Signature
    new: Signature
    mapped: Mapped
    facts: tuple[Evidence, ...]
    sure: bool


def product_callee(ref: Ref | None, ctx: Context) -> Callee | None:
    """What a reference calls, when that is the product's; for a class the one that defines the constructor."""
    if ref is None or ref.kind not in ("function", "class"):
        return None
    classes = Classes(ctx)
    dotted = constructor(ref.dotted, classes) if ref.kind == "class" else ref.dotted
    module, qualname = classes.split(dotted)
    path = ctx.symbols.module_path(module) if module else None
    known = changes(ctx)
    if path is None or not known.is_product(path):
        return None
    definition = known.current(path).get(qualname)
    return Callee(dotted, path, definition) if definition is not None else None


def named_callee(qualname: str, ctx: Context) -> Callee | None:
    """The product's only function or class of that qualified name (as Python's messages give it)."""
    wanted = qualname.removesuffix(".__init__").removesuffix(".__new__")
    known = changes(ctx)
    found = []
    for path in ctx.files.product_files:
        if wanted.rpartition(".")[2].encode() in ctx.symbols.read(path):
            d = known.current(path).get(wanted)
            if d is not None and (d.function is not None or d.kind == "class"):
                found.append(Callee(f"{ctx.symbols.module_name(path)}.{wanted}", path, d))
    return found[0] if len(found) == 1 else None


def failing_calls(failure: Failure, ctx: Context) -> Iterator[tuple[SourceFile, ast.Call, Callee]]:
    """The calls that the failing place of test code spans and that go to the product."""
    bad = misfit(failure)
    for src, node in nodes_at(failure, ctx, ast.Call):
        callee = product_callee(resolver(src, ctx).ref(node.func), ctx)
        if callee is None and bad is not None:
            last = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
            callee = named_callee(bad.function, ctx)
            if callee is not None and last != callee.word:
                callee = None
        if callee is not None:
            yield src, node, callee


def contract(callee: Callee, call: ast.Call, ctx: Context, *, test_path: str = "") -> Contract | None:
    """The newest older signature that took ``call``, where it differs from today's; ``test_path`` asks for changes newer than that test only."""
    known = changes(ctx)
    new = of_definition(callee.definition)
    if new is None:
        return None

    def took(d: Def) -> bool:
        sig = of_definition(d)
        return sig is not None and sig.params != new.params and sig.accepts(call)

    qualname = callee.definition.qualname
    former = known.former(callee.path, qualname, took)
    if former is None or (test_path and not known.newer_than(test_path, former.label)):
        return None
    old = of_definition(former.definition)
    hints: Counter[tuple[str, str]] = Counter()
    assert old is not None
    gone = [n for n in old.names if new.get(n) is None]
    came = [n for n in new.names if old.get(n) is None]
    for a in gone:
        for b in came:
            hints[(a, b)] += len(known.callers_changed_alike(former.rev, a, b))
    mapped = correspond(former.definition, callee.definition, +hints, module_constants(ctx.symbols.tree(callee.path)))
    if mapped is None:
        return None
    mapped, extra, guessed = _with_values(mapped, callee, old, new, ctx)
    where = f"{callee.path}:{callee.definition.line}"
    text = f"{callee.definition.qualname}{old} became {callee.definition.qualname}{new} by {former.label}"
    facts = [Evidence("git", text, where, 0.8), *(Evidence("signature", r, where, w) for r, w in mapped.reasons.values()), *extra]
    unused = all(not _reads(former.definition, name) for name in mapped.removed)
    sure = not guessed and unused and all(w >= 0.6 for _, w in mapped.reasons.values())
    return Contract(callee, former, old, new, mapped, tuple(facts), sure)


def _reads(definition: Def, name: str) -> bool:
    """Whether a definition's body reads a parameter."""
    body = definition.function.body if definition.function is not None else definition.node.body if isinstance(definition.node, ast.ClassDef) else []
    return any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for s in body for n in ast.walk(s))


def _with_values(mapped: Mapped, callee: Callee, old: Signature, new: Signature, ctx: Context) -> tuple[Mapped, list[Evidence], bool]:
    """Values for new required parameters: the constant that stood in the old body, else what all of the product's own calls pass."""
    values, facts, guessed = dict(mapped.values), [], False
    came = [p for p in new.params if p.required and p.name not in mapped.names.values() and old.get(p.name) is None]
    for p in came:
        if p.name in values:
            facts.append(Evidence("git", f"{p.name} stands where the old body had {values[p.name]}", f"{callee.path}:{callee.definition.line}", 0.7))
            continue
        passed: dict[str, str] = {}
        for path, call in product_calls(changes(ctx), callee.word):
            bound = new.bind(len(call.args), [k.arg or "" for k in call.keywords])
            source = bound.given.get(p.name)
            if bound.error or source is None:
                continue
            value = call.args[source] if isinstance(source, int) else next(k.value for k in call.keywords if k.arg == source)
            text = ast.unparse(value) if isinstance(value, ast.Constant) else ""
            if isinstance(value, ast.Name):
                text = module_constants(ctx.symbols.tree(path)).get(value.id, "")
            passed.setdefault(text, f"{path}:{call.lineno}")
        if len(passed) == 1 and "" not in passed:
            text, place = next(iter(passed.items()))
            values[p.name] = text
            guessed = True
            facts.append(Evidence("callers", f"the product's own calls pass {p.name}={text}: {place}", place, 0.5))
    return Mapped(mapped.names, mapped.reasons, mapped.removed, values), facts, guessed


def adapted(call: ast.Call, change: Contract) -> list[Argument] | None:
    """The new arguments of a call of the old contract; ``None`` where it cannot be said or nothing changes."""
    if has_stars(call) or not change.old.accepts(call):
        return None
    keywords = [k.arg or "" for k in call.keywords]
    arguments = rebind(len(call.args), keywords, change.old, change.new, change.mapped)
    if arguments is None:
        return None
    before = {name: source for name, source in change.old.bind(len(call.args), keywords).given.items() if name not in change.mapped.removed}
    fits = change.new.bind(len(call.args), keywords)
    same = {change.mapped.names.get(n): s for n, s in before.items()}
    if not fits.error and dict(fits.given) == same:
        return None  # it already means today what it meant before
    return arguments


def edits_for(change: Contract, failures: Sequence[Failure], ctx: Context, *, only: Sequence[SourceFile] = ()) -> calls.Edits:
    """The edits of every call in test code that resolves to the callee (or fails) and that the change concerns."""
    edits = calls.Edits()
    targets = {change.callee.dotted}
    for src, call, _ in calls_of(targets, change.callee.word, ctx, failures, only=only):
        arguments = adapted(call, change)
        if arguments is not None:
            calls.rewrite(edits.of(src), call, arguments)
    return edits
