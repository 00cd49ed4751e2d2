"""Edits inside string literals keep quotes, escapes and pieces, and give exactly the new value."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_maestro_healer.strategies.assertion_update.strings import Pieces, Splice, escape, quoted


def spliced(text: str, splices: list[Splice]) -> str:
    for s in sorted(splices, key=lambda s: -s.start):
        text = text[: s.start] + s.text + text[s.end :]
    return text


@pytest.mark.parametrize(
    ("source", "new", "after"),
    [
        ('"a\\tb"', "a\tc'\"", '"a\\tc\'\\""'),
        ('"usage: x\\n"  # one\n"done\\n"', "usage: x y\ndone\n", '"usage: x y\\n"  # one\n"done\\n"'),
        ("r'a\\d+'", "a\\d*", "r'a\\d*'"),
        ('"""a\nb\nc\n"""', "a\nB\nc\nd\n", '"""a\nB\nc\nd\n"""'),
        ('"\\u00e9x"', "\u00e9y", '"\\u00e9y"'),
        ('"a" + "b"', "ac", '"a" + "c"'),
    ],
)
def test_only_what_differs_is_spliced(source: str, new: str, after: str) -> None:
    pieces = Pieces(source, 0, len(source))
    assert pieces.value == eval(f"({source})")
    splices = pieces.edit(new)
    assert splices is not None
    assert spliced(source, splices) == after


def test_the_computed_parts_of_an_f_string_stay() -> None:
    source = "f\"x {a['k']!r:>{w}} {{y}} z\""
    pieces = Pieces(source, 0, len(source))
    assert pieces.holes
    assert pieces.filled("x 1 {y} z")
    splices = pieces.edit("X 1 {q} z")
    assert splices is not None
    assert spliced(source, splices) == "f\"X {a['k']!r:>{w}} {{q}} z\""
    assert pieces.edit("x 2 {y} z") is None


def test_ambiguous_holes_are_declined() -> None:
    source = 'f"{a}-{b}"'
    assert not Pieces(source, 0, len(source)).filled("1-2-3")


def test_what_a_raw_literal_cannot_hold() -> None:
    source = "r'a'"
    assert Pieces(source, 0, len(source)).edit("a'b") is None


@given(old=st.text(max_size=30), new=st.text(max_size=30), quote=st.sampled_from(["'", '"', '"""', "'''"]))
def test_any_change_in_any_quotes_gives_the_new_value(old: str, new: str, quote: str) -> None:
    old, new = (t.replace("\r", "") for t in (old, new))
    token = Pieces(f"{quote}x{quote}", 0, 3 + 2 * len(quote) - 2).tokens[0]
    body = escape(old, token)
    assert body is not None
    source = f"{quote}{body}{quote}"
    if ast.literal_eval(source) != old:
        return  # the quotes met the text's end: not a literal of this value
    pieces = Pieces(source, 0, len(source))
    assert pieces.value == old
    splices = pieces.edit(new)
    assert splices is not None
    healed = spliced(source, splices)
    assert ast.literal_eval(healed) == new


@given(st.text(max_size=40), st.sampled_from(["'", '"']))
def test_a_new_literal_is_the_value(value: str, quote: str) -> None:
    assert ast.literal_eval(quoted(value, quote)) == value
