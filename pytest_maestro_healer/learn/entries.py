"""The records of the history: how each is made, what a readable one has, and how old ones are folded.

``attempt``: a candidate that was guarded and perhaps proved, with its features and the decision. ``outcome``: what became of a heal
later. ``green``: which tests were seen passing at a commit (:mod:`pytest_maestro_healer.learn.green`). ``tally``: folded attempts and outcomes
(:mod:`pytest_maestro_healer.learn.tally`). Records hold names and numbers, no source code; every text in them is redacted.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pytest_maestro_healer.evidence.redact import redacted
from pytest_maestro_healer.evidence.weight import strength
from pytest_maestro_healer.learn.green import fold
from pytest_maestro_healer.learn.tally import tallies
from pytest_maestro_healer.learn.traces import PYTHON, traces
from pytest_maestro_healer.model import Diagnosis, HealingResult, Proposal

Entry = dict[str, Any]
#: Attempts kept one by one when the file is folded.
KEEP_ATTEMPTS = 1000
_MOST_TESTS = 20
OUTCOMES = ("accepted", "committed", "rejected", "rolled_back", "edited", "failed_again")
_TEXTS: Mapping[str, tuple[str, ...]] = {
    "attempt": ("id", "strategy", "tactic", "pattern", "cause", "result", "decision"),
    "outcome": ("id", "what", "strategy", "tactic", "pattern"),
    "green": ("c", "k"),
    "tally": ("strategy", "tactic", "pattern"),
}
_NUMBERS: Mapping[str, tuple[str, ...]] = {"tally": ("good", "bad", "kept", "lost"), "attempt": ("confidence", "strength", "size")}


def stamp() -> float:
    """Seconds since the epoch, as records have them."""
    return round(time.time(), 3)


def candidate_id(proposal: Proposal) -> str:
    """A short name for a candidate that got no healing id, the same when the same edits are tried again."""
    digest = hashlib.sha256(f"{proposal.strategy}\0{proposal.tactic}\0".encode())
    for e in proposal.edits:
        digest.update(f"{e.path}\0{e.sha256}\0{e.start}\0{e.end}\0{e.replacement}\0".encode("utf-8", "surrogatepass"))
    return f"c-{digest.hexdigest()[:10]}"


def tried(proposal: Proposal, diagnosis: Diagnosis, nodeid: str, result: str, at: float) -> Entry:
    """A candidate that was not proved: ``result`` is ``guard`` (refused by it) or ``failed``."""
    return redacted(  # type: ignore[no-any-return]
        {
            "t": "attempt",
            "at": at,
            "id": candidate_id(proposal),
            "tests": [nodeid],
            "strategy": proposal.strategy,
            "tactic": proposal.tactic,
            "pattern": str(diagnosis.pattern),
            "cause": str(diagnosis.cause),
            "kinds": sorted({e.kind for e in proposal.evidence}),
            "strength": round(strength(proposal.evidence), 3),
            "size": sum(len(e.replacement) + e.end - e.start for e in proposal.edits),
            "result": result,
            "decision": "",
            "confidence": 0.0,
        }
    )


def attempt(result: HealingResult, at: float) -> Entry:
    """A proved candidate with what was decided about it."""
    d = result.diagnosis
    return redacted(  # type: ignore[no-any-return]
        {
            "t": "attempt",
            "at": at,
            "id": result.healing_id,
            "tests": list(result.nodeids[:_MOST_TESTS]),
            "count": len(result.nodeids),
            "strategy": result.strategy_used,
            "tactic": result.tactic,
            "pattern": str(d.pattern) if d else "unknown",
            "cause": str(d.cause) if d else "unknown",
            "kinds": sorted({e.kind for e in result.evidence}),
            "strength": round(strength(result.evidence), 3),
            "size": _changed(result),
            "steps": {s.rung: s.passed for s in result.verdict.steps},
            "seconds": result.execution_time,
            "files": list(result.files[:_MOST_TESTS]),
            "traces": traces(result.changes),
            "python": PYTHON,
            "result": "proved" if result.verdict.proved else "failed",
            "decision": str(result.decision.kind),
            "rule": result.decision.rule[:200],
            "confidence": result.confidence_score,
        }
    )


def outcome(healing_id: str, what: str, strategy: str, tactic: str, pattern: str, at: float) -> Entry:
    """What became of a heal: one of :data:`OUTCOMES`."""
    return {"t": "outcome", "at": at, "id": healing_id, "what": what, "strategy": strategy, "tactic": tactic, "pattern": pattern}


def outcome_of(result: HealingResult, what: str, at: float) -> Entry:
    """The same for a heal whose record is at hand."""
    pattern = str(result.diagnosis.pattern) if result.diagnosis else "unknown"
    return outcome(result.healing_id, what, result.strategy_used, result.tactic, pattern, at)


def _changed(result: HealingResult) -> int:
    lines = [ln for ln in result.diff.splitlines() if ln[:1] in "+-" and ln[:3] not in ("+++", "---")]
    return sum(len(ln) - 1 for ln in lines)


# -- reading -------------------------------------------------------------------------------------------------
def valid(entry: Entry) -> bool:
    """Whether a record of a known kind has what readers rely on; records of other kinds are kept and not looked at."""
    kind = entry.get("t")
    if not isinstance(kind, str):
        return False
    if not number(entry.get("at", 0.0)):
        return False
    if not all(isinstance(entry.get(k), str) for k in _TEXTS.get(kind, ())):
        return False
    if not all(number(entry.get(k)) for k in _NUMBERS.get(kind, ())):
        return False
    if kind == "attempt":
        return _texts(entry.get("tests")) and isinstance(entry.get("traces", {}), dict) and all(_texts(v) for v in entry.get("traces", {}).values())
    if kind == "green" and "m" in entry:
        m = entry["m"]
        return isinstance(m, dict) and _texts(m.get("all", [])) and _table(m.get("but", {})) and _table(m.get("some", {}))
    return True


def number(value: object) -> bool:
    """Whether ``value`` is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e18 and math.isfinite(value)


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) for v in value)


