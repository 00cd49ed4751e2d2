"""environment_healing: what the test takes for granted about the machine, made its own."""

from __future__ import annotations

from pytest_maestro_healer.strategies.base import Strategy
from pytest_maestro_healer.strategies.environment_healing.encoding import TextEncoding
from pytest_maestro_healer.strategies.environment_healing.leaked import LeakedVariable
from pytest_maestro_healer.strategies.environment_healing.missing import MissingVariable
from pytest_maestro_healer.strategies.environment_healing.network import MissingProgram, PortInUse, ServiceAway
from pytest_maestro_healer.strategies.environment_healing.platform import PlatformCondition
from pytest_maestro_healer.strategies.environment_healing.scratch import HomeFolder, RootUser, ScratchPath
from pytest_maestro_healer.strategies.environment_healing.terminal import LocaleVariables, Terminal
from pytest_maestro_healer.strategies.environment_healing.working import WorkingDirectory
from pytest_maestro_healer.strategies.environment_healing.zone import TimeZone


class EnvironmentHealing(Strategy):
    """Isolates tests from the machine that they run on."""

    name = "environment_healing"
    title = "Variables, folders, zones, ports"
    summary = "Compares the run's environment with what the failing code reads, proves the cause by changing it alone, and isolates the test from it."
    tactics = (
        MissingVariable(),
        PortInUse(),
        MissingProgram(),
        ServiceAway(),
        WorkingDirectory(),
        ScratchPath(),
        HomeFolder(),
        RootUser(),
        TimeZone(),
        Terminal(),
        LocaleVariables(),
        TextEncoding(),
        LeakedVariable(),
        PlatformCondition(),
    )


STRATEGY = EnvironmentHealing()
