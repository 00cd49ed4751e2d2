"""The product as it was, for experiments: would the very same test pass without what was changed last?

The tests stay as they are now; everything else of the project, data files too, is what it was at a commit. So it does not matter how a test gets to
the product: by an import, a fixture, a name in a text, or another process.
"""

from __future__ import annotations

import ast
import enum
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.experiments import Conditions, Observation
from pytest_maestro_healer.evidence.nodeids import path_to
from pytest_maestro_healer.evidence.symbols import parse
from pytest_maestro_healer.model import Failure

#: How many of the last commits that changed more than tests are taken back, out of how many.
_COMMITS, _LOOKED_AT = 3, 20


class Then(enum.Enum):
    """What a test did with the product as it was."""

    PASSES = "passes"
    ALIKE = "fails alike"
    OTHERWISE = "cannot be run, or fails in another way"


@dataclass(frozen=True)
class Before:
    """A state of the project: ``path`` and ``line`` are the first place that is another one now, ``commit`` made it so (``""``: uncommitted).

    ``settles`` says that the test must have passed there, so that one that fails alike has always failed in these surroundings.
    """

    rev: str
    path: str
    line: int
    commit: str
    settles: bool = False

    @property
    def where(self) -> str:
        """``path:line (changed in ...)``: the first change since."""
        return f"{self.path}:{self.line} ({'changed in ' + self.commit[:7] if self.commit else 'changed uncommitted'})"


@dataclass(frozen=True)
class Blame:
    """The change without which the unhealed test passes (``told``), or of which that cannot be told; without ``before`` there is none."""

    before: Before | None = None
    told: bool = False

    @property
    def where(self) -> str:
        """Its place, ``""`` without one."""
        return self.before.where if self.before is not None else ""


def changed(ctx: Context, rev: str) -> list[str]:
    """The files that differ from ``rev`` and are neither test code nor texts for people."""
    return [p for p in (*ctx.git.changed_files(rev), *added(ctx)) if _matters(ctx, p)]


def added(ctx: Context) -> list[str]:
    """Modules that nobody added to git yet: they were not there at any commit."""
    return [p for p in ctx.git.untracked() if p.endswith(".py") and not todays(ctx, p)]


def _matters(ctx: Context, path: str) -> bool:
    return not path.endswith((".md", ".rst")) and not todays(ctx, path)


def todays(ctx: Context, path: str) -> bool:
    """Whether a file is the tests' own, and so stays as it is now: what a package ships under such a name is the product's."""
    if not ctx.is_test_code(path):
        return False
    folders = path.split("/")[:-1]
    collected = path in ctx.files.collected_files or path.endswith("conftest.py") or not {"tests", "test"}.isdisjoint(folders)
    shipped = any(ctx.files.read("/".join([*folders[:i], "__init__.py"])) is not None for i in range(1, len(folders) + 1))
    return collected or not shipped


def states(ctx: Context, failure: Failure) -> Iterator[Before]:
    """What is not committed, the commits at which the test was last green and was written, and each of the last commits; without git none.

    States in which nothing but test code differs from now are left out. A test that was last green at a commit since which only tests changed has
    nothing to ask; one that was written together with a change of the product may have followed it in one place and missed it in another.
    """
    if not ctx.git.available:
        return
    green, written = ctx.last_green(failure.nodeid), _written(ctx, failure)
    recent = _recent(ctx)
    yield from _state(ctx, failure, "HEAD", "")
    if green:
        known = list(_state(ctx, failure, green, "", settles=True))
        if not known:
            return
        yield from known
    if written:
        # of a test that came with a change of the product it is not known what else that change brought; after a merge its own side may be lost
        known = list(_state(ctx, failure, written, "", settles=written not in recent))
        if not known and written not in recent:
            return
        yield from known
    for commit in recent:
        yield from _state(ctx, failure, f"{commit}~1", commit)
        if commit == written:
            return


