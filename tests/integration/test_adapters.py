"""The adapters with the engine behind them, as their page shows it; our own pass the conformance tests, and broken ones do not."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
import types
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer import AutonomousTestHealer
from pytest_maestro_healer.adapters import Fix, JournalEntry, RepairConfig, RepairResult, RepairService, RepairStatus
from pytest_maestro_healer.adapters import TestRunner as Runner
from pytest_maestro_healer.adapters.conformance import RepairServiceConformance, RunnerConformance
from pytest_maestro_healer.adapters.protocols import FailureLike, HealerLike, RepairServiceLike, RunnerLike
from pytest_maestro_healer.api import TestFailure as Failed
from pytest_maestro_healer.errors import HealerError

pytestmark = pytest.mark.timeout(300)

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"<!-- example: (\w+) -->\n```python\n(.*?)^```$", flags=re.S | re.M)
PAGE, API = ({m[1]: m[2] for m in BLOCK.finditer((DOCS / name).read_text(encoding="utf-8"))} for name in ("adapters.md", "api.md"))
TESTS = """import service


def test_users():
    assert json.dumps(service.get("/people")) == "200"


def test_escape():
    assert re.escape("a") == "a"
"""
HEALED = TESTS.replace("import service\n", "import json\nimport re\n\nimport service\n")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two names that nobody imported, as the current folder, outside CI."""
    for name in ("MAESTRO_REPAIR_SERVICE", "MAESTRO_TEST_RUNNER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:asyncio -p no:hypothesispytest -p no:cacheprovider")
    root = tmp_path / "home"
    (root / "tests").mkdir(parents=True)
    (root / "pytest.ini").write_text("[pytest]\npythonpath = .\nheal_timeout = 200\n")
    (root / "service.py").write_text("def get(path):\n    return 200\n")
    (root / "tests" / "test_api.py").write_text(TESTS)
    monkeypatch.chdir(root)
    return root


