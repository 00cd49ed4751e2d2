"""Facts from git: real repositories of every awkward kind, and diffs whose lines look like headers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_maestro_healer.evidence.git import Git, Hunk, parse_diff

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
ENV = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Author",
    "GIT_AUTHOR_EMAIL": "author@example.org",
    "GIT_COMMITTER_NAME": "Author",
    "GIT_COMMITTER_EMAIL": "author@example.org",
}


def git(root: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=root, check=True, capture_output=True, env={**os.environ, **ENV})
    return done.stdout.decode("utf-8", "surrogateescape")


def write(root: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)


def commit(root: Path, message: str = "c") -> str:
    git(root, "add", "-A")
    git(root, "commit", "-qm", message)
    return git(root, "rev-parse", "HEAD").strip()


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    return root


# -- where there is nothing to know ------------------------------------------------------------------------------
def nothing_known(facts: Git) -> bool:
    return (
        not facts.available
        and facts.bytes_at("a.py") is None
        and list(facts.changed_files()) == []
        and facts.hunks() == ()
        and list(facts.commits()) == []
        and facts.renames() == {}
        and facts.last_change("a.py", 1) == ""
        and not facts.unmerged("a.py")
    )


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert nothing_known(Git(tmp_path))


def test_no_git(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(repo, {"a.py": b"1\n"})
    commit(repo)
    assert Git(repo).available
    monkeypatch.setenv("PATH", "")
    assert nothing_known(Git(repo))


def test_repository_without_commits(repo: Path) -> None:
    write(repo, {"a.py": b"1\n"})
    assert nothing_known(Git(repo))


def test_root_that_is_gone(tmp_path: Path) -> None:
    assert nothing_known(Git(tmp_path / "nowhere"))


def test_bare_repository_is_no_work_tree_but_its_worktree_is(repo: Path, tmp_path: Path) -> None:
    write(repo, {"a.py": b"1\n"})
    commit(repo)
    git(tmp_path, "clone", "-q", "--bare", "repo", "bare.git")
    assert not Git(tmp_path / "bare.git").available
    git(tmp_path / "bare.git", "worktree", "add", "-q", "../tree", "main")
    facts = Git(tmp_path / "tree")
    write(tmp_path / "tree", {"a.py": b"2\n"})
    assert facts.available
    assert facts.bytes_at("a.py") == b"1\n"
    assert [h.added for h in facts.hunks()] == [("2",)]


def test_detached_head(repo: Path) -> None:
    write(repo, {"a.py": b"1\n"})
    first = commit(repo)
    git(repo, "checkout", "-q", "--detach")
    assert Git(repo).head == first
    assert Git(repo).available


# -- subdirectory, odd names ---------------------------------------------------------------------------------------
def test_root_in_a_subdirectory(repo: Path) -> None:
    write(repo, {"sub dir/pkg/a.py": b"1\n", "other.py": b"1\n"})
    commit(repo)
    write(repo, {"sub dir/pkg/a.py": b"2\n", "other.py": b"2\n"})
    facts = Git(repo / "sub dir")
    assert facts.bytes_at("pkg/a.py") == b"1\n"
    assert list(facts.changed_files()) == ["pkg/a.py"]
    assert [(h.path, h.old_path) for h in facts.hunks()] == [("pkg/a.py", "pkg/a.py")]
    assert facts.is_dirty("pkg/a.py")
    assert [s for _, s in facts.commits("pkg/a.py")] == ["c"]


NAMES = ["plain.py", "with space.py", " lead.py", "überß.py", "日本/テスト.py", "[x]*?.py", "a -> b.py"]
if sys.platform != "win32":
    NAMES += ['quo"te.py', "back\\slash.py", "tab\there.py", "new\nline.py", 'mixed ü".py', "latin-\udce9.py"]


@pytest.mark.parametrize("name", NAMES)
def test_every_name(repo: Path, name: str) -> None:
    try:
        write(repo, {name: b"1\n2\n", "[y].py": b"1\n"})
    except OSError:  # a file system that knows UTF-8 only
        pytest.skip("the file system refuses this name")
    commit(repo)
    write(repo, {name: b"1\n3\n", "[y].py": b"2\n"})
    facts = Git(repo)
    assert sorted(facts.changed_files()) == sorted([name, "[y].py"])
    assert [h for h in facts.hunks() if h.path != "[y].py"] == [Hunk(name, name, 2, 2, ("2",), ("3",))]
    assert facts.hunks("HEAD", "", (name,)) == (Hunk(name, name, 2, 2, ("2",), ("3",)),)
    assert facts.bytes_at(name) == b"1\n2\n"
    assert facts.is_dirty(name)
    assert len(facts.last_change(name, 1)) == 7
    assert facts.last_change(name, 2) == ""


def test_renames_of_work_tree_and_history(repo: Path) -> None:
    text = b"".join(b"line %d\n" % i for i in range(30))
    write(repo, {"one two.py": text, 'q"1.py': text + b"x\n"})
    commit(repo)
    git(repo, "mv", "one two.py", "three four.py")
    commit(repo, "rename")
    git(repo, "mv", 'q"1.py', "q2.py")
    facts = Git(repo)
    assert facts.renames() == {"one two.py": "three four.py", 'q"1.py': "q2.py"}
    write(repo, {"q2.py": text + b"y\n"})
    assert [(h.old_path, h.path) for h in facts.hunks()] == [('q"1.py', "q2.py")]


def test_the_files_that_ever_had_a_word(repo: Path) -> None:
    write(repo, {"a.py": b"total = 1\n", "b.py": b"subtotal = 1\n", "sub/c.py": b"x = total\n"})
    commit(repo)
    write(repo, {"a.py": b"grand_total = 1\n", "b.py": b"totals = 1\n", "sub/c.py": b"x = 1\n"})
    commit(repo, "rename")
    assert Git(repo).ever_in("total") == {"a.py", "sub/c.py"}
    assert Git(repo / "sub").ever_in("total") == {"c.py"}
    assert Git(repo).ever_in("nothing") == frozenset()


def test_renames_by_hand_that_git_has_not_been_told_of(repo: Path) -> None:
    text = b"".join(b"line %d\n" % i for i in range(30))
    write(repo, {"a.py": text, "b.py": text[:100] + b"".join(b"other %d\n" % i for i in range(30)), "c.py": b"c\n", ".gitignore": b"hidden.py\n"})
    commit(repo)
    for name in ("a.py", "b.py", "c.py"):
        (repo / name).unlink()
    write(repo, {"sub/a2.py": text[:200] + b"new\n", "a3.txt": text, "hidden.py": text, "unlike.py": b"something else\n", "c.txt": b"c\n"})
    assert Git(repo).renames() == {"a.py": "sub/a2.py"}
    write(repo, {"b2.py": b"".join(b"other %d\n" % i for i in range(30))})
    assert Git(repo).renames() == {"a.py": "sub/a2.py", "b.py": "b2.py"}


def test_added_and_deleted_files(repo: Path) -> None:
    write(repo, {"gone.py": b"1\n2\n"})
    commit(repo)
    (repo / "gone.py").unlink()
    write(repo, {"new.py": b"a\n"})
    git(repo, "add", "-A")
    hunks = {h.path: h for h in Git(repo).hunks()}
    assert hunks["gone.py"] == Hunk("gone.py", "gone.py", 1, 0, ("1", "2"), ())
    assert hunks["new.py"] == Hunk("new.py", "", 0, 1, (), ("a",))


# -- lines that look like headers --------------------------------------------------------------------------------------
def test_lines_that_look_like_headers(repo: Path) -> None:
    old = b"keep\n-- a/x.py\n++ b/x.py\n@@ -1 +1 @@\ndiff --git a/x b/x\nkeep\nlast\n"
    new = b"keep\n-- b/y.py\n++ a/y.py\n@@ -2 +2 @@\ndiff --git a/y b/y\nkeep\nlast!\n"
    write(repo, {"a.txt": old, "b.txt": b"1\n"})
    commit(repo)
    write(repo, {"a.txt": new, "b.txt": b"2\n"})
    one, two, three = Git(repo).hunks()
    assert one.removed == ("-- a/x.py", "++ b/x.py", "@@ -1 +1 @@", "diff --git a/x b/x")
    assert one.added == ("-- b/y.py", "++ a/y.py", "@@ -2 +2 @@", "diff --git a/y b/y")
    assert (two.path, two.old_line, two.removed, two.added) == ("a.txt", 7, ("last",), ("last!",))
    assert (three.path, three.removed, three.added) == ("b.txt", ("1",), ("2",))


def test_missing_final_newline_carriage_returns_and_bytes(repo: Path) -> None:
    write(repo, {"a.txt": b"x\r\ny", "b.txt": b"\xe9\n", "c.txt": b"n", "d.bin": b"\0\1"})
    commit(repo)
    write(repo, {"a.txt": b"x\r\nz\r\n", "b.txt": b"\xe8\n", "c.txt": b"n\n", "d.bin": b"\0\2"})
    hunks = {h.path: (h.removed, h.added) for h in Git(repo).hunks()}
    assert hunks == {"a.txt": (("y",), ("z\r",)), "b.txt": (("\udce9",), ("\udce8",)), "c.txt": (("n",), ("n",))}


def test_pure_insertion_and_deletion(repo: Path) -> None:
    write(repo, {"a.txt": b"1\n2\n3\n4\n"})
    commit(repo)
    write(repo, {"a.txt": b"1\nnew\n2\n4\n"})
    assert Git(repo).hunks() == (Hunk("a.txt", "a.txt", 1, 2, (), ("new",)), Hunk("a.txt", "a.txt", 3, 3, ("3",), ()))


def test_between_two_commits(repo: Path) -> None:
    write(repo, {"a.txt": b"1\n"})
    commit(repo)
    write(repo, {"a.txt": b"2\n"})
    second = commit(repo)
    write(repo, {"a.txt": b"3\n"})
    assert Git(repo).hunks("HEAD~1", second) == (Hunk("a.txt", "a.txt", 1, 1, ("1",), ("2",), second),)


@pytest.mark.parametrize(
    "setting",
    [
        "diff.noprefix=true",
        "diff.mnemonicPrefix=true",
        "diff.interHunkContext=10",
        "diff.context=9",
        "diff.external=false",
        "color.ui=always",
        "color.diff=always",
        "core.quotepath=true",
        "diff.renames=false",
        "diff.wsErrorHighlight=all",
        "status.showUntrackedFiles=no",
    ],
)
def test_the_users_configuration_does_not_matter(repo: Path, setting: str) -> None:
    write(repo, {"ü a.txt": b"1\n2\n3\n4\n", "old.txt": b"same\n" * 9})
    commit(repo)
    git(repo, "config", *setting.split("=", 1))
    write(repo, {"ü a.txt": b"1!\n2\n3\n4!\n", "untracked.txt": b""})
    git(repo, "mv", "old.txt", "moved.txt")
    facts = Git(repo)
    assert [(h.path, h.old_line, h.removed) for h in facts.hunks()] == [("ü a.txt", 1, ("1",)), ("ü a.txt", 4, ("4",))]
    assert facts.renames() == {"old.txt": "moved.txt"}
    assert facts.is_dirty("untracked.txt")


def test_inside_a_git_hook(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(repo, {"sub/a.txt": b"1\n"})
    commit(repo)
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    assert Git(repo / "sub").bytes_at("a.txt") == b"1\n"


# -- state of files -----------------------------------------------------------------------------------------------------
def test_dirty_ignored_and_clean(repo: Path) -> None:
    write(repo, {"a.txt": b"1\n", "b.txt": b"1\n", ".gitignore": b"c.txt\n"})
    commit(repo)
    write(repo, {"b.txt": b"2\n", "c.txt": b"", "d.txt": b""})
    facts = Git(repo)
    assert [facts.is_dirty(n) for n in ("a.txt", "b.txt", "c.txt", "d.txt")] == [False, True, True, True]


def test_unmerged_file(repo: Path) -> None:
    write(repo, {"a.txt": b"1\n"})
    commit(repo)
    git(repo, "checkout", "-qb", "other")
    write(repo, {"a.txt": b"2\n"})
    commit(repo)
    git(repo, "checkout", "-q", "main")
    write(repo, {"a.txt": b"3\n"})
    commit(repo)
    subprocess.run(["git", "merge", "-q", "other"], cwd=repo, capture_output=True, env={**os.environ, **ENV}, check=False)
    facts = Git(repo)
    assert facts.unmerged("a.txt")
    assert not facts.unmerged("b.txt")


# -- the parser alone ------------------------------------------------------------------------------------------------------
def test_context_separates_changes() -> None:
    text = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,5 +1,5 @@ def f():\n one\n-two\n+2\n three\n-four\n+4\n five\n"
    assert parse_diff(text) == [Hunk("x", "x", 2, 2, ("two",), ("2",)), Hunk("x", "x", 4, 4, ("four",), ("4",))]


def test_escapes_in_names() -> None:
    text = '--- "a/t\\tb\\n\\"q\\" \\303\\274 \\\\.py"\n+++ "b/x\\\\"\n@@ -1 +1 @@\n-a\n+b\n'
    [hunk] = parse_diff(text)
    assert hunk.old_path == 't\tb\n"q" ü \\.py'
    assert hunk.path == "x\\"


@pytest.mark.parametrize(
    "text", ["", "\n", "garbage", "@@ -1 +1 @@", "--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n-only one", "Binary files a/x and b/x differ\n"]
)
def test_truncated_or_foreign_text_is_no_error(text: str) -> None:
    assert all(isinstance(h, Hunk) for h in parse_diff(text))
