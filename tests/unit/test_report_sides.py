"""Two sides of a change: rows, pairs of lines, and what differs inside them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_maestro_healer.model import FileChange
from pytest_maestro_healer.report import sides as module
from pytest_maestro_healer.report.sides import Row, Side, Sides, inline, sides


def of(before: str | bytes, after: str | bytes) -> Sides:
    old, new = (t.encode() if isinstance(t, str) else t for t in (before, after))
    return sides(FileChange.of("tests/test_a.py", old, new))


def text(side: Side) -> str:
    return "".join(t for t, _ in side.parts)


def kinds(found: Sides) -> list[str]:
    return [r.kind for r in found.rows]


def test_a_changed_line_stands_beside_its_successor_with_the_difference_marked() -> None:
    found = of("a = 1\nassert f(1) == 'old name'\n", "a = 1\nassert f(1) == 'new name'\n")
    assert kinds(found) == ["same", "change"]
    row = found.rows[1]
    assert (row.left.number, row.right.number) == (2, 2)
    assert [t for t, differs in row.left.parts if differs] == ["old"]
    assert [t for t, differs in row.right.parts if differs] == ["new"]
    assert (found.added, found.removed, found.more) == (1, 1, 0)


def test_a_new_line_before_a_changed_one_does_not_push_the_pairs_apart() -> None:
    found = of("x = call(mode='fast')\ny = call(mode='slow')\n", "import sys\nx = call(speed='fast')\ny = call(speed='slow')\n")
    assert kinds(found) == ["insert", "change", "change"]
    assert text(found.rows[2].left) == "y = call(mode='slow')"


def test_lines_with_nothing_in_common_are_another_line() -> None:
    assert kinds(of("alpha()\n", "x = {1: 2}\n")) == ["delete", "insert"]
    assert inline("alpha", "12345")[0] == (("alpha", False),)


def test_what_is_far_from_a_change_is_left_out_and_counted() -> None:
    lines = [f"line {i}" for i in range(40)]
    before = "\n".join(lines) + "\n"
    after = before.replace("line 20\n", "line twenty\n")
    rows = of(before, after).rows
    assert [r.kind for r in rows] == ["skip", "same", "same", "same", "change", "same", "same", "same", "skip"]
    assert (rows[0].skipped, rows[-1].skipped) == (17, 16)
    assert rows[1].left.number == 18


def test_a_single_line_is_shown_rather_than_said_to_be_left_out() -> None:
    found = of("\n".join("abcdefghi") + "\n", "\n".join("Abcdefghi") + "\n")
    assert "skip" in kinds(found)
    assert "skip" not in kinds(of("\n".join("abcde") + "\n", "\n".join("Abcde") + "\n"))


def test_a_missing_last_newline_is_said_and_counts_as_no_line() -> None:
    found = of("a\n", "a")
    assert found.rows[-1] == Row("end", Side(), Side(note="no newline at the end"))
    assert (found.added, found.removed) == (0, 0)
    assert of("a", "a\n").rows[-1].left.note
    assert kinds(of("a", "b")) == ["delete", "insert"]


def test_carriage_returns_are_hidden_where_all_lines_have_one_and_shown_where_not() -> None:
    assert text(of("a\r\nb\r\n", "a\r\nc\r\n").rows[0].left) == "a"
    assert text(of("a\r\nb\n", "a\r\nc\n").rows[0].left) == "a\\r"


def test_control_characters_are_shown_and_never_passed_on() -> None:
    found = of("x = 1\n", "x = '\x1b[31m\u202e\u200b'\n")
    assert "\x1b" not in str(found)
    assert "\\x1b[31m\\u202e\\u200b" in text(found.rows[-1].right)


def test_bytes_that_are_no_text_and_empty_files_are_no_error() -> None:
    assert of(b"# \xff\n", b"# \xfe\n").rows
    assert kinds(of("", "a\n")) == ["insert"]
    assert kinds(of("a\n", "")) == ["delete"]


def test_a_huge_change_is_cut_and_said() -> None:
    found = of("".join(f"a{i}\n" for i in range(3000)), "".join(f"b{i}\n" for i in range(3000)))
    assert len(found.rows) == module.MAX_ROWS
    assert found.more == 3000 - module.MAX_ROWS
    long = of("x\n", "y" * 10_000 + "\n").rows[-1]
    assert len(text(long.right)) < module.MAX_CHARS + 50
    assert "8000 more characters" in text(long.right)


LINES = st.lists(st.text("ab =('x\t", max_size=8), max_size=14)


@given(LINES, LINES)
def test_the_rows_have_both_files_in_them(old: list[str], new: list[str]) -> None:
    """Nothing is lost or made up: each side's lines, with those left out, are the file's."""
    before, after = ("".join(line + "\n" for line in part) for part in (old, new))
    found = of(before, after)
    for side, lines in (("left", old), ("right", new)):
        at = 0
        for row in found.rows:
            if row.kind == "skip":
                at += row.skipped
                continue
            shown: Side = getattr(row, side)
            if shown.number:
                at += 1
                assert shown.number == at
                assert text(shown) == lines[at - 1]
        assert at == len(lines)
