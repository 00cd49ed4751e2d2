"""The store: pending, applying, rebasing, rejecting, undoing, and what a crash leaves."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_maestro_healer.apply import journal as journal_module
from pytest_maestro_healer.apply.ids import fingerprint, healing_id, match_id
from pytest_maestro_healer.apply.paths import project_cache_dir
from pytest_maestro_healer.apply.write import read_current
from pytest_maestro_healer.errors import ApplyError, BundleError, HealerError
from pytest_maestro_healer.model import Decision, DecisionKind, FileChange
from tests.apply_helpers import Project, heal, heal_number, numbered

SOURCE = numbered()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def healed(*numbers: int) -> bytes:
    out = SOURCE
    for i in numbers:
        out = out.replace(b"== %d\n" % i, b"== %d\n" % (i + 100))
    return out


# -- ids -------------------------------------------------------------------------------------------------------
def test_id_is_short_stable_and_depends_on_the_edit() -> None:
    one, two = heal_number(SOURCE, 1), heal_number(SOURCE, 2)
    assert one.healing_id == heal_number(SOURCE, 1).healing_id != two.healing_id
    assert one.healing_id.startswith("h-")
    assert len(one.healing_id) == 10
    assert healing_id("a", "b", one.changes) != healing_id("a", "c", one.changes)
    assert healing_id("a", "b", ()) != healing_id("a", "b", (), ["test_x"])


def test_match_id() -> None:
    known = ["h-aa11", "h-ab22", "h-b333"]
    assert match_id("h-b", known) == match_id("b3", known) == "h-b333"
    for wrong, words in (("a", "not unique: h-aa11, h-ab22"), ("zz", "no heal 'zz'; known"), ("", "no heal")):
        with pytest.raises(HealerError, match=words):
            match_id(wrong, known)


def test_fingerprint_ignores_what_stands_elsewhere_but_not_the_function() -> None:
    moved = b"# new first line\n" + SOURCE
    assert fingerprint(heal_number(SOURCE, 1)) == fingerprint(heal_number(moved, 1))
    a = b"def test_a():\n    assert f() == 1\n\ndef test_b():\n    assert f() == 1\n"
    first, second = a.replace(b"== 1", b"== 2", 1), a[:32] + a[32:].replace(b"== 1", b"== 2")
    assert first != second
    assert fingerprint(heal({"t.py": (a, first)})) != fingerprint(heal({"t.py": (a, second)}))


# -- pending ---------------------------------------------------------------------------------------------------
def test_nothing_is_created_by_looking(project: Project) -> None:
    store = project.store
    assert store.pending() == []
    assert store.history() == []
    assert store.recover() == []
    assert not store.was_rejected(heal_number(SOURCE, 1))
    store.save_pending([])
    assert not project.cache.exists()


def test_pending_survives_a_new_process_and_writes_no_project_file(project: Project) -> None:
    heals = [heal_number(SOURCE, i) for i in (1, 2)]
    path = project.store.save_pending(heals)
    assert project.store.pending() == heals
    assert project.names() == ["test_a.py"]
    assert project.read() == SOURCE
    assert path.with_suffix(".patch").read_bytes().count(b"\n+    assert") == 2


def test_only_pending_results_with_changes_are_saved(project: Project) -> None:
    good = heal_number(SOURCE, 1)
    applied = replace(heal_number(SOURCE, 2), decision=Decision(DecisionKind.APPLIED, ""))
    advice = replace(good, healing_id="h-advice", changes=())
    project.store.save_pending([good, applied, advice, replace(heal_number(SOURCE, 3), decision=Decision(DecisionKind.REJECTED, "guard"))])
    assert project.store.pending() == [good]


def test_new_run_replaces_heals_of_the_same_tests(project: Project) -> None:
    old, other = heal_number(SOURCE, 1), heal_number(SOURCE, 2)
    project.store.save_pending([old, other])
    better = heal({"test_a.py": (SOURCE, SOURCE.replace(b"f(1) == 1", b"f(1) == 7"))}, "test_a.py::test_1")
    project.store.save_pending([better])
    assert project.store.pending() == [other, better]
    project.store.save_pending([], passed={"test_a.py::test_2"})
    assert project.store.pending() == [better]


def test_group_is_not_replaced_by_a_heal_of_one_of_its_tests(project: Project) -> None:
    group = replace(heal_number(SOURCE, 1), nodeids=("test_a.py::test_1", "test_b.py::test_1"))
    part = heal_number(SOURCE, 2)
    project.store.save_pending([group])
    project.store.save_pending([replace(part, nodeids=("test_a.py::test_1",))])
    assert {r.healing_id for r in project.store.pending()} == {group.healing_id, part.healing_id}


def test_stale_entry_is_skipped_and_said(project: Project) -> None:
    project.store.save_pending([heal_number(SOURCE, 1)])
    project.write({"test_a.py": SOURCE + b"# edited\n"})
    store = project.store
    assert store.pending() == []
    assert "test_a.py changed since the heal was made" in store.notes[0]
    assert "test_a.py changed" in project.store.entries()[0].problem
    outcome = project.store.accept([heal_number(SOURCE, 1).healing_id])[0]
    assert outcome.status == "stale"
    assert project.read() == SOURCE + b"# edited\n"


def test_heal_that_a_person_made_by_hand_is_done(project: Project) -> None:
    project.store.save_pending([heal_number(SOURCE, 1), heal_number(SOURCE, 2)])
    project.write({"test_a.py": healed(1) + b"# and more\n"})
    assert [(e.result.test_id, bool(e.problem)) for e in project.store.entries()] == [("test_a.py::test_2", True)]


def test_deleted_file_is_stale(project: Project) -> None:
    project.store.save_pending([heal_number(SOURCE, 1)])
    (project.root / "test_a.py").unlink()
    assert "no longer exists" in project.store.entries()[0].problem


def test_corrupt_bundle_is_set_aside_and_said(project: Project) -> None:
    path = project.store.save_pending([heal_number(SOURCE, 1)])
    path.write_bytes(b"{broken")
    store = project.store
    assert store.pending() == []
    assert "unreadable" in store.notes[0]
    assert "set aside as pending.json.corrupt" in store.notes[0]
    assert path.with_name("pending.json.corrupt").read_bytes() == b"{broken"
    project.store.save_pending([heal_number(SOURCE, 1)])
    assert len(project.store.pending()) == 1


def test_bundle_of_a_newer_version_is_left_alone(project: Project) -> None:
    path = project.store.save_pending([heal_number(SOURCE, 1)])
    data = path.read_bytes().replace(b'"schema": 1', b'"schema": 2', 1)
    path.write_bytes(data)
    with pytest.raises(BundleError, match="newer pytest-maestro-healer"):
        project.store.pending()
    with pytest.raises(BundleError, match="upgrade"):
        project.store.save_pending([heal_number(SOURCE, 2)])
    assert path.read_bytes() == data
    assert project.store.apply([heal_number(SOURCE, 2)])[0].ok


@pytest.mark.parametrize("path", ["../outside.py", "/tmp/outside.py", ".git/hooks/pre-commit", "a/../../outside.py"])
def test_path_traversal_in_a_bundle_is_refused(project: Project, path: str) -> None:
    evil = replace(heal_number(SOURCE, 1), changes=(FileChange.of(path, SOURCE, b"evil"),))
    (project.root.parent / "outside.py").write_bytes(SOURCE)
    project.store.save_pending([evil])
    entry = project.store.entries()[0]
    assert "refused" in entry.problem
    assert project.store.accept([evil.healing_id])[0].status == "failed"
    assert (project.root.parent / "outside.py").read_bytes() == SOURCE


def test_bytes_that_do_not_have_their_hash_are_refused(project: Project) -> None:
    path = project.store.save_pending([heal_number(SOURCE, 1), heal_number(SOURCE, 2)])
    data = json.loads(path.read_bytes())
    data["results"][0]["changes"][0]["before"] = "something else"
    path.write_text(json.dumps(data))
    store = project.store
    assert [r.healing_id for r in store.pending()] == [heal_number(SOURCE, 2).healing_id]
    assert "entry 1 of the pending bundle is skipped" in store.notes[0]


# -- applying --------------------------------------------------------------------------------------------------
def test_several_heals_of_one_file_stay_acceptable_in_any_order(project: Project) -> None:
    heals = [heal_number(SOURCE, i) for i in (1, 3, 5)]
    project.store.save_pending(heals)
    for n, i in enumerate((3, 5, 1)):
        store = project.store
        assert store.accept([heal_number(SOURCE, i).healing_id])[0].ok
        assert len(project.store.pending()) == 2 - n
    assert project.read() == healed(1, 3, 5)


def test_apply_of_many_heals_in_one_call(project: Project) -> None:
    outcomes = project.store.apply([heal_number(SOURCE, i) for i in (1, 2, 3)])
    assert [o.status for o in outcomes] == ["applied"] * 3
    assert project.read() == healed(1, 2, 3)


def test_heals_that_build_on_each_other(project: Project) -> None:
    """A later heal may have been made against the healed bytes of an earlier one."""
    first = heal_number(SOURCE, 1)
    second = heal_number(first.changes[0].after_bytes, 2)
    project.store.save_pending([first, second])
    assert project.store.accept([second.healing_id])[0].ok
    assert project.read() == healed(2)
    assert project.store.accept([first.healing_id])[0].ok
    assert project.read() == healed(1, 2)


def test_two_heals_of_the_same_line(project: Project) -> None:
    one = heal_number(SOURCE, 1)
    other = heal({"test_a.py": (SOURCE, SOURCE.replace(b"f(1) == 1", b"f(1) == 5"))}, "test_a.py::test_1")
    project.store.save_pending([one, other])
    assert project.store.accept([one.healing_id])[0].ok
    assert "another applied heal changed the same lines" in project.store.entries()[0].problem
    project.store.rollback()
    assert project.store.accept([other.healing_id])[0].ok


def test_many_files_all_or_nothing(project: Project) -> None:
    files = {f"test_{n}.py": SOURCE for n in "abc"}
    project.write(files)
    group = heal({name: (SOURCE, healed(1)) for name in files})
    (project.root / "test_c.py").chmod(0o444)
    outcome = project.store.apply([group])[0]
    assert outcome.status == "failed"
    assert "test_c.py is read-only" in outcome.message
    assert all(project.read(n) == SOURCE for n in files)
    (project.root / "test_c.py").chmod(0o644)
    project.write({"test_b.py": SOURCE + b"#\n"})
    assert project.store.apply([group])[0].status == "stale"
    assert project.read("test_a.py") == SOURCE


@pytest.mark.parametrize("fail_at", [1, 2, 3])
def test_full_disk_half_way_puts_everything_back(project: Project, monkeypatch: pytest.MonkeyPatch, fail_at: int) -> None:
    files = {f"test_{n}.py": SOURCE for n in "abc"}
    project.write(files)
    real, calls = journal_module.write_file, [0]

    def full(root: Path, path: str, data: bytes, expected: str, temp: str = "") -> None:
        calls[0] += 1
        if calls[0] == fail_at:
            raise ApplyError(f"{path} could not be written ({os.strerror(errno.ENOSPC)}); it is unchanged")
        real(root, path, data, expected, temp)

    monkeypatch.setattr(journal_module, "write_file", full)
    outcome = project.store.apply([heal({name: (SOURCE, healed(1)) for name in files})])[0]
    assert outcome.status == "failed"
    assert "No space left" in outcome.message
    assert all(project.read(n) == SOURCE for n in files)
    assert project.store.history() == []
    assert project.store.recover() == []
    assert project.names() == sorted(files)


def test_ctrl_c_half_way_puts_everything_back(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {f"test_{n}.py": SOURCE for n in "abc"}
    project.write(files)
    real, calls = journal_module.write_file, [0]

    def interrupted(root: Path, path: str, data: bytes, expected: str, temp: str = "") -> None:
        real(root, path, data, expected, temp)
        calls[0] += 1
        if calls[0] == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(journal_module, "write_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        project.store.apply([heal({name: (SOURCE, healed(1)) for name in files})])
    assert all(project.read(n) == SOURCE for n in files)
    assert project.store.history() == []


def test_two_writers_at_the_same_time(project: Project) -> None:
    heals = [heal_number(SOURCE, i) for i in range(8)]
    project.store.save_pending(heals)
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda h: project.store.accept([h.healing_id])[0], heals))
    assert [o.status for o in outcomes] == ["applied"] * 8
    assert project.read() == healed(*range(8))
    assert len(project.store.history()) == 8
    assert project.store.pending() == []


def test_unusable_cache_writes_nothing_and_says_so(project: Project) -> None:
    project.cache.write_text("a file in the way")
    for call in (lambda: project.store.apply([heal_number(SOURCE, 1)]), lambda: project.store.save_pending([heal_number(SOURCE, 1)])):
        with pytest.raises(ApplyError, match="cannot be used"):
            call()
    assert project.read() == SOURCE
    assert project.store.pending() == []


def test_result_without_changes_is_not_applied(project: Project) -> None:
    assert project.store.apply([replace(heal_number(SOURCE, 1), changes=())])[0].status == "failed"


def test_unknown_id_applies_nothing(project: Project) -> None:
    one = heal_number(SOURCE, 1)
    project.store.save_pending([one])
    with pytest.raises(HealerError, match="no heal 'h-zz'"):
        project.store.accept([one.healing_id, "h-zz"])
    assert project.read() == SOURCE


# -- undoing ---------------------------------------------------------------------------------------------------
def test_rollback_restores_the_exact_bytes(tmp_path: Path) -> None:
    before = b"\xef\xbb\xbf# x\r\nassert f() == 1 # \xe4\xff\r\n\x00 no newline"
    project = Project(tmp_path, {"test_a.py": before})
    one = heal({"test_a.py": (before, before.replace(b"== 1", b"== 22"))})
    project.store.apply([one])
    assert project.read() == one.changes[0].after_bytes
    (outcome,) = project.store.rollback(one.healing_id[:6])
    assert outcome.status == "rolled_back"
    assert project.read() == before
    with pytest.raises(HealerError, match="nothing is applied"):
        project.store.rollback()


def test_rollback_without_id_undoes_the_last_command(project: Project) -> None:
    project.store.apply([heal_number(SOURCE, 1)])
    project.store.apply([heal_number(SOURCE, i) for i in (2, 3)])
    assert [o.healing_id for o in project.store.rollback()] == [heal_number(SOURCE, i).healing_id for i in (3, 2)]
    assert project.read() == healed(1)
    assert [a.healing_id for a in project.store.history()] == [heal_number(SOURCE, 1).healing_id]


def test_rollback_of_an_earlier_heal_keeps_the_later_one(project: Project) -> None:
    project.store.apply([heal_number(SOURCE, 1)])
    project.store.apply([heal_number(SOURCE, 2)])
    assert project.store.rollback(heal_number(SOURCE, 1).healing_id)[0].ok
    assert project.read() == healed(2)
    assert project.store.rollback()[0].ok
    assert project.read() == SOURCE


def test_rollback_refuses_when_the_file_was_edited_since(project: Project) -> None:
    project.store.apply([heal_number(SOURCE, 1)])
    project.write({"test_a.py": healed(1) + b"# mine\n"})
    (outcome,) = project.store.rollback()
    assert outcome.status == "stale"
    assert "changed since" in outcome.message
    assert project.read() == healed(1) + b"# mine\n"
    project.write({"test_a.py": healed(1)})
    assert project.store.rollback()[0].ok


def test_heal_can_be_applied_again_after_a_rollback(project: Project) -> None:
    for _ in range(3):
        assert project.store.apply([heal_number(SOURCE, 1)])[0].ok
        assert project.store.rollback()[0].ok
    assert project.read() == SOURCE


def test_damaged_backup_is_not_restored(project: Project) -> None:
    project.store.apply([heal_number(SOURCE, 1)])
    for blob in project.store.folder.glob("blobs/*.blob"):
        blob.write_bytes(b"damaged")
    (outcome,) = project.store.rollback()
    assert outcome.status == "failed"
    assert "damaged" in outcome.message
    assert project.read() == healed(1)


def test_damaged_journal_entry_is_set_aside(project: Project) -> None:
    project.store.apply([heal_number(SOURCE, 1)])
    (entry,) = project.store.folder.glob("journal/*.json")
    entry.write_bytes(b"\xff")
    store = project.store
    assert store.history() == []
    assert "set aside" in store.notes[0]


def test_find_gives_an_applied_heal_with_its_diff(project: Project) -> None:
    one = heal_number(SOURCE, 1)
    project.store.apply([one])
    found, state, problem = project.store.find(one.healing_id)
    assert (state, problem, found.changes, found.diff) == ("applied", "", one.changes, one.diff)
    assert found.decision.kind is DecisionKind.APPLIED


def test_journal_is_pruned_but_undoing_the_newest_works(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "KEEP", 2)
    before = SOURCE
    for i in range(60):
        after = before + b"# %d\n" % i
        assert project.store.apply([heal({"test_a.py": (before, after)})])[0].ok
        before = after
    assert len(list(project.store.folder.glob("journal/*.json"))) <= 52
    assert len(list(project.store.folder.glob("blobs/*.blob"))) <= 54
    assert project.store.rollback()[0].ok
    assert project.read() == before.removesuffix(b"# 59\n")


# -- rejecting -------------------------------------------------------------------------------------------------
def test_rejected_edit_is_remembered_and_not_saved_again(project: Project) -> None:
    one, two = heal_number(SOURCE, 1), heal_number(SOURCE, 2)
    project.store.save_pending([one, two])
    assert [o.status for o in project.store.reject([one.healing_id])] == ["rejected"]
    assert project.store.pending() == [two]
    again = heal_number(b"# moved\n" + SOURCE, 1)
    assert project.store.was_rejected(again)
    assert not project.store.was_rejected(two)
    project.store.save_pending([one])
    assert project.store.pending() == [two]


def test_result_that_was_never_pending_can_be_rejected(project: Project) -> None:
    project.store.reject([heal_number(SOURCE, 1)])
    assert project.store.was_rejected(heal_number(SOURCE, 1))


def test_corrupt_list_of_rejections_is_set_aside(project: Project) -> None:
    project.store.reject([heal_number(SOURCE, 1)])
    (project.store.folder / "rejected.json").write_bytes(b"[]")
    store = project.store
    assert not store.was_rejected(heal_number(SOURCE, 1))
    assert "set aside" in store.notes[0]


# -- crashes ---------------------------------------------------------------------------------------------------
def crash(project: Project, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Apply a heal of three files and stop dead after ``after`` of them, without any clean-up."""

    class Killed(BaseException):
        pass

    real, calls = journal_module.write_file, [0]

    def dying(*args: object) -> None:
        if calls[0] == after:
            raise Killed
        calls[0] += 1
        real(*args)  # type: ignore[arg-type]

    files = {f"test_{n}.py": SOURCE for n in "abc"}
    project.write(files)
    with monkeypatch.context() as m:
        m.setattr(journal_module, "write_file", dying)
        m.setattr(journal_module.Journal, "_undo", lambda *_: None)
        with pytest.raises(Killed):
            project.store.apply([heal({name: (SOURCE, healed(1)) for name in files})])


