"""Functions that give more or fewer values than before, where tests unpack them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.similarity import Function
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, Follows, Proposal
from pytest_maestro_healer.strategies.api_contract_adaptation import examples_former as examples
from pytest_maestro_healer.strategies.api_contract_adaptation.calls import Edits
from pytest_maestro_healer.strategies.api_contract_adaptation.cause import changes, raised_in_test, statement_at
from pytest_maestro_healer.strategies.api_contract_adaptation.renames import STRATEGY
from pytest_maestro_healer.strategies.api_contract_adaptation.resolve import Resolver, resolver
from pytest_maestro_healer.strategies.base import Tactic

_MESSAGE = re.compile(r"(?:too many|not enough) values to unpack \(expected (\d+)")
_NESTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


@dataclass(frozen=True, eq=False)
class Unpacking:
    """``target`` takes apart what ``call`` gives."""

    target: ast.Tuple | ast.List
    call: ast.Call


@dataclass(frozen=True)
class Shape:
    """What a function gives now, element by element (``None``: was not there before), by the index that each had before; and how that is known."""

    before: tuple[int | None, ...]
    fact: Evidence
    sure: bool


class UnpackedResult(Tactic):
    name = "unpacked_result"
    summary = "Where a function gives a tuple of another length than before, tests take it apart into as many names, each value under its old name."
    applicability = Applicability.SAFE
    follows = Follows.RESULT
    evidence = ("git", "signature")
    sources = ("git history of the product, or the source of the installed package",)
    heals = examples.UNPACKED
    declines = examples.NOT_UNPACKED

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """ValueErrors of unpacking."""
        return failure.is_a("ValueError") and bool(_MESSAGE.search(failure.message))

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """One proposal for the function whose result the failing line takes apart; every other such place goes along."""
        m = _MESSAGE.search(failure.message)
        at = statement_at(failure, ctx)
        if m is None or at is None or not raised_in_test(failure):
            return
        src, statement = at
        names = resolver(src, ctx)
        for place in unpackings(statement):
            ref = names.ref(place.call.func)
            count = len(place.target.elts)
            if ref is None or ref.kind != "function" or count != int(m[1]):
                continue
            shape = shape_of(ref.dotted, count, ctx)
            if shape is None:
                continue
            edits = Edits()
            for other, node, place_names in self._all(ref.dotted, ctx):
                if len(node.target.elts) == count and not _retarget(edits, other, node, shape, place_names):
                    return
            made = edits.all()
            if made:
                text = f"{ref.dotted} gives {len(shape.before)} values, not {count}"
                safe = Applicability.SAFE if shape.sure else Applicability.REVIEW
                yield Proposal(STRATEGY, self.name, made, (shape.fact,), safe, text, (failure.nodeid,), meaning=text,
                               cause_key=f"unpack:{ref.dotted}", score=0.9 if shape.sure else 0.7)  # fmt: skip
            return

    def _all(self, dotted: str, ctx: Context) -> Iterator[tuple[SourceFile, Unpacking, Resolver]]:
        for src in ctx.test_files_with(dotted.rpartition(".")[2]):
            names = resolver(src, ctx)
            for node in ast.walk(src.tree) if src.tree is not None else ():
                for place in _of(node):
                    ref = names.ref(place.call.func)
                    if ref is not None and ref.dotted == dotted:
                        yield src, place, names


def unpackings(statement: ast.AST) -> Iterator[Unpacking]:
    """The calls that a statement takes apart."""
    for node in ast.walk(statement):
        yield from _of(node)


def _of(node: ast.AST) -> Iterator[Unpacking]:
    pairs: list[tuple[ast.AST | None, ast.AST]] = []
    if isinstance(node, ast.Assign):
        pairs = [(t, node.value) for t in node.targets]
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        pairs = [(i.optional_vars, i.context_expr) for i in node.items]
    for target, value in pairs:
        value = value.value if isinstance(value, ast.Await) else value
        if isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, ast.Call) and not any(isinstance(e, ast.Starred) for e in target.elts):
            yield Unpacking(target, value)


def shape_of(dotted: str, count: int, ctx: Context) -> Shape | None:
    """How the values that a function gives now lie to the ``count`` that it gave before."""
    module, qualname = resolver_split(dotted, ctx)
    path = ctx.symbols.module_path(module) if module else None
    known = changes(ctx)
    if path is None:
        return None
    if not known.is_product(path):
        node = _function(dotted, ctx)
        now = _elements(node) if node is not None else None
        if now is None or len(now) <= count:
            return None
        fact = Evidence("signature", f"{dotted} gives {len(now)} values: {', '.join(ast.unparse(e) for e in now)[:120]}", dotted, 0.7)
        return Shape((*range(count), *[None] * (len(now) - count)), fact, False)
    present = known.current(path).get(qualname)
    now = _elements(present.function) if present is not None and present.function is not None else None
    former = known.former(path, qualname, lambda d: d.function is not None and (e := _elements(d.function)) is not None and len(e) == count)
    was = _elements(former.definition.function) if former is not None and former.definition.function is not None else None
    if now is None or was is None or former is None or present is None or len(now) == count:
        return None
    before = _aligned([ast.dump(e) for e in was], [ast.dump(e) for e in now])
    if before is None:
        return None
    text = f"{qualname} gave {len(was)} values and gives {len(now)} by {former.label}"
    return Shape(before, Evidence("git", text, f"{path}:{present.line}", 0.85), True)


def resolver_split(dotted: str, ctx: Context) -> tuple[str, str]:
    """(module, qualified name) of a dotted name."""
    from pytest_maestro_healer.strategies.api_contract_adaptation.resolve import Classes

    return Classes(ctx).split(dotted)


def _function(dotted: str, ctx: Context) -> Function | None:
    from pytest_maestro_healer.strategies.api_contract_adaptation.resolve import Classes

    return Classes(ctx).function_node(dotted)


def _elements(function: Function) -> list[ast.expr] | None:
    """What a function returns (or a context manager yields), where every exit gives a tuple of the same length."""
    found: list[ast.Tuple] = []
    todo: list[ast.AST] = list(function.body)
    while todo:
        node = todo.pop()
        if isinstance(node, _NESTED):
            continue
        if isinstance(node, (ast.Return, ast.Yield)) and node.value is not None:
            if not isinstance(node.value, ast.Tuple) or any(isinstance(e, ast.Starred) for e in node.value.elts):
                return None
            found.append(node.value)
        todo += list(ast.iter_child_nodes(node))
    lengths = {len(t.elts) for t in found}
    return list(min(found, key=lambda t: t.lineno).elts) if len(lengths) == 1 else None


def _aligned(was: Sequence[str], now: Sequence[str]) -> tuple[int | None, ...] | None:
    """For each present element the index it had; ``None`` unless the old ones keep their order and all but one side's extra are found.

    An element whose expression changed takes the place of the one that stood at the same distance from its neighbours.
    """
    import difflib

    out: list[int | None] = [None] * len(now)
    for tag, a, b, c, d in difflib.SequenceMatcher(None, list(was), list(now), autojunk=False).get_opcodes():
        if tag == "equal":
            for i in range(b - a):
                out[c + i] = a + i
        elif tag == "replace":
            if b - a == d - c:
                for i in range(b - a):
                    out[c + i] = a + i
            else:
                return None
    kept = [i for i in out if i is not None]
    return tuple(out) if kept and (len(kept) == len(was) or len(kept) == len(now)) else None


def _retarget(edits: Edits, src: SourceFile, place: Unpacking, shape: Shape, names: Resolver) -> bool:
    """Write the new target; says whether that can be done (a value that is gone must not be read)."""
    old = place.target.elts
    gone = [e for i, e in enumerate(old) if i not in shape.before]
    scope = names.function_of(place.target) or src.tree
    for e in gone:
        if not isinstance(e, ast.Name) or scope is None or _read(e.id, scope):
            return False
    editor = edits.of(src)
    text = ", ".join(src.segment(old[i]) if i is not None else "_" for i in shape.before)
    if len(shape.before) == 1:
        text += ","
    editor.replace(src.span(old[0])[0], src.span(old[-1])[1], text)
    return True


def _read(name: str, scope: ast.AST) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for n in ast.walk(scope))
