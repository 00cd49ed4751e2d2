"""What became of a name that is gone: candidates with their evidence, from the product's own history, else from what a package says."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_maestro_healer.evidence import notes
from pytest_maestro_healer.evidence.changes import Changes, Former
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.live import suggest
from pytest_maestro_healer.evidence.migrations import renamed
from pytest_maestro_healer.evidence.similarity import VALUES, Def, likeness, ratio, returns, tokens, weight_of_body, without_docstring
from pytest_maestro_healer.evidence.symbols import absolute_module, flat
from pytest_maestro_healer.evidence.weight import strength
from pytest_maestro_healer.model import Evidence
from pytest_maestro_healer.strategies.api_contract_adaptation.cause import Gone, changes
from pytest_maestro_healer.strategies.api_contract_adaptation.resolve import Classes

Relation = Literal["renamed", "moved", "function to method", "method to function"]
#: Below this strength (name likeness left out) a candidate is no more than a guess.
SURE = 0.69
_SAME_BODY = 0.85
#: How many modules may hand a name on to one another.
_HOPS = 4


@dataclass(frozen=True)
class Successor:
    """One candidate: ``dotted`` is its place, ``name`` the new last name; ``former`` and ``present`` are the definitions where git has them."""

    dotted: str
    relation: Relation
    evidence: tuple[Evidence, ...]
    sure: bool
    score: float
    former: Def | None = None
    present: Def | None = None

    @property
    def name(self) -> str:
        """The new name."""
        return self.dotted.rpartition(".")[2]


@dataclass(frozen=True)
class History:
    """Where a gone name used to be defined: the class or module (canonical), the file and git's newest older version."""

    owner: str
    former: Former


def history(gone: Gone, ctx: Context) -> History | None:
    """The former definition of a gone name, in its owner or a base class of it; ``None`` where git has none."""
    known = changes(ctx)
    classes = Classes(ctx)
    for owner in [gone.owner] if gone.kind == "module" else classes.mro(gone.owner):
        module, qualname = classes.split(owner)
        path = ctx.symbols.module_path(module) if module else None
        if path is None or not known.is_product(path):
            continue
        wanted = f"{qualname}.{gone.name}" if qualname else gone.name
        former = known.former(path, wanted)
        if former is not None and wanted not in known.current(path):
            return History(owner, former)
    return _handed_on(gone.owner, gone.name, ctx, _HOPS) if gone.kind == "module" else None


def _handed_on(owner: str, name: str, ctx: Context, hops: int) -> History | None:
    """The former definition of a name that its owner only imported and handed on, by that name or with a star."""
    known = changes(ctx)
    path = ctx.symbols.module_path(owner)
    if not hops or path is None or not known.is_product(path):
        return None
    trees = (known.tree_at(path, rev) for rev, _ in known.versions(path))
    before = next((found for tree in trees if tree is not None and (found := _imported_from(tree, name, owner, path))), ())
    info = ctx.symbols.module(owner)
    now = info.stars if info is not None and not name.startswith("_") else ()
    for source in dict.fromkeys((*before, *now)):
        home = ctx.symbols.module_path(source)
        if home is None or not known.is_product(home) or name in known.current(home):
            continue
        former = known.former(home, name)
        past = History(source, former) if former is not None else _handed_on(source, name, ctx, hops - 1)
        if past is not None:
            return past
    return None


def _imported_from(tree: ast.Module, name: str, module: str, path: str) -> tuple[str, ...]:
    """The modules from which ``tree`` may have ``name``: the one that it imports it from under that very name, else those of its stars."""
    package = path.endswith("__init__.py")
    found = [s for s in flat(tree.body) if isinstance(s, ast.ImportFrom)]
    named = [s for s in found if any(a.name == name and a.asname in (None, name) for a in s.names)]
    stars = [s for s in found if s.names[0].name == "*"] if not name.startswith("_") else []
    return tuple(absolute_module(s, module, package) for s in named[:1] or stars)


# -- the project's own product -----------------------------------------------------------------------------
def project_successors(gone: Gone, past: History, ctx: Context) -> list[Successor]:
    """Candidates among what the product defines now and did not before, best first; deprecated wrappers name theirs themselves."""
    found = _ranked(gone, past, ctx)
    return [_reached(s, gone, ctx) for s in found] if gone.kind == "module" and past.owner != gone.owner else found