async def execute(code: str, **namespace: Any) -> dict[str, Any]:
    """Run an example, which may await at its top level, as in a notebook."""
    compiled = compile(code, "docs/adapters.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    done = types.FunctionType(compiled, namespace)()
    if inspect.isawaitable(done):
        await done
    return namespace


# -- the page --------------------------------------------------------------------------------------------------
def test_the_quality_fabric_example_is_the_first_readmes_but_for_one_import() -> None:
    assert PAGE["quality_fabric"] == API["quality_fabric"].replace(
        "from quality_fabric import TestRunner", "from pytest_maestro_healer.adapters import TestRunner"
    )


@pytest.mark.asyncio
async def test_the_quality_fabric_example_heals_a_project(project: Path) -> None:
    # a busy machine may need more than the default half minute for a heal
    patient = PAGE["quality_fabric"].replace("AutonomousTestHealer()", 'AutonomousTestHealer({"healing_timeout": 200})')
    found = await execute(patient)
    assert [f.nodeid for f in found["results"].failures] == ["tests/test_api.py::test_users", "tests/test_api.py::test_escape"]
    assert (project / "tests" / "test_api.py").read_text() == HEALED


@pytest.mark.asyncio
async def test_the_service_example_heals_a_test(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    patient = PAGE["cars_service"].replace("RepairService(config)", "RepairService(config, healer=healer)")
    healer = AutonomousTestHealer({"auto_apply": False, "confidence_threshold": 0.8, "healing_timeout": 200})
    found = await execute(patient, healer=healer)
    assert found["result"].status == "success", found["result"].reason
    assert found["result"].files == ("tests/test_api.py",)
    assert (project / "tests" / "test_api.py").read_text() == TESTS.replace("import service\n", "import json\n\nimport service\n")
    out = capsys.readouterr().out
    assert out.startswith("success safe, proved and confidence ")
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["pending", "analyzing", "healing", "validating", "success"]


@pytest.mark.asyncio
async def test_the_pull_request_example_is_a_service() -> None:
    found = await execute(PAGE["pull_request"])
    assert found["service"].config.create_pr
    await found["service"].close()


def test_the_conformance_example_collects_every_test(project: Path) -> None:
    (project / "test_mine.py").write_text(PAGE["conformance"])
    wanted = [n for c in (RepairServiceConformance, RunnerConformance) for n in vars(c) if n.startswith("test_")]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "test_mine.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert f"{len(wanted)} tests collected" in done.stdout


@pytest.mark.parametrize(("factory", "failed"), [("", 0), ("test_broken:Silent", 1)])
def test_the_package_runs_on_what_the_environment_names(project: Path, factory: str, failed: int) -> None:
    source = "from pytest_maestro_healer.adapters import RepairService\n\n\nclass Silent(RepairService):\n    updates = None\n"
    (project / "test_broken.py").write_text(source)
    env = {**os.environ, "PYTHONPATH": str(project)} | ({"MAESTRO_REPAIR_SERVICE": factory} if factory else {})
    command = [sys.executable, "-m", "pytest", "--pyargs", "pytest_maestro_healer.adapters.conformance", "-q", "-k", "updates_tell or overridden"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=200)
    assert (done.returncode, f"{failed} failed" in done.stdout) == (failed, bool(failed)), done.stdout


# -- conformance -----------------------------------------------------------------------------------------------
class TestOurService(RepairServiceConformance):
    def make_service(self, config: RepairConfig, **parts: Any) -> RepairServiceLike:
        return RepairService(config, **parts)


class TestOurRunner(RunnerConformance):
    def make_runner(self, project: Path) -> RunnerLike:
        return Runner(project)


def test_what_is_public_has_the_protocols() -> None:
    assert isinstance(AutonomousTestHealer(), HealerLike)
    assert isinstance(Failed(), FailureLike)
    assert not isinstance(object(), FailureLike)


class Permissive(RepairService):
    """Asks nobody, and takes what is not safe for safe."""

    def __init__(self, config: RepairConfig, *, healer: HealerLike, **parts: Any) -> None:
        class Praising:
            async def heal_failed_test(self, test_code: str, error_details: Mapping[str, Any] | None = None) -> Any:
                return replace(await healer.heal_failed_test(test_code, error_details), unasked="everything is", confidence_score=1.0)

        super().__init__(replace(config, require_approval=False, auto_fix=True), healer=Praising(), **parts)


class Fragile(RepairService):
    """Raises for what it does not know."""

    async def submit(self, event: Any) -> str:
        return await super().submit({"code": event["code"], **event})


class Greedy(RepairService):
    """Takes all events at once."""

    def __init__(self, config: RepairConfig, **parts: Any) -> None:
        super().__init__(replace(config, max_concurrent_repairs=100), **parts)


class Forgetful(RepairService):
    """Has no past."""

    def journal(self, *_: Any, **__: Any) -> list[JournalEntry]:
        return super().journal(status="success")


class Mute(RepairService):
    """Tells nobody."""

    async def updates(self) -> AsyncIterator[RepairResult]:
        for update in self.results("healing"):
            yield update


class Deaf(RepairService):
    """Does what it was told to stop."""

    async def cancel(self, repair_id: str) -> RepairResult:
        return replace(self.result(repair_id), status=RepairStatus.SKIPPED)


class Blocking(RepairService):
    """Asks people in the event loop's own thread."""

    def __init__(self, config: RepairConfig, *, approver: Any = None, **parts: Any) -> None:
        async def asked(result: RepairResult) -> bool:
            return bool(approver(result))

        super().__init__(config, approver=asked if approver is not None else None, **parts)


class Careless(RepairService):
    """Commits whatever is there, on the branch where one stands."""

    async def wait(self, repair_id: str) -> RepairResult:
        found = await super().wait(repair_id)
        root = self.config.project
        subprocess.run(["git", "commit", "-qam", "heal"], cwd=root, check=False)
        return replace(found, status=RepairStatus.SUCCESS)


BROKEN: list[tuple[type[RepairService], str]] = [
    (Permissive, "test_nothing_is_written_when_nobody_permits_it"),
    (Permissive, "test_a_heal_for_review_is_not_written_unasked"),
    (Permissive, "test_a_heal_under_the_threshold_is_not_written_unasked"),
    (Permissive, "test_a_rejected_heal_is_not_written"),
    (Fragile, "test_a_bad_event_spoils_no_other"),
    (Greedy, "test_no_more_repairs_work_at_one_time_than_allowed"),
    (Forgetful, "test_a_safe_heal_is_written_and_every_state_is_told"),
    (Mute, "test_updates_tell_every_state_as_it_happens"),
    (Deaf, "test_a_cancelled_repair_writes_nothing"),
    (Blocking, "test_an_approver_may_block"),
    (Careless, "test_a_heal_is_committed_alone_on_a_branch_with_its_id"),
    (Careless, "test_staged_or_unfinished_work_is_never_committed"),
]


@pytest.mark.parametrize(("service", "test"), BROKEN, ids=[f"{s.__name__}-{t}" for s, t in BROKEN])
def test_a_broken_service_is_found_out(service: type[RepairService], test: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_maestro_healer.adapters.conformance import service as suite

    monkeypatch.setattr(suite, "_ROUNDS", 300)
    monkeypatch.setattr(suite, "THINKING", 0.2)

    class Held(RepairServiceConformance):
        def make_service(self, config: RepairConfig, **parts: Any) -> RepairServiceLike:
            return service(config, **parts)

    (tmp_path / "held").mkdir()
    with pytest.raises((AssertionError, TypeError, KeyError)):
        getattr(Held(), test)(tmp_path / "held")


class Believing(Runner):
    """Writes whatever it is given."""

    def apply_fix(self, healed_code: str, failure: Any = None) -> Fix:
        (self.root / "tests" / "test_it.py").write_text(healed_code)
        return Fix(True)


class Raising(Runner):
    """Stops the caller at the first text it cannot use."""

    def apply_fix(self, healed_code: str, failure: Any = None) -> Fix:
        fix = super().apply_fix(healed_code, failure)
        if not fix:
            raise HealerError(fix.reason)
        return fix


@pytest.mark.parametrize("runner", [Believing, Raising])
def test_a_broken_runner_is_found_out(runner: type[Runner], tmp_path: Path) -> None:
    class Held(RunnerConformance):
        def make_runner(self, project: Path) -> RunnerLike:
            return runner(project)

    (tmp_path / "held").mkdir()
    with pytest.raises((AssertionError, HealerError)):
        Held().test_a_file_that_somebody_changed_is_left_alone(tmp_path / "held")


def test_an_overridden_test_is_found_out() -> None:
    class Held(RepairServiceConformance):
        def test_an_approver_may_block(self, tmp_path: Path) -> None:
            pass

    with pytest.raises(AssertionError, match="test_an_approver_may_block"):
        Held().test_no_conformance_test_is_overridden()
