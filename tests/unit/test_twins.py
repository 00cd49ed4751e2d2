"""Mutants found again in another version of a file, and those that no run can show."""

from __future__ import annotations

import pytest

from pytest_maestro_healer.prove.mutants import mutants
from pytest_maestro_healer.prove.twins import twins, unchanged

EVERY = frozenset(range(1, 100))
ONE = b"class Cart:\n    def total(self, a):\n        if a > 3:\n            return a * 2\n        return a\n"


def found(old: bytes, new: bytes, executed: frozenset[int] = EVERY) -> list[tuple[str, str, str]]:
    return [(a.qualname, b.qualname, a.text) for a, b in twins(old, new, executed).items()]


def test_lines_and_layout_do_not_matter() -> None:
    new = b"# moved\n\n\n" + ONE.replace(b"a > 3", b"(a\n                >  3)")
    assert len(found(ONE, new)) == len(mutants("m.py", ONE, None, 50)) > 4
    assert unchanged(ONE, new) == {"Cart.total"}


def test_only_what_ran_counts() -> None:
    assert {text for *_, text in found(ONE, ONE, frozenset({5}))} == {"return a"}


def test_what_was_changed_is_not_common() -> None:
    new = ONE.replace(b"a > 3", b"a > 4")
    assert "a > 3" not in {text for *_, text in found(ONE, new)}
    assert "a * 2" in {text for *_, text in found(ONE, new)}
    assert unchanged(ONE, new) == frozenset()


def test_a_renamed_function_is_known_by_its_code() -> None:
    new = ONE.replace(b"total", b"grand_total")
    assert {pair[:2] for pair in found(ONE, new)} == {("Cart.total", "Cart.grand_total")}
    assert unchanged(ONE, new) == {"Cart.grand_total"}
    assert found(ONE, new + ONE.replace(b"total", b"other_total").replace(b"Cart", b"Till")) == []  # which of the two?


def test_an_expression_that_is_there_more_often_now_is_none_of_them() -> None:
    new = ONE.replace(b"        return a\n", b"        a = a * 2\n        return a\n")
    assert "a * 2" not in {text for *_, text in found(ONE, new)}


@pytest.mark.parametrize("broken", [b"", b"def f(:\n", b"\xff\xfe"])
def test_what_cannot_be_read_has_nothing_in_common(broken: bytes) -> None:
    assert found(ONE, broken) == found(broken, ONE) == []
    assert unchanged(broken, ONE) == unchanged(ONE, broken) == frozenset()


# -- equivalent mutants ------------------------------------------------------------------------------------------
def changes(body: str) -> list[str]:
    return [m.what for m in mutants("m.py", f"def f(a, b, log=None):\n    {body}\n".encode(), None, 50)]


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("return a + 0", "Add replaced by Sub"),
        ("a -= 0\n    return a", "Sub replaced by Add"),
        ("if a > b: a = b\n    return a", "Gt replaced by GtE"),
        ("if a.x <= 5: a.x = 5\n    return a", "LtE replaced by Lt"),
        ("return a if a < b else b", "Lt replaced by LtE"),
        ("return b if a < b else a", "Lt replaced by LtE"),
        ("log.info('text')\n    return a", "text changed"),
        ("self._logger.debug('text', a + b)\n    return a", "Add replaced by Sub"),
        ("'a bare text'\n    'another'\n    return a", "text changed"),
    ],
)
def test_what_no_run_can_show_is_no_mutant(body: str, what: str) -> None:
    assert what not in changes(body)
    assert changes(body) != []


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("return a + 1", "Add replaced by Sub"),
        ("if a > b: a = 3\n    return a", "Gt replaced by GtE"),
        ("if a > b: a = b\n    else: b = 7\n    return a, b", "Gt replaced by GtE"),
        ("if a() > b: a = b\n    return a", "Gt replaced by GtE"),
        ("return a if a < b else 9", "Lt replaced by LtE"),
        ("return a if a == b else b", "Eq replaced by NotEq"),
        ("catalog.add('text')\n    return a", "text changed"),
        ("return log.error('text')", "text changed"),
        ("return max(a, 5)", "5 replaced by 6"),
    ],
)
def test_what_a_run_can_show_stays_one(body: str, what: str) -> None:
    assert what in changes(body)


def test_mutants_of_the_same_code_are_one() -> None:
    """``not a`` for ``a`` asked twice over gives one other function, not two."""
    found = mutants("m.py", b"def f(a):\n    return None if (1 if a else 0) else 1\n", None, 50)
    assert len({(m.code.co_code, m.code.co_consts) for m in found}) == len(found)


def test_a_mutant_says_what_it_changes_and_where() -> None:
    made = mutants("shop/cart.py", b"def f(a):\n    if a > 0:\n        raise ValueError(a)\n    return a\n", None, 50, named=True)
    told = {m.told for m in made}
    assert {
        "`a > 0` -> `a >= 0` at shop/cart.py:2",
        "`a > 0` -> `not a > 0` at shop/cart.py:2",
        "`return a` -> `return None` at shop/cart.py:4",
    } <= told
    assert "`raise ValueError(a)` -> `pass` at shop/cart.py:3" in told
    assert all(m.identity is not None and m.identity.qualname == "f" for m in made)
