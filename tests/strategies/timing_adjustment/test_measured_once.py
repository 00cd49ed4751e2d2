"""What several tactics ask is measured once, and a tactic whose question is answered measures nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.experiments import Conditions, Experiments, Observation
from pytest_maestro_healer.model import Failure
from pytest_maestro_healer.strategies.timing_adjustment.measure import failing_rate

pytest_plugins = ["pytester"]
FAILURE = Failure(nodeid="test_a.py::test", phase="call", path="test_a.py", exc_type="AssertionError", exc_mro=("AssertionError",), message="")


@pytest.mark.parametrize(("outcomes", "rate", "runs"), [(["failed"], (1.0, False), 1), (["passed", "failed", "passed"], (0.5, False), 3)])
def test_how_often_a_test_fails_is_measured_once_for_a_state_of_its_files(
    tmp_path: Path, outcomes: list[str], rate: tuple[float, bool], runs: int
) -> None:
    made: list[Mapping[str, bytes]] = []

    def run(nodeids: Sequence[str], overlay: Mapping[str, bytes], conditions: Conditions) -> tuple[Mapping[str, Observation], str]:
        made.append(overlay)
        outcome = outcomes[(len(made) - 1) % len(outcomes)]
        return {FAILURE.nodeid: Observation(FAILURE.nodeid, outcome, 0.1)}, ""

    ctx = Context(tmp_path, HealerConfig(), failures=[FAILURE])
    ctx.set_experiments(Experiments(run))
    assert [failing_rate(FAILURE, ctx) for _ in range(3)] == [rate] * 3
    assert len(made) == runs
    assert failing_rate(FAILURE, ctx.step({"test_a.py": b"pass\n"})) == rate
    assert len(made) == 2 * runs


JOBS = """
import threading
import time


class Job:
    def __init__(self):
        self.result = None
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        time.sleep(0.04)
        self.result = 42
"""
TEST = """
from jobs import Job


def test_job():
    with open({count!r}, "a") as f:
        f.write("x")
    job = Job()
    job.thread.join(0.005)
    assert job.result == 42
"""


def test_where_a_longer_limit_heals_nobody_tries_a_poll(pytester: pytest.Pytester, tmp_path_factory: pytest.TempPathFactory) -> None:
    count = tmp_path_factory.mktemp("count") / "runs"
    pytester.makepyfile(jobs=JOBS, test_jobs=TEST.format(count=str(count)))
    out = pytester.path / "report.json"
    arguments = [f"--heal-json={out}", "--heal-strategies=timing_adjustment", "-p", "no:cacheprovider", "-o", "heal_fresh_confirm=false"]
    pytester.runpytest_subprocess("--heal", *arguments)
    (result,) = json.loads(out.read_text())["results"]
    assert (result["tactic"], result["success"]) == ("timeout_too_short", True)
    # the user's own run, at most five to measure, one unchanged, the proof's three, and one traced
    assert len(count.read_text()) <= 11
