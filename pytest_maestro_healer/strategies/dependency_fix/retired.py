"""Test libraries that are gone: nose, mock, unittest2, py.test."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability
from pytest_maestro_healer.strategies.base import Example
from pytest_maestro_healer.strategies.dependency_fix import table_testing
from pytest_maestro_healer.strategies.dependency_fix.migrate import table_lookup
from pytest_maestro_healer.strategies.dependency_fix.plans import Plan, Planner
from pytest_maestro_healer.strategies.dependency_fix.removed import table_plan
from pytest_maestro_healer.strategies.dependency_fix.sites import Site
from pytest_maestro_healer.strategies.dependency_fix.tactic import ImportTactic

_LOOK = table_lookup(table_testing.RULES)


def plan(site: Site, ctx: Context) -> Sequence[Plan]:
    """An import of a retired test library whose every use has a documented equivalent."""
    if site.module.partition(".")[0] not in ("nose", "mock", "unittest2", "py", "pytest"):
        return ()
    return table_plan(site, _LOOK, ctx, "retired_test_library")


class RetiredTestLibrary(ImportTactic):
    name = "retired_test_library"
    summary = "nose, nose.tools, mock, unittest2 and py.test are replaced by plain asserts, pytest or unittest with the same meaning."
    applicability = Applicability.SAFE
    evidence = ("docs",)
    sources = (table_testing.NOSE, table_testing.MOCK, table_testing.UNITTEST, table_testing.PYTEST)
    heals = (
        Example(
            "nose.tools",
            {
                "test_n.py": "from nose.tools import assert_equal, assert_raises, ok_\n\n\ndef test_n():\n    assert_equal(1 + 1, 2)\n"
                "    ok_([1], 'not empty')\n    with assert_raises(ValueError):\n        int('x')\n",
            },
            {
                "test_n.py": "import pytest\n\n\ndef test_n():\n    assert 1 + 1 == 2\n    assert [1], 'not empty'\n    with pytest.raises(ValueError):\n        int('x')\n",  # noqa: E501
            },
        ),
        Example(
            "the mock backport",
            {"test_m.py": "import mock\n\n\ndef test_m():\n    assert mock.Mock()\n"},
            {"test_m.py": "from unittest import mock\n\n\ndef test_m():\n    assert mock.Mock()\n"},
        ),
    )
    declines = (
        Example(
            "a nose feature without equivalent",
            {"test_n.py": "from nose.tools import timed\n\n\n@timed(1)\ndef test_n():\n    assert True\n"},
            why="dropping the time limit would weaken the test",
        ),
    )

    def planner(self) -> Planner:
        return plan
