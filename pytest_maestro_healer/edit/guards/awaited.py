"""Tests that nobody would run to their end: a coroutine that is never awaited and a generator that is never exhausted pass whatever they hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pytest_maestro_healer.edit.guards.expressions import dotted, last_name
from pytest_maestro_healer.edit.guards.walk import Unit, units
from pytest_maestro_healer.edit.source import SourceFile

if TYPE_CHECKING:
    from pytest_maestro_healer.evidence.context import Context

#: What pytest and unittest call before and after tests, and call only: a coroutine that it gives is dropped.
_SET_UP = re.compile(r"(?:setUp|tearDown)(?:Class|Module)?|(?:setup|teardown)(?:_(?:method|class|function|module))?")
#: Markers and decorators that run a coroutine.
_RUNS = re.compile(r"(?i)async|anyio|trio|curio|coro|gen_test|inlinecallbacks|deferred|await|event_?loop")
_MARK = re.compile(r"\bmark\.")
#: Packages whose test cases await the tests of their classes, and those that await what stands around the tests too.
_CASES = frozenset({"django", "rest_framework", "channels", "asynctest", "aiounittest", "aiohttp", "twisted", "tornado"})
_WHOLLY = frozenset({"asynctest", "twisted"})
#: Bases that make no class a unittest case.
_BARE = frozenset({"object", "ABC", "Generic", "Protocol", "Enum"})
#: A project that runs every async test, marked or not.
_MODES = re.compile(rb"asyncio[_-]mode['\"\s:=]*auto\b|\b(?:trio|anyio)_mode['\"\s:=]*(?:true|1|auto)\b", re.I)
_CONFTEST = re.compile(rb"\bpytest_pyfunc_call\b|\banyio_backend\b|mark\.(?:asyncio|anyio|trio)\b")
_SETTINGS = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")


def runs_all(ctx: Context) -> bool:
    """Whether the project's settings or a conftest say that async tests are run without a marker of their own."""
    options = ctx.environ.get("PYTEST_ADDOPTS", "").encode("utf-8", "replace")
    if any(_MODES.search(text) for text in (options, *(ctx.files.read(name) or b"" for name in _SETTINGS))):
        return True
    return any(_CONFTEST.search(ctx.files.read(p) or b"") for p in ctx.test_files() if p.rpartition("/")[2] == "conftest.py")


def grew(before: SourceFile, after: SourceFile, runs_unmarked: bool = False) -> list[str]:
    """The tests, set-ups and helpers of ``after`` that are called and not run, where ``before`` (which need not parse) had none such.

    ``runs_unmarked`` says that test functions outside of unittest classes need no marker to be awaited.
    """
    out = _idle_tests(before, after, runs_unmarked)
    fresh = {n.name for n in ast.walk(after.tree) if isinstance(n, ast.AsyncFunctionDef)} if after.tree is not None else set()
    fresh = {name for name in fresh if _count(name, after) > _count(name, before)}
    return out + [f"calls {name}() without awaiting it, which is async now" for name in sorted(_dropped(after.tree, fresh))]


def _count(name: str, src: SourceFile) -> int:
    return len(re.findall(rf"\basync\s+def\s+{re.escape(name)}\b", src.text))


# -- tests ----------------------------------------------------------------------------------------------------
def _idle_tests(before: SourceFile, after: SourceFile, runs_unmarked: bool) -> list[str]:
    now = list(_idle(after))
    if not now:
        return []
    if before.tree is not None:
        was = {(u.qualname, why) for u, why, _ in _idle(before)}
        fresh = [(u.qualname, why) not in was for u, why, _ in now]
    else:  # what the damaged text shows was there before
        fresh = [u.text.strip() not in before.text and (why == _GENERATOR or _count(u.name, after) > _count(u.name, before)) for u, why, _ in now]
    # tests without a marker that stand beside it are run by something, or the proof shows that nothing runs them
    runs_unmarked = runs_unmarked or any(lone and not new for (_, _, lone), new in zip(now, fresh, strict=True))
    return [f"{u.name} would not be run: {why}" for (u, why, lone), new in zip(now, fresh, strict=True) if new and not (lone and runs_unmarked)]


