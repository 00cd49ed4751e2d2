"""Did an older version of the product come back? A bad merge or a revert by mistake looks like a new name, and the tests know the newer one."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from pytest_maestro_healer.evidence.changes import Changes
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.finished.edited import TOKEN, words_of
from pytest_maestro_healer.evidence.finished.intent.said import directed
from pytest_maestro_healer.evidence.finished.names.mentions import PAST, PROSE, texts
from pytest_maestro_healer.evidence.git import Git, Hunk

#: So many older versions of a file, and so many commits, are looked at.
_VERSIONS, _COMMITS = 6, 20


def word_returned(ctx: Context, known: Changes, hunks: Sequence[Hunk], base: str, old: str, new: str) -> str:
    """Why ``new``, which a heal writes in place of ``old``, is the older of the two; ``""`` where nothing says so."""
    where = _told_backwards(ctx, old, new)
    if where:
        return f"{where} says that {old} took the place of {new}"
    for commit in dict.fromkeys((*(c for c, _ in ctx.git.commits(limit=_COMMITS)), base)):
        lost, gained = _exchanged(known, commit)
        if new in lost and old in gained:
            return f"{new} came back: {old} took its place in {commit[:7]}"
    for path in dict.fromkeys(h.path for h in hunks if any(new in line for line in h.added)):
        seen = False
        for rev, _ in known.versions(path)[:_VERSIONS]:
            words = set(TOKEN.findall((ctx.git.bytes_at(path, rev) or b"").decode("utf-8", "replace")))
            if seen and new in words and old not in words:
                return f"{new} came back: {path} had it before {old}"
            seen = seen or old in words
    return ""


def definition_returned(known: Changes, path: str, name: str, line: int) -> bool:
    """Whether the definition of ``name`` at a line of ``path`` is what it was in an older version already, and was something else since."""
    now = next((d for d in known.current(path).values() if d.name == name and getattr(d.node, "lineno", 0) == line), None)
    changed = False
    for rev, _ in known.versions(path)[: 2 * _VERSIONS] if now is not None else ():
        then = known.at(path, rev).get(now.qualname) if now is not None else None
        if then is not None and now is not None:
            alike = ast.dump(then.node) == ast.dump(now.node)
            if changed and alike:
                return True
            changed = changed or not alike
    return False


def module_returned(git: Git, renamed: Mapping[str, str]) -> str:
    """The path of a module that was renamed back to what it was called before; ``""`` if none was."""
    before = git.renames()
    return next((new for old, new in renamed.items() if before.get(new) == old), "")


@lru_cache(maxsize=64)
def _exchanged(known: Changes, commit: str) -> tuple[set[str], set[str]]:
    """The words that the product lost in a commit, and those that it gained, in whatever files."""
    hunks = [h for h in known.git.hunks(f"{commit}~1", commit) if known.is_product(h.path)]
    gone, came = words_of(line for h in hunks for line in h.removed), words_of(line for h in hunks for line in h.added)
    return gone - came, came - gone


def _told_backwards(ctx: Context, old: str, new: str) -> str:
    """Where a text for people speaks of both and names first what a heal would write: as what there was, most likely, unless it says otherwise."""
    word = {w: re.compile(rf"(?<!\w){re.escape(w)}(?!\w)") for w in (old, new)}
    for path, text in texts(ctx):
        for number, line in enumerate(text.splitlines() if path.endswith(PROSE) or PAST.search(path) else (), 1):
            a, b = word[old].search(line), word[new].search(line)
            if a and b and b.start() < a.start() and (directed(line, new, old) or not directed(line, old, new)):
                return f"{path}:{number}"
    return ""
