"""Tests that fail after others: what those leave behind is given back, or the test sets what it needs."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from pytest_maestro_healer.edit.source import SourceFile, edits_between
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.nodeids import file_of, is_test, tail_of, without_params
from pytest_maestro_healer.evidence.state import Change
from pytest_maestro_healer.model import Applicability, Diagnosis, Edit, Evidence, Failure, FailurePattern, Proof, Proposal
from pytest_maestro_healer.strategies.base import Tactic
from pytest_maestro_healer.strategies.flaky_test_stabilization import examples_order, modules, reset, restore
from pytest_maestro_healer.strategies.flaky_test_stabilization.draft import Draft
from pytest_maestro_healer.strategies.flaky_test_stabilization.leaks import products_own
from pytest_maestro_healer.strategies.flaky_test_stabilization.places import Place, place_of
from pytest_maestro_healer.strategies.flaky_test_stabilization.study import Study, studied_before, study

STRATEGY_NAME = "flaky_test_stabilization"
_MOST_POLLUTERS = 6


class FlakyTactic(Tactic):
    """Answers to flaky tests only, and only where tests can be run again."""

    patterns = frozenset({FailurePattern.FLAKY_BEHAVIOR})

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """See :class:`Tactic`; a pattern that is not known is no flaky test."""
        return diagnosis.asked is FailurePattern.FLAKY_BEHAVIOR and is_test(failure.nodeid) and failure.phase != "collect"

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """See :class:`Tactic`."""
        if not ctx.experiments.available:
            return
        others = _siblings(failure, ctx)
        known = next((s for n in others if (s := studied_before(n, ctx)) is not None and s.varies and self.name in s.proposals), None)
        if known is not None:
            for proposal in known.proposals[self.name]:
                yield dataclasses.replace(proposal, nodeids=(failure.nodeid,))
            return
        s = study(failure, ctx)
        if self.name in s.asked:
            yield from s.asked[self.name]
            return
        out = list(self._asked(s, others))
        s.asked[self.name] = out
        yield from out

    def _asked(self, s: Study, others: Sequence[str]) -> Iterator[Proposal]:
        nodeid = s.nodeid
        s.proposals[self.name] = []
        for proposal in map(partial(_unless_brought_in, s), self.studied(s)):
            s.proposals[self.name].append(proposal)
            if others and proposal.edits and not (proposal.proof and proposal.proof.order) and proposal.nodeids == (nodeid,):
                yield dataclasses.replace(proposal, nodeids=(nodeid, *others))
            yield proposal

    def studied(self, s: Study) -> Iterable[Proposal]:
        """Candidates, given a study of the failure."""
        raise NotImplementedError  # pragma: no cover


def _unless_brought_in(s: Study, proposal: Proposal) -> Proposal:
    """The proposal, or the advice that a change of the product is what made the order of the tests matter."""
    order = proposal.proof.order if proposal.proof is not None else ()
    if proposal.edits and order:
        s.blamed = s.blamed or s.order_change(order[:-1])
        if s.blamed:
            return _brought_in(s, order[:-1])
    if s.untold and proposal.applicability is Applicability.SAFE:
        told = f"with the product as it was before {s.untold} these tests cannot be run: whether it is at fault cannot be told"
        return dataclasses.replace(
            proposal, applicability=Applicability.REVIEW, evidence=(*proposal.evidence, Evidence("git", told, s.untold.partition(" ")[0], 0.3))
        )
    return proposal


def _siblings(failure: Failure, ctx: Context) -> list[str]:
    """The other failed parameter sets of the test that failed alike: what makes one of them fail now and then makes all."""
    test = without_params(failure.nodeid)
    return [f.nodeid for f in ctx.failures if f.nodeid != failure.nodeid and without_params(f.nodeid) == test and f.exc_type == failure.exc_type]


@dataclass(frozen=True)
class Found:
    """What makes a test pass: the healed files, the polluters whose state is given back, the state and how."""

    files: dict[str, bytes]
    polluters: tuple[str, ...]
    changes: tuple[Change, ...]
    how: str
    literal: bool = False


class PollutedState(FlakyTactic):
    """Finds the test that leaves state behind by bisection, the state by a snapshot, and restores it there."""

    name = "polluted_state"
    summary = (
        "A test fails because one before it left state behind: the state is given back by the test that changed it, or set by the one that needs it"
    )
    applicability = Applicability.SAFE
    evidence = ("experiment", "state")
    sources = (
        "Gruber, Lukasczyk, Kroiss, Fraser: An empirical study of flaky tests in Python (ICST 2021)",
        "Shi, Lam, Oei, Xie, Marinov: iFixFlakies (FSE 2019); Wang, Chen, Lam: iPFlakies (ICSE 2022)",
    )
    heals = examples_order.POLLUTED
    declines = examples_order.POLLUTED_DECLINES

    def studied(self, s: Study) -> Iterable[Proposal]:
        """See :class:`FlakyTactic`."""
        polluters = s.polluters()
        if not polluters:
            return
        s.blamed = s.blamed or s.order_change(polluters)
        if s.blamed:
            yield _brought_in(s, polluters)
            return
        found = at_the_polluters(s, polluters) or at_the_victim(s, polluters)
        if found is None:
            yield _advice(s, polluters)
            return
        state = _list(tuple(dict.fromkeys(c.dotted for c in found.changes)))
        left_by = list(zip(found.polluters, found.changes, strict=True))
        left = [Evidence("state", f"{_short(p)} leaves {c.told()}", c.dotted, 0.8) for p, c in left_by]
        yield Proposal(
            STRATEGY_NAME,
            self.name,
            _edits(s, found.files),
            (*_order_evidence(s, polluters), *left),
            Applicability.REVIEW if found.literal or any(products_own(c, p, s.ctx) for p, c in left_by) else self.applicability,
            f"{_short(s.nodeid)} fails after {_list(found.polluters)}, which leaves {state} changed: {found.how}",
            nodeids=(s.nodeid,),
            meaning=f"{state} is not to outlive {_list(found.polluters)}",
            cause_key=f"polluted:{state}",
            score=0.9,
            proof=Proof(order=(*polluters, s.nodeid), repeats=3),
        )


def at_the_polluters(s: Study, polluters: Sequence[str]) -> Found | None:
    """Restore at each polluter of the run, found one after the other, until the test passes in the run's own order."""
    files: dict[str, bytes] = {}
    done: list[tuple[str, Change]] = []
    how = ""
    whole = s.ctx.before(s.nodeid)
    wide = False
    while len(done) < _MOST_POLLUTERS:
        step = s.ctx.step({**s.ctx.overlay, **files})
        hit = _one_polluter(s, step, polluters, files, wide)
        if hit is None:
            return None
        way, change, culprit = hit
        again = any(file_of(p) == file_of(culprit) and c.dotted == change.dotted for p, c in done)
        if again and not wide:  # several tests of one file: one fixture for all of them
            files, done, wide, polluters, how = {}, [], True, s.polluters(), ""
            continue
        files = {**files, way.path: way.data}
        done += [(culprit, c) for c in way.changes or (change,)]
        how = how or way.how
        if s.good(whole, files):
            return Found(files, tuple(p for p, _ in done), tuple(c for _, c in done), how)
        polluters = s.polluters(files)
        if not polluters:
            return None
    return None


