"""From what the pipeline worked with to the public record. Its sentences are redacted here, so that no report can tell a secret."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from pytest_maestro_healer.apply.ids import healing_id
from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.decide.confidence import confidence, score
from pytest_maestro_healer.decide.policy import Case, decide
from pytest_maestro_healer.edit.diff import unified
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.redact import secret_names, without_secrets
from pytest_maestro_healer.model import (
    Applicability,
    Cause,
    Decision,
    DecisionKind,
    Diagnosis,
    Failure,
    FileChange,
    HealingResult,
    Proposal,
    Verdict,
)
from pytest_maestro_healer.prove.candidates import Candidate


@dataclass
class Facts:
    """What every record needs to know about the run; ``shift(confidence, proposal=, diagnosis=)`` is what earlier heals say."""

    ctx: Context
    config: HealerConfig
    in_ci: bool = False
    now: float = field(default_factory=time.time)
    shift: Callable[..., float] | None = None


def healed(facts: Facts, c: Candidate) -> HealingResult:
    """The record of a proved candidate, with the policy's decision."""
    changes = tuple(FileChange.of(p, c.before[p], data) for p, data in sorted(c.after.items()) if c.before[p] != data)
    leaks = _leaks(changes)
    if leaks:
        told = refused(facts, c.failure, c.diagnosis, leaks, c.seconds, c.refusals, c.proposal.strategy)
        return replace(told, nodeids=tuple(dict.fromkeys(c.nodeids or told.nodeids)))
    verdict = Verdict(tuple(c.steps))
    shift = partial(facts.shift, proposal=c.proposal, diagnosis=c.diagnosis) if facts.shift is not None else None
    # a heal in steps is right only if each step is: evidence for one is none for another
    steps = c.proposals
    # where another heal stands as well, or a change of the product is suspected, the evidence for this one says less
    doubted = bool(c.ties) or c.diagnosis.cause.bars
    sure = min(confidence(p, verdict, tied=doubted, shift=shift) for p in steps)
    case = Case(
        applicability=c.proposal.applicability,
        proved=verdict.proved,
        fresh=any(s.rung == "fresh" and s.passed for s in verdict.steps),
        confidence=sure,
        cause=c.diagnosis.cause,
        symptom_only=c.symptom,
        tied=bool(c.ties),
        helper=any(facts.ctx.is_helper(ch.path) for ch in changes),
        in_ci=facts.in_ci,
        conflict=any(facts.ctx.git.unmerged(ch.path) for ch in changes) if facts.config.effective_apply != "none" else False,
        refused=verdict.failed_step.reason if verdict.failed_step else "",
        evidence=all(p.evidence for p in steps),
        unsure=c.unsure,
        score=min(score(p, verdict, tied=doubted, shift=shift) for p in steps),
    )
    decision = decide(case, facts.config)
    first = changes[0] if changes else None
    claimed = tuple(dict.fromkeys(c.nodeids or [c.failure.nodeid]))
    # parameter sets that passed all along were rerun for the proof; what is healed is what failed
    nodeids = tuple(n for n in claimed if n not in facts.ctx.passed or n == c.failure.nodeid) or claimed
    return without_secrets(
        HealingResult(
            healing_id=healing_id(c.proposal.strategy, c.proposal.tactic, changes),
            test_id=c.failure.nodeid if c.failure.nodeid in nodeids or c.failure.phase == "collect" else nodeids[0],
            strategy_used=c.proposal.strategy,
            success=decision.kind in (DecisionKind.APPLIED, DecisionKind.PENDING),
            original_code=_text(first.before_bytes) if first else "",
            healed_code=_text(first.after_bytes) if first else "",
            confidence_score=sure,
            validation_results=_by_rung(verdict),
            execution_time=round(c.seconds, 4),
            created_at=facts.now,
            diff="".join(unified(ch.path, ch.before_bytes, ch.after_bytes) for ch in changes),
            evidence=c.proposal.evidence,
            decision=decision,
            tactic=c.proposal.tactic,
            explanation=c.proposal.explanation,
            applicability=c.proposal.applicability,
            nodeids=nodeids,
            changes=changes,
            verdict=verdict,
            diagnosis=c.diagnosis,
            alternatives=tuple(c.ties),
            refused=tuple(dict.fromkeys(c.refusals)),
            collected=c.collected,
            unasked=_unasked(facts, case, changes),
        )
    )


