"""The Python API without a run: configuration, entries of a batch, insights, the processes that it starts."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import pytest_maestro_healer
from pytest_maestro_healer import AutonomousTestHealer, FailurePattern, HealingResult, HealingStrategy, TestFailure
from pytest_maestro_healer.capture.text import Report
from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.errors import ConfigError
from pytest_maestro_healer.insights import Attempt, insights
from pytest_maestro_healer.model import Diagnosis, ProofStep, Verdict
from pytest_maestro_healer.remote import job as job_module
from pytest_maestro_healer.remote.batch import unpacked
from pytest_maestro_healer.remote.engine import selects_of
from pytest_maestro_healer.remote.job import Job, given_fields
from pytest_maestro_healer.remote.process import Finished, run
from pytest_maestro_healer.session.given import ENV, chosen


# -- names and configuration -----------------------------------------------------------------------------------
def test_all_public_names_are_there() -> None:
    for name in pytest_maestro_healer.__all__:
        assert getattr(pytest_maestro_healer, name) is not None
    assert TestFailure.__test__ is False


def test_the_defaults_are_those_that_were_promised() -> None:
    c = AutonomousTestHealer().config
    promised = (c.confidence_threshold, c.apply, c.learning, c.max_attempts, c.timeout, c.validate_before_apply)
    assert promised == (0.75, "safe", True, 3, 30, True)


@pytest.mark.parametrize(
    ("config", "word"),
    [
        ({"confidence_treshold": 0.8}, "confidence_threshold"),
        ({"confidence_threshold": 2}, "between 0 and 1"),
        ({"confidence_threshold": "high"}, "not a number"),
        ({"auto_apply": "yes"}, "neither true nor false"),
        ({"auto_apply": "all"}, "only what is safe"),
        ({"max_attempts": 0}, "less than 1"),
        ({"healing_timeout": -1}, "positive"),
        ({"strategies": ["timing"]}, "timing_adjustment"),
    ],
)
def test_wrong_configuration_is_an_error_that_helps(config: dict[str, Any], word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        AutonomousTestHealer(config)


def test_only_given_keys_reach_the_project() -> None:
    config = {"max_attempts": 5, "healing_timeout": 9, "enable_cache": False, "confidence_threshold": 0.9}
    job = Job(Path("/x"), ("t.py",), HealerConfig.from_mapping(config), given_fields(config))
    command = job.command(Path("/w"))
    for word in ("heal_max_attempts=5", "heal_timeout=9.0", "heal_enable_cache=false", "--heal-threshold=0.9"):
        assert word in command
    plain = " ".join(Job(Path("/x"), ("t.py",), HealerConfig(), frozenset()).command(Path("/w")))
    assert "heal_" not in plain
    assert "threshold" not in plain


def test_the_job_variable_has_one_name() -> None:
    assert job_module.ENV == ENV
    assert job_module.PLUGIN == "pytest_maestro_healer.session.given"


@pytest.mark.parametrize("code", [None, b"x", 3])
@pytest.mark.asyncio
async def test_code_that_is_no_text_is_a_type_error(code: Any) -> None:
    with pytest.raises(TypeError, match="test_code"):
        await AutonomousTestHealer().heal_failed_test(code, {})


@pytest.mark.asyncio
async def test_details_that_are_no_mapping_are_a_type_error() -> None:
    with pytest.raises(TypeError, match="error_details"):
        await AutonomousTestHealer().heal_failed_test("x = 1\n", ["x"])  # type: ignore[arg-type]


@pytest.mark.asyncio
async def test_an_unknown_strategy_is_an_error_that_helps() -> None:
    with pytest.raises(ConfigError, match="timing_adjustment"):
        await AutonomousTestHealer().heal_with_strategy("x = 1\n", {}, strategy="timing_adjustmant")


# -- entries ---------------------------------------------------------------------------------------------------
class Foreign:
    test_code = "c"
    error_details = {"message": "m"}  # noqa: RUF012


@pytest.mark.parametrize(
    ("raw", "code", "details"),
    [
        ({"code": "c", "error": {"message": "m"}}, "c", {"message": "m"}),
        ({"test_code": "c", "error_details": {"message": "m"}}, "c", {"message": "m"}),
        ({"code": "c", "error": "m"}, "c", {"error_message": "m"}),
        ({"code": "c", "message": "m"}, "c", {"message": "m"}),
        (Foreign(), "c", {"message": "m"}),
        (TestFailure("c", "m", test_file="t.py"), "c", {"error_message": "m", "test_file": "t.py"}),
        (TestFailure("c", failure_type=FailurePattern.TIMEOUT), "c", {"error_type": "timeout"}),
    ],
)
def test_entries_of_a_batch(raw: Any, code: str, details: dict[str, str]) -> None:
    assert unpacked(raw) == (code, details)


@pytest.mark.parametrize("raw", [None, 1, {}, {"code": 3}, {"code": "c", "error": 5}])
def test_entries_that_cannot_be_used(raw: Any) -> None:
    with pytest.raises(TypeError):
        unpacked(raw)


@pytest.mark.asyncio
async def test_unusable_entries_have_results_that_say_so() -> None:
    results = await AutonomousTestHealer().heal_multiple_tests([None, {"code": 3}, {"code": "c", "error": 5}])
    assert [r.success for r in results] == [False] * 3
    assert [f"entry {i}" in r.validation_results["reason"] for i, r in enumerate(results)] == [True] * 3
    assert results[2].original_code == results[2].healed_code == "c"
    assert await AutonomousTestHealer().heal_multiple_tests([]) == []


CODE = "class TestX:\n    def test_a(self): ...\n\n\ndef test_b(): ...\n"


@pytest.mark.parametrize(
    ("details", "part", "selects"),
    [
        ({}, False, ()),
        ({}, True, (("", "test_a"), ("", "test_b"))),
        ({"test_id": "tests/t.py::TestX::test_a[1]"}, False, (("", "TestX::test_a[1]"),)),
        ({"test_name": "test_b"}, False, (("", "test_b"),)),
        ({"test_name": "TestX.test_a"}, False, (("", "TestX::test_a"),)),
        ({"test_id": "4f3c-uuid"}, False, ()),
        ({"stack_trace": "t.py:5: in test_b"}, False, (("", "test_b"),)),
        ({"stack_trace": "test_a test_b"}, False, ()),
    ],
)
def test_which_test_is_meant(details: dict[str, str], part: bool, selects: tuple[tuple[str, str], ...]) -> None:
    assert selects_of(details, CODE, Report.of(details), part=part) == selects


@pytest.mark.parametrize(
    ("tail", "found"),
    [
        ("test_a[1]", {"f::test_a[1]"}),
        ("test_a[gone]", {"f::test_a[1]", "f::test_a[2]"}),
        ("test_a", {"f::test_a[1]", "f::test_a[2]"}),
        ("TestX", {"f::TestX::test_b"}),
        ("test_b", {"f::TestX::test_b"}),
        ("", {"f::test_a[1]", "f::test_a[2]", "f::TestX::test_b"}),
        ("test_gone", set()),
        ("TestY::test_b", set()),
    ],
)
def test_what_a_name_selects(tail: str, found: set[str]) -> None:
    assert chosen([(t, f"f::{t}") for t in ("test_a[1]", "test_a[2]", "TestX::test_b")], tail) == found


# -- insights --------------------------------------------------------------------------------------------------
def attempt(success: bool, strategy: str = "dependency_fix", pattern: FailurePattern = FailurePattern.IMPORT_ERROR, proved: bool = True) -> Attempt:
    verdict = Verdict((ProofStep("guard", True), ProofStep("rerun", proved or None)))
    result = HealingResult("h", "t", strategy, success, confidence_score=0.5, diagnosis=Diagnosis(pattern, 0.9), verdict=verdict)
    return Attempt.of(result)


KEYS = {
    "total_healing_attempts",
    "overall_success_rate",
    "strategy_effectiveness",
    "recent_trends",
    "top_failure_patterns",
    "learning_insights",
}


@pytest.mark.asyncio
async def test_insights_of_nothing_have_all_keys() -> None:
    healer = AutonomousTestHealer()
    found = healer.get_healing_insights()
    assert set(found) == KEYS
    assert (found["total_healing_attempts"], found["overall_success_rate"]) == (0, 0.0)
    assert await healer.get_healing_insights() == found == healer.get_healing_insights_sync()


def test_insights_count() -> None:
    series = [attempt(False)] * 12 + [attempt(True)] * 8 + [attempt(True, "syntax_repair", FailurePattern.SYNTAX_ERROR, proved=False)] * 2
    found = insights(series)
    assert found["total_healing_attempts"] == 22
    assert found["overall_success_rate"] == round(10 / 22, 4)
    assert found["strategy_effectiveness"]["dependency_fix"]["success_rate"] == 0.4
    assert found["recent_trends"] == {"attempts": 10, "success_rate": 1.0, "earlier_success_rate": 0.0, "direction": "improving"}
    assert [p["pattern"] for p in found["top_failure_patterns"]] == ["import_error", "syntax_error"]
    assert any("dependency_fix in 8 of 20" in s for s in found["learning_insights"])
    assert any("2 of 22 heals are from the error's text alone" in s for s in found["learning_insights"])


@pytest.mark.asyncio
async def test_the_strategy_is_the_member_of_the_enum(monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_maestro_healer.remote import batch

    async def found(*_: object) -> HealingResult:
        return HealingResult("h", "t", "syntax_repair", True)

    monkeypatch.setattr(batch, "heal_one", found)
    healer = AutonomousTestHealer()
    result = await healer.heal_failed_test("x", {})
    assert result.strategy_used is HealingStrategy.SYNTAX_REPAIR
    assert result.to_dict()["strategy_used"] == "syntax_repair"
    assert healer.get_healing_insights()["total_healing_attempts"] == 1
    assert dataclasses.asdict(result)["success"]
    assert healer.heal_failed_test_sync("x").success  # a loop is running in this thread


# -- processes -------------------------------------------------------------------------------------------------
async def started(tmp_path: Path, code: str, timeout: float | None = 20) -> Finished:
    return await run([sys.executable, "-c", code], cwd=tmp_path, env=os.environ, log=tmp_path / "log", timeout=timeout)


@pytest.mark.asyncio
async def test_a_process_ends_by_itself(tmp_path: Path) -> None:
    done = await started(tmp_path, "print('one'); print('ERROR: bad'); print('two'); raise SystemExit(4)")
    assert (done.status, done.last_line) == (4, "ERROR: bad")


@pytest.mark.asyncio
async def test_the_loop_is_not_blocked(tmp_path: Path) -> None:
    ticks = 0
    task = asyncio.ensure_future(started(tmp_path, "import time; time.sleep(0.5)"))
    while not task.done():
        await asyncio.sleep(0.01)
        ticks += 1
    assert ticks > 10


#: Starts a grandchild that leads a session of its own, as the proof processes do, and ignores interrupts, itself too.
FAMILY = """
import signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
open("pid", "w").write(str(child.pid))
time.sleep(60)
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def gone(pid: int) -> bool:
    """A killed process takes a moment to end."""
    for _ in range(500):
        if not alive(pid):
            return True
        await asyncio.sleep(0.01)
    return False


