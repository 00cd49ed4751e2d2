"""Strategies and proposers of the user's own, taken in through the hooks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, ClassVar

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, Proposal
from pytest_maestro_healer.pipeline import PER_TACTIC
from pytest_maestro_healer.session import guard
from pytest_maestro_healer.strategies import load
from pytest_maestro_healer.strategies.base import Strategy, Tactic

#: The name by which ``--heal-strategies`` knows the ``pytest_heal_propose`` hooks.
PROPOSER = "proposer"


class Proposed(Tactic):
    """Asks ``pytest_heal_propose``. What comes back is never ``safe``: nobody here knows how it was found."""

    name = "proposer"
    summary = "Candidates from the project's own pytest_heal_propose."
    applicability = Applicability.REVIEW
    evidence: ClassVar[tuple[str, ...]] = ("proposer",)

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        return True

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        answers: list[Any] = self._config.hook.pytest_heal_propose(failure=failure, context=ctx)
        for p in (p for answer in answers if answer is not None for p in answer):
            if not isinstance(p, Proposal):
                raise TypeError(f"pytest_heal_propose gave {type(p).__name__}, not a Proposal")
            evidence = p.evidence or (Evidence("proposer", "proposed by the project's own pytest_heal_propose", "", 0.2),)
            applicability = p.applicability if p.applicability is Applicability.ADVICE else Applicability.REVIEW
            yield dataclasses.replace(p, strategy=p.strategy or "proposer", evidence=evidence, applicability=applicability)


class Limited(Tactic):
    """A tactic that may not run for ever and can only answer with proposals; one that hung once is not asked again."""

    def __init__(self, inner: Tactic, timeout: float) -> None:
        self._inner = inner
        self._timeout = timeout
        self._hung = False
        self.name = str(getattr(inner, "name", type(inner).__name__))  # type: ignore[misc]

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        return not self._hung and bool(self._inner.answers(failure, diagnosis))

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        out: list[Proposal] = []
        try:
            with guard.limit(self._timeout):
                for p in self._inner.propose(failure, ctx) or ():
                    if not isinstance(p, Proposal):
                        raise TypeError(f"it gave {type(p).__name__} {p!r:.60}, not a Proposal")
                    out.append(p)
                    if len(out) >= PER_TACTIC:
                        break
        except guard.Hang as exc:
            self._hung = True
            raise TimeoutError(f"it {exc}") from None
        except (SystemExit, pytest.exit.Exception) as exc:  # the run is not a strategy's to end
            raise RuntimeError(f"it ended with {type(exc).__name__}: {exc}") from None
        return out


def registered(config: pytest.Config) -> tuple[list[Strategy], list[str]]:
    """The strategies of the user's own, and lines about answers that cannot be used."""
    own: list[Strategy] = []
    notes: list[str] = []
    for impl in config.hook.pytest_heal_strategies.get_hookimpls():
        where = f"pytest_heal_strategies of {impl.plugin_name}"
        try:
            answer: Any = impl.function(*([config] if "config" in impl.argnames else []))
            given = list(answer or ())
        except Exception as exc:
            notes.append(f"{where} raised {type(exc).__name__}: {exc}; it was left out")
            continue
        for s in given:
            if isinstance(s, Strategy) and isinstance(getattr(s, "name", None), str):
                own.append(s)
            else:
                notes.append(f"{where} gave {s!r:.60}, not a Strategy with a name; it was left out")
    return own, notes


def strategies(config: pytest.Config, settings: HealerConfig, notes: list[str]) -> list[Strategy]:
    """All strategies of this run: built in, then the user's own, then the proposers. What cannot be used is said in ``notes``."""
    own, problems = registered(config)
    notes += [n for n in problems if n not in notes]
    if config.hook.pytest_heal_propose.get_hookimpls():
        proposer = Strategy()
        proposer.name = PROPOSER  # type: ignore[misc]
        proposer.tactics = (Proposed(config),)
        own.append(proposer)
    # those that are built in may measure slow tests: their runs are limited one by one
    longer = max(settings.timeout, settings.budget / 2)
    return [_limited(s, settings.timeout if s in own else longer) for s in load(settings.strategies, settings.exclude_strategies, own)]


def _limited(inner: Strategy, timeout: float) -> Strategy:
    out = Strategy()
    out.name = inner.name  # type: ignore[misc]
    out.title, out.summary = inner.title, inner.summary  # type: ignore[misc]
    out.tactics = tuple(Limited(t, timeout) for t in inner.tactics)
    if getattr(inner, "symptom", False):
        out.symptom = True
    return out
