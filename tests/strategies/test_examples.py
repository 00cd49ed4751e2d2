"""Every example of every tactic: fails before, is healed as promised and by nothing else, passes after; what must be left alone is."""

from __future__ import annotations

import difflib
import gc
import importlib
import json
import pkgutil
import re
import sys
import time
import warnings
from collections.abc import Iterator, Mapping

import pytest

import pytest_maestro_healer
from pytest_maestro_healer.model import HealingReport, HealingResult
from pytest_maestro_healer.strategies import load
from pytest_maestro_healer.strategies.base import Example, Strategy, Tactic
from tests.strategies.example_project import GIT_ENV, as_bytes, build, cannot_run, snapshot, write_tree

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.filterwarnings("default")

#: Failed tests, broken collection, a hook or conftest that pytest refuses.
FAILING = (1, 2, 3, 4)

Case = tuple[Strategy, Tactic, Example]


def cases(kind: str) -> Iterator[object]:
    """The examples of one kind as parameters."""
    for strategy in load():
        for tactic in strategy.tactics:
            for example in getattr(tactic, kind):
                name = f"{strategy.name}-{tactic.name}-{re.sub(r'[^a-z0-9]+', '_', example.title.lower()).strip('_')}"
                yield pytest.param((strategy, tactic, example), id=name)


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    """Import all of the package once: an in-process run forgets the modules that it imported itself."""
    for module in pkgutil.walk_packages(pytest_maestro_healer.__path__, "pytest_maestro_healer."):
        if not module.name.endswith("__main__") and ".demo.project" not in module.name:
            importlib.import_module(module.name)
    importlib.import_module("libcst")


class Project:
    """An example on the disk, and pytest runs in it."""

    def __init__(self, pytester: pytest.Pytester, case: Case) -> None:
        self.strategy, self.tactic, self.example = case
        if reason := cannot_run(self.example):
            pytest.skip(reason)
        self.pytester = pytester
        self.root = pytester.path / "project"
        build(self.root, self.example)
        self.report_path = pytester.path / "report.json"
        self.output = ""
        self.failed: set[str] = set()

    def run(self, *extra: str, fresh: bool = False) -> int:
        """One healing run; its report is in :meth:`report`."""
        self.report_path.unlink(missing_ok=True)
        args = ["--heal", f"--heal-json={self.report_path}", f"--heal-strategies={self.strategy.name}", "-p", "no:cacheprovider"]
        if "hypothesis" not in self.example.needs:
            args += ["-p", "no:hypothesispytest"]  # its summary imports all of it, in every run
        args += ["-o", f"heal_cache_dir={self.pytester.path / 'cache'}", f"--rootdir={self.root}", *extra, *self.example.args]
        importlib.invalidate_caches()
        if fresh:
            done = self.pytester.run(sys.executable, "-m", "pytest", *args, timeout=120)
        else:
            done = self.pytester.runpytest_inprocess("-o", "heal_fresh_confirm=false", *args)
            self.failed = failures(done)
            if any("async " in text for text in self.example.files.values() if isinstance(text, str)):
                with warnings.catch_warnings():  # what was never awaited here is not to be complained of in another test
                    warnings.simplefilter("ignore")
                    gc.collect()
        self.output = done.stdout.str() + done.stderr.str()
        return int(done.ret)

    def report(self) -> HealingReport:
        """What ``--heal-json`` wrote; empty where nothing failed."""
        if not self.report_path.exists():
            return HealingReport()
        return HealingReport.from_dict(json.loads(self.report_path.read_text(encoding="utf-8")))

    def told(self) -> str:
        """The report in a few lines, for a failing test's message."""
        lines = []
        for r in self.report().results:
            lines.append(f"{r.strategy_used}/{r.tactic} success={r.success} {r.decision.kind}: {r.decision.rule} {r.advice}")
            lines += [f"  refused: {x}" for x in r.refused] + ["  " + line for line in r.diff.splitlines()]
        return "\n".join([*lines, self.output[-3000:]])


