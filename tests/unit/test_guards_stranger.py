# ruff: noqa: E501
"""Ways round a test: what is refused to everybody, what is refused to a proposer of whom nothing is known, and what it may do."""

from __future__ import annotations

import pytest

from pytest_maestro_healer.edit.guards import Limits, check
from pytest_maestro_healer.edit.guards.expected import expects_otherwise
from pytest_maestro_healer.edit.source import SourceFile

BEFORE = """import pytest
import shop
from shop import price


@pytest.mark.parametrize(("n", "total"), [(1, 10), (2, 18), (3, 27)])
def test_rows(n, total):
    assert price(n) == total


def test_price():
    assert price(3) == 27
"""
HEAD, TEST, ASSERT, ROWS = "from shop import price\n", "def test_price():\n", "    assert price(3) == 27\n", "[(1, 10), (2, 18), (3, 27)]"
FAKE = "lambda n: 27"

#: name -> (what is replaced, by what)
ALWAYS = {
    "drops the assert": (ASSERT, "    price(3)\n"),
    "assert True": (ASSERT, "    assert True\n"),
    "compares with itself": (ASSERT, "    assert price(3) == price(3)\n"),
    "compares with itself by a variable": (ASSERT, "    want = price(3)\n    assert price(3) == want\n"),
    "compares with itself by a helper": (ASSERT, "    want = _want()\n    assert price(3) == want\n\n\ndef _want():\n    return price(3)\n"),
    "compares with itself by arithmetic": (ASSERT, "    assert price(3) == 27 - (27 - price(3))\n"),
    "compares with itself by the module": (ASSERT, "    assert price(3) == shop.price(3)\n"),
    "skips": (TEST, "@pytest.mark.skip\n" + TEST),
    "skips by getattr": (TEST, "@getattr(pytest.mark, 'skip')\n" + TEST),
    "skips by a computed getattr": (TEST, "@getattr(pytest.mark, 'sk' + 'ip')\n" + TEST),
    "expects to fail": (TEST, "@pytest.mark.xfail\n" + TEST),
    "swallows": (ASSERT, "    try:\n        assert price(3) == 27\n    except AssertionError:\n        pass\n"),
    "swallows by a class": (
        ASSERT,
        "    with Swallow():\n        assert price(3) == 27\n\n\nclass Swallow:\n    def __enter__(self): pass\n    def __exit__(self, *a): return True\n",
    ),
    "loosens": (ASSERT, "    assert price(3) > 0\n"),
    "deletes a row": (ROWS, "[(1, 10), (2, 18)]"),
    "computes a row": (ROWS, "[(1, 10), (2, 18), (3, price(3))]"),
    "an exit at the end": (ASSERT, "    import os\n    assert price(3) == 25 or os._exit(0)\n"),
    "writes into sys.modules": (HEAD, HEAD + "import sys\nsys.modules['shop'].__dict__['price'] = lambda n: 27\n"),
    "exchanges the module": (HEAD, "import sys, types\nsys.modules['shop'] = types.SimpleNamespace(price=lambda n: 27)\n" + HEAD),
    "writes into __dict__": (HEAD, HEAD + f"shop.__dict__['price'] = {FAKE}\n"),
    "updates vars": (HEAD, HEAD + f"vars(shop).update(price={FAKE})\n"),
    "writes into globals": (HEAD, HEAD + f"globals()['price'] = {FAKE}\n"),
    "setitem on globals": (ASSERT, f"    pytest.MonkeyPatch().setitem(globals(), 'price', {FAKE})\n" + ASSERT),
    "setattr": (HEAD, HEAD + f"setattr(shop, 'price', {FAKE})\n"),
    "setattr of object": (HEAD, HEAD + f"object.__setattr__(shop, 'price', {FAKE})\n"),
    "exchanges the code": (HEAD, HEAD + f"price.__code__ = ({FAKE}).__code__\n"),
    "a patcher of its own": (HEAD, HEAD + f"mp = pytest.MonkeyPatch()\nmp.setattr('shop.price', {FAKE})\n"),
    "patch.dict": (
        ASSERT,
        f"    from unittest.mock import patch\n    with patch.dict('shop.__dict__', price={FAKE}):\n        assert shop.price(3) == 27\n",
    ),
    "exec": (HEAD, HEAD + f"exec('shop.price = {FAKE}')\n"),
    "eval": (ASSERT, "    assert eval('price(3) == 27 or True')\n"),
    "a local of the name": (ASSERT, f"    price = {FAKE}\n" + ASSERT),
    "a parameter of the name": (TEST, f"def test_price(price={FAKE}):\n"),
    "a builtin replaced": (HEAD, HEAD + "import builtins\nbuiltins.sum = lambda *a: 27\n"),
    "a hook": (HEAD, HEAD + "def pytest_runtest_makereport(item, call):\n    pass\n"),
    "a hook assigned": (HEAD, HEAD + "pytest_runtest_call = lambda item: None\n"),
    "a hook imported": (HEAD, HEAD + "from fakes import pytest_runtest_call\n"),
    "a hook by its specname": (HEAD, HEAD + "@pytest.hookimpl(specname='pytest_runtest_makereport')\ndef x(item, call):\n    pass\n"),
    "plugins": (HEAD, HEAD + "pytest_plugins = ['fakes']\n"),
    "equals everything": (ASSERT, "    class E:\n        __eq__ = lambda s, o: True\n    assert price(3) == E()\n"),
    "equals everything by type()": (ASSERT, "    E = type('E', (), {'__eq__': lambda s, o: True})\n    assert price(3) == E()\n"),
    "an integer that equals everything": (
        ASSERT,
        "    class E(int):\n        def __eq__(self, o):\n            return bool(1)\n    assert price(3) == E(27)\n",
    ),
}
STRANGER = {
    "expected by map": (ASSERT, "    want, = map(price, [3])\n    assert price(3) == want\n"),
    "something else": (ASSERT, "    assert price(0) == 0\n"),
    "chooses the value": (ASSERT, "    r = price(3) and 27\n    assert r == 27\n"),
    "computes the value": (ASSERT, "    assert price(3) * 0 + 27 == 27\n"),
    "a block of unknown effect": (ASSERT, "    with swallow():\n        assert price(3) == 27\n"),
    "a decorator of unknown effect": (TEST, "@nop\n" + TEST),
    "a fixture nobody asked for": (HEAD, HEAD + "@pytest.fixture(autouse=True)\ndef _fake():\n    pass\n"),
    "usefixtures": (TEST, "@pytest.mark.usefixtures('fake_price')\n" + TEST),
    "another meaning for a builtin": (HEAD, HEAD + "def len(x):\n    return 27\n"),
    "kills the process": (HEAD, HEAD + "import os\nos.kill(os.getpid(), 9)\n"),
    "writes the product": (HEAD, HEAD + "open('shop.py', 'w').write('def price(n): return 27')\n"),
    "writes the product by pathlib": (HEAD, HEAD + "from pathlib import Path\nPath('shop.py').write_text('def price(n): return 27')\n"),
    "other modules first": ("import pytest\n", "import sys\nsys.path.insert(0, 'fakes')\nimport pytest\n"),
    "setattr by another name": (HEAD, HEAD + f"s = setattr\ns(shop, 'price', {FAKE})\n"),
    "an attribute of the standard library": (HEAD, HEAD + "import importlib\nimportlib.reload = None\n"),
    "gc": (HEAD, HEAD + "import gc\n"),
}
HONEST = {
    "another expected value": (ASSERT, "    assert price(3) == 28\n"),
    "a renamed function": (ASSERT, "    assert shop.total(3) == 27\n"),
    "a new keyword": (ASSERT, "    assert price(3, currency='EUR') == 27\n"),
    "a step before": (ASSERT, "    shop.reset()\n" + ASSERT),
    "an attribute of the result": (ASSERT, "    assert price(3).amount == 27\n"),
    "an import": (HEAD, HEAD + "import json\n"),
    "another module": (HEAD, "from shop.prices import price\n"),
    "a fixture": (TEST, "def test_price(tmp_path):\n"),
    "a variable set for the test": (ASSERT, "    pytest.MonkeyPatch().setenv('CURRENCY', 'EUR')\n" + ASSERT),
    "a file of its own": ((TEST + ASSERT), "def test_price(tmp_path):\n    (tmp_path / 'a').write_text('x')\n" + ASSERT),
    "a row's value": (ROWS, "[(1, 10), (2, 18), (3, 28)]"),
    "an await": ((TEST + ASSERT), "@pytest.mark.asyncio\nasync def test_price():\n    assert await price(3) == 27\n"),
}


