"""The nouns of the pipeline: frozen, plain, serialisable; the standard library is all that is imported here.

Conventions used everywhere:

* paths are POSIX strings relative to the project's root where the file lies inside it, else absolute;
* lines are 1-based and columns are 0-based UTF-8 byte offsets, exactly as in :mod:`ast`;
* edits carry byte offsets into the bytes they were made against;
* durations are seconds, confidences and probabilities are 0..1.
"""

from __future__ import annotations

import dataclasses
import enum
import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, Union

if sys.version_info >= (3, 11):
    from enum import StrEnum
else:

    class StrEnum(str, enum.Enum):
        """The 3.11 class, for 3.10."""

        def __str__(self) -> str:
            return str(self.value)


T = TypeVar("T", bound="Record")

Phase = Literal["collect", "setup", "call", "teardown"]
FrameKind = Literal["test", "product", "third_party", "stdlib"]


class HealingStrategy(StrEnum):
    """The seven strategies by their public names."""

    SYNTAX_REPAIR = "syntax_repair"
    DEPENDENCY_FIX = "dependency_fix"
    TIMING_ADJUSTMENT = "timing_adjustment"
    ASSERTION_UPDATE = "assertion_update"
    ENVIRONMENT_HEALING = "environment_healing"
    FLAKY_TEST_STABILIZATION = "flaky_test_stabilization"
    API_CONTRACT_ADAPTATION = "api_contract_adaptation"


class FailurePattern(StrEnum):
    """What kind of failure it is, before anyone knows the cause."""

    IMPORT_ERROR = "import_error"
    ASSERTION_FAILURE = "assertion_failure"
    TIMEOUT = "timeout"
    FLAKY_BEHAVIOR = "flaky_behavior"
    ENVIRONMENT_ISSUE = "environment_issue"
    API_CHANGE = "api_change"
    DEPENDENCY_CONFLICT = "dependency_conflict"
    SYNTAX_ERROR = "syntax_error"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """The verdict of a diagnosis."""

    DRIFT = "drift"
    REGRESSION_SUSPECTED = "regression_suspected"
    FLAKY = "flaky"
    ENVIRONMENT = "environment"
    UNKNOWN = "unknown"


class Applicability(StrEnum):
    """How far an edit may go without a person.

    ``SAFE`` may be applied once proved; ``REVIEW`` is proved, shown and left to a person; ``ADVICE`` is a precise
    text without an edit.
    """

    SAFE = "safe"
    REVIEW = "review"
    ADVICE = "advice"


class DecisionKind(StrEnum):
    """What became of a proposal."""

    APPLIED = "applied"
    PENDING = "pending"
    ADVISED = "advised"
    REJECTED = "rejected"


class Record:
    """``to_dict``/``from_dict`` for the dataclasses below: JSON-ready dicts and back."""

    def to_dict(self) -> dict[str, Any]:
        """Return a dict of JSON types; fields at their default are kept, so that the schema is stable."""
        assert dataclasses.is_dataclass(self)
        return {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}

    @classmethod
    def from_dict(cls: type[T], data: Mapping[str, Any]) -> T:
        """Rebuild from :meth:`to_dict`'s output; unknown keys (a newer writer's) are ignored.

        Raises :class:`ValueError` when a required field is missing or of the wrong shape.
        """
        if not isinstance(data, Mapping):
            raise ValueError(f"not a {cls.__name__}: {data!r} is no mapping")
        hints = _hints(cls)
        kwargs: dict[str, Any] = {}
        try:
            for f in dataclasses.fields(cls):  # type: ignore[arg-type]
                if f.name in data:
                    kwargs[f.name] = _build(hints[f.name], data[f.name])
            return cls(**kwargs)
        except (TypeError, KeyError, AttributeError, ValueError) as exc:
            raise ValueError(f"not a {cls.__name__}: {exc}") from exc


_HINTS: dict[type, dict[str, Any]] = {}


def _hints(cls: type) -> dict[str, Any]:
    if cls not in _HINTS:
        _HINTS[cls] = typing.get_type_hints(cls)
    return _HINTS[cls]


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value


def _build(hint: Any, value: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        inner = [a for a in typing.get_args(hint) if a is not type(None)]
        return _build(inner[0], value)
    if origin is Literal:
        if value not in typing.get_args(hint):
            raise ValueError(f"{value!r} is none of {typing.get_args(hint)}")
        return value
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"{value!r} is no list")
        args = typing.get_args(hint)
        if len(args) == 2 and args[1] is Ellipsis:
            return tuple(_build(args[0], v) for v in value)
        return tuple(_build(a, v) for a, v in zip(args, value, strict=True))
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise ValueError(f"{value!r} is no mapping")
        args = typing.get_args(hint)
        return {str(k): _build(args[1], v) for k, v in value.items()}
    if isinstance(hint, type):
        if issubclass(hint, Record):
            return hint.from_dict(value)
        if issubclass(hint, enum.Enum):
            return hint(value)
        if hint is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if hint in (str, int, float, bool) and (not isinstance(value, hint) or (hint is int and isinstance(value, bool))):
            raise ValueError(f"{value!r} is no {hint.__name__}")
    return value


