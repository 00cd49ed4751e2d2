"""A copy of the project: what code that looks for its root upwards finds there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pytest_maestro_healer.evidence.git import Git
from pytest_maestro_healer.session.fresh import scratch_copy, scratch_place
from tests.unit.test_git import commit, git, write

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


def repository(folder: Path) -> Path:
    folder.mkdir()
    git(folder, "init", "-q", "--template=", "-b", "main")
    write(folder, {"settings.json": b"{}", "core/shop.py": b"x = 1\n", "web/app.py": b"y = 1\n"})
    commit(folder)
    return folder


def copied(root: Path, work: Path) -> Path:
    work.mkdir()
    copy = scratch_place(root, work)
    assert scratch_copy(root, copy, {"shop.py": b"x = 2\n"}) == ""
    assert (copy / "shop.py").read_bytes() == b"x = 2\n"
    return copy


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_copy_has_an_empty_git_of_the_kind_that_the_project_has(tmp_path: Path, kind: str) -> None:
    root = repository(tmp_path / "shop")
    if kind == "file":
        git(root, "worktree", "add", "-q", "../tree")
        root = tmp_path / "tree"
    copy = copied(root, tmp_path / "work")
    assert copy.name == root.name
    assert (copy / "web/app.py").is_file()
    assert (copy / ".git").is_dir() == (kind == "folder")
    assert (copy / ".git").exists()
    assert not Git(copy).available


def test_a_copy_lies_below_the_top_of_the_repository_with_the_files_between(tmp_path: Path) -> None:
    top = repository(tmp_path / "shop")
    write(top / "core", {"vendored/.git": b"gitdir: ../../.git/modules/vendored\n"})
    copy = copied(top / "core", tmp_path / "work")
    assert [p.name for p in (copy, copy.parent)] == ["core", "shop"]
    assert sorted(p.name for p in copy.parent.iterdir()) == [".git", "core", "settings.json"]
    assert not any((copy.parent / ".git").iterdir())
    assert b"modules" not in (copy / "vendored/.git").read_bytes()


def test_without_a_repository_only_the_name_is_kept(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    write(root, {"shop.py": b"x = 1\n"})
    write(tmp_path, {"beside.txt": b""})
    copy = copied(root, tmp_path / "work")
    assert copy.name == "shop"
    assert [p.name for p in copy.parent.iterdir()] == ["shop"]
    assert not (copy / ".git").exists()
