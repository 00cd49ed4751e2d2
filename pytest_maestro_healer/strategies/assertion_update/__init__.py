"""Expected values that the product changed on purpose: traced back to where they were written, edited only where they differ."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_maestro_healer.strategies.assertion_update.floats import FloatApprox
from pytest_maestro_healer.strategies.assertion_update.golden import GoldenFile
from pytest_maestro_healer.strategies.assertion_update.members import ContainerMember, PredicateArgument
from pytest_maestro_healer.strategies.assertion_update.mocks import MockCall
from pytest_maestro_healer.strategies.assertion_update.orders import Bound, Truth, UnorderedCompare
from pytest_maestro_healer.strategies.assertion_update.raising import ExceptionMessage, ExceptionType, NoLongerRaises
from pytest_maestro_healer.strategies.assertion_update.shapes import ConvertedValue, NoSingleton, ShiftedIndex
from pytest_maestro_healer.strategies.assertion_update.values import ExpectedValue
from pytest_maestro_healer.strategies.base import Strategy, Tactic


class AssertionUpdate(Strategy):
    """The strategy and its tactics, in the order in which they are asked."""

    name = "assertion_update"
    symptom = True
    title = "Assertion update"
    summary = "An expected value, message, exception or call that the product changed on purpose"
    tactics: Sequence[Tactic] = (
        FloatApprox(),
        UnorderedCompare(),
        ShiftedIndex(),
        ConvertedValue(),
        ExpectedValue(),
        NoSingleton(),
        ContainerMember(),
        PredicateArgument(),
        ExceptionType(),
        ExceptionMessage(),
        NoLongerRaises(),
        MockCall(),
        Bound(),
        Truth(),
        GoldenFile(),
    )


STRATEGY = AssertionUpdate()
