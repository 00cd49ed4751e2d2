"""Values of parametrize that can be read only once, which pytest deprecated: they are made a list."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, Proposal
from pytest_maestro_healer.strategies.base import Example, Tactic
from pytest_maestro_healer.strategies.dependency_fix.build import edit_files
from pytest_maestro_healer.strategies.dependency_fix.editor import FileEditor
from pytest_maestro_healer.strategies.dependency_fix.table_testing import PYTEST

_MESSAGE = "Passing a non-Collection iterable to parametrize"
_TEST = re.compile(r"Test: \S*?(\w+), argvalues type")
_LAZY = frozenset({"map", "filter", "zip", "iter", "reversed", "enumerate"})
_CHAIN = "import itertools\n\nimport pytest\n\n\n@pytest.mark.parametrize('n', {})\ndef test_n(n):\n    assert n > 0\n"
_OTHER = "\n\n@pytest.mark.parametrize('n', {})\ndef test_m(n):\n    assert n > 0\n"


class ParametrizeIterator(Tactic):
    name = "parametrize_iterator"
    summary = "The values that parametrize takes from an iterator or a generator are made a list, which gives the same test cases."
    applicability = Applicability.SAFE
    evidence = ("docs",)
    sources = (PYTEST + "#non-collection-iterables-in-pytest-mark-parametrize",)
    heals = (
        Example(
            "a chain and a generator",
            {"test_n.py": _CHAIN.format("itertools.chain([1], (2,))") + _OTHER.format("(x for x in (1, 2))")},
            {"test_n.py": _CHAIN.format("list(itertools.chain([1], (2,)))") + _OTHER.format("list(x for x in (1, 2))")},
            args=("-W", "error:Passing a non-Collection"),
            needs=("_pytest.nodeid",),
        ),
    )
    declines = (
        Example(
            "one iterator for two tests",
            {
                "test_n.py": "import pytest\n\nNUMBERS = iter([1, 2])\n\n\n@pytest.mark.parametrize('n', NUMBERS)\n"
                "def test_n(n):\n    assert n > 0\n\n\n"
                "@pytest.mark.parametrize('n', NUMBERS)\ndef test_m(n):\n    assert n > 0\n"
            },
            why="the second test never got any values: what it was to get has to be said",
            args=("-W", "error:Passing a non-Collection"),
            needs=("_pytest.nodeid",),
        ),
    )

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """pytest's own message."""
        return _MESSAGE in failure.message

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """Every parametrize of the failing files whose values are an iterator."""
        group = [failure, *(f for f in ctx.failures if f.nodeid != failure.nodeid and _MESSAGE in f.message)]
        named = {m[1] for f in group for m in _TEST.finditer(f.message)}
        fact = Evidence("docs", "pytest asks for a list or tuple, which holds the same values", self.sources[0], 0.95)
        p = edit_files(
            self.name,
            lambda editor: _listed(editor, named),
            dict.fromkeys(f.path for f in group),
            ctx,
            nodeids=[f.nodeid for f in group],
            evidence=[fact],
            meaning="the values of parametrize are a list",
            explanation="the values that parametrize takes from an iterator are made a list",
            cause_key="parametrize iterator",
            safe=True,
            score=0.95,
        )
        if p is not None:
            yield p


def _listed(editor: FileEditor, named: set[str]) -> None:
    """Wrap what is an iterator by its looks, and what pytest says is one."""
    for owner, values in _values(editor.tree):
        if _is_lazy(values) or (owner in named and _once(values, editor.tree)):
            start, end = editor.src.span(values)
            bare = isinstance(values, ast.GeneratorExp)
            editor.replace(start, start, "list" if bare else "list(")
            if not bare:
                editor.replace(end, end, ")")


def _values(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """(function or class, argument values) of every parametrize decorator."""
    for node in ast.walk(tree):
        for d in getattr(node, "decorator_list", ()):
            if isinstance(d, ast.Call) and isinstance(d.func, ast.Attribute) and d.func.attr == "parametrize":
                given = [*d.args[1:2], *(k.value for k in d.keywords if k.arg == "argvalues")]
                if given:
                    yield str(getattr(node, "name", "")), given[0]


def _is_lazy(values: ast.expr) -> bool:
    if isinstance(values, ast.GeneratorExp):
        return True
    if not isinstance(values, ast.Call):
        return False
    f = values.func
    return (isinstance(f, ast.Name) and f.id in _LAZY) or (
        isinstance(f, ast.Attribute) and isinstance(f.value, ast.Name) and f.value.id == "itertools"
    )


def _once(values: ast.expr, tree: ast.Module) -> bool:
    """Whether an expression may be made a list: a call (it gives a new iterator) or a name that nothing else reads."""
    if isinstance(values, ast.Name):
        return sum(1 for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == values.id and isinstance(n.ctx, ast.Load)) == 1
    return isinstance(values, ast.Call)
