"""Calls that a changed signature no longer takes, or takes differently: what each argument meant before, written for today."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.changes import Former, product_calls
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.signatures import Argument, Mapped, Signature, correspond, has_stars, module_constants, of_definition, rebind
from pytest_maestro_healer.evidence.similarity import Def
from pytest_maestro_healer.model import Evidence, Failure
from pytest_maestro_healer.strategies.api_contract_adaptation import calls
from pytest_maestro_healer.strategies.api_contract_adaptation.cause import changes, misfit, nodes_at
from pytest_maestro_healer.strategies.api_contract_adaptation.resolve import Classes, Ref, resolver
from pytest_maestro_healer.strategies.api_contract_adaptation.sites import calls_of, constructor

#: Which share of the test calls must agree on a value.
_MOST = 0.8


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
            last = last_name(node.func)
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
    plain: set[str] = set()
    came = [p for p in new.params if p.required and p.name not in mapped.names.values() and old.get(p.name) is None]
    for p in came:
        if p.name in values:
            facts.append(Evidence("git", f"{p.name} stands where the old body had {values[p.name]}", f"{callee.path}:{callee.definition.line}", 0.7))
            continue
        found = _agreed(p.name, new, callee, ctx)
        if found is not None:
            values[p.name], by_position, fact = found
            plain |= {p.name} if by_position else set()
            guessed = True
            facts.append(fact)
    return Mapped(mapped.names, mapped.reasons, mapped.removed, values, frozenset(plain)), facts, guessed


def _agreed(name: str, new: Signature, callee: Callee, ctx: Context) -> tuple[str, bool, Evidence] | None:
    """The constant that all of the product's calls pass, else the one that (nearly) all other calls in test code pass; by position or not."""
    for who, known, most, weight in (
        ("the product's own calls", product_calls(changes(ctx), callee.word), 1.0, 0.5),
        ("other calls in the tests", _test_calls(callee.word, ctx), _MOST, 0.6),
    ):
        passed = _passed(name, new, known, ctx)
        unknown = len(passed.pop("", ()))
        total = sum(map(len, passed.values()))
        if not passed or (unknown and (most == 1.0 or unknown > total)):
            continue
        text, found = max(passed.items(), key=lambda kv: len(kv[1]))
        places = [place for place, _ in found]
        if len(places) == total or (len(places) >= 3 and len(places) >= most * total):
            share = "" if len(places) == total else f"{len(places)} of {total} of "
            said = f"{share}{who} pass {name}={text}: {', '.join(places[:3])}"
            plain = sum(by_position for _, by_position in found) > len(found) / 2
            return text, plain, Evidence("callers", said, places[0], weight if len(places) == total else weight - 0.1)
    return None


def _passed(name: str, new: Signature, known: Iterable[tuple[str, ast.Call]], ctx: Context) -> dict[str, list[tuple[str, bool]]]:
    """What calls pass for a parameter: source of a constant (``""`` for anything else) -> where, and whether by position."""
    out: dict[str, list[tuple[str, bool]]] = {}
    for path, call in known:
        bound = new.bind(len(call.args), [k.arg or "" for k in call.keywords])
        source = bound.given.get(name)
        if bound.error or source is None:
            continue
        value = call.args[source] if isinstance(source, int) else next(k.value for k in call.keywords if k.arg == source)
        text = ast.unparse(value) if is_constant(value) else ""
        if isinstance(value, ast.Name):
            text = module_constants(ctx.symbols.tree(path)).get(value.id, "")
        out.setdefault(text, []).append((f"{path}:{call.lineno}", isinstance(source, int)))
    return out


def _test_calls(word: str, ctx: Context) -> Iterator[tuple[str, ast.Call]]:
    """Calls of ``word`` in the project's test files."""
    for src in ctx.test_files_with(word):
        for node in ast.walk(src.tree) if src.tree is not None else ():
            if isinstance(node, ast.Call) and last_name(node.func) == word:
                yield src.path, node


def is_constant(value: ast.expr) -> bool:
    """Whether an expression is a literal through and through."""
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError):
        return False
    return True


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
