"""Adapters for platforms: a repair service in the shape of CARS, a test runner in the shape of Quality Fabric, and what both are held to.

Importing this package loads neither pytest nor libcst; names are resolved on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_maestro_healer.adapters.branch import Commit
    from pytest_maestro_healer.adapters.cars import RepairService
    from pytest_maestro_healer.adapters.config import RepairConfig
    from pytest_maestro_healer.adapters.events import ErrorEvent
    from pytest_maestro_healer.adapters.quality_fabric import Fix, RunFailure, RunResults, TestRunner
    from pytest_maestro_healer.adapters.states import JournalEntry, RepairResult, RepairStatus

__all__ = [
    "Commit",
    "ErrorEvent",
    "Fix",
    "JournalEntry",
    "RepairConfig",
    "RepairResult",
    "RepairService",
    "RepairStatus",
    "RunFailure",
    "RunResults",
    "TestRunner",
]

_WHERE = {
    "Commit": "branch",
    "ErrorEvent": "events",
    "Fix": "quality_fabric",
    "JournalEntry": "states",
    "RepairConfig": "config",
    "RepairResult": "states",
    "RepairService": "cars",
    "RepairStatus": "states",
    "RunFailure": "quality_fabric",
    "RunResults": "quality_fabric",
    "TestRunner": "quality_fabric",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
