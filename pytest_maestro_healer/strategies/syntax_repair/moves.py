"""Small edits and their bookkeeping: a :class:`Move` is a candidate for one error, :func:`compose` chains moves into edits of the original."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_maestro_healer.edit.alike import ends

#: (start, end, replacement) in character offsets.
Change = tuple[int, int, str]


@dataclass(frozen=True)
class Move:
    """A candidate for one error: non-overlapping ``changes``, its ``cost`` in tokens, the tactic it belongs to and what it does."""

    changes: tuple[Change, ...]
    cost: float
    tactic: str
    why: str
    #: Not sure enough to go without a person even when it proves right.
    review: bool = False


def insert(at: int, text: str, cost: float, tactic: str, why: str, review: bool = False) -> Move:
    """A move that inserts ``text``."""
    return Move(((at, at, text),), cost, tactic, why, review)


def replace(start: int, end: int, text: str, cost: float, tactic: str, why: str, review: bool = False) -> Move:
    """A move that replaces a span."""
    return Move(((start, end, text),), cost, tactic, why, review)


def apply(text: str, changes: Iterable[Change]) -> str:
    """``text`` after non-overlapping changes."""
    out, at = [], 0
    for start, end, new in sorted(changes, key=lambda c: (c[0], c[1])):
        if start < at:
            return text
        out += [text[at:start], new]
        at = end
    return "".join([*out, text[at:]])


def compose(base: Sequence[Change], then: Sequence[Change], original: str) -> tuple[Change, ...]:
    """The changes of ``original`` that amount to ``base`` followed by ``then`` (whose offsets are those after ``base``)."""
    done = sorted(base)
    for change in sorted(then, reverse=True):
        done = _compose_one(done, change, original)
    return tuple(done)


def _compose_one(base: list[Change], change: Change, original: str) -> list[Change]:
    start, end, new = change
    out: list[Change] = []
    touched: list[tuple[int, int, int, int, str]] = []
    delta = 0
    before_delta = 0
    for os_, oe, text in base:
        cs, ce = os_ + delta, os_ + delta + len(text)
        if ce < start:
            out.append((os_, oe, text))
            delta += len(text) - (oe - os_)
            before_delta = delta
        elif cs > end:
            out.append((os_, oe, text))
            delta += len(text) - (oe - os_)
        else:
            touched.append((cs, ce, os_, oe, text))
            delta += len(text) - (oe - os_)
    if not touched:
        out.append((start - before_delta, end - before_delta, new))
        return sorted(out)
    first, last = touched[0], touched[-1]
    o_start = start - before_delta if start < first[0] else first[2]
    o_end = last[3] + max(0, end - last[1])
    kept_left = first[4][: max(0, start - first[0])]
    kept_right = last[4][len(last[4]) - max(0, last[1] - end) :] if last[1] > end else ""
    out.append((o_start, o_end, kept_left + new + kept_right))
    return sorted(out)


def narrow(change: Change, original: str) -> Change | None:
    """The change without the characters it leaves as they were; ``None`` where nothing is left."""
    start, end, new = change
    old = original[start:end]
    if old == new:
        return None
    head, tail = ends(old, new)
    return (start + head, end - tail, new[head : len(new) - tail])
