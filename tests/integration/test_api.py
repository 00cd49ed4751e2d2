"""The Python API on real projects: what is healed from live values, what is written, what is left alone."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer import AutonomousTestHealer, HealingStrategy
from pytest_maestro_healer.apply.store import Store
from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.errors import HealerError
from pytest_maestro_healer.remote import process

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(300)]

SHOP = "def total(items):\n    return sum(items)\n"
TESTS = """import shop


def test_total():
    assert shop.total([1, 2]) == 3


def test_dumps():
    assert json.dumps([1]) == "[1]"
"""
HEALED = TESTS.replace("import shop\n", "import json\n\nimport shop\n", 1)
#: Without the confirmation in a fresh process, for what is not to be written.
QUICK = "[pytest]\npythonpath = .\nheal_fresh_confirm = false\n"
SLOW = {"healing_timeout": 120}
LOOK = {**SLOW, "auto_apply": False}
UNDEFINED = {"error_message": "name 'json' is not defined"}


class Home:
    """A project, outside CI, with a healing cache of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write({"pytest.ini": QUICK, "shop.py": SHOP, "tests/test_shop.py": TESTS})

    def write(self, files: Mapping[str, str]) -> None:
        """Write files as they are."""
        for name, text in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_bytes(text.encode())

    def read(self, name: str = "tests/test_shop.py") -> str:
        """A file's text as it is."""
        return (self.root / name).read_bytes().decode()

    def tree(self) -> dict[str, tuple[int, bytes]]:
        """Every file and folder: modification time and bytes."""
        return {p.as_posix(): (p.lstat().st_mtime_ns, p.read_bytes() if p.is_file() else b"") for p in [self.root, *sorted(self.root.rglob("*"))]}

    def details(self, **more: Any) -> dict[str, Any]:
        """Error details with the test file."""
        return {"test_file": str(self.root / "tests" / "test_shop.py"), **more}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:asyncio -p no:hypothesispytest")
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(tmp_path)
    return Home(root)


# -- in a project ----------------------------------------------------------------------------------------------
async def test_a_safe_heal_of_the_files_own_content_is_written_and_can_be_undone(home: Home) -> None:
    home.write({"pytest.ini": "[pytest]\npythonpath = .\n"})
    result = await AutonomousTestHealer(SLOW).heal_failed_test(TESTS, home.details(**UNDEFINED))
    assert result.success, result.validation_results
    assert result.decision.kind == "applied", result.decision
    assert result.strategy_used is HealingStrategy.DEPENDENCY_FIX
    assert result.confidence_score >= 0.75
    assert (result.original_code, result.healed_code) == (TESTS, HEALED)
    assert home.read() == HEALED
    assert result.validation_results["reproduced"] is True
    assert result.validation_results["fresh"]["passed"] is True
    Store(home.root, HealerConfig()).rollback(result.healing_id)
    assert home.read() == TESTS


async def test_without_auto_apply_not_a_byte_changes(home: Home) -> None:
    workers = " -n 2" if importlib.util.find_spec("xdist") else ""
    home.write({"pytest.ini": QUICK + f"addopts = -x --junitxml=report.xml{workers}\n"})
    before = home.tree()
    result = await AutonomousTestHealer(LOOK).heal_failed_test(TESTS, home.details(**UNDEFINED))
    assert result.success, result.validation_results
    assert result.decision.kind == "pending"
    assert result.healed_code == HEALED
    assert home.tree() == before


async def test_code_that_is_not_on_the_disk_is_healed_in_its_project_and_not_written(home: Home) -> None:
    given = TESTS.replace("[1, 2]) == 3", "[1, 2, 4]) == 8")
    before = home.tree()
    details = home.details(error_message="assert 7 == 8", test_id="tests/test_shop.py::test_total")
    result = await AutonomousTestHealer(SLOW).heal_failed_test(given, details)
    assert result.success, result.validation_results
    assert result.strategy_used is HealingStrategy.ASSERTION_UPDATE
    assert result.healed_code == given.replace("== 8", "== 7")
    assert result.decision.kind == "pending"
    assert "not the content of a file" in result.decision.rule
    assert home.tree() == before


