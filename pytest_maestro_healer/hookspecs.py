"""Hooks that a project's conftest or another plugin may implement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_maestro_healer.evidence.context import Context
    from pytest_maestro_healer.model import Failure, HealingResult, Proposal
    from pytest_maestro_healer.strategies.base import Strategy


@pytest.hookspec
def pytest_heal_strategies(config: pytest.Config) -> Sequence[Strategy] | None:
    """Return strategies of your own; they are asked after the built-in ones and pass the same guards and proof."""


@pytest.hookspec
def pytest_heal_propose(failure: Failure, context: Context) -> Iterable[Proposal] | None:
    """Return candidate heals for ``failure`` from anywhere (a language model, say); they pass stricter guards, the same proof, and are for review.

    Called where nothing else heals, in a process of its own and for at most ``heal_timeout`` seconds: what it changes in memory is gone afterwards.
    """


@pytest.hookspec
def pytest_heal_outcome(result: HealingResult) -> None:
    """Called for every result of the healing phase, after it was applied, kept, advised or refused."""
