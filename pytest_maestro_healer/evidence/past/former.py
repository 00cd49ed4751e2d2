"""The product as it was, for experiments: would the very same test pass without what was changed last?

The tests stay as they are now; everything else of the project, data files too, is what it was at a commit. So it does not matter how a test gets to
the product: by an import, a fixture, a name in a text, or another process.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.experiments import Conditions, Observation
from pytest_maestro_healer.evidence.nodeids import path_to
from pytest_maestro_healer.evidence.past.dated import switch
from pytest_maestro_healer.evidence.past.origin import named, origin
from pytest_maestro_healer.evidence.past.ran import commits, ran
from pytest_maestro_healer.evidence.past.shipped import used_by_product
from pytest_maestro_healer.evidence.past.unseen import unseen
from pytest_maestro_healer.model import Failure

#: So many of the last commits are taken back of each kind, and so many are looked through for them.
_COMMITS, _LOOKED_AT = 3, 60
#: So many more are: the last that changed what the test runs through.
_RUN_THROUGH = 3
#: Texts for people, by their folder or name.
_TEXTS = re.compile(r"(?i)(?:^|/)(?:docs?/|(?:readme|change|history|news|contribut|licen[cs]e|authors|todo|security)[^/]*$)")


class Then(enum.Enum):
    """What a test did with the product as it was."""

    PASSES = "passes"
    ALIKE = "fails alike"
    OTHERWISE = "cannot be run, or fails in another way"


@dataclass(frozen=True)
class Before:
    """A state of the project: ``path`` and ``line`` are the first place that is another one now, ``commit`` made it so (``""``: uncommitted).

    Without ``rev`` it is one that cannot be had, and ``why`` says so. ``settles`` says that the test was written there, so that one that fails alike
    has always failed in these surroundings; of one that is ``spare`` it means nothing when it cannot be run.
    """

    rev: str
    path: str
    line: int
    commit: str
    settles: bool = False
    spare: bool = False
    why: str = ""

    @property
    def where(self) -> str:
        """``path:line (changed in ...)``: the first change since."""
        if not self.rev:
            return f"{self.path} ({self.why})"
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
    """Modules and data that nobody added to git yet: they were not there at any commit."""
    return [p for p in ctx.git.untracked() if _matters(ctx, p)]


def _matters(ctx: Context, path: str) -> bool:
    if todays(ctx, path):
        return False
    if not path.endswith((".md", ".rst")):
        return True
    # a text in a folder may be a template
    return "/" in path and not _TEXTS.search(path)


def _folders(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[:i]) for i in range(1, len(parts) + 1)]


def todays(ctx: Context, path: str) -> bool:
    """Whether a file is the tests' own, and so stays as it is now: what product code uses, or a package ships, under such a name is the product's."""
    if not ctx.is_test_code(path) or used_by_product(ctx, path):
        return False
    folders = path.split("/")[:-1]
    collected = path in ctx.tested or path.endswith("conftest.py") or not {"tests", "test"}.isdisjoint(folders)
    shipped = any(ctx.files.read(f"{folder}/__init__.py") is not None for folder in _folders(path))
    return collected or not shipped


def states(ctx: Context, failure: Failure) -> Iterator[Before]:
    """What is not committed, each of the last commits, and the commits at which the test was last green and came to be; without git none.

    States in which nothing but test code differs from now are left out. That the test was green once settles nothing: its surroundings may have been
    others. A commit older than the test is asked only where it brought the test too: it may have changed the product in one place too many.
    """
    if not ctx.git.available:
        return
    came, recent, asked = origin(ctx, failure), _recent(ctx, failure.path), {""}
    yield from _state(ctx, failure, "HEAD", "")
    for commit in recent:
        yield from _state(ctx, failure, f"{commit}~1", commit)
        asked.add(f"{commit}~1")
        if commit == came:
            return
    for rev in (ctx.last_green(failure.nodeid), came):
        if rev not in asked:
            asked.add(rev)
            yield from _state(ctx, failure, rev, "", settles=rev == came)
    if (first := named(ctx, failure)) not in asked:
        yield from _state(ctx, failure, first, "", spare=True)


def product_since(ctx: Context, failure: Failure) -> str:
    """The commit since which the product's changes may have failed the test: where it came to be as it is, or before the last commits."""
    if not ctx.git.available:
        return ""
    came, recent = origin(ctx, failure), _recent(ctx, failure.path)
    if came and came not in recent:
        return came
    if not recent:
        return "HEAD"
    return f"{recent[-1]}~1" if ctx.git.has_parent(recent[-1]) else recent[-1]


@lru_cache(maxsize=64)
def _recent(ctx: Context, path: str) -> Sequence[str]:
    """The last commits that changed more than tests, the last that changed what the test file ``path`` imports, and the last that changed a
    function or class there; newest first."""
    reached = set(ctx.variables.reachable(path))
    near = bodies = 0
    out: list[str] = []
    for commit, _ in ctx.git.commits(limit=_LOOKED_AT):
        paths = [p for p in ctx.git.files_of(commit) if _matters(ctx, p)]
        mine = reached.intersection(paths)
        body = bool(mine) and bodies < _COMMITS and _indented(ctx, commit, mine)
        if paths and (len(out) < _COMMITS or (mine and near < _COMMITS) or body):
            out.append(commit)
            near, bodies = near + bool(mine), bodies + body
        if bodies >= _COMMITS:
            break
    return out


def _indented(ctx: Context, commit: str, paths: Collection[str]) -> bool:
    """Whether a commit changed what stands within a function or class of one of ``paths``: numbers of versions and lists of names do not."""
    lines = (line for h in ctx.git.hunks(f"{commit}~1", commit) if h.path in paths for line in (*h.removed, *h.added))
    return any(line[:1].isspace() and line.strip() for line in lines)


