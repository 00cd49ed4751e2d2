"""The semantic guard: every weakening is refused with its reason, every honest rewrite is let through."""

from __future__ import annotations

import pytest

from pytest_maestro_healer.edit.guards import check
from pytest_maestro_healer.edit.source import SourceFile
from tests.unit.guard_cases import HONEST_BODIES, HONEST_MODULES, REFUSED_BODIES, REFUSED_MODULES, body

REFUSED = [(n, body(a), body(b), w) for n, a, b, w in REFUSED_BODIES] + REFUSED_MODULES
HONEST = [(n, body(a), body(b)) for n, a, b in HONEST_BODIES] + HONEST_MODULES


def guard(before: str, after: str, **kwargs: object) -> list[str]:
    path = "tests/test_x.py"
    return check(SourceFile(path, before.encode()), SourceFile(path, after.encode()), **kwargs)  # type: ignore[arg-type]


@pytest.mark.parametrize(("before", "after", "word"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_weakening_is_refused(before: str, after: str, word: str) -> None:
    reasons = guard(before, after)
    assert reasons, "let through"
    assert word in " | ".join(reasons)


@pytest.mark.parametrize(("before", "after"), [c[1:] for c in HONEST], ids=[c[0] for c in HONEST])
def test_honest_rewrite_is_let_through(before: str, after: str) -> None:
    assert guard(before, after) == []
