"""``maestro-heal merge``: the bundles of CI shards become one, each heal once, nothing lost without a word."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_maestro_healer.apply.pending import dump_bundle
from pytest_maestro_healer.apply.shards import alternatives, together
from pytest_maestro_healer.model import Decision, DecisionKind, HealingReport, HealingResult
from pytest_maestro_healer.report.json import dumps
from tests.apply_helpers import Cli, Project, commands, heal, heal_number, numbered

SOURCE = numbered()
ONE, TWO, THREE = (heal_number(SOURCE, i) for i in (1, 2, 3))
OTHER_ONE = heal({"test_a.py": (SOURCE, SOURCE.replace(b"assert f(1) == 1\n", b"assert f(1) == 1.0\n"))}, "test_a.py::test_1")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    p = Project(tmp_path)
    p.write({"pytest.ini": b"[pytest]\nheal_cache_dir = ../cache\n"})
    monkeypatch.chdir(p.root)
    return p


@pytest.fixture
def cli(project: Project, capfd: pytest.CaptureFixture[str]) -> Cli:
    return commands(capfd)


def shard(tmp_path: Path, name: str, *results: HealingResult) -> str:
    """A bundle as a job of CI leaves it, in the state folder of another machine; the folder to give to merge."""
    folder = tmp_path / "shards" / name
    (folder / ".maestro" / "project-0123456789ab").mkdir(parents=True)
    (folder / ".maestro" / "project-0123456789ab" / "pending.json").write_bytes(dump_bundle(results, "0.1.0", f"/home/runner/{name}"))
    return str(folder)


# -- together --------------------------------------------------------------------------------------------------
def test_one_edit_is_kept_once_for_all_its_tests_as_sure_as_the_least_sure() -> None:
    sure = replace(ONE, unasked="safe", confidence_score=0.95)
    again = replace(ONE, nodeids=("test_a.py::test_1", "test_b.py::test_it"), confidence_score=0.8)
    found = together([[sure, TWO], [again]])
    assert [r.healing_id for r in found.results] == [ONE.healing_id, TWO.healing_id]
    assert found.results[0].nodeids == ("test_a.py::test_1", "test_b.py::test_it")
    assert (found.results[0].confidence_score, found.results[0].unasked, found.repeated) == (0.8, "", 1)


def test_one_edit_under_two_names_is_one() -> None:
    found = together([[ONE], [replace(ONE, healing_id="h-00000000", strategy_used="api_contract_adaptation")]])
    assert [r.healing_id for r in found.results] == [ONE.healing_id]


def test_two_edits_under_one_name_are_not_mixed_up() -> None:
    found = together([[ONE], [replace(TWO, healing_id=ONE.healing_id)]])
    assert [r.changes for r in found.results] == [ONE.changes]
    assert found.damaged == (f"{ONE.healing_id} is the name of two different edits; the second one is left out",)


def test_edits_of_one_place_are_alternatives_and_neighbours_are_not() -> None:
    assert [(a.first, a.second, a.path) for a in alternatives([ONE, TWO, OTHER_ONE])] == [
        (*sorted((ONE.healing_id, OTHER_ONE.healing_id)), "test_a.py")
    ]
    assert alternatives([ONE, TWO, THREE]) == []


def test_imports_inserted_at_one_place_are_no_alternatives() -> None:
    one, two = (heal({"test_a.py": (SOURCE, b"import %s\n" % m + SOURCE)}) for m in (b"os", b"re"))
    assert alternatives([one, two]) == []


# -- the command -----------------------------------------------------------------------------------------------
def test_shards_are_merged_into_the_projects_own_bundle(cli: Cli, project: Project, tmp_path: Path) -> None:
    project.store.save_pending([THREE])
    done = cli("merge", shard(tmp_path, "a", ONE, TWO), shard(tmp_path, "b", ONE), shard(tmp_path, "c"))
    assert (done.code, done.err) == (0, "")
    assert "2 heals of 3 bundles, 1 of them found more than once" in done.out
    assert {e.result.healing_id for e in project.store.entries()} == {ONE.healing_id, TWO.healing_id, THREE.healing_id}
    assert cli("accept", "--all").code == 0
    assert project.read().count(b"== 10") == 3


def test_alternatives_are_both_kept_and_the_second_one_is_stale_when_the_first_is_taken(cli: Cli, project: Project, tmp_path: Path) -> None:
    done = cli("merge", shard(tmp_path, "py310", ONE), shard(tmp_path, "py313", OTHER_ONE))
    assert done.code == 0
    assert "edit the same place of test_a.py" in done.out
    assert cli("list", "--json").json["pending"].__len__() == 2
    assert cli("accept", OTHER_ONE.healing_id).code == 1
    assert b"== 1.0\n" in project.read()
    (left,) = cli("list", "--json").json["pending"]
    assert (left["healing_id"], bool(left["stale"])) == (ONE.healing_id, True)


def test_a_bundle_and_a_patch_for_git_are_written(cli: Cli, project: Project, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    target = tmp_path / "out" / "heals.json"
    done = cli("--json", "merge", shard(tmp_path, "a", ONE), shard(tmp_path, "b", TWO), "-o", str(target))
    assert done.json["merged"] == [ONE.healing_id, TWO.healing_id]
    assert (done.json["schema"], done.json["patch"]) == (1, str(target.with_suffix(".patch")))
    assert not project.cache.exists()
    subprocess.run(["git", "apply", str(target.with_suffix(".patch"))], check=True)
    assert project.read().count(b"== 10") == 2


def test_what_is_merged_can_be_merged_again(cli: Cli, project: Project, tmp_path: Path) -> None:
    target = tmp_path / "heals.json"
    cli("merge", shard(tmp_path, "a", ONE), "--output", str(target))
    assert cli("merge", str(target), str(target)).code == 0
    assert cli("merge", str(target)).code == 0
    assert [e.result.healing_id for e in project.store.entries()] == [ONE.healing_id]


def test_stale_rejected_and_made_ones_are_left_out_and_said(cli: Cli, project: Project, tmp_path: Path) -> None:
    stale = heal_number(SOURCE.replace(b"f(3)", b"g(3)"), 4)
    gone = heal({"test_gone.py": (b"x = 1\n", b"x = 2\n")})
    project.store.reject([TWO])
    project.write({"test_a.py": ONE.changes[0].after_bytes})
    done = cli("merge", shard(tmp_path, "a", ONE, TWO, stale, gone), "--json")
    assert done.code == 1
    why = {left["healing_id"]: left["reason"] for left in done.json["left_out"]}
    assert why[ONE.healing_id] == "the files have it already"
    assert why[TWO.healing_id] == "it was rejected here before"
    assert "changed since the heal was made" in why[stale.healing_id]
    assert "no longer exists" in why[gone.healing_id]
    assert done.json["merged"] == []


@pytest.mark.parametrize("path", ["../secret.py", "/etc/passwd", "a/../../secret.py", ".git/config", "link/secret.py"])
def test_paths_outside_the_project_are_refused(cli: Cli, project: Project, tmp_path: Path, path: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    for secret in (tmp_path / "secret.py", tmp_path / "elsewhere" / "secret.py"):
        secret.write_bytes(b"x = 1\n")
    (project.root / "link").symlink_to(tmp_path / "elsewhere")
    (project.root / ".git").mkdir()
    (project.root / ".git" / "config").write_bytes(b"x = 1\n")
    target = tmp_path / "heals.json"
    done = cli("merge", shard(tmp_path, "evil", heal({path: (b"x = 1\n", b"x = 2\n")}), ONE), "-o", str(target))
    assert done.code == 1
    assert "refused" in done.err
    assert [r["healing_id"] for r in json.loads(target.read_bytes())["results"]] == [ONE.healing_id]
    assert b"x = 2" not in target.with_suffix(".patch").read_bytes()


def test_a_report_is_a_bundle_too_without_what_it_refused(cli: Cli, project: Project, tmp_path: Path) -> None:
    refused = replace(TWO, decision=Decision(DecisionKind.REJECTED, "looks like a regression"), success=False)
    applied = replace(THREE, decision=Decision(DecisionKind.APPLIED, "safe"))
    (tmp_path / "heal.json").write_text(dumps(HealingReport((ONE, refused, applied), 3)))
    assert cli("merge", str(tmp_path / "heal.json"), "--json").json["merged"] == [ONE.healing_id, THREE.healing_id]


def test_a_damaged_bundle_costs_only_itself(cli: Cli, project: Project, tmp_path: Path) -> None:
    bad = tmp_path / "cut.json"
    bad.write_bytes(dump_bundle([ONE], "0.1.0", "/ci")[:500])
    newer = tmp_path / "newer.json"
    newer.write_text('{"schema": 99, "results": []}')
    done = cli("merge", str(bad), str(newer), shard(tmp_path, "good", TWO))
    assert done.code == 1
    assert f"{bad} is no bundle: not JSON" in done.err
    assert f"{newer} is no bundle: it was written by a newer" in done.err
    assert [e.result.healing_id for e in project.store.entries()] == [TWO.healing_id]


def test_what_the_bundle_says_of_its_diff_is_not_believed(cli: Cli, project: Project, tmp_path: Path) -> None:
    cli("merge", shard(tmp_path, "a", replace(ONE, diff="nothing to see here", healed_code="")))
    shown = cli("show", ONE.healing_id).out
    assert "nothing to see" not in shown
    assert "+    assert f(1) == 101" in shown


def test_wrong_names_are_one_line(cli: Cli, tmp_path: Path) -> None:
    for args, word in (
        (["nowhere.json"], "there is no nowhere.json"),
        ([], "required: BUNDLE"),
        (["-o", "a.patch", str(tmp_path)], "give the bundle"),
    ):
        done = cli("merge", *args)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert word in done.err


def test_green_shards_leave_nothing_to_do(cli: Cli, project: Project, tmp_path: Path) -> None:
    (tmp_path / "green").mkdir()
    done = cli("merge", str(tmp_path / "green"))
    assert (done.code, done.out, done.err) == (0, "0 heals of 0 bundles\n", "")
    assert not project.cache.exists()


def test_other_folders_are_looked_at_from_where_one_stands(cli: Cli, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shard(tmp_path, "a", ONE)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tmp_path / "shards", project.root / "shards")
    assert cli("-C", str(project.root), "merge", "shards", "-o", "out/heals.json").code == 0
    assert (project.root / "out" / "heals.patch").read_bytes().startswith(b"--- a/test_a.py")
