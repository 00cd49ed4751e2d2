"""pytest-maestro-healer: heals tests that fail for reasons that are no bug, and proves it first.

Importing this package loads neither pytest nor libcst; the public names are resolved on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_maestro_healer.api import AutonomousTestHealer, TestFailure
    from pytest_maestro_healer.config import HealerConfig
    from pytest_maestro_healer.model import FailurePattern, HealingResult, HealingStrategy
    from pytest_maestro_healer.strategies.base import Example, Strategy, Tactic

__version__ = "0.1.0"
__all__ = [
    "AutonomousTestHealer",
    "Example",
    "FailurePattern",
    "HealerConfig",
    "HealingResult",
    "HealingStrategy",
    "Strategy",
    "Tactic",
    "TestFailure",
    "__version__",
]

_WHERE = {
    "AutonomousTestHealer": "api",
    "TestFailure": "api",
    "HealerConfig": "config",
    "FailurePattern": "model",
    "HealingResult": "model",
    "HealingStrategy": "model",
    "Example": "strategies.base",
    "Strategy": "strategies.base",
    "Tactic": "strategies.base",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