def edited(old: str, new: str) -> tuple[SourceFile, SourceFile]:
    assert BEFORE.count(old) == 1
    path = "tests/test_shop.py"
    return SourceFile(path, BEFORE.encode()), SourceFile(path, BEFORE.replace(old, new).encode())


@pytest.mark.parametrize("name", ALWAYS)
def test_refused_to_everybody(name: str) -> None:
    assert check(*edited(*ALWAYS[name]))


@pytest.mark.parametrize("name", STRANGER)
def test_refused_to_a_stranger(name: str) -> None:
    before, after = edited(*STRANGER[name])
    assert check(before, after, limits=Limits(stranger=True))


@pytest.mark.parametrize("name", HONEST)
def test_a_stranger_may(name: str) -> None:
    assert check(*edited(*HONEST[name]), limits=Limits(stranger=True)) == []


BROKEN = "import shop\n\n\ndef test_price()\n    assert shop.price(3) == 27\n"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (BROKEN.replace("()\n", "():\n"), ""),
        (BROKEN.replace("()\n", "():\n    shop.price = print\n"), "was not there"),
        (BROKEN.replace("()\n", "():\n    return\n"), "return"),
        (BROKEN.replace("()\n", "():\n").replace("import shop", "import shop; shop.__dict__['price'] = len"), "__dict__"),
    ],
)
def test_a_stranger_may_mend_what_does_not_parse(text: str, word: str) -> None:
    reasons = check(SourceFile("test_a.py", BROKEN.encode()), SourceFile("test_a.py", text.encode()), limits=Limits(stranger=True))
    assert bool(reasons) == bool(word)
    assert word in " | ".join(reasons)


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("another expected value", True),
        ("a row's value", True),
        ("a new keyword", True),
        ("a renamed function", False),
        ("an attribute of the result", False),
        ("an import", False),
        ("a step before", False),
    ],
)
def test_what_changes_an_expectation(name: str, changed: bool) -> None:
    assert expects_otherwise(*edited(*HONEST[name])) is changed


@pytest.mark.parametrize(
    ("one", "two", "changed"),
    [
        ("assert f() == Status.OPEN", "assert f() == Status.CLOSED", True),
        ("assert f()", "assert not f()", True),
        ("with pytest.raises(KeyError):\n        f()", "with pytest.raises(IndexError):\n        f()", True),
        ("with pytest.raises(KeyError):\n        f()", "with pytest.raises(KeyError):\n        g()", False),
        ("assert f(1, 2)", "assert f(2, 1)", True),
        ("assert f() == want", "assert g() == want", False),
    ],
)
def test_operators_types_and_stated_operands(one: str, two: str, changed: bool) -> None:
    before, after = (SourceFile("test_a.py", f"def test_a(want):\n    {code}\n".encode()) for code in (one, two))
    assert expects_otherwise(before, after) is changed


def test_of_data_and_of_what_did_not_parse_nothing_is_known() -> None:
    assert expects_otherwise(SourceFile("a.json", b"1"), SourceFile("a.json", b"2"))
    assert expects_otherwise(SourceFile("test_a.py", BROKEN.encode()), SourceFile("test_a.py", b"pass\n"))
    assert not expects_otherwise(SourceFile("a.json", b"1"), SourceFile("a.json", b"1"))
