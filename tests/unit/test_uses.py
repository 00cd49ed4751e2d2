"""Does a use fit a definition, and can it mean it?"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.finished.uses import strange

SHOP = """
def total(x):
    return x


def sum(x):
    return x


def join(x):
    return x


class Cart:
    def count(self, x):
        return x
"""


@pytest.mark.parametrize(
    ("user", "text", "elsewhere"),
    [
        ("a.py", "from shop.m import total\n\n\ndef f(x):\n    return total(x)\n", False),
        ("b.py", "import shop.m\n\n\ndef f(x):\n    return shop.m.total(x)\n", False),
        ("c.py", "from shop.m import *\n\n\ndef f(x):\n    return sum(x)\n", False),
        ("d.py", "def f(x):\n    return x.total()\n", False),
        ("i.py", "def f(x):\n    return ', '.join(x)\n", False),
        ("j.py", "def f(sep, x):\n    return sep.join(x)\n", True),
        ("k.py", "import shop.m as n\n\n\ndef f(x):\n    return n.join(x)\n", False),
        ("l.py", "def f(cart):\n    return cart.count(3)\n", False),
        ("e.py", "def f(x):\n    return sum(x)\n", True),
        ("f.py", "import numpy as np\n\n\ndef f(x):\n    return np.sum(x)\n", True),
        ("g.py", "def total(x):\n    return x\n\n\ndef f(x):\n    return total(x)\n", True),
        ("h.py", "from math import prod as total\n\n\ndef f(x):\n    return total(x)\n", True),
    ],
)
def test_what_a_use_can_mean(tmp_path: Path, user: str, text: str, elsewhere: bool) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").touch()
    (tmp_path / "shop" / "m.py").write_text(SHOP)
    (tmp_path / user).write_text(text)
    ctx = Context(tmp_path, HealerConfig())
    tree = ctx.symbols.tree(user)
    assert tree is not None
    called = next(n for n in ast.walk(tree) if isinstance(n, ast.Call))
    assert strange(ctx, user, called.func, {"shop/m.py"}) is elsewhere
