"""How long tests are waited for under mutants, some of which never end."""

from __future__ import annotations

import time
import types

import pytest

from pytest_maestro_healer.prove.mutants import Mutant
from pytest_maestro_healer.session.mutating import Patience


def of(function: str, path: str = "shop.py") -> Mutant:
    code = next(c for c in compile("def f(): pass", path, "exec").co_consts if isinstance(c, types.CodeType))
    return Mutant(path, function, code, 1, "changed")


def test_tests_are_waited_for_many_times_as_long_as_they_took() -> None:
    assert Patience(0.5).left(of("total")) == pytest.approx(8.0)
    assert Patience(0.5, limit=2.0).left(of("total")) == pytest.approx(2.0)


def test_after_one_that_hung_they_are_waited_for_less_long() -> None:
    patience = Patience(0.5)
    patience.hung(of("total"))
    assert 0.5 < patience.left(of("total")) < 4.0
    assert patience.left(of("price")) == patience.left(of("total"))


def test_where_two_of_a_function_hung_the_others_of_it_are_not_tried() -> None:
    patience = Patience(0.5)
    for _ in range(2):
        patience.hung(of("total"))
    assert patience.left(of("total")) == 0.0
    assert patience.left(of("total", "other.py")) > 0.0, "a namesake elsewhere did not hang"
    assert patience.left(of("price")) > 0.0


def test_all_of_it_ends_in_time() -> None:
    assert 0.0 < Patience(10.0, until=time.monotonic() + 5.0).left(of("total")) <= 5.0
    assert Patience(10.0, until=time.monotonic() - 1.0).left(of("total")) == 0.0
