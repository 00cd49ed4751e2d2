"""Containers that a class has for all its objects: that one test sees another's is the product's own fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.state import Change
from pytest_maestro_healer.strategies.flaky_test_stabilization.leaks import bound_beside, shared_by_all

CART = "class Cart:\n    items = []\n\n    def add(self, item):\n        self.items.append(item)\n"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (CART, True),
        (CART.replace("self.items.append(item)", "self.items[0:0] = [item]"), True),
        (CART.replace("self.items.append", "type(self).items.append"), False),
        (CART.replace("self.items.append(item)", "self.items = [*self.items, item]"), False),
        (CART.replace("def add", "def __init__(self):\n        self.items = []\n\n    def add"), False),
        (CART.replace("def add(self, item):\n        self.", "@classmethod\n    def add(cls, item):\n        cls."), False),
        (CART.replace("self.items.append(item)", "return len(self.items)"), False),
    ],
)
def test_a_list_that_all_objects_share(tmp_path: Path, code: str, found: bool) -> None:
    (tmp_path / "shop.py").write_text(code)
    change = Change("attribute", "shop", "Cart.items", holder="list", rebound=False)
    assert shared_by_all(change, Context(tmp_path, HealerConfig())) is found


def test_what_is_bound_anew_is_another_thing(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(CART)
    assert not shared_by_all(Change("attribute", "shop", "Cart.items", holder="list"), Context(tmp_path, HealerConfig()))
    assert not shared_by_all(Change("attribute", "shop", "items", holder="list", rebound=False), Context(tmp_path, HealerConfig()))


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("user = None\n\n\ndef login(n):\n    global user\n    user = n\n\n\ndef logout():\n    user = None\n    return user\n", True),
        ("user = None\n\n\ndef login(n):\n    global user\n    user = n\n\n\ndef logout():\n    global user\n    user = None\n", False),
        ("user = None\n\n\ndef show():\n    user = 1\n    return user\n", False),
    ],
)
def test_a_global_that_a_function_may_have_meant(tmp_path: Path, code: str, found: bool) -> None:
    (tmp_path / "shop.py").write_text(code)
    assert bound_beside(Change("attribute", "shop", "user"), Context(tmp_path, HealerConfig())) is found
