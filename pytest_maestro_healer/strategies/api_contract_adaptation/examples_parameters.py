"""Examples of the tactics for changed parameters."""

# ruff: noqa: E501 - projects as one string each
from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example

_INIT = {"shop/__init__.py": ""}


def _pair(title: str, old: str, new: str, test: str, healed: str, **more: object) -> Example:
    """One product file ``shop/m.py`` before and after, one test before and after."""
    return Example(
        title,
        {**_INIT, "shop/m.py": new, "test_m.py": test},
        {"test_m.py": healed} if healed != test else {},
        head={**_INIT, "shop/m.py": old, "test_m.py": test},
        **more,  # type: ignore[arg-type]
    )


_PAY = "def pay(amount, currency='EUR', times=1):\n    total = amount * times\n    return f'{total} {currency}'\n"
_USE = "from shop.m import pay\n\n\ndef test_pay():\n    assert pay(2, times=3) == '6 EUR'\n\n\ndef test_positional():\n    assert pay(2, 'USD', 2) == '4 USD'\n"
_BOX = "class Box:\n    def __init__(self, width, height):\n        self.width = width\n        self.height = height\n\n    def area(self):\n        return self.width * self.height\n"
_BOX_USE = "import pytest\n\nfrom shop.m import Box\n\n\n@pytest.fixture\ndef box():\n    return Box(width=2, height=3)\n\n\ndef test_area(box):\n    assert box.area() == 6\n"
_POINT = "from dataclasses import dataclass\n\n\n@dataclass\nclass Point:\n    x: int\n    y: int\n"
_SLICE = "def cut(text, first, last):\n    return text[first:last]\n"
_SHORT = "\n\ndef short(text):\n    return cut(text, 0, 2)\n"
_SLICE_USE = "from shop.m import cut\n\n\ndef test_cut():\n    assert cut('hello', 1, 3) == 'el'\n"
_DECORATED = (
    "import functools\n\n\ndef logged(function):\n    @functools.wraps(function)\n    def wrapper(*args, **kwargs):\n        return function(*args, **kwargs)\n\n"
    "    return wrapper\n\n\n@logged\n" + _PAY
)
_CHECKOUT = "\n\n@logged\ndef checkout(amount):\n    return pay(amount, times=3)\n"
_CHECKOUT_USE = "from shop.m import checkout\n\n\ndef test_checkout():\n    assert checkout(2) == '6 EUR'\n"

_TAXED = "def net(amount, rates):\n    return amount * 2\n"
_TAXES = (
    "from shop.m import net\n\n\ndef test_one():\n    assert net(1, (1, 2)) == 2\n\n\n"
    "def test_two():\n    assert net(2, (1, 2)) == 4\n\n\ndef test_all():\n    for rates in [(1, 2), (3, 4)]:\n        assert net(0, rates) == 0\n"
)
_PLAIN = "from shop.m import net\n\n\ndef test_net():\n    assert net(10) == 20\n"

