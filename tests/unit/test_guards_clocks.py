"""What a test may put in place of a clock where the date is what it fails by, and nothing else under that name."""

from __future__ import annotations

import pytest

from pytest_maestro_healer.edit.guards import Limits, check
from pytest_maestro_healer.edit.source import SourceFile

BEFORE = "from datetime import date\n\nimport pytest\nfrom shop import offer\n\n\ndef test_valid():\n    assert offer(date(2024, 6, 30)).valid()\n"
CLASS = "    class Frozen(date):\n        @classmethod\n        def today(cls):\n            return cls(2024, 5, 6)\n\n"
SET = '    monkeypatch.setattr("shop.date", Frozen)\n'


def objections(body: str, *allow: str) -> list[str]:
    fixture = f"@pytest.fixture\ndef frozen_clock(monkeypatch):\n{body}\n\n"
    after = BEFORE.replace("def test_valid", f'{fixture}@pytest.mark.usefixtures("frozen_clock")\ndef test_valid')
    return check(SourceFile("test_shop.py", BEFORE.encode()), SourceFile("test_shop.py", after.encode()), limits=Limits(allow=frozenset(allow)))


@pytest.mark.parametrize(
    "body",
    [
        CLASS + SET,
        CLASS + '    monkeypatch.setitem(globals(), "date", Frozen)\n',
        CLASS.replace("today(cls)", "now(cls, tz=None)").replace("5, 6)", "5, 6, 12, tzinfo=tz)").replace("(date)", "(date.datetime)") + SET,
        '    monkeypatch.setattr("shop.time", lambda: 1714996800.0)\n',
        '    monkeypatch.setattr("shop.clock.time_ns", lambda: 1714996800000000000)\n',
    ],
)
def test_a_standing_clock_is_fine_where_the_evidence_is_about_the_date(body: str) -> None:
    assert objections(body, "clock") == []
    assert objections(body) != []


@pytest.mark.parametrize(
    "body",
    [
        CLASS + '    monkeypatch.setattr("shop.offer", lambda until: True)\n',
        CLASS + '    monkeypatch.setattr("shop.price", lambda: 5.0)\n',
        CLASS.replace("today", "__le__") + SET,
        CLASS.replace("@classmethod", "@staticmethod") + SET,
        CLASS.replace("return cls(2024, 5, 6)", "return offer") + SET,
        CLASS.replace("(date)", "(object)") + SET,
        CLASS.replace("(date)", "(date, Liar)") + SET,
        CLASS + "        def __le__(self, other):\n            return True\n\n" + SET,
        CLASS + "    class Frozen:\n        pass\n\n" + SET,
        CLASS + '    monkeypatch.setitem(globals(), "offer", lambda until: 5)\n',
        '    monkeypatch.setattr("shop.time", lambda *a: 5.0 if a else offer)\n',
    ],
)
def test_all_else_stays_refused(body: str) -> None:
    assert objections(body, "clock") != []
