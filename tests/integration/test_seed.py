"""Every example of docs/api.md runs as it stands there: the promises of the first README, with the package's real name."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import inspect
import os
import re
import shlex
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

import pytest_maestro_healer
from pytest_maestro_healer import AutonomousTestHealer, HealingResult, HealingStrategy
from pytest_maestro_healer.config import HealerConfig

pytestmark = pytest.mark.timeout(300)

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
BLOCKS = {m[1]: (m[2], m[3]) for m in re.finditer(r"<!-- example: (\w+) -->\n```(\w+)\n(.*?)^```$", PAGE, flags=re.S | re.M)}
API_TEST = """import service


def test_users():
    assert service.get("/users") == 200
"""
MORE = "def test_dumps():\n    assert json.dumps([1]) == '[1]'\n"
ERROR = {"error_type": "assertion_failure", "error_message": "Expected 200, got 404", "stack_trace": "...", "test_file": "tests/test_api.py"}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose route has moved, as the current folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:asyncio -p no:hypothesispytest -p no:cacheprovider")
    root = tmp_path / "project"
    (root / "tests").mkdir(parents=True)
    (root / "pytest.ini").write_text("[pytest]\npythonpath = .\nheal_fresh_confirm = false\n")
    (root / "service.py").write_text("ROUTES = {'/people'}\n\n\ndef get(path):\n    return 200 if path in ROUTES else 404\n")
    (root / "tests" / "test_api.py").write_text(API_TEST)
    monkeypatch.chdir(root)
    return root


#: The examples as they were promised, with only the package's name changed: the beginnings of their hashes.
PROMISED = {
    "basic": "52d8a4749ad90b8e",
    "advanced": "959a9e37f0d55127",
    "batch": "864b60cabfda8e04",
    "result": "1700d8df5188d81a",
    "configuration": "c192be289ad9c170",
    "cars": "9a5fa5e7352e25e9",
    "ci": "3d67164c1134b943",
    "quality_fabric": "fcab7a9791a3387d",
}


async def execute(name: str, **namespace: Any) -> dict[str, Any]:
    """Run an example, which may await at its top level, as in a notebook."""
    code = compile(BLOCKS[name][1], f"docs/api.md, {name}", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    done = types.FunctionType(code, namespace)()
    if inspect.isawaitable(done):
        await done
    return namespace


def test_the_page_has_every_example_of_the_first_readme() -> None:
    assert {name: hashlib.sha256(BLOCKS[name][1].encode()).hexdigest()[:16] for name in PROMISED} == PROMISED
    assert BLOCKS["cache"][1] == 'config["enable_cache"] = True\n'
    assert "maestro_test_healer" not in PAGE
    assert "pip install pytest-maestro-healer" in PAGE


@pytest.mark.asyncio
async def test_basic_usage(capsys: pytest.CaptureFixture[str]) -> None:
    found = await execute("basic", test_code=API_TEST)
    result = found["result"]
    assert isinstance(result, HealingResult)
    assert result.validation_results["failure"].startswith("AssertionError: assert 404 == 200")
    out = capsys.readouterr().out
    assert ("Test healed successfully! Confidence: " in out) == result.success
    assert ("Healing failed: {" in out) != result.success
    assert Path("tests/test_api.py").read_text() == API_TEST


@pytest.mark.asyncio
async def test_advanced_usage() -> None:
    found = await execute("advanced", test_code=API_TEST, error_details=ERROR)
    assert found["healer"].config.confidence_threshold == 0.8
    assert not found["result"].success
    assert found["result"].strategy_used in ("", HealingStrategy.TIMING_ADJUSTMENT)


@pytest.mark.asyncio
async def test_batch_healing(capsys: pytest.CaptureFixture[str]) -> None:
    names = {f"test{i}_code": code for i, code in enumerate((API_TEST, MORE, "def test_fine():\n    assert True\n"), 1)}
    errors = {"error1": ERROR, "error2": {"message": "name 'json' is not defined"}, "error3": {"message": "?"}}
    found = await execute("batch", healer=AutonomousTestHealer({"auto_apply": False}), **names, **errors)
    assert [r.success for r in found["results"]][1:] == [True, False]
    assert re.search(r"Success rate: \d+\.\d%", capsys.readouterr().out)


@pytest.mark.asyncio
async def test_failures_as_objects(capsys: pytest.CaptureFixture[str]) -> None:
    await execute("test_failure", test1_code=MORE)
    assert "+import json" in capsys.readouterr().out


@pytest.mark.asyncio
async def test_suite_and_insights(capsys: pytest.CaptureFixture[str]) -> None:
    Path("tests/test_more.py").write_text(MORE)
    found = await execute("suite")
    assert [r.test_id for r in found["found"]["successful_heals"] if r.strategy_used == "dependency_fix"] == ["tests/test_more.py::test_dumps"]
    assert "tests/test_more.py::test_dumps dependency_fix" in capsys.readouterr().out
    await execute("insights", healer=found["healer"])
    assert capsys.readouterr().out.startswith("2 ")


@pytest.mark.asyncio
async def test_as_part_of_cars() -> None:
    found = await execute("cars", test_code=MORE, error_details={"message": "name 'json' is not defined"})
    assert found["result"].success
    assert found["result"].healed_code.startswith("import json\n")


@pytest.mark.asyncio
async def test_with_quality_fabric(monkeypatch: pytest.MonkeyPatch) -> None:
    fixed: list[str] = []

    class Failure:
        test_code = MORE
        error_details = {"message": "name 'json' is not defined"}  # noqa: RUF012

    class TestRunner:
        def run_tests(self) -> Any:
            return types.SimpleNamespace(failures=[Failure()])

        def apply_fix(self, code: str) -> None:
            fixed.append(code)

    platform = types.ModuleType("quality_fabric")
    platform.TestRunner = TestRunner  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "quality_fabric", platform)
    await execute("quality_fabric")
    assert fixed == [f"import json\n\n\n{MORE}"]


@pytest.mark.asyncio
async def test_the_configuration_is_the_default_and_every_key_is_taken() -> None:
    found = await execute("configuration")
    assert AutonomousTestHealer(found["config"]).config == AutonomousTestHealer().config
    await execute("cache", config=found["config"])
    assert AutonomousTestHealer(found["config"]).config == HealerConfig(apply="safe")


@pytest.mark.asyncio
async def test_the_result_has_the_fields_in_their_order() -> None:

    shown = (await execute("result", dataclass=dataclasses.dataclass, Dict=dict, HealingStrategy=HealingStrategy))["HealingResult"]
    names = [f.name for f in dataclasses.fields(shown)]
    assert [f.name for f in dataclasses.fields(HealingResult)][: len(names)] == names
    assert pytest_maestro_healer.HealingResult is HealingResult


def test_the_ci_job_runs_as_written(project: Path) -> None:
    language, text = BLOCKS["ci"]
    assert language == "yaml"
    command = shlex.split(text[text.index("python -m") :].replace("\\\n", " "))
    assert command[:3] == ["python", "-m", "pytest_maestro_healer.cli"]
    (project / "tests" / "test_api.py").write_text(
        "import service\n\n\ndef test_route():\n    assert json.dumps([service.get('/people')]) == '[200]'\n"
    )
    (project / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    (project / "pytest-results.json").write_text('{"exitcode": 1, "tests": [{"nodeid": "tests/test_api.py::test_route", "outcome": "failed"}]}')
    done = subprocess.run([sys.executable, *command[1:]], env={**os.environ, "CI": "true"}, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project / "tests" / "test_api.py").read_text().startswith("import json\n")
