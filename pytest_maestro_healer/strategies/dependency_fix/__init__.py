"""dependency_fix: imports, names, fixtures and distributions that a test needs and does not find."""

from __future__ import annotations

from pytest_maestro_healer.strategies.base import Strategy
from pytest_maestro_healer.strategies.dependency_fix.moved import MovedSymbol, RenamedModule
from pytest_maestro_healer.strategies.dependency_fix.removed import Py2Compat, RemovedStdlib
from pytest_maestro_healer.strategies.dependency_fix.retired import RetiredTestLibrary
from pytest_maestro_healer.strategies.dependency_fix.typos import ImportTypo
from pytest_maestro_healer.strategies.dependency_fix.unused import UnusedImport


class DependencyFix(Strategy):
    """Heals what a test cannot import, name or request."""

    name = "dependency_fix"
    title = "Imports, names, fixtures, distributions"
    summary = "Finds where a missing module, name or fixture went, from git, the sources and the documentation, and migrates the tests to it."
    tactics = (RenamedModule(), RetiredTestLibrary(), RemovedStdlib(), MovedSymbol(), Py2Compat(), UnusedImport(), ImportTypo())


STRATEGY = DependencyFix()
