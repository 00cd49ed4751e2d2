"""Any bytes in place of our state files give a clear error or a note, never another exception."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_maestro_healer.apply.journal import parse_transaction
from pytest_maestro_healer.apply.pending import dump_bundle, parse_bundle
from pytest_maestro_healer.errors import BundleError
from tests.apply_helpers import Project, heal_number, numbered

SOURCE = numbered(3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FEW = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def bundle() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(dump_bundle([heal_number(SOURCE, 1)], "0", "/root"))
    return data


def transaction(folder: Path) -> dict[str, Any]:
    project = Project(folder, {"test_a.py": SOURCE})
    project.store.apply([heal_number(SOURCE, 1)])
    (entry,) = project.store.folder.glob("journal/*.json")
    data: dict[str, Any] = json.loads(entry.read_bytes())
    return data


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values in a JSON document."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [at, *(p for k in keys for p in places(value[k], (*at, k)))]


def put(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    if not at:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[at[0]] = put(value[at[0]], at[1:], new)
    return copy


@FEW
@given(st.binary(max_size=200) | JSON.map(lambda v: json.dumps(v).encode()))
def test_any_bytes(data: bytes) -> None:
    for parse in (parse_bundle, parse_transaction):
        with pytest.raises(BundleError) as info:
            parse(data)
        assert "\n" not in str(info.value)


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"a":' * 50_000, b"9" * 10_000, b"\xff\xfe", b"", b"null", b'"\\ud800"'])
def test_nasty_bytes(data: bytes) -> None:
    for parse in (parse_bundle, parse_transaction):
        with pytest.raises(BundleError):
            parse(data)


@FEW
@given(st.data())
def test_bundle_with_one_value_replaced(data: st.DataObject) -> None:
    document = bundle()
    changed = put(document, data.draw(st.sampled_from(places(document))), data.draw(JSON))
    try:
        results, problems = parse_bundle(json.dumps(changed).encode())
    except BundleError:
        return
    assert all(isinstance(p, str) for p in problems)
    for r in results:
        assert r.diff is not None
        for c in r.changes:
            assert isinstance(c.path, str)
            assert c.before_bytes is not None
            assert c.after_bytes is not None


@FEW
@given(st.data())
def test_store_with_one_value_of_the_bundle_replaced(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    project = Project(tmp_path_factory.mktemp("p"), {"test_a.py": SOURCE})
    path = project.store.save_pending([heal_number(SOURCE, 1)])
    document = bundle()
    path.write_bytes(json.dumps(put(document, data.draw(st.sampled_from(places(document))), data.draw(JSON))).encode())
    store = project.store
    try:
        ids = [e.result.healing_id for e in store.entries()]
        outcomes = store.accept(ids)
    except BundleError:
        outcomes = []
    assert project.read() in (SOURCE, heal_number(SOURCE, 1).changes[0].after_bytes) or any(o.ok for o in outcomes)
    assert project.names() == ["test_a.py"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_store_with_one_value_of_the_journal_replaced(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("p")
    document = transaction(folder)
    project = object.__new__(Project)
    project.root, project.cache = folder / "project", folder / "cache"
    (entry,) = project.store.folder.glob("journal/*.json")
    begun = put(document, ("state",), data.draw(st.sampled_from(["begun", "done"])))
    entry.write_bytes(json.dumps(put(begun, data.draw(st.sampled_from(places(begun))), data.draw(JSON))).encode())
    store = project.store
    store.recover()
    for a in store.history():
        store.rollback(a.healing_id)
    assert project.read() in (SOURCE, heal_number(SOURCE, 1).changes[0].after_bytes)
    assert project.names() == ["test_a.py"]
