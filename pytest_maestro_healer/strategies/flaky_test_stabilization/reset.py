"""Ways to make a test set the state that it needs by itself, whoever ran before."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.state import Change
from pytest_maestro_healer.model import Value
from pytest_maestro_healer.strategies.flaky_test_stabilization.draft import Draft
from pytest_maestro_healer.strategies.flaky_test_stabilization.places import Names, Place
from pytest_maestro_healer.strategies.flaky_test_stabilization.restore import Way

_LONG = 200


def ways(place: Place, change: Change, value: Value | None, ctx: Context) -> Iterator[Way]:
    """Candidates that give the changed state ``value`` for the test at ``place`` (``None``: it is to be absent)."""
    names = Names(place.src, ctx)
    for build in (_environ, _cache, _attribute):
        draft = Draft(place)
        how = build(draft, place, change, value, names)
        data = draft.data() if how else None
        if data is not None:
            yield Way(place.src.path, data, how, literal=build is _attribute)


def _environ(draft: Draft, place: Place, change: Change, value: Value | None, names: Names) -> str:
    if change.kind != "environ" or (value is not None and (value.source is None or len(value.source) > _LONG)):
        return ""
    key = _string(change.path)
    if place.takes_fixtures:
        draft.argument("monkeypatch")
        draft.first(f"monkeypatch.setenv({key}, {_double(value)})" if value is not None else f"monkeypatch.delenv({key}, raising=False)")
    else:
        draft.need("import os")
        draft.need("from unittest import mock")
        draft.decorate(f"@mock.patch.dict(os.environ, {{{key}: {_double(value)}}})" if value is not None else "@mock.patch.dict(os.environ)")
        if value is None:
            draft.first(f"os.environ.pop({key}, None)")
    return "the test sets the variable that it reads" if value is not None else "the test runs without the variable"


def _cache(draft: Draft, place: Place, change: Change, value: Value | None, names: Names) -> str:
    reached = names.reach(change) if change.kind == "cache" else None
    if reached is None:
        return ""
    owner, line = reached
    attr = change.path.rpartition(".")[2]
    draft.need(line)
    draft.first(f"{owner + '.' if owner else ''}{attr}.cache_clear()")
    return "the test starts with an empty cache"


def _attribute(draft: Draft, place: Place, change: Change, value: Value | None, names: Names) -> str:
    if change.kind != "attribute" or value is None or value.source is None or len(value.source) > _LONG or value.truncated:
        return ""
    reached = names.reach(change)
    if reached is None or not reached[0]:
        return ""
    owner, line = reached
    attr = change.path.rpartition(".")[2]
    missing = change.before is None
    if place.takes_fixtures:
        draft.argument("monkeypatch")
        draft.first(f'monkeypatch.setattr({owner}, "{attr}", {_double(value)}{", raising=False" if missing else ""})')
    else:
        draft.need("from unittest import mock")
        draft.decorate(f'@mock.patch.object({owner}, "{attr}", {_double(value)}{", create=True" if missing else ""})')
    draft.need(line)
    for imported in value.imports:
        draft.need(imported)
    return "the test sets the state that it needs"


def calls(place: Place, setter: Place, ctx: Context) -> Iterator[Way]:
    """The test calls the one that sets its state, first (both in one file, same class or module level)."""
    if setter.src.path != place.src.path or isinstance(setter.function, ast.AsyncFunctionDef):
        return
    if (setter.cls.name if setter.cls else "") != (place.cls.name if place.cls else "") or setter.nodeid.endswith("]"):
        return
    args = [a.arg for a in setter.function.args.args if a.arg not in ("self", "cls")]
    if setter.function.args.defaults or setter.function.args.kwonlyargs or (args and not place.takes_fixtures):
        return
    draft = Draft(place)
    mine = {a.arg for a in place.function.args.args}
    missing = [a for a in args if a not in mine]
    if len(missing) > 1:
        return
    for name in missing:
        draft.argument(name)
    target = f"self.{setter.function.name}" if setter.cls else setter.function.name
    draft.first(f"{target}({', '.join(args)})")
    data = draft.data()
    if data is not None:
        yield Way(place.src.path, data, f"the test does first what {setter.function.name} does")


def _string(text: str) -> str:
    return _quotes(repr(text))


def _double(value: Value) -> str:
    return _quotes(value.source or "")


def _quotes(source: str) -> str:
    """A plain string literal with double quotes."""
    inner = source[1:-1]
    return f'"{inner}"' if source[:1] == "'" and source[-1:] == "'" and "'" not in inner and '"' not in inner else source
