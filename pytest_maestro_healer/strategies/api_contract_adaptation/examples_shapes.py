"""Examples of the tactics for how something is called."""

# ruff: noqa: E501 - projects as one string each
from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example

_INIT = {"shop/__init__.py": ""}


def pair(title: str, old: str, new: str, test: str, healed: str = "", *, why: str = "", advice: str = "", needs: tuple[str, ...] = ()) -> Example:
    """One product file ``shop/m.py`` before and after, one test before and after (unchanged where ``healed`` is empty)."""
    return Example(
        title,
        {**_INIT, "shop/m.py": new, "test_m.py": test},
        {"test_m.py": healed} if healed else {},
        head={**_INIT, "shop/m.py": old, "test_m.py": test},
        why=why,
        advice=advice,
        needs=needs,
    )


_METHOD = "class Cart:\n    def __init__(self, items):\n        self.items = items\n\n    def size(self):\n        return len(self.items)\n"
_PROPERTY = _METHOD.replace("    def size", "    @property\n    def size")
_CALLED = "from shop.m import Cart\n\n\ndef test_size():\n    cart = Cart([1, 2])\n    assert cart.size() == 2\n\n\ndef test_empty():\n    assert Cart([]).size() == 0\n"
_READ = _CALLED.replace("size()", "size").replace("test_size", "test_size()").replace("test_size()()", "test_size()")
_GIVEN = """import pytest

from shop.m import Cart


@pytest.fixture(scope="class")
def cart(request):
    request.cls.cart = Cart([1, 2])


@pytest.mark.usefixtures("cart")
class TestCart:
    def test_size(self):
        assert self.cart.size == 2
"""
_PLAIN = "def load(name):\n    return name.upper()\n"
_ASYNC = "async def load(name):\n    return name.upper()\n"
_HELLO = "\n\ndef hello(name):\n    return 'hello ' + load(name)\n"
_USE = "from shop.m import load\n\n\ndef test_load():\n    assert load('a') == 'A'\n"
_RUN = "import asyncio\n\nfrom shop.m import load\n\n\ndef test_load():\n    assert asyncio.run(load('a')) == 'A'\n"

METHODS = (
    pair("a method became a property", _METHOD, _PROPERTY, _CALLED, _READ),
    pair("a property became a method", _PROPERTY, _METHOD, _READ, _CALLED),
    pair(
        "a property became a method, of an object that a fixture gave the class",
        _PROPERTY,
        _METHOD,
        _GIVEN,
        _GIVEN.replace("cart.size", "cart.size()"),
    ),
)
_PRICED = "class Item:\n    def __init__(self, price):\n        self.price = price\n\n    def gross(self):\n        return self.price * 2\n\n    def double(self):\n        return self.gross * 2\n"
NOT_METHODS = (
    pair(
        "an attribute holds a value that is not callable",
        "class Cart:\n    def __init__(self, rule):\n        self.rule = rule\n\n    def price(self):\n        return self.rule(2)\n",
        "class Cart:\n    def __init__(self, rule):\n        self.rule = 3\n\n    def price(self):\n        return self.rule(2)\n",
        "from shop.m import Cart\n\n\ndef test_price():\n    assert Cart(lambda n: n).price() == 2\n",
        why="the product overwrites the rule",
    ),
    pair(
        "a property lost its decorator, and the product itself still reads a value",
        _PRICED.replace("    def gross", "    @property\n    def gross"),
        _PRICED,
        "from shop.m import Item\n\n\ndef test_gross():\n    assert Item(3).gross == 6\n",
        advice="this looks like a regression of the product",
        why="the product has not followed, so nobody wanted a method",
    ),
)
ASYNC = (
    pair("a function became a coroutine function, in a plain test", _PLAIN, _ASYNC, _USE, _RUN),
    pair("a coroutine function became plain", _ASYNC, _PLAIN, _RUN, _RUN.replace("asyncio.run(load('a'))", "load('a')")),
    pair(
        "a method became async, in an async test",
        "class Store:\n    def get(self):\n        return {'a': 1}\n",
        "class Store:\n    async def get(self):\n        return {'a': 1}\n",
        "import asyncio\n\nfrom shop.m import Store\n\n\ndef test_get():\n    async def main():\n        store = Store()\n        assert store.get()['a'] == 1\n\n    asyncio.run(main())\n",
        "import asyncio\n\nfrom shop.m import Store\n\n\ndef test_get():\n    async def main():\n        store = Store()\n        assert (await store.get())['a'] == 1\n\n    asyncio.run(main())\n",
    ),
)
NOT_ASYNC = (
    pair(
        "the product forgot to await",
        "async def part():\n    return 2\n\n\nasync def total():\n    return await part() + 1\n",
        "async def part():\n    return 2\n\n\nasync def total():\n    return part() + 1\n",
        "import asyncio\n\nfrom shop.m import total\n\n\ndef test_total():\n    assert asyncio.run(total()) == 3\n",
        why="the missing await is the product's",
    ),
    pair(
        "a function became a coroutine function, and the product itself does not wait for it",
        _PLAIN + _HELLO,
        _ASYNC + _HELLO,
        _USE,
        advice="this looks like a regression of the product",
        why="the product has not followed, so it is a slip",
    ),
)