def _reached(successor: Successor, gone: Gone, ctx: Context) -> Successor:
    """A successor under the module that handed the old name on, where that hands on the new one; else at its own place."""
    if successor.relation != "renamed":
        return successor
    there = ctx.symbols.resolve(gone.owner, successor.name)
    if there is not None and there.dotted == successor.dotted:
        return dataclasses.replace(successor, dotted=f"{gone.owner}.{successor.name}")
    return dataclasses.replace(successor, relation="moved")


def _ranked(gone: Gone, past: History, ctx: Context) -> list[Successor]:
    known = changes(ctx)
    former = past.former
    delegated = _delegate(former, known)
    if delegated is not None:
        module = ctx.symbols.module_name(former.path)
        fact = Evidence(
            "git", f"{gone.name} was only a name for {delegated.qualname} before {former.label}", f"{former.path}:{former.definition.line}", 0.9
        )
        return [Successor(f"{module}.{delegated.qualname}", "renamed", (fact,), True, 0.95, former.definition, delegated)]
    found: list[Successor] = []
    for path, new in known.added(former.rev):
        made = _candidate(gone, past, path, new, known, ctx)
        if made is not None:
            found.append(made)
    found.sort(key=lambda s: -s.score)
    sure = [s for s in found if s.sure]
    if len(sure) > 1 and sure[0].score - sure[1].score < 0.1:
        best = sure[0].score
        found = [
            Successor(
                s.dotted,
                s.relation,
                s.evidence,
                s.sure and s.score == best and sum(1 for x in sure if x.score == best) == 1,
                s.score,
                s.former,
                s.present,
            )
            for s in found
        ]
    elif len(sure) > 1:
        found = [s if s is sure[0] else Successor(s.dotted, s.relation, s.evidence, False, s.score * 0.8, s.former, s.present) for s in found]
    return found[:3]


def _delegate(former: Former, known: Changes) -> Def | None:
    """The definition that the former one only handed on to."""
    d = former.definition
    if d.kind in VALUES:
        target = (
            d.node.id
            if isinstance(d.node, ast.Name)
            else d.node.attr
            if isinstance(d.node, ast.Attribute) and isinstance(d.node.value, ast.Name)
            else ""
        )
    else:
        f = d.function
        body = without_docstring(f.body) if f is not None else ()
        values = returns(f) if f is not None else []
        if not body or len(body) > 3 or len(values) != 1 or not any("warn" in ast.dump(s) for s in body[:-1]):
            return None
        value = values[0].func if isinstance(values[0], ast.Call) else values[0]
        target = last_name(value)
    if not target:
        return None
    current = known.current(former.path)
    return current.get(f"{d.scope}.{target}" if d.scope else target)


def _relation(old: Def, new: Def, same_file: bool) -> Relation | None:
    if (old.kind in VALUES) != (new.kind in VALUES) and "property" not in (old.kind, new.kind):
        return None
    if (old.kind == "class") != (new.kind == "class"):
        return None
    if old.scope == new.scope and (same_file or not old.scope):
        return "renamed" if same_file else "moved"
    if old.kind == "function" and new.kind in ("method", "property"):
        return "function to method"
    if old.kind == "method" and new.kind == "function":
        return "method to function"
    return None


def _candidate(gone: Gone, past: History, path: str, new: Def, known: Changes, ctx: Context) -> Successor | None:
    former = past.former
    old = former.definition
    relation = _relation(old, new, path == former.path)
    if relation is None or (new.name == old.name and relation == "renamed"):
        return None
    if relation == "renamed" and new.scope != old.scope:
        return None
    alike = likeness(old, new) if (old.kind in VALUES) == (new.kind in VALUES) else ratio(_value_tokens(old), _value_tokens(new))
    facts = _facts(gone, former, path, new, alike, known)
    if relation != "renamed" and (alike < _SAME_BODY or weight_of_body(old) < 6) and new.name != old.name:
        return None
    if relation == "moved" and new.name == old.name:
        facts.append(Evidence("symbol", f"{new.kind} {new.name} is defined in {path} now", f"{path}:{new.line}", 0.75))
    if alike < _enough(weight_of_body(old)) and not any(f.kind == "callers" or f.kind == "docs" for f in facts):
        return None
    total = strength(facts)
    if total < 0.3:
        return None
    dotted = f"{ctx.symbols.module_name(path)}.{new.qualname}"
    return Successor(dotted, relation, tuple(facts), total >= SURE, round(min(0.97, 0.3 + 0.68 * total + 0.02 * alike), 4), old, new)


