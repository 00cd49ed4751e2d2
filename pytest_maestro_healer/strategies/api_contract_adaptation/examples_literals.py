"""Examples of the tactics for names that are strings."""

# ruff: noqa: E501 - projects as one string each
from __future__ import annotations

from pytest_maestro_healer.strategies.api_contract_adaptation.examples_shapes import pair
from pytest_maestro_healer.strategies.base import Example

_INIT = {"shop/__init__.py": ""}
_ROW = "def row():\n    out = {'cost': 3}\n    out['name'] = 'a'\n    return out\n"
_ROW_USE = "from shop.m import row\n\n\ndef test_row():\n    got = row()\n    assert got['name'] == 'a'\n    assert got['cost'] == 3\n"
KEYS = (pair("a key renamed", _ROW, _ROW.replace("'cost'", "'price'"), _ROW_USE, _ROW_USE.replace("'cost'", "'price'")),)
NOT_KEYS = (pair("a key that is no longer filled in", _ROW, _ROW.replace("    out['name'] = 'a'\n", ""), _ROW_USE, why="the product lost a value"),)
_CLI = "import argparse\n\n\ndef main(argv):\n    parser = argparse.ArgumentParser()\n    parser.add_argument('--verbose', action='store_true', dest='loud')\n    parser.add_argument('--size', type=int, default=1)\n    return parser.parse_args(argv)\n"
_CLI_USE = "from shop.m import main\n\n\ndef test_main():\n    assert main(['--verbose', '--size=2']).loud\n"
OPTIONS = (
    pair(
        "a command-line option renamed",
        _CLI,
        _CLI.replace("--size", "--count"),
        _CLI_USE.replace(".loud", ".loud"),
        _CLI_USE.replace("--size", "--count"),
    ),
    pair(
        "a route renamed",
        "ROUTES = {'/cart': lambda: 'cart', '/home': lambda: 'home'}\n\n\ndef get(path):\n    return ROUTES[path]() if path in ROUTES else 404\n",
        "ROUTES = {'/basket': lambda: 'cart', '/home': lambda: 'home'}\n\n\ndef get(path):\n    return ROUTES[path]() if path in ROUTES else 404\n",
        "from shop.m import get\n\n\ndef test_get():\n    assert get('/cart') == 'cart'\n",
        "from shop.m import get\n\n\ndef test_get():\n    assert get('/basket') == 'cart'\n",
    ),
)
NOT_OPTIONS = (
    pair(
        "an option was taken away",
        _CLI,
        _CLI.replace("    parser.add_argument('--size', type=int, default=1)\n", ""),
        _CLI_USE,
        why="nothing took its place",
    ),
)
_MAIL = "def send(text):\n    return text.strip()\n"
_ORDERS = "from shop.mail import send\n\n\ndef order(text):\n    return send(text)\n"
_PATCHED = "from unittest.mock import patch\n\nfrom shop.orders import order\n\n\n@patch('shop.orders.send', return_value='ok')\ndef test_order(fake):\n    assert order('a') == 'ok'\n"
_RATES = """def fetch_rate(name):
    return len(name) * 2 + 1


def total(amount):
    return amount * fetch_rate('hazel')
"""
_THROUGH = """from shop import rates


def total(amount):
    return amount * rates.fetch_rate('hazel')
"""
_FAR = """from shop import orders


def test_total(monkeypatch):
    monkeypatch.setattr('shop.rates.fetch_rate', lambda name: 4)
    assert orders.total(10) == 40
"""
_DECORATOR = """from unittest.mock import patch

from shop import orders


@patch('shop.rates.fetch_rate', return_value=4)
def test_total(fake):
    assert orders.total(10) == 40
"""
_WAITS = "import time\n\n\ndef later(seconds):\n    time.sleep(seconds)\n    return seconds\n"
_SLEPT = "from unittest.mock import patch\n\nfrom shop import wait\n\n\ndef test_later():\n    with patch('shop.wait.time.sleep') as slept:\n        assert wait.later(9) == 9\n    slept.assert_called_once_with(9)\n"
TARGETS = (
    Example(
        "the module imports the name itself now",
        {
            **_INIT,
            "shop/wait.py": _WAITS.replace("import time", "from time import sleep").replace("time.sleep(", "sleep("),
            "test_m.py": _SLEPT,
        },
        {"test_m.py": _SLEPT.replace("shop.wait.time.sleep", "shop.wait.sleep")},
        head={**_INIT, "shop/wait.py": _WAITS, "test_m.py": _SLEPT},
    ),
    Example(
        "the module reads the name from another module now",
        {
            **_INIT,
            "shop/mail.py": _MAIL,
            "shop/orders.py": "from shop import mail\n\n\ndef order(text):\n    return mail.send(text)\n",
            "test_m.py": _PATCHED,
        },
        {"test_m.py": _PATCHED.replace("shop.orders.send", "shop.mail.send")},
        head={**_INIT, "shop/mail.py": _MAIL, "shop/orders.py": _ORDERS, "test_m.py": _PATCHED},
    ),
    Example(
        "the target of monkeypatch was renamed",
        {
            **_INIT,
            "shop/m.py": "def load_all(path):\n    with open(path) as file:\n        return file.read()\n\n\ndef size(path):\n    return len(load_all(path))\n",
            "test_m.py": "from shop import m\n\n\ndef test_size(monkeypatch):\n    monkeypatch.setattr(m, 'load', lambda path: 'abc')\n    assert m.size('x') == 3\n",
        },
        {
            "test_m.py": "from shop import m\n\n\ndef test_size(monkeypatch):\n    monkeypatch.setattr(m, 'load_all', lambda path: 'abc')\n    assert m.size('x') == 3\n"
        },
        head={
            **_INIT,
            "shop/m.py": "def load(path):\n    with open(path) as file:\n        return file.read()\n\n\ndef size(path):\n    return len(load(path))\n",
            "test_m.py": "from shop import m\n\n\ndef test_size(monkeypatch):\n    monkeypatch.setattr(m, 'load', lambda path: 'abc')\n    assert m.size('x') == 3\n",
        },
    ),
    Example(
        "the dotted target of monkeypatch is in a module that was renamed",
        {**_INIT, "shop/prices.py": _RATES, "shop/orders.py": _THROUGH.replace("rates", "prices"), "test_m.py": _FAR},
        {"test_m.py": _FAR.replace("shop.rates", "shop.prices")},
        head={**_INIT, "shop/rates.py": _RATES, "shop/orders.py": _THROUGH, "test_m.py": _FAR},
    ),
    Example(
        "the target of a decorator is in a module that was renamed",
        {**_INIT, "shop/prices.py": _RATES, "shop/orders.py": _THROUGH.replace("rates", "prices"), "test_m.py": _DECORATOR},
        {"test_m.py": _DECORATOR.replace("shop.rates", "shop.prices")},
        head={**_INIT, "shop/rates.py": _RATES, "shop/orders.py": _THROUGH, "test_m.py": _DECORATOR},
    ),
)
NOT_TARGETS = (
    Example(
        "the product no longer sends anything",
        {**_INIT, "shop/mail.py": _MAIL, "shop/orders.py": "def order(text):\n    return text\n", "test_m.py": _PATCHED},
        head={**_INIT, "shop/mail.py": _MAIL, "shop/orders.py": _ORDERS, "test_m.py": _PATCHED},
        why="there is nothing left to patch",
    ),
)
