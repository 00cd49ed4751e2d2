"""What is used otherwise now is followed unasked where all who use it followed, however they reach it; else it waits."""

# ruff: noqa: E501 (texts of whole files, one a line)

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.integration.test_half_done import history
from tests.integration.test_product_at_fault import heal, project

__all__ = ["project"]

PAIR = "def extremes(values):\n    return min(values), max(values)\n"
THREE = PAIR.replace("max(values)", "max(values), len(values)")
SPAN_TEST = "from shop.stats import extremes\n\n\ndef test_extremes():\n    low, high = extremes([3, 1, 2])\n    assert (low, high) == (1, 3)\n"
LONGER = "extremes returns three values now: low, high, count"
REPORT = "\n\ndef report(values):\n    return extremes(values)\n"
SKIPS = REPORT.replace("(values)\n", "([v for v in values if v is not None])\n").replace(
    "report([v for v in values if v is not None])", "report(values)"
)
DASH = "from shop.stats import report\n\n\ndef show(values):\n    low, high = report(values)\n    return f'{low}..{high}'\n"
ORDER = "class Order:\n    def __init__(self, prices):\n        self.prices = prices\n\n    @property\n    def total(self):\n        return sum(self.prices)\n"
ORDER_TEST = "from shop.order import Order\n\n\ndef test_total():\n    assert Order([1, 2]).total == 3\n"
METHOD = "Order.total is a method now, not a property"
RECEIPT = "def receipt(order):\n    return 'No. {number}: {total}'.format(number=1, total=order.total)\n\n\ndef check(order):\n    if not order.total:\n        raise ValueError('empty total')\n"
TASKS = "def notify(user):\n    return f'mail to {user}'\n\n\ndef both(a, b):\n    return notify(a), notify(b)\n\n\ndef main():\n    return both('a', 'b')\n"
AWAITS = (
    TASKS.replace("def notify", "async def notify")
    .replace("def both", "async def both")
    .replace("notify(a), notify(b)", "await notify(a), await notify(b)")
)
TASKS_TEST = "from shop.tasks import notify\n\n\ndef test_notify():\n    assert notify('x') == 'mail to x'\n"
TIMED = "import time\nfrom functools import wraps\n\n\ndef timed(f):\n    @wraps(f)\n    def run(*args):\n        start = time.perf_counter()\n        result = f(*args)\n        run.took = time.perf_counter() - start\n        return result\n    return run\n"
ROWS = "def rows(text):\n    return [r.split(',') for r in text.splitlines()]\n"
LAZY = "def rows(text):\n    for r in text.splitlines():\n        yield r.split(',')\n"
ROWS_TEST = "from shop.table import rows\n\n\ndef test_rows():\n    assert rows('a,b') == [['a', 'b']]\n"
COUNT = "from shop.table import rows\n\n\ndef count(text):\n    return len(rows(text))\n"


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        pytest.param(
            {"shop/stats.py": PAIR + REPORT, "shop/dash.py": DASH, "README.md": "The extremes of some values.\n", "test_a.py": SPAN_TEST},
            {"shop/stats.py": THREE + SKIPS, "shop/dash.py": DASH.replace("low, high =", "low, high, _ =")}, LONGER, id="through another function",
        ),
        pytest.param(
            {"shop/timed.py": TIMED, "shop/stats.py": "from shop.timed import timed\n\n\n@timed\n" + PAIR, "test_a.py": SPAN_TEST},
            {"shop/stats.py": "from shop.timed import timed\n\n\n@timed\n" + THREE}, LONGER, id="below a decorator that gives what it gets",
        ),
        pytest.param(
            {"shop/order.py": ORDER, "shop/receipt.py": RECEIPT, "README.md": "An order has a total.\n", "pyproject.toml": "[project]\nname = 'shop'\ndescription = 'Orders and the total'\n", "test_a.py": ORDER_TEST},
            {"shop/order.py": ORDER.replace("    @property\n", ""), "shop/receipt.py": RECEIPT.replace("order.total", "order.total()")}, METHOD, id="put in by its users",
        ),
        pytest.param(
            {"shop/tasks.py": TASKS, "test_a.py": TASKS_TEST},
            {"shop/tasks.py": "import asyncio\n\n\n" + AWAITS.replace("both('a', 'b')", "asyncio.run(both('a', 'b'))")}, "notify is a coroutine now", id="awaited everywhere",
        ),
        pytest.param(
            {"shop/table.py": ROWS, "shop/dash.py": COUNT, "test_a.py": ROWS_TEST},
            {"shop/table.py": LAZY, "shop/dash.py": COUNT.replace("len(rows(text))", "sum(1 for _ in rows(text))")}, "rows is lazy now", id="gone through once",
        ),
    ],
)  # fmt: skip
def test_what_all_followed_is_written(project: Path, before: Mapping[str, str], after: Mapping[str, str], message: str) -> None:
    history(project, ("A shop", {"shop/__init__.py": "", **before}), (message, after))
    found = heal(project, {})
    assert (project / "test_a.py").read_text() != before["test_a.py"], found


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        pytest.param(
            {"shop/stats.py": PAIR + REPORT, "shop/dash.py": DASH, "test_a.py": SPAN_TEST}, {"shop/stats.py": THREE + SKIPS}, LONGER, id="through another function",
        ),
        pytest.param(
            {"shop/stats.py": PAIR, "shop/dash.py": DASH.replace("report", "extremes"), "test_a.py": SPAN_TEST},
            {"shop/stats.py": THREE, "shop/dash.py": DASH.replace("report", "extremes").replace("(values)\n", "([v for v in values if v])\n")}, LONGER, id="the line changed, the use did not",
        ),
        pytest.param(
            {"shop/stats.py": PAIR, "shop/dash.ini": "function = extremes\n", "test_a.py": SPAN_TEST}, {"shop/stats.py": THREE}, LONGER, id="by name, in a data file",
        ),
        pytest.param(
            {"shop/order.py": ORDER, "shop/export.py": "COLUMNS = 'number total'.split()\n", "test_a.py": ORDER_TEST}, {"shop/order.py": ORDER.replace("    @property\n", "")}, METHOD, id="by name, in a text of words",
        ),
        pytest.param(
            {"shop/timed.py": TIMED.replace("return result", "return list(result)"), "shop/stats.py": "from shop.timed import timed\n\n\n@timed\n" + PAIR, "test_a.py": SPAN_TEST},
            {"shop/stats.py": "from shop.timed import timed\n\n\n@timed\n" + THREE}, LONGER, id="below a decorator that takes what it gets",
        ),
        pytest.param({"shop/tasks.py": TASKS, "test_a.py": TASKS_TEST}, {"shop/tasks.py": AWAITS}, "notify is a coroutine now", id="awaited by what nobody awaits"),
    ],
)  # fmt: skip
def test_what_somebody_did_not_follow_waits(project: Path, before: Mapping[str, str], after: Mapping[str, str], message: str) -> None:
    history(project, ("A shop", {"shop/__init__.py": "", **before}), (message, after))
    found = heal(project, {})
    assert (project / "test_a.py").read_text() == before["test_a.py"], found
    assert "for review" in str(found), found
