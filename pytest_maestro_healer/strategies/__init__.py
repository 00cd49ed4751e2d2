"""The registry: strategies by name, in the order in which they are asked."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence

from pytest_maestro_healer.strategies.base import Strategy

#: Strategy name -> module that has a ``STRATEGY``; imported only when something failed.
BUILTIN = {
    "syntax_repair": "pytest_maestro_healer.strategies.syntax_repair",
    "dependency_fix": "pytest_maestro_healer.strategies.dependency_fix",
    "api_contract_adaptation": "pytest_maestro_healer.strategies.api_contract_adaptation",
    "environment_healing": "pytest_maestro_healer.strategies.environment_healing",
    "timing_adjustment": "pytest_maestro_healer.strategies.timing_adjustment",
    "assertion_update": "pytest_maestro_healer.strategies.assertion_update",
    "flaky_test_stabilization": "pytest_maestro_healer.strategies.flaky_test_stabilization",
}


def load(include: Iterable[str] = (), exclude: Iterable[str] = (), extra: Sequence[Strategy] = ()) -> list[Strategy]:
    """The strategies to use: the built-in ones and ``extra``, narrowed to ``include`` (if any) and without ``exclude``."""
    chosen, dropped = set(include), set(exclude)

    def wanted(name: str) -> bool:
        return (not chosen or name in chosen) and name not in dropped

    out = [importlib.import_module(module).STRATEGY for name, module in BUILTIN.items() if wanted(name)]
    return out + [s for s in extra if wanted(s.name)]
