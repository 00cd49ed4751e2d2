"""dependency_fix: imports, names, fixtures and distributions that a test needs and does not find."""

from __future__ import annotations

from pytest_maestro_healer.model import Follows
from pytest_maestro_healer.strategies.base import Strategy
from pytest_maestro_healer.strategies.dependency_fix.attributes import AsyncioCoroutine, RemovedAttribute, RemovedMethod
from pytest_maestro_healer.strategies.dependency_fix.deleted import DeletedModule
from pytest_maestro_healer.strategies.dependency_fix.fixtures import FixtureName, PluginFixture
from pytest_maestro_healer.strategies.dependency_fix.idioms import MarkedFixture, NoseSetup, PytestConfig, Tmpdir, WarnsNone
from pytest_maestro_healer.strategies.dependency_fix.isolate import IsolateRemovedName
from pytest_maestro_healer.strategies.dependency_fix.moved import MovedSymbol, RenamedModule
from pytest_maestro_healer.strategies.dependency_fix.packages import MissingDistribution, OptionalDependency, ProductImport, VersionConflict
from pytest_maestro_healer.strategies.dependency_fix.parametrize import ParametrizeIterator
from pytest_maestro_healer.strategies.dependency_fix.py2_members import Python2Members
from pytest_maestro_healer.strategies.dependency_fix.pypath import HookArguments
from pytest_maestro_healer.strategies.dependency_fix.removed import Py2Compat, RemovedStdlib
from pytest_maestro_healer.strategies.dependency_fix.retired import RetiredTestLibrary
from pytest_maestro_healer.strategies.dependency_fix.typos import ImportTypo
from pytest_maestro_healer.strategies.dependency_fix.undefined import MissingImport, NameTypo
from pytest_maestro_healer.strategies.dependency_fix.unused import UnusedImport


class DependencyFix(Strategy):
    """Heals what a test cannot import, name or request."""

    name = "dependency_fix"
    title = "Imports, names, fixtures, distributions"
    summary = "Finds where a missing module, name or fixture went, from git, the sources and the documentation, and migrates the tests to it."
    follows = Follows.PRODUCT
    tactics = (
        RenamedModule(),
        RetiredTestLibrary(),
        RemovedStdlib(),
        MovedSymbol(),
        Py2Compat(),
        UnusedImport(),
        ImportTypo(),
        IsolateRemovedName(),
        MissingImport(),
        NameTypo(),
        RemovedAttribute(),
        RemovedMethod(),
        Python2Members(),
        AsyncioCoroutine(),
        NoseSetup(),
        WarnsNone(),
        PytestConfig(),
        MarkedFixture(),
        ParametrizeIterator(),
        HookArguments(),
        FixtureName(),
        PluginFixture(),
        Tmpdir(),
        OptionalDependency(),
        MissingDistribution(),
        VersionConflict(),
        ProductImport(),
        DeletedModule(),
    )


STRATEGY = DependencyFix()
