# ruff: noqa: E501 - one case a line
"""What a failed assertion compared, read from real failures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer.model import Comparison
from pytest_maestro_healer.session.operands import comparison_of

HEAD = """
import pytest, unittest, warnings
from unittest import mock
class Box:
    calls = 0
    @property
    def size(self):
        Box.calls += 1
        return 5
def f(*a): return list(a)
def helper(actual, expected):
    assert actual == expected
"""


@pytest.fixture(autouse=True)
def settings(pytester: pytest.Pytester) -> None:
    """Without it pytest-asyncio warns, and here a warning is an error."""
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")


class Recorder:
    """Collects the comparison of every failed call."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.found: list[Comparison | None] = []
        self.calls = -1

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
        report = yield
        if call.excinfo is not None and report.failed:
            self.found.append(comparison_of(call.excinfo, item.path, self.relative))
            self.calls = getattr(getattr(item, "module", None), "Box", type("", (), {"calls": -1})).calls
        return report

    def relative(self, name: str) -> str:
        path = Path(name)
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.as_posix()


def captured(pytester: pytest.Pytester, body: str, *args: str) -> tuple[Comparison, Recorder]:
    """The comparison of the one failing test in ``body``."""
    pytester.makepyfile(test_it=HEAD + body)
    recorder = Recorder(pytester.path)
    result = pytester.inline_run("-p", "no:maestro_healer", "-p", "no:cacheprovider", *args, plugins=[recorder])
    result.assertoutcome(failed=1)
    (found,) = recorder.found
    assert found is not None
    return found, recorder


def sides(c: Comparison) -> list[tuple[str, str | None, str | None]]:
    """(role, value, expression) of every operand."""
    return [(o.role, o.value.source, o.source) for o in c.operands]


@pytest.mark.parametrize(
    ("statement", "style", "operator", "negated", "operands"),
    [
        ("assert f(1, 2) == [1, 3]", "assert", "==", False, [("left", "[1, 2]", "f(1, 2)"), ("right", "[1, 3]", "[1, 3]")]),
        ("assert Box().size != 5", "assert", "!=", False, [("left", "5", "Box().size"), ("right", "5", "5")]),
        ("assert f(1) == [1] and f(2)[0] == 3", "assert", "==", False, [("left", "2", "f(2)[0]"), ("right", "3", "3")]),
        ("assert 1 < len(f(1, 2)) < 2", "assert", "<", False, [("left", "2", "len(f(1, 2))"), ("right", "2", "2")]),
        ("assert len(f()) == len(f(1))", "assert", "==", False, [("left", "0", "len(f())"), ("right", "1", "len(f(1))")]),
        ("assert f(1) == f(2) or f(3) is None", "assert", "bool", False, [("actual", None, "f(1) == f(2) or f(3) is None")]),
        ("assert 3 in f(1)", "assert", "in", False, [("member", "3", "3"), ("container", "[1]", "f(1)")]),
        ("assert 1 not in f(1)", "assert", "not in", False, [("member", "1", "1"), ("container", "[1]", "f(1)")]),
        ("assert f(1) is None", "assert", "is", False, [("left", "[1]", "f(1)"), ("right", "None", "None")]),
        ("assert not f(1)", "assert", "bool", True, [("actual", "[1]", "f(1)"), ("argument", "1", "1")]),
        ("assert f()", "assert", "bool", False, [("actual", "[]", "f()")]),
        ("assert isinstance(f(1), dict)", "assert", "bool", False, [("actual", "False", "isinstance(f(1), dict)"), ("argument", "[1]", "f(1)"), ("argument", "dict", "dict")]),
        ("assert 'abc'.startswith('x')", "assert", "bool", False, [("actual", "False", "'abc'.startswith('x')"), ("argument", "'x'", "'x'"), ("receiver", "'abc'", "'abc'")]),
        ("assert (y := f(3)) == [4], 'message'", "assert", "==", False, [("left", "[3]", "y := f(3)"), ("right", "[4]", "[4]")]),
        ("helper(f(1), [2])", "assert", "==", False, [("left", "[1]", "actual"), ("right", "[2]", "expected")]),
        ("f(1).index(9) if 0 else helper(1, 2)", "assert", "==", False, [("left", "1", "actual"), ("right", "2", "expected")]),
    ],
)  # fmt: skip
def test_assert_statements(
    pytester: pytest.Pytester, statement: str, style: str, operator: str, negated: bool, operands: list[tuple[str, str | None, str | None]]
) -> None:
    found, _ = captured(pytester, f"def test_it():\n    {statement}\n")
    assert (found.style, found.operator, found.negated) == (style, operator, negated)
    assert sides(found) == operands


def test_nothing_is_run_again(pytester: pytest.Pytester) -> None:
    _, recorder = captured(pytester, "def test_it():\n    assert Box().size == 6\n")
    assert recorder.calls == 1


