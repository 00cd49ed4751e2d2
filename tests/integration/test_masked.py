"""Secrets on the command line: what is read is masked, as text and as JSON; what is applied stays exact."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_maestro_healer.model import Decision, DecisionKind, Evidence
from pytest_maestro_healer.report.review import review
from tests.apply_helpers import Cli, Project, commands, heal

SECRET = "sup3r-s3crét-42"
URL = "https://ann:hunter2hunter2@example.org/x"
BEFORE = f"def test_it():\n    key = '{SECRET}'\n    assert f(key) == 1\n".encode()
AFTER = BEFORE.replace(b"== 1", b"== 2")


def leaking(path: str = "test_a.py") -> object:
    """A heal with secrets wherever a sentence, a test id or code can have one."""
    return replace(
        heal({path: (BEFORE, AFTER)}, f"{path}::test_it[{SECRET}]"),
        explanation=f"was asked with Authorization: Bearer {SECRET}",
        evidence=(Evidence("value", f"read from {URL}", "", 0.9),),
        decision=Decision(DecisionKind.PENDING, f"token={SECRET}"),
        original_code=BEFORE.decode(),
        healed_code=AFTER.decode(),
        alternatives=(f"or {SECRET}",),
    )


HEAL = leaking()
#: As it is, as the bytes of a file are shown in JSON, as JSON itself writes it, and as pytest writes it in a test id.
ESCAPED = SECRET.encode("unicode_escape").decode()
LEAKS = (SECRET, SECRET.encode().decode("latin-1"), json.dumps(SECRET)[1:-1], ESCAPED, json.dumps(ESCAPED)[1:-1], "hunter2")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    found = Project(tmp_path, {"test_a.py": BEFORE, "pytest.ini": b"[pytest]\nheal_cache_dir = ../cache\n"})
    monkeypatch.chdir(found.root)
    monkeypatch.setenv("DEPLOY_TOKEN", SECRET)
    found.store.save_pending([HEAL])
    return found


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    return commands(capfd)


def masked(text: str) -> None:
    assert [leak for leak in LEAKS if leak in text] == []


@pytest.mark.parametrize("args", [("list",), ("show", "h-"), ("review",), ("merge", "bundle.json"), ("reject", "h-"), ("history",), ("show", SECRET)])
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_what_is_read_is_masked(cli: Cli, project: Project, args: Sequence[str], form: Sequence[str]) -> None:
    (project.root / "bundle.json").write_bytes(project.store.bundle.read_bytes())
    done = cli(*args, *form)
    assert done.out or done.code == 2
    masked(done.out + done.err)
    if args in (("list",), ("show", "h-"), ("review",)):
        assert done.out.count("***") >= 3


def test_applied_heals_are_listed_masked(cli: Cli, project: Project) -> None:
    assert cli("accept", "--all").code == 0
    assert project.read() == AFTER, "written exactly"
    for args in (("list",), ("list", "--json"), ("show", "h-"), ("rollback", "--last", "--json")):
        done = cli(*args)
        assert "h-" in done.out
        masked(done.out + done.err)


def test_the_edit_itself_stays_exact(cli: Cli, project: Project) -> None:
    assert SECRET in cli("diff", "--json").json["diffs"][HEAL.healing_id]
    done = subprocess.run([sys.executable, "-m", "pytest_maestro_healer", "diff"], cwd=project.root, capture_output=True, check=True, timeout=60)
    subprocess.run(["git", "apply"], input=done.stdout, cwd=project.root, check=True, timeout=60)
    assert project.read() == AFTER


def test_a_masked_record_cannot_be_taken_for_the_edit(cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = cli("show", "h-", "--json").json
    assert shown["changes"][0]["before_sha256"] == HEAL.changes[0].before_sha256
    (project.root / "shown.json").write_text(json.dumps({"schema": 1, "results": [shown]}))
    cli("reject", "--all")
    done = cli("merge", "shown.json", "--json")
    assert done.code == 1
    assert done.json["merged"] == []


def test_the_interactive_review_is_masked() -> None:
    said: list[str] = []
    answers = iter(("i", "d", "a"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEPLOY_TOKEN", SECRET)
        done = review([HEAL], ask=lambda _: next(answers), out=said.append)
    assert done.accepted == (HEAL,), "what is accepted is the edit as it is"
    masked("\n".join(said))


def test_explain_is_masked(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    head = f"import os\nimport pytest\n\n\n@pytest.mark.parametrize('key', ['{SECRET}'])\n"
    test = "def test_it(key):\n    assert json.dumps(key) == os.environ['DEPLOY_TOKEN']\n"
    (root / "test_a.py").write_text(head + test, encoding="utf-8")
    (root / "pytest.ini").write_text("[pytest]\nheal_fresh_confirm = false\n")
    own = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    env = {**own, "DEPLOY_TOKEN": SECRET, "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTEST_ADDOPTS": "-p no:asyncio -p no:hypothesispytest"}
    for form in ((), ("--json",)):
        command = [sys.executable, "-m", "pytest_maestro_healer", "explain", "test_a.py", *form]
        done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, encoding="utf-8", check=False, timeout=200)
        assert done.returncode == 1, done.stderr
        assert "NameError" in done.stdout
        masked(done.stdout + done.stderr)
