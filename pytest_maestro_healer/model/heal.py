"""What could be right, and how far it is proved: evidence, diagnosis, edits, proposals, verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_maestro_healer.model.kinds import Applicability, Cause, FailurePattern
from pytest_maestro_healer.model.record import Record


@dataclass(frozen=True)
class Evidence(Record):
    """One fact: ``kind`` (git, symbol, signature, value, parser, distribution, timing, reruns, docs...), one sentence, where, weight 0..1."""

    kind: str
    sentence: str
    where: str = ""
    weight: float = 0.5


@dataclass(frozen=True)
class Diagnosis(Record):
    """What is believed about a failure, and why.

    ``rule`` is what the rules alone call it, where a trained model may have called it ``pattern``.
    """

    pattern: FailurePattern
    probability: float
    cause: Cause = Cause.UNKNOWN
    reasons: tuple[str, ...] = ()
    suspect: str = ""
    rule: FailurePattern | None = None

    @property
    def asked(self) -> FailurePattern:
        """The pattern by which strategies are asked: the rules' own, so that a model's belief never takes a heal away."""
        return self.rule or self.pattern


@dataclass(frozen=True)
class Edit(Record):
    """Replace bytes ``start:end`` of the file whose bytes have ``sha256`` by ``replacement`` (text in the file's encoding)."""

    path: str
    sha256: str
    start: int
    end: int
    replacement: str


@dataclass(frozen=True)
class World(Record):
    """Surroundings that no environment variable gives: what the wall clock shows, and the order in which directories are listed.

    The clock starts at ``now`` (seconds since the epoch; the real time where that is ``None``) and runs on, or advances by ``tick`` seconds
    with each reading (0: it stands still). After the first reading it is set by ``step`` seconds, as by somebody who corrects it.
    Clocks that only go forward are as they were. ``listing`` is ``sorted``, ``reversed`` or, for the file system's own order, ``""``.
    """

    now: float | None = None
    tick: float | None = None
    step: float = 0.0
    listing: str = ""


@dataclass(frozen=True)
class Proof(Record):
    """The conditions under which a heal has to be proved, where running the failing test once by itself would show nothing.

    ``order`` are nodeids to run in that order in a process in which no test has run before, the failing test among them (empty: it alone).
    Without the edit at least one of ``repeats`` such runs must fail, with it none. ``environments`` are tried in turn (fresh
    processes then, as ``fresh`` asks for too); ``rate`` is the failure rate that was measured before. ``fails_before`` is false where
    that measurement has to do, because a failure is too rare to wait for. ``load`` keeps that many processors busy meanwhile.
    ``worlds`` are lived in in turn, like ``environments``.
    """

    order: tuple[str, ...] = ()
    repeats: int = 3
    rate: float = 1.0
    fresh: bool = False
    environments: tuple[Mapping[str, str], ...] = ()
    fails_before: bool = True
    load: int = 0
    worlds: tuple[World, ...] = ()


@dataclass(frozen=True)
class Proposal(Record):
    """A candidate heal.

    ``meaning`` says in a few words what the edit takes to be true (``np is numpy``); two proposals with different meanings that
    both prove right are a tie for the user to settle. ``score`` is the tactic's own estimate, 0..1, used for order only.
    ``cause_key`` names the root cause, equal for failures that share it. For advice ``edits`` is empty and ``advice`` the text.
    ``proof`` says under which conditions it has to be proved, where those of the plain rerun do not do.
    """

    strategy: str
    tactic: str
    edits: tuple[Edit, ...]
    evidence: tuple[Evidence, ...]
    applicability: Applicability
    explanation: str
    nodeids: tuple[str, ...] = ()
    meaning: str = ""
    cause_key: str = ""
    advice: str = ""
    score: float = 0.5
    proof: Proof | None = None


@dataclass(frozen=True)
class ProofStep(Record):
    """One rung of the ladder: ``passed`` is ``None`` where the rung did not apply or was not run; ``details`` lists what it tried."""

    rung: str
    passed: bool | None
    reason: str = ""
    seconds: float = 0.0
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict(Record):
    """The climb so far."""

    steps: tuple[ProofStep, ...] = ()

    @property
    def proved(self) -> bool:
        """At least guard and rerun passed, and nothing failed."""
        passed = {s.rung for s in self.steps if s.passed}
        return {"guard", "rerun"} <= passed and not any(s.passed is False for s in self.steps)

    def plus(self, *steps: ProofStep) -> Verdict:
        """A verdict with ``steps`` added."""
        return Verdict(self.steps + steps)

    @property
    def failed_step(self) -> ProofStep | None:
        """The rung that ended the climb, if one did."""
        return next((s for s in self.steps if s.passed is False), None)
