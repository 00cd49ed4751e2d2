"""Examples of the tactics for gone names."""

# ruff: noqa: E501 - projects as one string each
from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example

_CART = """class Cart:
    def __init__(self, items):
        self.items = list(items)

    def total(self):
        result = 0
        for price, count in self.items:
            result += price * count
        return result

    @property
    def size(self):
        return sum(count for _, count in self.items)
"""
_INIT = {"shop/__init__.py": ""}
_TEST = """from shop.cart import Cart


def test_total():
    cart = Cart([(2, 3)])
    assert cart.total() == 6
"""
_OTHER = """from shop.cart import Cart


class Till:
    def total(self):
        return 7


def test_total_again():
    assert Cart([(1, 1)]).total() == 1


def test_till():
    assert Till().total() == 7
"""
_ENUM = "import enum\n\n\nclass State(enum.Enum):\n    OPEN = 'open'\n    SHUT = 'shut'\n\n\ndef first():\n    return State.SHUT\n"
_ENUM_TEST = "from shop.state import State, first\n\n\ndef test_first():\n    assert first() is State.SHUT\n"
_FUNCTION = "def total(cart):\n    return sum(price * count for price, count in cart.items)\n\n\nclass Cart:\n    def __init__(self, items):\n        self.items = items\n"
_FUNCTION_TEST = "from shop.cart import Cart, total\n\n\ndef test_total():\n    cart = Cart([(2, 3)])\n    assert total(cart) == 6\n"
_METHOD = "class Cart:\n    def __init__(self, items):\n        self.items = items\n\n    def total(self):\n        return sum(price * count for price, count in self.items)\n"
_METHOD_TEST = "from shop.cart import Cart\n\n\ndef test_total():\n    cart = Cart([(2, 3)])\n    assert cart.total() == 6\n"
_SEND = "def send(text, times=1):\n    line = text.strip()\n    return len(line) * times\n"
_PROMISED = "from shop.mail import send\n\n\ndef test_send():\n    assert send(' a ') == 1\n"
_SEND_TEST = "from shop import send\nfrom shop.mail import send as post\n\n\ndef test_send():\n    assert send(' a ') == post('b') == 1\n"