async def test_a_part_of_a_file_is_given_back_as_that_part(home: Home) -> None:
    part = TESTS[TESTS.index("def test_dumps") :]
    result = await AutonomousTestHealer(SLOW).heal_failed_test(part, home.details(**UNDEFINED))
    assert result.success, result.validation_results
    assert (result.original_code, result.healed_code) == (part, part)
    assert "+import json" in result.diff
    assert any("see diff" in n for n in result.validation_results["notes"])
    assert home.read() == TESTS


async def test_a_test_that_passes_is_left_alone(home: Home) -> None:
    details = home.details(error_message="Expected 3, got 4", test_id="test_total")
    result = await AutonomousTestHealer(LOOK).heal_failed_test(TESTS, details)
    assert not result.success
    assert result.healed_code == TESTS
    assert "passes here" in result.validation_results["not_reproduced_because"]


async def test_one_strategy_only(home: Home) -> None:
    healer = AutonomousTestHealer(LOOK)
    result = await healer.heal_with_strategy(TESTS, home.details(**UNDEFINED), strategy=HealingStrategy.ASSERTION_UPDATE)
    assert not result.success
    assert result.validation_results["reproduced"] is True


async def test_a_hanging_test_ends_with_the_time_limit(home: Home) -> None:
    given = "import time\n\n\ndef test_sleep():\n    time.sleep(100)\n    assert missing\n"
    began = time.perf_counter()
    result = await AutonomousTestHealer({"healing_timeout": 4}).heal_failed_test(given, home.details(error_message="it hangs"))
    assert time.perf_counter() - began < 60
    assert not result.success
    assert "healing_timeout" in result.validation_results["not_reproduced_because"]


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
async def test_a_bug_of_the_product_is_named_and_not_healed(home: Home) -> None:
    home.write({"tests/test_shop.py": TESTS.replace("import shop", "import json\n\nimport shop")})
    for args in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "green"]):
        subprocess.run(["git", *args], cwd=home.root, check=True)
    home.write({"shop.py": "def total(items):\n    return sum(items) - len(items)\n"})
    details = home.details(error_type="assertion_failure", error_message="Expected 3, got 1")
    result = await AutonomousTestHealer(SLOW).heal_failed_test(home.read(), details)
    assert not result.success
    assert "looks like a regression" in result.validation_results["reason"]
    assert "shop.py:2" in result.validation_results["diagnosis"]["suspect"]
    assert result.healed_code == home.read()


# -- without a project -----------------------------------------------------------------------------------------
async def test_code_that_needs_nothing_is_healed_in_a_scratch_project(home: Home) -> None:
    given = "def test_dumps():\n    assert json.dumps([1] == '[1]'\n"
    result = await AutonomousTestHealer({**SLOW, "confidence_threshold": 0.5}).heal_failed_test(given, {"message": "'(' was never closed"})
    assert result.validation_results["source"] == "live"
    assert result.success, result.validation_results
    assert result.healed_code == "import json\n\n\ndef test_dumps():\n    assert json.dumps([1]) == '[1]'\n"
    assert result.verdict.proved
    assert result.decision.kind == "pending"


async def test_what_cannot_be_run_is_healed_from_its_text_with_little_confidence(home: Home) -> None:
    given = "def test_users(client):\n    assert client.get('/users').status == 200\n"
    details = {"error_type": "assertion_failure", "error_message": "Expected 200, got 404", "test_file": "tests/test_api.py"}
    result = await AutonomousTestHealer(SLOW).heal_failed_test(given, details)
    proof = result.validation_results
    assert (proof["source"], proof["reproduced"], proof["rerun"]["passed"]) == ("text", False, None)
    assert "client" in proof["not_reproduced_because"]
    assert result.confidence_score <= 0.25
    assert not result.verdict.proved
    assert result.healed_code == given.replace("200", "404")


