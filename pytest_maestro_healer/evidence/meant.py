"""Was a change of the product meant? A definition that is another one now says only that somebody typed it.

What speaks for an intention is a second place: a commit message, changelog or document that tells of the change, the product's own code that
followed it in the same change, or a deprecation that had announced it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_maestro_healer.evidence.changes import changes_of
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.edited import TOKEN
from pytest_maestro_healer.evidence.git import Hunk
from pytest_maestro_healer.evidence.mentions import PAST, as_before, definitions_of, references
from pytest_maestro_healer.evidence.uses import USES

#: Words by which people say that something has another name or place, or is used otherwise.
_RENAMES = re.compile(
    r"(?i)\b(?:renam\w*|call\w*|name[ds]?|naming|spell\w*|sa(?:y|ys|id)|replac\w*|becom\w*|now|move[ds]?|moving|instead|deprecat\w*)\b|->|=>"
)
_CONTRACT = {
    "method_or_property": r"propert(?:y|ies)|methods?|called|attributes?|parenthes\w+",
    "sync_or_async": r"coroutines?|async\w*|await\w*|sync\w*|blocking",
    "list_to_iterator": r"laz(?:y|ily)|iterators?|generators?|yields?|lists?",
    "bytes_or_text": r"bytes|text|str(?:ings?)?|decode[sd]?|encode[sd]?",
    "changed_parameters": r"keywords?|positional\w*|arguments?|parameters?|takes?|accepts?|requires?|needs?|defaults?|drop\w*|remov\w*|renam\w*",
}
_RESULT = r"returns?|gives?|yields?|tuples?|pairs?|dicts?|named|values?|results?|objects?|keys?"
#: A sentence that speaks of something beside what changed.
_BESIDE = re.compile(r"(?i)^merge\b|\b(?:unlike|except|never|still|stays?|keeps?)\b")
#: Words after which the former name follows, though the new one comes first.
_FORMERLY = re.compile(r"(?i)\b(?:(?:instead|place) of|not|rather than|replac(?:es|ed|ing)|formerly|was|were|for|no longer)\b")
_COMMITS = 20


@dataclass(frozen=True)
class Change:
    """What changed: the product's ``hunks`` since ``base``, the words given up (``old``), those in their place (``new``), and where the definitions
    of what is used otherwise now are (``shaped``)."""

    ctx: Context
    hunks: Sequence[Hunk]
    base: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    shaped: Mapping[str, Sequence[tuple[str, int, int]]]
    tactic: str


def meant(change: Change) -> bool:
    """Whether something besides the changed definition itself speaks for the change."""
    return _told(change) or _followed(change) or _announced(change)


def directed(text: str, old: str, new: str) -> bool:
    """Whether a sentence names both and says that ``new`` took the place of ``old``, not the other way round."""
    a, b = _at(old, text), _at(new, text)
    if a is None or b is None or a == b:
        return False
    backwards = _FORMERLY.search(text, min(a, b), max(a, b)) is not None
    return (a < b) != backwards


def _told(change: Change) -> bool:
    """A sentence that says of what came that it took the place of what went, or how something is used now."""
    contract = re.compile(rf"(?i)\b(?:{_CONTRACT.get(change.tactic, _RESULT)})\b")
    for text in _sentences(change):
        if _BESIDE.search(text):
            continue
        if any(directed(text, old, new) and _meant_here(change, text, old, new) for old in change.old for new in change.new):
            return True
        if not change.old and any(_at(new, text) is not None for new in change.new) and _RENAMES.search(text):
            return True
        if any(_at(name, text) is not None for name in change.shaped) and contract.search(text):
            return True
    return False


def _meant_here(change: Change, text: str, old: str, new: str) -> bool:
    """Whether a sentence that names a class, ``Session.close is Session.shut now``, speaks of all classes that changed so."""
    named = set(re.findall(rf"\b([A-Z]\w*)\.(?:{re.escape(old)}|{re.escape(new)})\b", text))
    known = changes_of(change.ctx.git, change.ctx.files, change.ctx.symbols)
    made = {
        d.scope.rpartition(".")[2]
        for path in dict.fromkeys(h.path for h in change.hunks)
        for q, d in known.current(path).items()
        if d.name == new and d.scope and q not in known.at(path, change.base)
    }
    return not named or made <= named


def _at(word: str, text: str) -> int | None:
    found = re.search(rf"(?<![\w-]){re.escape(word)}(?!\w)", text)
    return found.start() if found else None


def _sentences(change: Change) -> Iterator[str]:
    """What was written about the change: messages of the commits that made it, and lines that were added to texts for people since."""
    git = change.ctx.git
    words = {*change.old, *change.new, *change.shaped}
    loose = [line for h in git.hunks("HEAD") if h.path.endswith(".py") for line in (*h.removed, *h.added)]
    if words.isdisjoint(TOKEN.findall("\n".join(loose))):
        paths = {h.path for h in change.hunks}
        for commit, _ in git.commits(limit=_COMMITS):
            if commit == change.base:
                break
            made = (h for h in git.hunks(f"{commit}~1", commit) if h.path in paths)
            if not paths.isdisjoint(git.files_of(commit)) and any(
                not words.isdisjoint(TOKEN.findall("\n".join((*h.removed, *h.added)))) for h in made
            ):
                yield from git.message(commit).splitlines()
            if change.base == f"{commit}~1":
                break
    for hunk in git.hunks(change.base):
        if hunk.path.endswith((".md", ".rst", ".txt", ".adoc")) or PAST.search(hunk.path):
            yield from hunk.added


def _followed(change: Change) -> bool:
    """Other code of the product that was changed with it: a use of the new name, or of what is used otherwise now."""
    lines = {(h.path, h.new_line + i): h for h in change.hunks for i in range(len(h.added))}
    homes = {p for spans in change.shaped.values() for p, _, _ in spans} or {h.path for h in change.hunks if _defines(change, h)}
    for name in (*change.new, *change.shaped):
        own = change.shaped.get(name, ())
        several = sum(1 for _ in definitions_of(change.ctx, name)) > 1
        for path, node in references(change.ctx, name):
            hunk = lines.get((path, node.lineno))
            if hunk is None or any(path == p and first <= node.lineno <= last for p, first, last in own):
                continue
            if several and homes.isdisjoint(change.ctx.variables.reachable(path)):
                continue  # it may mean another one of that name
            was = set(TOKEN.findall("\n".join(hunk.removed)))
            if not was.isdisjoint(change.old):
                return True
            tree = change.ctx.symbols.tree(path)
            if name in change.shaped and name in was and not as_before(tree, node, hunk, by_itself=change.tactic in USES):
                return True
    return False


def _announced(change: Change) -> bool:
    """A deprecation in the product as it was that names what came."""
    for path in dict.fromkeys(h.path for h in change.hunks):
        text = (change.ctx.git.bytes_at(path, change.base) or b"").decode("utf-8", "replace")
        near = [text[max(m.start() - 300, 0) : m.end() + 300] for m in re.finditer(r"(?i)deprecat", text)]
        if any(_at(new, part) is not None and any(_at(old, part) is not None for old in change.old) for part in near for new in change.new):
            return True
    return False


def _defines(change: Change, hunk: Hunk) -> bool:
    """Whether a hunk brings a definition of what came."""
    names = "|".join(re.escape(n) for n in change.new)
    text = "\n".join(hunk.added)
    return bool(names) and re.search(rf"\b(?:def|class)\s+(?:{names})\b|\b(?:{names})\s*[:=](?!=)|[(,]\s*(?:{names})\s*[,:=)]", text) is not None
