"""Tests that take the file system's order of a directory for granted."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from pytest_maestro_healer.evidence.experiments import Conditions
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.nodeids import is_test
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Proof, Proposal, World
from pytest_maestro_healer.strategies.flaky_test_stabilization import examples_listing as examples
from pytest_maestro_healer.strategies.flaky_test_stabilization.chance import order_given_up, permuted, sorted_sides
from pytest_maestro_healer.strategies.flaky_test_stabilization.draft import Draft
from pytest_maestro_healer.strategies.flaky_test_stabilization.ordering import STRATEGY_NAME, FlakyTactic, _edits, repro
from pytest_maestro_healer.strategies.flaky_test_stabilization.places import Place, place_of
from pytest_maestro_healer.strategies.flaky_test_stabilization.restore import Way
from pytest_maestro_healer.strategies.flaky_test_stabilization.study import Study

#: What a directory may be listed in; no file system promises any of it.
WORLDS = (World(listing="sorted"), World(listing="reversed"))
_LISTS = ("listdir", "scandir", "iterdir", "glob", "rglob", "iglob", "walk")
_WORD = re.compile(rb"\b(" + "|".join(_LISTS).encode() + rb")\b")
_PROMISE = re.compile(r"\b(sorted|ordered|in order|alphabetical\w*|by name)\b", re.I)
#: Where the order of what is listed is lost or made anyway.
_FREE = ("sorted", "set", "frozenset", "len", "Counter", "any", "all", "sum", "max", "min")


class DirectoryOrder(FlakyTactic):
    """The names in a folder, in the order in which this file system keeps them."""

    name = "directory_order"
    late = True
    summary = "A test takes the order in which a directory is listed for granted: it sorts what it lists, or compares without order"
    applicability = Applicability.REVIEW
    evidence = ("experiment", "value")
    sources = ("https://docs.python.org/3/library/os.html#os.listdir", "https://docs.python.org/3/library/glob.html")
    heals = examples.LISTING
    declines = examples.LISTING_DECLINES

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """See :class:`Tactic`: it may fail on this machine each time."""
        asked = diagnosis.asked in (FailurePattern.FLAKY_BEHAVIOR, FailurePattern.ASSERTION_FAILURE)
        return asked and failure.phase == "call" and is_test(failure.nodeid) and failure.comparison is not None

    def studied(self, s: Study) -> Iterable[Proposal]:
        """See :class:`FlakyTactic`."""
        place = place_of(s.nodeid, s.ctx)
        lists = [p for p in s.ctx.variables.reachable(s.failure.path) if _WORD.search(s.ctx.symbols.read(p))]
        comparison = s.failure.comparison
        if place is None or comparison is None or not lists:
            return
        seen = [s.under(Conditions(world=w)) for w in WORLDS]
        told = [("passes" if o.passed else o.failure.message if o.failure else o.outcome) for o in seen if o is not None]
        if len(told) < len(WORLDS) or len(set(told)) == 1 or not (permuted(comparison) or "passes" in told):
            return
        lost = s.product_change([Conditions(world=w) for w in WORLDS])
        if lost:
            yield order_given_up(s, self.name, lost)
            return
        shown = ", ".join(f"{w.listing} {'passes' if o is not None and o.passed else 'fails'}" for w, o in zip(WORLDS, seen, strict=True))
        fact = Evidence("experiment", f"the outcome depends on the order in which directories are listed: {shown}", repro([s.nodeid]), 0.8)
        promise = next(_promises(s, lists), "")
        way = None if promise else next((w for w in _ways(place, s) if s.within((*WORLDS, World()), {w.path: w.data})), None)
        if way is None:
            yield self._advice(s, fact, promise)
            return
        yield Proposal(
            STRATEGY_NAME,
            self.name,
            _edits(s, {way.path: way.data}),
            (fact,),
            self.applicability,
            f"{place.name} takes the order of a directory for granted, which differs between file systems: {way.how}",
            nodeids=(s.nodeid,),
            meaning="the order in which a directory is listed is of no meaning",
            score=0.85,
            proof=Proof(repeats=4, worlds=WORLDS),
        )

    def _advice(self, s: Study, fact: Evidence, promise: str) -> Proposal:
        why = f"the product promises an order ({promise}) and does not make one" if promise else "sort where it is listed"
        text = f"{s.nodeid} depends on the order in which the file system lists a directory: {why}"
        return Proposal(
            STRATEGY_NAME, self.name, (), (fact,), Applicability.ADVICE, "depends on the order of a directory", nodeids=(s.nodeid,), advice=text
        )


def _promises(s: Study, paths: Iterable[str]) -> Iterator[str]:
    """Product functions that list a directory and whose docstring speaks of an order."""
    for path in paths:
        tree = s.ctx.symbols.tree(path) if not s.ctx.is_test_code(path) else None
        for node in ast.walk(tree) if tree is not None else ():
            listing = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and any(_lists(n) for n in ast.walk(node))
            if listing and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _PROMISE.search(ast.get_docstring(node) or ""):
                yield f"{path}:{node.lineno}"


def _lists(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = last_name(node.func)
    return name in _LISTS and name != "walk"


def _ways(place: Place, s: Study) -> Iterator[Way]:
    """What the test itself lists is sorted; else what it compares is compared without order."""
    up = {child: node for node in ast.walk(place.function) for child in ast.iter_child_nodes(node)}
    draft = Draft(place)
    for call in (n for n in ast.walk(place.function) if _lists(n)):
        outer = up.get(call)
        name = getattr(outer.func, "id", "") if isinstance(outer, ast.Call) and call in outer.args else ""
        if name in _FREE:
            continue
        if isinstance(outer, ast.Call) and name in ("list", "tuple"):
            draft.replace(outer, f"sorted({place.src.segment(call)})")
        else:
            draft.replace(call, f"sorted({place.src.segment(call)})")
    data = draft.data()
    if data is not None:
        yield Way(place.src.path, data, "it sorts what it lists")
    comparison = s.failure.comparison
    if comparison is not None and comparison.operator == "==" and permuted(comparison):
        data = sorted_sides(place, comparison)
        if data is not None:
            yield Way(place.src.path, data, "it compares without order", literal=True)
