"""Ways to make a clock stand still for one test: with the library that the project has, else where the code under test looks the clock up."""

from __future__ import annotations

import ast
import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_maestro_healer.evidence.clocks import ClockRead, clock_reads
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.strategies.flaky_test_stabilization.draft import Draft
from pytest_maestro_healer.strategies.flaky_test_stabilization.places import Place
from pytest_maestro_healer.strategies.flaky_test_stabilization.restore import Way

#: The names of so many clocks are exchanged at most.
_MANY = 6
_FILES = 60
_LIBRARIES = (("freezegun", "freezegun"), ("time_machine", "time-machine"))


@dataclass(frozen=True)
class Site:
    """One reading and the file in which it stands."""

    path: str
    read: ClockRead


def sites(place: Place, ctx: Context) -> list[Site]:
    """The readings of the wall clock in the test's file and in the product that it reaches."""
    out = [Site(place.src.path, r) for r in clock_reads(place.tree)]
    for path in [p for p in ctx.variables.reachable(place.src.path) if p != place.src.path][:_FILES]:
        tree = ctx.symbols.tree(path)
        out += [Site(path, r) for r in clock_reads(tree)] if tree is not None else []
    return out


def ways(place: Place, found: Sequence[Site], moment: datetime.datetime, why: str, ctx: Context) -> Iterator[Way]:
    """Candidates that let the test run at ``moment`` (local time), best first."""
    for module, distribution in _LIBRARIES:
        if ctx.live.importable(module) and _used(module, distribution, ctx):
            draft = Draft(place)
            if module == "freezegun":
                draft.decorate(f'@freeze_time("{moment:%Y-%m-%d %H:%M:%S}")')
                draft.need("from freezegun import freeze_time")
            else:
                draft.decorate(f'@time_machine.travel("{moment:%Y-%m-%d %H:%M:%S}", tick=False)')
                draft.need("import time_machine")
            yield from _made(draft, f"{distribution} holds the clock for it")
    draft = Draft(place)
    if _exchanged(draft, place, found, moment, why, ctx):
        yield from _made(draft, "the clock that the code looks up stands still for it")


def _made(draft: Draft, how: str) -> Iterator[Way]:
    data = draft.data()
    if data is not None:
        yield Way(draft.src.path, data, how)


def _used(module: str, distribution: str, ctx: Context) -> bool:
    """Whether the project says that it has a library: it is among its requirements, or its tests import it."""
    return (
        bool(ctx.distributions.declared(distribution))
        or next(iter(ctx.test_files_with(f"import {module}")), None) is not None
        or any(f"from {module} import".encode() in src.data for src in ctx.test_files_with(module))
    )


# -- without a library -------------------------------------------------------------------------------------------
def _exchanged(draft: Draft, place: Place, found: Sequence[Site], moment: datetime.datetime, why: str, ctx: Context) -> bool:
    """Write the fixture; false where something is read that it cannot exchange."""
    targets = _targets(place, found, ctx)
    owners = {s.read.owner for s in found}
    if any(s.read.owner.startswith("time.") and s.read.name not in ("", s.read.method) for s in found):
        return False
    if not targets or len(targets) > _MANY or owners - {"time.time", "time.time_ns", "datetime.datetime", "datetime.date"}:
        return False
    lines: list[str] = []
    values = {"time.time": f"lambda: {moment.timestamp()!r}", "time.time_ns": f"lambda: {round(moment.timestamp() * 1e9)}"}
    for owner in sorted(o for o in owners if o.startswith("datetime.")):
        base = _base(draft, place, owner)
        if not base:
            return False
        values[owner] = "Frozen" + owner.rpartition(".")[2].capitalize()
        lines += _class(values[owner], base, owner, {s.read.method for s in found if s.read.owner == owner}, moment)
    lines += [f"monkeypatch.{target}, {values[owner]})" for target, owner in targets.items()]
    lines = ["", *lines] if lines[0].startswith("class ") else lines
    name = draft.fresh_name("frozen_clock")
    draft.need("import pytest")
    draft.fixture("\n".join(["@pytest.fixture", f"def {name}(monkeypatch):", f'    """{why}"""', *(f"    {line}" if line else "" for line in lines)]))
    draft.decorate(f'@pytest.mark.usefixtures("{name}")')
    return True


def _targets(place: Place, found: Iterable[Site], ctx: Context) -> dict[str, str]:
    """How each clock is reached (the beginning of a monkeypatch call) -> what it is."""
    out: dict[str, str] = {}
    for site in found:
        owner, name = site.read.owner, site.read.name
        if not name:
            out[f'setattr("{owner}"'] = owner
        elif site.path == place.src.path:
            out[f'setitem(globals(), "{name}"'] = owner
        else:
            out[f'setattr("{ctx.symbols.module_name(site.path)}.{name}"'] = owner
    return dict(sorted(out.items()))


def _base(draft: Draft, place: Place, owner: str) -> str:
    """An expression for the real class in the test's file; ``""`` where its name is taken."""
    module, _, cls = owner.partition(".")
    bound = {a.asname or a.name: (n, a) for n in place.tree.body if isinstance(n, (ast.Import, ast.ImportFrom)) for a in n.names}
    for name, (node, alias) in bound.items():
        if isinstance(node, ast.Import) and alias.name == module:
            return f"{name}.{cls}"
        if isinstance(node, ast.ImportFrom) and node.module == module and alias.name == cls:
            return name
    if cls not in bound:
        draft.need(f"from {module} import {cls}")
        return cls
    return ""


def _class(name: str, base: str, owner: str, methods: set[str], moment: datetime.datetime) -> list[str]:
    numbers = [moment.year, moment.month, moment.day]
    if owner == "datetime.datetime":
        numbers += [moment.hour, moment.minute, moment.second]
        while len(numbers) > 3 and not numbers[-1]:
            numbers.pop()
    text = ", ".join(map(str, numbers))
    lines = [f"class {name}({base}):"]
    for method in sorted(methods):
        zoned = owner == "datetime.datetime" and method == "now"
        lines += ["    @classmethod", f"    def {method}(cls{', tz=None' if zoned else ''}):"]
        lines += [f"        return cls({text}{', tzinfo=tz' if zoned else ''})", ""]
    return lines
