# ruff: noqa: E501 - whole files as one literal each
"""Examples of the tactics on messages, exceptions, members and mocks."""

from __future__ import annotations

from pytest_maestro_healer.strategies.assertion_update.examples_values import example
from pytest_maestro_healer.strategies.base import Example

_REPORT = "def report():\n    return \"Summary\\nError: 'x' is not a valid number\\nDone\\n\"\n"

_WORDED = "def report(n):\n    return f'Report\\nitems: {n}\\ndone'\n"
_REWORDED = "from shop import report\n\n\ndef test_report():\n    assert 'items: 7' in report(7)\n"
_GREETING = "def greet(name):\n    return f'Hello {name}, welcome'\n"
_GREETED = "from shop import greet\n\n\ndef test_greet():\n    assert greet('Ann').startswith('Hello Ann')\n"
MEMBER_HEALS = (
    Example(
        "The product's change of a word, made in the expected text",
        {"shop.py": _WORDED.replace("items", "entries"), "test_shop.py": _REWORDED},
        {"test_shop.py": _REWORDED.replace("items", "entries")},
        head={"shop.py": _WORDED, "test_shop.py": _REWORDED},
    ),
    example(
        "Bytes in a body",
        'def body():\n    return b"<p>Signature too old</p>\\n<p>Try again</p>\\n"\n',
        'from shop import body\n\n\ndef test_body():\n    assert b"<p>Signature is old</p>" in body()\n',
        'from shop import body\n\n\ndef test_body():\n    assert b"<p>Signature too old</p>" in body()\n',
    ),
    example(
        "The line of the output that took the text's place",
        _REPORT,
        'from shop import report\n\n\ndef test_report():\n    assert "Error: x is not a valid number" in report()\n',
        "from shop import report\n\n\ndef test_report():\n    assert \"Error: 'x' is not a valid number\" in report()\n",
    ),
    example(
        "A renamed key",
        'def config():\n    return {"timeout_seconds": 3, "host": "localhost"}\n',
        "from shop import config\n\n\ndef test_config():\n    assert 'timeout_secs' in config()\n",
        "from shop import config\n\n\ndef test_config():\n    assert 'timeout_seconds' in config()\n",
    ),
)
MEMBER_DECLINES = (
    Example(
        "A regression: a change of the product took the word away",
        {"shop.py": "def report(n):\n    return f'Report\\ncount: {n - 1}\\ndone'\n", "test_shop.py": _REWORDED},
        head={"shop.py": _WORDED, "test_shop.py": _REWORDED},
        why="with the new word the number is not what was expected",
    ),
    example(
        "A regression: the line is gone",
        'def report():\n    return "Summary\\nDone\\n"\n',
        'from shop import report\n\n\ndef test_report():\n    assert "Error: x is not a valid number" in report()\n',
        "",
        why="nothing in the output resembles the text",
    ),
)

PREDICATE_HEALS = (
    Example(
        "The product's change of a word, made in the expected beginning",
        {"shop.py": _GREETING.replace("Hello", "Hi"), "test_shop.py": _GREETED},
        {"test_shop.py": _GREETED.replace("Hello", "Hi")},
        head={"shop.py": _GREETING, "test_shop.py": _GREETED},
    ),
    example(
        "A prefix of bytes",
        'def signed():\n    return b"v2.value.signature"\n',
        'from shop import signed\n\n\ndef test_signed():\n    assert signed().startswith(b"v1.")\n',
        'from shop import signed\n\n\ndef test_signed():\n    assert signed().startswith(b"v2.")\n',
    ),
    example(
        "A prefix up to its delimiter",
        'def hashed():\n    return "scrypt:32768:8:1"\n',
        'from shop import hashed\n\n\ndef test_hashed():\n    assert hashed().startswith("pbkdf2:")\n',
        'from shop import hashed\n\n\ndef test_hashed():\n    assert hashed().startswith("scrypt:")\n',
    ),
    example(
        "The class in isinstance",
        "def items():\n    return ('a', 'b')\n",
        "from shop import items\n\n\ndef test_items():\n    assert isinstance(items(), list)\n",
        "from shop import items\n\n\ndef test_items():\n    assert isinstance(items(), tuple)\n",
    ),
)
PREDICATE_DECLINES = (
    example(
        "A regression: nothing comes back any more",
        "def items():\n    ['a', 'b']\n",
        "from shop import items\n\n\ndef test_items():\n    assert isinstance(items(), list)\n",
        "",
        why="None is no new type",
    ),
)

