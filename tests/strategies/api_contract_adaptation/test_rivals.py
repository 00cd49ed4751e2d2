"""Which candidates for a name that a library gave up are rivals of what its table of migrations names."""

from __future__ import annotations

import pytest

from pytest_maestro_healer.model import Evidence
from pytest_maestro_healer.strategies.api_contract_adaptation import successors
from pytest_maestro_healer.strategies.api_contract_adaptation.successors import Successor

TABLE = (Evidence("migration", "product became .prod", "", 0.85),)
GUESS = (Evidence("symbol", "it has that name", "", 0.5),)


@pytest.mark.parametrize(
    ("found", "left"),
    [
        ([("num.prod", TABLE, True), ("num.ma.product", GUESS, False)], ["num.prod"]),
        ([("num.prod", TABLE, True), ("num.product_of", GUESS, False)], ["num.prod", "num.product_of"]),
        ([("num.prod", TABLE, True), ("num.lib.product", TABLE, True)], ["num.prod", "num.lib.product"]),
        ([("num.prod", TABLE, False), ("num.ma.product", GUESS, False)], ["num.prod", "num.ma.product"]),
        ([("num.prod", GUESS, True), ("num.ma.product", GUESS, False)], ["num.prod", "num.ma.product"]),
        ([("num.lib.prod", TABLE, True), ("num.ma.product", GUESS, False)], ["num.lib.prod", "num.ma.product"]),
    ],
)
def test_what_lies_elsewhere_is_no_rival_of_what_a_table_names_here(
    monkeypatch: pytest.MonkeyPatch, found: list[tuple[str, tuple[Evidence, ...], bool]], left: list[str]
) -> None:
    made = [Successor(dotted, "renamed", facts, sure, 0.9 - i / 10) for i, (dotted, facts, sure) in enumerate(found)]
    monkeypatch.setattr(successors, "_told", lambda gone, ctx: made)
    monkeypatch.setattr(successors, "_guessed", lambda gone, ctx, candidates: [])
    gone = type("Gone", (), {"owner": "num"})()
    assert [s.dotted for s in successors.library_successors(gone, None)] == left  # type: ignore[arg-type]
