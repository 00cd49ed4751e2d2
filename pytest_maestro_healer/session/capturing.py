"""Capture where failures happen, and heal collections there: what a plain run, an xdist controller and a worker have in common."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.model import Failure
from pytest_maestro_healer.session import compat
from pytest_maestro_healer.session.capture import Capture
from pytest_maestro_healer.session.collecting import CollectHealer
from pytest_maestro_healer.session.initial import KEY
from pytest_maestro_healer.session.learning import Learning


class Capturing:
    """What a controller and a worker have in common: failures are captured where they happen, collection is healed there."""

    def __init__(self, config: pytest.Config, settings: HealerConfig, files: ProjectFiles) -> None:
        self.config = config
        self.settings = settings
        self.files = files
        self.capture = Capture(config, files)
        self.collecting = config.stash.get(KEY, None) or CollectHealer(config, settings, files, self.capture)
        self.collectors: dict[str, pytest.Collector] = {}
        self.notes: list[str] = []
        self.stamps: dict[str, tuple[int, int]] = {}
        self.environ = dict(os.environ)  # tests may leave things in it
        self.platform = (sys.platform, os.name)
        self.learning = Learning(settings, files, self._note)
        self.collecting.learner = lambda: self.learning.learner

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[Any]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.failed and not self.capture.idle:
            try:
                failure = self._scoped(self.capture.of_item(item, call, report))
                report.maestro_failure = failure.to_dict()  # type: ignore[attr-defined]
            except Exception as exc:  # a bug of ours must not change the user's run
                self._note(f"capturing {report.nodeid} raised {type(exc).__name__}: {exc}")
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        if isinstance(collector, pytest.File):
            path = self.files.relative(collector.path)
            if isinstance(collector, pytest.Module) or path not in self.collectors:
                self.collectors[path] = collector
            self.stamps.setdefault(path, stamp(collector.path))
            if report.passed and isinstance(collector, pytest.Module):
                self.files.collected_files.add(path)
        if not report.failed:
            return report
        try:
            return self._collect_failed(collector, report)
        except Exception as exc:
            self._note(f"capturing the collection of {collector.nodeid} raised {type(exc).__name__}: {exc}")
            return report

    def _collect_failed(self, collector: pytest.Collector, report: pytest.CollectReport) -> pytest.CollectReport:
        call = getattr(report, "call", None)
        exc = call.excinfo.value if call is not None and call.excinfo is not None else None
        if exc is None:
            return report
        if self.collecting.busy:  # an attempt: the healer wants the exception itself
            report.maestro_exception = exc  # type: ignore[attr-defined]
            return report
        if isinstance(collector, pytest.Module):
            self.files.collected_files.add(self.files.relative(collector.path))
        failure = self._scoped(self.capture.of_collect(collector, exc, report.longrepr))
        report.maestro_failure = failure.to_dict()  # type: ignore[attr-defined]
        if not failure.healable or not self.settings.validate_before_apply or self.config.option.collectonly:
            return report
        healed = None
        if isinstance(collector, pytest.Module):
            healed = self.collecting.module(collector, failure)
        elif isinstance(collector, pytest.Directory) and compat.conftest_failure_path(exc):
            healed = self.collecting.folder(collector, failure)
        if healed is None:
            return report
        self.collecting.originals.append(report)
        return healed

    def _scoped(self, failure: Failure) -> Failure:
        """``heal_paths`` and ``heal_exclude`` decide what may be healed."""
        reason = self.settings.out_of_scope(failure.path)
        return dataclasses.replace(failure, healable=False, no_heal_reason=reason) if reason else failure

    def _note(self, line: str) -> None:
        if line not in self.notes:
            self.notes.append(line)


class Worker(Capturing):
    """In an xdist worker: capture, heal collections, and tell the controller which files that were."""

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        output = getattr(self.config, "workeroutput", None)
        if output is not None:
            output["maestro_healed_files"] = sorted({p for c in self.collecting.heals for p in (c.failure.path,)})
            output["maestro_notes"] = [*self.notes, *self.collecting.notes]


def stamp(path: Path) -> tuple[int, int]:
    """What changes when a file is written; zeros where it is gone."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
