# ruff: noqa: E501 - whole files as one literal each
"""Examples of the tactics on expected values: what they heal, and what they leave alone."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_maestro_healer.strategies.base import Example

Files = Mapping[str, "str | bytes"]


def example(
    title: str, product: str, test: str, healed: str, *, old: str = "", why: str = "", advice: str = "", message: str = "green", **more: str
) -> Example:
    """A product module ``shop.py`` that changed from ``old`` (in the last commit) to ``product``, and its test file."""
    files = {"shop.py": product, "test_shop.py": test, **{k.replace("__", "/").replace("_DOT_", "."): v for k, v in more.items()}}
    head = {**files, "shop.py": old} if old else {}
    return Example(title, files, {"test_shop.py": healed} if healed else {}, head, message=message, why=why, advice=advice)


_GREET = 'def greet(name):\n    return f"Hello, {name}!"\n'
_STATUS = 'def status():\n    return {"state": "ready", "retries": 5, "tags": ["a", "b", "c"]}\n'
_LABEL = 'def label(n):\n    return {1: "one", 2: "two items", 3: "three items"}[n]\n'

_SAVE = 'class Page:\n    def __init__(self, name, folder):\n        self.path = f"{folder}/{name}.md"\n'
EXPECTED_HEALS = (
    example(
        "A string literal, quotes kept",
        _GREET,
        "from shop import greet\n\n\ndef test_greet():\n    assert greet('Ann') == 'Hi, Ann!'\n",
        "from shop import greet\n\n\ndef test_greet():\n    assert greet('Ann') == 'Hello, Ann!'\n",
    ),
    example(
        "Swapped sides",
        _GREET,
        'from shop import greet\n\n\ndef test_greet():\n    assert "Hi, Ann!" == greet("Ann")\n',
        'from shop import greet\n\n\ndef test_greet():\n    assert "Hello, Ann!" == greet("Ann")\n',
    ),
    example(
        "A text that is stripped: the lines around it stay",
        'def table():\n    return "| a | b |\\n| : | : |\\n| 1 | 2 |"\n',
        'import pytest\n\nfrom shop import table\n\n\n@pytest.mark.parametrize(\n    "expected",\n    [\n        """\n| a | b |\n|---|---|\n| 1 | 2 |\n""",\n    ],\n    ids=["marks"],\n)\n'
        "def test_table(expected):\n    assert table().strip() == expected.strip()\n",
        'import pytest\n\nfrom shop import table\n\n\n@pytest.mark.parametrize(\n    "expected",\n    [\n        """\n| a | b |\n| : | : |\n| 1 | 2 |\n""",\n    ],\n    ids=["marks"],\n)\n'
        "def test_table(expected):\n    assert table().strip() == expected.strip()\n",
    ),
    example(
        "Only what differs inside a dict, comments and layout kept",
        _STATUS,
        "from shop import status\n\n\ndef test_status():\n    assert status() == {\n        'state': 'ready',  # always\n        'retries': 3,\n        'tags': ['a', 'c'],\n    }\n",
        "from shop import status\n\n\ndef test_status():\n    assert status() == {\n        'state': 'ready',  # always\n        'retries': 5,\n        'tags': ['a', 'b', 'c'],\n    }\n",
    ),
    example(
        "A key that came and one that went, a line each",
        'def config():\n    return {"host": "localhost", "port": 80, "tls": True}\n',
        'from shop import config\n\n\ndef test_config():\n    assert config() == {\n        "host": "localhost",\n        "ssl": "no",\n        "port": 80,\n    }\n',
        'from shop import config\n\n\ndef test_config():\n    assert config() == {\n        "host": "localhost",\n        "port": 80,\n        "tls": True,\n    }\n',
    ),
    example(
        "A local variable",
        _GREET,
        'from shop import greet\n\n\ndef test_greet():\n    expected = "Hi, Ann!"  # polite\n    result = greet("Ann")\n    assert result == expected\n',
        'from shop import greet\n\n\ndef test_greet():\n    expected = "Hello, Ann!"  # polite\n    result = greet("Ann")\n    assert result == expected\n',
    ),
    example(
        "A module constant",
        _GREET,
        'from shop import greet\n\nGREETING = "Hi, Ann!"\n\n\ndef test_greet():\n    assert greet("Ann") == GREETING\n',
        'from shop import greet\n\nGREETING = "Hello, Ann!"\n\n\ndef test_greet():\n    assert greet("Ann") == GREETING\n',
    ),
    example(
        "All failing rows of parametrize in one heal, also in pytest.param",
        _LABEL,
        'import pytest\n\nfrom shop import label\n\n\n@pytest.mark.parametrize(\n    "n, text",\n    [\n        (1, "one"),\n        (2, "two"),\n        pytest.param(3, "three", id="many"),\n    ],\n)\ndef test_label(n, text):\n    assert label(n) == text\n',
        'import pytest\n\nfrom shop import label\n\n\n@pytest.mark.parametrize(\n    "n, text",\n    [\n        (1, "one"),\n        (2, "two items"),\n        pytest.param(3, "three items", id="many"),\n    ],\n)\ndef test_label(n, text):\n    assert label(n) == text\n',
    ),
    example(
        "Rows in a module-level table, decorators stacked",
        "def scaled(n, k):\n    return n * k + 1\n",
        'import pytest\n\nfrom shop import scaled\n\nROWS = [(1, 3), (2, 4)]\n\n\n@pytest.mark.parametrize("k", [2])\n@pytest.mark.parametrize(("n", "want"), ROWS)\ndef test_scaled(n, want, k):\n    assert scaled(n, k) == want\n',
        'import pytest\n\nfrom shop import scaled\n\nROWS = [(1, 3), (2, 5)]\n\n\n@pytest.mark.parametrize("k", [2])\n@pytest.mark.parametrize(("n", "want"), ROWS)\ndef test_scaled(n, want, k):\n    assert scaled(n, k) == want\n',
    ),
    example(
        "A fixture's return value",
        _STATUS,
        'import pytest\n\nfrom shop import status\n\n\n@pytest.fixture\ndef wanted():\n    return {"state": "ready", "retries": 3, "tags": ["a", "b", "c"]}\n\n\ndef test_status(wanted):\n    assert status() == wanted\n',
        'import pytest\n\nfrom shop import status\n\n\n@pytest.fixture\ndef wanted():\n    return {"state": "ready", "retries": 5, "tags": ["a", "b", "c"]}\n\n\ndef test_status(wanted):\n    assert status() == wanted\n',
    ),
    example(
        "A helper's argument, at the call",
        _GREET,
        'from shop import greet\n\n\ndef check(name, expected):\n    assert greet(name) == expected\n\n\ndef test_greet():\n    check("Bo", "Hello, Bo!")\n    check("Ann", "Hi, Ann!")\n',
        'from shop import greet\n\n\ndef check(name, expected):\n    assert greet(name) == expected\n\n\ndef test_greet():\n    check("Bo", "Hello, Bo!")\n    check("Ann", "Hello, Ann!")\n',
    ),
    example(
        "Implicitly concatenated pieces, edited where they differ",
        'def usage():\n    return "usage: shop [-h] [-v]\\nsells things, quickly\\n"\n',
        'from shop import usage\n\n\ndef test_usage():\n    assert usage() == (\n        "usage: shop [-h]\\n"\n        "sells things\\n"\n    )\n',
        'from shop import usage\n\n\ndef test_usage():\n    assert usage() == (\n        "usage: shop [-h] [-v]\\n"\n        "sells things, quickly\\n"\n    )\n',
    ),
    example(
        "A multi-line text, by line",
        'def page():\n    return "<p>\\n  one\\n  two\\n  three\\n</p>\\n"\n',
        'from shop import page\n\n\ndef test_page():\n    assert page() == """<p>\n  one\n  tow\n</p>\n"""\n',
        'from shop import page\n\n\ndef test_page():\n    assert page() == """<p>\n  one\n  two\n  three\n</p>\n"""\n',
    ),
    example(
        "The literal part of an f-string",
        _GREET,
        'from shop import greet\n\n\ndef test_greet():\n    name = "Ann"\n    assert greet(name) == f"Hi, {name}!"\n',
        'from shop import greet\n\n\ndef test_greet():\n    name = "Ann"\n    assert greet(name) == f"Hello, {name}!"\n',
    ),
    example(
        "unittest's assertEqual",
        _STATUS,
        'import unittest\n\nfrom shop import status\n\n\nclass StatusTest(unittest.TestCase):\n    def test_status(self):\n        self.assertEqual(status()["retries"], 3)\n',
        'import unittest\n\nfrom shop import status\n\n\nclass StatusTest(unittest.TestCase):\n    def test_status(self):\n        self.assertEqual(status()["retries"], 5)\n',
    ),
    example(
        "Chained comparison and several asserts in one test",
        _STATUS,
        'from shop import status\n\n\ndef test_status():\n    found = status()\n    assert found["state"] == "ready" and found["retries"] == 3\n    assert len(found["tags"]) == 2\n',
        'from shop import status\n\n\ndef test_status():\n    found = status()\n    assert found["state"] == "ready" and found["retries"] == 5\n    assert len(found["tags"]) == 3\n',
    ),
    example(
        "An enum member",
        "import enum\n\n\nclass State(enum.Enum):\n    NEW = 1\n    READY = 2\n\n\ndef state():\n    return State.READY\n",
        "from shop import State, state\n\n\ndef test_state():\n    assert state() is State.NEW\n",
        "from shop import State, state\n\n\ndef test_state():\n    assert state() is State.READY\n",
    ),
    example(
        "A path that is whole now, told by the folder that the test made",
        _SAVE,
        "import tempfile\n\nfrom shop import Page\n\n\ndef test_path():\n    with tempfile.TemporaryDirectory() as folder:\n        assert Page('a', folder).path == 'a.md'\n",
        "import tempfile\n\nfrom shop import Page\n\n\ndef test_path():\n    with tempfile.TemporaryDirectory() as folder:\n        assert Page('a', folder).path == f'{folder}/a.md'\n",
    ),
    example(
        "A path of setUp's folder",
        _SAVE,
        'import tempfile\nimport unittest\n\nfrom shop import Page\n\n\nclass PageTest(unittest.TestCase):\n    def setUp(self):\n        self.folder = tempfile.mkdtemp()\n\n    def test_path(self):\n        self.assertEqual(Page("a{1}", self.folder).path, "a.md")\n',
        'import tempfile\nimport unittest\n\nfrom shop import Page\n\n\nclass PageTest(unittest.TestCase):\n    def setUp(self):\n        self.folder = tempfile.mkdtemp()\n\n    def test_path(self):\n        self.assertEqual(Page("a{1}", self.folder).path, f"{self.folder}/a{{1}}.md")\n',
    ),
    example(
        "A path below pytest's folder, in a list",
        _SAVE,
        'from shop import Page\n\n\ndef test_below(tmp_path):\n    found = [Page("a", tmp_path / "x").path, 1]\n    assert found == ["a.md", 1]\n',
        'from shop import Page\n\n\ndef test_below(tmp_path):\n    found = [Page("a", tmp_path / "x").path, 1]\n    assert found == [f"{tmp_path}/x/a.md", 1]\n',
    ),
)

_DISCOUNT = 'def price(n):\n    """The price.\n\n    >>> price(2)\n    20\n    """\n    return n * 100\n'

EXPECTED_DECLINES = (
    example(
        "A regression: the docstring still promises the old value",
        _DISCOUNT,
        "from shop import price\n\n\ndef test_price():\n    assert price(2) == 20\n",
        "",
        old=_DISCOUNT.replace("100", "10"),
        why="the product's own example still shows the old value",
        advice="looks like a regression",
    ),
    example(
        "A regression: nothing comes back any more",
        'def find(name):\n    known = {"ann": 7}\n    known.get(name)\n',
        'from shop import find\n\n\ndef test_find():\n    assert find("ann") == 7\n',
        "",
        why="a function that forgets its return is broken, whatever the test says",
    ),
    example(
        "A value of the moment",
        'import uuid\n\n\ndef token():\n    return "t-" + str(uuid.uuid4())\n',
        'from shop import token\n\n\ndef test_token():\n    assert token() == "t-1"\n',
        "",
        why="the next run gives another value",
        advice="not the same in every run",
    ),
    example(
        "A path of this run that only the product has a name for",
        "import tempfile\n\n\nclass Page:\n    folder = tempfile.mkdtemp()\n\n    def path(self):\n        return self.folder + '/a.md'\n",
        'from shop import Page\n\n\ndef test_path():\n    folder = Page.folder\n    assert Page().path() == "a.md", folder\n',
        "",
        why="a text made with the product's own name for it would compare the product with itself",
        advice="not the same in every run",
    ),
    example(
        "One literal for all parameter sets",
        'def sign(n):\n    return "+" if n >= 0 else "negative"\n',
        'import pytest\n\nfrom shop import sign\n\n\n@pytest.mark.parametrize("n", [1, -1])\ndef test_sign(n):\n    assert sign(n) == "+"\n',
        "",
        why="another parameter set passes with the old value",
        advice="needs a row of its own",
    ),
    example(
        "One literal in a loop",
        'def sign(n):\n    return "+" if n >= 0 else "negative"\n',
        'from shop import sign\n\n\ndef test_sign():\n    for n in (1, -1):\n        assert sign(n) == "+"\n',
        "",
        why="one literal cannot hold the values of every round",
        advice="inside a loop",
    ),
    example(
        "A call that no longer fits",
        "def area(*, width, height):\n    return width * height\n",
        "from shop import area\n\n\ndef test_area():\n    assert area(2, 3) == 6\n",
        "",
        why="the contract changed, not the value",
    ),
)

FLOAT_HEALS = (
    example(
        "Rounding of a sum",
        "def total(*parts):\n    return sum(parts)\n",
        "from shop import total\n\n\ndef test_total():\n    assert total(0.1, 0.2) == 0.3\n",
        "import pytest\nfrom shop import total\n\n\ndef test_total():\n    assert total(0.1, 0.2) == pytest.approx(0.3, rel=1e-14)\n",
    ),
)
FLOAT_DECLINES = (
    example(
        "A regression that is no rounding",
        'def total(*parts):\n    """The sum.\n\n    >>> total(0.5, 0.25)\n    0.75\n    """\n    return sum(parts) * 1.0001\n',
        "from shop import total\n\n\ndef test_total():\n    assert total(0.5, 0.25) == 0.75\n",
        "",
        old='def total(*parts):\n    """The sum.\n\n    >>> total(0.5, 0.25)\n    0.75\n    """\n    return sum(parts)\n',
        why="one part in ten thousand is another value",
    ),
)

ORDER_HEALS = (
    example(
        "A list made from a set",
        'def names():\n    """All names, in no particular order."""\n    return ["cy", "ann", "bo"]\n',
        "from shop import names\n\n\ndef test_names():\n    assert names() == ['ann', 'bo', 'cy']\n",
        "from shop import names\n\n\ndef test_names():\n    assert sorted(names()) == sorted(['ann', 'bo', 'cy'])\n",
    ),
)
ORDER_DECLINES = (
    example(
        "A regression: one name is missing",
        'def names():\n    """All names, in no particular order.\n\n    >>> names()\n    [\'ann\', \'bo\', \'cy\']\n    """\n    return ["ann", "bo"]\n',
        "from shop import names\n\n\ndef test_names():\n    assert names() == ['ann', 'bo', 'cy']\n",
        "",
        old='def names():\n    """All names, in no particular order.\n\n    >>> names()\n    [\'ann\', \'bo\', \'cy\']\n    """\n    return ["ann", "bo", "cy"]\n',
        why="the elements differ, not only their order",
    ),
)

