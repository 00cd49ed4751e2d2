"""A removed name that only some tests of a file need: its import moves into those, so that the others run again."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Sequence

from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Evidence
from pytest_maestro_healer.strategies.base import Example
from pytest_maestro_healer.strategies.dependency_fix.build import functions
from pytest_maestro_healer.strategies.dependency_fix.editor import FileEditor
from pytest_maestro_healer.strategies.dependency_fix.plans import Plan, Planner
from pytest_maestro_healer.strategies.dependency_fix.sites import Site, parents, uses
from pytest_maestro_healer.strategies.dependency_fix.tactic import ImportTactic

Function = ast.FunctionDef | ast.AsyncFunctionDef


def plan(site: Site, ctx: Context) -> Sequence[Plan]:
    """Move the import into the functions that use the name; none where module-level code or every test uses it."""
    tree = site.src.tree
    if tree is None or not isinstance(site.scope, ast.Module) or site.src.path.rpartition("/")[2] == "conftest.py":
        return ()
    users = users_of(site, tree)
    if not users:
        return ()
    tests = [f for f in functions(tree) if f.name.startswith("test")]
    free = [f for f in tests if f not in users]
    if not free or not any(f.name.startswith("test") for f in users):
        return ()
    line = statement_of(site)
    n = sum(f.name.startswith("test") for f in users)
    fact = Evidence(
        "symbol", f"{site.dotted} is gone and no successor is known; {n} of {len(tests)} tests use it", f"{site.src.path}:{site.node.lineno}", 0.6
    )
    which = "the test that uses it (it still fails" if n == 1 else f"the {n} tests that use it (they still fail"
    text = f"the import of {site.dotted}, which is gone, moves into {which}, by that name); the other {len(free)} run again"

    def apply(editor: FileEditor) -> None:
        for f in users_of(site, editor.tree):
            insert_first(editor, f, line)
        editor.drop(site)

    return [Plan("isolate_removed_name", Applicability.REVIEW, (fact,), f"{site.dotted} is gone for good", text, 0.3, apply)]


def users_of(site: Site, tree: ast.Module) -> list[Function]:
    """The outermost functions whose bodies use the name; empty if anything outside a body uses it."""
    up = parents(tree)
    out: dict[Function, None] = {}
    for use in uses(site.scope, site.bound):
        chain: list[ast.AST] = [use]
        while (parent := up.get(chain[-1])) is not None:
            chain.append(parent)
        holder: Function | None = None
        for child, parent in itertools.pairwise(chain):
            if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef)) and child in parent.body:
                holder = parent
        if holder is None:
            return []
        out[holder] = None
    return list(out)


def statement_of(site: Site) -> str:
    """The import of one name as a statement of its own."""
    one = ast.Import([site.alias]) if isinstance(site.node, ast.Import) else ast.ImportFrom(site.node.module, [site.alias], site.node.level)
    return ast.unparse(one)


def insert_first(editor: FileEditor, function: Function, line: str) -> None:
    """Put a line at the top of a function's body, after its docstring."""
    body = function.body
    first = body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str) and len(body) > 1:
        first = body[1]
    start = min([first.lineno, *(d.lineno for d in getattr(first, "decorator_list", []))])
    if start == function.lineno:
        raise EditError(f"line {start}: a function on one line")
    at = editor.src.line_start(start)
    editor.replace(at, at, f"{editor.src.indent_of(start)}{line}\n")


_SHOP = {"shop/__init__.py": "", "shop/util.py": "def mean(items):\n    return sum(items) / len(items)\n"}


class IsolateRemovedName(ImportTactic):
    name = "isolate_removed_name"
    summary = (
        "The import of a name that is gone for good moves into the tests that use it: they stay red by that name, the rest of the file runs again."
    )
    applicability = Applicability.REVIEW
    evidence = ("symbol",)
    sources = ("the package's own source",)
    heals = (
        Example(
            "a removed function that only a skipped test uses",
            {
                **_SHOP,
                "test_s.py": "import pytest\nfrom shop.util import mean, mode\n\n\ndef test_mean():\n    assert mean([1, 3]) == 2\n\n\n"
                "@pytest.mark.skip(reason='slow')\ndef test_mode():\n    assert mode([1, 1, 2]) == 1\n",
            },
            {
                "test_s.py": "import pytest\nfrom shop.util import mean\n\n\ndef test_mean():\n    assert mean([1, 3]) == 2\n\n\n"
                "@pytest.mark.skip(reason='slow')\ndef test_mode():\n    from shop.util import mode\n    assert mode([1, 1, 2]) == 1\n",
            },
        ),
    )
    declines = (
        Example(
            "every test uses it",
            {**_SHOP, "test_s.py": "from shop.util import mode\n\n\ndef test_mode():\n    assert mode([1, 1, 2]) == 1\n"},
            why="nothing is gained: the removal itself is what has to be looked at",
        ),
    )

    def planner(self) -> Planner:
        return plan
