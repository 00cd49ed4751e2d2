"""Environment variables set or removed for the failing tests only, in the way that fits each place."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.experiments import Conditions
from pytest_maestro_healer.evidence.nodeids import is_test
from pytest_maestro_healer.model import Applicability, Edit, Evidence, Failure, Proof, Proposal
from pytest_maestro_healer.strategies.environment_healing.place import Place, entry
from pytest_maestro_healer.strategies.environment_healing.writer import Writer, free_name, module_statement, quoted

STRATEGY = "environment_healing"
#: So many tests of one file get one fixture instead of a statement each.
MANY = 3
#: Values for a placeholder expression are written as they are.
Changes = Mapping[str, str | None]


class Expression(str):
    """A value that is an expression of the test's (``str(tmp_path)``), not a literal."""


def isolated(group: Sequence[Failure], ctx: Context, changes: Changes, *, zone: bool = False, why: str = "") -> tuple[tuple[Edit, ...], bool]:
    """Edits that give every test of ``group`` the ``changes``, and whether shared test code is among them.

    ``zone``: the C library must be told too (``time.tzset``). Raises :class:`~pytest_maestro_healer.errors.EditError` where a place does
    not allow it.
    """
    places: dict[str, dict[int, Place]] = {}
    for failure in group:
        place = entry(failure, ctx)
        if place is not None and ctx.is_test_code(place.src.path):
            places.setdefault(place.src.path, {})[place.node.lineno] = place
    if not places:
        raise EditError("no test function to isolate")
    edits: list[Edit] = []
    for found in places.values():
        mine = list(found.values())
        writer = Writer(mine[0].src)
        # a fixture of the module runs before a class's setup_method, one of the class after it
        early = any(p.node.name == "setup_method" and p.cls is not None for p in mine)
        tests = [p for p in mine if p.kind in ("test", "unittest") or (p.node.name == "setup_method" and p.cls is not None)]
        expression = any(isinstance(v, Expression) for v in changes.values())
        if tests and (zone or early or len(tests) >= MANY or (expression and any(p.kind == "unittest" for p in tests))):
            _fixture(writer, tests, changes, zone=zone, everywhere=early or len(tests) >= MANY, why=why)
            mine = [p for p in mine if p not in tests]
        for place in mine:
            _statements(writer, place, changes, zone=zone)
        edits += writer.edits()
    return tuple(edits), any(ctx.is_helper(p) for p in places)


def _fixture(writer: Writer, tests: Sequence[Place], changes: Changes, *, zone: bool, everywhere: bool, why: str) -> None:
    """A fixture of the module, used by one or two tests by mark, by all where they are many."""
    src = writer.src
    name = free_name(src, *_fixture_names(changes, zone))
    pytest = writer.module("pytest")
    arguments = [n for n in ("tmp_path",) if any(isinstance(v, Expression) and n in v for v in changes.values())]
    lines = [f"@{pytest}.fixture{'(autouse=True)' if everywhere else ''}"]
    if zone:
        clock = writer.module("time")
        lines += [f"def {name}({', '.join(arguments)}):", f'    """{why}"""', f"    with {pytest}.MonkeyPatch.context() as patch:"]
        lines += [f"        {line}" for line in _patch_lines("patch", changes)]
        lines += [f"        {clock}.tzset()", "        yield", f"    {clock}.tzset()"]
    else:
        lines += [f"def {name}({', '.join(['monkeypatch', *arguments])}):", f'    """{why}"""']
        lines += [f"    {line}" for line in _patch_lines("monkeypatch", changes)]
    first = min((module_statement(p) for p in tests), key=lambda n: n.lineno)
    if everywhere:
        first = next((n for n in _tree(src).body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))), first)
    writer.definition(first, lines)
    if not everywhere:
        for place in tests:
            writer.decorate(place.node, f'{pytest}.mark.usefixtures("{name}")')


def _tree(src: SourceFile) -> ast.Module:
    assert src.tree is not None
    return src.tree


def _fixture_names(changes: Changes, zone: bool) -> tuple[str, ...]:
    if zone:
        return ("utc", "time_zone") if changes.get("TZ") == "UTC" else ("time_zone", "local_zone")
    return ("environment", "isolated_environment", "own_environment")


def _statements(writer: Writer, place: Place, changes: Changes, *, zone: bool) -> None:
    if zone and place.kind != "wide_fixture":
        raise EditError("a time zone needs a fixture of its own")
    if place.takes_fixtures:
        writer.argument(place.node, "monkeypatch")
        for name in ("tmp_path",):
            if any(isinstance(v, Expression) and name in v for v in changes.values()):
                writer.argument(place.node, name)
        writer.start(place.node, _patch_lines("monkeypatch", changes))
    elif place.kind == "wide_fixture" and not zone:
        writer.argument(place.node, "request")
        pytest = writer.module("pytest")
        name = free_name(writer.src, "patch", "environment_patch")
        writer.start(place.node, [f"{name} = {pytest}.MonkeyPatch()", f"request.addfinalizer({name}.undo)", *_patch_lines(name, changes)])
    elif place.kind == "unittest":
        _unittest(writer, place, changes)
    else:
        raise EditError(f"{place.node.name} can take no fixture")


