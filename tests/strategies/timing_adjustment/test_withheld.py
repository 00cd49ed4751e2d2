"""Where a strategy names a cause for which there is no edit, no expectation is changed to fit the symptom, whichever strategies are on."""

from __future__ import annotations

import json

import pytest

from pytest_maestro_healer.strategies import load
from pytest_maestro_healer.strategies.base import Example
from tests.strategies.example_project import GIT_ENV, build, cannot_run

pytest_plugins = ["pytester"]
_NAMED = ("a bell that rings twice", "the product has just begun to obey a variable that was set all along")


def named(title: str) -> Example:
    return next(e for s in load() for t in s.tactics for e in t.declines if e.title == title)


@pytest.mark.parametrize("title", _NAMED)
def test_a_named_cause_withholds_a_changed_expectation(title: str, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    example = named(title)
    if reason := cannot_run(example):
        pytest.skip(reason)
    root, out = pytester.path / "project", pytester.path / "report.json"
    build(root, example)
    given = {**GIT_ENV, **example.env, "GIT_CEILING_DIRECTORIES": str(pytester.path), "XDG_CACHE_HOME": str(pytester.path / "cache")}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(root)
    pytester.runpytest_subprocess("--heal", f"--heal-json={out}", f"--rootdir={root}", "-p", "no:cacheprovider", "-o", "heal_fresh_confirm=false")
    results = json.loads(out.read_text(encoding="utf-8"))["results"]
    assert [r["decision"]["kind"] for r in results] == ["advised"]
    assert example.advice in results[0]["advice"]
    assert any("another cause is named" in r for r in results[0]["refused"]), results[0]["refused"]
