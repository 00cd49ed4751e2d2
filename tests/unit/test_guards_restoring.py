"""What of others an edit may touch only to give it back: not in the middle of a test, and not with values of its own."""

from __future__ import annotations

import pytest

from pytest_maestro_healer.edit.guards import Limits, check
from pytest_maestro_healer.edit.source import SourceFile

BEFORE = """import sys
from importlib import reload
from unittest import mock

import pytest
import shop


def test_price(monkeypatch):
    reload(shop)
    assert shop.price() == 5
"""
FIXTURE = "@pytest.fixture(autouse=True)\ndef _restored(monkeypatch):\n{}\n\n\ndef test_price"
GIVES_BACK = {
    "a decorator": ("def test_price", "@mock.patch.dict(vars(shop))\ndef test_price"),
    "a fixture": (
        "def test_price",
        FIXTURE.format("    with mock.patch.dict(vars(shop)):\n        with mock.patch.dict(vars(shop.forms)):\n            yield"),
    ),
    "its place": ("    reload", '    monkeypatch.setitem(sys.modules, "shop", sys.modules["shop"])\n    reload'),
}
CHANGES = {
    "values": ("def test_price", "@mock.patch.dict(vars(shop), price=lambda: 5)\ndef test_price"),
    "values in a dict": ("def test_price", "@mock.patch.dict(vars(shop), {'price': int})\ndef test_price"),
    "a part of the test": ("    reload(shop)", "    with mock.patch.dict(vars(shop)):\n        reload(shop)"),
    "nothing of the test is left": ("    reload(shop)", "    with mock.patch.dict(vars(shop)):\n        yield"),
    "its own names": ("def test_price", "@mock.patch.dict(globals())\ndef test_price"),
    "more than the yield": ("def test_price", FIXTURE.format("    with mock.patch.dict(vars(shop)):\n        shop.price = int\n        yield")),
    "all modules": ("def test_price", "@mock.patch.dict(sys.modules)\ndef test_price"),
    "another module": ("    reload", '    monkeypatch.setitem(sys.modules, "shop", sys.modules["toys"])\n    reload'),
    "a fake": ("    reload", '    monkeypatch.setitem(sys.modules, "shop", mock.MagicMock(spec=shop))\n    reload'),
}


def objections(change: tuple[str, str], *, stranger: bool = False) -> list[str]:
    after = BEFORE.replace(*change, 1)
    assert after != BEFORE
    return check(SourceFile("test_shop.py", BEFORE.encode()), SourceFile("test_shop.py", after.encode()), limits=Limits(stranger=stranger))


@pytest.mark.parametrize("what", list(GIVES_BACK))
def test_a_module_may_be_given_back(what: str) -> None:
    assert objections(GIVES_BACK[what]) == []
    assert objections(GIVES_BACK[what], stranger=True) != []


@pytest.mark.parametrize("what", list(CHANGES))
def test_nothing_else_may_be_done_with_it(what: str) -> None:
    assert objections(CHANGES[what]) != []
