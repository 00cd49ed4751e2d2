"""The nouns survive JSON unchanged, and what is no such noun is a ValueError."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_maestro_healer import model
from pytest_maestro_healer.apply.store import AppliedHeal, ApplyOutcome
from pytest_maestro_healer.model import Failure, FileChange, HealingReport, HealingResult, Location, ProofStep, Proposal, Record, Value, Verdict

RECORDS = sorted((c for c in vars(model).values() if isinstance(c, type) and issubclass(c, Record) and c is not Record), key=lambda c: c.__name__)
RECORDS += [ApplyOutcome, AppliedHeal]
#: What may stand in the maps of plain facts.
JSON = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5), st.lists(st.text(max_size=3), max_size=2))
VALUES = st.builds(Value, type=st.text(max_size=5), repr=st.text(max_size=5), source=st.none() | st.text(max_size=3))


def a(hint: Any) -> st.SearchStrategy[Any]:
    """Anything that fits a field's type."""
    args = typing.get_args(hint)
    if hint is Any:
        return JSON
    if hint is float:
        return st.floats(allow_nan=False)
    if hint is Value:
        return VALUES
    if typing.get_origin(hint) is tuple:
        return st.lists(a(args[0]), max_size=2).map(tuple) if args[1:] == (Ellipsis,) else st.tuples(*(a(x) for x in args))
    if typing.get_origin(hint) in (Mapping, dict):
        return st.dictionaries(st.text(max_size=4), a(args[1]), max_size=2)
    if args and type(None) in args:
        return st.none() | a(next(x for x in args if x is not type(None)))
    if isinstance(hint, type) and issubclass(hint, Record):
        return record(hint)
    return st.text(max_size=6) if hint is str else st.from_type(hint)


def record(cls: type[Record]) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(cls)
    return st.builds(cls, **{f.name: a(hints[f.name]) for f in dataclasses.fields(cls)})  # type: ignore[arg-type]


@pytest.mark.parametrize("cls", RECORDS, ids=lambda c: c.__name__)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_round_trip_through_json(cls: type[Record], data: st.DataObject) -> None:
    given_ = data.draw(record(cls))
    text = json.dumps(given_.to_dict())
    assert cls.from_dict(json.loads(text)) == given_


@pytest.mark.parametrize("cls", RECORDS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("wrong", [None, "text", 3, [], [["nodeid", "x"]], object()], ids=["none", "text", "number", "list", "pairs", "object"])
def test_what_is_no_mapping_is_refused(cls: type[Record], wrong: Any) -> None:
    with pytest.raises(ValueError, match=f"not a {cls.__name__}"):
        cls.from_dict(wrong)


def required(cls: type[Record]) -> list[str]:
    fields = dataclasses.fields(cls)  # type: ignore[arg-type]
    return [f.name for f in fields if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING]


@pytest.mark.parametrize("cls", [c for c in RECORDS if required(c)], ids=lambda c: c.__name__)
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_missing_field_is_refused(cls: type[Record], data: st.DataObject) -> None:
    whole = data.draw(record(cls)).to_dict()
    for name in required(cls):
        with pytest.raises(ValueError, match=f"not a {cls.__name__}"):
            cls.from_dict({k: v for k, v in whole.items() if k != name})


LOCATION = {"path": "a.py", "line": 1}
FAILURE = {"nodeid": "a.py::t", "phase": "call", "path": "a.py", "exc_type": "E", "message": ""}
PROPOSAL = {"strategy": "s", "tactic": "t", "edits": [], "evidence": [], "applicability": "safe", "explanation": ""}


@pytest.mark.parametrize(
    ("cls", "good", "field", "wrong"),
    [
        (Location, LOCATION, "line", "1"),
        (Location, LOCATION, "line", 1.0),
        (Location, LOCATION, "line", True),
        (Location, LOCATION, "line", None),
        (Location, LOCATION, "path", b"a.py"),
        (Failure, FAILURE, "phase", "later"),
        (Failure, FAILURE, "phase", ["call"]),
        (Failure, FAILURE, "frames", "a.py"),
        (Failure, FAILURE, "frames", {"a": 1}),
        (Failure, FAILURE, "frames", [None]),
        (Failure, FAILURE, "chain", [["only one"]]),
        (Failure, FAILURE, "chain", [["a", "b", "c"]]),
        (Failure, FAILURE, "params", ["x"]),
        (Failure, FAILURE, "params", {"x": {"type": "int"}}),
        (Failure, FAILURE, "location", "a.py:1"),
        (Failure, FAILURE, "duration", "fast"),
        (Failure, FAILURE, "duration", True),
        (Failure, FAILURE, "healable", 1),
        (Proposal, PROPOSAL, "applicability", "sure"),
        (Proposal, PROPOSAL, "applicability", []),
        (Proposal, PROPOSAL, "proof", []),
        (ProofStep, {"rung": "fresh", "passed": True}, "passed", "yes"),
    ],
)
def test_a_field_of_the_wrong_shape_is_refused(cls: type[Record], good: dict[str, Any], field: str, wrong: Any) -> None:
    cls.from_dict(good)
    with pytest.raises(ValueError, match=f"not a {cls.__name__}"):
        cls.from_dict({**good, field: wrong})


def test_a_newer_writers_fields_are_ignored() -> None:
    assert Location.from_dict({**LOCATION, "colour": "red"}) == Location("a.py", 1)


def test_whole_numbers_are_durations_too() -> None:
    found = Failure.from_dict({**FAILURE, "duration": 2})
    assert (found.duration, type(found.duration)) == (2.0, float)


def test_every_field_is_written() -> None:
    for cls in (HealingReport, Verdict):
        assert set(cls().to_dict()) == {f.name for f in dataclasses.fields(cls)}


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_a_file_change_keeps_any_bytes(before: bytes, after: bytes) -> None:
    change = FileChange.from_dict(json.loads(json.dumps(FileChange.of("x", before, after).to_dict())))
    assert (change.before_bytes, change.after_bytes) == (before, after)


def test_exceptions_by_bare_and_qualified_name() -> None:
    f = Failure.from_dict({**FAILURE, "exc_type": "pkg.errors.Gone", "exc_mro": ["pkg.errors.Gone", "LookupError", "Exception"]})
    assert f.is_a("Gone")
    assert f.is_a("pkg.errors.Gone")
    assert f.is_a("KeyError", "LookupError")
    assert not f.is_a("errors.Gone", "KeyError")


def steps(**outcomes: bool | None) -> Verdict:
    return Verdict(tuple(ProofStep(k, v, k) for k, v in outcomes.items()))


@pytest.mark.parametrize(
    ("verdict", "proved"),
    [
        (steps(), False),
        (steps(guard=True), False),
        (steps(rerun=True), False),
        (steps(guard=True, rerun=None), False),
        (steps(guard=True, rerun=True), True),
        (steps(guard=True, rerun=True, teeth=None), True),
        (steps(guard=True, rerun=True, teeth=False), False),
        (steps(guard=True, rerun=True, fresh=False, stable=True), False),
    ],
)
def test_proved(verdict: Verdict, proved: bool) -> None:
    assert verdict.proved is proved
    assert (verdict.failed_step is None) or not proved


def test_a_rung_that_failed_once_is_not_made_good() -> None:
    verdict = steps(guard=True, rerun=False).plus(ProofStep("rerun", True))
    assert not verdict.proved
    assert verdict.failed_step is not None


def test_results_name_their_files() -> None:
    r = HealingResult("h", "t", "s", True, changes=(FileChange.of("a", b"", b"x"), FileChange.of("b", b"", b"y")))
    assert r.files == ("a", "b")
