"""Proposals and advice of this strategy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Evidence, Failure, Proof, Proposal
from pytest_maestro_healer.strategies.environment_healing.writer import Writer

STRATEGY = "timing_adjustment"


def proposal(
    tactic: str,
    group: Sequence[Failure],
    ctx: Context,
    writer: Writer,
    *,
    evidence: Iterable[Evidence],
    explanation: str,
    meaning: str,
    safe: bool,
    score: float,
    proof: Proof | None = None,
) -> Proposal | None:
    """The proposal with what ``writer`` changes; ``None`` where that does not fit."""
    try:
        edits = writer.edits()
    except EditError:
        return None
    if not edits:
        return None
    applicability = Applicability.SAFE if safe and not ctx.is_helper(writer.src.path) else Applicability.REVIEW
    nodeids = tuple(dict.fromkeys(f.nodeid for f in group))
    key = f"{tactic}:{writer.src.path}:{edits[0].start}"
    return Proposal(STRATEGY, tactic, edits, tuple(evidence), applicability, explanation, nodeids, meaning, key, "", score, proof)


def advice(tactic: str, failure: Failure, text: str, evidence: Iterable[Evidence]) -> Proposal:
    """A precise text without an edit."""
    key = f"{tactic}:{failure.nodeid}"
    return Proposal(STRATEGY, tactic, (), tuple(evidence), Applicability.ADVICE, text, (failure.nodeid,), "", key, text, 0.3)
