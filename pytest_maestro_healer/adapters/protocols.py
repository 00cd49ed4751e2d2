"""What a platform and the healer ask of each other, as types: nothing here is to be inherited from, having the members is enough.

``isinstance`` sees only whether the members are there; whether they do what they promise is what
:mod:`pytest_maestro_healer.adapters.conformance` is for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from pytest_maestro_healer.adapters.branch import Commit
from pytest_maestro_healer.adapters.states import JournalEntry, RepairResult, RepairStatus
from pytest_maestro_healer.model import HealingResult


@runtime_checkable
class FailureLike(Protocol):
    """A failed test: the text of its file (or of the test alone), and what is known about the failure.

    ``error_details`` has any of ``error_message`` (or ``message``), ``error_type``, ``stack_trace``, ``test_file``, ``test_id``, ``project_path``.
    """

    @property
    def test_code(self) -> str:
        """The text."""
        ...

    @property
    def error_details(self) -> Mapping[str, Any]:
        """What is known."""
        ...


@runtime_checkable
class ResultsLike(Protocol):
    """What a run of tests gave."""

    @property
    def failures(self) -> Sequence[FailureLike]:
        """The failed tests."""
        ...


@runtime_checkable
class RunnerLike(Protocol):
    """Quality Fabric's ``TestRunner``.

    ``run_tests`` runs the tests and returns what failed. ``apply_fix`` takes the healed text of one of the failed tests of the last run, finds
    out which one it is, and writes it where that is right; a text that cannot be applied changes nothing and raises nothing that would
    keep the caller from the next one. What it returns is true where the project has the fix.
    """

    def run_tests(self) -> ResultsLike:
        """Run the tests."""
        ...

    def apply_fix(self, healed_code: str) -> Any:
        """Write a healed text."""
        ...


@runtime_checkable
class HealerLike(Protocol):
    """What heals for the service: :class:`~pytest_maestro_healer.AutonomousTestHealer`, or anything in front of it.

    It must not write: what it returns names the changed files, their bytes before and after, and by its verdict whether it was proved.
    """

    async def heal_failed_test(self, test_code: str, error_details: Mapping[str, Any] | None = None) -> HealingResult:
        """Heal one failed test."""
        ...


#: Asked before a heal is written: true (or an awaitable of it) is the permission. It may block; it is called in a thread.
Approver = Callable[[RepairResult], "bool | Awaitable[bool]"]
#: Told of a commit for which a pull request is wanted; returns its address. It pushes if anybody does: the service never uses the network.
PullRequestHook = Callable[[Commit], "str | Awaitable[str | None] | None"]
#: Asked every so many seconds for new error events.
Monitor = Callable[[], "Iterable[Any] | Awaitable[Iterable[Any]]"]


@runtime_checkable
class RepairServiceLike(Protocol):
    """CARS: error events in, results out.

    An event is a :class:`~pytest_maestro_healer.adapters.ErrorEvent`, a :class:`~pytest_maestro_healer.TestFailure`, a mapping with ``code`` and
    ``error``, or any :class:`FailureLike`. A result's status is pending, analyzing, healing or validating, and in the end success, failed or
    skipped. No event raises; what is the matter with it is said in its result.
    """

    async def start(self) -> None:
        """Begin to ask the monitors."""
        ...

    async def close(self) -> None:
        """Stop the monitors and what is still open; nothing stays half written."""
        ...

    async def submit(self, event: Any) -> str:
        """Take an event; its repair's id, at once."""
        ...

    async def wait(self, repair_id: str) -> RepairResult:
        """The repair's final result."""
        ...

    async def approve(self, repair_id: str) -> RepairResult:
        """Permit what waits for approval; the final result."""
        ...

    async def reject(self, repair_id: str) -> RepairResult:
        """Refuse what waits for approval; the final result."""
        ...

    async def cancel(self, repair_id: str) -> RepairResult:
        """Stop a repair, unless it is just being written; the final result."""
        ...

    def result(self, repair_id: str) -> RepairResult:
        """The repair as it stands now."""
        ...

    def results(self, status: RepairStatus | str | None = None) -> list[RepairResult]:
        """All repairs, or those of one status, oldest first."""
        ...

    def journal(self, repair_id: str | None = None) -> list[JournalEntry]:
        """Every change of state, of all repairs or of one, oldest first."""
        ...

    def updates(self) -> AsyncIterator[RepairResult]:
        """Every change of state from now on, as it happens."""
        ...
