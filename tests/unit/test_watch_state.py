"""The watch's state machines: when files are whole, whose writes they are, which tests are due. No clock, no watcher, no process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_maestro_healer.model import Decision, DecisionKind, FileChange, HealingReport, HealingResult
from pytest_maestro_healer.watch.affected import Affected
from pytest_maestro_healer.watch.board import Board, Outcome
from pytest_maestro_healer.watch.child import Project
from pytest_maestro_healer.watch.debounce import Settled, Settler, Wait
from pytest_maestro_healer.watch.outputs import CODE_LIMIT, Outputs
from pytest_maestro_healer.watch.snapshot import Snapshot


# -- when files are whole --------------------------------------------------------------------------------------
class Disk(dict[str, str]):
    """What is wrong with each file."""

    def unfinished(self, path: str) -> str:
        return self.get(path, "")


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def settler(disk: Disk) -> Settler:
    return Settler(disk.unfinished, quiet=1.0, patience=10.0)


def test_nothing_changed_waits_for_ever(settler: Settler) -> None:
    assert settler.poll(5.0) == Wait()


def test_a_burst_is_one_change(settler: Settler) -> None:
    for at in (0.0, 0.5, 1.0):
        settler.changed(["a.py"], at)
    assert settler.poll(1.5) == Wait(0.5, "a.py is changing")
    settler.changed(["b.py"], 1.5)
    assert settler.poll(2.5) == Settled(frozenset({"a.py", "b.py"}))
    assert settler.poll(99.0) == Wait()


def test_a_half_written_file_is_waited_for(settler: Settler, disk: Disk) -> None:
    disk["a.py"] = "does not parse"
    settler.changed(["a.py", "b.py"], 0.0)
    assert settler.poll(1.0) == Wait(9.0, "a.py does not parse; waiting for the rest of it")
    settler.changed(["a.py"], 4.0)
    del disk["a.py"]
    assert settler.poll(5.0) == Settled(frozenset({"a.py", "b.py"}))


def test_a_broken_file_is_taken_as_it_is_once_it_stayed_so(settler: Settler, disk: Disk) -> None:
    disk["a.py"] = "does not parse"
    settler.changed(["a.py"], 0.0)
    settler.changed(["a.py"], 8.0)
    assert settler.poll(17.0) == Wait(1.0, "a.py does not parse; waiting for the rest of it")
    assert settler.poll(18.0) == Settled(frozenset({"a.py"}), {"a.py": "does not parse"})


def test_a_log_that_never_rests_holds_nothing_up(settler: Settler) -> None:
    at = 0.0
    settler.changed(["a.py"], at)
    while at < 10.0:
        settler.changed(["run.log"], at)
        assert isinstance(settler.poll(at), Wait)
        at += 0.5
    settler.changed(["run.log"], at)
    assert settler.poll(at) == Settled(frozenset({"a.py", "run.log"}))


def test_code_that_never_rests_is_never_taken(settler: Settler) -> None:
    for at in range(100):
        settler.changed(["a.py"], at * 0.5)
        assert isinstance(settler.poll(at * 0.5), Wait)


@given(st.lists(st.tuples(st.floats(0, 3), st.sampled_from(["a.py", "b.py", "c.txt"]), st.booleans()), max_size=30))
def test_nothing_is_lost_and_nothing_half_written_is_taken_early(steps: list[tuple[float, str, bool]]) -> None:
    bad = Disk()
    settler = Settler(bad.unfinished, quiet=1.0, patience=5.0)
    now, told, got, last = 0.0, set(), set(), dict[str, float]()
    for pause, path, half in steps:
        now += pause
        bad[path] = "does not parse" if half else ""
        settler.changed([path], now)
        told.add(path)
        last[path] = now
        state = settler.poll(now)
        if isinstance(state, Settled):
            got |= state.paths
            assert all(now >= last[p] + 5.0 for p in state.broken)
    state = settler.poll(now + 5.0)
    assert isinstance(state, Settled) or not settler.pending
    assert told == got | (state.paths if isinstance(state, Settled) else set())


def test_a_wait_is_long_enough(settler: Settler, disk: Disk) -> None:
    disk["a.py"] = "is empty"
    settler.changed(["a.py"], 0.0)
    now = 0.0
    for _ in range(3):
        state = settler.poll(now)
        if isinstance(state, Settled):
            break
        assert state.seconds is not None
        now += state.seconds
    assert isinstance(state, Settled)
    assert now == 10.0


# -- what half-written files look like ---------------------------------------------------------------------------
def test_what_looks_half_written(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "raw.py").write_text("x = 1")
    snapshot = Snapshot(tmp_path)
    assert snapshot.scan() == 2
    for text, why in (("", "is empty"), ("x = (", "does not parse"), ("x = 12", "ends within a line"), ("x = 2\n", ""), ("x = 2\r", "")):
        (tmp_path / "a.py").write_bytes(text.encode())
        assert snapshot.unfinished("a.py") == why
    (tmp_path / "raw.py").write_text("x = 2")
    assert snapshot.unfinished("raw.py") == ""
    (tmp_path / "new.py").write_text("")
    assert snapshot.unfinished("new.py") == ""
    assert snapshot.unfinished("gone.py") == ""


def test_configuration_may_be_half_written_and_data_may_not(tmp_path: Path) -> None:
    snapshot = Snapshot(tmp_path)
    for name in ("pyproject.toml", "pytest.ini", "data.toml"):
        (tmp_path / name).write_text("[pytest]\nheal = true\n")
    snapshot.scan()
    for text, why in (("[pytest", "does not parse"), ("", "is empty"), ("heal = true", "ends within a line")):
        for name in ("pyproject.toml", "data.toml"):
            (tmp_path / name).write_text(text)
        assert snapshot.unfinished("pyproject.toml") == why
        assert snapshot.unfinished("data.toml") == ""
    (tmp_path / "pytest.ini").write_text("[pytest]\nheal_exc")
    assert snapshot.unfinished("pytest.ini") == "ends within a line"


def test_a_folder_that_comes_or_goes_is_all_its_files(tmp_path: Path) -> None:
    snapshot = Snapshot(tmp_path)
    (tmp_path / "new" / "deep" / "__pycache__").mkdir(parents=True)
    for name in ("new/a.py", "new/deep/b.txt", "new/deep/__pycache__/b.pyc"):
        (tmp_path / name).write_text("")
    assert snapshot.within(str(tmp_path / "new")) == {"new/a.py", "new/deep/b.txt"}
    snapshot.scan()
    (tmp_path / "new").rename(tmp_path.parent / "away")
    assert snapshot.within(str(tmp_path / "new")) == {"new/a.py", "new/deep/b.txt"}
    assert snapshot.within(str(tmp_path / ".git")) == set()
    assert snapshot.relevant(str(tmp_path / "env2" / "pyvenv.cfg")) == ""
    assert snapshot.relevant(str(tmp_path / "env2" / "x.py")) == ""


def test_writing_the_same_again_is_no_change(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "d.txt").write_text("data")
    snapshot = Snapshot(tmp_path)
    snapshot.scan()
    (tmp_path / "a.py").write_text("x = 1\n")
    os.utime(tmp_path / "a.py", (1, 1))
    assert not snapshot.differs("a.py")
    assert snapshot.take(["a.py", "d.txt", "none.py"]) == set()
    (tmp_path / "a.py").unlink()
    (tmp_path / "none.py").write_text("")
    assert snapshot.take(["a.py", "none.py"]) == {"a.py", "none.py"}
    assert snapshot.take(["a.py", "none.py"]) == set()


def test_what_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "own" / "bin").mkdir(parents=True)
    (tmp_path / "own" / "pyvenv.cfg").write_text("")
    snapshot = Snapshot(tmp_path, [tmp_path / "state"])
    for name, path in {
        "a.py": "a.py", "tests/data/x.json": "tests/data/x.json", ".env": ".env", "a.py~": "", ".a.py.swp": "", "4913": "", ".git/index": "",
        "__pycache__/a.pyc": "", ".maestro-heal-00.tmp~": "", "node_modules/x/y.py": "", "own/bin/z.py": "", "state/pending.json": "",
        "deep/__pycache__/b.pyc": "", ".coverage": "", "own": "",
    }.items():  # fmt: skip
        assert snapshot.relevant(str(tmp_path / name)) == path, name
    assert snapshot.relevant("/elsewhere/a.py") == ""
    snapshot.leave_out(tmp_path / "tests" / "data")
    assert snapshot.relevant(str(tmp_path / "tests/data/x.json")) == ""


# -- whose writes they are -------------------------------------------------------------------------------------
def test_code_that_changes_during_a_round_cancels_it_and_then_waits_and_then_counts_for_nothing() -> None:
    outputs, seen, said = Outputs(), [], []
    for _ in range(CODE_LIMIT + 1):
        seen.append(outputs.verdict("gen.py", named=False))
        said.append(outputs.over(["gen.py"]))
    assert seen == ["cancel", "cancel", "queue", "queue", "queue", "ignore"]
    assert said[CODE_LIMIT - 1] == ["gen.py"]
    assert sum(map(len, said)) == 1


def test_reports_that_tests_write_start_no_round() -> None:
    outputs = Outputs()
    assert outputs.verdict("junit.xml", named=False) == "ignore"
    assert outputs.verdict("db.sqlite", named=True) == "queue"
    assert outputs.over(["db.sqlite"]) == ["db.sqlite"]
    assert outputs.verdict("db.sqlite", named=True) == "ignore"


def test_an_edit_while_nothing_runs_is_a_persons() -> None:
    outputs = Outputs()
    for _ in range(CODE_LIMIT):
        outputs.over(["a.py"])
    outputs.edited(["a.py"])
    assert outputs.verdict("a.py", named=True) == "cancel"
    outputs.over(["a.py"])
    outputs.over([])
    assert outputs.over(["a.py"]) == []


# -- which tests are due ---------------------------------------------------------------------------------------
def outcome(*left: str, **tests: str) -> Outcome:
    outcomes = {n.replace("__", "::").replace("_py", ".py"): o for n, o in tests.items()}
    return Outcome(outcomes, tuple(n for n, o in outcomes.items() if o == "failed"), tuple({n.partition("::")[0] for n in outcomes}), left=left)


def result(nodeid: str, kind: DecisionKind) -> HealingResult:
    change = FileChange.of("a.py", b"1", b"2")
    return HealingResult("h-1", nodeid, "toy", True, decision=Decision(kind, ""), nodeids=(nodeid,), changes=(change,))


def first_round(board: Board, seen: Outcome, *results: HealingResult) -> None:
    board.finished(board.plan("start"), seen, HealingReport(results=results))


def test_the_first_round_runs_everything_and_the_next_what_is_reached_failures_first() -> None:
    board = Board()
    assert board.plan("start").files is None
    first_round(board, outcome(a_py__x="passed", a_py__y="failed", b_py__z="failed"))
    board.tell(Affected(frozenset({"a.py", "lib.py"})), own=False)
    plan = board.plan("change", ["lib.py"])
    assert (plan.files, plan.first, plan.changed) == ({"a.py", "lib.py"}, ("a.py::y",), ("lib.py",))
    board.finished(plan, outcome(a_py__x="failed"), HealingReport())
    assert board.outcomes == {"a.py::x": "failed", "b.py::z": "failed"}
    assert board.plan("change").files == frozenset()


def test_what_a_cancelled_round_owed_stays_due() -> None:
    board = Board()
    first_round(board, outcome(a_py__x="passed"))
    board.tell(Affected(frozenset({"a.py"})), own=False)
    board.plan("change")
    board.tell(Affected(frozenset({"b.py"})), own=False)
    assert board.plan("change").files == {"a.py", "b.py"}
    board.tell(Affected(everything="pytest.ini changed"), own=False)
    assert board.plan("change").files is None


def test_what_did_not_come_to_run_stays_due_and_known() -> None:
    board = Board()
    first_round(board, outcome(a_py__x="passed", b_py__y="passed"))
    board.tell(Affected(frozenset({"a.py", "b.py"})), own=False)
    board.finished(board.plan("change"), outcome("b.py", a_py__x="failed"), HealingReport())
    assert board.plan("change").files == {"b.py"}
    assert board.outcomes == {"a.py::x": "failed", "b.py::y": "passed"}


def test_applied_heals_are_no_failures_and_pending_ones_are() -> None:
    board = Board()
    seen = outcome(a_py__x="failed", a_py__y="failed")
    first_round(board, seen, result("a.py::x", DecisionKind.APPLIED), result("a.py::y", DecisionKind.PENDING))
    assert board.failing == ["a.py::y"]
    assert board.heals == {"a.py::x": ("h-1", "applied"), "a.py::y": ("h-1", "pending")}
    assert board.counts() == {"passed": 0, "failed": 1, "healed": 1, "skipped": 0}


def test_a_file_healed_in_memory_only_is_still_failing() -> None:
    board = Board()
    seen = Outcome({"a.py::x": "passed"}, ("a.py",), ("a.py",))
    first_round(board, seen, result("a.py", DecisionKind.PENDING))
    assert board.failing == ["a.py"]


def test_heals_alone_do_not_go_on_for_ever() -> None:
    board = Board()
    first_round(board, outcome(a_py__x="passed"))
    mine = Affected(frozenset({"a.py"}))
    assert [board.tell(mine, own=True) for _ in range(3)] == [True, True, False]
    assert board.tell(mine, own=False)
    assert board.tell(mine, own=True)


def test_deleted_files_take_their_tests_along() -> None:
    board = Board()
    first_round(board, outcome(a_py__x="failed", b_py__y="passed"))
    board.gone("a.py")
    assert board.failing == []
    assert board.collected == {"b.py"}


# -- options ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("arguments", "name"), [((), None), (("--heal-json=a.json",), "a.json"), (("--heal-json", "b.json", "-x"), "b.json"), (("--heal-json",), None)]
)
def test_the_users_own_report_is_found(tmp_path: Path, arguments: tuple[str, ...], name: str | None) -> None:
    assert Project(tmp_path, tmp_path, arguments).report == (tmp_path / name if name else None)
