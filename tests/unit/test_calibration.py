"""From score to probability: monotone, within bounds, and the score itself where there is no curve."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_maestro_healer.decide import calibration
from pytest_maestro_healer.decide.confidence import confidence, score
from pytest_maestro_healer.model import Applicability, Evidence, ProofStep, Proposal, Verdict
from pytest_maestro_healer.strategies import load

GOOD: dict[str, Any] = {"version": calibration.VERSION, "intercept": 0.5, "slope": 1.5, "strategies": {"weak": -2.0, "other": 0.0}, "lowest": 0.4}
NAMES = [*(s.name for s in load()), "of_the_user"]
ALL = Verdict(tuple(ProofStep(r, True) for r in ("guard", "rerun", "stable", "teeth", "fresh")))


def proposal(strategy: str, weight: float) -> Proposal:
    return Proposal(strategy, "t", (), (Evidence("k", "fact", "", weight),), Applicability.SAFE, "")


@pytest.fixture
def data_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file in the place of the shipped one."""
    path = tmp_path / "calibration.json"
    monkeypatch.setattr(calibration, "PATH", path)
    calibration.load.cache_clear()
    yield path
    calibration.load.cache_clear()


def test_the_shipped_curve_is_there() -> None:
    assert calibration.load() is not None


@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from(NAMES))
def test_more_evidence_never_makes_a_heal_of_a_strategy_less_sure(a: float, b: float, strategy: str) -> None:
    low, high = sorted((a, b))
    curve = calibration.load()
    assert curve is not None
    assert 0.0 <= curve.probability(low, strategy) <= curve.probability(high, strategy) < 1.0
    assert confidence(proposal(strategy, low), ALL) <= confidence(proposal(strategy, high), ALL) <= 0.99


def test_a_strategy_is_moved_and_others_are_not(data_file: Path) -> None:
    data_file.write_text(json.dumps(GOOD))
    curve = calibration.load()
    assert curve is not None
    assert curve.probability(0.5, "weak") < 0.5 < curve.probability(0.5, "other")
    assert curve.probability(0.5, "nobody measured it") == curve.probability(0.5, "weak")
    assert curve.probability(0.2, "other") == pytest.approx(curve.probability(0.4, "other") / 2), "nothing is known under the lowest score"
    assert confidence(proposal("weak", 0.9), ALL) < confidence(proposal("other", 0.9), ALL)
    assert score(proposal("weak", 0.9), ALL) == score(proposal("other", 0.9), ALL), "the evidence is the same"


def test_what_is_not_proved_is_worth_nothing_on_any_curve() -> None:
    assert confidence(proposal("syntax_repair", 1.0), Verdict()) == 0.0


DAMAGED = {
    "missing": None,
    "no json": b"{",
    "a list": b"[]",
    "other version": json.dumps({**GOOD, "version": 99}).encode(),
    "falling": json.dumps({**GOOD, "slope": -1.0}).encode(),
    "flat": json.dumps({**GOOD, "slope": 0}).encode(),
    "no number": json.dumps({**GOOD, "intercept": float("nan")}).encode(),
    "endless": json.dumps({**GOOD, "strategies": {"a": float("inf")}}).encode(),
    "no lowest": json.dumps({**GOOD, "lowest": 1.0}).encode(),
    "text": json.dumps({**GOOD, "slope": "steep"}).encode(),
    "strategies as a list": json.dumps({**GOOD, "strategies": []}).encode(),
    "not utf-8": b"\xff\xfe",
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED.keys())
def test_without_a_good_file_the_score_is_the_answer(data_file: Path, data: bytes | None) -> None:
    if data is not None:
        data_file.write_bytes(data)
    assert calibration.load() is None
    assert confidence(proposal("weak", 0.8), ALL) == score(proposal("weak", 0.8), ALL) > 0.8
