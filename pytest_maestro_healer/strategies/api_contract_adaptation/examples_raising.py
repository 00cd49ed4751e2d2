"""Examples of the tactics for exception types and callbacks."""

# ruff: noqa: E501 - projects as one string each
from __future__ import annotations

from pytest_maestro_healer.strategies.api_contract_adaptation.examples_shapes import pair

_CHECK = "def check(n):\n    if n < 0:\n        raise ValueError('negative')\n    return n\n"
_CHECK_USE = "import pytest\n\nfrom shop.m import check\n\n\ndef test_check():\n    with pytest.raises(ValueError):\n        check(-1)\n"
_OWN = "class Negative(Exception):\n    pass\n\n\n" + _CHECK.replace("ValueError", "Negative")
TYPES = (
    pair(
        "the product raises an exception of its own",
        _CHECK,
        _OWN,
        _CHECK_USE,
        _CHECK_USE.replace("import check", "import check, Negative").replace("raises(ValueError)", "raises(Negative)"),
    ),
)
NOT_TYPES = (
    pair(
        "the product fails before it checks", _CHECK, _CHECK.replace("if n < 0", "if n.value < 0"), _CHECK_USE, why="an AttributeError nobody meant"
    ),
)
_RUN = "class Base:\n    def step(self, text):\n        raise NotImplementedError\n\n    def run(self, text):\n        return self.step(text)\n"
_RUN_NEW = "class Base:\n    def step(self, text, depth):\n        raise NotImplementedError\n\n    def run(self, text):\n        return self.step(text, depth=0)\n"
_RUN_USE = "from shop.m import Base\n\n\nclass Mine(Base):\n    def step(self, text):\n        return text * 2\n\n\ndef test_run():\n    assert Mine().run('a') == 'aa'\n"
CALLBACKS = (
    pair(
        "a method that the test overrides is given one more argument", _RUN, _RUN_NEW, _RUN_USE, _RUN_USE.replace("self, text)", "self, text, depth)")
    ),
)
NOT_CALLBACKS = (
    pair(
        "the product calls its own function wrongly",
        "def part(a):\n    return a\n\n\ndef run(a):\n    return part(a)\n",
        "def part(a):\n    return a\n\n\ndef run(a):\n    return part(a, 1)\n",
        "from shop.m import run\n\n\ndef test_run():\n    assert run(1) == 1\n",
        why="both sides of that call are the product's",
    ),
)
