"""Strategies and proposers of the user's own, taken in through the hooks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Diagnosis, Failure, HealingStrategy, Proposal
from pytest_maestro_healer.pipeline import PER_TACTIC
from pytest_maestro_healer.session import guard
from pytest_maestro_healer.session.proposing import PROPOSER, Ask, Proposed, implementations
from pytest_maestro_healer.strategies import load
from pytest_maestro_healer.strategies.base import Strategy, Tactic

_BUILT_IN = frozenset(str(s) for s in HealingStrategy)


class Limited(Tactic):
    """A tactic that may not run for ever and can only answer with proposals; one that hung once is not asked again."""

    def __init__(self, inner: Tactic, timeout: float, strategy: str = "") -> None:
        """``strategy`` is the name of a strategy of the user's own: its proposals may not pass for those of one that is built in."""
        self._inner = inner
        self._strategy = strategy
        self._timeout = timeout
        self._hung = False
        self.name = str(getattr(inner, "name", type(inner).__name__))  # type: ignore[misc]
        self.follows = getattr(inner, "follows", None)  # type: ignore[misc]

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        return not self._hung and bool(self._inner.answers(failure, diagnosis))

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        out: list[Proposal] = []
        try:
            with guard.limit(self._timeout):
                for p in self._inner.propose(failure, ctx) or ():
                    if not isinstance(p, Proposal):
                        raise TypeError(f"it gave {type(p).__name__} {p!r:.60}, not a Proposal")
                    out.append(dataclasses.replace(p, strategy=self._strategy) if self._strategy and p.strategy in _BUILT_IN else p)
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
            if isinstance(s, Strategy) and getattr(s, "name", None) in (*_BUILT_IN, PROPOSER):
                notes.append(f"{where} gave a Strategy with the name {s.name}, which is taken; it was left out")
            elif isinstance(s, Strategy) and isinstance(getattr(s, "name", None), str):
                own.append(s)
            else:
                notes.append(f"{where} gave {s!r:.60}, not a Strategy with a name; it was left out")
    return own, notes


def strategies(config: pytest.Config, settings: HealerConfig, notes: list[str], ask: tuple[Path, Ask] | None = None) -> list[Strategy]:
    """All strategies of this run: built in, then the user's own, then the proposers. What cannot be used is said in ``notes``.

    ``ask`` (the project's root, and how to ask in a fresh process) brings in the proposers. They are left out while pytest collects: what heals
    a collection is run in this very process, and every xdist worker must find the same.
    """
    own, problems = registered(config)
    notes += [n for n in problems if n not in notes]
    # those that are built in may measure slow tests: their runs are limited one by one
    longer = max(settings.timeout, settings.budget / 2)
    chosen = load(settings.strategies, settings.exclude_strategies, [*own, _proposers(config, settings, notes, ask)])
    return [s if s.stranger else _limited(s, settings.timeout if s in own else longer, s in own) for s in chosen if s.tactics]


def _proposers(config: pytest.Config, settings: HealerConfig, notes: list[str], ask: tuple[Path, Ask] | None) -> Strategy:
    """The proposers as a strategy; it has no tactics where there are none, or none may be asked."""
    out = Strategy()
    out.name = PROPOSER  # type: ignore[misc]
    out.stranger = True
    if ask is not None and implementations(config):
        out.tactics = (Proposed(config, settings, ask[0], notes, ask[1]),)
    return out


def _limited(inner: Strategy, timeout: float, own: bool) -> Strategy:
    out = Strategy()
    out.name = inner.name  # type: ignore[misc]
    out.title, out.summary = inner.title, inner.summary  # type: ignore[misc]
    out.follows = inner.follows
    out.tactics = tuple(Limited(t, timeout, inner.name if own else "") for t in inner.tactics)
    if getattr(inner, "symptom", False):
        out.symptom = True
    return out
