"""The trained classifier: what it looks at, what it must not look at, its data file, and what happens without one."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_maestro_healer.diagnose import classify, features, weights
from pytest_maestro_healer.diagnose.verdict import preliminary
from pytest_maestro_healer.model import Cause, Comparison, Failure, FailurePattern, Frame, Location, Operand, Value

P = FailurePattern
SEVEN = {P.IMPORT_ERROR, P.ASSERTION_FAILURE, P.TIMEOUT, P.FLAKY_BEHAVIOR, P.ENVIRONMENT_ISSUE, P.API_CHANGE, P.DEPENDENCY_CONFLICT}


def frame(kind: str, text: str, module: str = "m", function: str = "f") -> Frame:
    return Frame(Location("p.py", 3), function, kind, text, module)  # type: ignore[arg-type]


def broken(kind: str, message: str = "", *frames: Frame, **more: Any) -> Failure:
    fields: dict[str, Any] = {"nodeid": "t.py::t", "phase": "call", "path": "t.py", "exc_mro": (kind, "Exception", "BaseException"), **more}
    return Failure(exc_type=kind, message=message, frames=frames, **fields)


@pytest.fixture
def data_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file in the place of the shipped one."""
    path = tmp_path / "patterns.json"
    monkeypatch.setattr(weights, "PATH", path)
    weights.load.cache_clear()
    yield path
    weights.load.cache_clear()


def tiny(**changes: Any) -> dict[str, Any]:
    """A data file of two classes that always says the second."""
    rows = base64.b64encode(bytes(features.PLACES * 2)).decode()
    classes = ["timeout", "api_change"]
    return {
        "version": features.VERSION,
        "places": features.PLACES,
        "classes": classes,
        "bias": [0.0, 1.0],
        "scale": [1.0, 1.0],
        "weights": rows,
        **changes,
    }


# -- what it looks at --------------------------------------------------------------------------------------------
def test_names_of_a_project_paths_and_numbers_are_not_looked_at() -> None:
    one = broken("ImportError", "cannot import name 'total' from 'shop.money' (/home/a/shop/money.py)", frame("test", "x"))
    other = broken("ImportError", "cannot import name 'grand' from 'store.cash' (/srv/b/store/cash.py)", frame("test", "x"))
    assert features.names(one) == features.names(other)
    assert features.names(broken("E", "took 1.25 s of 3")) == features.names(broken("E", "took 7 s of 12.5"))


def test_it_sees_whose_code_raised_it() -> None:
    consumer = frame("third_party", "from provider import gone", "consumer", "<module>")
    test = frame("test", "import consumer")
    assert "inner third_party" in features.names(broken("ImportError", "x", test, consumer))
    assert "inner test" in features.names(broken("ImportError", "x", test))
    assert features.names(broken("ImportError", "x", test, consumer)) != features.names(broken("ImportError", "x", test))


@pytest.mark.parametrize(
    ("a", "b", "feature"),
    [
        ("1.0", "1.0000000001", "apart tiny"),
        ("10", "11", "apart small"),
        ("1", "9", "apart far"),
        ("[1, 2]", "[2, 1]", "same letters"),
        ("None", "x", "none there"),
    ],
)
def test_it_sees_how_far_operands_are_apart(a: str, b: str, feature: str) -> None:
    sides = tuple(Operand(r, Value("T", v)) for r, v in (("left", a), ("right", b)))
    assert feature in features.names(broken("AssertionError", comparison=Comparison("assert", "==", sides)))


def test_statistics_count() -> None:
    assert "rerun" in features.names(broken("AssertionError", reruns=2))
    assert features.names(broken("E", duration=0.001)) != features.names(broken("E", duration=3.0))


texts = st.text(max_size=200)


@given(texts, texts, texts, st.floats(0, 1e6))
def test_any_failure_has_features_and_the_same_ones_each_time(kind: str, message: str, code: str, seconds: float) -> None:
    failure = broken(kind, message, frame("test", code, message), statement=code, duration=seconds)
    found = features.places(features.names(failure))
    assert found == features.places(sorted(features.names(failure)))
    assert found == sorted(set(found))
    assert all(0 <= p < features.PLACES for p in found)


# -- the shipped weights -----------------------------------------------------------------------------------------
def test_the_shipped_file_is_small_and_knows_the_seven() -> None:
    model, problem = weights.load()
    assert problem == ""
    assert classify.problem() == ""
    assert model is not None
    assert set(model.classes) == SEVEN
    assert weights.PATH.stat().st_size < 200_000


