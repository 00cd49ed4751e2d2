"""Monitors: asked for error events again and again, each at its own interval, none able to disturb another."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from pytest_maestro_healer.adapters.callbacks import called
from pytest_maestro_healer.adapters.protocols import Monitor

#: The monitor that is always there: it runs the project's tests.
TESTS = "tests"
_log = logging.getLogger(__name__)
Offer = Callable[[str, Any], Awaitable[None]]


class Monitors:
    """``named`` monitors with their seconds; each event goes to ``offer`` with the monitor's name."""

    def __init__(self, named: Mapping[str, tuple[Monitor, float]], offer: Offer) -> None:
        self._named = dict(named)
        self._offer = offer
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin, where that has not happened yet."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._ask(n, m, s), name=f"maestro-heal-monitor-{n}") for n, (m, s) in self._named.items()]

    async def stop(self) -> None:
        """End all, and wait for that."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def _ask(self, name: str, monitor: Monitor, seconds: float) -> None:
        while True:
            try:
                for event in await called(monitor):
                    await self._offer(name, event)
            except Exception as exc:  # the next look may go well
                _log.warning("monitor %s raised %s: %s", name, type(exc).__name__, exc)
            await asyncio.sleep(seconds)


def tests_monitor(project: Path) -> Monitor:
    """A monitor that runs the tests of ``project`` and gives an event for each failure."""

    async def monitor() -> list[Any]:
        from pytest_maestro_healer.adapters.quality_fabric import TestRunner

        return list((await TestRunner(project).run_tests_async()).failures)

    return monitor
