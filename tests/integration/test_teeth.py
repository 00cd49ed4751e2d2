"""The teeth rung in a real run: what it reports, what it refuses, and that nothing of the mutants stays in the session."""

from __future__ import annotations

import pytest

from tests.integration.toys import Suite

LIB = """
CALLS = []


def new_name(x=1):
    y = x + 1
    if y > 5:
        y = 5
    return y


def other(x):
    y = x * 2
    if y > 5:
        y = 5
    return y
"""
CALL = "import lib\n\n\ndef test_call():\n    assert lib.old_name(1) == 2\n    assert lib.new_name(9) == 5\n"


def teeth(result: object) -> dict[str, object]:
    found: dict[str, object] = result["validation_results"]["teeth"]  # type: ignore[index]
    return found


def test_teeth_are_reported(suite: Suite) -> None:
    suite.write({"lib.py": LIB, "test_a.py": CALL})
    run = suite.spawn("-o", "heal_fresh_confirm=false", "-vv")
    result = run.one()
    assert result["decision"]["kind"] == "pending", run.text
    found = teeth(result)
    assert found["passed"] is True
    assert "mutants of the product are noticed" in str(found["reason"])
    listed = found["details"]
    assert isinstance(listed, list)
    assert all(d.startswith(("noticed: `", "not noticed: `")) for d in listed)
    assert all(f"teeth: {d}" in run.text for d in listed)


THREAD = """
import threading

import pytest

WAIT = threading.Event()


@pytest.fixture
def busy():
    threading.Thread(target=WAIT.wait, daemon=True).start()
"""
IN_CONFTEST = "import lib\nimport pytest\n\n\n@pytest.fixture\ndef got():\n    return lib.old_name\n"


@pytest.mark.parametrize(
    ("files", "arguments"),
    [
        pytest.param({"conftest.py": THREAD, "test_a.py": CALL.replace("test_call()", "test_call(busy)")}, (), id="a thread is left behind"),
        pytest.param({"test_a.py": CALL}, ("--heal-isolate",), id="every proof in a process of its own"),
        pytest.param(
            {"test_a.py": CALL.replace("import lib\n", "").replace("():\n", "():\n    import lib\n")}, ("--heal-isolate",), id="imported late"
        ),
        pytest.param(
            {"conftest.py": IN_CONFTEST, "test_a.py": "def test_call(got):\n    assert got(1) == 2\n    assert got(9) == 5\n"}, (), id="a conftest"
        ),
    ],
)
def test_where_the_session_cannot_be_copied_a_fresh_process_is(
    suite: Suite, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], arguments: tuple[str, ...]
) -> None:
    temporary = suite.outside / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    suite.write({"lib.py": LIB, **files})
    suite.toy(("old_name", "new_name"))
    run = suite.spawn("-o", "heal_fresh_confirm=false", *arguments)
    found = teeth(run.one())
    assert found["passed"] is True, run.text
    assert "mutants of the product are noticed" in str(found["reason"])
    assert list(temporary.glob("maestro-heal-*")) == []


def test_an_expectation_that_notices_nothing_is_refused_beside_threads_too(suite: Suite) -> None:
    blunt = "import lib\n\n\ndef test_blunt(busy):\n    got = lib.other(1)\n    assert len(str(type(got))) * 0 + 2 == 3\n"
    suite.write({"lib.py": LIB, "conftest.py": THREAD, "test_a.py": blunt})
    suite.toy(("== 3", "== 2"), symptom=True)
    result = suite.spawn("-o", "heal_fresh_confirm=false").one()
    assert (result["decision"]["kind"], teeth(result)["passed"]) == ("rejected", False)


def test_an_expectation_that_notices_nothing_is_refused(suite: Suite) -> None:
    """The healed test passes whatever the product does: its new expectation proves nothing."""
    blunt = "import lib\n\n\ndef test_blunt():\n    got = lib.other(1)\n    assert len(str(type(got))) * 0 + 2 == 3\n"
    suite.write({"lib.py": LIB, "test_a.py": blunt})
    suite.toy(("== 3", "== 2"), symptom=True)
    run = suite.spawn("-o", "heal_fresh_confirm=false")
    result = run.one()
    assert result["decision"]["kind"] == "rejected", run.text
    assert teeth(result)["passed"] is False
    assert result["decision"]["rule"].startswith("0/")


def test_the_same_is_no_reason_against_a_healed_cause(suite: Suite) -> None:
    blunt = "import lib\n\n\ndef test_blunt():\n    got = lib.old_name(1)\n    assert len(str(type(got))) * 0 == 0\n"
    suite.write({"lib.py": LIB, "test_a.py": blunt})
    result = suite.spawn("-o", "heal_fresh_confirm=false").one()
    assert (result["decision"]["kind"], teeth(result)["passed"]) == ("pending", None)


def test_nothing_of_the_mutants_stays_in_the_session(suite: Suite) -> None:
    """After healing, the product's functions have the code, the globals and the results they had."""
    watch = """
import pytest
import lib

BEFORE = {n: (f, f.__code__, f.__code__.co_filename) for n, f in vars(lib).items() if callable(f)}


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    now = {n: (f, f.__code__, f.__code__.co_filename) for n, f in vars(lib).items() if callable(f)}
    same = now == BEFORE and all(now[n][1] is BEFORE[n][1] for n in BEFORE)
    print(f"UNTOUCHED {same} {lib.CALLS} {lib.new_name(1)} {lib.new_name(9)} {lib.other(1)}")
"""
    suite.write({"lib.py": LIB.replace("    y = x + 1", "    CALLS.append(x)\n    y = x + 1"), "test_a.py": CALL, "conftest.py": watch})
    run = suite.spawn("-s", "-o", "heal_fresh_confirm=false")
    assert run.one()["decision"]["kind"] == "pending", run.text
    assert "UNTOUCHED True [] 2 5 2" in run.text
    assert teeth(run.one())["passed"] is True


def test_a_mutant_is_done_with_at_the_first_test_that_notices_it(suite: Suite) -> None:
    """How the tests fail under a mutant interests nobody: the others need not run, and nothing is captured."""
    ran = suite.outside / "ran"
    text = (
        "import lib\nimport pytest\n\n\n@pytest.mark.parametrize('n', ['first', 'second'])\ndef test_call(n):\n"
        f"    with open({str(ran)!r}, 'a') as out:\n        print(n, (lib.new_name(1), lib.new_name(9)) == (2, 5), file=out)\n"
        "    assert lib.old_name(1) == 2\n    assert lib.new_name(9) == 5\n"
    )
    suite.write({"lib.py": LIB, "test_a.py": text})
    run = suite.spawn("-o", "heal_fresh_confirm=false")
    result = run.one()
    assert len(result["nodeids"]) == 2, run.text
    assert teeth(result)["passed"] is True
    lines = set(ran.read_text().splitlines())
    assert lines == {"first True", "second True", "first False"}
