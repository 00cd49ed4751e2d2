"""timing_adjustment: limits, sleeps and races, healed by measurement."""

from __future__ import annotations

from pytest_maestro_healer.strategies.base import Strategy
from pytest_maestro_healer.strategies.timing_adjustment.elapsed import ElapsedBound
from pytest_maestro_healer.strategies.timing_adjustment.fakeclock import FakeClock
from pytest_maestro_healer.strategies.timing_adjustment.sleeps import FixedSleep
from pytest_maestro_healer.strategies.timing_adjustment.timeouts import TimeoutTooShort
from pytest_maestro_healer.strategies.timing_adjustment.unawaited import MissingAwait, MissingJoin, MissingWait
from pytest_maestro_healer.strategies.timing_adjustment.wallclock import WallClock


class TimingAdjustment(Strategy):
    """Gives tests the time that what they wait for takes, as measured."""

    name = "timing_adjustment"
    title = "Limits, sleeps and races"
    summary = "Lifts the limit, measures several runs, also under load, and writes a bound that the data support; fixed sleeps become polls."
    tactics = (TimeoutTooShort(), FixedSleep(), FakeClock(), WallClock(), ElapsedBound(), MissingAwait(), MissingJoin(), MissingWait())


STRATEGY = TimingAdjustment()
