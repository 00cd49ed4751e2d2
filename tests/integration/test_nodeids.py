"""A folder with brackets in its name, and parameter ids in which anything may stand, through the whole pipeline."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import pytest

from pytest_maestro_healer.evidence import nodeids
from tests.integration.toys import BROKEN, HEALED, NEW, OLD, Suite

FOLDER = "a[1]b"
ODD = """import lib
import pytest


class TestOdd:
    @pytest.mark.parametrize("x", [1, 2, 3], ids=["a::b", "c[d]-[e", "test_odd.py::f"])
    def test_odd(self, x):
        assert lib.old_name(x) == x + 1

    @pytest.mark.parametrize("x", [1], ids=["::[lib.py::test]::"])
    def test_fine(self, x):
        assert lib.new_name(x) == 2
"""
PROJECT: Mapping[str, str] = {
    f"{FOLDER}/test_a.py": BROKEN,
    f"{FOLDER}/test_odd.py": ODD,
    f"{FOLDER}/test_syntax.py": "def test_syntax(:\n    assert True\n",
    "pytest.ini": "[pytest]\npythonpath = .\n",
}
TESTS = {
    f"{FOLDER}/test_a.py::test_call",
    f"{FOLDER}/test_odd.py::TestOdd::test_odd[a::b]",
    f"{FOLDER}/test_odd.py::TestOdd::test_odd[c[d]-[e]",
    f"{FOLDER}/test_odd.py::TestOdd::test_odd[test_odd.py::f]",
    f"{FOLDER}/test_syntax.py::test_syntax",
}


def odd_project(suite: Suite) -> None:
    suite.toy((OLD, NEW), ("test_syntax(:", "test_syntax():"))
    suite.write(PROJECT)


def cli(suite: Suite, *args: str) -> str:
    done = suite.pytester.run(sys.executable, "-m", "pytest_maestro_healer", *args)
    assert done.ret in (0, 1), done.stderr.str()
    return done.stdout.str()


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "xdist"])
def test_proved_in_a_fresh_process_and_written(suite: Suite, workers: Sequence[str]) -> None:
    if workers:
        pytest.importorskip("xdist")
    odd_project(suite)
    run = suite.spawn(*workers, "--continue-on-collection-errors", heal=("--heal-apply=all",))
    assert {n for r in run.results for n in r["nodeids"]} == TESTS, run.text
    assert set(run.kinds().values()) == {"applied"}, run.text
    assert all(r["validation_results"]["fresh"]["passed"] for r in run.results)
    assert suite.read(f"{FOLDER}/test_a.py").decode() == HEALED
    assert suite.read(f"{FOLDER}/test_odd.py").decode() == ODD.replace(OLD, NEW)
    assert suite.plain().ret == 0


def test_pending_then_accepted_and_rolled_back(suite: Suite) -> None:
    odd_project(suite)
    before = {n: suite.read(n) for n in PROJECT}
    run = suite.spawn("--continue-on-collection-errors", heal=("--heal-review",))
    assert set(run.kinds().values()) == {"pending"}, run.text
    assert {n: suite.read(n) for n in PROJECT} == before
    assert FOLDER in cli(suite, "list")
    cli(suite, "accept", "--all")
    assert suite.plain().ret == 0
    cli(suite, "rollback", "--last")
    assert {n: suite.read(n) for n in PROJECT} == before


def test_isolated_from_the_start(suite: Suite) -> None:
    odd_project(suite)
    run = suite.spawn("--continue-on-collection-errors", "--heal-isolate")
    assert {n for r in run.results for n in r["nodeids"]} == TESTS, run.text
    assert set(run.kinds().values()) == {"pending"}, run.text


@pytest.mark.parametrize(
    ("nodeid", "parts"),
    [
        ("a[1]b/t.py::T::f[a::b-[c]]", ("a[1]b/t.py", "T::f[a::b-[c]]", "T::f", "f", "a[1]b/t.py::T", "a::b-[c]", "a[1]b/t.py::T::f")),
        ("a[1]b/t.py::f", ("a[1]b/t.py", "f", "f", "f", "a[1]b/t.py", "", "a[1]b/t.py::f")),
        ("a[1]b/t.py", ("a[1]b/t.py", "", "", "", "", "", "a[1]b/t.py")),
        ("t.py::f[]", ("t.py", "f[]", "f", "f", "t.py", "", "t.py::f")),
        ("t.py::f[[]", ("t.py", "f[[]", "f", "f", "t.py", "[", "t.py::f")),
        ("", ("", "", "", "", "", "", "")),
    ],
)
def test_parts(nodeid: str, parts: tuple[str, ...]) -> None:
    takers = (nodeids.file_of, nodeids.tail_of, nodeids.function_of, nodeids.name_of, nodeids.scope_of, nodeids.params_of, nodeids.without_params)
    assert tuple(take(nodeid) for take in takers) == parts
    assert nodeids.has_params(nodeid) == ("[" in parts[1])
    assert nodeids.is_test(nodeid) == bool(parts[1])
    assert nodeids.joined(parts[0], parts[1]) == nodeid


@pytest.mark.parametrize(
    ("nodeid", "wanted", "does"),
    [
        ("a.py::f", "a.py::f", True),
        ("a.py::f[1]", "a.py::f", True),
        ("a.py::f[1]", "a.py::f[1]", True),
        ("a.py::f[1][2]", "a.py::f[1]", False),
        ("a.py::ff", "a.py::f", False),
        ("a.py::T::f", "a.py::T", True),
        ("a.py::T::f", "a.py", True),
        ("a/b.py::f", "a", True),
        ("a[1]b/b.py::f", "a", False),
        ("a[1]b/b.py::f", "a[1]b", True),
        ("ab/b.py::f", "a", False),
    ],
)
def test_what_stands_for_what(nodeid: str, wanted: str, does: bool) -> None:
    assert nodeids.stands_for(nodeid, wanted) is does