@dataclass(frozen=True)
class Location(Record):
    """A place in a file; columns are ``-1`` where only the line is known."""

    path: str
    line: int
    col: int = -1
    end_line: int = -1
    end_col: int = -1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True)
class Frame(Record):
    """One traceback entry, outermost first in :attr:`Failure.frames`."""

    location: Location
    function: str
    kind: FrameKind
    text: str = ""
    module: str = ""


@dataclass(frozen=True)
class Value(Record):
    """A live object turned into plain data at capture time.

    ``source`` is a Python expression that evaluates to an equal object, given ``imports`` (lines such as
    ``from decimal import Decimal``); ``None`` where there is no faithful expression. ``kind`` is one of ``scalar``, ``list``, ``tuple``,
    ``set``, ``frozenset``, ``dict``, ``object``; ``items`` holds the children of containers (for dicts: ``keys`` in parallel) and of
    objects with fields (``keys`` are then the field names), up to a size limit (``truncated``).
    """

    type: str
    repr: str
    kind: str = "scalar"
    source: str | None = None
    imports: tuple[str, ...] = ()
    items: tuple[Value, ...] = ()
    keys: tuple[Value, ...] = ()
    truncated: bool = False


@dataclass(frozen=True)
class Operand(Record):
    """One side of a failed comparison; ``role`` is left, right, actual, expected, member, container, match..."""

    role: str
    value: Value
    source: str | None = None
    location: Location | None = None


@dataclass(frozen=True)
class Comparison(Record):
    """What a failed assertion compared.

    ``style`` is ``assert``, ``assertEqual`` and its family by method name, ``raises``, ``raises-match``, ``warns``, ``mock``, ``numpy``,
    ``pandas``...; ``operator`` as written (``==``, ``in``, ``not in``, ``is``, ``<``...) or ``bool`` for truthiness;
    ``location`` spans the whole assert statement or asserting call.
    """

    style: str
    operator: str
    operands: tuple[Operand, ...]
    location: Location | None = None
    negated: bool = False

    def operand(self, *roles: str) -> Operand | None:
        """The first operand with one of ``roles``, or ``None``."""
        return next((o for r in roles for o in self.operands if o.role == r), None)


@dataclass(frozen=True)
class Failure(Record):
    """One failed phase of one test, or one collection error, as plain data.

    ``exc_type`` is the bare class name for builtins, else the qualified name; ``exc_mro`` names every base the same way.
    ``exc_attrs`` holds plain facts of the exception object (``name``, ``path``, ``msg``, ``lineno``, ``offset``, ``text``, and for
    AttributeError ``obj_type``, ``obj_kind`` and ``obj_name`` of the object that lacked the attribute, ``candidates`` its names).
    ``location`` is the failing place in test code where there is one. ``fixtures`` maps the fixtures the test uses to where they are
    defined, ``params`` the parametrize arguments to their values, ``param_indices`` each argument to the 0-based row of its own
    ``parametrize`` mark (``param_index`` is the first of them). ``chain`` are the causes, nearest first, as (type, message).
    """

    nodeid: str
    phase: Phase
    path: str
    exc_type: str
    message: str
    exc_mro: tuple[str, ...] = ()
    frames: tuple[Frame, ...] = ()
    location: Location | None = None
    statement: str = ""
    function: str = ""
    module: str = ""
    comparison: Comparison | None = None
    exc_attrs: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Value] = field(default_factory=dict)
    param_index: int = -1
    param_indices: Mapping[str, int] = field(default_factory=dict)
    fixtures: Mapping[str, Location] = field(default_factory=dict)
    chain: tuple[tuple[str, str], ...] = ()
    duration: float = 0.0
    reruns: int = 0
    worker: str = ""
    longrepr: str = ""
    healable: bool = True
    no_heal_reason: str = ""

    def is_a(self, *names: str) -> bool:
        """Whether the exception is one of ``names`` or a subclass of one (bare or qualified)."""
        mine = {self.exc_type, *self.exc_mro}
        mine |= {n.rpartition(".")[2] for n in mine}
        return any(n in mine for n in names)


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
class Proof(Record):
    """The conditions under which a heal has to be proved, where running the failing test once by itself would show nothing.

    ``order`` are nodeids to run in that order in a process in which no test has run before, the failing test among them (empty: it alone).
    Without the edit at least one of ``repeats`` such runs must fail, with it none. ``environments`` are tried in turn (fresh
    processes then, as ``fresh`` asks for too); ``rate`` is the failure rate that was measured before. ``fails_before`` is false where
    that measurement has to do, because a failure is too rare to wait for. ``load`` keeps that many processors busy meanwhile.
    """

    order: tuple[str, ...] = ()
    repeats: int = 3
    rate: float = 1.0
    fresh: bool = False
    environments: tuple[Mapping[str, str], ...] = ()
    fails_before: bool = True
    load: int = 0


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
    """One rung of the ladder: ``passed`` is ``None`` where the rung did not apply or was not run."""

    rung: str
    passed: bool | None
    reason: str = ""
    seconds: float = 0.0


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
    verdict: Verdict = Verdict()
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
