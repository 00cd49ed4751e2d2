"""Every key of the Python API's configuration does what it says, against its default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer import AutonomousTestHealer, HealingResult
from pytest_maestro_healer.config import API_NAMES, HealerConfig

pytestmark = pytest.mark.timeout(300)

TEST = "import shop\n\n\ndef test_price():\n    assert shop.cost(2) == 18\n"
HEALED = TEST.replace("cost", "price")
#: A strategy with two guesses, of which the second is right.
CONFTEST = """
from pytest_maestro_healer.model import Applicability, Evidence, Proposal
from pytest_maestro_healer.strategies.base import Strategy, Tactic


class Guess(Tactic):
    name = "guess"
    summary = "Guesses twice."

    def propose(self, failure, ctx):
        source = ctx.source(failure.path)
        at = source.text.find("cost")
        for name, score in (("prize", 0.9), ("price", 0.8)):
            if at >= 0:
                yield Proposal("guessing", "guess", (source.replace(at, at + 4, name),), (Evidence("symbol", "so it is", "shop.py:1", 0.95),),
                               Applicability.SAFE, f"cost is {name}", nodeids=(failure.nodeid,), meaning=name, score=score)


class Guessing(Strategy):
    name = "guessing"
    tactics = (Guess(),)


def pytest_heal_strategies(config):
    return [Guessing()]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which only its own strategy is asked."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:asyncio -p no:hypothesispytest -p no:cacheprovider")
    root = tmp_path / "project"
    root.mkdir()
    (root / "pytest.ini").write_text("[pytest]\npythonpath = .\nheal_strategies = guessing\n")
    (root / "conftest.py").write_text(CONFTEST)
    (root / "shop.py").write_text("def price(n):\n    return n * 9\n")
    (root / "test_shop.py").write_text(TEST)
    monkeypatch.chdir(root)
    return root


def heal(project: Path, **config: Any) -> HealingResult:
    """The result of healing with a configuration; the machine may be slow."""
    given = {"healing_timeout": 120, "cache_dir": str(project.parent / "own"), **config}
    return AutonomousTestHealer(given).heal_failed_test_sync(TEST, {"test_file": str(project / "test_shop.py")})


def written(project: Path) -> bool:
    """Whether the test file was healed on the disk."""
    text = (project / "test_shop.py").read_text()
    assert text in (TEST, HEALED)
    return text == HEALED


def histories(project: Path) -> list[Path]:
    return list((project.parent / "own").rglob("history.jsonl"))


def test_the_defaults(project: Path) -> None:
    result = heal(project)
    assert result.decision.kind == "applied", result.validation_results
    assert written(project)  # auto_apply: true, confidence_threshold: 0.75, max_attempts: at least two
    assert histories(project)  # learning_enabled and enable_cache: true, cache_dir: where it was said


@pytest.mark.parametrize(
    "config",
    [{"auto_apply": False}, {"confidence_threshold": 1.0}, {"validate_before_apply": False}],
    ids=lambda c: next(iter(c)),
)
def test_what_keeps_a_heal_from_being_written(project: Path, config: dict[str, Any]) -> None:
    result = heal(project, **config)
    assert result.decision.kind != "applied"
    assert not written(project)
    if "validate_before_apply" not in config:
        assert result.success
        assert result.healed_code == HEALED


def test_one_attempt_is_not_enough_for_the_second_guess(project: Path) -> None:
    result = heal(project, max_attempts=1)
    assert not result.success
    assert "guess: not tried, 1 attempts were made" in result.refused
    assert not written(project)


@pytest.mark.parametrize("key", ["learning_enabled", "enable_cache"])
def test_without_a_history(project: Path, key: str) -> None:
    assert heal(project, auto_apply=False, **{key: False}).success
    assert not histories(project)


def test_strategies(project: Path) -> None:
    result = heal(project, strategies=["syntax_repair"])
    assert not result.success
    assert not written(project)


def test_every_key_is_tried_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert [key for key in API_NAMES if key not in text] == []
    default = HealerConfig()
    found = (
        default.confidence_threshold,
        default.max_attempts,
        default.timeout,
        default.validate_before_apply,
        default.learning,
        default.enable_cache,
    )
    assert found == (0.75, 3, 30.0, True, True, True)
    assert AutonomousTestHealer().config.apply == "safe"
