"""The tactic's own examples as tests: what it heals, and what it leaves alone."""

import json
from pathlib import Path

import heal_routes
import pytest
from heal_routes import MovedRoute

RUN = ("-p", "heal_routes", "--heal-strategies=routes", "--heal-json=heal.json", "-o", "heal_fresh_confirm=false", "-o", "heal_cache_dir=.heal")


def heal(pytester, example):
    """The example's files as a heal would leave them."""
    for path, text in example.files.items():
        (pytester.path / path).write_text(text)
    pytester.makepyfile(heal_routes=Path(heal_routes.__file__).read_text())
    assert pytester.runpytest_subprocess(*RUN, "--heal").ret == 1
    results = json.loads((pytester.path / "heal.json").read_text())["results"]
    return {**example.files, **{c["path"]: c["after"] for r in results if r["success"] for c in r["changes"]}}


@pytest.mark.parametrize("example", MovedRoute.heals, ids=lambda e: e.title)
def test_heals(pytester, example):
    assert heal(pytester, example) == {**example.files, **example.healed}


@pytest.mark.parametrize("example", MovedRoute.declines, ids=lambda e: e.title)
def test_declines(pytester, example):
    assert heal(pytester, example) == example.files, example.why
