"""Tests that meet in one file: each gets a folder of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from pytest_maestro_healer.evidence.experiments import Conditions
from pytest_maestro_healer.evidence.nodeids import file_of
from pytest_maestro_healer.model import Applicability, Evidence, Proof, Proposal
from pytest_maestro_healer.strategies.flaky_test_stabilization import examples_order
from pytest_maestro_healer.strategies.flaky_test_stabilization.draft import Draft
from pytest_maestro_healer.strategies.flaky_test_stabilization.ordering import STRATEGY_NAME, FlakyTactic, _edits, _list, _order_evidence, _short
from pytest_maestro_healer.strategies.flaky_test_stabilization.places import Place, place_of
from pytest_maestro_healer.strategies.flaky_test_stabilization.restore import Way
from pytest_maestro_healer.strategies.flaky_test_stabilization.study import Study


class SharedFile(FlakyTactic):
    """A test leaves a file behind that another one trips over."""

    name = "shared_file"
    summary = "A test writes a file where another test finds it: it works in a folder of its own"
    applicability = Applicability.SAFE
    evidence = ("experiment", "state")
    sources = ("pytest: how to use temporary directories and files in tests",)
    heals = examples_order.FILES
    declines = examples_order.FILES_DECLINES

    def studied(self, s: Study) -> Iterable[Proposal]:
        """See :class:`FlakyTactic`."""
        victim = place_of(s.nodeid, s.ctx)
        for name, way in _constants(victim) if victim is not None else ():
            healed = {way.path: way.data}
            polluters = _users(name, s)
            if polluters and _shared(polluters, healed, s):
                yield self._proposal(s, polluters, name, way, healed, "writes to the same")
                return
        polluters = s.polluters()
        place = place_of(polluters[-1], s.ctx) if polluters else None
        if place is None:
            return
        files = [c.path for c in s.changes(polluters) if c.kind == "file"]
        for way in _ways(place) if files else ():
            healed = {way.path: way.data}
            if s.good(polluters, healed) and s.good(s.ctx.before(s.nodeid), healed):
                yield self._proposal(s, polluters, files[0], way, healed, "writes")
                return

    def _proposal(self, s: Study, polluters: tuple[str, ...], path: str, way: Way, healed: dict[str, bytes], verb: str) -> Proposal:
        return Proposal(
            STRATEGY_NAME,
            self.name,
            _edits(s, healed),
            (*_order_evidence(s, polluters), Evidence("state", f"{_short(polluters[-1])} {verb} {path}", path, 0.7)),
            self.applicability,
            f"{_short(s.nodeid)} fails after {_list(polluters)}, which {verb} {path}: {way.how}",
            nodeids=(s.nodeid,),
            meaning=f"what {_list(polluters)} writes to {path} is not to outlive it",
            cause_key=f"file:{path}",
            score=0.8,
            proof=Proof(order=(*polluters, s.nodeid), repeats=3),
        )


def _ways(place: Place) -> Iterator[Way]:
    draft = Draft(place)
    if place.takes_fixtures:
        draft.argument("tmp_path")
        draft.argument("monkeypatch")
        draft.first("monkeypatch.chdir(tmp_path)")
    else:
        draft.need("import pytest")
        name = draft.fresh_name("_own_folder")
        draft.fixture(
            f"@pytest.fixture(autouse=True)\ndef {name}(tmp_path, monkeypatch):\n"
            f'    """What a test writes is not to be seen by the next: {place.name} does."""\n    monkeypatch.chdir(tmp_path)'
        )
    data = draft.data()
    if data is not None:
        yield Way(place.src.path, data, "it works in a folder of its own")


#: Calls that name a folder which all tests of a module share when they are made at import.
_FOLDERS = frozenset({"tempfile.mkdtemp", "mkdtemp", "tempfile.gettempdir", "gettempdir"})


def _constants(place: Place) -> Iterator[tuple[str, Way]]:
    """(constant's name, way) for each path below the temporary folder that the test's module makes once, at import."""
    for node in place.tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
        if not isinstance(node, ast.Assign) or not isinstance(target, ast.Name) or not _uses(place, target.id):
            continue
        makers = [n for n in ast.walk(node.value) if isinstance(n, ast.Call) and ast.unparse(n.func) in _FOLDERS]
        if len(makers) != 1:
            continue
        text = place.src.text
        (start, end), (first, last) = place.src.span(node.value), place.src.span(makers[0])
        draft = Draft(place)
        draft.need("import pytest")
        name = draft.fresh_name(f"_own_{target.id.lower().strip('_')}")
        draft.fixture(
            f"@pytest.fixture(autouse=True)\ndef {name}(tmp_path, monkeypatch):\n"
            f'    """No test finds what another one wrote."""\n'
            f'    monkeypatch.setitem(globals(), "{target.id}", {text[start:first]}str(tmp_path){text[last:end]})'
        )
        data = draft.data()
        if data is not None:
            yield target.id, Way(place.src.path, data, f"each test has a {target.id} of its own")


def _uses(place: Place, name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for n in ast.walk(place.function))


def _users(name: str, s: Study) -> tuple[str, ...]:
    """The tests of its file that ran before it and use the constant."""
    before = [n for n in s.ctx.before(s.nodeid) if file_of(n) == s.failure.path]
    return tuple(n for n in before if (place := place_of(n, s.ctx)) is not None and _uses(place, name))


def _shared(polluters: tuple[str, ...], healed: dict[str, bytes], s: Study) -> bool:
    """Whether the test fails only behind the others, and no longer once healed.

    In processes of their own: what stands on the disk for this session's import of the module is there already.
    """
    fresh = Conditions(ordered=True, clean=True, fresh=True)

    def passes(order: tuple[str, ...], overlay: dict[str, bytes]) -> bool | None:
        found = s.ctx.experiments.observe([*order, s.nodeid], {**s.ctx.overlay, **overlay}, fresh).get(s.nodeid)
        return found.passed if found is not None else None

    return passes((), {}) is True and passes(polluters, {}) is False and passes(polluters, healed) is True