_GENERATOR = "it is a generator, which nobody goes through"


def _idle(src: SourceFile) -> Iterator[tuple[Unit, str, bool]]:
    """Tests and set-ups of a file that are called and not run, why, and whether all that is missing is a marker."""
    assert src.tree is not None
    known = _origins(src.tree)
    classes = {n.name: n for n in ast.walk(src.tree) if isinstance(n, ast.ClassDef)}
    marks = [*_marks(src.tree.body)]
    for unit in units(src):
        if not isinstance(unit.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        set_up = bool(_SET_UP.fullmatch(unit.name))
        own = [ast.unparse(d) for d in unit.node.decorator_list]
        if not (unit.is_test or set_up) or any("fixture" in d for d in own) or any(_RUNS.search(d) and not _MARK.search(d) for d in own):
            continue
        if unit.is_test and any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in unit.own):
            yield unit, _GENERATOR, False
        elif isinstance(unit.node, ast.AsyncFunctionDef):
            bases = [b for c in unit.classes for b in _bases(c, classes, known)]
            roots = {b.partition(".")[0] for b in bases}
            if set_up:
                if not roots & _WHOLLY:
                    yield unit, "nothing awaits it", False
            elif bases:
                if not roots & _CASES and not any("async" in b.lower() or "aiohttp" in b.lower() for b in bases):
                    yield unit, f"{unit.classes[-1].name} may be a plain TestCase, which does not await it", False
            else:
                around = [*marks, *(m for c in unit.classes for m in (*map(ast.unparse, c.decorator_list), *_marks(c.body)))]
                takes = {a.arg for a in (*unit.node.args.args, *unit.node.args.kwonlyargs)}
                if not any(_RUNS.search(m) for m in (*own, *around)) and "anyio_backend" not in takes:
                    yield unit, "it is async, and no marker has it awaited", True


def _origins(tree: ast.Module) -> dict[str, str]:
    """Imported name -> where it comes from, in full."""
    out = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            out.update({a.asname: a.name for a in node.names if a.asname})
        elif isinstance(node, ast.ImportFrom):
            out.update({a.asname or a.name: f"{node.module or ''}.{a.name}" for a in node.names})
    return out


def _marks(body: Sequence[ast.stmt]) -> Iterator[str]:
    for stmt in body:
        if isinstance(stmt, (ast.Assign, ast.AnnAssign)) and stmt.value is not None:
            targets = stmt.targets if isinstance(stmt, ast.Assign) else [stmt.target]
            if any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in targets):
                yield ast.unparse(stmt.value)


def _bases(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef], known: Mapping[str, str], depth: int = 8) -> Iterator[str]:
    """The bases of a class that are not defined in its file, by the names that they have where they come from."""
    for base in node.bases:
        name = dotted(base.value if isinstance(base, ast.Subscript) else base)
        here = classes.get(name)
        if here is not None and here is not node:
            if depth:
                yield from _bases(here, classes, known, depth - 1)
            continue
        first, dot, rest = name.partition(".")
        full = known.get(first, first) + dot + rest
        if full.rpartition(".")[2] not in _BARE:
            yield full


# -- helpers --------------------------------------------------------------------------------------------------
def _dropped(tree: ast.Module | None, names: set[str]) -> set[str]:
    """Those of ``names`` that a statement or an assertion calls as if they were plain functions."""
    out = set()
    for node in ast.walk(tree) if tree is not None and names else ():
        if isinstance(node, ast.Expr):
            asserting = isinstance(node.value, ast.Call) and last_name(node.value).startswith("assert")
            looked: list[ast.expr] = [node.value, *(node.value.args if asserting and isinstance(node.value, ast.Call) else ())]
        elif isinstance(node, ast.Assert):
            looked = [node.test]
        else:
            continue
        out |= {last_name(c.func) for c in looked if isinstance(c, ast.Call) and _is_own(c.func) and last_name(c.func) in names}
    return out


def _is_own(func: ast.expr) -> bool:
    return isinstance(func, ast.Name) or (isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id in ("self", "cls"))
