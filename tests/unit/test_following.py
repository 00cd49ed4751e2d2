"""What a heal follows is said by its tactic, or else by its strategy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.model import Applicability, Follows, Proposal
from pytest_maestro_healer.session.own import strategies
from pytest_maestro_healer.strategies import load
from pytest_maestro_healer.strategies.base import Strategy, Tactic, following

PROPOSAL = Proposal("", "", (), (), Applicability.SAFE, "a title", nodeids=("test_a.py::test",))


class Own(Tactic):
    name = "own"
    follows = Follows.NAME


class Other(Tactic):
    name = "other"


class Routes(Strategy):
    name = "routes"
    follows = Follows.PRODUCT
    tactics = (Own(), Other())


class Loose(Strategy):
    """Its tactic is no subclass of ours."""

    name = "loose"
    tactics = (object(),)  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("strategy", "tactic", "found"),
    [
        ("routes", "own", Follows.NAME),
        ("routes", "other", Follows.PRODUCT),
        ("routes", "a name that no tactic has", Follows.PRODUCT),
        ("loose", "anything", None),
        ("unknown", "own", None),
        ("timing_adjustment", "missing_await", Follows.AWAITING),
        ("timing_adjustment", "fixed_sleep", None),
        ("dependency_fix", "renamed_module", Follows.PRODUCT),
        ("environment_healing", "time_zone", None),
    ],
)
def test_what_a_proposal_follows(strategy: str, tactic: str, found: Follows | None) -> None:
    ask = following([*load(), Routes(), Loose()])
    assert ask(replace(PROPOSAL, strategy=strategy, tactic=tactic)) == found


def test_what_shows_in_a_use_is_a_shape() -> None:
    assert Follows.SHAPE & Follows.USE == Follows.USE
    assert not Follows.SHAPE & (Follows.NAME | Follows.LIBRARY | Follows.PRODUCT)


def test_what_limits_a_strategy_keeps_what_it_follows(pytester: pytest.Pytester) -> None:
    config = pytester.parseconfig()
    ask = following(strategies(config, HealerConfig(), []))
    assert ask(replace(PROPOSAL, strategy="api_contract_adaptation", tactic="renamed_symbol")) == Follows.NAME
    assert ask(replace(PROPOSAL, strategy="dependency_fix", tactic="moved_symbol")) == Follows.PRODUCT
