"""A heal beside its original, where the time did not suffice for all mutants."""

from __future__ import annotations

from typing import Any, cast

import pytest

from pytest_maestro_healer.prove.mutants import Mutant, mutants
from pytest_maestro_healer.prove.original import Compared, Original, Past, Seen
from pytest_maestro_healer.prove.runner import Runner, RunReport

LIB = b"def f(x):\n    y = x + 1\n    return y\n"
TEST = b"import lib\n\n\ndef test_f():\n    assert lib.f(1) == 2\n"


class Then:
    """The same product then as now."""

    def bytes_at(self, path: str, rev: str) -> bytes:
        return LIB if path == "lib.py" else TEST


class Now:
    """Whether the healed test notices mutants."""

    def __init__(self, sharp: bool) -> None:
        self.sharp = sharp

    def killed(self, nodeids: object, overlay: object, some: list[Mutant]) -> list[bool]:
        return [self.sharp] * len(some)


def verdict(*, seen: bool, sharp: bool, untried: int) -> tuple[bool | None, str]:
    made = mutants("lib.py", LIB, None, 9, named=True)
    known = tuple(Seen("lib.py", m.identity, "f", True) for m in made if m.identity is not None) if seen else ()
    assert len(made) == 3
    original = Original("HEAD", ("test_lib.py::test_f",), known, untried=untried)
    traced = RunReport({}, executed={"lib.py": frozenset({1, 2, 3})})
    runner: Any = Now(sharp)
    return Compared(cast(Past, Then()), original, cast(Runner, runner), {}, lambda path: LIB, traced).verdict()


@pytest.mark.parametrize("sharp", [True, False])
def test_what_was_not_tried_is_said(sharp: bool) -> None:
    kept, words = verdict(seen=True, sharp=sharp, untried=5)
    assert kept is sharp
    assert words.endswith(" (5 more not tried: the time for that is used up)")
    assert verdict(seen=True, sharp=sharp, untried=0) == (kept, words.removesuffix(" (5 more not tried: the time for that is used up)"))


def test_without_the_time_for_any_nothing_is_compared() -> None:
    assert verdict(seen=False, sharp=True, untried=8) == (None, "not compared with the original: the time for that is used up")
    assert "it noticed no mutant" in verdict(seen=False, sharp=True, untried=0)[1]
