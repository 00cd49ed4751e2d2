"""How sure a heal is. The numbers are priors from the proof and the evidence; learning shifts them, and never an applicability."""

from __future__ import annotations

from collections.abc import Callable

from pytest_maestro_healer.evidence.weight import strength
from pytest_maestro_healer.model import Applicability, Proposal, Verdict


def confidence(proposal: Proposal, verdict: Verdict, *, tied: bool = False, shift: Callable[[float], float] | None = None) -> float:
    """0..1; 0 for what is not proved.

    A proved heal starts from the strength of its evidence. Every rung that was not run, a tie between meanings, and a tactic whose edits
    are for review (their intent cannot be proved by running tests) lower it. ``shift`` moves it by what became of such heals in this project.
    """
    if not verdict.proved:
        return 0.0
    value = 0.35 + 0.63 * strength(proposal.evidence)
    rungs = {s.rung for s in verdict.steps if s.passed}
    if "stable" not in rungs:
        value *= 0.95
    if "fresh" not in rungs:
        value *= 0.95
    if proposal.applicability is not Applicability.SAFE:
        value *= 0.85
    if shift is not None:
        value = shift(value)
    if tied:
        value *= 0.6
    return round(max(0.0, min(0.99, value)), 3)
