"""Calls of installed packages that no longer bind: the live signature is at hand, the old one seldom."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence import migrations, notes
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.kinds import documented_types
from pytest_maestro_healer.evidence.live import suggest
from pytest_maestro_healer.evidence.signatures import Argument, Mapped, Signature, has_stars, of_live, parse_signature, rebind
from pytest_maestro_healer.model import Applicability, Evidence, Failure, Proposal
from pytest_maestro_healer.strategies.api_contract_adaptation.alignment import Slots, arguments, surplus
from pytest_maestro_healer.strategies.api_contract_adaptation.calls import Edits, rewrite
from pytest_maestro_healer.strategies.api_contract_adaptation.cause import Misfit, nodes_at, raised_in_test, same_failures
from pytest_maestro_healer.strategies.api_contract_adaptation.parameters import product_callee
from pytest_maestro_healer.strategies.api_contract_adaptation.renames import STRATEGY
from pytest_maestro_healer.strategies.api_contract_adaptation.resolve import resolver
from pytest_maestro_healer.strategies.api_contract_adaptation.sites import calls_of
from pytest_maestro_healer.strategies.dependency_fix.sites import import_sites

_UNEXPECTED = re.compile(r"unexpected keyword argument '(\w+)'")
_TOO_MANY = re.compile(
    r"takes (?:from \d+ to )?(\d+) positional arguments? but (\d+) (?:positional arguments? .*)?(?:was|were) given|takes no arguments"
)


@dataclass(frozen=True)
class Target:
    """A live callable: its dotted name, the object, and its signature as a caller sees it."""

    dotted: str
    obj: Any
    signature: Signature


@dataclass(frozen=True)
class Way:
    """One way to write a call: where a keyword goes (``""``: nowhere, it is left out), with the evidence."""

    mapped: dict[str, str]
    evidence: tuple[Evidence, ...]
    sure: bool
    score: float
    text: str
    old: Signature | None = None
    slots: Slots | None = None


def propose(tactic: str, failure: Failure, bad: Misfit, ctx: Context) -> Iterator[Proposal]:
    """Proposals for the failing call of an installed package and all calls with the same mistake."""
    if not raised_in_test(failure):
        yield from _forwarded(tactic, failure, bad, ctx)
        return
    for src, call in nodes_at(failure, ctx, ast.Call):
        target = live_target(src, call, bad, ctx)
        if target is None or has_stars(call):
            continue
        for way in ways(target, call, bad, ctx, foreign=product_callee(resolver(src, ctx).ref(call.func), ctx) is None):
            group = same_failures(failure, ctx, bad.key)
            edits = Edits()
            word = last_name(call.func)
            for other, node, _ in calls_of({target.dotted}, word, ctx, group):
                arguments = written(node, target.signature, way)
                if arguments is not None:
                    rewrite(edits.of(other), node, arguments)
            made = edits.all()
            if made:
                meaning = f"{target.dotted}: {way.text}"
                yield Proposal(
                    STRATEGY,
                    tactic,
                    made,
                    way.evidence,
                    Applicability.SAFE if way.sure else Applicability.REVIEW,
                    f"{meaning} ({len(made)} edit{'s' * (len(made) > 1)})",
                    nodeids=tuple(f.nodeid for f in group),
                    meaning=meaning,
                    cause_key=bad.key,
                    score=way.score,
                )


def _forwarded(tactic: str, failure: Failure, bad: Misfit, ctx: Context) -> Iterator[Proposal]:
    """A keyword that the callee only handed on to what no longer takes it: the failing call is the one that can be mended."""
    m = _UNEXPECTED.search(bad.reason)
    frame = failure.frames[-1] if failure.frames else None
    if m is None or frame is None or frame.kind == "product":
        return
    for src, call in nodes_at(failure, ctx, ast.Call):
        keyword = next((k for k in call.keywords if k.arg == m[1]), None)
        top = frame.module.partition(".")[0]
        dotted, obj = _by_message(src, bad, ctx, top)
        signature = of_live(obj) if obj is not None else None
        if keyword is None or signature is None:
            continue
        taken = {k.arg for k in call.keywords}
        target = Target(dotted, obj, Signature(tuple(p for p in signature.params if p.name not in taken)))
        for way in _keyword(target, m[1], ast.Call(call.func, [], [keyword]), ctx):
            yield from _one_call(tactic, failure, src, call, keyword, dotted, way, bad.key)


def swallowed(tactic: str, failure: Failure, ctx: Context) -> Iterator[Proposal]:
    """A keyword without a value that went into ``**kwargs``, where the callee complains of it: it is no parameter any more."""
    for src, call in nodes_at(failure, ctx, ast.Call):
        target = live_target(src, call, Misfit("", ""), ctx) or entered(src, call, failure, ctx)
        if target is None or not target.signature.has("kwargs"):
            continue
        if (
            product_callee(resolver(src, ctx).ref(call.func), ctx) is not None
            or target.dotted.partition(".")[0] != failure.frames[-1].module.partition(".")[0]
        ):
            continue
        unknown = [k for k in call.keywords if k.arg and target.signature.get(k.arg) is None]
        blamed = [k for k in unknown if re.search(rf"\b{k.arg}\b", failure.message)] or (unknown if len(unknown) == 1 else [])
        for keyword in blamed[:1]:
            if ast.unparse(keyword.value) == "None":
                for way in _keyword(target, keyword.arg or "", call, ctx):
                    yield from _one_call(tactic, failure, src, call, keyword, target.dotted, way, f"kwargs:{target.dotted}.{keyword.arg}")


def entered(src: SourceFile, call: ast.Call, failure: Failure, ctx: Context) -> Target | None:
    """The callee of a failing call as the traceback shows it: the frame that follows the test's."""
    frames = list(failure.frames)
    at = next((i for i in range(len(frames) - 1, -1, -1) if frames[i].kind == "test"), None)
    if at is None or at + 1 >= len(frames) or frames[at + 1].location.line is None:
        return None
    frame = frames[at + 1]
    dotted = ctx.live.running(frame.module, frame.function, frame.location.line)
    last = dotted.rpartition(".")[2]
    word = last_name(call.func)
    return _target(src, call, dotted, ctx.live.get(dotted)[1], ctx) if dotted and word == last else None


