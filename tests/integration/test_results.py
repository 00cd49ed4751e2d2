"""``maestro-heal heal`` and ``explain``: from a result file to healed tests, as in CI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(300)

ROOT = Path(__file__).parents[2]
FILES = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "shop.py": "def total(items):\n    return sum(items)\n",
    "tests/test_shop.py": (
        "import shop\n\n\ndef test_dumps():\n    assert json.dumps([1]) == '[1]'\n\n\n"
        "def test_other():\n    assert shop.total([1]) == 2\n\n\ndef test_ok():\n    assert shop.total([]) == 0\n"
    ),
}


class Home:
    """A project and the command line in it."""

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self.root = root
        self.environ = dict(environ)
        for name, text in FILES.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)

    def python(self, *args: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run ``python -m ARGS``."""
        env = {**self.environ, **more}
        return subprocess.run([sys.executable, "-m", *args], cwd=self.root, env=env, capture_output=True, text=True, check=False, timeout=200)

    def cli(self, *args: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the command line by its module, as documented."""
        return self.python("pytest_maestro_healer.cli", *args, **more)

    def read(self) -> str:
        """The test file."""
        return (self.root / "tests" / "test_shop.py").read_text()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    own = {k: v for k, v in os.environ.items() if k not in ("CI", "BUILD_NUMBER", "GITHUB_ACTIONS") and not k.startswith("PYTEST_")}
    root = tmp_path / "project"
    root.mkdir()
    quiet = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "NO_COLOR": "1", "PYTEST_ADDOPTS": "-p no:asyncio -p no:hypothesispytest -p no:cacheprovider"}
    return Home(root, {**own, **quiet})


def test_in_ci_safe_heals_of_a_junit_file_are_written(home: Home) -> None:
    home.python("pytest", "--junitxml=results.xml", "-p", "no:maestro_healer")
    (home.root / "tests" / "test_shop.py").write_text(home.read().replace("def test_other", "def test_renamed"))
    done = home.cli("heal", "--test-results", "results.xml", "--auto-fix", "--confidence-threshold", "0.80", CI="true")
    assert done.returncode == 0, done.stdout + done.stderr
    assert home.read().startswith("import json\n")
    assert "shop.total([1]) == 2" in home.read()
    assert "no longer exists: tests/test_shop.py::test_other" in done.stderr
    assert "1 heal written, 0 failures left" in done.stdout
    assert "test_ok" not in done.stdout
    again = home.cli("heal", "--test-results", "results.xml", "--json")
    assert again.returncode == 0, again.stderr
    data = json.loads(again.stdout)
    assert (data["schema"], data["format"], data["passed"], data["left"]) == (1, "JUnit XML", ["tests/test_shop.py::test_dumps"], [])
    assert data["missing"] == ["tests/test_shop.py::test_other"]


def test_without_auto_fix_nothing_is_written_and_the_rest_is_left(home: Home) -> None:
    tests = [
        {"nodeid": f"tests/test_shop.py::{n}", "outcome": o} for n, o in (("test_dumps", "failed"), ("test_ok", "passed"), ("test_gone", "failed"))
    ]
    tests.append({"nodeid": "tests/test_away.py::test_x", "outcome": "error"})
    (home.root / "pytest-results.json").write_text(json.dumps({"exitcode": 1, "tests": tests}))
    before = home.read()
    done = home.cli("heal", "--test-results", "pytest-results.json", "--json", "--", "-o", "heal_fresh_confirm=false")
    assert done.returncode == 1, done.stderr
    data: dict[str, Any] = json.loads(done.stdout)
    assert (data["format"], data["left"]) == ("pytest-json-report", ["tests/test_shop.py::test_dumps"])
    assert data["missing"] == ["tests/test_away.py::test_x", "tests/test_shop.py::test_gone"]
    assert [r["decision"]["kind"] for r in data["results"]] == ["pending"]
    assert home.read() == before


def test_explain_says_why_and_what_would_heal(home: Home) -> None:
    done = home.cli("explain", "tests/test_shop.py::test_dumps")
    assert done.returncode == 1, done.stderr
    for text in ("NameError: name 'json' is not defined", "at tests/test_shop.py:5", "evidence:", "proof: rerun passed", "+import json"):
        assert text in done.stdout
    assert home.read() == FILES["tests/test_shop.py"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("heal", "--test-results", "none.json"), "No such file"),
        (("heal", "--test-results", "pytest.ini"), "not valid JSON"),
        (("heal", "--test-results", "gone.xml"), "none of them exists below"),
        (("heal",), "--test-results"),
        (("heal", "--test-results", "gone.xml", "--confidence-threshold", "80"), "not between 0 and 1"),
        (("explain", "tests/test_none.py::test_x"), "there is no tests/test_none.py"),
    ],
)
def test_errors_are_one_line(
    home: Home, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], args: tuple[str, ...], words: str
) -> None:
    from pytest_maestro_healer.cli import main

    (home.root / "gone.xml").write_text('<testsuite><testcase classname="a.b" name="c"><failure/></testcase></testsuite>')
    monkeypatch.chdir(home.root)
    assert main(list(args)) == 2
    out, err = capfd.readouterr()
    lines = [line for line in err.splitlines() if not line.startswith("no longer exists")]
    assert out == ""
    assert len(lines) == 1
    assert lines[0].startswith("maestro-heal: ")
    assert words in lines[0]


def test_a_file_without_failures_is_soon_done(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from pytest_maestro_healer.cli import main

    (home.root / "ok.xml").write_text('<testsuite><testcase classname="a" name="b"/></testsuite>')
    monkeypatch.chdir(home.root)
    assert main(["heal", "--test-results", "ok.xml"]) == 0
    assert "1 test in" in capsys.readouterr().out
