# ruff: noqa: E501 - whole files as one literal each
"""Examples of the tactics that change the form of an expectation."""

from __future__ import annotations

from pytest_maestro_healer.strategies.assertion_update.examples_values import example

_REPORT = 'def report():\n    return ["title", "0 %", "50 %", "100 %"]\n'
_REPORT_TEST = 'from shop import report\n\n\ndef test_report():\n    lines = report()\n    assert lines[0] == "title"\n    assert "50" in lines[{a}]\n    assert "100" in lines[{b}]\n'

INDEX_HEALS = (
    example(
        "An element came in between: the checks behind it follow",
        _REPORT,
        _REPORT_TEST.format(a=1, b=2),
        _REPORT_TEST.format(a=2, b=3),
    ),
    example(
        "A leading element went",
        'def parts():\n    return ["b", "c", "d"]\n',
        'from shop import parts\n\n\ndef test_parts():\n    found = parts()\n    assert found[1] == "b"\n    assert found[2] == "c"\n    assert found[3] == "d"\n',
        'from shop import parts\n\n\ndef test_parts():\n    found = parts()\n    assert found[0] == "b"\n    assert found[1] == "c"\n    assert found[2] == "d"\n',
    ),
)
INDEX_DECLINES = (
    example(
        "The elements are gone, not moved",
        "def parts():\n    import uuid\n\n    return [uuid.uuid4().hex for _ in range(3)]\n",
        'from shop import parts\n\n\ndef test_parts():\n    found = parts()\n    assert found[0] == "a"\n    assert found[1] == "b"\n',
        "",
        why="no distance makes the checks hold",
    ),
)

SINGLETON_HEALS = (
    example(
        "None became text",
        'def size(n):\n    return "None" if n is None else f"{n} bytes"\n',
        "from shop import size\n\n\ndef test_size():\n    assert size(2) == '2 bytes'\n    assert size(None) is None\n",
        "from shop import size\n\n\ndef test_size():\n    assert size(2) == '2 bytes'\n    assert size(None) == 'None'\n",
    ),
    example(
        "A flag became a count",
        "def found(words):\n    return len(words)\n",
        'from shop import found\n\n\ndef test_found():\n    assert found(["a", "b"]) is True\n',
        'from shop import found\n\n\ndef test_found():\n    assert found(["a", "b"]) == 2\n',
    ),
)
SINGLETON_DECLINES = (
    example(
        "A value of this moment",
        "def opened():\n    import time\n\n    return time.time()\n",
        "from shop import opened\n\n\ndef test_opened():\n    assert opened() is True\n",
        "",
        why="the value differs from run to run",
    ),
    example(
        "Nothing, where something was expected",
        "def ready():\n    return ''\n",
        "from shop import ready\n\n\ndef test_ready():\n    assert ready() is True\n",
        "",
        why="an empty value is what a broken product returns",
    ),
)

_SHOW = "class Day:\n    def __init__(self, n):\n        self.n = n\n\n    def __repr__(self):\n        return f'Day({self.n})'\n\n\ndef show(day):\n    return str(day)\n"
CONVERTED_HEALS = (
    example(
        "An object that came back as it was is rendered now, in the rows of a table",
        _SHOW,
        'import pytest\n\nfrom shop import Day, show\n\nONE = Day(1)\n\n\n@pytest.mark.parametrize("day, text", [("x", "x"), (ONE, ONE)])\ndef test_show(day, text):\n    assert show(day) == text\n',
        'import pytest\n\nfrom shop import Day, show\n\nONE = Day(1)\n\n\n@pytest.mark.parametrize("day, text", [("x", "x"), (ONE, str(ONE))])\ndef test_show(day, text):\n    assert show(day) == text\n',
    ),
    example(
        "At the check itself",
        _SHOW,
        "from shop import Day, show\n\n\ndef test_show():\n    day = Day(3)\n    assert show(day) == day\n",
        "from shop import Day, show\n\n\ndef test_show():\n    day = Day(3)\n    assert show(day) == str(day)\n",
    ),
)
CONVERTED_DECLINES = (
    example(
        "The text is not that of the object",
        _SHOW.replace("str(day)", "f'<{day}!>'"),
        "from shop import Day, show\n\n\ndef test_show():\n    day = Day(3)\n    assert show(day) == day\n",
        "",
        why="no conversion makes this of that",
    ),
)
