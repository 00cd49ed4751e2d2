"""The parts of the adapters: configuration, events, states, verdicts, commits beside the work tree, monitors."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer.adapters import ErrorEvent, RepairConfig, RepairService, RepairStatus
from pytest_maestro_healer.adapters.branch import commit, plan
from pytest_maestro_healer.adapters.conformance import StubHealer, make_project
from pytest_maestro_healer.adapters.conformance.service import until
from pytest_maestro_healer.adapters.conformance.stage import NODEID, PATH, RIGHT, WRONG, event, run_git
from pytest_maestro_healer.adapters.events import read_event
from pytest_maestro_healer.adapters.quality_fabric import TestRunner as Runner
from pytest_maestro_healer.adapters.states import Journal, RepairResult
from pytest_maestro_healer.adapters.verdicts import judge
from pytest_maestro_healer.adapters.watch import Monitors
from pytest_maestro_healer.adapters.writing import steps, store_of
from pytest_maestro_healer.api import TestFailure as Failed
from pytest_maestro_healer.errors import ApplyError, ConfigError, HealerError
from pytest_maestro_healer.model import Decision, DecisionKind, HealingResult
from tests.apply_helpers import heal

pytestmark = pytest.mark.asyncio
HEALED: HealingResult = asyncio.run(StubHealer().heal_failed_test(WRONG))


# -- configuration ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"project_path": "nowhere"}, "project_path"),
        ({"auto_fix": "yes"}, "auto_fix"),
        ({"confidence_threshold": 80}, "confidence_threshold"),
        ({"confidence_threshold": True}, "confidence_threshold"),
        ({"max_concurrent_repairs": 0}, "max_concurrent_repairs"),
        ({"max_concurrent_repairs": True}, "max_concurrent_repairs"),
        ({"create_pr": True}, "auto_commit"),
        ({"monitor_intervals": {"tests": 0}}, "monitor_intervals"),
        ({"monitor_intervals": {"tests": float("nan")}}, "monitor_intervals"),
    ],
)
async def test_a_wrong_setting_is_named(settings: dict[str, Any], word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        RepairConfig(**settings)


async def test_by_default_a_person_is_asked_and_nothing_is_committed(tmp_path: Path) -> None:
    config = RepairConfig(tmp_path)
    assert (config.auto_fix, config.require_approval, config.auto_commit, config.create_pr, config.confidence_threshold) == (
        False,
        True,
        False,
        False,
        0.75,
    )


async def test_a_service_needs_the_hook_and_knows_its_monitors(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="pull_request hook"):
        RepairService(RepairConfig(tmp_path, auto_commit=True, create_pr=True))
    with pytest.raises(ConfigError, match="no monitor 'logs'; known: tests, mine"):
        RepairService(RepairConfig(tmp_path, monitor_intervals={"logs": 1}), monitors={"mine": list})


# -- events ----------------------------------------------------------------------------------------------------
async def test_every_shape_of_event_is_the_same_event(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    details = {"test_file": PATH, "error_message": "boom"}
    shapes = [
        {"code": WRONG, "error": details},
        {"test_code": WRONG, "error_details": details},
        {"test_code": WRONG, **details},
        dict(details),
        ErrorEvent("", details),
        ErrorEvent(WRONG, {**details, "test_file": str(root / PATH)}),
        Failed(test_code=WRONG, error_message="boom", test_file=PATH),
    ]
    found = [read_event(s, root) for s in shapes]
    assert {e.test_code for e in found} == {WRONG}
    assert {e.error_details["test_file"] for e in found} == {str(root / PATH)}
    assert {e.error_details["project_path"] for e in found} == {str(root)}
    assert len({e.key for e in found}) == 1
    assert read_event({"test_id": f"{PATH}::test_it"}, root).test_code == WRONG
    assert read_event(ErrorEvent(WRONG, {}, "ci"), root).source == "ci"


async def test_an_event_cannot_point_out_of_the_project_by_a_link(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    (tmp_path / "secret.py").write_text("x = 1\n")
    (root / "link.py").symlink_to(tmp_path / "secret.py")
    with pytest.raises(HealerError, match="is not in the project"):
        read_event({"test_file": "link.py"}, root)


# -- states ----------------------------------------------------------------------------------------------------
async def test_states_are_strings_and_the_last_one_stays() -> None:
    assert [str(s) for s in RepairStatus] == ["pending", "analyzing", "healing", "validating", "success", "failed", "skipped"]
    journal = Journal()
    journal.opened("r-1")
    journal.to("r-1", RepairStatus.FAILED, "no")
    assert journal.to("r-1", RepairStatus.SUCCESS, "yes").status == "failed"
    assert [e.status for e in journal.entries("r-1")] == ["pending", "failed"]
    assert journal.entries(status="failed")[0].reason == "no"
    assert journal.entries(since=journal.entries()[-1].at + 1) == []
    with pytest.raises(HealerError, match="no repair 'r-2'"):
        journal.get("r-2")
    json.dumps(journal.get("r-1").to_dict())


async def test_results_round_trip_as_json() -> None:
    result = RepairResult("r-1", RepairStatus.SUCCESS, healing=HEALED, files=(PATH,))
    assert RepairResult.from_dict(json.loads(json.dumps(result.to_dict()))) == result


# -- verdicts --------------------------------------------------------------------------------------------------
async def test_the_table_of_verdicts(tmp_path: Path) -> None:
    free, strict = RepairConfig(tmp_path, auto_fix=True, require_approval=False), RepairConfig(tmp_path, auto_fix=True)
    refused = replace(HEALED, success=False, changes=(), decision=Decision(DecisionKind.REJECTED, "looks like a regression"))
    cases = [
        (HEALED, free, None, False),
        (HEALED, strict, None, True),
        (HEALED, replace(free, auto_fix=False), "skipped", False),
        (replace(HEALED, unasked=""), free, "skipped", False),
        (replace(HEALED, unasked=""), strict, None, True),
        (HEALED, replace(free, confidence_threshold=0.96), "skipped", False),
        (replace(HEALED, validation_results={"source": "text"}), strict, "skipped", False),
        (refused, free, "failed", False),
        (replace(refused, decision=Decision(DecisionKind.REJECTED, "opted out by a marker")), free, "skipped", False),
        (replace(refused, validation_results={"not_reproduced_because": "the test passes here"}), free, "skipped", False),
    ]
    for result, config, status, ask in cases:
        found = judge(result, config)
        assert (found.status, found.ask, bool(found.reason)) == (status, ask, True)
    assert judge(replace(refused, advice="install it"), free).reason == "install it"


# -- commits ---------------------------------------------------------------------------------------------------
def committed(root: Path, result: HealingResult) -> Any:
    store = store_of(root)
    planned = plan(root, result, steps(store))
    assert store.apply([result])[0].ok
    return commit(root, result, planned)


async def test_the_second_heal_of_a_file_is_committed_without_the_first(tmp_path: Path) -> None:
    root = make_project(tmp_path, git=True)
    one = heal({PATH: (WRONG.encode(), RIGHT.encode())}, NODEID)
    after = RIGHT.replace("assert True", "assert bool(1)")
    two = heal({PATH: (RIGHT.encode(), after.encode())}, f"{PATH}::test_other", f"{PATH}::test_more")
    first, second = committed(root, one), committed(root, two)
    assert second.title == f"Heal {PATH}::test_other and 1 more"
    assert run_git(root, "show", f"{first.branch}:{PATH}") == RIGHT.rstrip("\n")
    assert run_git(root, "show", f"{second.branch}:{PATH}") == WRONG.replace("assert True", "assert bool(1)").rstrip("\n")
    assert run_git(root, "log", "-1", "--format=%an %s", second.branch) == f"Somebody Heal {PATH}::test_other and 1 more"
    assert f"Healing-Id: {two.healing_id}" in run_git(root, "log", "-1", "--format=%b", second.branch)


async def test_a_branch_that_has_the_commit_is_taken_and_another_one_is_not_moved(tmp_path: Path) -> None:
    root = make_project(tmp_path, git=True)
    first = committed(root, HEALED)
    assert commit(root, HEALED, plan(root, HEALED, ())) == first
    run_git(root, "checkout", "-q", "--", PATH)
    run_git(root, "commit", "-q", "--allow-empty", "-m", "two")
    again = commit(root, HEALED, plan(root, HEALED, ()))
    assert (again.branch, again.commit != first.commit) == (f"{first.branch}-2", True)
    assert run_git(root, "rev-parse", first.branch) == first.commit


async def test_a_project_below_the_top_with_other_line_ends_is_committed_as_git_would(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    data = {name: text.replace("\n", "\r\n").encode() for name, text in (("old", WRONG), ("new", RIGHT))}
    (root / PATH).write_bytes(data["old"])
    (root / PATH).chmod(0o755)
    for args in (["init", "-q"], ["config", "user.name", "S"], ["config", "user.email", "s@example.com"], ["config", "core.autocrlf", "input"]):
        run_git(tmp_path, *args)
    (root / ".gitattributes").write_text("*.py text eol=crlf\n")
    run_git(tmp_path, "add", "project")
    run_git(tmp_path, "commit", "-qm", "one")
    made = committed(root, heal({PATH: (data["old"], data["new"])}, NODEID))
    assert run_git(tmp_path, "diff", "--name-only", "HEAD", made.branch) == f"project/{PATH}"
    assert run_git(tmp_path, "cat-file", "blob", f"{made.branch}:project/{PATH}") == RIGHT.rstrip("\n")
    assert run_git(tmp_path, "ls-tree", made.branch, f"project/{PATH}").startswith("100755 ")
    assert (root / PATH).read_bytes() == data["new"]


async def test_where_there_must_be_no_commit_it_is_said_before_anything_is_written(tmp_path: Path) -> None:
    bare = make_project(tmp_path / "bare")
    with pytest.raises(ApplyError, match="no git repository"):
        plan(bare, HEALED, ())
    root = make_project(tmp_path / "git", git=True)
    with pytest.raises(ApplyError, match="is not committed"):
        plan(root, heal({"new.py": (b"x = 1\n", b"x = 2\n")}), ())


async def test_a_commit_that_git_refuses_undoes_the_heal(tmp_path: Path) -> None:
    root = make_project(tmp_path, git=True)
    run_git(root, "branch", "maestro-heal")  # so no branch can be below it
    async with RepairService(RepairConfig(root, auto_fix=True, require_approval=False, auto_commit=True), healer=StubHealer()) as service:
        found = await service.repair(event(root))
    assert found.status == "failed"
    assert "git update-ref" in found.reason
    assert "the file is as it was" in found.reason
    assert (root / PATH).read_text() == WRONG


# -- approval --------------------------------------------------------------------------------------------------
async def test_an_approver_may_be_a_coroutine_and_only_true_is_yes(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    asked: list[str] = []

    async def approver(result: RepairResult) -> Any:
        asked.append(result.diff)
        return "yes"

    async with RepairService(RepairConfig(root), healer=StubHealer(), approver=approver) as service:
        assert (await service.repair(event(root))).reason == "rejected"
        # what was rejected is not written, whoever permits it later
        again = RepairService(RepairConfig(root, auto_fix=True, require_approval=False), healer=StubHealer())
        assert (await again.repair(event(root))).reason == "it was rejected here before"
        await again.close()
    assert "+    assert 1 + 1 == 2" in asked[0]
    assert (root / PATH).read_text() == WRONG


async def test_an_approver_that_raises_is_no_permission(tmp_path: Path) -> None:
    root = make_project(tmp_path)

    def approver(result: RepairResult) -> bool:
        raise KeyError("who?")

    async with RepairService(RepairConfig(root), healer=StubHealer(), approver=approver) as service:
        found = await service.repair(event(root))
    assert (found.status, found.reason) == ("failed", "the approver raised KeyError: 'who?'; the heal stays pending")
    assert (root / PATH).read_text() == WRONG


async def test_a_decision_may_name_the_heal_and_comes_once(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    async with RepairService(RepairConfig(root), healer=StubHealer()) as service:
        await service.submit(event(root))
        await until(lambda: service.waiting() != [])
        with pytest.raises(HealerError, match="no repair 'h-0'"):
            await service.approve("h-0")
        assert (await service.reject(HEALED.healing_id)).reason == "rejected"
        with pytest.raises(HealerError, match="waits for no approval: it is skipped"):
            await service.approve(HEALED.healing_id)


async def test_the_same_failure_is_not_worked_on_twice(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    gate = asyncio.Event()
    async with RepairService(RepairConfig(root, auto_fix=True, require_approval=False), healer=StubHealer(gate=gate)) as service:
        first, second = await service.submit(event(root)), await service.submit(event(root))
        assert (await service.wait(second)).reason == f"the same failure is in work as {first}"
        gate.set()
        assert (await service.wait(first)).success


async def test_a_hook_that_fails_is_a_note_and_the_heal_stays(tmp_path: Path) -> None:
    root = make_project(tmp_path, git=True)

    def hook(made: object) -> str:
        raise OSError("no network")

    config = RepairConfig(root, auto_fix=True, require_approval=False, auto_commit=True, create_pr=True)
    async with RepairService(config, healer=StubHealer(), pull_request=hook) as service:
        found = await service.repair(event(root))
    assert (found.status, found.pull_request) == ("success", "")
    assert found.notes == ("the pull request hook raised OSError: no network",)


async def test_a_closed_service_takes_nothing(tmp_path: Path) -> None:
    service = RepairService(RepairConfig(make_project(tmp_path)), healer=StubHealer())
    await service.close()
    with pytest.raises(HealerError, match="closed"):
        await service.submit({})


async def test_a_suggestion_for_no_file_is_never_written(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    async with RepairService(RepairConfig(root, auto_fix=True, require_approval=False), healer=StubHealer()) as service:
        found = await service.repair({"code": WRONG, "error": "assert 2 == 3"})
    assert found.status == "skipped"
    assert "names no test_file" in found.reason
    assert found.healing is not None
    assert found.healing.healed_code == RIGHT


# -- monitors --------------------------------------------------------------------------------------------------
async def test_a_monitor_that_raises_is_asked_again_and_disturbs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    looks: list[str] = []
    offered: list[tuple[str, Any]] = []

    def broken() -> list[Any]:
        looks.append("broken")
        raise OSError("gone")

    async def good() -> list[Any]:
        looks.append("good")
        return [len(looks)]

    async def offer(name: str, found: Any) -> None:
        offered.append((name, found))

    monitors = Monitors({"broken": (broken, 0.001), "good": (good, 0.001)}, offer)
    monitors.start()
    monitors.start()
    await until(lambda: looks.count("broken") > 2 and looks.count("good") > 2)
    await monitors.stop()
    assert {name for name, _ in offered} == {"good"}
    assert "monitor broken raised OSError: gone" in caplog.text


async def test_what_a_monitor_sees_again_is_not_repaired_again(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    looks: list[int] = []

    def monitor() -> list[Any]:
        looks.append(1)
        return [event(root), {"test_file": "gone.py"}] if len(looks) > 1 else [event(root)]

    healer = StubHealer(proved=False)
    config = RepairConfig(root, monitor_intervals={"mine": 0.001})
    async with RepairService(config, healer=healer, monitors={"mine": monitor}) as service:
        await until(lambda: len(looks) > 4 and all(r.status.final for r in service.results()))
        seen = service.results()
    assert healer.asked == 1
    assert seen[0].source == "mine"


async def test_the_projects_tests_are_a_monitor(tmp_path: Path, clean: None) -> None:
    root = make_project(tmp_path)
    config = RepairConfig(root, auto_fix=True, require_approval=False, monitor_intervals={"tests": 3600})
    async with RepairService(config, healer=StubHealer()) as service:
        await until_slowly(lambda: service.results("success") != [])
        (found,) = service.results()
    assert (found.source, found.test_id) == ("tests", NODEID)
    assert (root / PATH).read_text() == RIGHT


async def until_slowly(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.02)


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that load no more plugins than they need."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:asyncio -p no:hypothesispytest")


# -- the runner ------------------------------------------------------------------------------------------------
async def test_fixes_of_one_file_are_put_together_and_undone_one_by_one(tmp_path: Path, clean: None) -> None:
    root = make_project(tmp_path)
    both = WRONG.replace("assert True", "assert 2 + 2 == 5")
    (root / PATH).write_text(both)
    runner = Runner(root, validate=False)
    first, second = (await runner.run_tests_async()).failures
    texts = first.test_code.replace("== 3", "== 2"), second.test_code.replace("== 5", "== 4")
    one, two = [await runner.apply_fix_async(t) for t in texts]
    assert one.ok
    assert two.ok
    assert (root / PATH).read_text() == RIGHT.replace("assert True", "assert 2 + 2 == 4")
    assert (await runner.apply_fix_async(texts[0])).ok, "what is there already is no failure"
    assert runner.rollback(one)[0].ok
    assert (root / PATH).read_text() == WRONG.replace("assert True", "assert 2 + 2 == 4")
    assert runner.rollback()[0].ok
    assert (root / PATH).read_bytes() == both.encode()


async def test_a_text_for_two_files_alike_asks_which(tmp_path: Path, clean: None) -> None:
    root = make_project(tmp_path)
    (root / "tests" / "test_twin.py").write_text(WRONG)
    runner = Runner(root, validate=False)
    failures = (await runner.run_tests_async()).failures
    assert (await runner.apply_fix_async(RIGHT)).reason.startswith("the text fits tests/test_it.py and tests/test_twin.py equally well")
    assert await runner.apply_fix_async(RIGHT, failures[1])
    assert [(root / "tests" / n).read_text() for n in ("test_it.py", "test_twin.py")] == [WRONG, RIGHT]


async def test_a_file_that_cannot_be_collected_is_a_failure(tmp_path: Path, clean: None) -> None:
    root = make_project(tmp_path)
    (root / PATH).write_bytes(b"\xef\xbb\xbfimport nowhere\r\n\r\n\r\ndef test_it():\r\n    pass\r\n")
    runner = Runner(root)
    results = await runner.run_tests_async()
    (failure,) = results.failures
    assert (failure.nodeid, results.exit_code, results.passed) == (PATH, 2, False)
    assert failure.error_details["error_type"] == "ModuleNotFoundError"
    assert failure.error_details["error_message"] == "No module named 'nowhere'"
    assert await runner.apply_fix_async("import json\n" + failure.test_code.partition("\n")[2].replace("\r\n", "\n"))
    assert (root / PATH).read_bytes() == b"\xef\xbb\xbfimport json\r\n\r\n\r\ndef test_it():\r\n    pass\r\n"


async def test_a_run_without_a_result_says_why(tmp_path: Path, clean: None) -> None:
    root = make_project(tmp_path)
    with pytest.raises(HealerError, match="--no-such-option"):
        await Runner(root, ["--no-such-option"]).run_tests_async()
    with pytest.raises(HealerError, match="took longer than"):
        await Runner(root, timeout=0.01).run_tests_async()
    with pytest.raises(ConfigError, match="is not a folder"):
        Runner(root / "nowhere")
