"""A time zone that is promised in words and not kept by the code is a bug; one that the machine was given is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Failure
from pytest_maestro_healer.strategies.environment_healing.promised import promised

CLOCK = 'import time\nfrom datetime import date, datetime, timezone\n\n\ndef stamp(n):\n    """{}"""\n    return {}\n'
LOCAL = "time.strftime('%H:%M', time.localtime(n))"
TEST = "from shop.clock import stamp\n\n\ndef test_s():\n    assert stamp(7200) == '02:00'\n"


def told(root: Path, doc: str, code: str, zone: str = "UTC", **files: str) -> str:
    made = {"shop/__init__.py": "", "shop/clock.py": CLOCK.format(doc, code), "test_s.py": TEST}
    made.update({name + ".md": text for name, text in files.items()})
    for name, text in made.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return promised(zone, Failure("test_s.py::test_s", "call", "test_s.py", "AssertionError", ""), Context(root, HealerConfig()))


@pytest.mark.parametrize(
    "code",
    [
        LOCAL, "time.strftime('%H:%M')", "time.ctime(n)", "time.asctime()", "datetime.now().hour", "datetime.fromtimestamp(n).hour",
        "date.fromtimestamp(n).day", "date.today().day", "datetime.fromtimestamp(n, timezone.utc).astimezone().hour",
    ],
)  # fmt: skip
def test_a_docstring_promises_what_the_code_does_not_keep(tmp_path: Path, code: str) -> None:
    assert "shop/clock.py:" in told(tmp_path, "Minutes and hours in UTC.", code)


@pytest.mark.parametrize(
    "code",
    [
        "time.strftime('%H:%M', time.gmtime(n))", "datetime.now(timezone.utc).hour", "datetime.now(tz=timezone.utc).hour",
        "datetime.fromtimestamp(n, timezone.utc).strftime('%H')", "clock.now()", "n.strftime('%H')",
    ],
)  # fmt: skip
def test_code_that_keeps_it(tmp_path: Path, code: str) -> None:
    assert told(tmp_path, "Minutes and hours in UTC.", code, README="All times are UTC.\n") == ""


@pytest.mark.parametrize("doc", ["Minutes and hours.", "Local time, not UTC.", "Set TZ=UTC for this.", "At UTC+2.", "The tests run in UTC."])
def test_a_docstring_that_promises_nothing(tmp_path: Path, doc: str) -> None:
    assert told(tmp_path, doc, LOCAL) == ""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# shop\n\nAll times in exports are UTC.\n", True),
        ("# shop\n\nAll times are UTC. The tests are quick.\n", True),
        ("# shop\n\nRun the tests with TZ=UTC.\n", False),
        ("# shop\n\nTimes are local to the machine, no longer UTC.\n", False),
        ("# shop\n\nTimes of day.\n", False),
    ],
)
def test_documents(tmp_path: Path, text: str, found: bool) -> None:
    assert ("README.md promises UTC" in told(tmp_path, "", LOCAL, README=text)) is found


def test_another_zone(tmp_path: Path) -> None:
    assert told(tmp_path, "Times of Europe/Berlin.", LOCAL, "Europe/Berlin")
    assert told(tmp_path, "Times of Europe/Berlin.", LOCAL) == ""
