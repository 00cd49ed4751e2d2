"""What becomes of an error event: its states, and the journal of them."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from pytest_maestro_healer.errors import HealerError
from pytest_maestro_healer.model import HealingResult, Record

#: Finished repairs and journal entries that are remembered.
KEEP_RESULTS = 10_000
KEEP_ENTRIES = 100_000


class RepairStatus(str, Enum):
    """Where a repair stands.

    PENDING: waits for a free place. ANALYZING: the event is read. HEALING: the engine looks for a heal and proves it. VALIDATING: it is decided
    whether the heal may be written, by rule or by approval, against the files of now. SUCCESS: the project has the heal. FAILED: there is
    no heal, or it could not be written. SKIPPED: nothing was to be done, or nobody permitted it.
    """

    PENDING = "pending"
    ANALYZING = "analyzing"
    HEALING = "healing"
    VALIDATING = "validating"
    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"

    def __str__(self) -> str:
        return self.value

    @property
    def final(self) -> bool:
        """Whether nothing comes after it."""
        return self in (RepairStatus.SUCCESS, RepairStatus.FAILED, RepairStatus.SKIPPED)


@dataclass(frozen=True)
class RepairResult(Record):
    """One repair as it stands at one moment.

    ``reason`` says in one line why it stands there. ``awaiting_approval`` is true while a person is asked. ``healing`` is the engine's full
    record once there is one; ``files`` are those written. ``branch``, ``commit`` and ``pull_request`` are set where these were made.
    """

    repair_id: str
    status: RepairStatus = RepairStatus.PENDING
    reason: str = ""
    source: str = ""
    test_id: str = ""
    healing_id: str = ""
    awaiting_approval: bool = False
    files: tuple[str, ...] = ()
    branch: str = ""
    commit: str = ""
    pull_request: str = ""
    notes: tuple[str, ...] = ()
    created_at: float = 0.0
    updated_at: float = 0.0
    healing: HealingResult | None = None

    @property
    def success(self) -> bool:
        """Whether the project has the heal."""
        return self.status is RepairStatus.SUCCESS

    @property
    def diff(self) -> str:
        """The heal's diff, ``""`` without one."""
        return self.healing.diff if self.healing is not None else ""

    @property
    def confidence_score(self) -> float:
        """The heal's confidence, 0..1."""
        return self.healing.confidence_score if self.healing is not None else 0.0


@dataclass(frozen=True)
class JournalEntry(Record):
    """One change of state."""

    at: float
    repair_id: str
    status: RepairStatus
    reason: str = ""


@dataclass
class Journal:
    """All repairs of one service, and every state they went through; the oldest finished ones are forgotten in the end.

    ``told`` is called with each new state.
    """

    told: Callable[[RepairResult], None] = lambda result: None
    _now: OrderedDict[str, RepairResult] = field(default_factory=OrderedDict)
    _past: deque[JournalEntry] = field(default_factory=lambda: deque(maxlen=KEEP_ENTRIES))

    def opened(self, repair_id: str) -> None:
        """A new repair, pending."""
        at = time.time()
        self._put(RepairResult(repair_id, created_at=at, updated_at=at))

    def to(self, repair_id: str, status: RepairStatus | None = None, reason: str = "", **more: Any) -> RepairResult:
        """Bring a repair to ``status`` (default: the one it has), with what else is known of it now; a final state stays."""
        old = self.get(repair_id)
        if old.status.final:
            return old
        new = replace(old, status=status or old.status, reason=reason, updated_at=time.time(), **more)
        self._put(new)
        return new

    def noted(self, repair_id: str, *notes: str, **more: Any) -> RepairResult:
        """Add notes, or other facts, to a repair in whatever state."""
        new = replace(self.get(repair_id), **more)
        self._now[repair_id] = replace(new, notes=(*new.notes, *notes))
        return self._now[repair_id]

    def _put(self, result: RepairResult) -> None:
        self._now[result.repair_id] = result
        self._past.append(JournalEntry(result.updated_at, result.repair_id, result.status, result.reason))
        if len(self._now) > KEEP_RESULTS:
            oldest = next((k for k, r in self._now.items() if r.status.final), None)
            if oldest is not None:
                del self._now[oldest]
        self.told(result)

    def get(self, repair_id: str) -> RepairResult:
        """The repair with this id, or with the heal of this id.

        Raises :class:`~pytest_maestro_healer.errors.HealerError` when there is none.
        """
        if repair_id in self._now:
            return self._now[repair_id]
        found = [r for r in self._now.values() if repair_id and r.healing_id == repair_id]
        if not found:
            raise HealerError(f"no repair {repair_id!r}")
        return next((r for r in found if r.awaiting_approval), found[-1])

    def results(self, status: RepairStatus | str | None = None) -> list[RepairResult]:
        """All repairs, or those of one status, oldest first."""
        wanted = RepairStatus(status) if status is not None else None
        return [r for r in self._now.values() if wanted is None or r.status is wanted]

    def entries(self, repair_id: str | None = None, status: RepairStatus | str | None = None, since: float = 0.0) -> list[JournalEntry]:
        """The changes of state, oldest first: of one repair, into one status, at or after a time (seconds since the epoch)."""
        wanted = RepairStatus(status) if status is not None else None
        found = [e for e in self._past if e.at >= since and (wanted is None or e.status is wanted)]
        return [e for e in found if repair_id is None or e.repair_id == repair_id]
