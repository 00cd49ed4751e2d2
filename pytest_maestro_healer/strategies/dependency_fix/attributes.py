"""Attributes that left standard library modules, TestCase and pytest: found missing when a test runs, not when it is imported."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator

from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.evidence import migrations
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Follows, Proposal
from pytest_maestro_healer.strategies.base import Example, Tactic
from pytest_maestro_healer.strategies.dependency_fix import table_six, table_stdlib, table_testing
from pytest_maestro_healer.strategies.dependency_fix.build import edit_files, functions, group_of
from pytest_maestro_healer.strategies.dependency_fix.cause import Missing, missing, raised_in_tests
from pytest_maestro_healer.strategies.dependency_fix.editor import FileEditor
from pytest_maestro_healer.strategies.dependency_fix.migrate import rewrite
from pytest_maestro_healer.strategies.dependency_fix.rules import Rule
from pytest_maestro_healer.strategies.dependency_fix.sites import chain_of, import_sites, uses

_PATTERNS = frozenset({FailurePattern.IMPORT_ERROR, FailurePattern.API_CHANGE})
_WHATSNEW = "https://docs.python.org/3/whatsnew/3.11.html#removed"


def _lacking(failure: Failure, ctx: Context) -> Missing | None:
    found = missing(failure)
    if found is None or found.kind != "attribute" or not raised_in_tests(failure, found, ctx):
        return None
    return found


def rewrite_chain(dotted: str, rule: Rule, ctx: Context) -> Callable[[FileEditor], None]:
    """A change that rewrites every use of ``dotted`` reached through an import of its module."""

    def change(editor: FileEditor) -> None:
        for site in import_sites(editor.src, ctx.symbols.module_name(editor.src.path)):
            for name in uses(site.scope, site.bound):
                full = site.dotted
                for link in chain_of(name, editor.up)[1:]:
                    assert isinstance(link, ast.Attribute)
                    full = f"{full}.{link.attr}"
                    if full == dotted:
                        rewrite(link, rule, "", ctx, editor)

    return change


class RemovedAttribute(Tactic):
    name = "removed_attribute"
    summary = (
        "An attribute that left a standard library or pytest module (collections.Mapping, inspect.getargspec), or a Python 2 helper of any module, "
        "becomes its successor."
    )
    patterns = _PATTERNS
    applicability = Applicability.SAFE
    follows = Follows.LIBRARY
    evidence = ("docs",)
    sources = ("https://docs.python.org/3/whatsnew/", table_testing.PYTEST, table_six.SOURCE)
    heals = (
        Example(
            "an abstract base class of collections",
            {"test_c.py": "import collections\n\n\ndef test_c():\n    assert isinstance({}, collections.Mapping)\n"},
            {"test_c.py": "import collections\nimport collections.abc\n\n\ndef test_c():\n    assert isinstance({}, collections.abc.Mapping)\n"},
        ),
        Example(
            "inspect.getargspec",
            {"test_i.py": "import inspect\n\n\ndef f(a, b):\n    pass\n\n\ndef test_i():\n    assert inspect.getargspec(f).args == ['a', 'b']\n"},
            {"test_i.py": "import inspect\n\n\ndef f(a, b):\n    pass\n\n\ndef test_i():\n    assert inspect.getfullargspec(f).args == ['a', 'b']\n"},
            min_python=(3, 11),
        ),
        Example(
            "a helper for Python 2 of the product's own module",
            {
                "shop.py": "def total(items):\n    return sum(items)\n",
                "test_s.py": "import shop\n\n\ndef test_s():\n    assert isinstance('a', shop.text_type) and shop.total([1]) == 1\n",
            },
            {"test_s.py": "import shop\n\n\ndef test_s():\n    assert isinstance('a', str) and shop.total([1]) == 1\n"},
        ),
    )
    declines = (
        Example(
            "the product's module lacks an attribute",
            {
                "shop.py": "def total(items):\n    return sum(items)\n",
                "test_s.py": "import shop\n\n\ndef test_s():\n    assert shop.mean([1, 3]) == 2\n",
            },
            why="nothing says what became of shop.mean",
        ),
    )

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """AttributeErrors of modules."""
        found = missing(failure)
        return found is not None and found.kind == "attribute" and not found.of_object

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The documented successor at every use, in every failing file."""
        found = _lacking(failure, ctx)
        if found is None:
            return
        dotted = f"{found.module}.{found.name}"
        rule = table_stdlib.RULES.get(dotted) or table_testing.RULES.get(dotted)
        if rule is None and not any(True for _ in migrations.renamed(found.module, found.name, ctx.live)):
            rule = table_six.compat_rule(found.module, found.name)
        if rule is None:
            return
        paths, nodeids = group_of(found, ctx, failure)
        fact = Evidence("docs", f"the documentation names {rule.to} for {dotted}" + (f" ({rule.note})" if rule.note else ""), rule.source, 0.85)
        text = f"{dotted} is replaced by its documented successor {rule.to}"
        p = edit_files(self.name, rewrite_chain(dotted, rule, ctx), paths, ctx, nodeids=nodeids, evidence=[fact], meaning=f"{dotted} is {rule.to}",
                       explanation=text, cause_key=found.key, safe=rule.same, score=0.9 if rule.same else 0.6)  # fmt: skip
        if p is not None:
            yield p


