"""What the history says about a candidate: where it stands in the order, and how far its confidence is shifted.

For each kind of failure (pattern) and way to heal it (strategy and tactic) a Beta posterior. Its prior is what the tactic says about its own
proposal, worth :data:`ORDER_PRIOR` observations, and for the confidence the confidence without a history, worth :data:`CONFIDENCE_PRIOR`: without
a history everything is as it is without learning. What happened to the same tactic under other patterns counts :data:`ELSEWHERE`.

Learning orders and weighs: it never sees an applicability, so it cannot raise one.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Mapping
from typing import Any

from pytest_maestro_healer.learn.tally import Key, Tally, tallies
from pytest_maestro_healer.model import Proposal

#: Observations that a tactic's own estimate is worth; chosen by tests/bench/bench_learning.py (see docs/learning.md).
ORDER_PRIOR = 4.0
#: Decisions of people that the confidence without a history is worth.
CONFIDENCE_PRIOR = 12.0
ELSEWHERE = 0.5
HIGHEST = 0.99


class Ranking:
    """Weights from the records of a history. With a ``seed`` weights are drawn from the posteriors (Thompson sampling), else they are the means.

    The same history, proposal and seed always give the same weight.
    """

    def __init__(self, entries: Iterable[Mapping[str, Any]] = (), *, seed: int | None = None) -> None:
        self._tallies = tallies(entries)
        self._seed = seed
        self._sums: dict[tuple[str, str], Tally] = {}
        for (_, strategy, tactic), tally in self._tallies.items():
            self._sums[strategy, tactic] = self._sums.get((strategy, tactic), Tally()).plus(tally)

    def __bool__(self) -> bool:
        return bool(self._tallies)

    def keys(self) -> Mapping[Key, Tally]:
        """The counts by pattern, strategy and tactic."""
        return self._tallies

    def tally(self, pattern: str, strategy: str, tactic: str) -> Tally:
        """The counts that speak for one key, those of other patterns with less weight."""
        own = self._tallies.get((pattern, strategy, tactic), Tally())
        everywhere = self._sums.get((strategy, tactic), Tally())
        return own.plus(everywhere.plus(own, -1.0), ELSEWHERE)

    def weight(self, proposal: Proposal, pattern: str) -> float:
        """How likely the candidate is to be proved and kept, 0..1: its tactic's estimate, moved by what happened here before."""
        tally = self.tally(pattern, proposal.strategy, proposal.tactic)
        prior = min(1.0, max(0.0, proposal.score))
        a, b = ORDER_PRIOR * prior + max(0.0, tally.good), ORDER_PRIOR * (1.0 - prior) + max(0.0, tally.bad)
        if self._seed is None or not self._tallies:
            return a / (a + b)
        return random.Random(self._draw(proposal, pattern)).betavariate(max(a, 1e-3), max(b, 1e-3))

    def _draw(self, proposal: Proposal, pattern: str) -> int:
        """A seed of the candidate's own, so that the order in which candidates are asked for does not matter."""
        edits = "\0".join(f"{e.path}:{e.start}:{e.end}:{e.replacement}" for e in proposal.edits)
        text = f"{self._seed}\0{pattern}\0{proposal.strategy}\0{proposal.tactic}\0{edits}"
        return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")

    def shifted(self, confidence: float, pattern: str, strategy: str, tactic: str) -> float:
        """``confidence`` moved towards how often such heals were kept here; 0 stays 0, for what is not proved has none."""
        tally = self.tally(pattern, strategy, tactic)
        kept, lost = max(0.0, tally.kept), max(0.0, tally.lost)
        if confidence <= 0.0 or kept + lost <= 0.0:
            return confidence
        value = (CONFIDENCE_PRIOR * confidence + kept) / (CONFIDENCE_PRIOR + kept + lost)
        return min(max(HIGHEST, confidence), value)
