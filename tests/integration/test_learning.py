"""The history of a project through real runs: what is recorded, what it changes, and that it can be switched off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer.cli import main
from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.learn.history import History, header
from pytest_maestro_healer.learning import open_history
from tests.integration.toys import BROKEN, HEALED, NEW, OLD, Suite
from tests.strategies.example_project import GIT_ENV

Cli = Callable[..., int]
GREEN = "import lib\n\n\ndef test_new():\n    assert lib.new_name(1) == 2\n\n\ndef test_value():\n    assert lib.VALUE == 2\n"
#: Two tactics for the same failures: the one that thinks more of itself is wrong, and has less to show for it.
RIVALS = """
from pytest_maestro_healer.model import Applicability, Evidence, Proposal
from pytest_maestro_healer.strategies.base import Strategy, Tactic


class Base(Tactic):
    summary = "Replaces one text by another."
    applicability = Applicability.SAFE

    def propose(self, failure, ctx):
        src = ctx.source(failure.path)
        at = src.text.find("lib.old_name(")
        if at >= 0:
            yield Proposal("toy", self.name, (src.replace(at, at + 13, self.new),), (Evidence("toy", "so it is", "", self.sure),), self.applicability,
                           self.new, nodeids=(failure.nodeid,), meaning=self.new, score=self.score)


class Wrong(Base):
    name, new, score, sure = "wrong", "lib.no_name(", 0.8, 0.5


class Right(Base):
    name, new, score, sure = "right", "lib.new_name(", 0.7, 0.9


class Toy(Strategy):
    name = "toy"
    tactics = (Wrong(), Right())


def pytest_heal_strategies(config):
    return [Toy()]
"""


def git(folder: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=folder, env={**os.environ, **GIT_ENV}, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(suite: Suite, message: str = "x") -> str:
    git(suite.path, "add", ".")
    git(suite.path, "commit", "-qm", message, "--allow-empty")
    return git(suite.path, "rev-parse", "HEAD")


@pytest.fixture
def repo(suite: Suite) -> Suite:
    """The toy project in a repository."""
    git(suite.path, "init", "-q")
    suite.write({".gitignore": "__pycache__\n", "test_green.py": GREEN})
    commit(suite)
    return suite


@pytest.fixture
def cli(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(suite.path)
    suite.write({"pytest.ini": "[pytest]\n"})
    return lambda *args: main(list(args))


def history(suite: Suite) -> History:
    return open_history(suite.path, HealerConfig())


def records(suite: Suite, kind: str) -> list[dict[str, Any]]:
    return [e for e in history(suite).entries() if e["t"] == kind]


def outcomes(suite: Suite) -> list[str]:
    return [e["what"] for e in records(suite, "outcome")]


# -- green commits -------------------------------------------------------------------------------------------
def test_a_passing_run_records_its_commit_once(repo: Suite) -> None:
    head = git(repo.path, "rev-parse", "HEAD")
    assert repo.heal().ret == 0
    assert [(e["c"], e["m"]) for e in records(repo, "green")] == [(head, {"all": ["test_green.py"]})]
    data = history(repo).path.read_bytes()
    assert repo.heal().ret == 0
    assert history(repo).path.read_bytes() == data
    second = commit(repo)
    repo.heal()
    assert [e["c"] for e in records(repo, "green")] == [head, second]
    assert len(history(repo).path.read_bytes()) - len(data) < 150


def test_without_healing_nothing_is_recorded(repo: Suite) -> None:
    assert repo.bare("-p", "toyheal").ret == 0
    assert not history(repo).path.exists()


def test_a_choice_of_tests_records_those_only(repo: Suite) -> None:
    repo.heal("-k", "value")
    repo.heal("test_green.py::test_new")
    assert [e["m"] for e in records(repo, "green")] == [{"some": {"test_green.py": ["test_value"]}}, {"some": {"test_green.py": ["test_new"]}}]


def test_a_failing_run_records_what_passed(repo: Suite) -> None:
    repo.write({"test_a.py": BROKEN})
    commit(repo)
    assert repo.heal().ret == 1
    assert [e["m"] for e in records(repo, "green")] == [{"all": ["test_green.py"]}]


def test_what_was_collected_healed_is_not_green(repo: Suite) -> None:
    repo.toy(("from lib import old_name", "from lib import new_name"))
    repo.write({"test_a.py": "from lib import old_name\n\n\ndef test_it():\n    pass\n"})
    commit(repo)
    run = repo.heal()
    assert run.one()["decision"]["kind"] == "pending"
    assert [e["m"] for e in records(repo, "green")] == [{"all": ["test_green.py"]}]


def test_under_xdist_the_controller_records(repo: Suite) -> None:
    pytest.importorskip("xdist")
    assert repo.spawn("-n", "2").ret == 0
    assert [e["m"] for e in records(repo, "green")] == [{"all": ["test_green.py"]}]


def test_changed_product_code_has_no_commit(repo: Suite) -> None:
    repo.write({"lib.py": "def new_name(x=1):\n    return x + 1\n\n\nVALUE = 2\nMORE = 1\n"})
    assert repo.heal().ret == 0
    assert not history(repo).path.exists()


REGRESSED = """
def price(amount, rate):
    return amount - amount * rate