class RemovedMethod(Tactic):
    name = "removed_method"
    summary = "A method that was removed under its old name (assertEquals, failUnless, isAlive, tostring) is called by its present one."
    patterns = _PATTERNS
    applicability = Applicability.SAFE
    follows = Follows.LIBRARY
    evidence = ("docs",)
    sources = (table_testing.TESTCASE_SOURCE, table_testing.UNITTEST)
    heals = (
        Example(
            "assertEquals and assert_",
            {
                "test_t.py": "import unittest\n\n\nclass TestT(unittest.TestCase):\n    def test_t(self):\n"
                "        self.assertEquals(1, 1)\n        self.failUnless(True)\n",
            },
            {
                "test_t.py": "import unittest\n\n\nclass TestT(unittest.TestCase):\n    def test_t(self):\n"
                "        self.assertEqual(1, 1)\n        self.assertTrue(True)\n",
            },
            min_python=(3, 12),
        ),
        Example(
            "a name that unittest dropped long ago",
            {
                "test_t.py": "import unittest\n\n\nclass TestT(unittest.TestCase):\n    def test_t(self):\n        self.assertItemsEqual([1, 2], [2, 1])\n"  # noqa: E501
            },
            {
                "test_t.py": "import unittest\n\n\nclass TestT(unittest.TestCase):\n    def test_t(self):\n        self.assertCountEqual([1, 2], [2, 1])\n"  # noqa: E501
            },
        ),
    )
    declines = (
        Example(
            "a method of the product",
            {
                "shop.py": "class Cart:\n    pass\n",
                "test_t.py": "from shop import Cart\n\n\ndef test_t():\n    assert Cart().isAlive()\n",
            },
            why="isAlive of a product class is not threading's",
        ),
        Example(
            "a method of the product's own Thread",
            {
                "forum.py": "class Thread:\n    def is_alive(self):\n        return True\n",
                "test_t.py": "from forum import Thread\n\n\ndef test_t():\n    assert Thread().isAlive()\n",
            },
            why="the class has the name of threading's and is another one",
        ),
    )

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """AttributeErrors of objects."""
        found = missing(failure)
        return found is not None and found.kind == "attribute" and found.of_object

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """All retired methods of the failing files at once."""
        found = _lacking(failure, ctx)
        if found is None:
            return
        if found.name in table_testing.TESTCASE_METHODS:
            table, source = table_testing.TESTCASE_METHODS, table_testing.TESTCASE_SOURCE
            if any(found.name == d.name for d in ctx.symbols.find(found.name)):
                return
        elif (row := table_stdlib.METHODS.get(found.name)) is not None and found.module.rpartition(".")[2] in row[0]:
            if any(d.kind == "class" for d in ctx.symbols.find(found.module.rpartition(".")[2])):
                return  # the project has a class of that name, and the message tells no more than the name
            table, source = {found.name: row[1]}, row[2]
        else:
            return
        new = table[found.name]
        paths, nodeids = _method_group(found.name, failure, ctx)
        fact = Evidence("docs", f"{found.name} was removed, its documented name is {new}", source, 0.9)
        text = f"{found.name} is {new}"
        p = edit_files(self.name, _rename_methods(table), paths, ctx, nodeids=nodeids, evidence=[fact], meaning=text, explanation=text,
                       cause_key=f"attribute::{found.name}", safe=True, score=0.9)  # fmt: skip
        if p is not None:
            yield p


