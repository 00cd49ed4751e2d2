"""A text that is no longer found: the part of the actual text that took its place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

_ITEM = re.compile(r"(\\[0-9]|\\.|\[\^?\]?[^\]]*\]|\((?:[^()]|\([^()]*\))*\)|.)([*+?]\??|\{\d*,?\d*\}\??)?", re.S)
_SPECIAL = frozenset(".^$*+?{}[]\\|()")
_LIKE = 0.55
_WORDS = re.compile(r"\w+")
_ALNUM = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def nearest(old: str, text: str) -> str | None:
    """The part of ``text`` that corresponds to ``old``; ``None`` where nothing resembles it, or two places do equally."""
    if not old.strip() or len(text) > 200_000:
        return None
    lines = text.splitlines() or [text]
    height = old.strip("\n").count("\n") + 1
    windows = ["\n".join(lines[i : i + height]) for i in range(max(1, len(lines) - height + 1))]
    if height == 1 and len(lines) > 1 and max(map(len, lines)) < len(old):
        windows = [text]  # the text was wrapped
    scored = sorted(((_likeness(old, w), w) for w in windows[:2000]), key=lambda p: -p[0])
    if not scored or scored[0][0] < _LIKE:
        return None
    best = _cut(old, scored[0][1])
    if len(scored) > 1 and scored[1][0] > scored[0][0] - 0.02 and _cut(old, scored[1][1]) != best:
        return None
    return best or None


def _blocks(old: str, text: str) -> Sequence[difflib.Match]:
    found = difflib.SequenceMatcher(None, old.casefold(), text.casefold(), autojunk=False).get_matching_blocks()
    floor = 2 if len(old) > 6 else 1
    return [b for b in found if b.size >= floor]


def _likeness(old: str, text: str) -> float:
    if len(old.casefold()) != len(old) or len(text.casefold()) != len(text):
        return 0.0
    blocks = _blocks(old, text)
    if not blocks:
        return 0.0
    covered = sum(b.size for b in blocks) / len(old)
    stretch = (blocks[-1].b + blocks[-1].size - blocks[0].b) / max(len(old), 1)
    return covered if stretch <= 3 else covered / stretch * 3


def _cut(old: str, text: str) -> str:
    """The span from where ``old`` begins to where it ends, grown to whole words where its ends have changed."""
    blocks = _blocks(old, text)
    first, last = blocks[0], blocks[-1]
    start, end = first.b, last.b + last.size
    missing = first.a
    if missing:
        start = max(0, start - missing - 2)
        start = _word_start(text, start)
    rest = len(old) - last.a - last.size
    if rest:
        tail = old[last.a + last.size :]
        if tail[0].isalnum() and old[last.a + last.size - 1].isalnum():  # inside a word: the one that stands there now is its successor
            tail = tail.lstrip(_ALNUM)
            while end < len(text) and text[end].isalnum():
                end += 1
        words = len(_WORDS.findall(tail))
        for found in list(_WORDS.finditer(text, end))[:words]:
            end = found.end()
        if len(text.rstrip()) - end <= 3:
            end = len(text.rstrip())
    return text[start:end]


def _word_start(text: str, at: int) -> int:
    while 0 < at < len(text) and not text[at - 1].isspace():
        at -= 1
    return at


def prefix(old: str, text: str) -> str | None:
    """The beginning of ``text`` up to the delimiter that ``old`` ended with."""
    mark = old[-1:]
    if mark and not mark.isalnum() and text.count(mark) >= old.count(mark):
        at = -1
        for _ in range(old.count(mark)):
            at = text.index(mark, at + 1)
        return text[: at + 1]
    found = nearest(old, text[: len(old) * 2 + 8])
    return found if found and text.startswith(found) else None


def escaped(text: str) -> str:
    """``text`` as a pattern that matches only it; nothing is escaped that need not be."""
    return "".join("\\" + c if c in _SPECIAL else c for c in text)


def _units(pattern: str) -> list[tuple[str, str]] | None:
    """(raw, character) of a pattern, the character empty for what is more than one literal; ``None`` for alternatives."""
    out = []
    for m in _ITEM.finditer(pattern):
        raw, atom, repeat = m[0], m[1], m[2]
        if atom == "|":
            return None
        if not repeat and atom == ".":
            out.append((raw, "."))
        elif not repeat and len(atom) == 1 and atom not in _SPECIAL:
            out.append((raw, atom))
        elif not repeat and len(atom) == 2 and atom[0] == "\\" and not atom[1].isalnum():
            out.append((raw, atom[1]))
        else:
            out.append((raw, ""))
    return out


def repattern(pattern: str, message: str) -> str | None:
    """``pattern`` changed so that it is found in ``message`` and says as much as before; ``None`` where nothing resembles it."""
    head = "^" if pattern.startswith("^") else ""
    tail = "$" if pattern.endswith("$") and not pattern.endswith("\\$") else ""
    units = _units(pattern[len(head) : len(pattern) - len(tail)])
    if units is None:
        return None
    plain = "".join(c for _, c in units)
    if head and tail:
        segment: str | None = message if difflib.SequenceMatcher(None, plain, message).ratio() > 0.3 else None
    else:
        segment = nearest(plain, message)
        if segment and head:
            segment = message[: message.index(segment) + len(segment)]
    if not segment:
        return None
    new = head + _merged(units, segment) + tail
    if not _found(new, message):
        new = head + escaped(segment) + tail
    return new if _found(new, message) and new != pattern else None


def _merged(units: Sequence[tuple[str, str]], segment: str) -> str:
    """Raw text of what stayed, escaped text of what is new; a repetition stays where it matches what stands there now."""
    chars = [c or "\0" for _, c in units]
    out = ""
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, chars, list(segment), autojunk=False).get_opcodes():
        raw = "".join(r for r, _ in units[i1:i2])
        if tag == "equal" or ("\0" in chars[i1:i2] and _matches(raw, segment[j1:j2])):
            out += raw
        else:
            out += escaped(segment[j1:j2])
    return out


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error:
        return False


def _found(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False
