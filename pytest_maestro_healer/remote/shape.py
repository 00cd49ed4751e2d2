"""The engine's results as answers about the given code."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from pytest_maestro_healer.apply.merge import rebase
from pytest_maestro_healer.edit.diff import unified
from pytest_maestro_healer.model import Decision, DecisionKind, Failure, FileChange, HealingResult
from pytest_maestro_healer.remote.job import Answer
from pytest_maestro_healer.remote.place import Place

NOT_A_FILE = "not written: the given code is not the content of a file"
_ALIKE = 0.2


def shaped(place: Place, failure: Failure, live: Answer, others: int, apply: bool, seconds: float, like: float = 1.0) -> HealingResult:
    """The answer about ``failure``: what the engine found for it, with ``original_code`` and ``healed_code`` those of the given code.

    A heal of the file's collection and one of the test itself, where both were needed, are one answer. ``others`` more failures were seen;
    ``like`` says how much this one is like the one that was reported.
    """
    mine = live.heals(failure)
    if not mine:
        from pytest_maestro_healer.remote.engine import unhealed

        reason = next(iter(live.report.notes), "the engine did not look at this failure")
        result = unhealed(failure.nodeid, reason, failure.message)
    else:
        result = _joined(mine) if len(mine) > 1 else mine[0]
    if result.decision.kind is DecisionKind.PENDING and not apply:
        result = dataclasses.replace(result, decision=Decision(DecisionKind.PENDING, _unwritten(place, result)))
    change = next((c for c in result.changes if c.path == place.path), None)
    healed = place.code(change.after_bytes) if change is not None and result.success else place.given
    first = failure.message.strip().splitlines() or [""]
    proof: dict[str, Any] = {
        **result.validation_results,
        "source": "live",
        "reproduced": True,
        "reason": result.decision.rule,
        "failure": f"{failure.exc_type}: {first[0][:500]}" if first[0] else failure.exc_type,
        "refused": list(result.refused),
        "notes": list(live.report.notes),
    }
    if result.diagnosis is not None:
        proof["diagnosis"] = result.diagnosis.to_dict()
    if like < _ALIKE:
        proof["notes"].append(f"it fails in another way than reported: {proof['failure']}")
    if others:
        proof["other_failures"] = others
    if change is not None and not place.whole and _elsewhere(place, change, healed):
        proof["notes"].append("the heal also changes the file outside of the given code: see diff")
    return dataclasses.replace(result, original_code=place.given, healed_code=healed, validation_results=proof, execution_time=seconds)


def _unwritten(place: Place, result: HealingResult) -> str:
    return result.decision.rule if place.kind == "disk" and place.whole else NOT_A_FILE


def _joined(results: Sequence[HealingResult]) -> HealingResult:
    """Results that build on each other, as one: as sure as the least sure of them."""
    last = results[-1]
    steps = [r for r in results if r.success and r.changes]
    if not last.success or len(steps) < 2:
        return last
    before: dict[str, bytes] = {}
    after: dict[str, bytes] = {}
    for r in steps:
        for c in r.changes:
            if c.path not in after:
                before[c.path], after[c.path] = c.before_bytes, c.after_bytes
            else:
                merged = rebase(c.before_bytes, c.after_bytes, after[c.path])
                after[c.path] = c.after_bytes if merged is None else merged
    changes = tuple(FileChange.of(p, before[p], after[p]) for p in sorted(after))
    return dataclasses.replace(
        last,
        changes=changes,
        diff="".join(unified(c.path, c.before_bytes, c.after_bytes) for c in changes),
        confidence_score=min(r.confidence_score for r in steps),
        evidence=tuple(dict.fromkeys(e for r in steps for e in r.evidence)),
        explanation="; then ".join(dict.fromkeys(r.explanation for r in steps if r.explanation)),
        tactic="+".join(dict.fromkeys(r.tactic for r in steps if r.tactic)),
        decision=last.decision if all(r.decision.kind is last.decision.kind for r in steps) else Decision(DecisionKind.PENDING, "a part of it waits"),
        unasked=last.unasked if all(r.unasked for r in steps) else "",
    )


def _elsewhere(place: Place, change: FileChange, healed: str) -> bool:
    """Whether more lines differ in the file than in the given part."""

    def differing(old: str, new: str) -> int:
        rows = unified("x", old.encode("utf-8", "surrogateescape"), new.encode("utf-8", "surrogateescape")).splitlines()
        return sum(r[:1] in ("+", "-") and not r.startswith(("+++", "---")) for r in rows)

    whole = differing(change.before, change.after)
    return whole > differing(place.given.rstrip("\r\n") + "\n", healed.rstrip("\r\n") + "\n")