def _unittest(writer: Writer, place: Place, changes: Changes) -> None:
    environ = _environ(writer)
    mock = writer.module("unittest.mock")
    given = {k: v for k, v in changes.items() if v is not None}
    gone = [k for k, v in changes.items() if v is None]
    table = "{" + ", ".join(f"{quoted(k)}: {quoted(v)}" for k, v in given.items()) + "}"
    if not gone and place.node.name.startswith("test"):
        writer.decorate(place.node, f"{mock}.patch.dict({environ}, {table})")
        return
    owner = place.node.args.args[0].arg if place.node.args.args else "self"
    name = free_name(writer.src, "environment", "environment_patch")
    lines = [f"{name} = {mock}.patch.dict({environ}{', ' + table if given else ''})", f"{name}.start()", f"{owner}.addCleanup({name}.stop)"]
    writer.start(place.node, lines + [f"{environ}.pop({quoted(k)}, None)" for k in gone])


def _environ(writer: Writer) -> str:
    direct = re.search(r"^from os import .*\benviron\b", writer.src.text, re.M)
    return writer.imported("os", "environ") if direct else f"{writer.module('os')}.environ"


def _patch_lines(patch: str, changes: Changes) -> list[str]:
    out = []
    for name, value in changes.items():
        if value is None:
            out.append(f"{patch}.delenv({quoted(name)}, raising=False)")
        else:
            out.append(f"{patch}.setenv({quoted(name)}, {value if isinstance(value, Expression) else quoted(value)})")
    return out


# -- experiments -----------------------------------------------------------------------------------------------
class Trial:
    """Runs of one failing test with some variables changed.

    First in a copy of the process that saw it fail; where that does not help, from a state in which no test has run (what was read once may be
    kept). ``clean`` says which of the two the last success was: the heal has to be proved in the same way.
    """

    def __init__(self, failure: Failure, ctx: Context, *, clean: bool = False) -> None:
        self.failure = failure
        self.ctx = ctx
        self.clean = clean

    def works(self, changes: Changes) -> bool:
        """Whether the test as it stands passes when exactly these variables are changed."""
        return self._passes(Conditions(env=dict(changes), clean=self.clean))

    def minimal(self, changes: Changes) -> dict[str, str | None] | None:
        """The smallest part of ``changes`` that makes the test pass; ``None`` where not even all of them do, or where it passes without."""
        names = list(changes)
        if not names or not (self.works(changes) or self._works_clean(changes)) or self._passes(Conditions(clean=self.clean)):
            return None
        step = max(1, len(names) // 2)
        while len(names) > 1:
            rests = [names[:i] + names[i + step :] for i in range(0, len(names), step)]
            smaller = next((rest for rest in rests if rest and self.works({n: changes[n] for n in rest})), None)
            if smaller is None and step == 1:
                break
            names = smaller or names
            step = max(1, min(step if smaller else step // 2, len(names) - 1))
        return {n: changes[n] for n in names}

    def first(self, candidates: Iterable[Changes]) -> Changes | None:
        """The first of several changes that works."""
        found = next((c for c in candidates if self.works(c)), None)
        return found if found is not None and not self._passes(Conditions(clean=self.clean)) else None

    def _works_clean(self, changes: Changes) -> bool:
        if self.clean or not self.ctx.experiments.available:
            return False
        self.clean = True
        return self.works(changes)

    def _passes(self, conditions: Conditions) -> bool:
        seen = self.ctx.experiments.observe([self.failure.nodeid], self.ctx.overlay, conditions).get(self.failure.nodeid)
        return seen is not None and seen.passed

    def group(self, changes: Changes, limit: int = 60) -> list[Failure]:
        """The failure and the others like it that the same change makes pass."""
        mine = self.failure
        alike = [f for f in self.ctx.failures if f.nodeid != mine.nodeid and _alike(f, mine) and f.healable and is_test(f.nodeid)][:limit]
        if not alike:
            return [mine]
        seen = self.ctx.experiments.observe([f.nodeid for f in alike], self.ctx.overlay, Conditions(env=dict(changes), clean=self.clean))
        return [mine, *(f for f in alike if f.nodeid in seen and seen[f.nodeid].passed)]


def _alike(a: Failure, b: Failure) -> bool:
    return a.phase == b.phase and (a.exc_type == b.exc_type or a.path == b.path)


# -- proposals -------------------------------------------------------------------------------------------------
def propose(
    tactic: str,
    group: Sequence[Failure],
    ctx: Context,
    change: Callable[[], tuple[tuple[Edit, ...], bool]],
    *,
    evidence: Iterable[Evidence],
    explanation: str,
    meaning: str,
    safe: bool,
    score: float = 0.8,
    key: str = "",
    clean: bool = False,
) -> Proposal | None:
    """The proposal whose edits ``change`` makes; ``None`` where they cannot be made. ``clean``: to be proved where no test has run before."""
    try:
        edits, helper = change()
    except EditError:
        return None
    if not edits:
        return None
    applicability = Applicability.SAFE if safe and not helper else Applicability.REVIEW
    nodeids = tuple(dict.fromkeys(f.nodeid for f in group))
    return Proposal(
        STRATEGY, tactic, edits, tuple(evidence), applicability, explanation, nodeids, meaning, key or f"{tactic}:{meaning}", "", score,
        Proof(repeats=2) if clean else None,
    )  # fmt: skip


def advice(tactic: str, failure: Failure, text: str, evidence: Iterable[Evidence] = (), key: str = "") -> Proposal:
    """A precise text without an edit."""
    return Proposal(
        STRATEGY, tactic, (), tuple(evidence), Applicability.ADVICE, text, (failure.nodeid,), "", key or f"{tactic}:{text}", text, 0.3
    )  # fmt: skip