TRUTH_HEALS = (
    example(
        "The change behind it is named",
        "def allowed(name):\n    return name == 'guest'\n",
        "from shop import allowed\n\n\ndef test_allowed():\n    assert allowed('root')\n",
        "",
        old="def allowed(name):\n    return name in ('guest', 'root')\n",
        advice="if that was meant, reverse the check",
    ),
)
TRUTH_DECLINES = (
    example(
        "A regression: nobody said that the answer changes",
        "def allowed(name):\n    return name == 'guest'\n",
        "from shop import allowed\n\n\ndef test_allowed():\n    assert allowed('root')\n",
        "",
        why="there is no evidence that it was meant",
    ),
)

BOUND_HEALS = (
    example(
        "A count that grew by one",
        "def columns():\n    return ['id', 'name', 'price', 'stock']\n",
        "from shop import columns\n\n\ndef test_columns():\n    assert len(columns()) < 4\n",
        "from shop import columns\n\n\ndef test_columns():\n    assert len(columns()) < 5\n",
    ),
)
BOUND_DECLINES = (
    example(
        "A regression in speed is the timing strategy's matter",
        "def elapsed():\n    return 2.5\n",
        "from shop import elapsed\n\n\ndef test_elapsed():\n    assert elapsed() < 1.0\n",
        "",
        why="a slow product must not be hidden by a wider bound",
    ),
)

_RENDER = "def render():\n    return '<p>hello</p>\\n'\n"
GOLDEN_HEALS = (
    Example(
        "A text file next to the tests",
        {
            "shop.py": _RENDER,
            "tests/test_shop.py": "from pathlib import Path\n\nfrom shop import render\n\n\ndef test_render():\n    assert render() == (Path(__file__).parent / 'data' / 'page.html').read_text()\n",
            "tests/data/page.html": "<p>hi</p>\n",
            "conftest.py": "",
        },
        {"tests/data/page.html": "<p>hello</p>\n"},
    ),
)
GOLDEN_DECLINES = (
    Example(
        "A regression: an empty document",
        {
            "shop.py": "def render():\n    return ''\n",
            "tests/test_shop.py": "from pathlib import Path\n\nfrom shop import render\n\n\ndef test_render():\n    assert render() == (Path(__file__).parent / 'page.html').read_text()\n",
            "tests/page.html": "<p>hi</p>\n",
            "conftest.py": "",
        },
        why="a product that renders nothing is broken",
    ),
)
