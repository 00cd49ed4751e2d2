"""Each project of conftest_examples, copied and run by the very command of its README."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "conftest_examples"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """This process's environment with a home of its own, outside CI."""
    own = {k: v for k, v in os.environ.items() if k not in ("CI", "BUILD_NUMBER", "GITHUB_ACTIONS") and not k.startswith("PYTEST_")}
    return {**own, "HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "home"), "LOCALAPPDATA": str(tmp_path / "home"), "NO_COLOR": "1"}


def copied(name: str, tmp_path: Path) -> tuple[Path, list[str], dict[str, str]]:
    """(the copied folder, the arguments of the README's command, the variables it sets)."""
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    command = re.search(r"^    ((?:\w+=\S+ )*)pytest(.*)$", (folder / "README.md").read_text(encoding="utf-8"), flags=re.M)
    assert command, f"{name}/README.md has no command"
    return folder, shlex.split(command[2]), dict(v.split("=", 1) for v in command[1].split())


def run(folder: Path, args: list[str], env: Mapping[str, str], module: str = "pytest") -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", module, *args], cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=200)


def sources(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text(encoding="utf-8") for p in sorted(folder.rglob("*.py")) if "__pycache__" not in p.parts}


def test_every_example_is_run_here() -> None:
    assert {p.name for p in EXAMPLES.iterdir() if p.is_dir()} == {"auto_apply_by_ini", "report_only_in_ci", "xdist"}


def test_auto_apply_by_ini(tmp_path: Path, environ: dict[str, str]) -> None:
    folder, args, _ = copied("auto_apply_by_ini", tmp_path)
    before = sources(folder)
    done = run(folder, args, environ)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "maestro-heal rollback --last" in done.stdout
    after = sources(folder)
    assert {name for name in after if after[name] != before[name]} == {"tests/test_settings.py"}
    assert "import json\n" in after["tests/test_settings.py"]
    assert run(folder, args, environ).returncode == 0
    assert run(folder, ["rollback", "--last"], environ, "pytest_maestro_healer").returncode == 0
    assert sources(folder) == before


def test_report_only_in_ci(tmp_path: Path, environ: dict[str, str]) -> None:
    folder, args, variables = copied("report_only_in_ci", tmp_path)
    assert variables == {"CI": "true"}
    before = sources(folder)
    done = run(folder, args, {**environ, **variables})
    assert done.returncode == 1, done.stdout + done.stderr
    assert "in CI" in done.stdout
    assert sources(folder) == before
    results = json.loads((folder / "heal.json").read_text())["results"]
    assert [r["decision"]["kind"] for r in results] == ["pending"]
    added = re.findall(r"^\+(?!\+\+ )(.*)$", results[0]["diff"], flags=re.M)
    assert any(re.search(r"import .*\blabel\b", row) for row in added)
    assert not any("lable" in row for row in added)
    assert len(results[0]["nodeids"]) == 2 or results[0]["collected"]


def test_xdist(tmp_path: Path, environ: dict[str, str]) -> None:
    pytest.importorskip("xdist")
    folder, args, _ = copied("xdist", tmp_path)
    assert args[:2] == ["-n", "2"]
    found = []
    for arguments in (args, args[2:]):
        done = run(folder, [*arguments, "--heal-json=heal.json"], environ)
        assert done.returncode == 1, done.stdout + done.stderr
        results = json.loads((folder / "heal.json").read_text())["results"]
        found.append([(r["healing_id"], r["diff"], r["decision"]["kind"]) for r in results])
        assert len(results) == 1, done.stdout
        assert [c["path"] for c in results[0]["changes"]] == ["tests/test_short.py", "tests/test_spoken.py"]
    assert found[0] == found[1]