def test_multi_line_asserts_and_their_place(pytester: pytest.Pytester) -> None:
    found, _ = captured(pytester, "def test_it():\n    x = 3\n    assert (\n        f(x)\n        == [4,\n            5]\n    )\n")
    line = (HEAD.lstrip() + "def test_it():\n    x = 3\n").count("\n") + 1
    assert found.location is not None
    assert (found.location.path, found.location.line, found.location.end_line) == ("test_it.py", line, line + 4)
    right = found.operand("right")
    assert right is not None
    assert right.location is not None
    assert (right.location.line, right.location.col) == (line + 2, 11)


def plain(folder: Path, body: str) -> tuple[Comparison, dict[str, Any]]:
    """As :func:`captured` for a module whose asserts are as Python compiles them."""
    path = folder / f"plain_{len(list(folder.iterdir()))}.py"  # linecache keeps what it has read
    path.write_text(HEAD + body)
    scope: dict[str, Any] = {"__name__": "plain_module"}
    exec(compile(path.read_text(), str(path), "exec"), scope)
    with pytest.raises(AssertionError) as caught:
        scope["test_it"]()
    found = comparison_of(caught, path, lambda name: Path(name).name)
    assert found is not None
    return found, scope


def test_plain_asserts_know_names_and_literals(tmp_path: Path) -> None:
    found, _ = plain(tmp_path, "def test_it():\n    x = f(1)\n    assert x == [2]\n")
    assert sides(found) == [("left", "[1]", "x"), ("right", "[2]", "[2]")]
    found, _ = plain(tmp_path, "def test_it():\n    helper(f(1), [2])\n")
    assert sides(found) == [("left", "[1]", "actual"), ("right", "[2]", "expected")]


def test_plain_asserts_know_nothing_that_would_have_to_be_run(tmp_path: Path) -> None:
    found, scope = plain(tmp_path, "def test_it():\n    assert Box().size == 6\n")
    assert sides(found) == [("left", None, "Box().size"), ("right", "6", "6")]
    assert found.operands[0].value.type == ""
    assert scope["Box"].calls == 1
    found, _ = plain(tmp_path, "def test_it():\n    assert 1 < len(f(1, 2)) < 2\n")
    assert found.operator == "bool"


def test_parametrize_and_async(pytester: pytest.Pytester) -> None:
    found, _ = captured(pytester, "@pytest.mark.parametrize('a', [7])\ndef test_it(a):\n    assert a == 8\n")
    assert sides(found) == [("left", "7", "a"), ("right", "8", "8")]
    pytest.importorskip("pytest_asyncio")
    body = "async def four(): return 4\n@pytest.mark.asyncio\nasync def test_it():\n    assert await four() == 5\n"
    found, _ = captured(pytester, body, "-p", "asyncio", "-o", "asyncio_default_fixture_loop_scope=function")
    assert sides(found) == [("left", "4", "await four()"), ("right", "5", "5")]


@pytest.mark.parametrize(
    ("statement", "style", "operator", "first"),
    [
        ("self.assertEqual(f(1), [2])", "assertEqual", "==", [("left", "[1]", "f(1)"), ("right", "[2]", "[2]")]),
        ("self.assertEqual(f(1, 2), second=[2,\n            3])", "assertEqual", "==", [("left", "[1, 2]", "f(1, 2)"), ("right", "[2, 3]", "[2,\n            3]")]),
        ("self.assertDictEqual({'a': 1}, {'a': 2})", "assertDictEqual", "==", [("left", "{'a': 1}", "{'a': 1}"), ("right", "{'a': 2}", "{'a': 2}")]),
        ("self.assertIn(3, f(1))", "assertIn", "in", [("member", "3", "3"), ("container", "[1]", "f(1)")]),
        ("self.assertTrue(f())", "assertTrue", "bool", [("actual", "[]", "f()")]),
        ("self.assertIsInstance(f(), dict)", "assertIsInstance", "isinstance", [("actual", "[]", "f()"), ("expected", "dict", "dict")]),
        ("self.assertAlmostEqual(0.1, 0.2, places=3)", "assertAlmostEqual", "==", [("left", "0.1", "0.1"), ("right", "0.2", "0.2"), ("places", "3", "3")]),
        ("self.assertRaises(ValueError, f)", "raises", "DID NOT RAISE", [("expected", "ValueError", "ValueError")]),
    ],
)  # fmt: skip
def test_unittest(pytester: pytest.Pytester, statement: str, style: str, operator: str, first: list[tuple[str, str | None, str | None]]) -> None:
    found, _ = captured(pytester, f"class T(unittest.TestCase):\n    def test_it(self):\n        {statement}\n")
    assert (found.style, found.operator) == (style, operator)
    assert sides(found) == first


