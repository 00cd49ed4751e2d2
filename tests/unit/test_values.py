"""Live objects as plain data: faithful expressions, and nothing that a hostile object can do."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import math
import pathlib
import re
import time
import types
import uuid
import zoneinfo
from typing import Any
from unittest import mock

import pytest

from pytest_maestro_healer.capture.values import Limits, snapshot
from pytest_maestro_healer.model import Value


class Color(enum.Enum):
    RED = 1


class Mode(enum.Flag):
    READ = 1
    WRITE = 2


Point = collections.namedtuple("Point", "x y")


@dataclasses.dataclass
class Item:
    name: str
    tags: list[str] = dataclasses.field(default_factory=list)


def evaluated(value: Value) -> Any:
    """What the expression evaluates to with its imports; names of this module need none."""
    scope: dict[str, Any] = {}
    for line in value.imports:
        if f"from {__name__} " in line:
            scope.update(globals())
        else:
            exec(line, scope)
    return eval(value.source or "", scope)


FAITHFUL = [
    None, True, 0, -7, 10**40, 1.5, -0.0, "it's \"quoted\"\n", b"\x00a", bytearray(b"x"), 1j, complex(-0.0, 2), range(2, 9, 3), ...,
    [], (), set(), frozenset(), {}, (1,), [1, [2, (3, {"k": {4, 5}})]], frozenset({1, 2}), {"a": {"b": [None]}},
    decimal.Decimal("1.50"), fractions.Fraction(1, 3), uuid.UUID(int=3), pathlib.PurePosixPath("a/b"), pathlib.Path("x"),
    datetime.date(2020, 1, 2), datetime.datetime(2020, 1, 2, 3, tzinfo=datetime.timezone.utc), datetime.timedelta(days=1, seconds=5),
    datetime.datetime(2020, 1, 2, tzinfo=zoneinfo.ZoneInfo("UTC")),
    Color.RED, Mode.READ | Mode.WRITE, Point(1, y=[2]), Item("n", ["t"]), collections.OrderedDict([("b", 1), ("a", 2)]), collections.Counter("aab"),
    collections.defaultdict(list, a=[1]), collections.deque([1, 2], 3), re.compile("a+", re.I | re.M), types.SimpleNamespace(a=1), int, Item,
    {1: 2}.keys(), types.MappingProxyType({"a": 1}), mock.call(1, a=[2]),
]  # fmt: skip


@pytest.mark.parametrize("obj", FAITHFUL, ids=lambda o: type(o).__name__)
def test_the_source_evaluates_to_an_equal_object(obj: Any) -> None:
    value = snapshot(obj)
    assert value.source is not None
    assert evaluated(value) == obj
    assert not value.truncated


def test_what_is_not_equal_to_itself_or_signed_keeps_its_kind() -> None:
    assert math.isnan(evaluated(snapshot(math.nan)))
    assert evaluated(snapshot(-math.inf)) == -math.inf
    assert math.copysign(1, evaluated(snapshot(-0.0))) == -1


@pytest.mark.parametrize("base", [str, int, float, list, dict, tuple, set])
def test_subclasses_of_builtins_are_not_faithful_but_keep_their_plain_equal(base: type) -> None:
    value = snapshot(type("Sub", (base,), {})())
    assert value.source is None
    assert value.kind == "object"
    assert [v.type for v in value.items] == [base.__name__]


def test_a_subclass_that_compares_otherwise_has_no_plain_equal() -> None:
    sub = type("Sub", (str,), {"__eq__": lambda self, other: False, "__hash__": str.__hash__})
    assert snapshot(sub("x")).items == ()


def test_local_classes_cannot_be_written() -> None:
    @dataclasses.dataclass
    class Local:
        a: int

    value = snapshot([Local(1)])
    assert value.source is None
    assert value.items[0].keys[0].source == "'a'"
    assert value.items[0].items[0].source == "1"


def test_dataclasses_that_compute_fields_are_not_faithful() -> None:
    @dataclasses.dataclass
    class Computed:
        a: int
        b: int = dataclasses.field(init=False, default=0)

    assert snapshot(Computed(1)).source is None


class Hostile:
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def _fail(self, *args: object) -> Any:
        raise self.error

    __repr__ = __eq__ = __hash__ = __len__ = __iter__ = __bool__ = __getitem__ = __format__ = _fail


@pytest.mark.parametrize("error", [ValueError(), SystemExit(3), RecursionError(), GeneratorExit()], ids=lambda e: type(e).__name__)
def test_objects_that_raise_in_everything(error: BaseException) -> None:
    value = snapshot({"a": [Hostile(error)]})
    assert value.source is None
    assert type(error).__name__ in value.items[0].items[0].repr


def test_ctrl_c_is_let_through() -> None:
    with pytest.raises(KeyboardInterrupt):
        snapshot(Hostile(KeyboardInterrupt()))


def test_attribute_magic_is_not_triggered() -> None:
    class Magic:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(name)

        def __repr__(self) -> str:
            return "Magic"

    assert snapshot(Magic()).repr == "Magic"


def test_a_slow_repr_is_called_once_and_then_no_more() -> None:
    calls = []

    class Slow:
        def __repr__(self) -> str:
            calls.append(1)
            time.sleep(0.05)
            return "slow"

    value = snapshot([Slow() for _ in range(200)], Limits(seconds=0.1))
    assert len(value.items) == 200
    assert len(calls) < 10


def test_cycles_depth_and_size_end() -> None:
    cyclic: list[Any] = [1]
    cyclic.append(cyclic)
    assert snapshot(cyclic).source is None
    assert snapshot(cyclic).truncated
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    assert snapshot(deep).source is None
    big = snapshot(list(range(100_000)), 500)
    assert big.truncated
    assert len(big.items) <= 500
    assert big.source is None
    long = snapshot("x" * 1_000_000)
    assert long.truncated
    assert len(long.repr) < 10_000


def test_endless_containers_end() -> None:
    class Endless(list):  # type: ignore[type-arg]
        def __iter__(self) -> Any:
            while True:
                yield 1

    assert snapshot(Endless()).source is None


def test_numpy_is_read_by_shape_without_importing_it() -> None:
    class dtype:
        pass

    def item(self: object) -> float:
        return 1.5

    scalar = type("float64", (), {"__module__": "numpy", "item": item, "dtype": dtype()})
    value = snapshot(scalar())
    assert (value.type, value.source) == ("numpy.float64", "1.5")
    array = type("ndarray", (), {"__module__": "numpy", "size": 2, "tolist": lambda self: [1, 2]})
    found = snapshot(array())
    assert (found.type, found.kind, found.source) == ("numpy.ndarray", "list", None)
    assert [v.source for v in found.items] == ["1", "2"]


def test_sets_read_the_same_in_every_run() -> None:
    assert snapshot({"b", "a", "c"}).source == "{'a', 'b', 'c'}"
    assert snapshot({10, 9, 1}).source == "{1, 9, 10}"


def test_it_survives_json() -> None:
    value = snapshot({"a": [1, Point(1, 2)]})
    assert Value.from_dict(value.to_dict()) == value