# -- many ------------------------------------------------------------------------------------------------------
async def test_a_batch_shares_runs_and_survives_bad_entries(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[str] = []
    real = process.run

    async def counted(command: Any, **more: Any) -> Any:
        commands.append(" ".join(command))
        return await real(command, **more)

    monkeypatch.setattr(process, "run", counted)
    wrong = TESTS.replace("== 3", "== 4")
    home.write({"tests/test_shop.py": wrong, "broken/pytest.ini": "[pytest]\naddopts = --no-such-option\n", "broken/test_x.py": "def test_x(): ..."})
    entries = [
        {"code": wrong, "error": home.details(**UNDEFINED)},
        None,
        {"code": wrong, "error": home.details(error_message="assert 3 == 4")},
        {"code": "def test_x(): ...", "error": {"message": "y", "test_file": str(home.root / "broken" / "test_x.py")}},
    ]
    healer = AutonomousTestHealer(LOOK)
    first, second, third, fourth = await healer.heal_multiple_tests(entries)
    assert [first.success, second.success, third.success, fourth.success] == [True, False, True, False]
    assert first.strategy_used is HealingStrategy.DEPENDENCY_FIX
    assert third.healed_code == TESTS
    assert "no-such-option" in fourth.validation_results["not_reproduced_because"]
    assert sum("tests/test_shop.py" in c for c in commands) == 1
    assert healer.get_healing_insights()["total_healing_attempts"] == 4


async def test_heals_of_one_file_that_meet_do_not_need_each_other(home: Home) -> None:
    both = "def test_a():\n    assert json.dumps(1) == '1'\n\n\ndef test_b():\n    assert re.match('a', 'a')\n"
    home.write({"tests/test_shop.py": both})
    entries = [{"code": both, "error": home.details(message=f"name '{name}' is not defined")} for name in ("json", "re")]
    results = await AutonomousTestHealer(LOOK).heal_multiple_tests(entries)
    assert [r.success for r in results] == [True, True]
    # each can be taken without the other; written one after the other they end in a file that has both
    assert [r.healed_code for r in results] == [f"import json\n\n\n{both}", f"import re\n\n\n{both}"]
    assert home.read() == both


async def test_another_failure_than_the_reported_one_is_named(home: Home) -> None:
    result = await AutonomousTestHealer(LOOK).heal_failed_test(TESTS, home.details(error_type="TimeoutError", error_message="31 seconds are over"))
    assert any("fails in another way than reported: NameError" in n for n in result.validation_results["notes"])


async def test_a_suite_has_the_verdicts_of_the_plugin(home: Home, tmp_path: Path) -> None:
    more = "import pytest\nimport shop\n\n\n@pytest.mark.no_heal('as it was')\ndef test_old():\n    assert shop.total([]) == 1\n\n\n"
    more += "def test_missing():\n    shop.vanish()\n"
    home.write({"tests/test_more.py": more})
    found = await AutonomousTestHealer(LOOK).auto_heal_test_suite(home.root / "tests")
    assert [r.test_id for r in found["successful_heals"]] == ["tests/test_shop.py::test_dumps"]
    assert [r.test_id for r in found["failed_heals"]] == ["tests/test_more.py::test_missing"]
    assert [s["test_id"] for s in found["skipped_tests"]] == ["tests/test_more.py::test_old"]
    assert "as it was" in found["skipped_tests"][0]["reason"]
    command = [sys.executable, "-m", "pytest", "--heal", f"--heal-json={tmp_path / 'heal.json'}", "tests"]
    subprocess.run(command, cwd=home.root, env=os.environ, capture_output=True, check=False, timeout=200)
    plugin = {r["test_id"]: r for r in json.loads((tmp_path / "heal.json").read_text())["results"]}
    for r in [*found["successful_heals"], *found["failed_heals"]]:
        same = plugin[r.test_id]
        assert (r.healing_id, r.diff, r.confidence_score) == (same["healing_id"], same["diff"], same["confidence_score"])
        assert r.decision.to_dict() == same["decision"]


async def test_a_suite_that_cannot_be_run_is_an_error(home: Home) -> None:
    with pytest.raises(HealerError, match="there is no"):
        await AutonomousTestHealer().auto_heal_test_suite(home.root / "nowhere")
    home.write({"pytest.ini": "[pytest]\naddopts = --no-such-option\n"})
    with pytest.raises(HealerError, match="no-such-option"):
        await AutonomousTestHealer().auto_heal_test_suite(home.root / "tests")