def failures(done: pytest.RunResult) -> set[str]:
    """The node ids that failed in an in-process run."""
    outcomes = getattr(getattr(done, "reprec", None), "listoutcomes", None)  # missing where pytest did not get as far as a session
    return {report.nodeid for report in outcomes()[2]} if outcomes else set()


@pytest.fixture
def project(pytester: pytest.Pytester, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """The example of the test's parameter."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(pytester.path))
    for name, value in {**GIT_ENV, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "160"}.items():
        monkeypatch.setenv(name, value)
    made = Project(pytester, request.getfixturevalue("case"))
    for name, value in made.example.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(made.root / made.example.cwd)
    if "TZ" not in made.example.env or not hasattr(time, "tzset"):
        yield made
        return
    with pytest.MonkeyPatch.context() as zone:  # the C library reads it when it is told to
        zone.setenv("TZ", made.example.env["TZ"])
        time.tzset()
        yield made
    monkeypatch.delenv("TZ")
    time.tzset()


def changed(result: HealingResult) -> dict[str, bytes]:
    """Path -> bytes of what a heal changes."""
    return {c.path: c.after_bytes for c in result.changes}


def steady(files: Mapping[str, bytes], example: Example) -> dict[str, bytes]:
    """``files`` without what the example says differs from run to run."""
    out = dict(files)
    for pattern in example.varies:
        out = {path: re.sub(pattern.encode(), b"...", data) for path, data in out.items()}
    return out


def difference(expected: Mapping[str, bytes], got: Mapping[str, bytes]) -> str:
    """What differs, as a diff from what was promised."""
    out = []
    for path in sorted({*expected, *got}):
        a, b = (files.get(path, b"").decode("utf-8", "backslashreplace").splitlines(keepends=True) for files in (expected, got))
        out += difflib.unified_diff(a, b, f"promised {path}", f"healed {path}")
    return "".join(out)


@pytest.mark.parametrize("case", list(cases("heals")))
def test_heals(case: Case, project: Project) -> None:
    example, before = project.example, snapshot(project.root)
    healed = as_bytes(example.healed)
    if example.fresh:
        assert project.run("--heal-apply=all", fresh=True) == 1, project.told()
    else:
        assert project.run() in FAILING, f"the example does not fail\n{project.told()}"
        assert snapshot(project.root) == before, "a run that only proposes has written"
    report = project.report()
    if example.advice:
        advice = "\n".join(r.advice for r in report.results if r.tactic in (project.tactic.name, ""))
        assert example.advice in advice, project.told()
    if not example.healed:
        assert example.advice, "an example that heals nothing must promise an advice"
        assert not any(r.changes for r in report.results if r.success), project.told()
        assert snapshot(project.root) == before
        return
    proved = [r for r in report.results if r.success and r.changes]
    mine = [r for r in proved if r.tactic == project.tactic.name]
    assert mine, f"no proved heal by {project.tactic.name}\n{project.told()}"
    assert any(steady(changed(r), example) == steady(healed, example) for r in mine), difference(healed, changed(mine[0])) + project.told()
    assert {path for r in proved for path in changed(r)} <= set(healed), f"another file was changed\n{project.told()}"
    if example.fresh:
        assert difference({**before, **healed}, snapshot(project.root)) == ""
    else:
        write_tree(project.root, {**before, **healed})
    code, claimed = project.run(fresh=example.fresh), {n for r in proved for n in r.nodeids}
    # a test of the same file that shows a regression goes on failing
    assert code == 0 or (project.failed and not project.failed & claimed), f"the healed project does not pass\n{project.told()}"
    assert not [r for r in project.report().results if r.changes], f"a healed project is healed again\n{project.told()}"


@pytest.mark.parametrize("case", list(cases("declines")))
def test_declines(case: Case, project: Project) -> None:
    before, fresh = snapshot(project.root), project.example.fresh
    assert project.run(*(["--heal-apply=all"] if fresh else []), fresh=fresh) in FAILING, f"the example does not fail\n{project.told()}"
    assert not [r for r in project.report().results if r.success and r.changes], f"healed, although {project.example.why}\n{project.told()}"
    if project.example.advice:
        assert any(project.example.advice in r.advice for r in project.report().results), project.told()
    assert snapshot(project.root) == before
