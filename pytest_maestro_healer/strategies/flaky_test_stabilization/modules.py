"""Ways to give modules back that a test made execute anew: others hold the functions and classes that they had before."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.state import Change
from pytest_maestro_healer.strategies.flaky_test_stabilization.draft import Draft
from pytest_maestro_healer.strategies.flaky_test_stabilization.places import Names, Place
from pytest_maestro_healer.strategies.flaky_test_stabilization.restore import Way

_MOST = 4


def ways(place: Place, changes: Sequence[Change], ctx: Context, *, wide_only: bool = False) -> Iterator[Way]:
    """Candidates that make the test at ``place`` leave the modules among ``changes`` as they were: all of them, then one by one.

    What one test reloads is one thing to give back; where that does not work, one module may.
    """
    names = Names(place.src, ctx)
    for holder, build in (("namespace", _namespaces), ("object", _objects)):
        found = [c for c in changes if c.kind == "module" and c.holder == holder and not names.is_own(c.module)][:_MOST]
        groups = [tuple(found), *((c,) for c in found)] if len(found) > 1 else [(c,) for c in found]
        for group in groups:
            yield from build(place, group, names, wide_only)


def _namespaces(place: Place, group: Sequence[Change], names: Names, wide_only: bool) -> Iterator[Way]:
    """A reload binds the names of a module to new objects; :func:`unittest.mock.patch.dict` gives those that it had back."""
    reached = [names.reach(c) for c in group]
    needed = ["from unittest import mock", *(r[1] for r in reached if r is not None)]
    owners = [r[0] for r in reached if r is not None and r[0]]
    if len(owners) < len(group):
        return
    # up to Python 3.11 the decorator gives back before a coroutine has run
    if not wide_only and not isinstance(place.function, ast.AsyncFunctionDef):
        draft = _drafted(place, needed)
        draft.decorate(*(f"@mock.patch.dict(vars({o}))" for o in owners))
        yield from _way(draft, group, "mock.patch.dict gives them back")
    for scope in ("function", "class", "module"):
        draft = _drafted(place, [*needed, "import pytest"])
        inner = [f"{'    ' * i}with mock.patch.dict(vars({o})):" for i, o in enumerate(owners)]
        _fixture(draft, owners, scope, "", [*inner, f"{'    ' * len(owners)}yield"])
        yield from _way(draft, group, f"a fixture of the file gives them back after each {'test' if scope == 'function' else scope}")


def _objects(place: Place, group: Sequence[Change], names: Names, wide_only: bool) -> Iterator[Way]:
    """Another module of the same name stands in :data:`sys.modules`, and in its package."""
    needed, lines = ["import sys"], []
    for module in (c.module for c in group):
        reached = names.reach(Change("module", module, ""))
        package, _, last = module.rpartition(".")
        holder = names.reach(Change("module", package, "")) if package else ("", "")
        if reached is None or holder is None:
            return  # it has to have been imported
        needed += [reached[1], holder[1]]
        lines.append(f'monkeypatch.setitem(sys.modules, "{module}", sys.modules["{module}"])')
        lines += [f'monkeypatch.setattr({holder[0]}, "{last}", {holder[0]}.{last})'] * bool(package)
    if not wide_only and place.takes_fixtures:
        draft = _drafted(place, needed)
        draft.argument("monkeypatch")
        draft.first(*lines)
        yield from _way(draft, group, "monkeypatch gives it back at the end of the test")
    draft = _drafted(place, [*needed, "import pytest"])
    _fixture(draft, [c.module for c in group], "function", "monkeypatch", lines)
    yield from _way(draft, group, "a fixture of the file gives it back after each test")


def _drafted(place: Place, needed: Sequence[str]) -> Draft:
    draft = Draft(place)
    for line in needed:
        draft.need(line)
    return draft


def _fixture(draft: Draft, what: Sequence[str], scope: str, argument: str, body: Sequence[str]) -> None:
    options = "autouse=True" if scope == "function" else f'scope="{scope}", autouse=True'
    named = " and ".join(what)
    lines = [
        f"@pytest.fixture({options})",
        f"def {draft.fresh_name('_restored_modules')}({argument}):",
        f'    """Give {named} back: {draft.place.name} executes {"it" if len(what) == 1 else "them"} anew."""',
        *(f"    {line}" for line in body),
    ]
    draft.fixture("\n".join(lines))


def _way(draft: Draft, group: Sequence[Change], how: str) -> Iterator[Way]:
    data = draft.data()
    if data is not None:
        yield Way(draft.src.path, data, how, changes=tuple(group))
