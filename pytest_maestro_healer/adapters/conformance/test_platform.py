"""What ``pytest --pyargs pytest_maestro_healer.adapters.conformance`` runs: the suites on what the environment names, else on our own adapters."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

from pytest_maestro_healer.adapters.config import RepairConfig
from pytest_maestro_healer.adapters.conformance.runner import RunnerConformance
from pytest_maestro_healer.adapters.conformance.service import RepairServiceConformance
from pytest_maestro_healer.adapters.protocols import RepairServiceLike, RunnerLike


def _named(variable: str, default: str) -> Any:
    module, _, name = os.environ.get(variable, default).partition(":")
    return getattr(importlib.import_module(module), name)


class TestRepairService(RepairServiceConformance):
    """The service that ``MAESTRO_REPAIR_SERVICE`` names."""

    def make_service(self, config: RepairConfig, **parts: Any) -> RepairServiceLike:
        """As the factory makes it."""
        service: RepairServiceLike = _named("MAESTRO_REPAIR_SERVICE", "pytest_maestro_healer.adapters:RepairService")(config, **parts)
        return service


class TestRunner(RunnerConformance):
    """The runner that ``MAESTRO_TEST_RUNNER`` names."""

    def make_runner(self, project: Path) -> RunnerLike:
        """As the factory makes it."""
        runner: RunnerLike = _named("MAESTRO_TEST_RUNNER", "pytest_maestro_healer.adapters:TestRunner")(project)
        return runner
