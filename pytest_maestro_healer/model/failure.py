"""What broke: a failure with its frames, values and comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_maestro_healer.model.kinds import FrameKind, Phase
from pytest_maestro_healer.model.record import Record


@dataclass(frozen=True)
class Location(Record):
    """A place in a file; columns are ``-1`` where only the line is known."""

    path: str
    line: int
    col: int = -1
    end_line: int = -1
    end_col: int = -1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True)
class Frame(Record):
    """One traceback entry, outermost first in :attr:`Failure.frames`."""

    location: Location
    function: str
    kind: FrameKind
    text: str = ""
    module: str = ""


@dataclass(frozen=True)
class Value(Record):
    """A live object turned into plain data at capture time.

    ``source`` is a Python expression that evaluates to an equal object, given ``imports`` (lines such as
    ``from decimal import Decimal``); ``None`` where there is no faithful expression. ``kind`` is one of ``scalar``, ``list``, ``tuple``,
    ``set``, ``frozenset``, ``dict``, ``object``; ``items`` holds the children of containers (for dicts: ``keys`` in parallel) and of
    objects with fields (``keys`` are then the field names), up to a size limit (``truncated``).
    """

    type: str
    repr: str
    kind: str = "scalar"
    source: str | None = None
    imports: tuple[str, ...] = ()
    items: tuple[Value, ...] = ()
    keys: tuple[Value, ...] = ()
    truncated: bool = False


@dataclass(frozen=True)
class Operand(Record):
    """One side of a failed comparison; ``role`` is left, right, actual, expected, member, container, match..."""

    role: str
    value: Value
    source: str | None = None
    location: Location | None = None


@dataclass(frozen=True)
class Comparison(Record):
    """What a failed assertion compared.

    ``style`` is ``assert``, ``assertEqual`` and its family by method name, ``raises``, ``raises-match``, ``warns``, ``mock``, ``numpy``,
    ``pandas``...; ``operator`` as written (``==``, ``in``, ``not in``, ``is``, ``<``...) or ``bool`` for truthiness;
    ``location`` spans the whole assert statement or asserting call.
    """

    style: str
    operator: str
    operands: tuple[Operand, ...]
    location: Location | None = None
    negated: bool = False

    def operand(self, *roles: str) -> Operand | None:
        """The first operand with one of ``roles``, or ``None``."""
        return next((o for r in roles for o in self.operands if o.role == r), None)


@dataclass(frozen=True)
class Failure(Record):
    """One failed phase of one test, or one collection error, as plain data.

    ``exc_type`` is the bare class name for builtins, else the qualified name; ``exc_mro`` names every base the same way.
    ``exc_attrs`` holds plain facts of the exception object (``name``, ``path``, ``msg``, ``lineno``, ``offset``, ``text``, and for
    AttributeError ``obj_type``, ``obj_kind`` and ``obj_name`` of the object that lacked the attribute, ``candidates`` its names).
    ``location`` is the failing place in test code where there is one. ``fixtures`` maps the fixtures the test uses to where they are
    defined, ``params`` the parametrize arguments to their values, ``param_indices`` each argument to the 0-based row of its own
    ``parametrize`` mark (``param_index`` is the first of them). ``chain`` are the causes, nearest first, as (type, message).
    """

    nodeid: str
    phase: Phase
    path: str
    exc_type: str
    message: str
    exc_mro: tuple[str, ...] = ()
    frames: tuple[Frame, ...] = ()
    location: Location | None = None
    statement: str = ""
    function: str = ""
    module: str = ""
    comparison: Comparison | None = None
    exc_attrs: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Value] = field(default_factory=dict)
    param_index: int = -1
    param_indices: Mapping[str, int] = field(default_factory=dict)
    fixtures: Mapping[str, Location] = field(default_factory=dict)
    chain: tuple[tuple[str, str], ...] = ()
    duration: float = 0.0
    reruns: int = 0
    worker: str = ""
    longrepr: str = ""
    healable: bool = True
    no_heal_reason: str = ""

    def is_a(self, *names: str) -> bool:
        """Whether the exception is one of ``names`` or a subclass of one (bare or qualified)."""
        mine = {self.exc_type, *self.exc_mro}
        mine |= {n.rpartition(".")[2] for n in mine}
        return any(n in mine for n in names)