def test_recover_undoes_a_half_applied_heal(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    crash(project, monkeypatch, 2)
    assert (project.read("test_b.py"), project.read("test_c.py")) == (healed(1), SOURCE)
    notes = project.store.recover()
    assert "interrupted apply" in notes[0]
    assert "was undone" in notes[0]
    assert all(project.read(f"test_{n}.py") == SOURCE for n in "abc")
    assert project.store.recover() == []


def test_recover_leaves_what_somebody_edited_since(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    crash(project, monkeypatch, 2)
    project.write({"test_a.py": b"mine\n"})
    assert "except in test_a.py" in project.store.recover()[0]
    assert project.read("test_a.py") == b"mine\n"
    assert project.read("test_b.py") == SOURCE


def test_next_apply_recovers_first(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    crash(project, monkeypatch, 1)
    assert project.store.apply([heal_number(SOURCE, 2, "test_c.py")])[0].ok
    assert project.read("test_a.py") == SOURCE


def test_rollback_after_a_crash_that_completed(project: Project) -> None:
    files = {f"test_{n}.py": SOURCE for n in "abc"}
    project.write(files)
    project.store.apply([heal({name: (SOURCE, healed(1)) for name in files})])
    (entry,) = project.store.folder.glob("journal/*.json")
    entry.write_bytes(entry.read_bytes().replace(b'"state": "done"', b'"state": "begun"'))
    assert project.store.rollback()[0].ok
    assert all(project.read(n) == SOURCE for n in files)


@pytest.mark.skipif(os.name == "nt", reason="fork and SIGKILL")
def test_kill_at_any_moment() -> None:
    script = Path(__file__).parents[1] / "bench" / "bench_kill.py"
    done = subprocess.run([sys.executable, str(script), "--trials", "20"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["trials"] == 20
    assert report["states after the kill"].get("mixed", 0) > 0, "no kill landed between two writes: the trial shows nothing"


def test_state_can_be_inside_the_project_without_being_collected(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.cache = project.root / ".maestro"
    project.store.save_pending([heal_number(SOURCE, 1)])
    project.store.apply([heal_number(SOURCE, 1)])
    mine = [n for n in project.names() if n.startswith(".maestro")]
    assert mine
    assert not [n for n in mine if n.endswith(".py")]
    assert read_current(project.root, "test_a.py") == healed(1)
    assert project_cache_dir(project.root, str(project.cache)).joinpath(".gitignore").read_text().endswith("*\n")
