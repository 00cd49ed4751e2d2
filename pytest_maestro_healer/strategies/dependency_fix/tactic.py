"""What the import tactics share."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Diagnosis, Failure, FailurePattern, Proposal
from pytest_maestro_healer.strategies.base import Tactic
from pytest_maestro_healer.strategies.dependency_fix.cause import missing
from pytest_maestro_healer.strategies.dependency_fix.plans import Planner, heal_imports

IMPORTS = frozenset({FailurePattern.IMPORT_ERROR, FailurePattern.DEPENDENCY_CONFLICT})


class ImportTactic(Tactic):
    """A tactic that plans one import at a time; all files with the same cause become one proposal."""

    patterns = IMPORTS
    kinds: tuple[str, ...] = ("module", "name")

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Import errors of any diagnosed pattern."""
        found = missing(failure)
        return found is not None and found.kind in self.kinds

    def planner(self) -> Planner:
        """The function that plans one import."""
        raise NotImplementedError  # pragma: no cover

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """One proposal per candidate."""
        return heal_imports(self.planner(), failure, ctx)