_RATES = """def fetch_rate(name):
    return len(name) * 2 + 1


def total(amount):
    return amount * fetch_rate('hazel')
"""
_DOTTED = """from shop import rates


def test_total(monkeypatch):
    monkeypatch.setattr('shop.rates.fetch_rate', lambda name: 4)
    assert rates.total(10) == 40
"""
RENAMED = (
    Example(
        "the dotted target of monkeypatch was renamed",
        {**_INIT, "shop/rates.py": _RATES.replace("fetch_rate", "load_rate"), "test_m.py": _DOTTED},
        {"test_m.py": _DOTTED.replace("fetch_rate", "load_rate")},
        head={**_INIT, "shop/rates.py": _RATES, "test_m.py": _DOTTED},
    ),
    Example(
        "a function renamed behind the package that hands it on",
        {
            "shop/__init__.py": 'from .mail import deliver\n\n__all__ = ["deliver"]\n',
            "shop/mail.py": _SEND.replace("send", "deliver"),
            "test_mail.py": _SEND_TEST,
        },
        {
            "test_mail.py": "from shop import deliver\nfrom shop.mail import deliver as post\n\n\ndef test_send():\n"
            "    assert deliver(' a ') == post('b') == 1\n"
        },
        head={"shop/__init__.py": 'from .mail import send\n\n__all__ = ["send"]\n', "shop/mail.py": _SEND, "test_mail.py": _SEND_TEST},
    ),
    Example(
        "a function renamed behind the star of a package that did not change",
        {
            "shop/__init__.py": "from .mail import *\n",
            "shop/mail.py": _SEND.replace("send", "deliver"),
            "test_a.py": "import shop\n\n\ndef test_send():\n    assert shop.send(' a ') == 1\n",
            "test_b.py": "from shop import send\n\n\ndef test_send():\n    assert send('b') == 1\n",
        },
        {
            "test_a.py": "import shop\n\n\ndef test_send():\n    assert shop.deliver(' a ') == 1\n",
            "test_b.py": "from shop import deliver\n\n\ndef test_send():\n    assert deliver('b') == 1\n",
        },
        head={
            "shop/__init__.py": "from .mail import *\n",
            "shop/mail.py": _SEND,
            "test_a.py": "import shop\n\n\ndef test_send():\n    assert shop.send(' a ') == 1\n",
            "test_b.py": "from shop import send\n\n\ndef test_send():\n    assert send('b') == 1\n",
        },
    ),
    Example(
        "a method renamed; a class of the test with a method of that name is left alone",
        {**_INIT, "shop/cart.py": _CART.replace("def total", "def grand_total"), "test_a.py": _TEST, "test_b.py": _OTHER},
        {"test_a.py": _TEST.replace("cart.total", "cart.grand_total"), "test_b.py": _OTHER.replace(").total() == 1", ").grand_total() == 1")},
        head={**_INIT, "shop/cart.py": _CART, "test_a.py": _TEST, "test_b.py": _OTHER},
    ),
    Example(
        "an enum member renamed in the last commit; the product's own code shows it",
        {**_INIT, "shop/state.py": _ENUM.replace("SHUT", "CLOSED"), "test_state.py": _ENUM_TEST},
        {"test_state.py": _ENUM_TEST.replace("State.SHUT", "State.CLOSED")},
        head={**_INIT, "shop/state.py": _ENUM.replace("SHUT", "CLOSED"), "test_state.py": _ENUM_TEST},
        commits=(("start", {**_INIT, "shop/state.py": _ENUM, "test_state.py": _ENUM_TEST}),),
        message="rename State.SHUT to State.CLOSED",
    ),
    Example(
        "a function of a module renamed, with a patch target",
        {
            **_INIT,
            "shop/mail.py": "def deliver(text):\n    line = text.strip()\n    return len(line)\n\n\ndef greet():\n    return deliver('hello')\n",
            "test_mail.py": "from unittest.mock import patch\n\nfrom shop import mail\n\n\ndef test_send():\n    assert mail.send(' a ') == 1\n\n\n"
            "def test_greet():\n    with patch('shop.mail.send') as fake:\n        mail.greet()\n    fake.assert_called_once_with('hello')\n",
        },
        {
            "test_mail.py": "from unittest.mock import patch\n\nfrom shop import mail\n\n\ndef test_send():\n    assert mail.deliver(' a ') == 1\n\n\n"
            "def test_greet():\n    with patch('shop.mail.deliver') as fake:\n        mail.greet()\n    fake.assert_called_once_with('hello')\n",
        },
        head={
            **_INIT,
            "shop/mail.py": "def send(text):\n    line = text.strip()\n    return len(line)\n\n\ndef greet():\n    return send('hello')\n",
            "test_mail.py": "from unittest.mock import patch\n\nfrom shop import mail\n\n\ndef test_send():\n    assert mail.send(' a ') == 1\n\n\n"
            "def test_greet():\n    with patch('shop.mail.send') as fake:\n        mail.greet()\n    fake.assert_called_once_with('hello')\n",
        },
    ),
    Example(
        "a method became a property under a new name",
        {**_INIT, "shop/cart.py": _CART.replace("    def total", "    @property\n    def grand_total"), "test_a.py": _TEST},
        {"test_a.py": _TEST.replace("cart.total()", "cart.grand_total")},
        head={**_INIT, "shop/cart.py": _CART, "test_a.py": _TEST},
    ),
    Example(
        "a function became a method",
        {**_INIT, "shop/cart.py": _METHOD, "test_cart.py": _FUNCTION_TEST},
        {"test_cart.py": _METHOD_TEST},
        head={**_INIT, "shop/cart.py": _FUNCTION, "test_cart.py": _FUNCTION_TEST},
    ),
    Example(
        "a method became a function",
        {**_INIT, "shop/cart.py": _FUNCTION, "test_cart.py": _METHOD_TEST},
        {"test_cart.py": "from shop.cart import Cart, total\n\n\ndef test_total():\n    cart = Cart([(2, 3)])\n    assert total(cart) == 6\n"},
        head={**_INIT, "shop/cart.py": _METHOD, "test_cart.py": _METHOD_TEST},
    ),
    Example(
        "a deprecated alias was taken away",
        {**_INIT, "shop/cart.py": _CART, "test_a.py": _TEST.replace("cart.total()", "cart.get_total()")},
        {"test_a.py": _TEST},
        head={
            **_INIT,
            "shop/cart.py": "import warnings\n\n\n"
            + _CART
            + "\n    def get_total(self):\n        warnings.warn('use total', DeprecationWarning, stacklevel=2)\n        return self.total()\n",
            "test_a.py": _TEST.replace("cart.total()", "cart.get_total()"),
        },
    ),
)
NOT_RENAMED = (
    Example(
        "a function got another name, and the old one is still promised",
        {**_INIT, "shop/mail.py": '__all__ = ["send"]\n\n\n' + _SEND.replace("def send", "def _send"), "test_mail.py": _PROMISED},
        head={**_INIT, "shop/mail.py": '__all__ = ["send"]\n\n\n' + _SEND, "test_mail.py": _PROMISED},
        why="what __all__ names has to be there: the product is broken",
    ),
    Example(
        "a method was deleted that the product still calls",
        {
            **_INIT,
            "shop/cart.py": "class Cart:\n    def __init__(self, items):\n        self.items = items\n\n    def mean(self):\n        return self.total() / len(self.items)\n",
            "test_cart.py": _METHOD_TEST,
        },
        head={
            **_INIT,
            "shop/cart.py": _METHOD + "\n    def mean(self):\n        return self.total() / len(self.items)\n",
            "test_cart.py": _METHOD_TEST,
        },
        advice="regression",
        why="mean() calls total(): its deletion breaks the product itself",
    ),
    Example(
        "a method was removed and another one, with another body, was added",
        {
            **_INIT,
            "shop/cart.py": "class Cart:\n    def __init__(self, items):\n        self.items = items\n\n    def totals(self):\n        return {n: p for n, p in enumerate(self.items)}\n",
            "test_cart.py": _METHOD_TEST,
        },
        head={**_INIT, "shop/cart.py": _METHOD, "test_cart.py": _METHOD_TEST},
        why="only the name is similar",
    ),
)
_MONEY = "class Money:\n    def __init__(self, cents):\n        self.cents = cents\n"
LIBRARY = (
    Example(
        "a method in its old spelling",
        {"test_a.py": "import threading\n\n\ndef test_alive():\n    assert threading.current_thread().isAlive()\n"},
        {"test_a.py": "import threading\n\n\ndef test_alive():\n    assert threading.current_thread().is_alive()\n"},
    ),
    Example(
        "a function in another spelling",
        {"test_a.py": "import threading\n\n\ndef test_alive():\n    assert threading.activecount() >= 1\n"},
        {"test_a.py": "import threading\n\n\ndef test_alive():\n    assert threading.active_count() >= 1\n"},
    ),
    Example(
        "a class that stands in another module of its package now",
        {
            **_INIT,
            "shop/cart.py": "def empty():\n    return []\n",
            "shop/money.py": _MONEY,
            "test_a.py": "from shop import cart\n\n\ndef test_money():\n    assert cart.empty() == []\n    assert cart.Money(3).cents == 3\n",
        },
        {
            "test_a.py": "from shop import cart\nfrom shop.money import Money\n\n\ndef test_money():\n    assert cart.empty() == []\n    assert Money(3).cents == 3\n"
        },
    ),
    Example(
        "a renamed method, by its own documentation",
        {
            **_INIT,
            "shop/cart.py": 'class Cart:\n    def put(self, item):\n        """Take an item in. Renamed from ``insert``."""\n        return [item]\n\n    def get(self):\n        return []\n',
            "test_a.py": "from shop.cart import Cart\n\n\ndef test_put():\n    assert Cart().insert(1) == [1]\n",
        },
        {"test_a.py": "from shop.cart import Cart\n\n\ndef test_put():\n    assert Cart().put(1) == [1]\n"},
    ),
)
NOT_LIBRARY = (
    Example(
        "an attribute that never existed",
        {"test_a.py": "import threading\n\n\ndef test_alive():\n    assert threading.current_thread().favourite_colour() == 'red'\n"},
        why="nothing says what it could be",
    ),
    Example(
        "a similar name that does for one test of two",
        {
            "shop/__init__.py": "",
            "shop/util.py": "def collapse(*rows):\n    return [item for row in rows for item in row]\n",
            "test_util.py": "from shop import util\n\n\ndef test_collate():\n    assert util.collate([2], [1, 3]) == [1, 2, 3]\n\n\n"
            "def test_one():\n    assert util.collate([1, 2]) == [1, 2]\n",
        },
        why="what it does not heal speaks against a mere likeness",
    ),
)
_HOOK = "import abc\n\n\nclass Base(abc.ABC):\n    @abc.abstractmethod\n    def load(self, name):\n        '''Give the text of a name.'''\n\n    def get(self, name):\n        return self.load(name).strip()\n"
_HOOK_TEST = "from shop.base import Base\n\n\nclass Fake(Base):\n    def load(self, name):\n        return name + ' '\n\n\ndef test_get():\n    assert Fake().get('a') == 'a'\n"
HOOKS = (
    Example(
        "an abstract method renamed; the test's subclass follows",
        {**_INIT, "shop/base.py": _HOOK.replace("load", "fetch"), "test_base.py": _HOOK_TEST},
        {"test_base.py": _HOOK_TEST.replace("def load", "def fetch")},
        head={**_INIT, "shop/base.py": _HOOK, "test_base.py": _HOOK_TEST},
    ),
)
NOT_HOOKS = (
    Example(
        "a further abstract method was added",
        {
            **_INIT,
            "shop/base.py": _HOOK + "\n    @abc.abstractmethod\n    def close(self):\n        '''Free everything.'''\n",
            "test_base.py": _HOOK_TEST,
        },
        head={**_INIT, "shop/base.py": _HOOK, "test_base.py": _HOOK_TEST},
        why="what it should do in the test, nobody knows",
    ),
)
_TILL_TEST = "from shop.till import change\n\n\ndef test_change():\n    assert change(10, 7) == 3\n"

REMOVED = (
    Example(
        "a method without a successor",
        {
            **_INIT,
            "shop/cart.py": "class Cart:\n    def __init__(self, items):\n        self.items = items\n",
            "test_cart.py": _METHOD_TEST,
        },
        head={**_INIT, "shop/cart.py": _METHOD, "test_cart.py": _METHOD_TEST},
        advice="shop/cart.py",
    ),
)

REMOVED_DECLINES = (
    Example(
        "nothing was removed, the product is wrong",
        {**_INIT, "shop/till.py": "def change(paid, price):\n    return paid + price\n", "test_till.py": _TILL_TEST},
        head={**_INIT, "shop/till.py": "def change(paid, price):\n    return paid - price\n", "test_till.py": _TILL_TEST},
        why="every name is there, the arithmetic is not what it was",
    ),
)