def _table(value: object) -> bool:
    return isinstance(value, dict) and all(_texts(v) for v in value.values())


# -- folding and merging -------------------------------------------------------------------------------------
def folded(entries: Sequence[Entry], keep: int = KEEP_ATTEMPTS) -> list[Entry]:
    """The records with the oldest attempts summed up and only the newest green commit of each test; same answers, less text."""
    attempts = [e for e in entries if e["t"] == "attempt"]
    old = {id(e) for e in attempts[: max(0, len(attempts) - keep)]}
    kept_ids = {e["id"] for e in attempts if id(e) not in old}
    past = [e for e in entries if id(e) in old and e["id"] not in kept_ids]
    past += [e for e in entries if e["t"] == "tally" or (e["t"] == "outcome" and e["id"] not in kept_ids)]
    sums = [
        {"t": "tally", "at": _newest(past), "strategy": s, "tactic": t, "pattern": p, **tally.rounded()}
        for (p, s, t), tally in sorted(tallies(past).items())
    ]
    rest = [e for e in entries if e["t"] not in ("attempt", "outcome", "tally", "green")]
    rest += [e for e in entries if e["t"] in ("attempt", "outcome") and id(e) not in old and e["id"] in kept_ids]
    return [*sums, *fold([e for e in entries if e["t"] == "green"]), *sorted(rest, key=lambda e: float(e.get("at", 0.0)))]


def _newest(entries: Iterable[Entry]) -> float:
    return max((float(e.get("at", 0.0)) for e in entries), default=0.0)


def merged(*parts: Sequence[Entry]) -> list[Entry]:
    """The records of several histories (shards of a CI run, say) in the order of their time, each once."""
    seen: set[str] = set()
    out = []
    for e in sorted((e for part in parts for e in part), key=lambda e: (e["t"] != "tally", float(e.get("at", 0.0)))):
        key = json.dumps(e, sort_keys=True)
        if key not in seen:
            seen.add(key)
            out.append(e)
    return out
