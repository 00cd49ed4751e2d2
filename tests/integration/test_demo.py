"""The demo as a user starts it, the steps it recommends, and its judgement of itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_maestro_healer.demo import run_demo, shop
from pytest_maestro_healer.demo.run import EXPECTED, REGRESSION, _problems, launchers
from pytest_maestro_healer.model import Cause, Decision, DecisionKind, Diagnosis, FailurePattern, HealingReport, HealingResult

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """This process's environment with a home of its own, outside CI."""
    home = tmp_path / "home"
    home.mkdir()
    own = {k: v for k, v in os.environ.items() if k not in ("CI", "BUILD_NUMBER", "GITHUB_ACTIONS") and not k.startswith("PYTEST_")}
    return {**own, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "LOCALAPPDATA": str(home), "NO_COLOR": "1"}


def python(*args: str, cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *args], cwd=cwd, env=env, capture_output=True, text=True, encoding="utf-8", check=False, timeout=300)


def demo(folder: Path, env: Mapping[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    return python("pytest_maestro_healer", "demo", "--keep", str(folder), *args, cwd=folder.parent, env=env)


def built() -> dict[str, bytes]:
    """The broken project as it must stand there."""
    out: dict[str, bytes] = {}
    for layer, _, gone in shop.LAYERS:
        out.update(shop.templates(layer))
        for name in gone:
            del out[name]
    return out


def there(folder: Path) -> dict[str, bytes]:
    keep = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    return {name: p.read_bytes() for name, p in keep.items() if not re.search(r"(^|/)(\.git|\.pytest_cache|__pycache__)/", name)}


@pytest.mark.timeout(300)
class TestAsAUserStartsIt:
    def test_it_heals_and_refuses_and_the_steps_it_recommends_work(self, tmp_path: Path, environ: dict[str, str]) -> None:
        folder = tmp_path / "the demo shop"
        done = demo(folder, environ)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "healing summary" in done.stdout
        for strategy in ("syntax_repair", "dependency_fix", "assertion_update"):
            assert re.search(rf"^h-\w+ pending 0\.\d\d {strategy}/", done.stdout, flags=re.M), strategy
        if shutil.which("git"):
            assert re.search(
                rf"^{re.escape(REGRESSION)} not healed: looks like a regression in shop/money\.py:17 \(changed uncommitted\)$", done.stdout, re.M
            )
        assert str(folder) in done.stdout
        before = there(folder)
        assert before == built()

        listed = python("pytest_maestro_healer", "list", cwd=folder, env=environ)
        assert listed.returncode == 1, listed.stdout + listed.stderr
        accepted = python("pytest_maestro_healer", "accept", "--all", cwd=folder, env=environ)
        assert accepted.returncode == 0, accepted.stdout + accepted.stderr
        changed = {name for name, data in there(folder).items() if before.get(name) != data}
        assert {"tests/test_shipping.py", "tests/test_cart.py", "tests/test_prices.py", "tests/test_orders.py", "tests/test_stock.py"} == changed

        again = python("pytest", "-q", cwd=folder, env=environ)
        assert again.returncode == 1
        assert re.findall(r"^(?:FAILED|ERROR) (\S+)", again.stdout, flags=re.M) == [REGRESSION]

        undone = python("pytest_maestro_healer", "rollback", "--last", cwd=folder, env=environ)
        assert undone.returncode == 0, undone.stdout + undone.stderr
        assert there(folder) == before

    def test_apply_writes_tests_only_and_the_bug_stays_all_told_in_one_document(self, tmp_path: Path, environ: dict[str, str]) -> None:
        folder = tmp_path / "shop"
        args = ("--json", "demo", "--keep", str(folder), "--apply")
        done = python("pytest_maestro_healer", *args, cwd=tmp_path, env={**environ, "CI": "true"})
        assert done.returncode == 0, done.stdout + done.stderr
        before, after = built(), there(folder)
        changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        assert {"tests/test_cart.py", "tests/test_prices.py", "tests/test_orders.py"} <= changed
        assert all(name.startswith("tests/") for name in changed)
        assert "tests/test_money.py" not in changed
        assert "rollback --last" in done.stderr
        data = json.loads(done.stdout)
        assert list(data) == ["schema", "folder", "git", "results", "problems"]
        assert (data["schema"], data["folder"], data["problems"]) == (1, str(folder), [])
        assert {r["decision"]["kind"] for r in data["results"]} == {"applied", "pending", "rejected"}
        assert "healing summary" in done.stderr

    def test_without_git(self, tmp_path: Path, environ: dict[str, str]) -> None:
        folder = tmp_path / "shop"
        empty = tmp_path / "empty"
        empty.mkdir()
        done = demo(folder, {**environ, "PATH": str(empty)})
        assert not (folder / ".git").exists()
        assert "no git here" in done.stdout
        assert re.search(r"^h-\w+ pending 0\.\d\d syntax_repair/", done.stdout, flags=re.M), done.stdout + done.stderr
        assert there(folder) == built()


class TestTheProject:
    def test_package_data_is_nothing_that_a_tool_would_collect(self) -> None:
        from pytest_maestro_healer import demo as package

        files = [p for p in (Path(package.__file__).parent / "project").rglob("*") if p.is_file()]
        assert files
        assert {p.suffix for p in files} == {shop.SUFFIX}

    @needs_git
    def test_it_was_green_before(self, tmp_path: Path, environ: dict[str, str]) -> None:
        assert shop.build(tmp_path / "home", environ) is True
        folder = tmp_path / "home"
        for command in (["stash", "-q"], ["checkout", "-q", "HEAD~1"]):
            subprocess.run(["git", *command], cwd=folder, env=shop.git_environment(environ), check=True)
        done = python("pytest", "-q", "-p", "no:maestro_healer", cwd=folder, env=environ)
        assert done.returncode == 0, done.stdout

    def test_it_is_broken_as_told(self, tmp_path: Path, environ: dict[str, str]) -> None:
        folder = tmp_path / "home"
        shop.build(folder, environ)
        done = python("pytest", "-q", "-p", "no:maestro_healer", "--continue-on-collection-errors", cwd=folder, env=environ)
        assert sorted(re.findall(r"^(?:FAILED|ERROR) (\S+)", done.stdout, flags=re.M)) == [
            "tests/test_cart.py",
            REGRESSION,
            "tests/test_orders.py::test_invoice_line_shows_cents",
            "tests/test_prices.py",
            "tests/test_shipping.py",
            "tests/test_stock.py::test_the_sign_at_an_empty_shelf",
        ]

    @needs_git
    def test_it_never_touches_the_repository_it_is_started_from(self, tmp_path: Path, environ: dict[str, str]) -> None:
        outer, inner = tmp_path / "outer", tmp_path / "inner"
        inner.mkdir()
        subprocess.run(["git", "init", "-q", str(outer)], check=True, env=shop.git_environment(environ))
        assert shop.build(
            inner, {**environ, "GIT_DIR": str(outer / ".git"), "GIT_WORK_TREE": str(outer), "GIT_INDEX_FILE": str(outer / ".git" / "index")}
        )
        assert (inner / ".git").is_dir()
        assert not (outer / ".git" / "index").exists()


class TestOptions:
    def test_a_folder_in_use_is_refused(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "mine.txt").write_text("precious")
        assert run_demo(["--keep", str(tmp_path)]) == 2
        assert "is not empty" in capsys.readouterr().err
        assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]

    def test_a_file_is_refused(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "mine.txt").write_text("precious")
        assert run_demo(["--keep", str(tmp_path / "mine.txt")]) == 2
        assert "maestro-heal demo: " in capsys.readouterr().err

    def test_launchers_are_short_only_where_the_path_leads_here(self, tmp_path: Path) -> None:
        healer, interpreter = launchers({"PATH": str(tmp_path)})
        assert interpreter.strip("'") == sys.executable
        assert healer.endswith(" -m pytest_maestro_healer")
        here = Path(sys.executable).parent
        if (here / "python").exists() and (here / "maestro-heal").exists():
            assert launchers({"PATH": str(here)}) == ("maestro-heal", "python")


def result(strategy: str, kind: DecisionKind, test_id: str = "tests/test_a.py::test_a", cause: Cause = Cause.UNKNOWN) -> HealingResult:
    diagnosis = Diagnosis(FailurePattern.ASSERTION_FAILURE, 0.9, cause)
    return HealingResult(f"h-{strategy}", test_id, strategy, True, decision=Decision(kind, ""), nodeids=(test_id,), diagnosis=diagnosis)


GOOD = HealingReport(
    (
        *(result(strategy, DecisionKind.PENDING, place) for place, strategy in EXPECTED),
        result("", DecisionKind.REJECTED, REGRESSION, Cause.REGRESSION_SUSPECTED),
    )
)
FILES = {"shop/money.py": b"1", "tests/test_a.py": b"1"}


@pytest.mark.parametrize(
    ("report", "after", "problem"),
    [
        (GOOD, FILES, ""),
        (None, FILES, "wrote no healing report"),
        (replace(GOOD, results=GOOD.results[1:]), FILES, "tests/test_shipping.py was not healed by syntax_repair"),
        (replace(GOOD, results=GOOD.results[:-1]), FILES, "was not reported"),
        (
            replace(GOOD, results=(*GOOD.results[:-1], result("assertion_update", DecisionKind.PENDING, REGRESSION))),
            FILES,
            "although the product is wrong",
        ),
        (replace(GOOD, results=(*GOOD.results[:-1], result("", DecisionKind.REJECTED, REGRESSION))), FILES, "not named as a regression"),
        (GOOD, {**FILES, "tests/test_a.py": b"2"}, "tests/test_a.py was changed"),
        (GOOD, {**FILES, "new.py": b"2"}, "new.py was changed"),
        (replace(GOOD, results=(*GOOD.results, result("syntax_repair", DecisionKind.APPLIED))), FILES, "something was written"),
    ],
)
def test_the_demo_can_fail(report: HealingReport | None, after: dict[str, bytes], problem: str) -> None:
    found = _problems(report, FILES, after, applied=False, versioned=True)
    assert any(problem in p for p in found) if problem else not found


def test_the_demo_with_apply_can_fail() -> None:
    def problems(report: HealingReport, after: dict[str, bytes]) -> list[str]:
        return _problems(report, FILES, after, applied=True, versioned=True)

    applied = replace(GOOD, results=(result("syntax_repair", DecisionKind.APPLIED, "tests/test_shipping.py::test_fee"), *GOOD.results[1:]))
    assert problems(applied, {**FILES, "tests/test_a.py": b"2"}) == []
    assert problems(applied, {**FILES, "shop/money.py": b"2"}) == ["shop/money.py was changed"]
    assert problems(applied, {"shop/money.py": b"1"}) == ["tests/test_a.py was changed"]
    assert problems(GOOD, FILES) == ["nothing was written"]