@given(texts, texts, st.booleans())
def test_what_it_says_is_a_distribution_and_always_the_same(kind: str, message: str, rerun: bool) -> None:
    failure = broken(kind, message, reruns=int(rerun))
    model = weights.load()[0]
    assert model is not None
    found = model.probabilities(features.places(features.names(failure)))
    assert sum(found.values()) == pytest.approx(1.0)
    assert found == model.probabilities(features.places(features.names(failure)))
    pattern, sure = classify.classify(failure)
    assert (pattern, sure) == classify.classify(failure)
    assert 0.0 < sure <= 1.0


IMPORT = ("ImportError", "Exception", "BaseException")
NUMBERS = Comparison("assert", "==", (Operand("left", Value("int", "3")), Operand("right", Value("int", "4"))))
PLAIN = {
    P.ASSERTION_FAILURE: broken("AssertionError", "assert 3 == 4", frame("test", "assert f() == 4"), statement="assert f() == 4", comparison=NUMBERS),
    P.IMPORT_ERROR: broken("ModuleNotFoundError", "No module named 'x.y'", frame("test", "import x.y"), phase="collect", exc_mro=IMPORT),
    P.API_CHANGE: broken("TypeError", "f() got an unexpected keyword argument 'a'", frame("test", "f(a=1)"), statement="f(a=1)"),
    P.ENVIRONMENT_ISSUE: broken("KeyError", "'SHOP_URL'", frame("test", "os.environ['SHOP_URL']"), statement="os.environ['SHOP_URL']"),
    P.DEPENDENCY_CONFLICT: broken(
        "ImportError",
        "cannot import name 'a' from 'b' (/v/lib/python3.11/site-packages/b/__init__.py)",
        frame("test", "import c"),
        frame("third_party", "from b import a", "c", "<module>"),
        exc_mro=IMPORT,
    ),
}


@pytest.mark.parametrize("pattern", PLAIN)
def test_plain_cases(pattern: FailurePattern) -> None:
    assert classify.classify(PLAIN[pattern])[0] is pattern


def test_a_syntax_error_is_one_whatever_the_weights_say(data_file: Path) -> None:
    data_file.write_text(json.dumps(tiny()))
    assert classify.classify(broken("SyntaxError", "invalid syntax"))[0] is P.SYNTAX_ERROR
    assert classify.classify(broken("AssertionError"))[0] is P.API_CHANGE


# -- causes and questions rest on rules ----------------------------------------------------------------------------
def test_what_the_weights_believe_changes_neither_the_cause_nor_who_is_asked(data_file: Path) -> None:
    data_file.write_text(json.dumps(tiny()))
    found = preliminary(broken("FileNotFoundError", "", exc_mro=("FileNotFoundError", "OSError")))
    assert (found.pattern, found.rule, found.asked, found.cause) == (P.API_CHANGE, P.ENVIRONMENT_ISSUE, P.ENVIRONMENT_ISSUE, Cause.ENVIRONMENT)
    assert replace(found, rule=None).asked is P.API_CHANGE


# -- without a good data file -------------------------------------------------------------------------------------
DAMAGED = {
    "missing": None,
    "empty": b"",
    "no json": b"{",
    "a list": b"[]",
    "not utf-8": b"\xff\xfe\x00",
    "deep": b"[" * 100_000,
    "other version": json.dumps(tiny(version=-1)).encode(),
    "other places": json.dumps(tiny(places=16)).encode(),
    "unknown class": json.dumps(tiny(classes=["timeout", "bad_weather"])).encode(),
    "a class twice": json.dumps(tiny(classes=["timeout", "timeout"])).encode(),
    "short bias": json.dumps(tiny(bias=[1.0])).encode(),
    "no number": json.dumps(tiny(bias=[1.0, float("nan")])).encode(),
    "text as number": json.dumps(tiny(scale=["a", "b"])).encode(),
    "short table": json.dumps(tiny(weights="AAAA")).encode(),
    "no base64": json.dumps(tiny(weights="?")).encode(),
    "weights are a number": json.dumps(tiny(weights=3)).encode(),
    "nothing in it": b"{}",
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED.keys())
def test_without_a_good_file_the_rules_answer_and_one_line_says_so(data_file: Path, data: bytes | None) -> None:
    if data is not None:
        data_file.write_bytes(data)
    assert classify.classify(broken("AssertionError")) == classify.by_rules(broken("AssertionError"))
    assert classify.problem().startswith("the trained classifier cannot be used")
    assert "\n" not in classify.problem()
