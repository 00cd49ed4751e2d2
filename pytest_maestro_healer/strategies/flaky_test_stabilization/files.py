"""Tests that meet in one file: each gets a folder of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_maestro_healer.evidence.state import Change
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
        polluters = s.polluters()
        place = place_of(polluters[-1], s.ctx) if polluters else None
        if place is None or not s.steady_alone or not s.alone[0].passed:
            return
        files = [c for c in s.changes(polluters) if c.kind == "file"]
        for way in _ways(place) if files else ():
            healed = {way.path: way.data}
            if s.good(polluters, healed) and s.good(s.ctx.before(s.nodeid), healed):
                yield self._proposal(s, polluters, files[0], way, healed)
                return

    def _proposal(self, s: Study, polluters: tuple[str, ...], change: Change, way: Way, healed: dict[str, bytes]) -> Proposal:
        return Proposal(
            STRATEGY_NAME,
            self.name,
            _edits(s, healed),
            (*_order_evidence(s, polluters), Evidence("state", f"{_short(polluters[-1])} writes {change.path}", change.path, 0.7)),
            self.applicability,
            f"{_short(s.nodeid)} fails after {_list(polluters)}, which writes {change.path}: {way.how}",
            nodeids=(s.nodeid,),
            meaning=f"{change.path} is not to outlive {_list(polluters)}",
            cause_key=f"file:{change.path}",
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
