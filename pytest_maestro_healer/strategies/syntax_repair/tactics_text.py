"""Tactics for what holds a file together: colons, brackets, strings, indentation."""

from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example
from pytest_maestro_healer.strategies.syntax_repair.tactic import SearchTactic, regression

PARSER = "https://docs.python.org/3/whatsnew/3.10.html#better-error-messages"
_PRODUCT = {"calc.py": "def add(a, b=0):\n    return a + b\n\n\ndef neg(a):\n    return -a\n"}


def one(title: str, broken: str, healed: str, **kwargs: object) -> Example:
    """An example with one test file and a small product."""
    return Example(title, {**_PRODUCT, "test_calc.py": broken}, {"test_calc.py": healed}, **kwargs)  # type: ignore[arg-type]


_IMPORT = "from calc import add, neg\n\n\n"


class MissingColon(SearchTactic):
    """Header lines without their colon."""

    name = "missing_colon"
    summary = "Ends a header (def, if, for, with, else, ...) with its missing colon, or removes a stray one"
    sources = (PARSER,)
    heals = (
        one(
            "a def without colon",
            _IMPORT + "def test_add()\n    assert add(1, 2) == 3\n",
            _IMPORT + "def test_add():\n    assert add(1, 2) == 3\n",
        ),
        one(
            "two headers without colon",
            _IMPORT + "def test_add():\n    for n in range(3)\n        assert add(n, 1) == n + 1\n\n\ndef test_neg()\n    assert neg(1) == -1\n",
            _IMPORT + "def test_add():\n    for n in range(3):\n        assert add(n, 1) == n + 1\n\n\ndef test_neg():\n    assert neg(1) == -1\n",
        ),
    )
    declines = (regression(),)


class Brackets(SearchTactic):
    """Missing, extra and mismatched brackets."""

    name = "brackets"
    summary = "Closes, opens, exchanges or removes a bracket where indentation and the statement say that it belongs"
    sources = (PARSER,)
    heals = (
        one(
            "an unclosed call before a comparison",
            _IMPORT + "def test_add():\n    assert add(1, 2 == 3\n",
            _IMPORT + "def test_add():\n    assert add(1, 2) == 3\n",
        ),
        one(
            "a bracket of the wrong kind",
            _IMPORT + "def test_add():\n    values = [add(1, 2), add(3, 4)}\n    assert values == [3, 7]\n",
            _IMPORT + "def test_add():\n    values = [add(1, 2), add(3, 4)]\n    assert values == [3, 7]\n",
        ),
        one(
            "a bracket too many",
            _IMPORT + "def test_add():\n    assert add(1, 2)) == 3\n",
            _IMPORT + "def test_add():\n    assert add(1, 2) == 3\n",
        ),
        one(
            "a list over several lines that never ends",
            _IMPORT + "def test_add():\n    cases = [\n        (1, 2, 3),\n        (2, 2, 4),\n"
            "    for a, b, c in cases:\n        assert add(a, b) == c\n",
            _IMPORT + "def test_add():\n    cases = [\n        (1, 2, 3),\n        (2, 2, 4),\n"
            "    ]\n    for a, b, c in cases:\n        assert add(a, b) == c\n",
        ),
    )
    declines = (regression(),)


class Strings(SearchTactic):
    """Strings that do not end or do not begin."""

    name = "strings"
    summary = "Ends or begins an unterminated string or triple-quoted string, makes its quotes match"
    sources = (PARSER,)
    heals = (
        one(
            "a string without its closing quote",
            'def test_join():\n    assert ", ".join(["a", "b]) == "a, b"\n',
            'def test_join():\n    assert ", ".join(["a", "b"]) == "a, b"\n',
        ),
        one(
            "a docstring that never ends",
            _IMPORT + 'def test_add():\n    """Adds.\n    assert add(1, 2) == 3\n\n\ndef test_neg():\n    assert neg(1) == -1\n',
            _IMPORT + 'def test_add():\n    """Adds."""\n    assert add(1, 2) == 3\n\n\ndef test_neg():\n    assert neg(1) == -1\n',
        ),
        one(
            "two kinds of quotes",
            "def test_upper():\n    assert 'abc\".upper() == 'ABC'\n",
            "def test_upper():\n    assert 'abc'.upper() == 'ABC'\n",
        ),
    )
    declines = (regression(),)


class FStringBraces(SearchTactic):
    """Braces and quotes in f-strings."""

    name = "fstring_braces"
    summary = "Closes, opens or doubles a brace of an f-string, or takes the other quote inside it"
    sources = ("https://peps.python.org/pep-0701/",)
    heals = (
        one(
            "a brace that is not closed",
            'def test_text():\n    name = "Ann"\n    assert f"Hi {name" == "Hi Ann"\n',
            'def test_text():\n    name = "Ann"\n    assert f"Hi {name}" == "Hi Ann"\n',
        ),
        one(
            "a brace that is not opened",
            'def test_text():\n    name = "Ann"\n    assert f"Hi name}" == "Hi Ann"\n',
            'def test_text():\n    name = "Ann"\n    assert f"Hi {name}" == "Hi Ann"\n',
        ),
    )
    declines = (regression(),)


class Indentation(SearchTactic):
    """Indentation that is missing, unexpected, or mixes tabs and blanks."""

    name = "indentation"
    summary = "Puts a line or a block at the indentation that its neighbours and its clauses ask for"
    sources = ("https://docs.python.org/3/reference/lexical_analysis.html#indentation",)
    heals = (
        one(
            "a body that is not indented",
            _IMPORT + "def test_add():\nresult = add(1, 2)\nassert result == 3\n",
            _IMPORT + "def test_add():\n    result = add(1, 2)\n    assert result == 3\n",
        ),
        one(
            "an unexpected indentation",
            _IMPORT + "def test_add():\n    result = add(1, 2)\n      assert result == 3\n",
            _IMPORT + "def test_add():\n    result = add(1, 2)\n    assert result == 3\n",
        ),
        one(
            "an unindent that matches nothing",
            _IMPORT + "def test_add():\n    for n in range(2):\n        total = add(n, 1)\n   assert total == 2\n",
            _IMPORT + "def test_add():\n    for n in range(2):\n        total = add(n, 1)\n    assert total == 2\n",
        ),
        one(
            "a tab among blanks",
            _IMPORT + "def test_add():\n    result = add(1, 2)\n\tassert result == 3\n",
            _IMPORT + "def test_add():\n    result = add(1, 2)\n    assert result == 3\n",
        ),
    )
    declines = (regression(),)


class EmptyBody(SearchTactic):
    """Headers without a body."""

    name = "empty_body"
    summary = "Gives a function, class or clause without a body the body 'pass'"
    sources = ("https://docs.python.org/3/reference/simple_stmts.html#the-pass-statement",)
    heals = (
        one(
            "a helper class without a body",
            _IMPORT + "class Fake:\n\n\ndef test_add():\n    assert add(1, 2) == 3\n    assert Fake()\n",
            _IMPORT + "class Fake:\n    pass\n\n\ndef test_add():\n    assert add(1, 2) == 3\n    assert Fake()\n",
        ),
    )
    declines = (regression(),)


TACTICS = (MissingColon(), Brackets(), Strings(), FStringBraces(), Indentation(), EmptyBody())
