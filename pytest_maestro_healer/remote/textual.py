"""What can be proposed for a failure that cannot be reproduced: the same strategies and guards, no run, and so little confidence.

``python -m pytest_maestro_healer.remote.textual JOB`` in a process of its own, since evidence may import the project's modules.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_maestro_healer.apply.ids import healing_id
from pytest_maestro_healer.capture.text import Report, failure_from_text
from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.diagnose.verdict import preliminary
from pytest_maestro_healer.edit.diff import unified
from pytest_maestro_healer.edit.guards import check_proposal
from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.evidence.redact import without_secrets
from pytest_maestro_healer.evidence.weight import strength
from pytest_maestro_healer.model import (
    Applicability,
    Cause,
    Decision,
    DecisionKind,
    Diagnosis,
    Failure,
    FailurePattern,
    FileChange,
    HealingResult,
    ProofStep,
    Proposal,
    Verdict,
)
from pytest_maestro_healer.prove.candidates import order
from pytest_maestro_healer.records import Facts, advised, refused
from pytest_maestro_healer.strategies import load
from pytest_maestro_healer.strategies.base import Strategy

#: The most that a heal without a run can claim: an expectation that was changed may hide a bug, a cause can at least be looked up.
CAP = 0.45
CAP_EXPECTATION = 0.25
PER_TACTIC = 6
NOT_RUN = "not run: the failure could not be reproduced, this heal is from its text alone"


def heal_text(files: ProjectFiles, path: str, report: Report, nodeid: str, function: str, config: HealerConfig, passes: bool) -> HealingResult:
    """The result for the failure that ``report`` speaks of, in the test file ``path`` of ``files``.

    With ``passes`` the test passes as it is: only what lets a test fail now and then may be the cause.
    """
    began = time.perf_counter()
    source = SourceFile(path, files.read(path) or b"")
    failure = failure_from_text(report, source, nodeid, function)
    ctx = Context(files.root, config, failures=(failure,), collected=(nodeid,), files=files)
    facts = Facts(ctx, config.replace(apply="none"))
    diagnosis = preliminary(failure)
    if passes and diagnosis.asked not in (FailurePattern.TIMEOUT, FailurePattern.ENVIRONMENT_ISSUE):
        diagnosis = Diagnosis(FailurePattern.FLAKY_BEHAVIOR, 0.8, Cause.FLAKY, ("the test passes here as it is",))
    refusals: list[str] = []
    advice: list[Proposal] = []
    strategies = load(config.strategies, config.exclude_strategies)
    symptoms = frozenset(s.name for s in strategies if s.symptom)
    found = order(_asked(strategies, failure, diagnosis, ctx, advice, refusals), symptoms)
    good = _guarded(found[: config.max_attempts], ctx, refusals)
    if good:
        return _offered(good, failure, diagnosis, ctx, facts, symptoms, refusals, time.perf_counter() - began)
    if advice:
        return advised(facts, failure, diagnosis, advice, refusals, time.perf_counter() - began)
    reason = (
        "the test passes here as it is: there is nothing to heal" if passes else "the failure could not be reproduced, and its text shows no heal"
    )
    return refused(facts, failure, diagnosis, reason, time.perf_counter() - began, refusals)


def _asked(
    strategies: Sequence[Strategy], failure: Failure, diagnosis: Diagnosis, ctx: Context, advice: list[Proposal], refusals: list[str]
) -> list[Proposal]:
    out: list[Proposal] = []
    for strategy in strategies:
        for tactic in strategy.tactics:
            try:
                if tactic.answers(failure, diagnosis):
                    out += [p for p, _ in zip(tactic.propose(failure, ctx), range(PER_TACTIC), strict=False)]
            except Exception as exc:  # a text may lack what a tactic relies on
                refusals.append(f"{strategy.name}/{tactic.name} raised {type(exc).__name__}: {exc}; it was left out")
    advice += [p for p in out if not p.edits]
    # what has to be proved under conditions is nothing without them
    return [p for p in out if p.edits and p.proof is None]


def _guarded(found: Sequence[Proposal], ctx: Context, refusals: list[str]) -> list[tuple[Proposal, dict[str, SourceFile]]]:
    good = []
    for proposal in found:
        outside = next((why for e in proposal.edits if (why := ctx.config.out_of_scope(e.path))), "")
        reasons = [outside] if outside else check_proposal(proposal, ctx)
        after = {} if reasons else {p: (ctx.source(p) or SourceFile(p, b"")).with_edits(proposal.edits) for p in {e.path for e in proposal.edits}}
        reasons += [f"{p} does not parse after the edit: {s.syntax_error}" for p, s in after.items() if p.endswith(".py") and s.tree is None]
        if reasons:
            refusals.append(f"{proposal.tactic}: {'; '.join(reasons)}")
        else:
            good.append((proposal, after))
    return good


def _offered(
    good: Sequence[tuple[Proposal, dict[str, SourceFile]]],
    failure: Failure,
    diagnosis: Diagnosis,
    ctx: Context,
    facts: Facts,
    symptoms: frozenset[str],
    refusals: Sequence[str],
    seconds: float,
) -> HealingResult:
    proposal, after = good[0]
    changes = tuple(FileChange.of(p, (ctx.source(p) or s).data, s.data) for p, s in sorted(after.items()))
    sure = min(CAP_EXPECTATION if proposal.strategy in symptoms else CAP, 0.5 * strength(proposal.evidence))
    sure *= 0.6 if len(good) > 1 else 1.0
    verdict = Verdict((ProofStep("guard", True), ProofStep("parse", True), ProofStep("rerun", None, NOT_RUN)))
    return without_secrets(
        HealingResult(
            healing_id=healing_id(proposal.strategy, proposal.tactic, changes),
            test_id=failure.nodeid,
            strategy_used=proposal.strategy,
            success=True,
            confidence_score=round(sure, 3),
            validation_results={s.rung: {"passed": s.passed, "reason": s.reason, "seconds": 0.0} for s in verdict.steps},
            execution_time=round(seconds, 4),
            created_at=facts.now,
            diff="".join(unified(c.path, c.before_bytes, c.after_bytes) for c in changes),
            evidence=proposal.evidence,
            decision=Decision(DecisionKind.PENDING, NOT_RUN),
            tactic=proposal.tactic,
            explanation=proposal.explanation,
            applicability=Applicability.REVIEW,
            nodeids=(failure.nodeid,),
            changes=changes,
            verdict=verdict,
            diagnosis=diagnosis,
            alternatives=tuple(dict.fromkeys(p.meaning or p.explanation for p, _ in good[1:])),
            refused=tuple(dict.fromkeys(refusals)),
        )
    )


def main(argv: Sequence[str]) -> int:
    """Read the job file named by the argument, write the result where it says."""
    job: dict[str, Any] = json.loads(Path(argv[1]).read_text(encoding="utf-8"))
    files = ProjectFiles(Path(job["root"]), collected_files=[job["path"]])
    files.overlay[job["path"]] = str(job["code"]).encode("latin-1")
    config = HealerConfig(strategies=tuple(job["strategies"]), exclude_strategies=tuple(job["exclude"]), max_attempts=int(job["max_attempts"]))
    results = [heal_text(files, job["path"], Report(**r["report"]), r["nodeid"], r["function"], config, r["passes"]) for r in job["reports"]]
    Path(job["out"]).write_text(json.dumps([dataclasses.replace(r).to_dict() for r in results], default=repr), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