def _one_call(
    tactic: str, failure: Failure, src: SourceFile, call: ast.Call, keyword: ast.keyword, dotted: str, way: Way, cause: str
) -> Iterator[Proposal]:
    """One keyword of one call by ``way``."""
    edits = Edits()
    to = way.mapped[keyword.arg or ""]
    rewrite(edits.of(src), call, [Argument("", i) for i in range(len(call.args))] + [
        Argument(to if k is keyword else k.arg or "", k.arg) for k in call.keywords if k is not keyword or to
    ])  # fmt: skip
    made = edits.all()
    if made and not has_stars(call):
        text = f"{dotted}: {way.text}"
        yield Proposal(STRATEGY, tactic, made, way.evidence, Applicability.REVIEW, text, (failure.nodeid,), meaning=text, cause_key=cause,
                       score=way.score - 0.05)  # fmt: skip


# -- the callee --------------------------------------------------------------------------------------------
def live_target(src: SourceFile, call: ast.Call, bad: Misfit, ctx: Context) -> Target | None:
    """The live object behind a call: by what the name resolves to, else by the qualified name of the message among the file's packages."""
    ref = resolver(src, ctx).ref(call.func)
    dotted = ref.dotted if ref is not None and ref.kind in ("function", "class", "value") else ""
    found, obj = ctx.live.get(dotted) if dotted else (False, None)
    if ref is not None and ref.kind == "value" and not inspect.isroutine(obj):
        found = False  # only a method of some object under a name of its own is called like a function
    if not found:
        dotted, obj = _by_message(src, bad, ctx)
        if obj is None:
            return None
    return _target(src, call, dotted, obj, ctx)


def _target(src: SourceFile, call: ast.Call, dotted: str, obj: Any, ctx: Context) -> Target | None:
    receiver = resolver(src, ctx).ref(call.func.value) if isinstance(call.func, ast.Attribute) else None
    bound = _is_method(dotted, obj, ctx) and (receiver is None or receiver.kind != "class")
    raw = obj.__func__ if isinstance(obj, (staticmethod, classmethod)) else obj
    signature = of_live(raw)
    if signature is None:
        return None
    if (bound or isinstance(obj, classmethod)) and not isinstance(obj, staticmethod) and signature.params and not inspect.isclass(raw):
        signature = Signature(signature.params[1:])
    return Target(dotted, raw, signature)


def _is_method(dotted: str, obj: object, ctx: Context) -> bool:
    found, owner = ctx.live.get(dotted.rpartition(".")[0])
    return found and inspect.isclass(owner) and inspect.isfunction(obj)


