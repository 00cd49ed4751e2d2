"""Which of several definitions a message or a test speaks of, by real histories; and messages of several lines."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.finished.intent.meant import Change, meant
from pytest_maestro_healer.model import Follows
from tests.unit.test_git import git, write

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
PRICES, STOCK = b"def total(xs):\n    return sum(xs)\n", b"def total(shelves):\n    return len(shelves)\n"
TEST = b"from shop.%s import total\n\n\ndef test_total():\n    assert total([1]) == 1\n"
START = {
    "shop/__init__.py": b"", "shop/prices.py": PRICES, "shop/stock.py": STOCK,
    "tests/test_prices.py": TEST % b"prices", "tests/test_stock.py": TEST % b"stock",
}  # fmt: skip


def renamed(*paths: str) -> dict[str, bytes]:
    return {p: START[p].replace(b"total", b"amount") for p in paths}


@pytest.mark.parametrize(
    ("message", "files", "found"),
    [
        ("prices.total is prices.amount now", renamed("shop/prices.py", "shop/stock.py"), False),
        ("prices.total is prices.amount now", renamed("shop/prices.py"), True),
        ("total is amount now, in prices and stock", renamed("shop/prices.py", "shop/stock.py"), True),
        ("prices.total is amount now; stock.total is amount, too", renamed("shop/prices.py", "shop/stock.py"), True),
        ("Clearer names", renamed("shop/prices.py", "shop/stock.py", "tests/test_stock.py"), False),
        ("Clearer names", renamed("shop/prices.py", "shop/stock.py", "tests/test_stock.py", "tests/test_prices.py"), True),
        ("Clearer names", renamed("shop/prices.py", "tests/test_prices.py"), True),
        ("Clearer names\n\nThe word of the shop is amount, so that total was\nrenamed to amount.", renamed("shop/prices.py"), True),
        ("Clearer names\n\n> Rename total to amount, please", renamed("shop/prices.py"), False),
        ("Clearer names", {**renamed("shop/prices.py"), "changes/1.md": b"- `prices.total` was\n  renamed to `prices.amount`\n"}, True),
    ],
)
def test_what_was_written_is_about_the_place_that_changed(tmp_path: Path, message: str, files: Mapping[str, bytes], found: bool) -> None:
    git(tmp_path, "init", "-q", "--template=", "-b", "main")
    for subject, state in (("A shop", START), (message, files)):
        write(tmp_path, state)
        git(tmp_path, "add", "-A")
        git(tmp_path, "commit", "-qm", subject)
    ctx = Context(tmp_path, HealerConfig())
    hunks = [h for h in ctx.git.hunks("HEAD~1") if h.path.startswith("shop/")]
    assert meant(Change(ctx, hunks, "HEAD~1", ("total",), ("amount",), {}, Follows.NAME)) is found