def _one_polluter(s: Study, ctx: Context, polluters: Sequence[str], files: dict[str, bytes], wide: bool) -> tuple[restore.Way, Change, str] | None:
    """A way to restore that makes the test pass after ``polluters``, with the state that it is about.

    The last one comes first; a polluter that fails there itself leaves something behind because of that, and comes after all others.
    """
    failing = s.failing(polluters) if len(polluters) > 1 else frozenset()
    for i in sorted(range(len(polluters)), key=lambda i: (polluters[i] in failing, -i)):
        place = place_of(polluters[i], ctx)
        if place is None:
            continue
        changes = s.changes(polluters[: i + 1])
        for way in modules.ways(place, changes, ctx, wide_only=wide):
            if s.good(polluters, {**files, way.path: way.data}):
                return way, way.changes[0], polluters[i]
        for change in changes:
            for way in restore.ways(place, change, ctx, wide_only=wide):
                if s.good(polluters, {**files, way.path: way.data}):
                    return way, change, polluters[i]
        for way in restore.together(place, changes, ctx):
            if s.good(polluters, {**files, way.path: way.data}):
                return way, next(c for c in changes if c.rebound), polluters[i]
    return None


def at_the_victim(s: Study, polluters: Sequence[str]) -> Found | None:
    """The test sets the state itself to what it is when nobody ran before."""
    place = place_of(s.nodeid, s.ctx)
    if place is None:
        return None
    for change in s.changes(polluters):
        for way in reset.ways(place, change, change.before, s.ctx):
            files = {way.path: way.data}
            if s.good(polluters, files) and s.good((), files) and s.good(s.ctx.before(s.nodeid), files):
                return Found(files, (polluters[-1],), (change,), way.how, way.literal)
    return None


