"""Imported names that are gone and that nothing uses."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Evidence
from pytest_maestro_healer.strategies.base import Example
from pytest_maestro_healer.strategies.dependency_fix.plans import Plan, Planner
from pytest_maestro_healer.strategies.dependency_fix.sites import Site, is_used
from pytest_maestro_healer.strategies.dependency_fix.tactic import ImportTactic


def plan(site: Site, ctx: Context) -> Sequence[Plan]:
    """Drop one imported name that no code, fixture argument, string or other test module refers to."""
    if not site.name or site.src.path.rpartition("/")[2] in ("conftest.py", "__init__.py") or is_used(site, ctx):
        return ()
    fact = Evidence("symbol", f"{site.bound} is used nowhere in {site.src.path}", f"{site.src.path}:{site.node.lineno}", 0.75)
    meaning = f"{site.dotted} is not needed"
    return [
        Plan(
            "unused_import",
            Applicability.REVIEW,
            (fact,),
            meaning,
            f"the unused import of {site.dotted}, which is gone, is dropped",
            0.7,
            lambda e: e.drop(site),
        )
    ]


class UnusedImport(ImportTactic):
    name = "unused_import"
    summary = "The import of a name that is gone and that the test file does not use is dropped, that one name only."
    applicability = Applicability.REVIEW
    evidence = ("symbol",)
    sources = ("pyflakes' rule F401",)
    heals = (
        Example(
            "one of two names is gone and unused",
            {
                "shop/__init__.py": "",
                "shop/util.py": "def mean(items):\n    return sum(items) / len(items)\n",
                "test_mean.py": "from shop.util import (\n    mean,\n    total,\n)\n\n\ndef test_mean():\n    assert mean([1, 3]) == 2\n",
            },
            {"test_mean.py": "from shop.util import (\n    mean,\n)\n\n\ndef test_mean():\n    assert mean([1, 3]) == 2\n"},
        ),
    )
    declines = (
        Example(
            "the name is a fixture that a test asks for",
            {"shop/__init__.py": "", "test_db.py": "from shop import database\n\n\ndef test_db(database):\n    assert database\n"},
            why="the import is used, by the argument's name",
        ),
    )

    def planner(self) -> Planner:
        return plan
