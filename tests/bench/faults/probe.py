"""A pytest plugin of the benchmark's own runs: outcomes by nodeid, and the product functions that tests call, as JSON.

Loaded with ``-p faults.probe``; ``$FAULTS_PROBE`` names the file to write, ``$FAULTS_TRACE`` the folder whose functions are recorded.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

OUTCOMES: dict[str, str] = {}
CALLED: set[tuple[str, int]] = set()
TRACE = os.environ.get("FAULTS_TRACE", "")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """The worst phase counts."""
    if (report.when == "call" or report.outcome != "passed") and OUTCOMES.get(report.nodeid) != "failed":
        OUTCOMES[report.nodeid] = "failed" if report.outcome == "failed" else report.outcome


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """A module that cannot be collected is red."""
    if report.outcome == "failed":
        OUTCOMES[report.nodeid or "<root>"] = "failed"


def _profile(frame: FrameType, event: str, arg: Any) -> None:
    if event == "call" and frame.f_code.co_filename.startswith(TRACE):
        CALLED.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Any:
    """Record calls while a test body runs."""
    if not TRACE:
        return (yield)
    sys.setprofile(_profile)
    try:
        return (yield)
    finally:
        sys.setprofile(None)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write what was seen."""
    data = {"exit": int(exitstatus), "outcomes": OUTCOMES, "called": sorted(CALLED)}
    Path(os.environ["FAULTS_PROBE"]).write_text(json.dumps(data), encoding="utf-8")
