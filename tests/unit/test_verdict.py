"""Which pattern a failure shows, and drift or regression: many small cases."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_maestro_healer.diagnose.classify import by_rules
from pytest_maestro_healer.diagnose.verdict import ProductChange, judge, preliminary, product_changes, with_headers
from pytest_maestro_healer.evidence.git import Hunk
from pytest_maestro_healer.model import Cause, Comparison, Failure, FailurePattern, Frame, Location

P = FailurePattern


def broken(kind: str, message: str = "", *bases: str, **more: Any) -> Failure:
    fields: dict[str, Any] = {"nodeid": "t.py::t", "phase": "call", "path": "t.py", "exc_mro": (kind, *bases, "Exception"), **more}
    return Failure(exc_type=kind, message=message, **fields)


def frame(kind: str, text: str = "", path: str = "") -> Frame:
    return Frame(Location(path or {"test": "t.py", "product": "pkg/m.py"}.get(kind, "lib.py"), 7), "f", kind, text)  # type: ignore[arg-type]


# -- classify ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("failure", "pattern"),
    [
        (broken("SyntaxError", "invalid syntax"), P.SYNTAX_ERROR),
        (broken("TabError", "", "IndentationError", "SyntaxError"), P.SYNTAX_ERROR),
        (broken("_pytest.fixtures.FixtureLookupError"), P.IMPORT_ERROR),
        (broken("Failed", "fixture 'db' not found"), P.IMPORT_ERROR),
        (broken("ModuleNotFoundError", "No module named 'x'", "ImportError"), P.IMPORT_ERROR),
        (broken("ImportError", "numpy 2.0 is incompatible with this"), P.DEPENDENCY_CONFLICT),
        (broken("NameError", "name 'x' is not defined"), P.IMPORT_ERROR),
        (broken("UnboundLocalError", "cannot access local variable", "NameError"), P.UNKNOWN),
        (broken("pkg_resources.ContextualVersionConflict", "a 1"), P.DEPENDENCY_CONFLICT),
        (broken("ValueError", "numpy.dtype size changed, may indicate binary incompatibility"), P.DEPENDENCY_CONFLICT),
        (broken("TimeoutError", "", "OSError"), P.TIMEOUT),
        (broken("subprocess.TimeoutExpired", "", "SubprocessError"), P.TIMEOUT),
        (broken("Failed", "Timeout >1.0s"), P.TIMEOUT),
        (broken("AttributeError", "module 'm' has no attribute 'x'"), P.API_CHANGE),
        (broken("TypeError", "f() got an unexpected keyword argument 'a'"), P.API_CHANGE),
        (broken("FutureWarning", "f is deprecated", "Warning"), P.API_CHANGE),
        (broken("FileNotFoundError", "No such file", "OSError"), P.ENVIRONMENT_ISSUE),
        (broken("UnicodeDecodeError", "'ascii' codec can't decode", "UnicodeError"), P.ENVIRONMENT_ISSUE),
        (broken("RuntimeError", "could not connect to server"), P.ENVIRONMENT_ISSUE),
        (broken("KeyError", "'HOME_X'", statement="os.environ['HOME_X']"), P.ENVIRONMENT_ISSUE),
        (broken("KeyError", "'a'", statement="d['a']", frames=(frame("test"),)), P.ASSERTION_FAILURE),
        (broken("KeyError", "'a'", frames=(frame("test"), frame("product"))), P.UNKNOWN),
        (broken("AssertionError", "assert 1 == 2"), P.ASSERTION_FAILURE),
        (broken("AssertionError", "assert 1 == 2", reruns=2), P.FLAKY_BEHAVIOR),
        (broken("AssertionError", "the job timed out"), P.TIMEOUT),
        (broken("AssertionError", "assert 1.2 < 1", statement="assert elapsed < 1"), P.TIMEOUT),
        (broken("AssertionError", "assert 1.2 == 1", statement="assert elapsed == 1"), P.ASSERTION_FAILURE),
        (broken("Failed", "DID NOT RAISE"), P.ASSERTION_FAILURE),
        (broken("click.UsageError", "takes 1 positional argument"), P.API_CHANGE),
        (broken("ZeroDivisionError", "division by zero"), P.UNKNOWN),
    ],
    ids=lambda v: f"{v.exc_type}-{v.message[:20]}" if isinstance(v, Failure) else str(v),
)
def test_patterns(failure: Failure, pattern: FailurePattern) -> None:
    found, sure = by_rules(failure)
    assert found is pattern
    assert 0 < sure < 1


# -- before any experiment ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("failure", "cause"),
    [
        (broken("AttributeError", "no x", frames=(frame("test"),)), Cause.DRIFT),
        (broken("AttributeError", "no x", frames=(frame("test"), frame("stdlib"))), Cause.DRIFT),
        (broken("AttributeError", "no x", frames=(frame("test"), frame("product"))), Cause.UNKNOWN),
        (broken("TypeError", "no x", frames=(frame("test"), frame("third_party"))), Cause.UNKNOWN),
        (broken("SyntaxError"), Cause.DRIFT),
        (broken("FileNotFoundError", "", "OSError"), Cause.ENVIRONMENT),
        (broken("AssertionError", reruns=1), Cause.FLAKY),
        (broken("AssertionError", "assert 1 == 2"), Cause.UNKNOWN),
    ],
)
def test_the_cause_where_the_failure_alone_tells_it(failure: Failure, cause: Cause) -> None:
    assert preliminary(failure).cause is cause


# -- what the test executed --------------------------------------------------------------------------------------
def hunk(removed: str, added: str, *, line: int = 10, path: str = "pkg/m.py") -> Hunk:
    return Hunk(path, path, line, line, tuple(removed.split("\n")) if removed else (), tuple(added.split("\n")) if added else ())


@pytest.mark.parametrize(
    ("changed", "ran", "found"),
    [
        (hunk("a", "b"), {10}, {10}),
        (hunk("a", "b"), {9, 11}, None),
        (hunk("a", "b\nc\nd"), {8, 11, 12, 13}, {11, 12}),
        (hunk("a", ""), {10}, {10}),
        (hunk("a", ""), {11}, {11}),
        (hunk("a", ""), {9, 12}, None),
    ],
)
def test_changed_lines_that_ran(changed: Hunk, ran: set[int], found: set[int] | None) -> None:
    result = product_changes([changed], {"pkg/m.py": frozenset(ran)}, {"pkg/m.py": True}, "")
    assert [set(c.executed) for c in result] == ([found] if found else [])


def test_other_files_are_no_product_changes() -> None:
    ran = {"pkg/m.py": frozenset({10}), "t.py": frozenset({10})}
    hunks = [hunk("a", "b", path="t.py"), hunk("a", "b", path="unknown.py"), hunk("a", "b", path="pkg/never_run.py")]
    assert product_changes(hunks, ran, {"t.py": False, "pkg/never_run.py": True}, "") == []


def test_where_a_change_stands() -> None:
    assert ProductChange(hunk("a", "b")).where == "pkg/m.py:10 (changed uncommitted)"
    assert ProductChange(hunk("a", "b"), frozenset({12, 11}), "1a2b3c4d5e").where == "pkg/m.py:11 (changed in 1a2b3c4)"


# -- drift or regression -----------------------------------------------------------------------------------------
WRONG = broken("AssertionError", "assert 3 == 2", frames=(frame("test"),))


def cause(removed: str, added: str, *values: str, failure: Failure = WRONG) -> Cause:
    return judge(failure, [ProductChange(hunk(removed, added), frozenset({10}))], new_values=values).cause


@pytest.mark.parametrize(
    ("removed", "added", "value", "expected"),
    [
        ("    return x + 1", "    return x + 2", "3", Cause.REGRESSION_SUSPECTED),
        ("    return x + 1", "    return 3", "3", Cause.DRIFT),
        ("    return x + 1", "    return 30", "3", Cause.REGRESSION_SUSPECTED),
        ("    return x + 1", "    return 1.3", "3", Cause.REGRESSION_SUSPECTED),
        ("    return x + 1", "    return 3.5", "3", Cause.REGRESSION_SUSPECTED),
        ("    return x + 1", "    return x3", "3", Cause.REGRESSION_SUSPECTED),
        ("    return x + 1", "    return -3", "-3", Cause.DRIFT),
        ("    return 'blue'", "    return 'red'", "'red'", Cause.DRIFT),
        ("    return 'blue'", "    return 'hundred'", "'red'", Cause.UNKNOWN),
        ("    return 'blue'", '    return "red"', "'red'", Cause.DRIFT),
        ("    x = 1", "    x = 1  # counts", "3", Cause.UNKNOWN),
        ("    x = f(1,2)", "    x = f(\n        1,\n        2)", "3", Cause.UNKNOWN),
        ("    x = f(1, 2)", "    x = f(1,\n          2)", "3", Cause.UNKNOWN),
        ("    return x > 1", "    return x >= 1", "True", Cause.REGRESSION_SUSPECTED),
        ("    return 10", "    return 11", "3", Cause.REGRESSION_SUSPECTED),
        ("    check(x)", "", "3", Cause.REGRESSION_SUSPECTED),
        ("", "    x = 0", "3", Cause.REGRESSION_SUSPECTED),
        ("    '''Old words.'''", "    '''New words.'''", "3", Cause.UNKNOWN),
        ("    return f'{a} blue'", "    return f'{a} red'", "'1 red'", Cause.UNKNOWN),
        ("    return f'{a} blue'", "    return f'{a} red'", "red", Cause.DRIFT),
        ("    return f'{a} x'", "    return f'{a!r:>9} y'", "3", Cause.UNKNOWN),
        ("    return f'{a:>{w}} x'", "    return f'{b!r} y'", "3", Cause.REGRESSION_SUSPECTED),
        ("    return f'{a[0]} x'", "    return f'{a[1]} x'", "3", Cause.REGRESSION_SUSPECTED),
        ("    return f'{a}' + b", "    return f'{a}' + c", "3", Cause.REGRESSION_SUSPECTED),
        ("    return f(", "    return g(", "3", Cause.REGRESSION_SUSPECTED),
        ("    return (a +", "    return (a +", "3", Cause.UNKNOWN),
    ],
)
def test_changed_product_lines(removed: str, added: str, value: str, expected: Cause) -> None:
    assert cause(removed, added, value) is expected


def test_every_new_value_must_be_stated_where_logic_changed() -> None:
    assert cause("    return x", "    return (3, y)", "3") is Cause.DRIFT
    assert cause("    return x", "    return (3, y)", "3", "4") is Cause.REGRESSION_SUSPECTED
    assert cause("    return x", "    return (3, y)") is Cause.REGRESSION_SUSPECTED


@pytest.mark.parametrize(("value", "cause"), [("1", Cause.REGRESSION_SUSPECTED), ("2", Cause.REGRESSION_SUSPECTED), ("7", Cause.DRIFT)])
def test_a_number_that_stood_there_before_states_nothing(value: str, cause: Cause) -> None:
    """``x * 2 + 1`` became ``x * 2 - 1 + 7``: that a test now sees 1 or 2 is no intent."""
    hunk = Hunk("pkg/m.py", "pkg/m.py", 7, 7, ("    return x * 2 + 1",), ("    return x * 2 - 1 + 7",))
    found = judge(broken("AssertionError"), [ProductChange(hunk, frozenset({7}))], new_values=[value])
    assert found.cause is cause


def test_an_empty_text_is_stated_nowhere() -> None:
    assert cause("    return x", "    return y", "''") is Cause.REGRESSION_SUSPECTED


def test_nothing_changed_is_unknown() -> None:
    found = judge(WRONG, [], new_values=["3"])
    assert (found.cause, found.reasons, found.suspect) == (Cause.UNKNOWN, (), "")


def test_the_suspect_is_named() -> None:
    change = ProductChange(hunk("    return x + 1", "    return x + 2"), frozenset({10}), "1a2b3c4d")
    assert judge(WRONG, [change]).suspect == "pkg/m.py:10 (changed in 1a2b3c4)"


RAISES = Comparison("raises", "isinstance", ())


@pytest.mark.parametrize(
    ("failure", "regression"),
    [
        (broken("KeyError", "'a'", frames=(frame("test"), frame("product"))), True),
        (broken("KeyError", "'a'", frames=(frame("test"), frame("product"), frame("stdlib"), frame("third_party"))), True),
        (broken("KeyError", "'a'", frames=(frame("product"), frame("test"))), False),
        (broken("KeyError", "'a'", frames=(frame("test"), frame("product"), frame("test"))), False),
        (broken("KeyError", "'a'", frames=(frame("test"), frame("third_party"))), False),
        (broken("KeyError", "'a'", frames=(frame("test"),)), False),
        (broken("KeyError", "'a'"), False),
        (broken("KeyError", "'a'", frames=(frame("product"),), phase="collect"), False),
        (broken("Failed", "DID NOT RAISE", frames=(frame("test"), frame("product"))), False),
        (broken("TypeError", "f() takes 1 positional argument but 2 were given", frames=(frame("test"), frame("product", "return f(*args)"))), False),
        (broken("TypeError", "f() takes 1 positional argument but 2 were given", frames=(frame("test"), frame("product", "return f(a, b)"))), True),
        (broken("TypeError", "f() takes 1 positional argument but 2 were given", frames=(frame("test"), frame("product"), frame("product"))), True),
        (broken("TypeError", "unsupported operand", frames=(frame("test"), frame("product"))), True),
        (broken("ValueError", "no", frames=(frame("test"), frame("product", "raise ValueError")), comparison=RAISES), False),
        (broken("ValueError", "no", frames=(frame("test"), frame("product", "return d[x]")), comparison=RAISES), True),
    ],
)
def test_exceptions_inside_the_product(failure: Failure, regression: bool) -> None:
    found = judge(failure, [])
    assert (found.cause is Cause.REGRESSION_SUSPECTED) is regression
    assert (found.suspect == "pkg/m.py:7") is regression


@pytest.mark.parametrize(
    ("text", "message", "cause"),
    [
        ('return os.environ["HOME_OF_IT"].strip()', "'HOME_OF_IT'", Cause.ENVIRONMENT),
        ('return os.environ["OTHER"] + d["HOME_OF_IT"]', "'HOME_OF_IT'", Cause.REGRESSION_SUSPECTED),
        ('return settings["HOME_OF_IT"]', "'HOME_OF_IT'", Cause.REGRESSION_SUSPECTED),
    ],
)
def test_a_variable_that_is_not_set_is_no_regression(text: str, message: str, cause: Cause) -> None:
    failure = broken("KeyError", message, frames=(frame("test"), frame("product", text), frame("stdlib")))
    assert judge(failure, []).cause is cause
    change = ProductChange(hunk("a", "b", line=5), frozenset({5}), "1a2b3c4")
    assert judge(failure, [change]).cause is Cause.REGRESSION_SUSPECTED


def test_a_changed_line_in_the_raising_file_is_the_suspect() -> None:
    failure = broken("KeyError", "'a'", frames=(frame("test"), frame("product")))
    change = ProductChange(hunk("a", "b", line=5), frozenset({5}), "1a2b3c4")
    found = judge(failure, [ProductChange(hunk("a", "b", path="other.py"), frozenset({10})), change])
    assert found.suspect == "pkg/m.py:5 (changed in 1a2b3c4)"
    assert len(found.reasons) == 2


def test_environment_and_flaky_stay_what_they_are() -> None:
    assert judge(broken("FileNotFoundError", "", "OSError", frames=(frame("test"),)), []).cause is Cause.ENVIRONMENT
    assert judge(broken("AssertionError", reruns=1), []).cause is Cause.FLAKY


def test_a_changed_default_counts_as_executed_with_its_function() -> None:
    source = b"def price(base,\n          rate=2):\n    return base * rate\n\n\ndef other(x=1):\n    return x\n"
    assert with_headers({"shop.py": frozenset({3})}, lambda path: source) == {"shop.py": frozenset({1, 2, 3})}
    assert with_headers({"shop.py": frozenset({3})}, lambda path: None) == {"shop.py": frozenset({3})}


def test_a_changed_constant_counts_as_executed_with_the_functions_that_read_it() -> None:
    source = b"SECONDS = 60\nNAMES: tuple[str, ...] = (\n    'a',\n)\n\n\ndef wait(n):\n    return n * SECONDS\n\n\ndef other():\n    return NAMES\n"
    assert with_headers({"shop.py": frozenset({8})}, lambda path: source) == {"shop.py": frozenset({1, 7, 8})}
    assert with_headers({"shop.py": frozenset({12})}, lambda path: source) == {"shop.py": frozenset({2, 3, 4, 11, 12})}
