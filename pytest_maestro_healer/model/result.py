"""What became of it: decisions, healed files, the public records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_maestro_healer.model.heal import Diagnosis, Evidence, Verdict
from pytest_maestro_healer.model.kinds import Applicability, DecisionKind
from pytest_maestro_healer.model.record import Record


@dataclass(frozen=True)
class Decision(Record):
    """What became of a heal, and the rule that said so."""

    kind: DecisionKind
    rule: str


@dataclass(frozen=True)
class FileChange(Record):
    """A healed file as a whole; ``before`` and ``after`` are Latin-1 views of the bytes, so that they survive JSON unchanged."""

    path: str
    before_sha256: str
    before: str
    after: str

    @staticmethod
    def of(path: str, before: bytes, after: bytes) -> FileChange:
        """Build from bytes."""
        import hashlib

        return FileChange(path, hashlib.sha256(before).hexdigest(), before.decode("latin-1"), after.decode("latin-1"))

    @property
    def before_bytes(self) -> bytes:
        """The bytes the heal was made against."""
        return self.before.encode("latin-1")

    @property
    def after_bytes(self) -> bytes:
        """The healed bytes."""
        return self.after.encode("latin-1")


@dataclass(frozen=True)
class HealingResult(Record):
    """The public record of one heal (or of one failure that was not healed).

    ``test_id`` is the first healed nodeid, ``nodeids`` all of them. ``original_code`` and ``healed_code`` are the text of the first
    changed file; ``changes`` has all files. ``validation_results`` is the verdict as a dict by rung. ``unasked`` is the rule by which the
    heal may be written without asking anybody, whatever this run may write; empty where a person has to decide.
    """

    healing_id: str
    test_id: str
    strategy_used: str
    success: bool
    original_code: str = ""
    healed_code: str = ""
    confidence_score: float = 0.0
    validation_results: Mapping[str, Any] = field(default_factory=dict)
    execution_time: float = 0.0
    created_at: float = 0.0
    diff: str = ""
    evidence: tuple[Evidence, ...] = ()
    decision: Decision = Decision(DecisionKind.REJECTED, "")
    tactic: str = ""
    explanation: str = ""
    applicability: Applicability = Applicability.REVIEW
    nodeids: tuple[str, ...] = ()
    changes: tuple[FileChange, ...] = ()
    verdict: Verdict = field(default_factory=Verdict)
    diagnosis: Diagnosis | None = None
    advice: str = ""
    alternatives: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    collected: bool = False
    unasked: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        """The changed files' paths."""
        return tuple(c.path for c in self.changes)


@dataclass(frozen=True)
class HealingReport(Record):
    """All that one healing phase did; what every report renders and ``--heal-json`` writes.

    ``results`` holds healed, advised and refused groups alike. ``notes`` are lines a user must see (budget hit, stale bundle,
    apply switched off and why...). ``bundle`` names the pending bundle where one was saved, ``seconds`` the wall clock of the phase.
    """

    results: tuple[HealingResult, ...] = ()
    failures: int = 0
    seconds: float = 0.0
    apply: str = "none"
    review: bool = False
    threshold: float = 0.75
    notes: tuple[str, ...] = ()
    bundle: str = ""
    version: str = ""
    schema: int = 1