def _enough(size: int) -> float:
    """The likeness that a body of this size must show: small ones are alike by chance."""
    return 0.92 if size < 8 else 0.8 if size < 20 else 0.65


def _value_tokens(d: Def) -> tuple[str, ...]:
    """The value of an attribute or the returned expression of a property, to compare the one with the other."""
    f = d.function
    if f is None:
        return tokens(d.node)
    values = returns(f)
    return tokens(values[0]) if len(values) == 1 else ()


def _facts(gone: Gone, former: Former, path: str, new: Def, alike: float, known: Changes) -> list[Evidence]:
    old = former.definition
    where = f"{path}:{new.line}"
    out: list[Evidence] = []
    size = weight_of_body(old)
    like = alike >= _enough(size)
    if like:
        weight = alike * (0.88 if size >= 8 else 0.7 if size >= 4 else 0.45)
        if alike < _SAME_BODY:
            weight *= 0.7
        out.append(
            Evidence(
                "git",
                f"the body of {gone.name} before {former.label} is {'exactly' if alike == 1 else f'{alike:.0%}'} that of {new.qualname}",
                where,
                round(weight, 3),
            )
        )
    if like and path == former.path and known.same_place(former.rev, path, old, new):
        out.append(Evidence("git", f"one change takes {gone.name} away and puts {new.name} in its place", where, 0.5))
    callers = known.callers_changed_alike(former.rev, gone.name, new.name)
    if callers:
        more = f" and {len(callers) - 1} more" if len(callers) > 1 else ""
        out.append(Evidence("callers", f"the product itself now says {new.name} where it said {gone.name}: {callers[0]}{more}", callers[0], 0.7))
    said = known.said(gone.name, new.name)
    if said:
        out.append(Evidence("docs", f"{said} names {gone.name} and {new.name} together", said, 0.6))
    if old.function is not None and new.function is not None and alike < _SAME_BODY and ast.dump(old.function.args) == ast.dump(new.function.args):
        out.append(Evidence("signature", f"{new.name} takes the very parameters of {gone.name}", where, 0.2))
    return out


# -- installed packages ------------------------------------------------------------------------------------
def library_successors(gone: Gone, ctx: Context, candidates: Sequence[str] = ()) -> list[Successor]:
    """Candidates for a name that an installed package (or a product without git) no longer has, best first."""
    found = list(_told(gone, ctx)) + list(_guessed(gone, ctx, candidates))
    best: dict[str, Successor] = {}
    for s in found:
        held = best.get(s.dotted)
        if held is None:
            best[s.dotted] = s
        else:
            facts = tuple(dict.fromkeys((*held.evidence, *s.evidence)))
            best[s.dotted] = Successor(s.dotted, held.relation, facts, held.sure or s.sure, max(held.score, s.score))
    out = _of_the_owner(gone.owner, sorted(best.values(), key=lambda s: -s.score))
    sure = [s for s in out if s.sure]
    if len(sure) > 1:
        out = [Successor(s.dotted, s.relation, s.evidence, False, s.score) for s in out]
    return out[:3]


def _of_the_owner(owner: str, found: list[Successor]) -> list[Successor]:
    """Where a table names the successor in the namespace that lost the name, what has such a name elsewhere is no rival, unless a table says so."""

    def tabled(s: Successor) -> bool:
        return any(e.kind == "migration" for e in s.evidence)

    if not any(s.sure and tabled(s) and s.dotted.rpartition(".")[0] == owner for s in found):
        return found
    return [s for s in found if tabled(s) or s.dotted.rpartition(".")[0] == owner]


