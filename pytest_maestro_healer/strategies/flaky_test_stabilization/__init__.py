"""Flaky tests: the cause found by experiment, then state restored, seeds set, order ignored; quarantine only where no cause is found."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_maestro_healer.strategies.base import Strategy, Tactic
from pytest_maestro_healer.strategies.flaky_test_stabilization.chance import FloatNoise, HashOrder, Quarantine, UnseededRandom
from pytest_maestro_healer.strategies.flaky_test_stabilization.clock import ClockRace, PassedDate
from pytest_maestro_healer.strategies.flaky_test_stabilization.files import SharedFile
from pytest_maestro_healer.strategies.flaky_test_stabilization.listing import DirectoryOrder
from pytest_maestro_healer.strategies.flaky_test_stabilization.ordering import MissingSetup, PollutedState, SharedFixture


class FlakyTestStabilization(Strategy):
    """The strategy and its tactics, in the order in which they are asked."""

    name = "flaky_test_stabilization"
    title = "Flaky test stabilization"
    summary = "A test whose outcome depends on other tests, on chance or on the order of things, not on the code under test"
    tactics: Sequence[Tactic] = (
        PollutedState(),
        MissingSetup(),
        SharedFixture(),
        SharedFile(),
        UnseededRandom(),
        HashOrder(),
        DirectoryOrder(),
        ClockRace(),
        PassedDate(),
        FloatNoise(),
        Quarantine(),
    )


STRATEGY = FlakyTestStabilization()
