"""What makes a change of the product look half done: the questions that need no project."""

from __future__ import annotations

import pytest

from pytest_maestro_healer.evidence.finished.halves import Edited, slipped, vacuous


@pytest.mark.parametrize(
    ("old", "new", "slip"),
    [("total", "toatl", True), ("price", "prices", True), ("parse", "prase", True), ("label", "lable", True), ("count", "coumt", True),
     ("total", "grand_total", False), ("isAlive", "is_alive", False), ("add", "sub", False), ("load", "fetch", False)],
)  # fmt: skip
def test_a_slip_of_the_keyboard_is_told_from_another_word(old: str, new: str, slip: bool) -> None:
    assert slipped(old, new) is slip


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (b"assert clean(' a ' == 'a'\n", b"assert clean(' a ' == 'a')\n", True),
        (b"assert clean(' a ' == 'a'\n", b"assert clean(' a ') == 'a'\n", False),
        (b"assert all(x == 1 for x in y\n", b"assert all(x == 1 for x in y)\n", False),
        (b"assert f(a == b)\nassert g(\n", b"assert f(a == b)\nassert g()\n", False),
    ],
)
def test_an_assertion_that_compares_within_a_call_is_noticed(before: bytes, after: bytes, found: bool) -> None:
    assert vacuous({"t.py": before}, {"t.py": after}) is found


def test_the_words_of_an_edit() -> None:
    edit = Edited({"t.py": b"from aa import b\nx = b('--old', 1)\n"}, {"t.py": b"from cc import b\nx = b('--new', 1)\n"})
    assert (edit.gone, edit.came, edit.texts) == (["aa", "--old"], ["cc", "--new"], ["--old"])
    assert list(edit.imports()) == [("b", "aa", "cc")]
