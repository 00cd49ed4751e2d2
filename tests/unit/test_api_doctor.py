"""``maestro-heal doctor``: what it finds, and what it calls a problem."""

from __future__ import annotations

import json
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
    return {f"{c['name']} {c['state']}": c["text"] for c in data["checks"]}


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