def product_since(ctx: Context, failure: Failure) -> str:
    """The commit since which the product's changes may have failed the test: where it was written as it is, or before the last commits."""
    if not ctx.git.available:
        return ""
    written, recent = _written(ctx, failure), _recent(ctx)
    return written if written and written not in recent else f"{recent[-1]}~1" if recent else "HEAD"


def _recent(ctx: Context) -> list[str]:
    """The last commits that changed more than tests, newest first."""
    out: list[str] = []
    for commit, _ in ctx.git.commits(limit=_LOOKED_AT):
        if len(out) < _COMMITS and any(_matters(ctx, p) for p in ctx.git.files_of(commit)):
            out.append(commit)
    return out


def _state(ctx: Context, failure: Failure, rev: str, commit: str, *, settles: bool = False) -> Iterator[Before]:
    paths = changed(ctx, rev)
    if not paths:
        return
    mine = [h for h in ctx.git.hunks(rev) if h.path in paths]
    hunks = [h for h in mine if commit and ctx.git.last_change(h.path, h.new_line) == commit[:7]] or mine
    reached = ctx.variables.reachable(failure.path)
    hunks.sort(key=lambda h: h.path not in reached)
    path, line = (hunks[0].path, max(hunks[0].new_line, 1)) if hunks else (paths[0], 1)
    yield Before(rev, path, line, commit or (ctx.git.last_change(path, line) if rev != "HEAD" else ""), settles)


def _written(ctx: Context, failure: Failure) -> str:
    """The commit at which the failing test was written as it is now."""
    tree = parse(ctx.files.read(failure.path) or b"")
    if tree is None:
        return ""
    body = tree.body
    found: ast.stmt | None = None
    for name in path_to(failure.nodeid):
        found = next((n for n in body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and n.name == name), None)
        if found is None:
            return ""
        body = found.body
    return ctx.git.written_in(failure.path, found.lineno, found.end_lineno or found.lineno) if found is not None else ""


def blame(ctx: Context, failure: Failure, ask: Callable[[Before], Then]) -> Blame:
    """The change of the product that brought a failure in, by what ``ask`` says of each state.

    Where the test passes, the change is the cause. Where it fails in another way, as one does that was changed with the product, nobody can tell.
    """
    unknown: Before | None = None
    for before in states(ctx, failure):
        then = ask(before)
        if then is Then.PASSES:
            return Blame(before, True)
        if then is Then.ALIKE and before.settles:
            return Blame()
        if then is Then.OTHERWISE and not before.settles:
            unknown = unknown or before
    return Blame(unknown)


def brought_in(failure: Failure, ctx: Context, ground: Mapping[str, bytes]) -> Blame:
    """The change of the product that may have brought a failure in: the unhealed test is run on top of ``ground``, alone or, where it passes
    alone now, after the tests before it."""
    order: list[str] = []

    def ask(before: Before) -> Then:
        if not ctx.experiments.available:
            return Then.OTHERWISE
        if not order:
            now = _last([failure.nodeid], ctx, ground, Conditions(fresh=True))
            order.extend([*(ctx.before(failure.nodeid) if now is not None and now.passed else ()), failure.nodeid])
        return compared(failure, _last(order, ctx, ground, Conditions(ordered=True, rev=before.rev)))

    return blame(ctx, failure, ask)


def _last(order: list[str], ctx: Context, overlay: Mapping[str, bytes], conditions: Conditions) -> Observation | None:
    return ctx.experiments.observe(order, overlay, replace(conditions, fresh=True)).get(order[-1])


def compared(failure: Failure, seen: Observation | None) -> Then:
    """What an older product's run says: a failure of the same kind at the same statement is alike."""
    if seen is None or seen.passed:
        return Then.PASSES if seen is not None else Then.OTHERWISE
    then = seen.failure
    if then is None or then.exc_type != failure.exc_type or then.phase != failure.phase:
        return Then.OTHERWISE
    return Then.ALIKE if _place(then) == _place(failure) or then.statement == failure.statement else Then.OTHERWISE


def _place(failure: Failure) -> tuple[str, int] | None:
    return (failure.location.path, failure.location.line) if failure.location else None