TYPE_HEALS = (
    example(
        "Exactly the class that is raised now, with its import",
        "from decimal import Decimal as parse\n",
        'import pytest\n\nfrom shop import parse\n\n\ndef test_parse():\n    with pytest.raises(ValueError):\n        parse("x")\n',
        'from decimal import InvalidOperation\n\nimport pytest\n\nfrom shop import parse\n\n\ndef test_parse():\n    with pytest.raises(InvalidOperation):\n        parse("x")\n',
        old="parse = int\n",
    ),
    example(
        "A built-in class in unittest",
        'lookup = {"a": 1}.__getitem__\n',
        "import unittest\n\nfrom shop import lookup\n\n\nclass LookupTest(unittest.TestCase):\n    def test_lookup(self):\n        with self.assertRaises(IndexError):\n            lookup(7)\n",
        "import unittest\n\nfrom shop import lookup\n\n\nclass LookupTest(unittest.TestCase):\n    def test_lookup(self):\n        with self.assertRaises(KeyError):\n            lookup(7)\n",
        old="lookup = [1].__getitem__\n",
    ),
)
TYPE_DECLINES = (
    example(
        "A regression: the call itself no longer fits",
        "def parse(text, *, base):\n    raise ValueError(text)\n",
        'import pytest\n\nfrom shop import parse\n\n\ndef test_parse():\n    with pytest.raises(ValueError):\n        parse("x")\n',
        "",
        why="a TypeError of the call is a changed contract, not the exception that the test is about",
    ),
    example(
        "A regression: the product stumbles before it can complain",
        "def parse(text):\n    limits = {}\n    if len(text) > limits['max']:\n        raise ValueError(text)\n",
        'import pytest\n\nfrom shop import parse\n\n\ndef test_parse():\n    with pytest.raises(ValueError):\n        parse("x")\n',
        "",
        why="a KeyError out of the product's own code is a crash, no new contract",
    ),
)

MESSAGE_HEALS = (
    example(
        "Only the words that changed, escaped where needed",
        "def parse(text):\n    raise ValueError(\"invalid literal (got 'x')\")\n",
        'import pytest\n\nfrom shop import parse\n\n\ndef test_parse():\n    with pytest.raises(ValueError, match="invalid value"):\n        parse("x")\n',
        'import pytest\n\nfrom shop import parse\n\n\ndef test_parse():\n    with pytest.raises(ValueError, match="invalid literal"):\n        parse("x")\n',
    ),
    example(
        "A pattern keeps its repetition",
        'def parse(text):\n    raise ValueError("line 12: unexpected character")\n',
        'import pytest\n\nfrom shop import parse\n\n\ndef test_parse():\n    with pytest.raises(ValueError, match=r"line \\d+: unexpected token$"):\n        parse("x")\n',
        'import pytest\n\nfrom shop import parse\n\n\ndef test_parse():\n    with pytest.raises(ValueError, match=r"line \\d+: unexpected character$"):\n        parse("x")\n',
    ),
)
MESSAGE_DECLINES = (
    example(
        "A regression: another error altogether",
        'def parse(text):\n    raise ValueError("zzz")\n',
        'import pytest\n\nfrom shop import parse\n\n\ndef test_parse():\n    with pytest.raises(ValueError, match="invalid value"):\n        parse("x")\n',
        "",
        why="the message has nothing in common with the expected one",
    ),
)

RAISE_HEALS = (
    example(
        "What no longer raises is named",
        "def withdraw(amount):\n    return -amount\n",
        "import pytest\n\nfrom shop import withdraw\n\n\ndef test_withdraw():\n    with pytest.raises(ValueError):\n        withdraw(-1)\n",
        "",
        old='def withdraw(amount):\n    if amount < 0:\n        raise ValueError("negative")\n    return -amount\n',
        advice="ValueError is no longer raised",
    ),
)
RAISE_DECLINES = (
    example(
        "A regression: a missing check",
        "def withdraw(amount):\n    return -amount\n",
        "import pytest\n\nfrom shop import withdraw\n\n\ndef test_withdraw():\n    with pytest.raises(ValueError):\n        withdraw(-1)\n",
        "",
        why="removing the check would remove the test",
        advice="no longer raised",
    ),
)

_NOTIFY = "def notify(send):\n    send('ann@example.org', subject='Hello', retries=3)\n"
MOCK_HEALS = (
    example(
        "The arguments that differ",
        _NOTIFY,
        "from unittest import mock\n\nfrom shop import notify\n\n\ndef test_notify():\n    send = mock.Mock()\n    notify(send)\n    send.assert_called_once_with('ann@example.org', subject='Hi', retries=3)\n",
        "from unittest import mock\n\nfrom shop import notify\n\n\ndef test_notify():\n    send = mock.Mock()\n    notify(send)\n    send.assert_called_once_with('ann@example.org', subject='Hello', retries=3)\n",
    ),
    example(
        "A new keyword",
        _NOTIFY,
        "from unittest import mock\n\nfrom shop import notify\n\n\ndef test_notify():\n    send = mock.Mock()\n    notify(send)\n    send.assert_called_with('ann@example.org', subject='Hello')\n",
        "from unittest import mock\n\nfrom shop import notify\n\n\ndef test_notify():\n    send = mock.Mock()\n    notify(send)\n    send.assert_called_with('ann@example.org', subject='Hello', retries=3)\n",
    ),
)
MOCK_DECLINES = (
    example(
        "A regression: never called",
        "def notify(send):\n    pass\n",
        "from unittest import mock\n\nfrom shop import notify\n\n\ndef test_notify():\n    send = mock.Mock()\n    notify(send)\n    send.assert_called_once_with('ann@example.org', subject='Hi')\n",
        "",
        why="a call that is not made cannot be described",
    ),
    example(
        "A regression: called twice",
        "def notify(send):\n    send('ann')\n    send('ann')\n",
        "from unittest import mock\n\nfrom shop import notify\n\n\ndef test_notify():\n    send = mock.Mock()\n    notify(send)\n    send.assert_called_once_with('ann')\n",
        "",
        why="how often is behaviour, not a value",
        advice="called 2 times",
    ),
)
