"""The nouns of the pipeline: frozen, plain, serialisable; the standard library is all that is imported here.

Conventions used everywhere:

* paths are POSIX strings relative to the project's root where the file lies inside it, else absolute;
* lines are 1-based and columns are 0-based UTF-8 byte offsets, exactly as in :mod:`ast`;
* edits carry byte offsets into the bytes they were made against;
* durations are seconds, confidences and probabilities are 0..1.
"""

from __future__ import annotations

from pytest_maestro_healer.model.failure import Comparison, Failure, Frame, Location, Operand, Value
from pytest_maestro_healer.model.heal import Diagnosis, Edit, Evidence, Proof, ProofStep, Proposal, Verdict, World
from pytest_maestro_healer.model.kinds import Applicability, Cause, DecisionKind, FailurePattern, Follows, FrameKind, HealingStrategy, Phase, StrEnum
from pytest_maestro_healer.model.record import Record
from pytest_maestro_healer.model.result import Decision, FileChange, HealingReport, HealingResult

__all__ = [
    "Applicability",
    "Cause",
    "Comparison",
    "Decision",
    "DecisionKind",
    "Diagnosis",
    "Edit",
    "Evidence",
    "Failure",
    "FailurePattern",
    "FileChange",
    "Follows",
    "Frame",
    "FrameKind",
    "HealingReport",
    "HealingResult",
    "HealingStrategy",
    "Location",
    "Operand",
    "Phase",
    "Proof",
    "ProofStep",
    "Proposal",
    "Record",
    "StrEnum",
    "Value",
    "Verdict",
    "World",
]