def _unasked(facts: Facts, case: Case, changes: Sequence[FileChange]) -> str:
    """The rule by which a run that may write what is safe would write it: for doors that decide about writing themselves."""
    told = decide(replace(case, in_ci=False, conflict=False), facts.config.replace(apply="safe"))
    if told.kind is not DecisionKind.APPLIED or any(facts.ctx.git.unmerged(ch.path) for ch in changes):
        return ""
    return told.rule


def _leaks(changes: Sequence[FileChange]) -> str:
    """Why these edits may not even be shown: a live value that they write down is a secret of this machine."""
    for c in changes:
        new = set(secret_names(_text(c.after_bytes))) - set(secret_names(_text(c.before_bytes)))
        if new:
            return f"it would write the value of {', '.join(sorted(new))} into {c.path}: let the test read the variable"
    return ""


def refused(
    facts: Facts, failure: Failure, diagnosis: Diagnosis, reason: str, seconds: float = 0.0, refusals: Sequence[str] = (), strategy: str = ""
) -> HealingResult:
    """The record of a failure that was not healed."""
    if not reason:
        if diagnosis.cause is Cause.REGRESSION_SUSPECTED:
            reason = "looks like a regression" + (f" in {diagnosis.suspect}" if diagnosis.suspect else "")
        elif diagnosis.cause is Cause.TEST_CHANGED or (diagnosis.cause is Cause.ENVIRONMENT and diagnosis.reasons):
            reason = diagnosis.reasons[0]
        else:
            reason = "no candidate was proved" if refusals else "no heal is known for this"
    return without_secrets(
        HealingResult(
            healing_id=healing_id(strategy, "", (), (failure.nodeid, failure.message)),
            test_id=failure.nodeid,
            strategy_used=strategy,
            success=False,
            created_at=facts.now,
            execution_time=round(seconds, 4),
            decision=Decision(DecisionKind.REJECTED, reason),
            nodeids=(failure.nodeid,),
            diagnosis=diagnosis,
            refused=tuple(dict.fromkeys(refusals)),
        )
    )


def advised(
    facts: Facts, failure: Failure, diagnosis: Diagnosis, advice: Sequence[Proposal], refusals: Sequence[str], seconds: float
) -> HealingResult:
    """The record of a failure for which there is a precise text instead of an edit."""
    p = advice[0]
    others = tuple(dict.fromkeys(a.advice for a in advice[1:] if a.advice != p.advice))
    return without_secrets(
        HealingResult(
            healing_id=healing_id(p.strategy, p.tactic, (), (failure.nodeid, p.advice)),
            test_id=failure.nodeid,
            strategy_used=p.strategy,
            success=False,
            created_at=facts.now,
            execution_time=round(seconds, 4),
            evidence=p.evidence,
            decision=Decision(DecisionKind.ADVISED, "advice only: nothing to edit"),
            tactic=p.tactic,
            explanation=p.explanation,
            applicability=Applicability.ADVICE,
            nodeids=tuple(dict.fromkeys((failure.nodeid, *p.nodeids))),
            diagnosis=diagnosis,
            advice=p.advice,
            alternatives=others,
            refused=tuple(dict.fromkeys(refusals)),
        )
    )


def _by_rung(verdict: Verdict) -> dict[str, dict[str, object]]:
    return {
        s.rung: {"passed": s.passed, "reason": s.reason, "seconds": round(s.seconds, 4), **({"details": [*s.details]} if s.details else {})}
        for s in verdict.steps
    }


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
