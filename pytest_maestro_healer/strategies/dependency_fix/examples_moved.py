"""Examples of names that have not moved: what was deleted has a namesake."""

from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example

_FLOOR = "def floor(x):\n    return x // 1\n\n\n"
_CEIL = "def ceil(x):\n    return -(-x // 1)\n"
_MIDDLE = "from math import floor\n\n\ndef middle(items):\n    return items[floor(len(items) / 2)]\n"
_FLOORS = "from shop.sums import ceil, floor\n\n\ndef test_sums():\n    assert (floor(1.2), ceil(1.5)) == (1, 2)\n"

NAMESAKES = (
    Example(
        "a function that was deleted has a namesake in the standard library, which a neighbour uses",
        {"shop/__init__.py": "", "shop/sums.py": _CEIL, "shop/stats.py": _MIDDLE, "test_sums.py": _FLOORS},
        head={"shop/__init__.py": "", "shop/sums.py": _FLOOR + _CEIL, "shop/stats.py": _MIDDLE, "test_sums.py": _FLOORS},
        why="the namesake was there before the function went: it has not moved there",
    ),
    Example(
        "a function that was deleted has a namesake in another module",
        {"shop/__init__.py": "", "shop/sums.py": _CEIL, "shop/money.py": _FLOOR.replace("x // 1", "round(x)"), "test_sums.py": _FLOORS},
        head={
            "shop/__init__.py": "",
            "shop/sums.py": _FLOOR + _CEIL,
            "shop/money.py": _FLOOR.replace("x // 1", "round(x)"),
            "test_sums.py": _FLOORS,
        },
        why="both stood side by side, and were different",
    ),
)
