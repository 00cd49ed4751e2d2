"""``maestro-heal doctor``: what it finds, and what it calls a problem."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer.cli import main
from pytest_maestro_healer.commands import doctor as module


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    (root / "tests").mkdir(parents=True)
    (root / "tests" / "test_a.py").write_text("def test_a(): ...\n")
    (root / "shop.py").write_text("")
    (root / "pytest.ini").write_text("[pytest]\nheal_cache_dir = ../cache\n")
    monkeypatch.chdir(root)
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
    return root


def told(capsys: pytest.CaptureFixture[str], code: int) -> dict[str, Any]:
    assert main(["doctor", "--json"]) == code
    data: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert data["schema"] == 1
    out: dict[str, Any] = {}
    for c in data["checks"]:
        key = f"{c['name']} {c['state']}"
        out[key] = f"{out[key]}\n{c['text']}" if key in out else c["text"]
    return out


def test_a_healthy_project(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, 0)
    assert found["root ok"] == str(project)
    assert found["files ok"] == "1 file of test code, 1 others"
    assert "no evidence of what changed" in found["git note"]
    assert found["state ok"].startswith(str(project.parent / "cache"))
    assert found["heals ok"].startswith("0 pending")
    assert not project.parent.joinpath("cache").exists()
    assert main(["doctor"]) == 0
    assert "0 problems" in capsys.readouterr().out


def test_what_keeps_heals_from_being_written(project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (project.parent / "cache").write_text("a file where the folder should be")
    found = told(capsys, 1)
    assert "heal_apply_in_ci" in found["CI note"]
    assert "-p maestro_healer" in found["plugin note"]
    assert "cannot be written" in found["state problem"]


def test_what_is_not_installed(project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_version", lambda name: {"pytest": "7.4.4"}.get(name, ""))
    (project / "tests" / "test_a.py").unlink()
    found = told(capsys, 1)
    assert "8 or later" in found["pytest problem"]
    assert "not installed" in found["libcst problem"]
    assert found["files problem"] == "no test code"


@pytest.mark.parametrize("name", ["jinja2", "watchfiles", "pytest-xdist", "pytest-rerunfailures", "pytest-timeout", "pytest-html"])
def test_what_is_optional_is_named_with_what_it_is_for(
    name: str, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = {"pytest": "9.0.0", "libcst": "1.4", name: "7.8.9"}
    monkeypatch.setattr(module, "_version", lambda n: there.get(n, ""))
    assert f"{name} 7.8.9" in told(capsys, 0)["optional ok"]
    monkeypatch.setattr(module, "_version", lambda n: "" if n == name else "1.0" if n != "pytest" else "9.0.0")
    assert f"not installed: {name} (" in told(capsys, 0)["optional ok"]


def test_the_extras_are_said_with_the_command_that_installs_them(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_version", lambda name: {"pytest": "9.0.0", "libcst": "1.4"}.get(name, ""))
    found = told(capsys, 0)["optional ok"]
    assert 'jinja2 (the page of --heal-html: pip install "pytest-maestro-healer[html]")' in found
    assert 'watchfiles (maestro-heal watch: pip install "pytest-maestro-healer[watch]")' in found


@pytest.mark.parametrize(
    ("ini", "key", "words"),
    [
        ("heal_auto_aply = true", "settings problem", "heal_auto_aply is no key; did you mean heal_auto_apply?"),
        ("addopts = -p no:maestro_healer", "settings problem", "the plugin is off"),
        ("addopts = --assert=plain", "settings note", "compared values are missing"),
        ("heal_validate_before_apply = false", "settings note", "heal_validate_before_apply is off: nothing is written"),
        ("heal_strategies = syntax_repair", "settings note", "only some strategies are asked: syntax_repair"),
        ("heal_exclude = tests/*", "settings problem", "1 of 1 file of test code may not be healed"),
        ("heal_learning = false", "history note", "learning is off"),
        ("heal = true", "settings ok", "heal_cache_dir = ../cache, heal = true"),
    ],
)
def test_settings_that_decide(
    ini: str, key: str, words: str, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    (project / "pytest.ini").write_text(f"[pytest]\nheal_cache_dir = ../cache\n{ini}\n")
    assert words in told(capsys, int("problem" in key))[key]


def test_the_evidence_at_hand(project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*args: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=S", "-c", "user.email=s@example.com", *args], cwd=project, check=True, capture_output=True, timeout=60
        )

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    assert "only one commit is here: a longer history (fetch-depth)" in told(capsys, 0)["git note"]
    (project / "shop.py").write_text("x = 0\n")
    git("commit", "-qam", "two")
    (project / "shop.py").write_text("x = 1\n")
    found = told(capsys, 0)
    assert found["git ok"].startswith("available: what changed is evidence; last commit ")
    assert found["git ok"].endswith(", 1 file changed since")
    assert "pytest" in found["evidence ok"]
    assert found["history ok"].startswith("empty")
    (project / "hypothesis").mkdir()
    (project / "hypothesis" / "__init__.py").write_text("")
    assert found.keys().isdisjoint({"product note"})
    assert told(capsys, 0)["product note"].startswith("hypothesis is imported from ")


def test_why_nothing_was_healed(pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(pytester.path.parent / "cache"))
    monkeypatch.setenv("DEPLOY_TOKEN", "hunter2hunter2")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makeini("[pytest]\n")
    marks = "@pytest.mark.no_heal('not this one')\n@pytest.mark.parametrize('x', ['hunter2hunter2'])\n"
    pytester.makepyfile(f"import pytest\n\n\n{marks}def test_a(x):\n    assert json\n")
    quiet = ("-p", "no:asyncio", "-p", "no:hypothesispytest", "-p", "no:cacheprovider")
    assert told(capsys, 0)["last run ok"] == "none with a failure is known here"
    pytester.runpytest_inprocess("--heal", *quiet)
    capsys.readouterr()
    found = told(capsys, 0)
    assert found["last run note"].endswith("1 failure, 0 heals, 1 not healed")
    assert found["not healed note"] == "test_why_nothing_was_healed.py::test_a[***]: opted out: not this one"
    assert "hunter2" not in "".join(p.read_text(errors="replace") for p in (pytester.path.parent / "cache").rglob("last.json"))
    pytester.runpytest_inprocess("--heal", "-k", "zzz", *quiet)
    capsys.readouterr()
    assert told(capsys, 0)["last run ok"] == "none with a failure is known here"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema": 1}', '{"schema": 9, "at": 1}', '{"schema": 1, "at": 1, "results": 3, "notes": 4, "failures": "x"}']
)
def test_a_damaged_note_of_the_last_run_is_none(text: str, tmp_path: Path) -> None:
    from pytest_maestro_healer.report import last

    (tmp_path / "last.json").write_text(text)
    found = last.recall(tmp_path)
    assert found is None or (found["results"], found["notes"], found["failures"]) == ([], [], 0)


@pytest.mark.parametrize(("forks", "state", "text"), [(True, "ok", "in forks"), (False, "note", "slower; mutants are tried too")])
def test_how_heals_are_proved_here(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, forks: bool, state: str, text: str
) -> None:
    monkeypatch.setattr(module.forked, "known_safe", lambda: forks)
    assert text in told(capsys, 0)[f"proofs {state}"]
