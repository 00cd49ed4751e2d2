"""Examples of the tactics for what something returns."""

# ruff: noqa: E501 - projects as one string each
from __future__ import annotations

from pytest_maestro_healer.strategies.api_contract_adaptation.examples_shapes import pair
from pytest_maestro_healer.strategies.base import Example

_LIST = "def evens(limit):\n    return [n for n in range(limit) if n % 2 == 0]\n"
_SHARE = "\n\ndef share(limit):\n    return len(evens(limit)) / limit\n"
_LAZY = "def evens(limit):\n    for n in range(limit):\n        if n % 2 == 0:\n            yield n\n"
_EVENS = "from shop.m import evens\n\n\ndef test_evens():\n    assert evens(5) == [0, 2, 4]\n\n\ndef test_count():\n    assert len(evens(9)) == 5\n    assert sum(evens(5)) == 6\n"
_CALL = "generic_tags('py3', ['none'], ['any'])"
_TAGS = f"""import unittest

from packaging.tags import Tag, generic_tags


class TagsTest(unittest.TestCase):
    def test_all(self):
        self.assertEqual({_CALL}, [Tag('py3', 'none', 'any')])
        self.assertEqual(len({_CALL}), 1)

    def test_each(self):
        for tag in {_CALL}:
            self.assertEqual(tag.abi, 'none')
        self.assertEqual(next({_CALL}).abi, 'none')
"""
LAZY = (
    pair(
        "a list became a generator",
        _LIST,
        _LAZY,
        _EVENS,
        _EVENS.replace("assert evens(5)", "assert list(evens(5))").replace("len(evens(9))", "len(list(evens(9)))"),
    ),
    Example(
        "an installed function gives a generator: what is compared and measured is collected, what is looped over is not",
        {"test_tags.py": _TAGS},
        {"test_tags.py": _TAGS.replace(f"({_CALL}, ", f"(list({_CALL}), ").replace(f"len({_CALL})", f"len(list({_CALL}))")},
    ),
)
NOT_LAZY = (
    pair(
        "the product returns the wrong thing",
        _LIST,
        "def evens(limit):\n    return [n for n in range(limit) if n % 2]\n",
        _EVENS,
        why="the condition was turned round",
    ),
    pair(
        "the product itself still measures the list",
        _LIST + _SHARE,
        _LIST.replace("[", "(").replace("]", ")") + _SHARE,
        _EVENS,
        advice="this looks like a regression of the product",
        why="the product has not followed, so it is a slip",
    ),
)
_TUPLE = "def place():\n    left = 1\n    top = 2\n    return left, top\n"
_OBJECT = "from dataclasses import dataclass\n\n\n@dataclass\nclass Point:\n    top: int\n    left: int\n\n\ndef place():\n    left = 1\n    top = 2\n    return Point(top, left)\n"
_PLACE = "from shop.m import place\n\n\ndef test_unpack():\n    x, y = place()\n    assert (x, y) == (1, 2)\n\n\ndef test_index():\n    found = place()\n    assert found[0] == 1\n    assert found[1] == 2\n"
OBJECTS = (
    pair(
        "a tuple became a dataclass, its fields in another order",
        _TUPLE,
        _OBJECT,
        _PLACE,
        _PLACE.replace("    x, y = place()\n", "    point = place()\n    x, y = point.left, point.top\n")
        .replace("found[0]", "found.left")
        .replace("found[1]", "found.top"),
    ),
    pair(
        "a dict became an object",
        "def load():\n    return {'host': 'a', 'port': 1}\n",
        "class Settings:\n    def __init__(self, host, port):\n        self.host = host\n        self.port = port\n\n\ndef load():\n    return Settings('a', 1)\n",
        "from shop.m import load\n\n\ndef test_load():\n    got = load()\n    assert got['host'] == 'a'\n    assert got['port'] == 1\n",
        "from shop.m import load\n\n\ndef test_load():\n    got = load()\n    assert got.host == 'a'\n    assert got.port == 1\n",
    ),
)
NOT_OBJECTS = (
    pair(
        "nothing is returned any more",
        _TUPLE,
        "def place():\n    left = 1\n    top = 2\n",
        _PLACE,
        why="a lost return statement is a regression",
    ),
)
DICTS = (
    pair(
        "an object became a dict",
        "class Settings:\n    def __init__(self, host):\n        self.host = host\n\n\ndef load():\n    return Settings('a')\n",
        "def load():\n    return {'host': 'a'}\n",
        "from shop.m import load\n\n\ndef test_load():\n    got = load()\n    assert got.host == 'a'\n",
        "from shop.m import load\n\n\ndef test_load():\n    got = load()\n    assert got[\"host\"] == 'a'\n",
    ),
)
NOT_DICTS = (
    pair(
        "the dict lacks what the object had",
        "class Settings:\n    def __init__(self, host):\n        self.host = host\n\n\ndef load():\n    return Settings('a')\n",
        "def load():\n    return {'port': 1}\n",
        "from shop.m import load\n\n\ndef test_load():\n    got = load()\n    assert got.host == 'a'\n",
        why="host is gone",
    ),
)
BYTES = (
    pair(
        "a token that was bytes is text",
        "def token(name):\n    return name.encode()\n",
        "def token(name):\n    return name\n",
        "from shop.m import token\n\n\ndef test_token():\n    assert token('a').decode('utf-8') == 'a'\n",
        "from shop.m import token\n\n\ndef test_token():\n    assert token('a') == 'a'\n",
    ),
    pair(
        "bytes are wanted where text was",
        "def digest(text):\n    return sum(text.encode()) % 100\n",
        "def digest(data):\n    return sum(memoryview(data)) % 100\n",
        "from shop.m import digest\n\n\ndef test_digest():\n    assert digest('a') == 97\n",
        "from shop.m import digest\n\n\ndef test_digest():\n    assert digest(b'a') == 97\n",
    ),
)
NOT_BYTES = (
    pair(
        "the product mixes the two itself",
        "def line(text):\n    return text + '\\n'\n",
        "def line(text):\n    return text + b'\\n'\n",
        "from shop.m import line\n\n\ndef test_line():\n    assert line('a') == 'a\\n'\n",
        why="text and bytes cannot be added",
    ),
)