def _by_message(src: SourceFile, bad: Misfit, ctx: Context, top: str = "") -> tuple[str, Any]:
    qualname = bad.function.removesuffix(".__init__").removesuffix(".__new__")
    head = qualname.partition(".")[0]
    tops = {top, *(s.module.partition(".")[0] for s in import_sites(src, ctx.symbols.module_name(src.path)))}
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] in tops and head in getattr(module, "__dict__", {}):
            found, obj = ctx.live.get(f"{name}.{qualname}")
            if found and callable(obj):
                return f"{name}.{qualname}", obj
    return "", None


# -- the ways ----------------------------------------------------------------------------------------------
def ways(target: Target, call: ast.Call, bad: Misfit, ctx: Context, *, foreign: bool = True) -> Iterable[Way]:
    """What the call could mean today, best first; ``foreign`` says that the callee is no code of the project."""
    known = migrations.old_signature(target.dotted, ctx.live)
    old = parse_signature(known[0]) if known is not None else None
    if known is not None and old is not None and old.accepts(call):
        names = {n: n if target.signature.get(n) is not None else "" for n in old.names}
        fact = Evidence("migration", f"{target.dotted} used to be {target.dotted.rpartition('.')[2]}{old}", known[1], 0.85)
        yield Way(names, (fact,), True, 0.93, f"{old} became {target.signature}", old)
        return
    m = _UNEXPECTED.search(bad.reason)
    if m:
        for way in _keyword(target, m[1], call, ctx, foreign=foreign):
            yield _together(way, target, call, ctx, foreign=foreign)
    elif _TOO_MANY.search(bad.reason):
        yield from _surplus(target, call, {}, foreign=foreign)


def _together(way: Way, target: Target, call: ast.Call, ctx: Context, *, foreign: bool) -> Way:
    """``way`` with what the call's other arguments need, which Python does not come to speak of: keywords unknown too, too many positions."""
    sig = target.signature
    if sig.has("kwargs"):
        return way
    for k in call.keywords:
        if k.arg is not None and sig.get(k.arg) is None and k.arg not in way.mapped:
            taken = {v for v in way.mapped.values() if v}
            rest = Target(target.dotted, target.obj, Signature(tuple(p for p in sig.params if p.name not in taken)))
            more = next(iter(_keyword(rest, k.arg, call, ctx, foreign=foreign)), None)
            if more is not None:
                way = _joined(way, more)
    more = next(iter(_surplus(target, call, way.mapped, foreign=foreign)), None)
    return _joined(way, more) if more is not None else way


def _joined(a: Way, b: Way) -> Way:
    facts = tuple(dict.fromkeys((*a.evidence, *b.evidence)))
    return Way({**a.mapped, **b.mapped}, facts, a.sure and b.sure, min(a.score, b.score), f"{a.text}, {b.text}", slots=a.slots or b.slots)


def _keyword(target: Target, name: str, call: ast.Call, ctx: Context, *, foreign: bool = True) -> Iterator[Way]:
    """Where a keyword that is not taken any more goes: what is told first, then what the value and the names suggest."""
    sig = target.signature
    given = {k.arg for k in call.keywords} | set(sig.bind(len(call.args), [], partial=True).given)
    free = [p.name for p in sig.params if p.kind in ("normal", "keyword") and p.name not in given]
    value = next((ast.unparse(k.value) for k in call.keywords if k.arg == name), "")
    told = list(_told(target, name, free, ctx))
    for way in told:
        to = sig.get(way.mapped[name])
        if value == "None" and to is not None and to.default == "False":
            continue  # a switch that is not set: left out below
        yield way
        if way.sure or "migration" in {e.kind for e in way.evidence}:
            return
    near = list(suggest(name, free)) or [f for f in free if _shares_words(name, f)]
    if value == "None" and foreign and all((p := sig.get(f)) is not None and p.default in ("None", "False") for f in near):
        fact = Evidence("signature", f"{target.dotted}{sig} has no {name}; the call passes None for it, which gives nothing", target.dotted, 0.4)
        yield Way({name: ""}, (fact,), False, 0.5, f"{name} is left out")
        return
    for f in near[:2] if not told else ():
        p = sig.get(f)
        if value == "None" or (p is not None and p.default == value):
            continue  # any parameter would take it: that the test passes then shows nothing
        fact = Evidence("signature", f"{target.dotted}{sig} has {f}, a similar name", target.dotted, 0.35)
        yield Way({name: f}, (fact,), False, 0.45, f"{name} is {f}")


