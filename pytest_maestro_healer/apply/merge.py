"""Line hunks of bytes, and moving one heal onto a file that another heal has changed meanwhile."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pytest_maestro_healer.edit.alike import opcodes

_IMPORT = re.compile(rb"(import|from)[ \t]")


@dataclass(frozen=True)
class LineHunk:
    """Lines ``start:end`` (0-based, half open) of the old bytes become ``lines``."""

    start: int
    end: int
    lines: tuple[bytes, ...]

    def clashes(self, other: LineHunk) -> bool:
        """Whether the two touch the same lines or insert at the same place; neighbours do not clash."""
        if self.start == self.end or other.start == other.end:
            return self.start <= other.end and other.start <= self.end
        return self.start < other.end and other.start < self.end

    def excludes(self, other: LineHunk) -> bool:
        """Whether only one of the two can be made: they clash, are not the same, and not both insert imports."""
        return self.clashes(other) and self != other and not (_imports_only(self) and _imports_only(other))


def split_lines(data: bytes) -> list[bytes]:
    """Lines with their ends, split at ``\\n`` only, as git does."""
    parts = data.split(b"\n")
    lines = [p + b"\n" for p in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines


def hunks(before: Sequence[bytes], after: Sequence[bytes]) -> list[LineHunk]:
    """The changed regions between two lists of lines, in order."""
    return [LineHunk(a, b, tuple(after[c:d])) for tag, a, b, c, d in opcodes(before, after) if tag != "equal"]


@lru_cache(maxsize=32)
def rebase(before: bytes, after: bytes, current: bytes) -> bytes | None:
    """``current`` with the change ``before -> after`` made in it, or ``None`` where the two changes touch the same lines.

    Changes that are in ``current`` already are left alone. Two blocks of imports inserted at one place are both kept. The result must
    parse if ``after`` does.
    """
    if current == before:
        return after
    if current == after:
        return current
    base = split_lines(before)
    mine, theirs = hunks(base, split_lines(after)), hunks(base, split_lines(current))
    todo: list[tuple[int, LineHunk]] = [(0, t) for t in theirs]
    for m in mine:
        if m in theirs:
            continue
        rank = 1
        for t in theirs:
            if m.clashes(t):
                if not (_imports_only(m) and _imports_only(t)):
                    return None
                m = LineHunk(m.start, m.end, tuple(line for line in m.lines if line.strip() and line not in t.lines))
                rank = 1 if t.lines and t.lines[-1].strip() else -1  # not behind the blank line that ends theirs
        todo.append((rank, m))
    out: list[bytes] = []
    at = 0
    for _, h in sorted(todo, key=lambda p: (p[1].start, p[1].end, p[0])):
        out += [*base[at : h.start], *h.lines]
        at = h.end
    merged = b"".join([*out, *base[at:]])
    return merged if _parses(merged) or not _parses(after) else None


def _imports_only(h: LineHunk) -> bool:
    return h.start == h.end and all((_IMPORT.match(line) or not line.strip()) and line.endswith(b"\n") for line in h.lines)


@lru_cache(maxsize=8)
def _parses(data: bytes) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
