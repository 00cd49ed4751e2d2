"""Cleaning, measuring and cutting text."""

from __future__ import annotations

import pytest

from pytest_maestro_healer.report.text import and_more, clean, columns, count, cut, cut_line, cut_middle, line, one_line, paint, plain


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("plain [text] ok", "plain [text] ok"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b2J", "\\x9b2J"),
        ("a\rb\nc", "a\\rb\\nc"),
        ("\u202eevil", "\\u202eevil"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("nbsp\u00a0here", "nbsp\\xa0here"),
        ("bom\ufeff", "bom\\ufeff"),
        ("bytes\udcff", "bytes\\udcff"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("\tkept", "\tkept"),
        ("naïve 日本", "naïve 日本"),
    ],
)
def test_clean_leaves_nothing_that_a_terminal_obeys(raw: str, safe: str) -> None:
    assert clean(raw) == safe
    assert clean(safe) == safe


def test_clean_for_an_ascii_terminal() -> None:
    assert clean("naïve → 日", unicode_ok=False) == "na\\xefve \\u2192 \\u65e5"


def test_one_line_joins_lines_and_blanks() -> None:
    assert one_line("  two\n   lines\t here ") == "two lines here"


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("a\tb", 10), ("", 0)])
def test_columns(text: str, width: int) -> None:
    assert columns(text) == width


@pytest.mark.parametrize("unicode_ok", [True, False])
@pytest.mark.parametrize("shorten", [cut, cut_middle])
@pytest.mark.parametrize("text", ["x" * 50, "日本語" * 20, "tests/test_a.py::test_b[" + "p" * 90 + "-last]"])
def test_cutting_keeps_within_the_width_and_marks_the_cut(shorten: object, text: str, unicode_ok: bool) -> None:
    mark = "…" if unicode_ok else "..."
    for width in range(45):
        out = shorten(text, width, unicode_ok)  # type: ignore[operator]
        assert columns(out) <= width
        if width > 4:
            assert mark in out
    assert shorten(text, 500, unicode_ok) == text  # type: ignore[operator]


def test_a_nodeid_keeps_both_its_ends() -> None:
    short = cut_middle("tests/test_orders.py::test_total[" + "1" * 100 + "-ada]", 40)
    assert short.startswith("tests/test_orders")
    assert short.endswith("-ada]")


def test_cut_line_keeps_markup_and_width() -> None:
    row = line(("head", {"bold": True}), " middle ", ("tail", {"red": True}))
    for width in range(1, 16):
        out = cut_line(row, width)
        assert columns(plain(out)) == width
        assert plain(out).endswith("…")
        assert all(markup == dict(row)[text] for text, markup in out if text in dict(row))
    assert cut_line(row, 16) == row


def test_paint_colours_only_when_asked() -> None:
    row = line("a ", ("b", {"green": True, "bold": True, "red": False}))
    assert paint(row, False) == "a b"
    assert paint(row, True) == "a \x1b[32;1mb\x1b[0m"


def test_words() -> None:
    assert [count(n, "strategy", "strategies") for n in (0, 1, 2)] == ["0 strategies", "1 strategy", "2 strategies"]
    assert and_more(["a"]) == ("a", "")
    assert and_more(["a", "b", "c"]) == ("a", " and 2 more")
    assert and_more([]) == ("", "")
