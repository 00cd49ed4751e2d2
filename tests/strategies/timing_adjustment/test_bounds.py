"""Which literals are limits, how bounds are rounded, and what an assertion waits for."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.strategies.environment_healing.place import Place, functions
from pytest_maestro_healer.strategies.timing_adjustment.bounds import bounds, marks, number_of
from pytest_maestro_healer.strategies.timing_adjustment.conditions import joined, wanted
from pytest_maestro_healer.strategies.timing_adjustment.helpers import helper
from pytest_maestro_healer.strategies.timing_adjustment.measure import Measured, rounded, seconds, written
from pytest_maestro_healer.strategies.timing_adjustment.sleeps import condition_after, sleeps_before


def place(body: str, head: str = "", decorators: str = "") -> Place:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    src = SourceFile("test_a.py", f"{head}{decorators}def test_a():\n{lines}".encode())
    assert src.tree is not None
    return next(Place(src, node, "test", cls) for node, cls in functions(src.tree) if node.name == "test_a")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("wait_for(x, timeout=0.5)", [("timeout", 0.5)]),
        ("asyncio.wait_for(x, 0.5)", [("wait_for", 0.5)]),
        ("thread.join(2)", [("join", 2.0)]),
        ("event.wait(1 / 20)", [("wait", 0.05)]),
        ("subprocess.run(c, timeout=3)", [("timeout", 3.0)]),
        ("queue.get(True, 0.1)", [("get", 0.1)]),
        ("client.fetch(u, timeout_ms=50)", [("timeout_ms", 0.05)]),
        ("client.fetch(u, read_timeout=5)", [("read_timeout", 5.0)]),
        ("limit = 0.2\nfuture.result(limit)", [("result", 0.2)]),
        ("mapping.get('a', 3)", []),
        ("', '.join(parts)", []),
        ("wait_for(x, timeout=None)", []),
        ("wait_for(x, timeout=-1)", []),
        ("wait_for(x, timeout=compute())", []),
        ("limit = 0.2\nlimit = 0.3\nfuture.result(limit)", []),
    ],
)
def test_limits_that_are_written_out(body: str, expected: list[tuple[str, float]]) -> None:
    assert [(b.name, pytest.approx(b.value)) for b in bounds(place(body))] == expected


def test_a_limit_of_the_module() -> None:
    found = bounds(place("event.wait(LIMIT)", head="LIMIT = 0.1\n\n\n"))
    assert [(b.value, b.kind, b.where) for b in found] == [(0.1, "constant", "test_a.py:1")]


def test_markers_of_function_and_module() -> None:
    found = marks(place("pass", head="pytestmark = [pytest.mark.timeout(3), pytest.mark.slow]\n\n\n", decorators="@pytest.mark.timeout(0.5)\n"))
    assert sorted(b.value for b in found) == [0.5, 3.0]


@pytest.mark.parametrize(
    ("text", "value"), [("0.5", 0.5), ("5 * 60", 300.0), ("1 / 4", 0.25), ("1 / 0", None), ("x", None), ("True", None), ("'1'", None)]
)
def test_numbers(text: str, value: float | None) -> None:
    assert number_of(ast.parse(text, mode="eval").body) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0011, "0.002"), (0.01, "0.01"), (0.041, "0.05"), (0.3, "0.5"), (1.0, "1"), (1.01, "2"), (5.0, "5"), (5.1, "10"), (99, "100")],
)
def test_bounds_are_rounded_up_to_1_2_5(value: float, expected: str) -> None:
    assert written(rounded(value)) == expected
    assert rounded(value) >= value


def test_the_data_are_told() -> None:
    found = Measured((0.011, 0.013, 0.012), (0.05, 0.04))
    assert found.longest == 0.05
    assert found.told() == "3 runs, median 0.012 s, longest 0.013 s; 2 under load, longest 0.05 s"
    assert seconds(12.3) == "12 s"


@pytest.mark.parametrize(
    ("statement", "negative", "looks"),
    [
        ("assert job.done", "not job.done", True),
        ("assert not job.busy", "job.busy", True),
        ("assert not (a or b)", "(a or b)", True),
        ("assert job.result == 42", "job.result != 42", True),
        ("assert job.name is not None", "job.name is None", True),
        ("assert 'a' in job.names", "'a' not in job.names", True),
        ("assert len(x) >= 3", "len(x) < 3", True),
        ("assert a and b", "not (a and b)", True),
        ("assert 0 < a < 3", "not (0 < a < 3)", True),
        ("assert event.is_set()", "not event.is_set()", True),
        ("assert table.get('a') == 1", "table.get('a') != 1", True),
        ("assert queue.get() == 1", "queue.get() != 1", False),
        ("assert counter.next() == 3", "counter.next() != 3", False),
        ("self.assertEqual(job.result, 42)", "job.result != 42", True),
        ("self.assertTrue(job.done)", "not job.done", True),
        ("self.assertFalse(job.busy)", "job.busy", True),
        ("self.assertIn(1, job.seen)", "1 not in job.seen", True),
        ("self.assertIsNone(job.error)", "job.error is not None", True),
    ],
)
def test_the_opposite_of_an_assertion(statement: str, negative: str, looks: bool) -> None:
    src = SourceFile("test_a.py", statement.encode())
    assert src.tree is not None
    found = wanted(src.tree.body[0], src, {})
    assert found is not None
    assert (found.negative, found.looks) == (negative, looks)


@pytest.mark.parametrize("statement", ["assert (n := next(it)) == 1", "assert all(x for x in y)", "print(1)", "self.assertRaises(ValueError, f)"])
def test_what_cannot_be_asked_again(statement: str) -> None:
    src = SourceFile("test_a.py", statement.encode())
    assert src.tree is not None
    assert wanted(src.tree.body[0], src, {}) is None


def test_the_opposite_is_false_where_the_assertion_holds() -> None:
    for text in ("a == 1", "a != 2", "a < 2", "a <= 1", "a > 0", "a >= 1", "a in b", "3 not in b", "a is a", "not (a == 2 or b == 3)", "a and b"):
        src = SourceFile("test_a.py", f"assert {text}".encode())
        assert src.tree is not None
        found = wanted(src.tree.body[0], src, {})
        assert found is not None
        values = {"a": 1, "b": [1]}
        assert eval(found.positive, {}, values)
        assert not eval(found.negative, {}, values)


def test_conditions_are_joined_without_changing_their_meaning() -> None:
    src = SourceFile("test_a.py", b"assert a or b\nassert c == 1\n")
    assert src.tree is not None
    both = joined([w for s in src.tree.body if (w := wanted(s, src, {}))])
    assert both.positive == "(a or b) and c == 1"
    assert both.negative == "not ((a or b) and c == 1)"


def test_the_nearest_sleep_in_front_is_found() -> None:
    where = place("time.sleep(0.1)\nif x:\n    time.sleep(0.2)\n    f()\nelse:\n    time.sleep(0.3)\nassert a == 1")
    failing = where.node.body[-1]
    assert [s.value for s in sleeps_before(where, failing)] == [0.1]


def test_what_was_read_after_the_sleep_is_asked_again() -> None:
    where = place("time.sleep(0.1)\nlast = job.state[-1]\nassert last == 'done'\nassert job.n == 2\nuse(last)\nassert other == 3")
    pause, failing = where.node.body[0], where.node.body[2]
    found = condition_after(where, pause, failing)
    assert found is not None
    assert found.positive == "job.state[-1] == 'done' and job.n == 2"
    assert found.looks


def test_a_polling_helper_needs_a_predicate_and_a_limit(tmp_path: Path) -> None:
    ctx = Context(tmp_path, HealerConfig())
    good = SourceFile("test_a.py", b"def wait_until(predicate, timeout=5):\n    pass\n")
    found = helper(good, ctx)
    assert found is not None
    assert (found.name, found.limit, found.needed) == ("wait_until", "timeout", "")
    other = SourceFile("test_a.py", b"def wait_until(port, timeout=5):\n    pass\ndef poll(condition):\n    pass\n")
    assert helper(other, ctx) is None
