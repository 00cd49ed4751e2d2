"""The product's own change of wording, made in what a test expects."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pytest_maestro_healer.evidence.changes import Changes, changes_of
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.literals import Pair, reworded, word_pairs
from pytest_maestro_healer.model import Evidence

_COMMITS = 3


def by_the_product(text: str, test_path: str, ctx: Context, fits: Callable[[str], bool]) -> tuple[str, Evidence] | None:
    """``text`` in the words that product changes newer than the test brought, where one such text ``fits``, with the change as evidence."""
    if not ctx.git.available:
        return None
    found = reworded(text, _pairs(ctx, test_path), fits)
    if found is None:
        return None
    new, pair = found
    return new, Evidence("git", f"the product's change put {pair.new!r} where {pair.old!r} was", pair.where, 0.7)


def _pairs(ctx: Context, test_path: str) -> Sequence[Pair]:
    known: Changes = changes_of(ctx.git, ctx.files, ctx.symbols)
    for rev in ("HEAD", *(f"{c}~1" for c, _ in ctx.git.commits(limit=_COMMITS))):
        pairs = word_pairs(known.hunks(rev))
        if pairs:
            return pairs if rev == "HEAD" or known.newer_than(test_path, rev[:7] + " ") else ()
    return ()
