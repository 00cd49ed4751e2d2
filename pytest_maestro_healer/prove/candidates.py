"""Candidates compete: how they are ordered, when two are rivals, and when a test that still fails got further."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pytest_maestro_healer.evidence.weight import strength
from pytest_maestro_healer.model import Applicability, Diagnosis, Failure, FailurePattern, ProofStep, Proposal

#: Two strengths of evidence closer than this do not decide between meanings.
TIE = 0.08
_PHASES = {"collect": 0, "setup": 1, "call": 2, "teardown": 3}
_APPLICABILITY = {Applicability.SAFE: 0, Applicability.REVIEW: 1, Applicability.ADVICE: 2}


@dataclass(frozen=True)
class Link:
    """One step of a heal: the failure that it answers, what was proposed, and the healed bytes of earlier steps (``ground``)."""

    failure: Failure
    proposal: Proposal
    ground: Mapping[str, bytes]
    symptom: bool = False


@dataclass
class Candidate:
    """A proposal on its way through the proof, with the files before (as on disk) and after (with everything it builds on).

    ``links`` are its steps, more than one where a follow-up was needed: it is right only if each of them is. ``ground`` is the accepted heal
    on top of which it was proved, if there is one. ``rivals`` are the heals that made a file collectable as well as this one did.
    """

    failure: Failure
    proposal: Proposal
    before: dict[str, bytes]
    after: dict[str, bytes]
    guard: ProofStep = field(default_factory=lambda: ProofStep("guard", True))
    symptom: bool = False
    nodeids: list[str] = field(default_factory=list)
    left: Mapping[str, Failure | None] = field(default_factory=dict)
    steps: list[ProofStep] = field(default_factory=list)
    diagnosis: Diagnosis = field(default_factory=lambda: Diagnosis(FailurePattern.UNKNOWN, 0.0))
    ties: list[str] = field(default_factory=list)
    #: Why it cannot be told whether the product is at fault, where that was asked in vain.
    unsure: str = ""
    refusals: list[str] = field(default_factory=list)
    seconds: float = 0.0
    collected: bool = False
    links: tuple[Link, ...] = ()
    ground: Candidate | None = None
    rivals: list[Candidate] = field(default_factory=list)

    @property
    def proposals(self) -> list[Proposal]:
        """What was proposed, step by step."""
        return [link.proposal for link in self.links] or [self.proposal]


def size(proposal: Proposal) -> int:
    """Characters written and removed."""
    return sum(len(e.replacement) + e.end - e.start for e in proposal.edits)


def order(proposals: Iterable[Proposal], symptoms: frozenset[str], weight: Callable[[Proposal], float] = lambda p: p.score) -> list[Proposal]:
    """The order in which candidates are tried: causes before symptoms, then by ``weight`` (the tactic's own estimate); equal edits once."""
    seen: set[tuple[object, ...]] = set()
    out = []
    for p in sorted(proposals, key=lambda p: (p.strategy in symptoms, -weight(p), -strength(p.evidence), size(p))):
        if p.edits not in seen:
            seen.add(p.edits)
            out.append(p)
    return out


def sure(of: Proposal | Candidate) -> float:
    """The strength of the evidence. A heal in steps is right only if each of them is: facts for one step are none for another."""
    return min(strength(p.evidence) for p in (of.proposals if isinstance(of, Candidate) else [of]))


def rank(of: Proposal | Candidate, symptoms: frozenset[str]) -> tuple[float, ...]:
    """Sort key of proven candidates: cause, evidence, smallness."""
    p = _proposal(of)
    return (_follows(of, symptoms), -round(sure(of), 2), _APPLICABILITY[p.applicability], size(p))


def rivals(best: Proposal | Candidate, other: Proposal | Candidate, symptoms: frozenset[str]) -> bool:
    """Whether ``other``, if proved too, would be a tie with ``best`` or beat it: another meaning, evidence about as good."""
    if _follows(other, symptoms) != _follows(best, symptoms):
        return _follows(best, symptoms)
    if _proposal(other).meaning and _proposal(other).meaning == _proposal(best).meaning:
        return False
    return sure(other) > sure(best) - TIE


def _proposal(of: Proposal | Candidate) -> Proposal:
    return of.proposal if isinstance(of, Candidate) else of


def _follows(of: Proposal | Candidate, symptoms: frozenset[str]) -> bool:
    """Whether it changes what is expected, in one of its steps at least."""
    return of.symptom or of.proposal.strategy in symptoms if isinstance(of, Candidate) else of.strategy in symptoms


def progressed(old: Failure, new: Failure, grown: int = 0) -> bool:
    """Whether a test that still fails got further than before; ``grown`` is how many lines the edit added to its file."""
    if _PHASES[new.phase] != _PHASES[old.phase]:
        return _PHASES[new.phase] > _PHASES[old.phase]
    if new.exc_type != old.exc_type:
        return _other_kind(old, new, grown)
    if old.is_a("SyntaxError"):
        return int(new.exc_attrs.get("lineno") or 0) > int(old.exc_attrs.get("lineno") or 0) or new.path != old.path
    if new.statement != old.statement:
        before, after = old.location, new.location
        if before and after and (after.path, after.line, new.message) == (before.path, before.line + max(0, grown), old.message):
            return False  # the edit changed the statement's words, and nothing came of it
        # lines shift with an edit above them, statements do not; going back to an earlier line is no progress
        return not (before and after and before.path == after.path and after.line < before.line + min(0, grown))
    if old.location and new.location and old.location.path == new.location.path and new.location.line > old.location.line + max(0, grown):
        return True  # the same words again, further down
    return new.message != old.message and not old.is_a("AssertionError")


def _other_kind(old: Failure, new: Failure, grown: int) -> bool:
    """Another exception is progress where the test came at least as far, and the edit itself did not bring it in."""
    before, after = old.location, new.location
    if before is None or after is None or before.path != after.path:
        return True
    if old.is_a("SyntaxError"):
        return True  # the file parses now
    if new.is_a("SyntaxError") or after.line < before.line + min(0, grown):
        return False
    if new.statement != old.statement:
        return True
    # within one statement names are found before anything is called, and all is called before it is compared
    return not new.is_a("NameError") and (new.is_a("AssertionError") or not old.is_a("AssertionError"))


def chained(first: Candidate, rest: Candidate) -> Candidate:
    """One candidate out of a heal and the follow-up that it needed."""
    a, b = first.proposal, rest.proposal
    applicability = max((a.applicability, b.applicability), key=lambda x: _APPLICABILITY[x])
    proposal = dataclasses.replace(
        a,
        strategy=a.strategy,
        tactic=a.tactic if a.tactic == b.tactic else f"{a.tactic}+{b.tactic}",
        evidence=tuple(dict.fromkeys((*a.evidence, *b.evidence))),
        applicability=applicability,
        explanation=a.explanation if a.explanation == b.explanation else f"{a.explanation}; then {b.explanation}",
        meaning="; ".join(dict.fromkeys(m for m in (a.meaning, b.meaning) if m)),
        edits=(*a.edits, *b.edits),
        cause_key=f"{a.cause_key}+{b.cause_key}" if a.cause_key and b.cause_key else "",
        nodeids=tuple(dict.fromkeys((*a.nodeids, *b.nodeids))),
    )
    before = {**rest.before, **first.before}
    return Candidate(
        first.failure,
        proposal,
        before,
        rest.after,
        guard=first.guard,
        symptom=first.symptom or rest.symptom,
        left=rest.left,
        refusals=rest.refusals,
        links=(*first.links, *rest.links),
    )


def same_code(a: Candidate, b: Candidate) -> bool:
    """Whether two candidates differ in layout only."""
    if a.after.keys() != b.after.keys():
        return False
    return all(a.after[p] == b.after[p] or (p.endswith(".py") and _tree(a.after[p]) == _tree(b.after[p]) != "") for p in a.after)


def _tree(data: bytes) -> str:
    import ast
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.dump(ast.parse(data))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""


def merged_causes(accepted: Iterable[Candidate]) -> list[Candidate]:
    """Heals of one root cause are one heal, also where each file was healed for itself (at collection); those that build on others stay."""
    out: list[Candidate] = []
    moved: dict[int, Candidate] = {}
    for c in accepted:
        c.ground = moved.get(id(c.ground), c.ground)
        twin = next((o for o in out if _same_cause(o, c)), None)
        if twin is None:
            out.append(c)
            continue
        moved[id(c)] = twin
        p, q = twin.proposal, c.proposal
        explanation = p.explanation if q.explanation in p.explanation else f"{p.explanation}; {q.explanation}"
        twin.proposal = dataclasses.replace(p, evidence=tuple(dict.fromkeys((*p.evidence, *q.evidence))), explanation=explanation)
        twin.before.update(c.before)
        twin.after.update(c.after)
        twin.nodeids += [n for n in c.nodeids if n not in twin.nodeids]
        twin.left = {**twin.left, **c.left}
        twin.refusals += c.refusals
        twin.seconds += c.seconds
        twin.links += c.links
        twin.steps = _joined_steps(twin.steps, c.steps)
    return out


def _same_cause(a: Candidate, b: Candidate) -> bool:
    p, q = a.proposal, b.proposal
    if not p.cause_key or (p.strategy, p.tactic, p.cause_key, p.applicability) != (q.strategy, q.tactic, q.cause_key, q.applicability):
        return False
    if (a.diagnosis.cause, a.symptom, a.collected) != (b.diagnosis.cause, b.symptom, b.collected):
        return False
    return not (a.after.keys() & b.after.keys()) and not a.ties and not b.ties


def _joined_steps(a: Iterable[ProofStep], b: Iterable[ProofStep]) -> list[ProofStep]:
    """The steps of both by rung; a rung that only one of them climbed counts as not run, unless it failed."""
    mine, theirs = {s.rung: s for s in a}, {s.rung: s for s in b}
    return [
        _joined(mine.get(r) or ProofStep(r, None, "not run for all"), theirs.get(r) or ProofStep(r, None, "not run for all"))
        for r in dict.fromkeys([*mine, *theirs])
    ]


def _joined(a: ProofStep, b: ProofStep) -> ProofStep:
    reason = a.reason if a.reason == b.reason else f"{a.reason}; {b.reason}"
    passed = False if False in (a.passed, b.passed) else None if None in (a.passed, b.passed) else True
    return ProofStep(a.rung, passed, reason, a.seconds + b.seconds, tuple(dict.fromkeys((*a.details, *b.details))))
