"""How often what was tried for a kind of failure was right: counts that fade, so that the present weighs more than the past."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

#: What one event leaves of all earlier ones of its kind: about the last 50 count.
FADE = 0.98
GOOD = frozenset({"accepted", "committed"})
BAD = frozenset({"rejected", "rolled_back", "edited", "failed_again"})
#: (pattern, strategy, tactic)
Key = tuple[str, str, str]


@dataclass
class Tally:
    """``good``/``bad``: candidates that were proved and not turned down later, and all others. ``kept``/``lost``: what people decided."""

    good: float = 0.0
    bad: float = 0.0
    kept: float = 0.0
    lost: float = 0.0

    def tried(self, good: bool) -> None:
        """One more candidate."""
        self.good = self.good * FADE + good
        self.bad = self.bad * FADE + (not good)

    def decided(self, kept: bool) -> None:
        """One more decision."""
        self.kept = self.kept * FADE + kept
        self.lost = self.lost * FADE + (not kept)

    def plus(self, other: Tally, share: float = 1.0) -> Tally:
        """The sum, with only a ``share`` of the other."""
        return Tally(*(a + share * b for a, b in zip(self.numbers(), other.numbers(), strict=True)))

    def numbers(self) -> tuple[float, float, float, float]:
        """All four."""
        return self.good, self.bad, self.kept, self.lost

    def rounded(self) -> dict[str, float]:
        """For a record."""
        return {name: round(value, 4) for name, value in zip(("good", "bad", "kept", "lost"), self.numbers(), strict=True)}


def final(entries: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Healing id -> the last thing that became of it."""
    return {e["id"]: e["what"] for e in entries if e["t"] == "outcome" and e["what"] in GOOD | BAD}


def tallies(entries: Iterable[Mapping[str, Any]]) -> dict[Key, Tally]:
    """The counts of all records, oldest first. A candidate that was proposed in ten runs until somebody decided is one candidate."""
    entries = list(entries)
    became = final(entries)
    out: dict[Key, Tally] = {}
    seen: set[tuple[str, bool]] = set()
    known = {e["id"] for e in entries if e["t"] == "attempt"}
    for e in entries:
        if e["t"] not in ("attempt", "outcome", "tally"):
            continue
        tally = out.setdefault((e["pattern"], e["strategy"], e["tactic"]), Tally())
        if e["t"] == "tally":
            sums = tally.plus(Tally(*(max(0.0, float(e[k])) for k in ("good", "bad", "kept", "lost"))))
            tally.good, tally.bad, tally.kept, tally.lost = sums.numbers()
            continue
        what = became.get(e["id"], "")
        if e["t"] == "attempt":
            proved = e["result"] == "proved"
            if proved and e["decision"] == "rejected":
                continue  # it would have hidden a regression: neither right nor wrong
            if (e["id"], proved) not in seen:
                seen.add((e["id"], proved))
                tally.tried(proved and what not in BAD)
                if proved and what:
                    tally.decided(what in GOOD)
        elif e["id"] not in known and what == e["what"] and (e["id"], True) not in seen:  # its attempt was folded
            seen.add((e["id"], True))
            tally.decided(what in GOOD)
    return out