CHANGED = (
    _pair("a parameter renamed", _PAY, _PAY.replace("times", "count"), _USE, _USE.replace("times=3", "count=3")),
    _pair("a parameter of a decorated function renamed", _DECORATED, _DECORATED.replace("times", "count"), _USE, _USE.replace("times=3", "count=3")),
    _pair(
        "a parameter made keyword-only",
        _PAY,
        _PAY.replace("currency='EUR', times=1", "*, currency='EUR', times=1"),
        _USE,
        _USE.replace("pay(2, 'USD', 2)", "pay(2, currency='USD', times=2)"),
    ),
    _pair(
        "a required parameter added for what was a constant",
        "def greet(name):\n    return 'Hello, ' + name\n",
        "def greet(greeting, name):\n    return greeting + name\n",
        "from shop.m import greet\n\n\ndef test_greet():\n    assert greet('Ann') == 'Hello, Ann'\n",
        "from shop.m import greet\n\n\ndef test_greet():\n    assert greet('Hello, ', 'Ann') == 'Hello, Ann'\n",
    ),
    _pair(
        "a required parameter added for what was a constant of the module",
        "CURRENCY = 'EUR'\n\n\ndef price(amount):\n    return f'{amount} {CURRENCY}'\n",
        "CURRENCY = 'EUR'\n\n\ndef price(amount, currency):\n    return f'{amount} {currency}'\n\n\ndef show(amount):\n    return price(amount, CURRENCY)\n",
        "from shop.m import price\n\n\ndef test_price():\n    assert price(76) == '76 EUR'\n",
        "from shop.m import price\n\n\ndef test_price():\n    assert price(76, currency='EUR') == '76 EUR'\n",
    ),
    Example(
        "a required parameter added, which the other tests pass already",
        {**_INIT, "shop/m.py": _TAXED, "test_a.py": _TAXES, "test_m.py": _PLAIN},
        {"test_m.py": _PLAIN.replace("(10)", "(10, (1, 2))")},
        head={**_INIT, "shop/m.py": _TAXED.replace(", rates", ""), "test_a.py": _TAXES, "test_m.py": _PLAIN},
    ),
    _pair(
        "a parameter removed that was not used",
        "def pay(amount, verbose, times=1):\n    return amount * times\n",
        "def pay(amount, times=1):\n    return amount * times\n",
        "from shop.m import pay\n\n\ndef test_pay():\n    assert pay(2, True, times=3) == 6\n",
        "from shop.m import pay\n\n\ndef test_pay():\n    assert pay(2, times=3) == 6\n",
    ),
    _pair(
        "a constructor's parameter renamed, called in a fixture",
        _BOX,
        _BOX.replace("__init__(self, width, height)", "__init__(self, w, h)").replace("= width", "= w").replace("= height", "= h"),
        _BOX_USE,
        _BOX_USE.replace("width=2, height=3", "w=2, h=3"),
    ),
    _pair(
        "a dataclass field renamed",
        _POINT + "\n    def far(self):\n        return self.x + self.y > 9\n",
        _POINT.replace("x: int", "left: int") + "\n    def far(self):\n        return self.left + self.y > 9\n",
        "from shop.m import Point\n\n\ndef test_far():\n    assert Point(x=5, y=6).far()\n",
        "from shop.m import Point\n\n\ndef test_far():\n    assert Point(left=5, y=6).far()\n",
    ),
    _pair(
        "parameters made positional-only",
        _SLICE,
        _SLICE.replace("last)", "last, /)"),
        _SLICE_USE.replace("1, 3", "last=3, first=1"),
        _SLICE_USE,
    ),
)
NOT_CHANGED = (
    _pair(
        "the product calls its own decorated function by the old name of a parameter",
        _DECORATED + _CHECKOUT,
        _DECORATED.replace("times", "count") + _CHECKOUT,
        _CHECKOUT_USE,
        _CHECKOUT_USE,
        why="the product's own call is what does not fit",
    ),
    _pair(
        "a required parameter added whose value nobody knows",
        "def greet(name):\n    return 'Hello, ' + name\n",
        "def greet(name, title):\n    return f'Hello, {title} {name}'\n",
        "from shop.m import greet\n\n\ndef test_greet():\n    assert greet('Ann') == 'Hello, Ann'\n",
        "from shop.m import greet\n\n\ndef test_greet():\n    assert greet('Ann') == 'Hello, Ann'\n",
        why="no value for title follows from anything",
    ),
    Example(
        "a call that never fitted",
        {**_INIT, "shop/m.py": _SLICE, "test_m.py": _SLICE_USE.replace("1, 3", "1, 3, 5")},
        why="no version of the function took it",
    ),
)
REORDERED = (
    _pair(
        "parameters in a new order",
        _SLICE,
        _SLICE.replace("text, first, last", "first, last, text"),
        _SLICE_USE,
        _SLICE_USE.replace("'hello', 1, 3", "1, 3, 'hello'"),
    ),
    _pair(
        "parameters in a new order, and the product's own call changed with them",
        _SLICE + _SHORT,
        _SLICE.replace("text, first, last", "first, last, text") + _SHORT.replace("text, 0, 2", "0, 2, text"),
        _SLICE_USE,
        _SLICE_USE.replace("'hello', 1, 3", "1, 3, 'hello'"),
    ),
)
NOT_REORDERED = (
    _pair("the body changed, not the order", _SLICE, _SLICE.replace("first:last", "last:first"), _SLICE_USE, _SLICE_USE, why="the product is wrong"),
)
_LIMIT = "def head(items, limit=3):\n    return items[:limit]\n"
_LIMIT_USE = "from shop.m import head\n\n\ndef test_head():\n    assert head([1, 2, 3, 4, 5]) == [1, 2, 3]\n"
DEFAULT = (
    _pair(
        "a default changed, and the changelog says so",
        _LIMIT,
        _LIMIT.replace("limit=3", "limit=4"),
        _LIMIT_USE,
        _LIMIT_USE.replace("4, 5])", "4, 5], limit=3)"),
    ),
)
DEFAULT = (
    Example(
        DEFAULT[0].title,
        {**DEFAULT[0].files, "CHANGELOG.md": "# 2.0\n\n- `head` gives four items unless `limit` is set.\n"},
        DEFAULT[0].healed,
        head=DEFAULT[0].head,
    ),
)
NOT_DEFAULT = (
    _pair("a default changed, and nobody says why", _LIMIT, _LIMIT.replace("limit=3", "limit=4"), _LIMIT_USE, _LIMIT_USE, why="it may be a slip"),
)
_VENDOR = {
    "pytest.ini": "[pytest]\npythonpath = vendor\ntestpaths = tests\n",
    "vendor/tables/__init__.py": "def render(rows):\n    return '\\n'.join(rows)\n",
}
_RENDER = "import tables\n\n\ndef test_render():\n    assert tables.render(['a'], buffered=True) == 'a'\n"
LIBRARY = (
    Example(
        "a keyword in its old spelling",
        {"test_a.py": "import textwrap\n\n\ndef test_wrap():\n    assert textwrap.shorten('hello world', width=8, place_holder='-') == 'hello-'\n"},
        {"test_a.py": "import textwrap\n\n\ndef test_wrap():\n    assert textwrap.shorten('hello world', width=8, placeholder='-') == 'hello-'\n"},
    ),
    Example(
        "positional arguments for what is keyword-only",
        {
            "test_a.py": "import shutil\n\n\ndef test_copy(tmp_path):\n    (tmp_path / 'a').write_text('x')\n    shutil.copyfile(tmp_path / 'a', tmp_path / 'b', True)\n    assert (tmp_path / 'b').read_text() == 'x'\n"
        },
        {
            "test_a.py": "import shutil\n\n\ndef test_copy(tmp_path):\n    (tmp_path / 'a').write_text('x')\n    shutil.copyfile(tmp_path / 'a', tmp_path / 'b', follow_symlinks=True)\n    assert (tmp_path / 'b').read_text() == 'x'\n"
        },
    ),
    Example(
        "positional arguments for keyword-only parameters with defaults that are not all given",
        {
            **_VENDOR,
            "vendor/tables/__init__.py": "def render(*, rows=(), caption=None, width=80):\n    return '\\n'.join(rows) + (caption or '')\n",
            "tests/test_t.py": _RENDER.replace("buffered=True", "'!'").replace("== 'a'", "== 'a!'"),
        },
        {
            "tests/test_t.py": _RENDER.replace("['a'], buffered=True", "rows=['a'], caption='!'").replace("== 'a'", "== 'a!'"),
        },
    ),
    Example(
        "a positional None for a parameter that is gone, before one of another kind",
        {
            **_VENDOR,
            "vendor/tables/__init__.py": "def render(rows, *, width=80, strict=False):\n    return '\\n'.join(rows)\n",
            "tests/test_t.py": _RENDER.replace("buffered=True", "None, 60, True"),
        },
        {"tests/test_t.py": _RENDER.replace("buffered=True", "width=60, strict=True")},
    ),
    Example(
        "two keywords that are gone, with no value",
        {**_VENDOR, "tests/test_t.py": _RENDER.replace("buffered=True", "buffered=None, colour=None")},
        {"tests/test_t.py": _RENDER.replace(", buffered=True", "")},
    ),
    Example(
        "a keyword of which a deprecation in the code of another function speaks",
        {
            **_VENDOR,
            "vendor/tables/__init__.py": "import warnings\n\n\ndef render(rows, *, glue='\\n'):\n    return glue.join(rows)\n\n\ndef dump(rows, joiner=None, glue='\\n'):\n"
            '    if joiner is not None:\n        warnings.warn(\'"joiner" is deprecated and replaced by "glue"\', DeprecationWarning)\n    return render(rows, glue=joiner or glue)\n',
            "tests/test_t.py": _RENDER.replace("['a'], buffered=True", "['a', 'b'], joiner='-'").replace("== 'a'", "== 'a-b'"),
        },
        {"tests/test_t.py": _RENDER.replace("['a'], buffered=True", "['a', 'b'], glue='-'").replace("== 'a'", "== 'a-b'")},
    ),
    Example(
        "a keyword that the changelog says is gone",
        {**_VENDOR, "vendor/tables/CHANGES.rst": "2.0\n---\n\n- ``render()`` no longer takes ``buffered``.\n", "tests/test_t.py": _RENDER},
        {"tests/test_t.py": _RENDER.replace(", buffered=True", "")},
    ),
)
NOT_LIBRARY = (
    Example(
        "a keyword without a value, and a parameter of a similar name",
        {
            **_VENDOR,
            "vendor/tables/__init__.py": "def render(rows, caption='Rows'):\n    return '\\n'.join(rows) + ('' if caption is None else '')\n",
            "tests/test_t.py": _RENDER.replace("buffered=True", "captions=None"),
        },
        why="None may have meant no caption, which is not the default: neither leaving it out nor the other name is shown",
    ),
    Example(
        "positional arguments of another kind than the keyword-only parameters",
        {
            **_VENDOR,
            "vendor/tables/__init__.py": "def render(rows, *, width=80, strict=False):\n    return '\\n'.join(rows)\n",
            "tests/test_t.py": _RENDER.replace("buffered=True", "'utf-8', True"),
        },
        why="width is a number: the text stood for something that is gone, and it is no None",
    ),
    Example(
        "a keyword that is gone, and nothing says why",
        {**_VENDOR, "vendor/tables/CHANGES.rst": "2.0\n---\n\n- ``load()`` no longer takes ``buffered``.\n", "tests/test_t.py": _RENDER},
        why="what it did may have been what the test is about",
    ),
    Example(
        "a keyword that means nothing like any parameter",
        {"test_a.py": "import textwrap\n\n\ndef test_wrap():\n    assert textwrap.dedent(' a', colour=3) == 'a'\n"},
        why="dedent takes a text and nothing else",
    ),
)