class MissingSetup(FlakyTactic):
    """A test that passes only after another one that sets what it needs."""

    name = "missing_setup"
    summary = "A test passes only after another that sets its state: it sets that state itself"
    applicability = Applicability.SAFE
    evidence = ("experiment", "state")
    sources = ("Shi, Lam, Oei, Xie, Marinov: iFixFlakies (FSE 2019): brittles and state-setters",)
    heals = examples_order.BRITTLE
    declines = examples_order.BRITTLE_DECLINES

    def studied(self, s: Study) -> Iterable[Proposal]:
        """See :class:`FlakyTactic`."""
        if not s.steady_alone or s.alone[0].passed:
            return
        setters = s.setters()
        place = place_of(s.nodeid, s.ctx)
        if not setters or place is None:
            return
        s.blamed = s.blamed or s.order_change(())
        if s.blamed:
            yield _brought_in(s, ())
            return
        for change, way in _setting(s, place, setters):
            files = {way.path: way.data}
            if s.good((), files) and s.good(setters, files):
                sure = change is not None and not way.literal
                experiment = Evidence("experiment", f"fails alone, passes after {_list(setters)}", repro((*setters, s.nodeid)), 0.7)
                state = Evidence("state", f"{_short(setters[-1])} sets {change.told()}", change.dotted, 0.8) if change else None
                yield Proposal(
                    STRATEGY_NAME,
                    self.name,
                    _edits(s, files),
                    (experiment, *([state] if state else [])),
                    Applicability.SAFE if sure else Applicability.REVIEW,
                    f"{_short(s.nodeid)} passes only after {_list(setters)}: {way.how}",
                    nodeids=(s.nodeid,),
                    meaning=f"{_short(s.nodeid)} needs {change.dotted if change else 'what ' + _list(setters) + ' does'}",
                    score=0.85 if change is not None else 0.7,
                    proof=Proof(order=(s.nodeid,), repeats=3),
                )
                return


def _setting(s: Study, place: Place, setters: Sequence[str]) -> Iterator[tuple[Change | None, restore.Way]]:
    for change in s.changes(setters):
        for way in reset.ways(place, change, change.after, s.ctx):
            if change.after is not None:
                yield change, way
    other = place_of(setters[-1], s.ctx)
    if other is not None and len(setters) == 1:
        for way in reset.calls(place, other, s.ctx):
            yield None, way


class SharedFixture(FlakyTactic):
    """Two tests change and read one object, because a fixture makes it only once for all of them."""

    name = "shared_fixture"
    summary = "A fixture of a wide scope hands one mutable object to several tests: it makes one for each"
    applicability = Applicability.REVIEW
    evidence = ("experiment", "fixture")
    sources = ("pytest: how-to on fixtures, scope: sharing fixtures across classes, modules, packages or session",)
    heals = examples_order.FIXTURE
    declines = examples_order.FIXTURE_DECLINES

    def studied(self, s: Study) -> Iterable[Proposal]:
        """See :class:`FlakyTactic`."""
        polluters = s.polluters()
        if not polluters or s.blamed:
            return
        for name, where in s.failure.fixtures.items():
            src = s.ctx.source(where.path) if s.ctx.is_test_code(where.path) else None
            if src is None or src.tree is None:
                continue
            scope, data = _narrowed(src, src.tree, name, s.nodeid)
            if data is None or not s.passes(polluters, {where.path: data}):
                continue
            files, helped = _with_setters(s, {where.path: data})
            if files is None or not s.good(polluters, files):
                continue
            yield Proposal(
                STRATEGY_NAME,
                self.name,
                _edits(s, files),
                (*_order_evidence(s, polluters), Evidence("fixture", f"{name} is made once per {scope} and shared", str(where), 0.6)),
                self.applicability,
                f"{_short(s.nodeid)} fails after {_list(polluters)}: both use {name}, made once per {scope}; now each test gets its own"
                + (f", and {_list(helped)} do first what others did for them" if helped else ""),
                nodeids=(s.nodeid,),
                meaning=f"{name} is not to be shared between tests",
                cause_key=f"fixture:{name}",
                score=0.8,
                proof=Proof(order=(*polluters, s.nodeid), repeats=3),
            )


