"""Who heals: the plugin, nobody, and one who knows the answer (both to check the scoring)."""

from __future__ import annotations

import json
import os
import resource
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .model import Case
from .project import Project, environment, run

TIMEOUT = 180
#: The plugin that writes down failures.
WATCH = Path(__file__).resolve().parents[1] / "train"


@dataclass(frozen=True)
class Healing:
    """What a healer did: seconds on the clock and of the processors, its report, an error where it has none, and the failures it saw, on request."""

    seconds: float = 0.0
    cpu: float = 0.0
    report: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    output: str = ""
    failures: list[dict[str, Any]] = field(default_factory=list)

    @property
    def results(self) -> list[dict[str, Any]]:
        """The records of the report."""
        found: list[dict[str, Any]] = self.report.get("results", [])
        return found


#: Heals the case's project in place; the mode is ``all`` or ``safe``.
Healer = Callable[[Case, Project, str], Healing]


def maestro(case: Case, project: Project, mode: str) -> Healing:
    """The plugin, as a user starts it; once more, as often as the case allows, where nothing failed and so nothing could be healed."""
    for _ in range(case.fault.tries - 1):
        done = _started(case, project, mode)
        if done.error or done.report.get("failures"):
            return done
    return _started(case, project, mode)


def _started(case: Case, project: Project, mode: str) -> Healing:
    out = project.folder.parent / f"{project.folder.name}-{mode}.json"
    out.unlink(missing_ok=True)
    cache = project.folder.parent / f"{project.folder.name}-{mode}-cache"
    here = project.folder / case.fault.cwd
    extra = {"XDG_CACHE_HOME": str(cache), **case.fault.red_env}
    if "FAULTS_SOURCE" in os.environ:
        extra["PYTHONPATH"] = os.environ["FAULTS_SOURCE"]
    paths = [os.path.relpath(project.folder / p, here) for p in suite(case)] if case.fault.cwd != "." else []
    watch = []
    seen = out.with_suffix(".failures")
    seen.unlink(missing_ok=True)
    if "FAULTS_RECORDS" in os.environ:
        extra["BENCH_FAILURES"] = str(seen)
        extra["PYTHONPATH"] = os.pathsep.join(filter(None, (extra.get("PYTHONPATH", ""), str(WATCH))))
        watch = ["-p", "watch"]
    command = [sys.executable, "-m", "pytest", "--heal", f"--heal-apply={mode}", f"--heal-json={out}", "-q", "-p", "no:cacheprovider", *watch, *paths]
    begin, used = time.perf_counter(), _cpu()
    try:
        done = run(command, here, environment(extra), TIMEOUT)
    except subprocess.TimeoutExpired:
        return Healing(time.perf_counter() - begin, _cpu() - used, error=f"no end after {TIMEOUT} s: {shlex.join(command)}")
    seconds, cpu = time.perf_counter() - begin, _cpu() - used
    text = done.stdout + done.stderr
    try:
        report = json.loads(out.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        return Healing(seconds, cpu, error=f"no report: {exc}", output=text)
    crash = "Traceback (most recent call last)" in done.stderr or "INTERNALERROR" in text
    failures = [json.loads(line) for line in seen.read_text(encoding="utf-8").splitlines()] if seen.exists() else []
    return Healing(seconds, cpu, report, "internal error" if crash else "", text, failures)


def _cpu() -> float:
    """Processor seconds of all child processes that ended."""
    use = resource.getrusage(resource.RUSAGE_CHILDREN)
    return use.ru_utime + use.ru_stime


def nobody(case: Case, project: Project, mode: str) -> Healing:
    """Does nothing."""
    return Healing()


def oracle(case: Case, project: Project, mode: str) -> Healing:
    """Writes what the injector expects, gives the advice, names the regressions."""
    if case.negative:
        return Healing(
            report={"results": [{"success": False, "diagnosis": {"cause": "regression_suspected", "suspect": next(iter(case.fault.changes))}}]}
        )
    if case.fault.advice:
        return Healing(report={"results": [{"success": False, "advice": case.fault.advice, "decision": {"kind": "advised"}}]})
    project.lay({path: texts[0] for path, texts in case.fault.expected.items()})
    record = {"success": True, "strategy_used": case.strategy, "tactic": case.tactic, "decision": {"kind": "applied"}}
    return Healing(report={"results": [record]})


HEALERS: dict[str, Healer] = {"maestro": maestro, "none": nobody, "oracle": oracle}


def suite(case: Case) -> list[str]:
    """The test files of the case, the planted one included."""
    planted = [p for p in (*case.fault.base, *case.fault.changes) if Path(p).name.startswith("test_") and p.endswith(".py")]
    return list(dict.fromkeys([*case.host.tests, *planted]))
