"""The plugin of a fresh proof process: installs the overlay before anything is imported and reports plain data.

Loaded with ``-p pytest_maestro_healer.session.child``; the job file's path is in :data:`ENV`.
"""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.prove.runner import RunReport, TestResult
from pytest_maestro_healer.session import wire
from pytest_maestro_healer.session.capture import Capture
from pytest_maestro_healer.session.overlay import Overlay
from pytest_maestro_healer.session.rerun import Tracer, result_of

ENV = "MAESTRO_HEAL_CHILD"


class Child:
    """Serves the overlay and collects results."""

    def __init__(self, config: pytest.Config, job: dict[str, Any]) -> None:
        self.job = job
        self.files = ProjectFiles(Path(job["root"]), python_files=job["python_files"], testpaths=job["testpaths"], collected_files=job["collected"])
        self.capture = Capture(config, self.files)
        self.overlay = Overlay(config, {str(self.files.root / k): v.encode("latin-1") for k, v in job["overlay"].items()})
        self.overlay.install()
        self.results: dict[str, TestResult] = {}
        self.reports: dict[str, list[pytest.TestReport]] = {}
        self.tracer = Tracer(self.capture) if job.get("trace") else None
        self.started = time.perf_counter()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        if self.job.get("seed") is not None:
            random.seed(self.job["seed"])
        if self.tracer is None:
            return (yield)
        with self.tracer:
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[Any]) -> Any:
        report = yield
        if report.failed:
            report.maestro_failure = self.capture.of_item(item, call, report).to_dict()
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Any:
        report = yield
        if report.failed and getattr(report, "call", None) is not None and report.call.excinfo is not None:
            failure = self.capture.of_collect(collector, report.call.excinfo.value, report.longrepr)
            self.results[str(collector.nodeid)] = TestResult(str(collector.nodeid), "error", failure)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.reports.setdefault(str(report.nodeid), []).append(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        for nodeid, reports in self.reports.items():
            final = [r for r in reports if str(r.outcome) != "rerun"]
            self.results[nodeid] = result_of(nodeid, final, sum(r.duration for r in final))
        executed = {p: frozenset(ls) for p, ls in self.tracer.lines.items()} if self.tracer else {}
        served = frozenset(self.files.relative(p) for p in self.overlay.served)
        report = RunReport(self.results, seconds=time.perf_counter() - self.started, executed=executed, served=served)
        out = Path(self.job["out"])
        part = out.with_suffix(".part")
        part.write_text(json.dumps(wire.dump(report)), encoding="utf-8")
        part.replace(out)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Install before the first conftest is imported."""
    path = os.environ.pop(ENV, "")  # not for the processes that tests start
    if path:
        job = json.loads(Path(path).read_text(encoding="utf-8"))
        early_config.pluginmanager.register(Child(early_config, job), "maestro-healer-child")
