"""A change of one file as rows of two sides, with what differs inside a line marked; pure data for any page."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_maestro_healer.edit.alike import Opcode, opcodes
from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.model import FileChange
from pytest_maestro_healer.report.text import clean

#: (text, whether it differs from the other side)
Part = tuple[str, bool]

CONTEXT = 3
#: Rows of one file that are shown; a heal that large is read in an editor.
MAX_ROWS = 1500
#: Characters of one line that are shown.
MAX_CHARS = 2000

_TOKEN = re.compile(r"\w+|[^\S\n]+|[^\w\s]")
#: Lines less alike than this are another line, not a changed one.
_ALIKE = 0.35
#: A block of more pairs than this is paired in order.
_MAX_PAIRS = 900


@dataclass(frozen=True)
class Side:
    """One line of one side; ``number`` is 0 where that side has no line here."""

    number: int = 0
    parts: tuple[Part, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Row:
    """``kind`` is ``same``, ``change``, ``delete``, ``insert``, ``end`` (one side lacks the last newline) or ``skip``."""

    kind: str
    left: Side = Side()
    right: Side = Side()
    skipped: int = 0


@dataclass(frozen=True)
class Sides:
    """The rows of one file and how many more there are."""

    path: str
    rows: tuple[Row, ...]
    added: int
    removed: int
    more: int = 0


def sides(change: FileChange, shown: Callable[[str], str] = clean) -> Sides:
    """The two sides of ``change``. ``shown`` turns a line into what may be displayed of it (escapes of control characters, masks)."""
    (old, old_end), (new, new_end) = (_lines(change.path, data) for data in (change.before_bytes, change.after_bytes))
    crlf = all(t.endswith("\r") for t in (*old, *new))
    rows = list(_rows(_visible(opcodes(old, new)), old, new, lambda text: _cut(shown(text.removesuffix("\r") if crlf else text))))
    if old_end != new_end:
        left, right = ("" if end else "no newline at the end" for end in (old_end, new_end))
        rows.append(Row("end", Side(note=left), Side(note=right)))
    return Sides(
        clean(change.path),
        tuple(rows[:MAX_ROWS]),
        sum(r.kind in ("insert", "change") for r in rows),
        sum(r.kind in ("delete", "change") for r in rows),
        max(len(rows) - MAX_ROWS, 0),
    )


def _lines(path: str, data: bytes) -> tuple[list[str], bool]:
    """Lines without their ``\\n``, and whether the last one has one."""
    parts = SourceFile(path, data).text.split("\n")
    return (parts, False) if parts[-1] else (parts[:-1], True)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CHARS else f"{text[:MAX_CHARS]} … ({len(text) - MAX_CHARS} more characters)"


def _visible(found: Sequence[Opcode]) -> Iterator[Opcode]:
    """Changes with their context; ``skip`` stands for what is left out."""
    for n, (tag, a, b, c, d) in enumerate(found):
        lead = CONTEXT if n else 0
        trail = CONTEXT if n < len(found) - 1 else 0
        if tag != "equal" or b - a <= lead + trail + 1:
            yield tag, a, b, c, d
            continue
        if lead:
            yield tag, a, a + lead, c, c + lead
        yield "skip", a + lead, b - trail, c + lead, d - trail
        if trail:
            yield tag, b - trail, b, d - trail, d


def _rows(found: Iterable[Opcode], old: Sequence[str], new: Sequence[str], shown: Callable[[str], str]) -> Iterator[Row]:
    for tag, a, b, c, d in found:
        if tag == "skip":
            yield Row("skip", skipped=b - a)
        elif tag == "equal":
            for i in range(b - a):
                text = ((shown(old[a + i]), False),)
                yield Row("same", Side(a + i + 1, text), Side(c + i + 1, text))
        else:
            for at, to in _paired(old[a:b], new[c:d]):
                yield _row(None if at is None else a + at, None if to is None else c + to, old, new, shown)


def _row(i: int | None, j: int | None, old: Sequence[str], new: Sequence[str], shown: Callable[[str], str]) -> Row:
    if i is None:
        assert j is not None
        return Row("insert", Side(), Side(j + 1, ((shown(new[j]), False),)))
    if j is None:
        return Row("delete", Side(i + 1, ((shown(old[i]), False),)), Side())
    left, right = inline(shown(old[i]), shown(new[j]))
    return Row("change", Side(i + 1, left), Side(j + 1, right))


def _paired(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int | None, int | None]]:
    """Which old line became which new one, in order: the pairing with the greatest likeness."""
    n, m = len(old), len(new)
    if not n or not m or n * m > _MAX_PAIRS:
        yield from ((k if k < n else None, k if k < m else None) for k in range(max(n, m)))
        return
    like = [[_likeness(a, b) for b in new] for a in old]
    best = [[0.0] * (m + 1) for _ in range(n + 1)]
    for i in range(n - 1, -1, -1):
        for j in range(m - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], like[i][j] + best[i + 1][j + 1] if like[i][j] >= _ALIKE else 0.0)
    at, to = 0, 0
    while at < n or to < m:
        if at < n and to < m and like[at][to] >= _ALIKE and best[at][to] == like[at][to] + best[at + 1][to + 1]:
            yield at, to
            at, to = at + 1, to + 1
        elif at < n and (to == m or best[at][to] == best[at + 1][to]):
            yield at, None
            at += 1
        else:
            yield None, to
            to += 1


def _likeness(a: str, b: str) -> float:
    if len(a) > MAX_CHARS or len(b) > MAX_CHARS:
        return 1.0 if a[:200] == b[:200] else 0.0
    return difflib.SequenceMatcher(None, a.strip(), b.strip(), autojunk=False).ratio()


def inline(old: str, new: str) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Both lines in parts, by words and signs; lines that have little in common are not taken apart."""
    a, b = _TOKEN.findall(old), _TOKEN.findall(new)
    if "".join(a) != old or "".join(b) != new:  # white space that is no blank
        return ((old, True),), ((new, True),)
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return ((old, False),), ((new, False),)
    left: list[Part] = []
    right: list[Part] = []
    for tag, i, j, k, m in matcher.get_opcodes():
        _add(left, "".join(a[i:j]), tag != "equal")
        _add(right, "".join(b[k:m]), tag != "equal")
    return tuple(left), tuple(right)


def _add(parts: list[Part], text: str, differs: bool) -> None:
    if text:
        if parts and parts[-1][1] == differs:
            text = parts.pop()[0] + text
        parts.append((text, differs))
