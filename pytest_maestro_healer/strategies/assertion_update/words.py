"""The product's own change of wording, made in what a test expects."""

from __future__ import annotations

from collections.abc import Callable

from pytest_maestro_healer.evidence.changes import changes_of
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.literals import reworded, word_pairs
from pytest_maestro_healer.model import Evidence


def by_the_product(text: str, test_path: str, ctx: Context, fits: Callable[[str], bool]) -> tuple[str, Evidence] | None:
    """``text`` in the words that product changes newer than the test brought, where one such text ``fits``, with the change as evidence."""
    known = changes_of(ctx.git, ctx.files, ctx.symbols)
    found = reworded(text, known.newest(test_path, lambda rev: word_pairs(known.hunks(rev))), fits)
    if found is None:
        return None
    new, pair = found
    return new, Evidence("git", f"the product's change put {pair.new!r} where {pair.old!r} was", pair.where, 0.7)