async def pid_of_grandchild(tmp_path: Path) -> int:
    for _ in range(1000):
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
            return int((tmp_path / "pid").read_text())
        await asyncio.sleep(0.02)
    raise AssertionError("the process did not start")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.asyncio
async def test_when_its_time_is_over_the_whole_family_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_maestro_healer.remote.process.GRACE", 0.1)
    task = asyncio.ensure_future(started(tmp_path, FAMILY, timeout=4))
    pid = await pid_of_grandchild(tmp_path)
    assert alive(pid)
    assert (await task).status is None
    assert await gone(pid)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.asyncio
async def test_a_cancelled_task_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_maestro_healer.remote.process.GRACE", 0.1)
    task = asyncio.ensure_future(started(tmp_path, FAMILY, timeout=None))
    pid = await pid_of_grandchild(tmp_path)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()  # an impatient caller
    began = time.perf_counter()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.perf_counter() - began < 20
    assert await gone(pid)


def test_sync_twins_work_in_any_thread() -> None:
    out: list[Any] = []
    thread = threading.Thread(target=lambda: out.append(AutonomousTestHealer().heal_multiple_tests_sync([None])))
    thread.start()
    thread.join()
    assert [r.success for r in out[0]] == [False]


def test_insights_of_a_project_with_a_history(tmp_path: Path) -> None:
    from pytest_maestro_healer.learn.summary import summary

    base = {"t": "attempt", "at": 1.0, "tests": ["t"], "strategy": "dependency_fix", "tactic": "import", "pattern": "import_error", "cause": "drift"}
    more = {"decision": "applied", "confidence": 0.9, "strength": 0.9, "size": 3, "result": "proved", "lines": {}}
    known = summary([{**base, **more, "id": f"h-{i}"} for i in range(3)])
    found = insights([], [("/project", known), ("/empty", summary([]))])["learning_insights"]
    assert found[0] == "/project: 3 heals on record"
    assert found[1].startswith("/project: dependency_fix/import for import_error was right in ")
    assert len(found) == 2
