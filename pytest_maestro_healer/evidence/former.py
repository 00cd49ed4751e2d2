"""The product as it was, for experiments: would the very same test pass without what was changed last?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.experiments import Conditions, Observation
from pytest_maestro_healer.evidence.git import Hunk
from pytest_maestro_healer.model import Failure

#: How many of the product's last commits are taken back, and files that git is asked for.
_COMMITS, _MOST_FILES = 3, 300


@dataclass(frozen=True)
class Before:
    """Product files as they were at ``rev`` (path -> bytes), the first ``hunk`` by which they differ now, and the ``commit`` that changed them."""

    rev: str
    overlay: Mapping[str, bytes]
    hunk: Hunk
    commit: str

    @property
    def where(self) -> str:
        """``path:line (changed in ...)``: the first change since."""
        return f"{self.hunk.path}:{self.hunk.new_line} ({'changed in ' + self.commit[:7] if self.commit else 'changed uncommitted'})"


def product_before(ctx: Context, test_path: str) -> Iterator[Before]:
    """The product that a test file reaches before what is not committed, before each of its last commits, and when last seen passing.

    States in which nothing of it differs from now are left out; without git there are none.
    """
    if not ctx.git.available:
        return
    reached = {p for p in ctx.variables.reachable(test_path) if not ctx.is_test_code(p)}
    commits = [c for c, _ in ctx.git.commits(*sorted(reached)[:_MOST_FILES], limit=_COMMITS)] if reached else []
    green = ctx.last_green(test_path) if reached else ""
    asked: dict[str, str] = {"HEAD": "", **{f"{c}~1": c for c in commits}}
    if green:
        asked.setdefault(green, "")
    for rev, commit in asked.items():
        hunks = [h for h in ctx.git.hunks(rev) if h.path in reached]
        overlay = {p: data for p in {h.path for h in hunks} if (data := ctx.git.bytes_at(p, rev)) is not None}
        if overlay:
            first = next(h for h in hunks if h.path in overlay)
            yield Before(rev, overlay, first, commit or (ctx.git.last_change(first.path, first.new_line) if rev != "HEAD" else ""))


def brought_in(failure: Failure, ctx: Context, ground: Mapping[str, bytes]) -> tuple[str, str]:
    """The change of the product that may have brought a failure in, and why; ``("", "")`` where the test fails alike without it.

    Where the unhealed test passes with the product as it was, the change is the cause; where it fails otherwise, nobody can tell.
    """
    unknown = ("", "")
    for before, then in _then(failure, ctx, ground):
        if then is not None and then.passed:
            return before.where, f"with {before.hunk.path} as it was before, the test passes unhealed"
        if then is None or not _alike(failure, then):
            unknown = (before.where, f"with {before.hunk.path} as it was before, the test fails in another way: whose fault it is cannot be told")
    return unknown


def passed_before(failure: Failure, ctx: Context, ground: Mapping[str, bytes]) -> str:
    """The newest revision with whose product the unhealed test passes, ``""`` where there is none."""
    return next((before.rev for before, then in _then(failure, ctx, ground) if then is not None and then.passed), "")


def _then(failure: Failure, ctx: Context, ground: Mapping[str, bytes]) -> Iterator[tuple[Before, Observation | None]]:
    """What the test does (on top of ``ground``) with the product as it was: alone, or after the tests before it where it passes alone now."""
    order: list[str] = []
    for before in product_before(ctx, failure.path):
        if not ctx.experiments.available:
            return
        if not order:
            now = _last([failure.nodeid], ctx, ground)
            order = [*(ctx.before(failure.nodeid) if now is not None and now.passed else ()), failure.nodeid]
        yield before, _last(order, ctx, {**ground, **before.overlay})


def _last(order: list[str], ctx: Context, overlay: Mapping[str, bytes]) -> Observation | None:
    """The last test of ``order``, run in a fresh process."""
    found = ctx.experiments.observe(order, overlay, Conditions(ordered=True, fresh=True))
    return found.get(order[-1])


def _alike(failure: Failure, seen: Observation) -> bool:
    """Whether a test failed at the same place with the same kind of error."""
    then = seen.failure
    if then is None:
        return seen.outcome == "failed"
    return then.exc_type == failure.exc_type and then.phase == failure.phase and _line(then) == _line(failure)


def _line(failure: Failure) -> tuple[str, int] | None:
    return (failure.location.path, failure.location.line) if failure.location else None
