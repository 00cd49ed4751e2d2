"""What makes a change of the product look half done: the questions that need no project."""

from __future__ import annotations

import pytest

from pytest_maestro_healer.evidence.finished.halves import Edited, slipped
from pytest_maestro_healer.evidence.finished.repaired import guessed, vacuous


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
        (b"assert clamp(5, 0, 3 == 3\n", b"assert clamp(5, 0, 3 == 3)\n", True),
        (b"assert fee(100, rate=10 == 10\n", b"assert fee(100, rate=10 == 10)\n", True),
        (b"assert not parts('a-b')[0 == 'a'\n", b"assert not parts('a-b')[0 == 'a']\n", True),
        (b"assert parts('a-b')[0 == 'a'\n", b"assert parts('a-b')[0] == 'a'\n", False),
        (b"assert (a == b, 'text'\n", b"assert (a == b, 'text')\n", True),
        (b"assert (a == b, 'text'\n", b"assert (a == b), 'text'\n", False),
        (b"t.assertTrue(share(10, 4 == 2)\n", b"t.assertTrue(share(10, 4 == 2))\n", True),
        (b"t.assertTrue(share(10, 4) == 2\n", b"t.assertTrue(share(10, 4) == 2)\n", False),
        (b"assert f(a == b)\nassert g(\n", b"assert f(a == b)\nassert g()\n", False),
    ],
)
def test_an_assertion_that_compares_within_a_call_is_noticed(before: bytes, after: bytes, found: bool) -> None:
    assert vacuous({"t.py": before}, {"t.py": after}) is found


def test_the_words_of_an_edit() -> None:
    edit = Edited({"t.py": b"from aa import b\nx = b('--old', 1)\n"}, {"t.py": b"from cc import b\nx = b('--new', 1)\n"})
    assert (edit.gone, edit.came, edit.texts) == (["aa", "--old"], ["cc", "--new"], ["--old"])
    assert list(edit.imports()) == [("b", "aa", "cc")]


BROKEN = "def test_a():\n    assert f() %s\n\n\nclass TestB:\n    def test_b(self):\n        assert f()\n"


@pytest.mark.parametrize(
    ("broken", "repaired", "failing", "found"),
    [
        ("== 1 000", "== 1 == 000", ["t.py::test_a"], "t.py::test_a"),
        ("== 1 000", "== 1 == 000", ["t.py::test_a[1]"], "t.py::test_a[1]"),
        ("== 1 000", "== 1 == 000", [], ""),
        ("== 1 000", "== 1 == 000", ["t.py::TestB::test_b"], ""),
        ("== (1", "== (1)", ["t.py::test_a"], ""),
        ("== 'a", "== 'a'", ["t.py::test_a"], ""),
        ("is no False", "is not False", ["t.py::test_a"], "t.py::test_a"),
    ],
)
def test_a_guess_that_no_passing_test_confirms(broken: str, repaired: str, failing: list[str], found: str) -> None:
    before, after = ({"t.py": (BROKEN % text).encode()} for text in (broken, repaired))
    assert guessed(before, after, failing, lambda _: None) == found
    assert guessed(before, after, failing, after.get) == "", "the committed file says the same"


def test_a_guess_beside_the_tests_concerns_them_all() -> None:
    assert guessed(
        {"t.py": b"N = 1 0\n\n\ndef test_a():\n    assert N\n"},
        {"t.py": b"N = 10\n\n\ndef test_a():\n    assert N\n"},
        ["t.py::test_a"],
        lambda _: b"",
    )
