"""Functions that are called by their names from outside: commands, tasks, keys that a decorator makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_maestro_healer.model import Follows
from tests.unit.test_relocated import asked, pytestmark

__all__ = ["pytestmark"]

COUNTS = "COUNTS = {}\n\n\ndef counter(f):\n    COUNTS[f.__name__] = 0\n    return f\n\n\n"
LOGGED = "import logging\n\n\ndef logged(f):\n    logging.debug('made %s', f.__name__)\n    return f\n\n\n"
TABLE = (
    "class Table:\n    def __init__(self):\n        self.rows = {}\n\n    def entry(self, f):\n        self.rows[f.__name__] = f\n"
    "        return f\n\n\nTABLE = Table()\n\n\n"
)
VISITS = "def visits(n):\n    return n + 1\n"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (VISITS, ""),
        (COUNTS + "@counter\n" + VISITS, "@counter makes a name of the function's"),
        (LOGGED + "@logged\n" + VISITS, ""),
        (TABLE + "@TABLE.entry\n" + VISITS, "@TABLE.entry makes a name"),
        ("import click\n\n\n@click.command()\n" + VISITS, "@click.command makes a name"),
        ("import click\n\n\n@click.command('visits-of')\n" + VISITS, ""),
        ("import click\n\n\n@click.command(name='count')\n" + VISITS, ""),
        ("from celery import shared_task\n\n\n@shared_task\n" + VISITS, "@shared_task makes a name"),
        ("import functools\n\n\n@functools.lru_cache\n" + VISITS, ""),
    ],
)
def test_a_function_under_another_name(tmp_path: Path, code: str, reason: str) -> None:
    test = "from shop import visits\n\n\ndef test_visits():\n    assert visits(1) == 2\n"
    after = {"shop.py": code.replace("def visits", "def hits")}
    found = asked(
        tmp_path,
        Follows.NAME,
        {"shop.py": code},
        after,
        "Rename visits to hits",
        (test, test.replace("visits(", "hits(").replace("import visits", "import hits")),
    )
    assert (reason in found) if reason else not found, found
