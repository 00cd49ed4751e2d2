"""Last green commits: few bytes, right answers."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.evidence.git import Git
from pytest_maestro_healer.learn.green import Greens, fold, mapping, record
from pytest_maestro_healer.learn.history import History
from pytest_maestro_healer.learning import record_green
from tests.strategies.example_project import GIT_ENV

RAN = {"a.py::one", "a.py::two", "b.py::one", "b.py::two[x::y]", "c.py::C::one", "d.py::one"}


def test_a_map_says_files_not_tests() -> None:
    assert mapping(RAN, RAN, complete=True) == {"all": ["a.py", "b.py", "c.py", "d.py"]}
    assert mapping(RAN, RAN - {"a.py::two", "d.py::one"}, complete=True) == {"all": ["b.py", "c.py"], "but": {"a.py": ["two"]}}
    assert mapping(RAN, {"a.py::one"}, complete=False) == {"some": {"a.py": ["one"]}}
    assert mapping(RAN, RAN, complete=True, left_out={"a.py", "b.py", "c.py"}) == {"all": ["d.py"]}
    assert mapping(RAN, set(), complete=True) == {}


def test_a_thousand_green_files_cost_a_short_line_from_the_second_commit_on() -> None:
    ran = [f"tests/unit/test_module_{i}.py::test_{k}" for i in range(1000) for k in range(5)]
    m = mapping(ran, set(ran), complete=True)
    first = record("a" * 40, m, 1.0, [])
    assert first is not None
    second = record("b" * 40, m, 2.0, [first])
    assert second is not None
    assert len(json.dumps(first)) < 34_000
    assert len(json.dumps(second)) < 120
    assert record("b" * 40, m, 3.0, [second, first]) is None
    assert Greens([first, second]).last(ran[0]) == "b" * 40


def test_only_what_is_new_at_a_commit_is_recorded() -> None:
    first = record("c1", mapping(RAN, RAN - {"a.py::two"}, complete=True), 1.0, [])
    assert first is not None
    assert record("c1", mapping({"b.py::one"}, {"b.py::one"}, complete=False), 2.0, [first]) is None
    more = record("c1", mapping({"a.py::one", "a.py::two"}, {"a.py::one", "a.py::two"}, complete=False), 3.0, [first])
    assert more is not None
    assert more["m"] == {"some": {"a.py": ["two"]}}
    assert Greens([first, more]).last("a.py::two") == "c1"


def test_a_partial_run_of_very_many_tests_is_not_listed() -> None:
    ran = [f"a{i}.py::t{k}" for i in range(100) for k in range(100)]
    assert mapping(ran, set(ran), complete=False) == {}


def test_secrets_in_test_ids_are_not_recorded_and_still_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", "s3cr3tvalue")
    ids = {"a.py::t[s3cr3tvalue]", "a.py::t[https://u:pw@host]", "a.py::u"}
    entry = record("c1", mapping(ids, ids, complete=False), 1.0, [])
    assert entry is not None
    assert "s3cr3tvalue" not in json.dumps(entry)
    assert "u:pw" not in json.dumps(entry)
    assert all(Greens([entry]).last(n) == "c1" for n in ids)


def history_of(rng: random.Random) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Random runs as records (oldest first), and for each test its true last green commit."""
    tests = [f"f{i}.py::t{k}" for i in range(4) for k in range(4)]
    entries: list[dict[str, Any]] = []
    truth: dict[str, str] = {}
    for n in range(30):
        complete = rng.random() < 0.6
        ran = tests if complete else rng.sample(tests, rng.randint(1, 8))
        passed = {t for t in ran if rng.random() < rng.choice([0.2, 0.7, 1.0])}
        commit = f"c{n // 2}"
        entry = record(commit, mapping(ran, passed, complete=complete), float(n), reversed(entries))
        if entry is not None:
            entries.append(entry)
        truth.update(dict.fromkeys(passed, commit))
    return entries, truth


@pytest.mark.parametrize("seed", range(40))
def test_every_test_has_its_last_green_commit_also_after_folding(seed: int) -> None:
    entries, truth = history_of(random.Random(seed))
    for found in (entries, fold(entries), fold(fold(entries))):
        greens = Greens(found)
        wrong = {t: (greens.last(t), c) for t, c in truth.items() if greens.last(t) != c}
        assert wrong == {}
    assert len(fold(entries)) <= len(entries)


