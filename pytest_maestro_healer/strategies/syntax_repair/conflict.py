"""Merge-conflict markers: the text of each side."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_maestro_healer.strategies.syntax_repair.lexer import LINE
from pytest_maestro_healer.strategies.syntax_repair.moves import Change

_OURS = re.compile(r"<{7}(?: (.*))?\s*$")
_BASE = re.compile(r"\|{7}(?: (.*))?\s*$")
_SEP = re.compile(r"={7}\s*$")
_THEIRS = re.compile(r">{7}(?: (.*))?\s*$")


@dataclass(frozen=True)
class Conflict:
    """One conflict: offsets of the whole region, and the spans of both sides in it."""

    start: int
    end: int
    ours: tuple[int, int]
    theirs: tuple[int, int]
    our_name: str
    their_name: str


def conflicts(text: str) -> list[Conflict]:
    """The complete conflicts of a text; half a marker counts as none."""
    out: list[Conflict] = []
    at = 0
    start = base = sep = -1
    ours_start = theirs_start = 0
    our_name = ""
    for line in LINE.findall(text):
        end = at + len(line)
        if m := _OURS.match(line):
            start, base, sep, ours_start, our_name = at, -1, -1, end, m[1] or ""
        elif start >= 0 and sep < 0 and _BASE.match(line):
            base = at
        elif start >= 0 and sep < 0 and _SEP.match(line):
            sep, theirs_start = at, end
        elif start >= 0 and sep >= 0 and (m := _THEIRS.match(line)):
            out.append(Conflict(start, end, (ours_start, base if base >= 0 else sep), (theirs_start, at), our_name.strip(), (m[1] or "").strip()))
            start = sep = -1
        at = end
    return out


def side(text: str, found: list[Conflict], which: str) -> list[Change]:
    """The changes that leave ``ours``, ``theirs`` or ``both`` of every conflict: markers and the other side go, nothing else."""
    out: list[Change] = []
    for c in found:
        keep = {"ours": [c.ours], "theirs": [c.theirs], "both": [c.ours, c.theirs]}[which]
        at = c.start
        for a, b in keep:
            out.append((at, a, ""))
            at = b
        out.append((at, c.end, ""))
    return [x for x in out if x[0] != x[1]]