@pytest.mark.parametrize(
    ("statement", "style", "operator", "facts"),
    [
        ("with pytest.raises(ValueError):\n        f(1)", "raises", "DID NOT RAISE", {"expected": "ValueError"}),
        ("with pytest.raises(ValueError, match='foo bar'):\n        raise ValueError('foo baz')", "raises-match", "match", {"match": "'foo bar'", "actual": "'foo baz'"}),
        ("with pytest.raises(ValueError):\n        raise KeyError('k')", "raises", "type", {"expected": "ValueError", "actual": "KeyError", "message": '"\'k\'"'}),
        ("pytest.raises(ValueError, int, [])", "raises", "type", {"expected": "ValueError", "actual": "TypeError"}),
        ("with pytest.raises(ValueError) as e:\n        int('a')\n    e.match('foo')", "raises-match", "match", {"match": "'foo'"}),
        ("with pytest.warns(UserWarning):\n        pass", "warns", "DID NOT WARN", {"expected": "UserWarning", "actual": "[]"}),
        ("with pytest.warns(UserWarning, match='abc'):\n        warnings.warn('xyz')", "warns", "match", {"match": "'abc'", "actual": "[(UserWarning, 'xyz')]"}),
        ("with pytest.warns(UserWarning):\n        warnings.warn('xyz', FutureWarning)", "warns", "type", {"expected": "UserWarning", "actual": "[(FutureWarning, 'xyz')]"}),
        ("m = mock.Mock()\n    m(1, a=2)\n    m.assert_called_once_with(1, a=3)", "mock", "assert_called_with", {"expected": "call(1, a=3)", "actual": "call(1, a=2)", "count": "1"}),
        ("m = mock.create_autospec(f)\n    m(1)\n    m.assert_called_with(2)", "mock", "assert_called_with", {"expected": "call(2)", "actual": "call(1)"}),
        ("m = mock.Mock()\n    m.assert_called_once()", "mock", "assert_called_once", {"count": "0"}),
        ("m = mock.Mock()\n    m(1)\n    m.assert_has_calls([mock.call(3)])", "mock", "assert_has_calls", {"expected": "[call(3)]", "actual": "[call(1)]"}),
    ],
)  # fmt: skip
def test_library_assertions(pytester: pytest.Pytester, statement: str, style: str, operator: str, facts: dict[str, str]) -> None:
    found, _ = captured(pytester, f"def test_it():\n    {statement}\n", "-W", "ignore")
    assert (found.style, found.operator) == (style, operator)
    assert {o.role: o.value.source for o in found.operands if o.role in facts} == facts
    assert found.location is not None
    assert found.location.path == "test_it.py"
    if sys.version_info >= (3, 11):
        assert found.location.col >= 0


def test_libraries_that_assert_with_two_values(pytester: pytest.Pytester) -> None:
    site = pytester.path / "site-packages" / "checks"
    site.mkdir(parents=True)
    (site / "__init__.py").write_text("def assert_same(actual, expected):\n    if actual != expected:\n        raise AssertionError('no')\n")
    pytester.syspathinsert(site.parent)
    found, _ = captured(pytester, "import checks\ndef test_it():\n    checks.assert_same(f(1), [2])\n")
    assert (found.style, found.operator) == ("assert_same", "==")
    assert sides(found) == [("actual", "[1]", "f(1)"), ("expected", "[2]", "[2]")]


def test_other_exceptions_compare_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it="def test_it():\n    raise RuntimeError('x')\n")
    recorder = Recorder(pytester.path)
    pytester.inline_run("-p", "no:maestro_healer", plugins=[recorder])
    assert recorder.found == [None]


def test_it_never_raises(pytester: pytest.Pytester) -> None:
    body = "class Bad:\n    def __eq__(self, o): return False\n    __hash__ = None\n    def __repr__(self): raise RuntimeError\n"
    found, _ = captured(pytester, body + "def test_it():\n    assert Bad() == 3\n")
    assert found.operands[0].value.source is None
    assert found.operands[1].value.source == "3"


def test_a_comparison_inside_assert_true(pytester: pytest.Pytester) -> None:
    found, _ = captured(
        pytester, "class T(unittest.TestCase):\n    def test_it(self):\n        out = 'abc'\n        self.assertTrue('x' in out, 'no x')\n"
    )
    assert (found.style, found.operator, found.negated) == ("assertTrue", "in", False)
    assert sides(found) == [("member", "'x'", "'x'"), ("container", "'abc'", "out")]


def test_a_library_helper_that_ends_in_unittest(pytester: pytest.Pytester) -> None:
    site = pytester.path / "site-packages" / "mixins"
    site.mkdir(parents=True)
    code = "class Mixin:\n    def assert_made(self, n, expected):\n        self.assertEqual(expected, [n, n])\n"
    (site / "__init__.py").write_text(code)
    pytester.syspathinsert(site.parent)
    body = "import mixins\nclass T(mixins.Mixin, unittest.TestCase):\n    def test_it(self):\n        self.assert_made(1, [2])\n"
    found, _ = captured(pytester, body)
    assert (found.style, found.operator) == ("assertEqual", "==")
    assert sides(found) == [("left", "[2]", "[2]"), ("right", "[1, 1]", None)]
