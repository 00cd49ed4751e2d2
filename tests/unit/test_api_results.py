"""Result files of every format, and the tests that they name."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_maestro_healer.capture.results import Case, parse_results, read_results, resolve
from pytest_maestro_healer.errors import BundleError


def names(data: str | bytes) -> list[str]:
    return [c.label for c in parse_results(data.encode() if isinstance(data, str) else data).failed]


# -- JSON ------------------------------------------------------------------------------------------------------
JSON_REPORT = {
    "created": 1.0, "exitcode": 1, "root": "/x", "environment": {}, "summary": {"failed": 1, "total": 3},
    "collectors": [{"nodeid": "", "outcome": "passed", "result": []}, {"nodeid": "test_c.py", "outcome": "failed", "longrepr": "E  SyntaxError"}],
    "tests": [
        {"nodeid": "test_a.py::test_ok", "outcome": "passed", "setup": {"outcome": "passed"}},
        {"nodeid": "test_a.py::test_b[1-x]", "outcome": "failed", "call": {"crash": {"path": "x", "lineno": 3, "message": "assert 1 == 2\nx"}}},
        {"nodeid": "test_a.py::test_setup", "outcome": "error", "setup": {"outcome": "failed"}},
        {"nodeid": "test_a.py::test_x", "outcome": "xfailed"},
    ],
}  # fmt: skip


def test_pytest_json_report() -> None:
    found = parse_results(json.dumps(JSON_REPORT).encode())
    assert (found.format, found.total) == ("pytest-json-report", 4)
    assert [c.nodeid for c in found.failed] == ["test_c.py", "test_a.py::test_b[1-x]", "test_a.py::test_setup"]
    assert found.failed[1].message == "assert 1 == 2"


def test_a_report_with_collection_errors_only() -> None:
    assert names(json.dumps({"exitcode": 2, "collectors": [{"nodeid": "test_c.py", "outcome": "failed"}]})) == ["test_c.py"]


def rows(*reports: tuple[str, str, str]) -> str:
    lines = [{"pytest_version": "9.2", "$report_type": "SessionStart"}]
    lines += [{"nodeid": n, "when": w, "outcome": o, "$report_type": "CollectReport" if w == "collect" else "TestReport"} for n, w, o in reports]
    return "".join(json.dumps(line) + "\n" for line in [*lines, {"exitstatus": 1, "$report_type": "SessionFinish"}])


def test_reportlog_takes_the_worst_phase() -> None:
    log = rows(
        ("test_c.py", "collect", "failed"), ("t.py::a", "setup", "passed"), ("t.py::a", "call", "failed"), ("t.py::a", "teardown", "passed"),
        ("t.py::b", "call", "passed"), ("t.py::b", "teardown", "failed"), ("t.py::ok", "call", "passed"),
    )  # fmt: skip
    assert names(log) == ["test_c.py", "t.py::a", "t.py::b"]


def test_reportlog_of_repeated_tests_takes_the_last_attempt() -> None:
    log = rows(("t.py::good", "call", "rerun"), ("t.py::good", "call", "passed"), ("t.py::bad", "call", "rerun"), ("t.py::bad", "call", "failed"))
    assert names(log) == ["t.py::bad"]


def test_a_reportlog_that_was_cut_off_is_read_as_far_as_it_goes() -> None:
    found = parse_results(rows(("t.py::a", "call", "failed")).encode()[:-20])
    assert [c.nodeid for c in found.failed] == ["t.py::a"]
    assert "cut off" in found.notes[0]


def test_our_own_report() -> None:
    assert names(json.dumps({"schema": 1, "results": [{"test_id": "t.py::a"}, {"test_id": "t.py::a"}]})) == ["t.py::a"]


# -- JUnit XML -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "xml",
    [
        '<testsuites><testsuite name="pytest"><testcase classname="tests.test_a.TestX" name="test_b[1]"><failure message="m">t</failure></testcase>'
        '<testcase classname="tests.test_a" name="ok"/></testsuite></testsuites>',
        '<testsuite><testcase classname="tests.test_a.TestX" name="test_b[1]"><error/></testcase></testsuite>',
        '<testsuites><testsuite><testsuite><testcase classname="tests.test_a.TestX" name="test_b[1]"><skipped/><failure/></testcase></testsuite>'
        "</testsuite></testsuites>",
        '<ts:testsuites xmlns:ts="urn:x"><ts:testsuite><ts:testcase classname="tests.test_a.TestX" name="test_b[1]"><ts:failure/></ts:testcase>'
        "</ts:testsuite></ts:testsuites>",
        '<testsuite><testcase classname="tests.test_a.TestX" name="test_b[1]" status="failed"/>'
        '<testcase classname="x" name="y" status="run"/></testsuite>',
        '<?xml version="1.0" encoding="iso-8859-1"?>'
        '<testsuite><testcase classname="tests.test_a.TestX" name="test_b[1]"><failure>\xe9</failure></testcase>'
        '<testcase classname="tests.test_a" name="flaky"><flakyFailure/></testcase></testsuite>',
    ],
    ids=["pytest", "one suite", "nested", "namespaced", "status attribute", "surefire, latin-1"],
)
def test_junit_dialects(xml: str) -> None:
    assert names(xml.encode("latin-1")) == ["tests.test_a.TestX.test_b[1]"]


@pytest.mark.parametrize("bom", [b"\xef\xbb\xbf", b"\n "])
def test_junit_after_a_byte_order_mark(bom: bytes) -> None:
    assert names(bom + b'<testsuite><testcase classname="a" name="b"><failure/></testcase></testsuite>') == ["a.b"]


# -- from names to tests ---------------------------------------------------------------------------------------
@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path in ("tests/test_a.py", "tests/unit/test_b.py", "tests/v1.2/test_c.py", "test_top.py", "package/tests/test_d.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("case", "select"),
    [
        (Case(nodeid="tests/test_a.py::TestX::test_b[a::b]"), ("tests/test_a.py", "TestX::test_b[a::b]")),
        (Case(nodeid="tests/test_a.py"), ("tests/test_a.py", "")),
        (Case(classname="tests.test_a", name="test_b[1.5]"), ("tests/test_a.py", "test_b[1.5]")),
        (Case(classname="tests.test_a.TestX.TestY", name="test_b"), ("tests/test_a.py", "TestX::TestY::test_b")),
        (Case(classname="", name="tests.unit.test_b"), ("tests/unit/test_b.py", "")),
        (Case(classname="", name="tests/unit/test_b.py"), ("tests/unit/test_b.py", "")),
        (Case(classname="prefix.tests.test_a", name="t"), ("tests/test_a.py", "t")),
        (Case(classname="tests.v1.2.test_c.TestX", name="t"), ("tests/v1.2/test_c.py", "TestX::t")),
        (Case(classname="test_d.TestX", name="t"), ("package/tests/test_d.py", "TestX::t")),
        (Case(file="tests/test_a.py", classname="tests.test_a.TestX", name="t"), ("tests/test_a.py", "TestX::t")),
        (Case(file="tests/test_a.py", classname="TestX", name="t"), ("tests/test_a.py", "TestX::t")),
        (Case(file="tests\\test_a.py", classname="tests.test_a", name="t"), ("tests/test_a.py", "t")),
        (Case(file="gone.py", classname="test_top", name="t"), ("test_top.py", "t")),
        (Case(file="tests/unit/test_b.py", name="tests.unit.test_b"), ("tests/unit/test_b.py", "")),
        (Case(file="test_top.py", name="test_other"), ("test_top.py", "test_other")),
    ],
)
def test_tests_are_found(root: Path, case: Case, select: tuple[str, str]) -> None:
    found = resolve([case], root)
    assert (found.selects, found.missing) == ((select,), ())


@pytest.mark.parametrize(
    "case",
    [
        Case(nodeid="tests/test_gone.py::t"),
        Case(nodeid="../outside.py::t"),
        Case(nodeid="/etc/passwd::t"),
        Case(classname="tests.gone", name="t"),
        Case(),
    ],
)
def test_what_is_gone_or_outside_is_missing(root: Path, case: Case) -> None:
    (root.parent / "outside.py").write_text("")
    assert resolve([case], root).selects == ()
    assert resolve([case], root).missing == (case.label,)


@pytest.mark.parametrize("case", [Case(nodeid="test_link.py::t"), Case(nodeid="linked/test_x.py::t"), Case(file="test_link.py", name="t")])
def test_a_link_out_of_the_project_is_outside(root: Path, tmp_path_factory: pytest.TempPathFactory, case: Case) -> None:
    away = tmp_path_factory.mktemp("away")
    (away / "test_x.py").write_text("def test_t(): ...\n")
    (root / "test_link.py").symlink_to(away / "test_x.py")
    (root / "linked").symlink_to(away, target_is_directory=True)
    assert resolve([case], root).selects == ()


def test_paths_may_start_from_a_folder_below_the_root(root: Path) -> None:
    assert resolve([Case(nodeid="unit/test_b.py::t")], root, root / "tests").selects == (("tests/unit/test_b.py", "t"),)


# -- bad input -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"2 passed in 0.1s", "neither JSON nor XML"),
        (b"{", "not valid JSON"),
        (b"[1, 2]", "no test results"),
        (b'{"a": 1}', "no test results"),
        (b'{"summary": {}, "exitcode": 1}', "summary only"),
        (b"<testsuite", "not valid XML"),
        (b"<html/>", "no JUnit report"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><testsuite/>', "document type"),
        (b"\x80\x81{", "not UTF-8"),
        (b'{"$report_type": "SessionStart"}\nnonsense\n{"$report_type": "SessionFinish"}', "line 2"),
        (b'{"tests": [1, {"nodeid": 5, "outcome": "failed"}, {"outcome": "failed"}], "collectors": 3}', ""),
    ],
)
def test_unusable_files_are_errors_of_one_line(data: bytes, word: str) -> None:
    if not word:
        data = data.replace(b', "collectors": 3', b"")
        assert names(data) == ["5"]
        return
    with pytest.raises(BundleError, match=word) as caught:
        parse_results(data, "results")
    assert "\n" not in str(caught.value)
    assert "results" in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="No such file"):
        read_results(tmp_path / "none.xml")
    with pytest.raises(BundleError, match="cannot be read"):
        read_results(tmp_path)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda c: st.lists(c) | st.dictionaries(st.sampled_from(["tests", "collectors", "outcome", "nodeid", "results", "schema", "call", "crash"]), c),
)


@settings(max_examples=150, deadline=None)
@given(JSON)
def test_no_json_is_a_crash(data: object) -> None:
    with contextlib.suppress(BundleError):
        parse_results(json.dumps(data).encode())


@settings(max_examples=150, deadline=None)
@given(st.binary() | st.text().map(lambda t: b"<testsuite>" + t.encode("utf-8", "replace")))
def test_no_bytes_are_a_crash(data: bytes) -> None:
    with contextlib.suppress(BundleError):
        parse_results(data)