def _state(ctx: Context, failure: Failure, rev: str, commit: str, *, settles: bool = False, spare: bool = False) -> Iterator[Before]:
    paths = changed(ctx, rev)
    if not paths:
        return
    mine = [h for h in ctx.git.hunks(rev) if h.path in paths]
    hunks = [h for h in mine if commit and ctx.git.last_change(h.path, h.new_line) == commit[:7]] or mine
    reached = ctx.variables.reachable(failure.path)
    hunks.sort(key=lambda h: h.path not in reached)
    path, line = (hunks[0].path, max(hunks[0].new_line, 1)) if hunks else (paths[0], 1)
    yield Before(rev, path, line, commit or (ctx.git.last_change(path, line) if rev != "HEAD" else ""), settles, spare)


def blame(ctx: Context, failure: Failure, ask: Callable[[Before], Then], also: Sequence[str] = ()) -> Blame:
    """The change of the product that brought a failure in, by what ``ask`` says of each state.

    Where the test passes, the change is the cause. Where it fails alike as far as it is known to go back, none is. Else nobody can tell: where it
    fails in another way, as one does that was changed with the product (where there was no such test then, that says nothing), where it is not known
    since when it is there, or where it runs code whose past cannot be looked at. ``also`` are tests that have a part in the failure.
    """
    hidden = unseen(ctx, failure)
    unknown = Before("", hidden, 1, "", why="git does not know it") if hidden else None
    came = origin(ctx, failure)
    # a commit that changed the product too may have followed it in one place and missed it in another
    settled = bool(came) and not changed(ctx, came) and not any(_matters(ctx, p) for p in ctx.git.files_of(came))
    other = False
    asked = set()
    for before in states(ctx, failure):
        asked.add(before.rev)
        then = ask(before)
        if then is Then.PASSES:
            return Blame(before, True)
        settled = settled or (then is Then.ALIKE and before.settles)
        if then is Then.OTHERWISE and not before.spare:
            unknown = unknown or before
            other = other or had_test(ctx, failure, before.rev)
    if hidden or other or not settled:
        undated = Before("", failure.path, 1, "", why="git does not tell since when the test is as it is")
        return Blame(unknown or (undated if ctx.git.available and not came else None))
    through = ran(ctx, failure, also)
    if day := switch(through):
        return Blame(Before("", day, 1, "", why="it does something else since a day that is written there"))
    return _deeper(ctx, failure, ask, came, commits(ctx, through, _RUN_THROUGH + len(asked)), asked)


def _deeper(ctx: Context, failure: Failure, ask: Callable[[Before], Then], came: str, changes: Sequence[str], asked: Collection[str]) -> Blame:
    """The same by the states before those of ``changes`` that are not ``asked`` yet. What the test did before it came to be means nothing if it
    could not be run."""
    later = ctx.git.since(came)
    more = [c for c in changes if f"{c}~1" not in asked and ctx.git.has_parent(c)]
    for before in (b for c in more[:_RUN_THROUGH] for b in _state(ctx, failure, f"{c}~1", c, spare=c not in later)):
        then = ask(before)
        if then is Then.PASSES:
            return Blame(before, True)
        if then is Then.OTHERWISE and not before.spare and had_test(ctx, failure, before.rev):
            return Blame(before)
    return Blame()


def had_test(ctx: Context, failure: Failure, rev: str) -> bool:
    """Whether there was a test of this name at ``rev``, whatever it did."""
    name = re.escape(path_to(failure.nodeid)[-1]).encode()
    return re.search(rb"def\s+" + name + rb"\b", ctx.git.bytes_at(failure.path, rev) or b"") is not None


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


def brought_in_any(
    failures: Sequence[Failure], ctx: Context, ground: Mapping[str, bytes], *, values: bool = True, after: Sequence[str] = ()
) -> Blame:
    """The same for several tests that one edit heals, each by its own history; in every state they run together, behind ``after``.

    ``values`` says whether another value than now is another failure: what a clock gives is never the same.
    """
    order = [*after, *(f.nodeid for f in failures if f.nodeid not in after)]
    seen: dict[str, Mapping[str, Observation]] = {}

    def told(failure: Failure, before: Before) -> Then:
        if before.rev not in seen:
            seen[before.rev] = ctx.experiments.observe(order, ground, Conditions(ordered=True, fresh=True, rev=before.rev))
        return compared(failure, seen[before.rev].get(failure.nodeid), values=values)

    found = (blame(ctx, f, partial(told, f)) for f in failures)
    return next((b for b in found if b.before is not None), Blame())


def _last(order: list[str], ctx: Context, overlay: Mapping[str, bytes], conditions: Conditions) -> Observation | None:
    return ctx.experiments.observe(order, overlay, replace(conditions, fresh=True)).get(order[-1])


def compared(failure: Failure, seen: Observation | None, *, values: bool = True) -> Then:
    """What an older product's run says: a failure of the same kind at the same statement, by the same ``values``, is alike."""
    if seen is None or seen.passed:
        return Then.PASSES if seen is not None else Then.OTHERWISE
    then = seen.failure
    if then is None or then.exc_type != failure.exc_type or then.phase != failure.phase or (values and _values(then) != _values(failure)):
        return Then.OTHERWISE
    return Then.ALIKE if _place(then) == _place(failure) or then.statement == failure.statement else Then.OTHERWISE


def _values(failure: Failure) -> list[str]:
    """What was compared, without the addresses of objects."""
    operands = failure.comparison.operands if failure.comparison is not None else ()
    return [re.sub(r"0x[0-9a-fA-F]+", "0x", o.value.repr) for o in operands]


def _place(failure: Failure) -> tuple[str, int] | None:
    return (failure.location.path, failure.location.line) if failure.location else None
