"""The closed sets of names: strategies, patterns, causes, how far an edit may go, what became of it."""

from __future__ import annotations

import enum
import sys
from typing import Literal

if sys.version_info >= (3, 11):
    from enum import StrEnum as StrEnum
else:

    class StrEnum(str, enum.Enum):
        """The 3.11 class, for 3.10."""

        def __str__(self) -> str:
            return str(self.value)


Phase = Literal["collect", "setup", "call", "teardown"]
FrameKind = Literal["test", "product", "third_party", "stdlib"]


class HealingStrategy(StrEnum):
    """The seven strategies by their public names."""

    SYNTAX_REPAIR = "syntax_repair"
    DEPENDENCY_FIX = "dependency_fix"
    TIMING_ADJUSTMENT = "timing_adjustment"
    ASSERTION_UPDATE = "assertion_update"
    ENVIRONMENT_HEALING = "environment_healing"
    FLAKY_TEST_STABILIZATION = "flaky_test_stabilization"
    API_CONTRACT_ADAPTATION = "api_contract_adaptation"


class FailurePattern(StrEnum):
    """What kind of failure it is, before anyone knows the cause."""

    IMPORT_ERROR = "import_error"
    ASSERTION_FAILURE = "assertion_failure"
    TIMEOUT = "timeout"
    FLAKY_BEHAVIOR = "flaky_behavior"
    ENVIRONMENT_ISSUE = "environment_issue"
    API_CHANGE = "api_change"
    DEPENDENCY_CONFLICT = "dependency_conflict"
    SYNTAX_ERROR = "syntax_error"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """The verdict of a diagnosis."""

    DRIFT = "drift"
    REGRESSION_SUSPECTED = "regression_suspected"
    TEST_CHANGED = "test_changed"
    FLAKY = "flaky"
    ENVIRONMENT = "environment"
    UNKNOWN = "unknown"

    @property
    def bars(self) -> bool:
        """Whether what a test expects may not follow the product: it may be wrong, or the test ahead of it."""
        return self in (Cause.REGRESSION_SUSPECTED, Cause.TEST_CHANGED)


class Follows(enum.Flag):
    """What a heal follows: before that is done unasked, the product is asked whether it is finished changing there, and meant it.

    ``PRODUCT`` is anything of the product; the others say what exactly, and are asked more. ``LIBRARY`` knows names of Python and of libraries.
    """

    PRODUCT = enum.auto()
    NAME = enum.auto()
    TARGET = enum.auto()
    PARAMETERS = enum.auto()
    ORDER = enum.auto()
    ACCESS = enum.auto()
    AWAITING = enum.auto()
    LAZINESS = enum.auto()
    ENCODING = enum.auto()
    RESULT = enum.auto()
    TEXT = enum.auto()
    LIBRARY = enum.auto()
    MIGRATION = enum.auto()
    IMPORT = enum.auto()

    #: What shows in a use itself.
    USE = PARAMETERS | ACCESS | AWAITING
    #: How something is used now: whoever else uses it has to have followed.
    SHAPE = USE | ORDER | LAZINESS | ENCODING | RESULT | TEXT


class Applicability(StrEnum):
    """How far an edit may go without a person.

    ``SAFE`` may be applied once proved; ``REVIEW`` is proved, shown and left to a person; ``ADVICE`` is a precise
    text without an edit.
    """

    SAFE = "safe"
    REVIEW = "review"
    ADVICE = "advice"


class DecisionKind(StrEnum):
    """What became of a proposal."""

    APPLIED = "applied"
    PENDING = "pending"
    ADVISED = "advised"
    REJECTED = "rejected"
