"""Strategies and proposers of the user's own, taken in through the hooks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, ClassVar

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, Proposal
from pytest_maestro_healer.session import guard
from pytest_maestro_healer.strategies import load
from pytest_maestro_healer.strategies.base import Strategy, Tactic


class Proposed(Tactic):
    """Asks ``pytest_heal_propose``. What comes back is never ``safe``: nobody here knows how it was found."""

    name = "proposer"
    summary = "Candidates from the project's own pytest_heal_propose."
    applicability = Applicability.REVIEW
    evidence: ClassVar[tuple[str, ...]] = ("proposer",)

    def __init__(self, config: pytest.Config, timeout: float) -> None:
        self._config = config
        self._timeout = timeout

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        return True

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        try:
            with guard.limit(self._timeout):
                answers: list[Any] = self._config.hook.pytest_heal_propose(failure=failure, context=ctx)
                given = [p for answer in answers if answer is not None for p in answer]
        except guard.Hang as exc:
            raise TimeoutError(f"pytest_heal_propose {exc}") from None
        for p in given:
            if not isinstance(p, Proposal):
                raise TypeError(f"pytest_heal_propose gave {type(p).__name__}, not a Proposal")
            evidence = p.evidence or (Evidence("proposer", "proposed by the project's own pytest_heal_propose", "", 0.2),)
            applicability = p.applicability if p.applicability is Applicability.ADVICE else Applicability.REVIEW
            yield dataclasses.replace(p, strategy=p.strategy or "proposer", evidence=evidence, applicability=applicability)


def strategies(config: pytest.Config, settings: HealerConfig) -> list[Strategy]:
    """All strategies of this run: built in, then the user's own, then the proposers."""
    own: list[Strategy] = []
    for answer in config.hook.pytest_heal_strategies(config=config):
        own += [s for s in answer or () if isinstance(s, Strategy)]
    if config.hook.pytest_heal_propose.get_hookimpls():
        proposer = Strategy()
        proposer.name = "proposer"  # type: ignore[misc]
        proposer.tactics = (Proposed(config, settings.timeout),)
        own.append(proposer)
    return load(settings.strategies, settings.exclude_strategies, own)
