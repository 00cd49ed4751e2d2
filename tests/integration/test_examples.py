"""Each project of conftest_examples, copied and run by the very command of its README."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "conftest_examples"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """This process's environment with a home of its own, outside CI."""
    own = {k: v for k, v in os.environ.items() if k not in ("CI", "BUILD_NUMBER", "GITHUB_ACTIONS") and not k.startswith("PYTEST_")}
    return {**own, "HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "home"), "LOCALAPPDATA": str(tmp_path / "home"), "NO_COLOR": "1"}


def copied_folder(name: str, tmp_path: Path) -> Path:
    """A copy of an example."""
    return Path(shutil.copytree(EXAMPLES / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache")))


def copied(name: str, tmp_path: Path) -> tuple[Path, list[str], dict[str, str]]:
    """(the copied folder, the arguments of the README's command, the variables it sets)."""
    folder = copied_folder(name, tmp_path)
    command = re.search(r"^    ((?:\w+=\S+ )*)pytest(.*)$", (folder / "README.md").read_text(encoding="utf-8"), flags=re.M)
    assert command, f"{name}/README.md has no command"
    return folder, shlex.split(command[2]), dict(v.split("=", 1) for v in command[1].split())


def run(folder: Path, args: list[str], env: Mapping[str, str], module: str = "pytest") -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", module, *args], cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=200)


def sources(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text(encoding="utf-8") for p in sorted(folder.rglob("*.py")) if "__pycache__" not in p.parts}


def commands(folder: Path) -> list[str]:
    """The commands of the README, in their order."""
    return re.findall(r"^    (\S.*)$", (folder / "README.md").read_text(encoding="utf-8"), flags=re.M)


def everything(folder: Path) -> dict[str, bytes]:
    """Every file's bytes, caches left out."""
    found = [p for p in sorted(folder.rglob("*")) if p.is_file() and not {"__pycache__", ".pytest_cache", ".maestro"} & set(p.parts)]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}


def script(folder: Path, command: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run ``python FILE`` or ``VAR=... sh FILE`` as written."""
    words = shlex.split(command)
    variables = dict(w.split("=", 1) for w in words if "=" in w)
    program, *rest = [w for w in words if "=" not in w]
    path = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", os.defpath)])
    start = [sys.executable] if program == "python" else [program]
    return subprocess.run(
        [*start, *rest], cwd=folder, env={**env, **variables, "PATH": path}, capture_output=True, text=True, check=False, timeout=200
    )


def report(folder: Path, args: list[str], env: Mapping[str, str]) -> tuple[subprocess.CompletedProcess[str], list[dict[str, Any]], str]:
    """A run with its results, and its notes as one text; the report is taken away again."""
    done = run(folder, [*args, "--heal-json=heal.json"], env)
    found = json.loads((folder / "heal.json").read_text(encoding="utf-8"))
    (folder / "heal.json").unlink()
    return done, found["results"], "\n".join(found["notes"])


def test_every_example_is_run_here() -> None:
    folders = {p.name for p in EXAMPLES.iterdir() if (p / "README.md").exists()}
    assert folders <= {name.removeprefix("test_") for name in globals()}
    listed = re.findall(r"^\| \[(\w+)\]\(\1\)", (EXAMPLES / "README.md").read_text(encoding="utf-8"), flags=re.M)
    assert sorted(listed) == sorted(folders)
    assert len(folders) >= 9


#: How many commands each README has; all are run below.
COMMANDS = {
    "auto_apply_by_ini": 1, "basic": 2, "batch": 1, "ci_cd": 1, "custom_strategy": 2, "integration": 1, "proposer_http": 2, "report_only_in_ci": 1,
    "xdist": 1,
}  # fmt: skip


def test_no_readme_has_a_command_that_is_not_run() -> None:
    assert {p.parent.name: len(commands(p.parent)) for p in EXAMPLES.glob("*/README.md")} == COMMANDS
    for page in EXAMPLES.rglob("README.md"):
        for text in re.findall(r"^```\w*\n(.*?)^```$", page.read_text(encoding="utf-8"), flags=re.S | re.M):
            assert set(text.splitlines()) <= set((page.parent / "pyproject.toml").read_text(encoding="utf-8").splitlines()), page


def test_the_page_about_own_strategies_shows_the_examples_as_they_are() -> None:
    page = (EXAMPLES.parent / "docs" / "custom-strategies.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^(?:<!-- file: (\S+) -->\n)?```\w*\n(.*?)^```$", page, flags=re.S | re.M)
    shown = {name for name, _ in blocks}
    assert shown == {
        "custom_strategy/heal_routes.py", "custom_strategy/conftest.py", "custom_strategy/checks/test_examples.py", "proposer_http/ask_model.py",
    }  # fmt: skip
    for name, text in blocks:
        assert text == (EXAMPLES / name).read_text(encoding="utf-8"), name


def test_basic(tmp_path: Path, environ: dict[str, str]) -> None:
    folder, args, _ = copied("basic", tmp_path)
    assert commands(folder) == ["pytest --heal", "python heal_one.py"]
    before = everything(folder)
    done, results, _ = report(folder, args, environ)
    assert done.returncode == 1, done.stdout + done.stderr
    assert {r["strategy_used"]: r["decision"]["kind"] for r in results} == {"dependency_fix": "pending", "syntax_repair": "pending"}
    assert "maestro-heal accept --all" in done.stdout
    program = script(folder, commands(folder)[1], environ)
    assert program.returncode == 0, program.stdout + program.stderr
    assert "Strategy used: dependency_fix\nHealed code:\nfrom decimal import Decimal\n" in program.stdout
    assert everything(folder) == before
    assert run(folder, ["accept", "--all"], environ, "pytest_maestro_healer").returncode == 0
    after = everything(folder)
    assert {p for p in after if after[p] != before[p]} == {"tests/test_basket.py", "tests/test_labels.py"}
    assert run(folder, args, environ).returncode == 0


def test_integration(tmp_path: Path, environ: dict[str, str]) -> None:
    folder, args, _ = copied("integration", tmp_path)
    before = everything(folder)
    done, results, _ = report(folder, args, environ)
    assert done.returncode == 1, done.stdout + done.stderr
    rules = {r["test_id"].partition("::")[2]: (r["decision"]["kind"], r["decision"]["rule"]) for r in results}
    assert rules.pop("test_book")[0] == "pending"
    assert rules == {
        "test_legacy_rounding": ("rejected", "opted out: documents what the old system did"),
        "test_statement": ("rejected", "opted out: in heal_exclude"),
    }
    assert "\n+def test_book(ledger, customer):\n" in next(r["diff"] for r in results if r["success"])
    log = (folder / "heals.log").read_text(encoding="utf-8")
    (folder / "heals.log").unlink()
    assert sorted(line.split(" ")[0] for line in log.splitlines()) == ["pending", "rejected", "rejected"]
    assert everything(folder) == before
    assert run(folder, ["-p", "no:maestro_healer", "-W", "ignore", "-k", "euros"], environ).returncode == 0  # the conftest works without


def test_custom_strategy(tmp_path: Path, environ: dict[str, str]) -> None:
    folder, args, _ = copied("custom_strategy", tmp_path)
    before = everything(folder)
    done, results, _ = report(folder, args, environ)
    assert done.returncode == 1, done.stdout + done.stderr
    healed = {r["test_id"]: r["evidence"][0]["where"] for r in results if r["success"]}
    assert healed == {"tests/test_shop.py::test_basket": "shop/app.py:7"}
    assert '+    assert app.get("/cart") == 200\n' in next(r["diff"] for r in results if r["success"])
    assert everything(folder) == before
    assert commands(folder)[1] == "pytest checks"
    checks = run(folder, ["checks"], environ)
    assert checks.returncode == 0, checks.stdout + checks.stderr
    assert "2 passed" in checks.stdout


@pytest.fixture
def model(environ: dict[str, str]) -> Iterator[str]:
    """The stand-in for a model, on a free port: its address."""
    program = EXAMPLES / "proposer_http" / "model_server.py"
    server = subprocess.Popen([sys.executable, str(program), "--port", "0"], env=environ, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.communicate()


def test_proposer_http(tmp_path: Path, environ: dict[str, str], model: str) -> None:
    folder, args, _ = copied("proposer_http", tmp_path)
    good = (folder / "tests" / "test_mail.py").read_text(encoding="utf-8")
    for kind in ("cheat", "error", "junk", "slow"):
        (folder / "tests" / f"test_{kind}.py").write_text(good.replace("test_send", f"test_{kind}"), encoding="utf-8")
    before = everything(folder)
    environ = {**environ, "HEAL_MODEL_URL": model, "HEAL_MODEL_TIMEOUT": "3"}
    done, results, notes = report(folder, [*args, "--heal-apply=safe"], environ)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "5 failed" in done.stdout
    kinds = {r["test_id"].rpartition("_")[2]: r["decision"]["kind"] for r in results}
    assert kinds == {"send": "pending", "cheat": "rejected", "error": "rejected", "junk": "rejected", "slow": "rejected"}, notes
    cheat, heal = (next(r for r in results if r["test_id"].endswith(name)) for name in ("cheat", "send"))
    assert "the assertion is loosened" in " ".join(cheat["refused"])
    assert 'mail.Message("ada@example.org", " hello ").send()' in heal["diff"]
    for told in ("HTTPError: HTTP Error 500", "JSONDecodeError", "TimeoutError"):
        assert told in notes
    assert everything(folder) == before


def test_proposer_http_without_its_model(tmp_path: Path, environ: dict[str, str]) -> None:
    folder, args, _ = copied("proposer_http", tmp_path)
    before = everything(folder)
    done, results, notes = report(folder, args, {**environ, "HEAL_MODEL_URL": "http://127.0.0.1:9/"})
    assert done.returncode == 1, done.stdout + done.stderr
    assert [r["decision"]["kind"] for r in results] == ["rejected"]
    assert "pytest_heal_propose of ask_model: URLError" in notes
    assert everything(folder) == before


def test_batch(tmp_path: Path, environ: dict[str, str]) -> None:
    folder = copied_folder("batch", tmp_path)
    before = everything(folder)
    assert commands(folder) == ["python heal_all.py"]
    done = script(folder, commands(folder)[0], environ)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Success rate: 66.7%\n" in done.stdout
    assert "test_initials not healed: looks like a regression in text.py:13\n" in done.stdout
    assert "+from collections import Counter\n" in done.stdout
    assert "+def test_empty():\n" in done.stdout
    assert done.stdout.endswith("2 healed, 1 not healed, 0 skipped\n")
    assert everything(folder) == before


@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a shell")
def test_ci_cd(tmp_path: Path, environ: dict[str, str]) -> None:
    folder = copied_folder("ci_cd", tmp_path)
    before = everything(folder)
    workflow = (folder / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    assert f"- run: {commands(folder)[0].removeprefix('CI=true ')}\n" in workflow
    done = script(folder, commands(folder)[0], environ)
    assert done.returncode == 1, done.stdout + done.stderr
    found = json.loads((folder / "heal.json").read_text(encoding="utf-8"))
    assert [r["decision"]["kind"] for r in found["results"]] == ["pending"], done.stderr
    assert [p.read_text(encoding="utf-8").count("+import datetime") for p in folder.glob(".maestro/*/pending.patch")] == [1]
    assert {p: d for p, d in everything(folder).items() if p not in ("heal.json", "results.xml")} == before
    test = folder / "tests" / "test_dates.py"
    test.write_text(f"import datetime\n\n{test.read_text(encoding='utf-8')}", encoding="utf-8")
    (folder / "heal.json").unlink()
    assert script(folder, commands(folder)[0], environ).returncode == 0
    assert not (folder / "heal.json").exists()


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
