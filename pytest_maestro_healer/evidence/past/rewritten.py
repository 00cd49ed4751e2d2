"""A test that was changed where the product was not: that it fails says nothing against the product."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.past.former import changed, had_test, todays
from pytest_maestro_healer.evidence.past.origin import origin
from pytest_maestro_healer.evidence.past.unseen import unseen
from pytest_maestro_healer.model import Failure


@dataclass(frozen=True)
class Rewritten:
    """The change of test code at ``where``, since which the product is what it was; ``new`` says that there was no such test before."""

    where: str
    new: bool = False

    @property
    def why(self) -> str:
        """One sentence for people."""
        if self.new:
            return f"the test is new ({self.where}) and the product was not changed since: which of the two is wrong cannot be told"
        return f"the test was changed ({self.where}), the product was not: as it was before, the test passes"


def rewritten(ctx: Context, failure: Failure, passes: Callable[[Mapping[str, bytes]], bool | None]) -> Rewritten | None:
    """The change of test code that made a test fail; ``None`` where the product was changed too, the test failed before, or git does not tell.

    ``passes`` runs the test with these bytes (path -> bytes) in place of today's; it gives ``None`` where they have no such parameter set. Asked are
    what is not committed, and the commit that brought the test as it is.
    """
    if not ctx.git.available:
        return None
    came = origin(ctx, failure)
    asked = {"HEAD": "", **({f"{came}~1": came} if came and ctx.git.has_parent(came) else {})}
    for rev, commit in asked.items():
        if changed(ctx, rev):
            return None
        then = _then(ctx, rev)
        if not then and failure.path not in ctx.git.untracked():
            continue
        place = _place(ctx, failure, rev, commit)
        passed = passes(then) if had_test(ctx, failure, rev) else None
        if passed:
            return Rewritten(place)
        if passed is None:
            return None if unseen(ctx, failure) else Rewritten(place, True)
    return None


def _then(ctx: Context, rev: str) -> dict[str, bytes]:
    """The test code that is another one now, as it was at ``rev``."""
    paths = [p for p in ctx.git.changed_files(rev) if todays(ctx, p) and ctx.files.read(p) is not None]
    return {p: data for p in paths if (data := ctx.git.bytes_at(p, rev)) is not None}


def _place(ctx: Context, failure: Failure, rev: str, commit: str) -> str:
    """The changed line of the test that is nearest before where it failed, and who changed it."""
    at = failure.location.line if failure.location is not None and failure.location.path == failure.path else 1
    hunks = [h for h in ctx.git.hunks(rev) if todays(ctx, h.path)]
    hunks.sort(key=lambda h: (h.path != failure.path, abs(h.new_line - at)))
    path, line = (hunks[0].path, max(hunks[0].new_line, 1)) if hunks else (failure.path, at)
    return f"{path}:{line}, {'in ' + commit[:7] if commit else 'not committed'}"
