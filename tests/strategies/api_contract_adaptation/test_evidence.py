# ruff: noqa: E501 - sources as one literal each
"""Body likeness, renamed strings, deprecation texts, and the migration tables."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pytest_maestro_healer.evidence import migrations, notes
from pytest_maestro_healer.evidence.git import Hunk
from pytest_maestro_healer.evidence.literals import string_pairs
from pytest_maestro_healer.evidence.live import Live
from pytest_maestro_healer.evidence.similarity import definitions, likeness, replaced

TOTAL = "def total(items, start=0):\n    '''Add up.'''\n    result = start\n    for item in items:\n        result += item.price * item.count\n    return result\n"


def alike(old: str, new: str) -> float:
    one, two = definitions(ast.parse(old)), definitions(ast.parse(new))
    return likeness(next(iter(one.values())), next(iter(two.values())))


@pytest.mark.parametrize(
    ("change", "low", "high"),
    [
        (("total", "grand_sum"), 1, 1),
        (("result", "value"), 1, 1),
        (("'''Add up.'''", "'''Something else entirely.'''"), 1, 1),
        (("item.price", "item.cost"), 0.85, 0.999),
        (("        result += item.price * item.count\n", "        yield item\n"), 0, 0.7),
    ],
)
def test_likeness_sees_code_not_names(change: tuple[str, str], low: float, high: float) -> None:
    assert low <= alike(TOTAL, TOTAL.replace(*change)) <= high


def test_a_recursive_function_is_like_itself_under_another_name() -> None:
    old = "def fact(n):\n    return 1 if n < 2 else n * fact(n - 1)\n"
    assert alike(old, old.replace("fact", "factorial")) == 1
    assert alike(old, old.replace("def fact", "def factorial")) < 1


def test_a_value_is_not_like_a_function() -> None:
    assert alike("a = 1\n", "def a():\n    return 1\n") == 0


def test_what_took_whose_place() -> None:
    old, new = (ast.parse(t).body[0] for t in ("def f(a):\n    return a + 3\n", "def f(b, n):\n    return b + n\n"))
    assert dict(replaced(old, new)) == {("a", "b"): 1} | {k: v for k, v in replaced(old, new).items() if k != ("a", "b")}


def test_definitions_know_properties_attributes_and_classes() -> None:
    tree = ast.parse(
        "X = 1\n\n\nclass A:\n    k = 2\n\n    def __init__(self):\n        self.n = 3\n\n    @property\n    def p(self): ...\n\n    @p.setter\n    def p(self, v): ...\n\n    @staticmethod\n    def s(): ...\n"
    )
    kinds = {q: d.kind for q, d in definitions(tree).items()}
    assert kinds == {
        "X": "variable",
        "A": "class",
        "A.k": "attribute",
        "A.__init__": "method",
        "A.n": "attribute",
        "A.p": "property",
        "A.s": "staticmethod",
    }


@pytest.mark.parametrize(
    ("removed", "added", "pairs"),
    [
        (["x = {'cost': 1}"], ["x = {'price': 1}"], [("cost", "price")]),
        (["add('--size', type=int)"], ["add('--count', type=int)"], [("--size", "--count")]),
        (["x = 'a'"], ["y = f(2)"], []),
        (["x = 'a'"], [], []),
        (["f('a', 'b')"], ["f('b', 'a')"], []),
    ],
)
def test_strings_that_took_each_others_place(removed: list[str], added: list[str], pairs: list[tuple[str, str]]) -> None:
    got = string_pairs([Hunk("m.py", "m.py", 1, 1, tuple(removed), tuple(added))])
    assert [(p.old, p.new) for p in got] == pairs


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("'parse_x' is deprecated and will be removed in 2.4. Use 'Authorization.from_header' instead.", ["Authorization.from_header"]),
        ("f() is deprecated, use g() instead", ["g"]),
        ("old was renamed to new_name in 2.0", ["new_name"]),
        ("This has been replaced by `pkg.other`.", ["pkg.other"]),
        ("x is deprecated in favor of y.z", ["y.z"]),
        ("Importing it from 'pkg.mod' works", ["pkg.mod"]),
        ("this is deprecated and will be removed", []),
    ],
)
def test_successors_named_by_a_warning(text: str, names: list[str]) -> None:
    assert [w.name for w in notes.successors_in(text)] == names


class Documented:
    def renamed(self) -> None:
        """Do it. Renamed from ``former``."""

    def unrelated(self) -> None:
        """Something about former times."""


def test_a_docstring_that_names_the_old_name() -> None:
    found = notes.documented(Documented, "former")
    assert found is not None
    assert found[0] == "renamed"
    assert notes.documented(Documented, "never") is None


def test_tables_are_well_formed() -> None:
    rows = [r for t in migrations.tables() for r in (*t.rows(), *t.parameter_rows())]
    assert len(rows) > 300
    for row in rows:
        assert row.source.startswith("https://"), row
        assert row.old.isidentifier(), row
        assert all(p.isidentifier() for p in row.new.lstrip(".").split(".") if p), row
        assert row.new.lstrip(".") != row.old, row


def test_a_row_counts_only_where_its_successor_exists() -> None:
    live = Live(Path.cwd())
    assert list(migrations.renamed("pytest", "yield_fixture", live))
    assert not list(migrations.renamed("shop", "yield_fixture", live))
