"""The plugin of a fresh proof process: installs the overlay before anything is imported and reports plain data.

Loaded with ``-p pytest_maestro_healer.session.child``; the job file's path is in :data:`ENV`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.evidence.nodeids import file_of
from pytest_maestro_healer.evidence.state import Change
from pytest_maestro_healer.model import World
from pytest_maestro_healer.prove.runner import RunReport, TestResult
from pytest_maestro_healer.session import compat, elsewhere, lifeline, wire
from pytest_maestro_healer.session.capture import Capture
from pytest_maestro_healer.session.ledger import Ledger
from pytest_maestro_healer.session.overlay import Overlay
from pytest_maestro_healer.session.rerun import InProcess, Tracer, result_of, seed_all

if TYPE_CHECKING:
    from pytest_maestro_healer.session.state import Snapshot

ENV = "MAESTRO_HEAL_CHILD"


class Child:
    """Serves the overlay and collects results."""

    def __init__(self, config: pytest.Config, job: dict[str, Any]) -> None:
        self.job = job
        self.files = ProjectFiles(Path(job["root"]), python_files=job["python_files"], testpaths=job["testpaths"], collected_files=job["collected"])
        self.capture = Capture(config, self.files)
        self.overlay = Overlay(config, {str(self.files.root / k): v for k, v in wire.files(job["overlay"]).items()})
        self.overlay.install()
        self.results: dict[str, TestResult] = {}
        self.reports: dict[str, list[pytest.TestReport]] = {}
        self.tracer = Tracer(self.capture) if job.get("trace") else None
        self.changed: dict[str, tuple[Change, ...]] = {}
        self.collectors: dict[str, pytest.Collector] = {}
        self.started = time.perf_counter()
        self.ledger = Ledger(Path(job["ledger"])) if job.get("ledger") else None
        self.problem = ""
        if job.get("world"):
            elsewhere.enter(World.from_dict(job["world"]))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        if self.job.get("seed") is not None:
            seed_all(self.job["seed"])
        before = self._snapshot() if self.job.get("probe") else None
        if self.ledger is not None:
            self.ledger.begin(str(item.nodeid))
        with self.tracer.begin(str(item.nodeid)) if self.tracer else contextlib.nullcontext():
            result = yield
        if before is not None:
            self.changed[str(item.nodeid)] = before.changes(self._snapshot())
        if self.ledger is not None:
            self.ledger.end(self._result(str(item.nodeid)))
        return result

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """pytest itself failed: the tests after it did not run."""
        self.problem = f"crash: {excinfo.type.__name__}: {excinfo.value}"

    def _snapshot(self) -> Snapshot:
        from pytest_maestro_healer.session.state import Snapshot

        return Snapshot(self.capture)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[Any]) -> Any:
        report = yield
        if report.failed and not self.capture.idle:
            report.maestro_failure = self.capture.of_item(item, call, report).to_dict()
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Any:
        report = yield
        if isinstance(collector, pytest.File):
            path = self.files.relative(collector.path)
            if isinstance(collector, pytest.Module) or path not in self.collectors:
                self.collectors[path] = collector
        if report.failed and getattr(report, "call", None) is not None and report.call.excinfo is not None:
            failure = self.capture.of_collect(collector, report.call.excinfo.value, report.longrepr)
            self.results[str(collector.nodeid)] = TestResult(str(collector.nodeid), "error", failure)
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        if self.job.get("order"):
            rank = {n: i for i, n in enumerate(self.job["order"])}
            others = [i for i in items if str(i.nodeid) not in rank]
            items[:] = sorted((i for i in items if str(i.nodeid) in rank), key=lambda i: rank[str(i.nodeid)])
            config.hook.pytest_deselected(items=others)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> bool | None:
        return True if self.job.get("ask") else None  # no test is run then

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if self.job.get("ask"):
            from pytest_maestro_healer.session.proposing import asked

            self._write(asked(session.config, self.files, self.job["ask"]))
            return True
        if self.job.get("mutants"):
            from pytest_maestro_healer.session import unforked

            unforked.serve(InProcess(session, self.capture, self.files, self.collectors), self.job)
            return True
        errors = {file_of(n): str(r.failure.message if r.failure else "") for n, r in self.results.items() if r.outcome == "error"}
        if self.job.get("original"):
            from pytest_maestro_healer.session import noticing

            self._write(noticing.candidates(InProcess(session, self.capture, self.files, self.collectors), self.job["original"], errors))
            return True
        if not self.job.get("serve"):
            return None
        from pytest_maestro_healer.session.serving import serve

        serve(session, self.capture, self.files, self.collectors, self.job, errors)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.reports.setdefault(str(report.nodeid), []).append(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.job.get("ask") or self.job.get("mutants") or self.job.get("original"):
            return
        for nodeid in self.reports:
            self.results[nodeid] = dataclasses.replace(self._result(nodeid), changed=self.changed.get(nodeid, ()))
        executed, by_test = self.tracer.result() if self.tracer else ({}, {})
        served = frozenset(self.files.relative(p) for p in self.overlay.served)
        report = RunReport(self.results, self.problem, time.perf_counter() - self.started, executed=executed, served=served, by_test=by_test)
        self._write(wire.dump(report))

    def _result(self, nodeid: str) -> TestResult:
        final = [r for r in self.reports.get(nodeid, ()) if str(r.outcome) != "rerun"]
        return result_of(nodeid, final, sum(r.duration for r in final))

    def _write(self, data: Any) -> None:
        wire.leave(Path(self.job["out"]), data)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Install before the first conftest is imported."""
    path = os.environ.pop(ENV, "")  # not for the processes that tests start
    if path:
        job = json.loads(Path(path).read_text(encoding="utf-8"))
        lifeline.tie(job["parent"])
        compat.allow_brackets()
        early_config.pluginmanager.register(Child(early_config, job), "maestro-healer-child")
