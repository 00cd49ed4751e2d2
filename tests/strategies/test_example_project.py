"""The builder of example projects: bytes, commits, working tree, and what cannot run here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from pytest_maestro_healer.strategies.base import Example
from tests.strategies.example_project import build, cannot_run, data_of, snapshot

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


def git(root: Path, *args: str) -> str:
    return subprocess.run(["git", *args], cwd=root, check=True, capture_output=True, text=True).stdout


def test_text_is_kept_and_blocks_are_dedented() -> None:
    assert data_of("    x = 1\n  y\n") == b"    x = 1\n  y\n"
    assert data_of("\n        def f():\n            return 1\n        ") == b"def f():\n    return 1\n"
    assert data_of(b"\xef\xbb\xbf\r\n") == b"\xef\xbb\xbf\r\n"


def test_plain_project_has_no_repository(tmp_path: Path) -> None:
    build(tmp_path / "p", Example("t", {"a/b.py": "x", "c.py": b"\xff"}))
    assert snapshot(tmp_path / "p") == {"a/b.py": b"x", "c.py": b"\xff"}
    assert not (tmp_path / "p" / ".git").exists()


@needs_git
def test_commits_head_and_working_tree(tmp_path: Path) -> None:
    example = Example(
        "t",
        {"new.py": "3\n", "test_x.py": "t\n"},
        head={"new.py": "2\n", "test_x.py": "t\n"},
        commits=[("first", {"old.py": "1\n"}), ("second", {"old.py": "2\n", "test_x.py": "t\n"})],
        message="rename",
    )
    build(tmp_path, example)
    assert git(tmp_path, "log", "--format=%s").split() == ["rename", "second", "first"]
    assert git(tmp_path, "ls-tree", "--name-only", "HEAD").split() == ["new.py", "test_x.py"]
    assert git(tmp_path, "show", "HEAD:new.py") == "2\n"
    assert git(tmp_path, "status", "--porcelain").split() == ["M", "new.py"]
    assert snapshot(tmp_path) == {"new.py": b"3\n", "test_x.py": b"t\n"}


def test_what_cannot_run_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cannot_run(Example("t", {})) == ""
    assert "3, 99" in cannot_run(Example("t", {}, min_python=(3, 99)))
    assert "no_such_module" in cannot_run(Example("t", {}, needs=("no_such_module", "json")))
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert cannot_run(Example("t", {}, head={"a": ""})) == "needs git"
