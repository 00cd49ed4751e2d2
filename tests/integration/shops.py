"""A project in a repository whose tests passed at HEAD, for heals beside the test as it was when it last passed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.integration.toys import Run, Suite
from tests.strategies.example_project import GIT_ENV

SHOP = """\
def subtotal(prices):
    amount = 0
    for price in prices:
        amount += price
    return amount


def total(prices):
    amount = sum(prices)
    if amount > 100:
        amount -= 10
    return amount
"""
TEST = "import shop\n\n\ndef test_total():\n    assert shop.total([20, 30]) == 50\n    assert len([shop.total([])]) == 1\n"


def git(folder: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=folder, env={**os.environ, **GIT_ENV}, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout


def commit(suite: Suite, message: str) -> str:
    git(suite.path, "add", "-A")
    git(suite.path, "commit", "-q", "-m", message)
    return git(suite.path, "rev-parse", "--short=7", "HEAD").strip()


def heal(suite: Suite, new: str, *args: str) -> Run:
    suite.toy(("shop.total(", f"shop.{new}("))
    return suite.spawn("-o", "heal_fresh_confirm=false", "-vv", *args)


def teeth(run: Run) -> tuple[object, str]:
    found = run.one()["validation_results"]["teeth"]
    return found["passed"], str(found["reason"])
