"""How sure a heal is: an evidence score, and what it turned out to be worth.

The score adds up the proof and the evidence; its numbers are priors. The confidence is the share of heals with such a score that were right, by the
shipped curve of :mod:`pytest_maestro_healer.decide.calibration`. Learning shifts both, and never an applicability.
"""

from __future__ import annotations

from collections.abc import Callable

from pytest_maestro_healer.decide import calibration
from pytest_maestro_healer.evidence.weight import strength
from pytest_maestro_healer.model import Applicability, Proposal, Verdict

HIGHEST = 0.99


def score(proposal: Proposal, verdict: Verdict, *, tied: bool = False, shift: Callable[[float], float] | None = None) -> float:
    """0..1; 0 for what is not proved.

    A proved heal starts from the strength of its evidence. Every rung that was not run, a tie between meanings, and a tactic whose edits
    are for review (their intent cannot be proved by running tests) lower it; so does, as a
    tie does, a suspected regression. ``shift`` moves it by what became of such heals in this project.
    """
    return _moved(_evidence(proposal, verdict), tied, shift)


def confidence(proposal: Proposal, verdict: Verdict, *, tied: bool = False, shift: Callable[[float], float] | None = None) -> float:
    """The probability that the heal is the one a maintainer would accept, 0 for what is not proved; ``tied`` and ``shift`` as for :func:`score`."""
    value = _evidence(proposal, verdict)
    curve = calibration.load()
    if value > 0.0 and curve is not None:
        value = curve.probability(value, proposal.strategy)
    return _moved(value, tied, shift)


def _evidence(proposal: Proposal, verdict: Verdict) -> float:
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
    return value


def _moved(value: float, tied: bool, shift: Callable[[float], float] | None) -> float:
    if value <= 0.0:
        return 0.0
    if shift is not None:
        value = shift(value)
    if tied:
        value *= 0.6
    return round(max(0.0, min(HIGHEST, value)), 3)
