"""What the proof ladder needs from whoever can run tests: implemented in-process and in a fresh process by ``session/``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from pytest_maestro_healer.evidence.experiments import Conditions
from pytest_maestro_healer.evidence.state import Change
from pytest_maestro_healer.model import Failure

if TYPE_CHECKING:
    from pytest_maestro_healer.prove.mutants import Mutant

TestOutcome = Literal["passed", "failed", "skipped", "xfailed", "xpassed", "missing", "error"]


@dataclass(frozen=True)
class TestResult:
    """One test's outcome in a proof run; ``failure`` is set when it did not pass (``None`` for missing).

    ``changed`` is the state it left different, where the conditions asked for that.
    """

    __test__ = False

    nodeid: str
    outcome: TestOutcome
    failure: Failure | None = None
    seconds: float = 0.0
    changed: tuple[Change, ...] = ()


@dataclass(frozen=True)
class RunReport:
    """One proof run. ``problem`` is ``hang``, ``crash`` or ``state`` with a text where the run itself failed, else ``""``.

    Then ``results`` are empty, unless the conditions asked for those up to that moment; ``at`` is the test that ran then, where that is known.
    ``executed`` (only when traced) maps root-relative product files to the lines that ran; ``by_test`` says it for each test. ``apart`` says that
    it touched nothing outside of its process and mostly waited: then such runs may be made at the same time.
    """

    results: Mapping[str, TestResult] = field(default_factory=dict)
    problem: str = ""
    seconds: float = 0.0
    executed: Mapping[str, frozenset[int]] = field(default_factory=dict)
    served: frozenset[str] = frozenset()
    by_test: Mapping[str, Mapping[str, frozenset[int]]] = field(default_factory=dict)
    apart: bool = False
    at: str = ""

    def failed(self) -> list[TestResult]:
        """The results that are neither passed, skipped nor xfailed."""
        return [r for r in self.results.values() if r.outcome in ("failed", "missing", "error", "xpassed")]


class Runner(Protocol):
    """Runs tests with some files replaced; the disk is never touched."""

    def run(
        self,
        nodeids: Sequence[str],
        overlay: Mapping[str, bytes],
        *,
        whole_files: bool = False,
        fresh: bool = False,
        trace: bool = False,
        conditions: Conditions | None = None,
    ) -> RunReport:
        """Run ``nodeids`` (or, with ``whole_files``, every test of their files) with ``overlay`` (path -> bytes) served.

        A nodeid of a file alone stands for all its tests. A nodeid without its parameter part stands for all its parameter
        sets. ``conditions`` change environment, order, load or seed for this run. Never raises for what the tests do; a hang, crash or C-level
        block is in ``problem``.
        """
        ...

    def again(self, nodeids: Sequence[str], overlay: Mapping[str, bytes], times: int) -> Iterator[RunReport]:
        """:meth:`run` ``times`` more, for as long as the reports are asked for; at the same time where an earlier run says that this is the same."""
        ...

    def killed(self, nodeids: Sequence[str], overlay: Mapping[str, bytes], mutants: Sequence[Mutant]) -> list[bool | None]:
        """For each mutant, swapped into the live product in a throw-away process, whether one of ``nodeids`` then fails.

        ``None`` where that could not be tried.
        """
        ...