"""
PRICE = REGRESSED.replace("amount - ", "amount + ")
PRICED = "from shop import price\n\n\ndef test_price():\n    assert price(100, 0.5) == 150\n"


@pytest.mark.parametrize("learning", [True, False])
def test_a_regression_of_some_commits_ago_is_named_by_the_last_green_commit(repo: Suite, learning: bool) -> None:
    """Without a history only the last commits that changed a function of the product are looked at, and these are innocent."""
    repo.write({"shop.py": PRICE, "test_shop.py": PRICED})
    commit(repo)
    arguments = ["--heal-strategies=assertion_update", "-o", f"heal_learning={str(learning).lower()}", "test_shop.py"]
    assert repo.heal(*arguments).ret == 0
    repo.write({"shop.py": REGRESSED})
    guilty = commit(repo, "prices")
    for i in range(4):
        repo.write({"shop.py": f"{REGRESSED}\n\ndef number():\n    return {i}\n"})
        commit(repo)
    result = repo.heal(*arguments).one()
    if learning:
        assert result["diagnosis"]["cause"] == "regression_suspected"
        assert f"shop.py:3 (changed in {guilty[:7]})" in result["diagnosis"]["suspect"]
    else:
        assert guilty[:7] not in json.dumps(result)


def test_a_broken_file_that_was_committed_is_repaired_from_its_last_green_commit(repo: Suite) -> None:
    arguments = ["--heal-strategies=syntax_repair"]
    assert repo.heal(*arguments).ret == 0
    green = git(repo.path, "rev-parse", "HEAD")
    repo.write({"test_green.py": GREEN.replace("(1) == 2", "(1) ==")})
    commit(repo)
    commit(repo)
    result = repo.heal(*arguments).one()
    assert result["tactic"] == "restore_from_head"
    assert result["healed_code"] == GREEN
    assert green[:7] in result["explanation"]
    assert f"test_green.py@{green[:7]}" in [e["where"] for e in result["evidence"]]


# -- attempts and outcomes -----------------------------------------------------------------------------------
def broken(repo: Suite, name: str = "a") -> None:
    repo.write({f"test_{name}.py": BROKEN.replace("test_call", f"test_{name}")})


def test_every_candidate_is_recorded_without_source_code(repo: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPLOY_TOKEN", "hunter2hunter2")
    repo.write({"toyheal.py": RIVALS})
    text = BROKEN.replace("def test_call():", "import pytest\n@pytest.mark.parametrize('x', ['hunter2hunter2'])\ndef test_call(x):")
    repo.write({"test_a.py": text})
    result = repo.heal().one()
    failed, proved = records(repo, "attempt")
    assert (failed["tactic"], failed["result"], failed["tests"]) == ("wrong", "failed", ["test_a.py::test_call[***]"])
    assert (proved["tactic"], proved["result"], proved["decision"]) == ("right", "proved", "pending")
    assert proved["id"] == result["healing_id"]
    assert proved["confidence"] == result["confidence_score"]
    assert proved["kinds"] == ["toy"]
    assert proved["steps"]["rerun"] is True
    raw = history(repo).path.read_text()
    assert "hunter2" not in raw
    assert "new_name" not in raw
    repo.heal()
    assert len(records(repo, "attempt")) == 2, "the same heal again is no other heal"


def test_what_failed_before_is_tried_later(repo: Suite) -> None:
    repo.write({"toyheal.py": RIVALS})
    broken(repo)
    assert "wrong" in str(repo.heal().one()["refused"])
    for name in "bcd":
        broken(repo, name)
        repo.heal(f"test_{name}.py")
    broken(repo, "e")
    result = repo.heal("test_e.py").one()
    assert result["tactic"] == "right"
    assert result["refused"] == []


def test_what_people_decide_moves_the_confidence(repo: Suite, cli: Cli) -> None:
    broken(repo)
    before = repo.heal().one()["confidence_score"]
    assert cli("reject", "--all") == 0
    broken(repo, "b")
    lower = repo.heal("test_b.py").one()["confidence_score"]
    cli("accept", "--all")
    broken(repo, "c")
    higher = repo.heal("test_c.py").one()["confidence_score"]
    assert lower < before
    assert lower < higher
    assert outcomes(repo) == ["rejected", "accepted"]


def test_a_heal_taken_back_is_recorded(repo: Suite, cli: Cli) -> None:
    broken(repo)
    repo.heal()
    cli("accept", "--all")
    assert cli("rollback", "--last") == 0
    assert outcomes(repo) == ["accepted", "rolled_back"]


@pytest.mark.parametrize("edited", [False, True])
def test_how_a_heal_was_committed_is_seen_later(repo: Suite, cli: Cli, edited: bool) -> None:
    commit(repo)
    broken(repo)
    repo.heal()
    cli("accept", "--all")
    assert cli("stats") == 0
    assert outcomes(repo) == ["accepted"], "not committed yet"
    if edited:
        repo.write({"test_a.py": BROKEN.replace(OLD, "lib.new_name(x=")})
    commit(repo)
    repo.write({"test_a.py": "# all changed later\n"})
    commit(repo)
    cli("history")
    assert outcomes(repo) == ["accepted", "edited" if edited else "committed"]
    cli("stats")
    assert len(outcomes(repo)) == 2


def test_a_taken_heal_whose_test_fails_in_the_same_way_again(repo: Suite, cli: Cli) -> None:
    broken(repo)
    repo.heal()
    cli("accept", "--all")
    assert NEW.encode() in repo.read("test_a.py")
    repo.toy((NEW, "lib.newest("))
    repo.write({"lib.py": "def newest(x=1):\n    return x + 1\n"})
    repo.heal("test_a.py")
    assert outcomes(repo) == ["accepted", "failed_again"]


# -- switched off, damaged, newer ----------------------------------------------------------------------------
AUDIT = """
import os, sys
OUT = os.open(os.environ["AUDIT_OUT"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def hook(event, args):
    watched = event in ("open", "os.rename", "os.remove", "os.listdir", "os.scandir")
    if watched and args and "history" in str(args[0]):
        os.write(OUT, f"{event} {args[0]}\\n".encode())

sys.addaudithook(hook)
"""


@pytest.mark.parametrize("key", ["heal_learning", "heal_enable_cache", ""])
def test_switched_off_the_history_is_not_even_opened(repo: Suite, key: str) -> None:
    broken(repo)
    repo.heal()
    before = history(repo).path.read_bytes()
    repo.write({"audit.py": AUDIT})
    out = repo.outside / "audit.txt"
    off = ["-o", f"{key}=false"] if key else []
    repo.write({"pytest.ini": f"[pytest]\n{key}{' = false' if key else ''}\n"})
    run = repo.spawn("-p", "audit", *off, env={"AUDIT_OUT": str(out)})
    assert run.one()["success"]
    code = "import sys; sys.path.insert(0, '.'); import audit; from pytest_maestro_healer.cli import main; sys.exit(main(sys.argv[1:]))"
    for command in (["stats"], ["history"], ["accept", "--all"], ["rollback", "--last"]):
        subprocess.run(
            [sys.executable, "-c", code, *command], cwd=repo.path, env={**os.environ, "AUDIT_OUT": str(out)}, check=False, capture_output=True
        )
    opened = [ln for ln in out.read_text().splitlines() if "history.jsonl" in ln or "history.lock" in ln]
    assert bool(opened) is not bool(key), opened
    assert (history(repo).path.read_bytes() == before) is bool(key)


def test_a_damaged_history_is_said_and_the_run_goes_on(repo: Suite) -> None:
    broken(repo)
    repo.heal()
    with history(repo).path.open("ab") as f:
        f.write(b"\x00\xff junk\n")
    run = repo.heal()
    assert run.one()["success"]
    assert "1 damaged line, set aside" in run.notes
    assert "damaged line" not in repo.heal().notes


def test_a_history_of_a_newer_version_is_said_and_left_alone(repo: Suite) -> None:
    broken(repo)
    repo.heal()
    path = history(repo).path
    path.write_bytes(json.dumps({**header(), "v": 99}).encode() + b"\n")
    run = repo.heal()
    assert run.one()["success"]
    assert "newer version 99" in run.notes
    assert path.read_bytes() == json.dumps({**header(), "v": 99}).encode() + b"\n"


def test_eight_runs_at_once_lose_nothing(repo: Suite) -> None:
    repo.write({"toyheal.py": RIVALS})
    for i in range(8):
        broken(repo, f"m{i}")
    command = [sys.executable, "-m", "pytest", *repo.arguments[:-1], "--heal", "-o", "heal_fresh_confirm=false"]
    processes = [subprocess.Popen([*command, f"test_m{i}.py"], cwd=repo.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for i in range(8)]
    texts = [p.communicate(timeout=300)[0].decode() for p in processes]
    assert [p.returncode for p in processes] == [1] * 8, texts
    found = [(e["tests"][0], e["result"]) for e in records(repo, "attempt")]
    proved = sorted(test for test, result in found if result == "proved")
    assert proved == [f"test_m{i}.py::test_m{i}" for i in range(8)]  # each once
    # a run that starts late has learned from the others which candidate to try first, and has no failed attempt then
    assert {result for _, result in found} == {"proved", "failed"}
    assert history(repo).notes == []


def test_eight_runs_at_once_write_a_heal_once(suite: Suite) -> None:
    """All of them prove the same heal of the same file and may write it: one does, the others find it there."""
    suite.write({"test_a.py": BROKEN})
    command = [sys.executable, "-m", "pytest", *suite.arguments[:-1], "--heal", "--heal-apply=safe", "-q"]
    processes = [subprocess.Popen(command, cwd=suite.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(8)]
    texts = [p.communicate(timeout=300)[0].decode() for p in processes]
    assert suite.read("test_a.py") == HEALED.encode(), texts
    assert len(suite.store.history()) == 1  # one write in the journal
    assert suite.store.notes == []
    failed = [p.returncode for p in processes if p.returncode]  # one that starts late may find the file healed
    assert set(failed) == {1}, texts
    assert [e["decision"] for e in records(suite, "attempt")] == ["applied"] * len(failed)


# -- the command line ----------------------------------------------------------------------------------------
def test_stats_shows_and_draws(repo: Suite, cli: Cli, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    repo.write({"toyheal.py": RIVALS})
    broken(repo)
    repo.heal()
    capsys.readouterr()
    picture = tmp_path / "learned.svg"
    assert cli("stats", "--plot", str(picture)) == 0
    out = capsys.readouterr().out
    assert "toy/right" in out
    assert "attempts per heal, oldest to newest: 2.00" in out
    from xml.etree import ElementTree

    root = ElementTree.parse(picture).getroot()
    assert "toy/right" in "".join(root.itertext())
    assert cli("stats", "--plot", "x.png") == 2
    capsys.readouterr()
    assert cli("stats", "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["attempts_per_heal"] == [2]
    assert {r["tactic"]: r["rate"] for r in data["rows"]} == {"right": 1.0, "wrong": 0.0}


def test_histories_of_ci_shards_come_together(repo: Suite, cli: Cli, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    files = [str(tmp_path / f"{i}.jsonl") for i in range(3)]
    for i in range(2):
        broken(repo, f"s{i}")
        repo.heal(f"test_s{i}.py")
        assert cli("history", "export", files[i]) == 0
        assert cli("forget", "--all") == 0
        assert not history(repo).path.exists()
    assert cli("history", "merge", files[2], files[0], files[1], files[0]) == 0
    assert cli("history", "import", files[2]) == 0
    capsys.readouterr()
    assert cli("history", "import", files[0], files[1]) == 0
    assert "0 new" in capsys.readouterr().out
    assert {e["tests"][0] for e in records(repo, "attempt")} == {"test_s0.py::test_s0", "test_s1.py::test_s1"}
    (tmp_path / "junk").write_bytes(b"\x89PNG")
    assert cli("history", "import", str(tmp_path / "junk")) == 2
    assert cli("history", "import", str(tmp_path / "nothing")) == 2
    assert cli("history", "import") == 2
    assert cli("history", "show", "x") == 2
    assert len(records(repo, "attempt")) == 2


def test_forgetting_one_test(repo: Suite, cli: Cli) -> None:
    for name in "ab":
        broken(repo, name)
        commit(repo)
        repo.heal("test_green.py", f"test_{name}.py")
    assert cli("forget", "test_a.py::test_a") == 0
    assert [e["tests"] for e in records(repo, "attempt")] == [["test_b.py::test_b"]]
    assert records(repo, "green")
    assert cli("forget") == 2


def test_commands_without_a_history(suite: Suite, cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    for args in (["stats"], ["history"], ["history", "export"], ["forget", "--all"], ["forget", "h-1"]):
        assert cli(*args) == 0, args
    assert not history(suite).path.exists()
    assert "Traceback" not in capsys.readouterr().err


def test_nothing_in_a_record_reaches_the_terminal_raw(repo: Suite, cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b[2J\u202e"
    entry = {"t": "attempt", "at": time.time(), "id": f"h-{evil}", "tests": [evil], "strategy": evil, "tactic": evil, "pattern": evil, "cause": "",
             "result": evil, "decision": "", "confidence": 0.5, "strength": 0.5, "size": 1}  # fmt: skip
    broken(repo)
    repo.heal()
    history(repo).append([entry])
    capsys.readouterr()
    for args in (["stats"], ["history"], ["stats", "--plot", str(repo.outside / "x.svg")]):
        assert cli(*args) == 0
    out = capsys.readouterr().out
    assert "\x1b[2J" not in out
    assert "\u202e" not in out
    assert "\x1b" not in (repo.outside / "x.svg").read_text(encoding="utf-8")