# -- with a repository ---------------------------------------------------------------------------------------
class Repo:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q")
        self.commit(**{"lib.py": "x = 1\n", "test_a.py": "def test_a(): pass\n", "README.md": "hello\n", "conftest.py": ""})

    def git(self, *args: str) -> str:
        done = subprocess.run(["git", *args], cwd=self.root, env={**os.environ, **GIT_ENV}, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, **files: str) -> str:
        for name, text in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)
        self.git("add", ".")
        self.git("commit", "-qm", "x", "--allow-empty")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    (tmp_path / "repo").mkdir()
    return Repo(tmp_path / "repo")


def seen(repo: Repo, *, root: Path | None = None, **more: Any) -> list[dict[str, Any]]:
    """Record a run in which test_a.py::test_a passed; the records of the history after it."""
    where = root or repo.root
    history = History(repo.root.parent / "cache", prepare=lambda f: f.mkdir(exist_ok=True))
    ids = more.pop("ids", {"test_a.py::test_a"})
    record_green(history, Git(where), ProjectFiles(where), ids, ids, complete=True, **more)
    assert history.notes == []
    return history.entries()


def test_a_clean_tree_names_its_commit(repo: Repo) -> None:
    assert [e["c"] for e in seen(repo)] == [repo.git("rev-parse", "HEAD")]
    assert len(seen(repo)) == 1


@pytest.mark.parametrize(
    ("name", "recorded"),
    [("lib.py", False), ("conftest.py", False), ("test_a.py", False), ("README.md", True), ("new.txt", True)],
)
def test_changes_that_may_matter_leave_the_run_without_a_commit(repo: Repo, name: str, recorded: bool) -> None:
    (repo.root / name).write_text("# changed\n")
    assert bool(seen(repo)) is recorded


def test_a_changed_test_file_is_left_out_alone(repo: Repo) -> None:
    repo.commit(**{"test_b.py": "def test_b(): pass\n"})
    (repo.root / "test_b.py").write_text("def test_b(): assert True\n")
    assert [e["m"] for e in seen(repo, ids={"test_a.py::test_a", "test_b.py::test_b"})] == [{"all": ["test_a.py"]}]


def test_a_change_outside_the_root_of_a_monorepo_counts(repo: Repo) -> None:
    repo.commit(**{"pkg/test_a.py": "def test_a(): pass\n"})
    assert len(seen(repo, root=repo.root / "pkg")) == 1
    repo.commit()
    (repo.root / "lib.py").write_text("x = 3\n")
    assert len(seen(repo, root=repo.root / "pkg")) == 1
    status = Git(repo.root / "pkg").status()
    assert status is not None
    assert list(status[1]) == ["../lib.py"]


def test_what_passed_only_with_a_heal_is_not_green(repo: Repo) -> None:
    assert seen(repo, healed={"test_a.py"}) == []
    assert seen(repo, healed={"conftest.py"}) == []
    assert seen(repo, healed={"lib.py"}) == []


def test_a_commit_during_the_run_makes_it_nobodys(repo: Repo) -> None:
    head = (repo.root / ".git" / "logs" / "HEAD").stat().st_mtime
    assert seen(repo, began=head - 5) == []
    assert len(seen(repo, began=head + 5)) == 1


def test_without_a_repository_nothing_is_recorded(tmp_path: Path) -> None:
    history = History(tmp_path / "cache")
    assert not record_green(history, Git(tmp_path), ProjectFiles(tmp_path), {"a.py::t"}, {"a.py::t"}, complete=True)
    assert not (tmp_path / "cache").exists()


def context(repo: Repo, *commits: str) -> Context:
    return Context(repo.root, HealerConfig(), green_commits=lambda nodeid: commits)


def test_last_green_is_an_ancestor_that_has_the_test(repo: Repo) -> None:
    first = repo.git("rev-parse", "HEAD")
    second = repo.commit(**{"test_a.py": "def test_a(): pass\n\n\ndef test_new(): pass\n"})
    repo.git("checkout", "-qb", "other", first)
    aside = repo.commit(**{"lib.py": "x = 5\n"})
    repo.git("checkout", "-q", "-")
    assert context(repo, aside, second, first).last_green("test_a.py::test_a") == second
    assert context(repo, aside, first).step({}).last_green("test_a.py::test_a") == first
    assert context(repo, first).last_green("test_a.py::test_new[1]") == ""
    assert context(repo, "0" * 40, first).last_green("test_a.py") == first
    assert context(repo, aside).last_green("test_a.py::test_a") == ""
    assert context(repo).last_green("test_a.py::test_a") == ""
    assert Context(repo.root, HealerConfig()).last_green("test_a.py::test_a") == ""
