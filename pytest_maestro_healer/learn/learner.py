"""What one healing phase asks the history and tells it: read once when first asked, written once at the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

from pytest_maestro_healer.learn.entries import Entry, attempt, outcome, stamp, tried
from pytest_maestro_healer.learn.green import Greens
from pytest_maestro_healer.learn.history import History
from pytest_maestro_healer.learn.ranking import Ranking
from pytest_maestro_healer.learn.tally import final
from pytest_maestro_healer.model import Diagnosis, Failure, HealingResult, Proposal

#: Became of a heal when somebody took it.
_TAKEN = frozenset({"accepted", "committed"})


class Learner:
    """The history's side of one run. With a disabled history it knows nothing, and nothing is read or written."""

    def __init__(self, history: History, *, seed: int | None = None) -> None:
        self.history = history
        self._seed = seed
        self._tried: dict[tuple[str, str], Entry] = {}

    @cached_property
    def entries(self) -> list[Entry]:
        """The records as they were when this run first asked."""
        return self.history.entries()

    @cached_property
    def ranking(self) -> Ranking:
        """What they say about candidates."""
        return Ranking(self.entries, seed=self._seed)

    @cached_property
    def _greens(self) -> Greens:
        return Greens([e for e in self.entries if e["t"] == "green"])

    def green_commits(self, nodeid: str) -> Iterable[str]:
        """The commits at which ``nodeid`` was seen passing, newest first."""
        return self._greens.commits(nodeid)

    # -- asked by the pipeline -----------------------------------------------------------------------------
    def weight(self, proposal: Proposal, diagnosis: Diagnosis) -> float:
        """Where the candidate stands among its rivals, 0..1."""
        return self.ranking.weight(proposal, str(diagnosis.pattern))

    def shifted(self, confidence: float, proposal: Proposal, diagnosis: Diagnosis) -> float:
        """The confidence with what became of such heals here before."""
        return self.ranking.shifted(confidence, str(diagnosis.pattern), proposal.strategy, proposal.tactic)

    def failed(self, failure: Failure, diagnosis: Diagnosis, proposal: Proposal, result: str) -> None:
        """A candidate was refused by the ``guard`` or ``failed`` in the proof; kept until :meth:`finish`."""
        if self.history.enabled:
            entry = tried(proposal, diagnosis, failure.nodeid, result, stamp())
            self._tried.setdefault((entry["id"], result), entry)

    # -- told at the end -----------------------------------------------------------------------------------
    def finish(self, results: Sequence[HealingResult], failures: Iterable[Failure] = ()) -> None:
        """Record the run: proved and failed candidates that are not on record yet, and taken heals whose tests fail again."""
        if not self.history.enabled:
            return
        at = stamp()
        known = {(e["id"], e["result"], e["decision"]) for e in self.entries if e["t"] == "attempt"}
        proved = [attempt(r, at) for r in results if r.strategy_used and r.changes]
        new = [e for e in (*self._tried.values(), *proved) if (e["id"], e["result"], e["decision"]) not in known]
        again = self._failed_again({f.nodeid for f in failures}, {r.nodeids[0]: r for r in results if r.nodeids}, at)
        self.history.append([*new, *again])

    def _failed_again(self, failing: set[str], results: dict[str, HealingResult], at: float) -> list[Entry]:
        """Heals that were taken and whose test now fails in the same way: the same pattern, healed by the same tactic or not at all."""
        became = final(self.entries)
        newest: dict[str, Entry] = {}
        for e in self.entries:
            if e["t"] != "attempt" or e["result"] != "proved":
                continue
            if became.get(e["id"]) in _TAKEN or (e["decision"] == "applied" and e["id"] not in became):
                newest.update(dict.fromkeys(e["tests"], e))
        out: dict[str, Entry] = {}
        for nodeid in failing & newest.keys():
            e, now = newest[nodeid], results.get(nodeid)
            same = now is not None and now.diagnosis is not None and str(now.diagnosis.pattern) == e["pattern"] and now.tactic in ("", e["tactic"])
            if same and now is not None and now.healing_id != e["id"]:
                out[e["id"]] = outcome(e["id"], "failed_again", e["strategy"], e["tactic"], e["pattern"], at)
        return list(out.values())