def _with_setters(s: Study, files: dict[str, bytes]) -> tuple[dict[str, bytes] | None, tuple[str, ...]]:
    """With a fixture narrowed, other tests of the file may lack what their predecessors did for them: they do it first themselves."""
    natural = s.file_order()
    helped: list[str] = []
    for _ in range(_MOST_POLLUTERS):
        now = s.file_order(files)
        lost = [n for n, o in now.items() if not o.passed and n in natural and natural[n].passed]
        if not lost:
            return files, tuple(helped)
        if lost[0] in helped or not now:
            return None, ()
        nodeid = lost[0]
        setters = study(dataclasses.replace(s.failure, nodeid=nodeid), s.ctx).setters()
        ctx = s.ctx.step({**s.ctx.overlay, **files})
        place, other = place_of(nodeid, ctx), place_of(setters[-1], ctx) if len(setters) == 1 else None
        way = next(iter(reset.calls(place, other, ctx)), None) if place is not None and other is not None else None
        if way is None:
            return None, ()
        files = {**files, way.path: way.data}
        helped.append(nodeid)
    return None, ()


def _narrowed(src: SourceFile, tree: ast.Module, name: str, nodeid: str) -> tuple[str, bytes | None]:
    """The scope of a fixture that is wider than a test, and the file without it."""
    for function in ast.walk(tree):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) or function.name != name:
            continue
        for mark in (d for d in function.decorator_list if isinstance(d, ast.Call) and "fixture" in ast.unparse(d.func)):
            scope = next((k for k in mark.keywords if k.arg == "scope"), None)
            if scope is None or not isinstance(scope.value, ast.Constant) or scope.value.value == "function":
                continue
            rest = [src.segment(k) for k in [*mark.args, *(k for k in mark.keywords if k is not scope)]]
            draft = Draft(Place(src, tree, function, None, False, nodeid))
            draft.replace(mark, f"{src.segment(mark.func)}({', '.join(rest)})" if rest else src.segment(mark.func))
            return str(scope.value.value), draft.data()
    return "", None


def _brought_in(s: Study, polluters: Sequence[str]) -> Proposal:
    """Advice: a change of the product made the test depend on others."""
    how = f"fails after {_list(polluters, full=True)}" if polluters else "fails unless other tests ran before it"
    text = f"{s.nodeid} {how} since the product was changed: {s.blamed}; as it was before, the very same tests pass in the same order"
    fact = Evidence("git", f"with {s.blamed.partition(' ')[0]} as it was before the tests pass in this order", s.blamed, 0.8)
    evidence = (*(_order_evidence(s, polluters) if polluters else ()), fact)
    return Proposal(
        STRATEGY_NAME, PollutedState.name if polluters else MissingSetup.name, (), evidence, Applicability.ADVICE,
        "a change of the product made the order of the tests matter", nodeids=(s.nodeid,), advice=text,
    )  # fmt: skip


def _advice(s: Study, polluters: Sequence[str]) -> Proposal:
    left = [c.told() for c in s.changes(polluters)[:5]]
    text = (
        f"{s.nodeid} depends on the order of tests: alone it passes, after {_list(polluters, full=True)} it fails. "
        f"Reproduce: {repro((*polluters, s.nodeid))}"
    )
    if left:
        text += f". Left changed: {'; '.join(left)}"
    return Proposal(
        STRATEGY_NAME,
        PollutedState.name,
        (),
        _order_evidence(s, polluters),
        Applicability.ADVICE,
        f"fails after {_list(polluters)}; no edit of the test code was found that gives the state back",
        nodeids=(s.nodeid,),
        advice=text,
    )


def _order_evidence(s: Study, polluters: Sequence[str]) -> tuple[Evidence, ...]:
    first = Evidence(
        "experiment",
        f"passes alone ({len(s.alone)} of {len(s.alone)} runs), fails after {_list(tuple(polluters))}",
        repro((*polluters, s.nodeid)),
        0.7,
    )
    before = len(s.ctx.before(s.nodeid))
    return (
        (first, Evidence("experiment", f"found by bisection among {before} tests that ran before it", "", 0.3))
        if before > len(polluters)
        else (first,)
    )


def _edits(s: Study, files: dict[str, bytes]) -> tuple[Edit, ...]:
    out: list[Edit] = []
    for path, data in files.items():
        src = s.ctx.source(path)
        if src is not None:
            out += edits_between(path, src.data, data)
    return tuple(out)


def repro(order: Sequence[str]) -> str:
    """The command that shows it."""
    return "pytest " + " ".join(f"'{n}'" if any(c in n for c in " []()'\"$&;|<>*?") else n for n in order)


def _short(nodeid: str) -> str:
    return tail_of(nodeid).replace("::", ".") or nodeid


def _list(items: Sequence[str], *, full: bool = False) -> str:
    names = list(dict.fromkeys(i if full else _short(i) for i in items))
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1] if names else "nothing"
