"""Imported names that are gone and that nothing uses."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Evidence
from pytest_maestro_healer.strategies.base import Example
from pytest_maestro_healer.strategies.dependency_fix.moved import _exists as exists
from pytest_maestro_healer.strategies.dependency_fix.plans import Plan, Planner
from pytest_maestro_healer.strategies.dependency_fix.sites import Site, is_used
from pytest_maestro_healer.strategies.dependency_fix.tactic import ImportTactic


def plan(site: Site, ctx: Context) -> Sequence[Plan]:
    """Drop one imported name that no code, fixture argument, string or other test module refers to.

    A whole module is dropped only if nothing declares it: what is declared is to be installed.
    """
    if site.src.path.rpartition("/")[2] in ("conftest.py", "__init__.py") or is_used(site, ctx):
        return ()
    if not site.name and (_ours(site.module, ctx) or ctx.distributions.declared(ctx.distributions.distribution_for(site.module)[0])):
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


def _ours(module: str, ctx: Context) -> bool:
    """Whether a module or its package is there, or was a file of the project: then its import may be the very thing that is tested."""
    top = module.partition(".")[0]
    return exists(top, ctx) or bool(ctx.git.commits(*(f"{folder}{top}{end}" for folder in ("", "src/") for end in ("", ".py")), limit=1))


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
        Example(
            "a module that nothing declares",
            {"test_a.py": "import six_of_nobody\n\n\ndef test_a():\n    assert sum([1, 2]) == 3\n"},
            {"test_a.py": "def test_a():\n    assert sum([1, 2]) == 3\n"},
        ),
    )
    declines = (
        Example(
            "a module that the project had",
            {"test_a.py": "import shop\n\n\ndef test_a():\n    assert sum([1, 2]) == 3\n"},
            head={"shop.py": "TOTAL = 3\n", "test_a.py": "import shop\n\n\ndef test_a():\n    assert sum([1, 2]) == 3\n"},
            why="that it can be imported may be what is tested",
        ),
        Example(
            "a module that the project declares",
            {
                "requirements-dev.txt": "blinker_of_nobody\n",
                "test_a.py": "import blinker_of_nobody\n\n\ndef test_a():\n    assert sum([1, 2]) == 3\n",
            },
            advice="blinker_of_nobody",
            why="it is to be installed, and may be imported for what it does",
        ),
        Example(
            "the name is a fixture that a test asks for",
            {"shop/__init__.py": "", "test_db.py": "from shop import database\n\n\ndef test_db(database):\n    assert database\n"},
            why="the import is used, by the argument's name",
        ),
    )

    def planner(self) -> Planner:
        return plan
