"""A failure from the words about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer.capture.text import Report, failure_from_text, likeness, meant, stated_values
from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.diagnose.classify import by_rules, classify
from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.model import Failure, FailurePattern
from pytest_maestro_healer.remote.textual import CAP, CAP_EXPECTATION, heal_text

CODE = """import shop


def test_status(client):
    response = client.get("/users")
    assert response.status == 200


def test_dumps():
    assert json.dumps([1]) == "[1]"
"""


def told(code: str = CODE, function: str = "", **details: Any) -> Failure:
    return failure_from_text(Report.of(details), SourceFile("tests/test_api.py", code.encode()), "tests/test_api.py::test_status", function)


@pytest.mark.parametrize(
    ("details", "pattern"),
    [
        ({"message": "No module named 'shop.money'"}, FailurePattern.IMPORT_ERROR),
        ({"error_message": "ModuleNotFoundError: No module named 'shop'"}, FailurePattern.IMPORT_ERROR),
        ({"error_type": "import_error", "error_message": "it is gone"}, FailurePattern.IMPORT_ERROR),
        ({"error_message": "cannot import name 'a' from 'shop' (/x/shop.py)"}, FailurePattern.IMPORT_ERROR),
        ({"message": "name 'json' is not defined"}, FailurePattern.IMPORT_ERROR),
        ({"error_type": "assertion_failure", "error_message": "Expected 200, got 404"}, FailurePattern.ASSERTION_FAILURE),
        ({"error_type": "AssertionError"}, FailurePattern.ASSERTION_FAILURE),
        ({"stack_trace": "tests/test_api.py:6: in test_status\nE   AssertionError: assert 404 == 200"}, FailurePattern.ASSERTION_FAILURE),
        ({"error_type": "timeout", "error_message": "took 31 s"}, FailurePattern.TIMEOUT),
        ({"message": "module 'shop' has no attribute 'total'"}, FailurePattern.API_CHANGE),
        ({"message": "total() got an unexpected keyword argument 'vat'"}, FailurePattern.API_CHANGE),
        ({"error_type": "environment_issue", "message": "no display"}, FailurePattern.ENVIRONMENT_ISSUE),
        ({"error_type": "builtins.OSError", "message": "[Errno 98] Address already in use"}, FailurePattern.ENVIRONMENT_ISSUE),
    ],
)
def test_the_pattern_is_that_of_the_live_failure(details: dict[str, Any], pattern: FailurePattern) -> None:
    assert classify(told(**details))[0] is pattern


def test_without_a_word_the_rules_know_nothing() -> None:
    assert by_rules(told())[0] is FailurePattern.UNKNOWN


def test_code_that_does_not_parse_is_a_syntax_error_whatever_was_said() -> None:
    failure = told("def test_a():\n    assert (1 == 1\n", message="Expected 200, got 404")
    assert failure.is_a("SyntaxError")
    assert (failure.phase, failure.exc_attrs["lineno"]) == ("collect", 2)


def test_the_traceback_tells_the_place() -> None:
    trace = 'Traceback (most recent call last):\n  File "/home/me/tests/test_api.py", line 10, in test_dumps\n    x\n'
    trace += "NameError: name 'json' is not defined"
    failure = told(stack_trace=trace)
    assert (failure.exc_type, failure.message) == ("NameError", "name 'json' is not defined")
    assert failure.location is not None
    assert (failure.location.path, failure.location.line) == ("tests/test_api.py", 10)
    assert failure.statement == 'assert json.dumps([1]) == "[1]"'
    assert [f.kind for f in failure.frames] == ["test"]


def test_without_one_the_only_line_that_has_the_name_is_the_place() -> None:
    failure = told(message="name 'json' is not defined")
    assert failure.location is not None
    assert failure.location.line == 10
    twice = told(CODE + "    json.loads('1')\n", message="name 'json' is not defined")
    assert twice.location is None


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("Expected 200, got 404", (200, 404)),
        ("expected: 'a' but was: 'b'", ("a", "b")),
        ("Expected status code 200 but received 404", (200, 404)),
        ("got 1.5, expected 2.5", (2.5, 1.5)),
        ("E       AssertionError: assert 404 == 200", (200, 404)),
        ("AssertionError: 404 != 200", (200, 404)),
        ("E   assert 404 == 200\nE    +  where 404 = <R>.status", (200, 404)),
        ("Expected many, got few", None),
        ("assert foo(3) == 200", None),
        ("it took 200 == 404 times longer", None),
    ],
)
def test_values_that_a_text_states(text: str, pair: tuple[object, object] | None) -> None:
    assert stated_values(text) == pair


def test_a_stated_comparison_has_the_operands_of_the_one_assert_with_that_literal() -> None:
    found = told(message="Expected 200, got 404").comparison
    assert found is not None
    left, right = found.operands
    assert (left.value.repr, left.source, right.value.repr, right.source) == ("404", "response.status", "200", "200")
    assert told(message="Expected 201, got 404").comparison is None
    assert told(CODE.replace("== 200", "== 200.0"), message="Expected 200, got 404").comparison is None


# -- the failure that was meant --------------------------------------------------------------------------------
SEEN = Failure("t.py::test", "call", "t.py", "NameError", "name 'json' is not defined", exc_mro=("NameError", "Exception"))


@pytest.mark.parametrize(
    ("details", "yes"),
    [
        ({"message": "name 'json' is not defined"}, True),
        ({"error_type": "NameError", "message": "name 'json' is not defined"}, True),
        ({"message": "name 'yaml' is not defined"}, False),
        ({"message": "Expected 200, got 404"}, False),
        ({"error_type": "AssertionError"}, False),
        ({}, False),
    ],
)
def test_outside_of_its_project_only_the_reported_failure_counts(details: dict[str, Any], yes: bool) -> None:
    assert meant(SEEN, Report.of(details)) is yes


def test_without_words_an_assertion_counts() -> None:
    seen = Failure("t.py::test", "call", "t.py", "AssertionError", "assert 1 == 2", exc_mro=("AssertionError",))
    assert meant(seen, Report())
    assert meant(seen, Report.of({"message": "the test fails"}))
    assert meant(seen, Report.of({"message": "Expected 2, got 1"}))
    assert not meant(seen, Report.of({"message": "Expected 200, got 404"}))
    assert not meant(seen, Report.of({"error_type": "TimeoutError"}))


def test_the_likest_failure_is_the_one_that_was_meant() -> None:
    other = Failure("t.py::other", "call", "t.py", "AssertionError", "assert 3 == 4", exc_mro=("AssertionError",))
    said = Report.of({"message": "name 'json' is not defined"})
    assert likeness(SEEN, said) > likeness(other, said)


# -- heals without a run ---------------------------------------------------------------------------------------
def proposed(tmp_path: Path, code: str, passes: bool = False, **details: Any) -> Any:
    files = ProjectFiles(tmp_path)
    files.overlay["test_x.py"] = code.encode()
    return heal_text(files, "test_x.py", Report.of(details), "test_x.py::test_a", "", HealerConfig(), passes)


def test_a_missing_import_from_its_message(tmp_path: Path) -> None:
    result = proposed(tmp_path, "def test_a():\n    assert json.dumps(1) == '1'\n", message="name 'json' is not defined")
    assert result.success
    assert result.changes[0].after.startswith("import json\n")
    assert 0 < result.confidence_score <= CAP
    assert not result.verdict.proved
    assert result.validation_results["rerun"]["passed"] is None
    assert result.decision.kind == "pending"


def test_a_changed_expectation_is_hardly_believed(tmp_path: Path) -> None:
    result = proposed(tmp_path, "def test_a(get):\n    assert get('/').status == 200\n", message="Expected 200, got 404")
    assert "status == 404" in result.changes[0].after
    assert 0 < result.confidence_score <= CAP_EXPECTATION


def test_nothing_is_weakened_from_text_either(tmp_path: Path) -> None:
    result = proposed(tmp_path, "def test_a(get):\n    assert get('/').status == 200\n", message="it just fails")
    assert not result.success
    assert result.changes == ()


def test_a_test_that_passes_keeps_its_expectations(tmp_path: Path) -> None:
    result = proposed(tmp_path, "def test_a(get):\n    assert get('/').status == 200\n", passes=True, message="Expected 200, got 404")
    assert not result.success
    assert "passes here as it is" in result.decision.rule


def test_a_syntax_error_is_repaired_without_a_run(tmp_path: Path) -> None:
    result = proposed(tmp_path, "def test_a()\n    assert 1 + 1 == 2\n", message="invalid syntax")
    assert result.success
    assert result.strategy_used == "syntax_repair"
    compile(result.changes[0].after, "test_x.py", "exec")
