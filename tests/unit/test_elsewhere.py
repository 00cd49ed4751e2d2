"""Another time and another order of directories, in forked copies of this process."""

from __future__ import annotations

import json
import os
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer.model import World

pytestmark = pytest.mark.skipif(not hasattr(os, "fork") or sys.platform == "darwin", reason="needs fork")
SOURCE = """
import datetime, glob, os, time
from datetime import date, datetime as moment, timedelta, timezone
from os import listdir, scandir
from time import time as now
"""
NEW_YEAR = 1704067199.5  # half a second before 2024 in UTC


def there(world: World, work: Callable[[types.ModuleType], Any]) -> Any:
    """What ``work`` gives in ``world``; its argument is a module that had imported the clocks by name before."""
    from pytest_maestro_healer.session.elsewhere import enter

    module = types.ModuleType("product_with_clocks")
    exec(SOURCE, module.__dict__)
    sys.modules[module.__name__] = module
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            enter(world)
            os.write(write, json.dumps(work(module)).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        answer = stream.read()
    os.waitpid(pid, 0)
    del sys.modules[module.__name__]
    return json.loads(answer)


def test_the_clock_stands_where_it_is_told_to() -> None:
    def work(m: Any) -> list[Any]:
        utc = m.timezone.utc
        return [m.time.time(), m.now(), m.time.time_ns(), m.moment.now(utc).isoformat(), m.moment.utcnow().isoformat(), m.time.gmtime().tm_year,
                m.date.today() == m.datetime.date.today(), m.moment.now() == m.datetime.datetime.now() == m.moment.today()]  # fmt: skip

    assert there(World(now=NEW_YEAR, tick=0.0), work) == [
        NEW_YEAR, NEW_YEAR, round(NEW_YEAR * 1e9), "2023-12-31T23:59:59.500000+00:00", "2023-12-31T23:59:59.500000", 2023, True, True,
    ]  # fmt: skip


def test_every_reading_may_be_later_than_the_one_before() -> None:
    def work(m: Any) -> list[Any]:
        return [m.moment.now(m.timezone.utc).year, m.moment.now(m.timezone.utc).year, m.now() - NEW_YEAR]

    assert there(World(now=NEW_YEAR, tick=1.0), work) == [2023, 2024, 2.0]


def test_a_clock_that_is_set_back_while_others_go_on() -> None:
    def work(m: Any) -> list[bool]:
        began, steady = m.now(), m.time.perf_counter()
        return [m.now() - began < -3590, 0 <= m.time.perf_counter() - steady < 60]

    assert there(World(step=-3600.0), work) == [True, True]


def test_nobody_can_tell_the_classes_from_the_real_ones() -> None:
    def work(m: Any) -> list[Any]:
        made = m.moment(2024, 5, 6, tzinfo=m.timezone.utc)
        alike = [isinstance(made, m.moment), isinstance(made, m.date), issubclass(m.moment, m.date), not isinstance(m.date(2024, 5, 6), m.moment)]
        same = type(made) == m.moment  # noqa: E721
        made_by = [
            m.moment.strptime("2024", "%Y").year,
            m.moment.fromisoformat("2024-05-06").day,
            m.moment.combine(m.date(2024, 5, 6), made.time()).month,
        ]
        return [all(alike), same, type(made).__name__, repr(made), *made_by, (made + m.timedelta(days=1)).day]

    shown = "datetime.datetime(2024, 5, 6, 0, 0, tzinfo=datetime.timezone.utc)"
    assert there(World(now=NEW_YEAR), work) == [True, True, "datetime", shown, 2024, 6, 5, 7]


@pytest.mark.parametrize(("order", "wanted"), [("sorted", ["a", "b", "c"]), ("reversed", ["c", "b", "a"])])
def test_directories_are_listed_in_the_order_asked_for(tmp_path: Path, order: str, wanted: list[str]) -> None:
    for name in ("b", "a", "c"):
        (tmp_path / name).touch()

    def work(m: Any) -> list[list[str]]:
        with m.scandir(tmp_path) as entries:
            scanned = [e.name for e in entries]
        walked = next(m.os.walk(tmp_path))[2]
        globbed = [Path(p).name for p in m.glob.glob(f"{tmp_path}/*")]
        paths = [[p.name for p in tmp_path.iterdir()], [p.name for p in tmp_path.glob("*")]]
        return [m.os.listdir(tmp_path), m.listdir(tmp_path), scanned, walked, globbed, *paths]

    assert there(World(listing=order), work) == [wanted] * 7


def test_all_else_is_as_it_was() -> None:
    def work(m: Any) -> list[bool]:
        return [m.listdir is os.listdir, m.moment.__module__ == "datetime", abs(m.now() - __import__("time").time()) < 5]

    assert there(World(), work) == [True, True, True]
