"""The structural edit: only what differs, everything else byte for byte."""

from __future__ import annotations

import ast
import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_maestro_healer.capture.values import snapshot
from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.strategies.assertion_update.render import Unwritable, Writer
from pytest_maestro_healer.strategies.assertion_update.structure import Differ


def healed(expression: str, new: Any, scope: dict[str, Any] | None = None, head: str = "") -> str:
    """``expression`` after the edit that makes it ``new``."""
    src = SourceFile("t.py", f"{head}x = {expression}\n".encode())
    assert src.tree is not None
    node = src.tree.body[-1].value  # type: ignore[attr-defined]
    old = eval(expression, scope if scope is not None else {})
    splices = Differ(src, Writer(src)).edit(node, snapshot(old), snapshot(new))
    after = src.with_edits([src.replace(s.start, s.end, s.text) for s in splices])
    return after.text[len(head) + 4 : -1]


@pytest.mark.parametrize(
    ("before", "new", "after"),
    [
        ("[1, 2, 3]", [1, 4, 3], "[1, 4, 3]"),
        ("[1, 2, 3]", [1, 3], "[1, 3]"),
        ("[1, 2]", [1, 2, 3], "[1, 2, 3]"),
        ("[1,  2]", [0, 1, 2], "[0, 1,  2]"),
        ("(1,)", (1, 2), "(1, 2)"),
        ("(1, 2)", (2,), "(2,)"),
        ("[]", [1, "a"], '[1, "a"]'),
        ("{}", {"a": 1}, '{"a": 1}'),
        ("[1]", [], "[]"),
        ("{1, 2}", {1, 3}, "{1, 3}"),
        ("{1}", set(), "set()"),
        ("{'a': 1, 'b': [1, 2]}", {"a": 1, "b": [1]}, "{'a': 1, 'b': [1]}"),
        ("{'a': 1, 'b': 2}", {"b": 2}, "{'b': 2}"),
        ("{'old': [1, 2], 'b': 2}", {"new": [1, 2], "b": 2}, "{'new': [1, 2], 'b': 2}"),
        ("[\n    1,  # one\n    2,  # two\n]", [1, 5, 7], "[\n    1,  # one\n    5,  # two\n    7,\n]"),
        ("[\n    1,\n    2\n]", [1, 2, 3], "[\n    1,\n    2,\n    3\n]"),
        ("[\n    1,\n    2\n]", [1], "[\n    1\n]"),
        ("{\n    'a': 1,\n    'b': 2,  # gone\n    'c': 3,\n}", {"a": 1, "c": 3, "d": 4}, "{\n    'a': 1,\n    'c': 3,\n    'd': 4,\n}"),
        ("dict(a=1, b='x')", {"a": 1, "b": "y"}, "dict(a=1, b='y')"),
        ("1.50", 2.25, "2.25"),
        ("2.50", 3.5, "3.50"),
        ("-1", 2, "2"),
        ("'x'", None, "None"),
        ("'say hi'", 'say "hi"', "'say \"hi\"'"),
        ('"say hi"', 'say "hi"', "'say \"hi\"'"),
        ("['a', \"b\"]", ["a", "c"], "['a', \"c\"]"),
        ("('a\\n'\n     'b\\n')", "a\nc\n", "('a\\n'\n     'c\\n')"),
    ],
)
def test_displays(before: str, new: Any, after: str) -> None:
    assert healed(before, new) == after


def test_calls_change_their_arguments_only() -> None:
    import datetime
    import decimal

    scope = {"datetime": datetime.datetime, "timezone": datetime.timezone, "Decimal": decimal.Decimal}
    head = "from datetime import datetime, timezone\nfrom decimal import Decimal\n"
    new = datetime.datetime(2020, 1, 3, 4, tzinfo=datetime.timezone.utc)
    assert healed("datetime(2020, 1, 2, 4)", new, scope, head) == "datetime(2020, 1, 3, 4, tzinfo=timezone.utc)"
    assert healed("[Decimal('1.50')]", [decimal.Decimal("1.75")], scope, head) == "[Decimal('1.75')]"


def test_computed_parts_stay_or_are_declined() -> None:
    assert healed("[len('abc'), 2]", [3, 5]) == "[len('abc'), 5]"
    with pytest.raises(Unwritable):
        healed("[len('abc'), 2]", [4, 2])


def test_dedented_texts_keep_their_indentation() -> None:
    import textwrap

    before = 'dedent("""\\\n    a\n    b\n    """)'
    after = 'dedent("""\\\n    a\n    c\n    d\n    """)'
    assert healed(before, "a\nc\nd\n", {"dedent": textwrap.dedent}) == after


_LEAVES = st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=8)
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=12,
)


@given(_TREES, _TREES)
def test_any_value_becomes_any_other(old: Any, new: Any) -> None:
    text = healed(repr(old), copy.deepcopy(new))
    assert ast.literal_eval(text) == new
