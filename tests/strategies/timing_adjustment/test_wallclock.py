"""Which measurements are taken from the wall clock, and what a duration is worth in seconds."""

from __future__ import annotations

import ast

import pytest

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.clocks import clock_reads
from pytest_maestro_healer.strategies.environment_healing.place import Place
from pytest_maestro_healer.strategies.timing_adjustment.wallclock import in_seconds, measurement

HEAD = "import datetime as d\nimport time\nfrom datetime import date, datetime\nfrom time import strftime, time as now\n\n\n"


@pytest.mark.parametrize(
    ("call", "read"),
    [
        ("time.time()", ("time.time", "")),
        ("now()", ("time.time", "now")),
        ("time.time_ns()", ("time.time_ns", "")),
        ("datetime.now(tz)", ("datetime.datetime.now", "datetime")),
        ("d.datetime.utcnow()", ("datetime.datetime.utcnow", "")),
        ("date.today()", ("datetime.date.today", "date")),
        ("strftime('%Y')", ("time.strftime", "strftime")),
        ("time.localtime()", ("time.localtime", "")),
        ("strftime('%Y', moment)", None),
        ("time.gmtime(0)", None),
        ("time.monotonic()", None),
        ("datetime.fromtimestamp(0)", None),
        ("other.now()", None),
        ("x.time.time()", None),
    ],
)
def test_readings_of_the_wall_clock(call: str, read: tuple[str, str] | None) -> None:
    found = clock_reads(ast.parse(HEAD + call))
    assert [(r.source, r.name) for r in found] == ([read] if read else [])


def test_what_has_to_be_exchanged_for_another_reading() -> None:
    reads = clock_reads(ast.parse(HEAD + "x = now(), date.today()"))
    assert [(r.owner, r.method) for r in reads] == [("time.time", "time"), ("datetime.date", "today")]


def readings(body: str) -> int:
    text = HEAD + "def test_x():\n" + "".join(f"    {line}\n" for line in body.splitlines())
    src = SourceFile("test_x.py", text.encode())
    assert src.tree is not None
    function = next(n for n in src.tree.body if isinstance(n, ast.FunctionDef))
    found = measurement(Place(src, function, "test"), function.body[-1])
    return len(found.reads) if found else 0


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("a = now()\nassert now() - a < 1", 2),
        ("a = now()\nb = now()\ne = b - a\nassert 0 < e < 1", 3 - 1),
        ("a = datetime.now()\ne = (datetime.now() - a).total_seconds()\nassert e < 1", 2),
        ("a = now()\nwork(a)\nassert now() - a < 1", 0),
        ("a = now()\nassert now() - 5 < 1", 0),
        ("a = given\nassert now() - a < 1", 0),
        ("a = now()\nassert datetime.now() - a < 1", 0),
        ("a = time.perf_counter()\nassert time.perf_counter() - a < 1", 0),
        ("a = date.today()\nassert date.today() - a < 1", 0),
    ],
)
def test_only_what_is_a_difference_of_two_readings(body: str, count: int) -> None:
    assert readings(body) == count


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("-0.5", -0.5), ("3", 3.0), ("datetime.timedelta(days=-1, seconds=86399)", -1.0), ("datetime.timedelta(0)", 0.0),
        ("timedelta(microseconds=5)", 5e-6),
        ("True", None), ("'x'", None), ("", None), (None, None), ("f(1)", None), ("(", None), ("timedelta(weeks=1)", None), ("timedelta(1, 2)", None),
    ],
)  # fmt: skip
def test_durations_in_seconds(source: str | None, value: float | None) -> None:
    assert in_seconds(source) == pytest.approx(value) if value is not None else in_seconds(source) is None