def _method_group(name: str, failure: Failure, ctx: Context) -> tuple[list[str], list[str]]:
    """All failures that lack the same method, whatever the test class is called."""
    paths: dict[str, None] = {}
    nodeids: dict[str, None] = {}
    for f in (failure, *ctx.failures):
        got = _lacking(f, ctx)
        if got is not None and got.of_object and got.name == name:
            paths[got.path] = None
            nodeids[f.nodeid] = None
    return list(paths), list(nodeids)


def _rename_methods(table: dict[str, str]) -> Callable[[FileEditor], None]:
    def change(editor: FileEditor) -> None:
        for node in ast.walk(editor.tree):
            if isinstance(node, ast.Attribute) and node.attr in table and isinstance(editor.up.get(node), ast.Call):
                end = editor.src.span(node)[1]
                editor.replace(end - len(node.attr), end, table[node.attr])

    return change


class AsyncioCoroutine(Tactic):
    name = "asyncio_coroutine"
    summary = "A generator coroutine (@asyncio.coroutine, yield from) becomes async def and await."
    patterns = _PATTERNS
    applicability = Applicability.SAFE
    evidence = ("docs",)
    sources = (_WHATSNEW,)
    heals = (
        Example(
            "a decorated helper",
            {
                "test_a.py": "import asyncio\n\n\n@asyncio.coroutine\ndef work():\n    yield from asyncio.sleep(0)\n    return 1\n\n\n"
                "def test_a():\n    assert asyncio.run(work()) == 1\n",
            },
            {
                "test_a.py": "import asyncio\n\n\nasync def work():\n    await asyncio.sleep(0)\n    return 1\n\n\n"
                "def test_a():\n    assert asyncio.run(work()) == 1\n",
            },
            min_python=(3, 11),
        ),
    )
    declines = (
        Example(
            "a bare yield",
            {"test_a.py": "import asyncio\n\n\n@asyncio.coroutine\ndef work():\n    yield\n\n\ndef test_a():\n    asyncio.run(work())\n"},
            why="a bare yield has no equivalent in async def",
            min_python=(3, 11),
        ),
    )

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """``asyncio`` has no ``coroutine``."""
        found = missing(failure)
        return found is not None and found.module == "asyncio" and found.name == "coroutine"

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """Every decorated function of the failing files."""
        found = missing(failure)
        if found is None or not raised_in_tests(failure, found, ctx):
            return
        paths, nodeids = group_of(found, ctx, failure)
        fact = Evidence("docs", "asyncio.coroutine was removed in Python 3.11, async def takes its place", _WHATSNEW, 0.9)
        p = edit_files(self.name, _to_async, paths, ctx, nodeids=nodeids, evidence=[fact], meaning="generator coroutines are async functions",
                       explanation="@asyncio.coroutine functions become async def with await", cause_key=found.key, safe=True, score=0.85)  # fmt: skip  # noqa: E501
        if p is not None:
            yield p


def _to_async(editor: FileEditor) -> None:
    src = editor.src
    for f in functions(editor.tree):
        marks = [d for d in f.decorator_list if src.segment(d) == "asyncio.coroutine"]
        if not marks or isinstance(f, ast.AsyncFunctionDef):
            continue
        own = list(_own_nodes(f))
        if any(isinstance(n, ast.Yield) for n in own):
            raise EditError(f"line {f.lineno}: a bare yield")
        for d in marks:
            editor.replace(src.line_start(d.lineno), src.line_start((d.end_lineno or d.lineno) + 1), "")
        start, _ = src.span(f)
        editor.replace(start, start, "async ")
        for n in own:
            if isinstance(n, ast.YieldFrom):
                begin, inner = src.span(n)[0], src.span(n.value)[0]
                head = src.text[begin:inner]
                editor.replace(begin, inner, "await " + head.replace("yield", "", 1).lstrip().removeprefix("from").lstrip())


def _own_nodes(f: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(f):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        yield child
        yield from _own_nodes(child)