def _told(target: Target, name: str, free: Sequence[str], ctx: Context) -> Iterator[Way]:
    """What tables, documentation, changelogs and texts in the code say of a keyword, and its own name in another spelling."""
    sig = target.signature
    top = target.dotted.partition(".")[0]
    rows = [row for row in migrations.parameter(target.dotted, name, ctx.live) if not row.new or row.new in free]
    for row in rows:
        fact = Evidence("migration", f"{name} became {row.new}" if row.new else f"{name} has no successor and no effect any more", row.source, 0.85)
        yield Way({name: row.new}, (fact,), bool(row.new), 0.93 if row.new else 0.8, f"{name} is {row.new}" if row.new else f"{name} is left out")
    if rows:
        return
    said = notes.parameter_documented(notes.documentation(target.obj), name, free)
    if said:
        yield Way({name: said[0]}, (Evidence("docs", f"the documentation says: {said[1]}", target.dotted, 0.85),), True, 0.9, f"{name} is {said[0]}")
        return
    noted = notes.noted(top, name, free) if len(name) > 3 else None
    if noted:
        yield Way({name: noted[0]}, (Evidence("docs", f"{noted[2]}: {noted[1]}", noted[2], 0.7),), False, 0.8, f"{name} is {noted[0]}")
    same = [f for f in free if notes.plain(f) == notes.plain(name)]
    if len(same) == 1:
        fact = Evidence("signature", f"{target.dotted}{sig} has {same[0]}, the same name in another spelling", target.dotted, 0.65)
        yield Way({name: same[0]}, (fact,), False, 0.75, f"{name} is {same[0]}")
        return
    written = notes.deprecation_in_code(top, name, free) if not noted else None
    if written:
        fact = Evidence("docs", f"{written[2]} says: {written[1]}", written[2], 0.6)
        yield Way({name: written[0]}, (fact,), False, 0.7, f"{name} is {written[0]}")
    removed = notes.parameter_removed(top, target.dotted.rpartition(".")[2], name)
    if removed and not written:
        fact = Evidence("docs", f"{removed[1]}: {removed[0]}", removed[1], 0.6)
        yield Way({name: ""}, (fact,), False, 0.6, f"{name} is left out")


def _shares_words(a: str, b: str) -> bool:
    """``max_items`` and ``max_length`` share a word; names of one word share it as a whole or as a part of four letters."""
    one, two = set(a.split("_")), set(b.split("_"))
    return bool({w for w in one & two if len(w) > 2}) or (len(min(a, b, key=len)) >= 4 and (a in b or b in a))


def _surplus(target: Target, call: ast.Call, mapped: Mapping[str, str], *, foreign: bool) -> Iterator[Way]:
    """More positional arguments than it takes: those that follow went to what is keyword-only now, or stood for what is gone."""
    sig = target.signature
    if len(call.args) <= len(sig.positional) or has_stars(call):
        return
    keywords = [mapped.get(k.arg, k.arg) for k in call.keywords if k.arg]
    slots = surplus(call.args, keywords, sig, documented_types(notes.documentation(target.obj)))
    if slots is None or (slots.dropped and not foreign):
        return
    by_name = [n for n in slots.names if n and (p := sig.get(n)) is not None and p.kind == "keyword"]
    text = ", ".join([*([f"{', '.join(by_name)} by keyword"] if by_name else []), *(["None for what is gone is left out"] if slots.dropped else [])])
    takes = f"takes {', '.join(by_name)} by keyword only" if by_name else f"takes {len(sig.positional)} positional arguments"
    fact = Evidence("signature", f"{target.dotted}{sig} {takes}", target.dotted, 0.4 if slots.dropped else 0.7)
    yield Way({}, (fact,), False, 0.5 if slots.dropped else 0.75, text, slots=slots)


def written(call: ast.Call, new: Signature, way: Way) -> list[Argument] | None:
    """The arguments of ``call`` by ``way``; ``None`` where it does not concern the call."""
    if has_stars(call) or not new.bind(len(call.args), [k.arg or "" for k in call.keywords]).error:
        return None
    keywords = [k.arg or "" for k in call.keywords]
    if way.old is not None:
        names = {a: b for a, b in way.mapped.items() if b}
        return rebind(len(call.args), keywords, way.old, new, Mapped(names, removed=tuple(a for a, b in way.mapped.items() if not b)))
    if not set(keywords) & set(way.mapped) and way.slots is None:
        return None
    out: list[Argument] | None = [Argument("", i) for i in range(len(call.args))]
    if way.slots is not None and len(call.args) > len(new.positional):
        out = arguments(call.args, keywords, way.slots, new)
    if out is None:
        return None
    for k in keywords:
        to = way.mapped.get(k, k)
        if to:
            out.append(Argument(to, k))
    return out