def _told(gone: Gone, ctx: Context) -> Iterator[Successor]:
    """What tables, docstrings, shims and changelogs say."""
    classes = Classes(ctx)
    owners = [gone.owner] if gone.kind == "module" else list(classes.mro(gone.owner))
    for owner in owners:
        for row in renamed(owner, gone.name, ctx.live):
            fact = Evidence(
                "migration", f"{gone.name} became {row.new} ({row.since})" if row.since else f"{gone.name} became {row.new}", row.source, 0.85
            )
            if row.new.startswith("."):
                yield Successor(f"{gone.owner}{row.new}", "renamed", (fact,), row.same, 0.93)
            else:
                yield Successor(row.new, "moved", (fact,), row.same, 0.93)
    found, obj = ctx.live.get(gone.owner)
    top = gone.owner.partition(".")[0]
    if found:
        told = notes.documented(obj, gone.name)
        if told:
            yield Successor(
                f"{gone.owner}.{told[0]}",
                "renamed",
                (Evidence("docs", f"{told[0]}'s documentation: {told[1]}", f"{gone.owner}.{told[0]}", 0.85),),
                True,
                0.92,
            )
    hint = ctx.live.hint(gone.owner, gone.name) if gone.kind == "module" else ""
    for word in notes.successors_in(hint):
        dotted = word.name if "." in word.name else f"{gone.owner}.{word.name}"
        if ctx.live.get(dotted)[0]:
            yield Successor(dotted, "moved", (Evidence("docs", f"{gone.owner} says: {hint[:160]}", gone.owner, 0.85),), True, 0.9)
    names = [n for n in ctx.live.names(gone.owner) if not n.startswith("_")]
    noted = notes.noted(top, gone.name, names) if names and len(gone.name) > 3 else None
    if noted:
        fact = Evidence("docs", f"{noted[2]}: {noted[1]}", noted[2], 0.7)
        yield Successor(f"{gone.owner}.{noted[0]}", "renamed", (fact,), False, 0.75)


def _guessed(gone: Gone, ctx: Context, candidates: Sequence[str]) -> Iterator[Successor]:
    """What the names themselves suggest: another spelling, a private twin, the same name elsewhere in the package, a small distance."""
    names = list(dict.fromkeys([*candidates, *ctx.live.names(gone.owner)]))
    same = [n for n in names if notes.plain(n) == notes.plain(gone.name) and n != gone.name]
    if len(same) > 1:
        same = [n for n in same if "deprecated" not in notes.documentation(ctx.live.get(f"{gone.owner}.{n}")[1]).lower()]
    for n in same if len(same) == 1 else ():
        private = n.strip("_") == gone.name.strip("_")
        text = f"{gone.owner} has {n}, the same name {'made private' if private and n.startswith('_') else 'in another spelling'}"
        yield Successor(f"{gone.owner}.{n}", "renamed", (Evidence("symbol", text, gone.owner, 0.65),), False, 0.8)
    if gone.kind == "module":
        yield from _elsewhere(gone, ctx)
    if not same and len(gone.name) > 3:
        for n in list(suggest(gone.name, names))[:2]:
            if _kinship(gone.name, n):
                yield Successor(
                    f"{gone.owner}.{n}", "renamed", (Evidence("symbol", f"{gone.owner} has {n}, a similar name", gone.owner, 0.35),), False, 0.4
                )


def _kinship(a: str, b: str) -> bool:
    """Similar names that are opposites, numbered or plural siblings are no evidence."""
    digits = re.sub(r"\D", "", a), re.sub(r"\D", "", b)
    return (
        digits[0] == digits[1] and a + "s" != b and b + "s" != a and not (a.startswith("i") and a[1:] == b) and not (b.startswith("i") and b[1:] == a)
    )


def _elsewhere(gone: Gone, ctx: Context) -> Iterator[Successor]:
    """The same name in another module of the package."""
    top = gone.owner.partition(".")[0]
    if ctx.live.is_stdlib(top):
        return
    places: dict[str, Evidence] = {}
    for d in ctx.symbols.find_in_package(gone.name, top):
        if d.is_test or d.module == gone.owner or d.kind == "import" or d.kind == "module":
            continue
        if re.search(r"(^|\.)(tests?|testing|_?vendor(ed)?)(\.|$)", d.module):
            continue
        places[d.dotted] = Evidence(
            "symbol", f"{d.kind} {gone.name} is defined in {d.module} now", f"{d.path}:{d.line}" if not d.path.startswith("/") else d.module, 0.8
        )
    kinds = {p: ctx.symbols.resolve(p.rpartition(".")[0], gone.name) for p in places}
    real = [p for p in places if (k := kinds[p]) is not None and k.kind in ("function", "class")] or list(places)
    for p in real[:3]:
        unique = len(real) == 1
        yield Successor(p, "moved", (places[p],), unique, 0.88 if unique else 0.5)
