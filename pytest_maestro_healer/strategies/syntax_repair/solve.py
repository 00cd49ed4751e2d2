"""Repairs of a whole file: search in a window around each error, one window after the other, with the committed file as a hint."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from pytest_maestro_healer.strategies.syntax_repair import gen_git, search
from pytest_maestro_healer.strategies.syntax_repair.lexer import CLOSERS, Code
from pytest_maestro_healer.strategies.syntax_repair.moves import Change, Move, apply, compose, narrow
from pytest_maestro_healer.strategies.syntax_repair.oracle import Problem, check
from pytest_maestro_healer.strategies.syntax_repair.sense import oddities

_SMALL = 160
_TOP = ("def ", "class ", "async def ", "@", "if __name__")
_METHOD = re.compile(r"[ \t]+(?:async\s+)?(?:def\s|@)")
_CLAUSES = ("else", "elif", "except", "finally", *CLOSERS)


@dataclass(frozen=True)
class Solution:
    """A text that compiles: the changes of the original, what they cost, the moves that led there."""

    text: str
    changes: tuple[Change, ...]
    cost: float
    moves: tuple[Move, ...]
    #: Whether it is the only one, and the search for others was not cut off by its time or width.
    alone: bool = False

    @property
    def tactic(self) -> str:
        """The tactic of the first move."""
        return self.moves[0].tactic if self.moves else ""

    @property
    def from_head(self) -> bool:
        """Whether every change stands in the committed file."""
        return bool(self.moves) and all(m.tactic in gen_git.TACTICS for m in self.moves)

    @property
    def review(self) -> bool:
        """Whether a move is not sure enough to go without a person."""
        return any(m.review for m in self.moves)


@lru_cache(maxsize=16)
def solve(text: str, head: str | None = None, *, seconds: float = 2.0, limit: int = 5) -> tuple[Solution, ...]:
    """Repairs of ``text``, best first; empty where none was found in time or ``text`` compiles.

    ``head`` is the committed text; where it compiles, what it says at the error comes before what the parser suggests. The result
    depends on the arguments alone but for the time limit.
    """
    deadline = time.monotonic() + seconds
    if check(Code(text)) is None:
        return ()
    hint = gen_git.Hint(text, head) if head is not None and check(Code(head)) is None else None
    states = [Solution(text, (), 0.0, ())]
    done: list[Solution] = []
    windows: dict[str, search.Found] = {}
    complete = True
    for _ in range(12):
        nexts: list[Solution] = []
        for state in states:
            found, all_tried = _advance(state, text, hint, windows, deadline)
            nexts += found
            complete = complete and all_tried
        finished = {s.text: s for s in nexts if check(Code(s.text)) is None}
        done += finished.values()
        open_ = sorted((s for s in nexts if s.text not in finished), key=lambda s: s.cost)
        states = open_[:3]
        complete = complete and len(states) == len(open_)
        if done and states:
            states = [s for s in states if s.cost < min(d.cost for d in done)]
        if not states or time.monotonic() > deadline:
            break
    sensible = [replace(s, cost=s.cost + oddities(s.text, s.changes)) for s in done]
    most = min((s.cost for s in sensible), default=0.0) + search.MARGIN
    best = tuple(s for s in _ranked(sensible, text) if s.cost <= most)[:limit]
    alone = len(best) == 1 and complete and not states and time.monotonic() <= deadline
    return tuple(replace(s, alone=True) for s in best) if alone else best


def _ranked(found: list[Solution], original: str) -> tuple[Solution, ...]:
    """Best first, those that differ in blanks only once, each change narrowed to what differs."""
    out: list[Solution] = []
    shapes: set[str] = set()
    for s in sorted(found, key=lambda s: s.cost):
        changes = tuple(n for c in s.changes if (n := narrow(c, original)) is not None)
        if apply(original, changes) != s.text or len(out) > 8:
            continue
        shape = re.sub(r"(?<=\S)[ \t]+(?=\W)|(?<=\W)[ \t]+(?=\S)", "", s.text)
        if shape not in shapes:
            shapes.add(shape)
            out.append(replace(s, changes=changes))
    return tuple(out)


def _advance(
    state: Solution, original: str, hint: gen_git.Hint | None, windows: dict[str, search.Found], deadline: float
) -> tuple[list[Solution], bool]:
    """The state with its next window repaired, in several ways, and whether these are all that come near."""
    code = Code(state.text)
    problem = check(code)
    if problem is None:
        return [state], True
    complete = True
    out: list[Solution] = []
    older: list[Solution] = []
    if hint is not None:
        for move in hint.moves(state.text, state.changes):
            if gen_git.gives_up(state.text, move.changes):
                older.append(_with(state, (replace(move, review=True),), move.changes, move.cost, original))
            else:
                out.append(_with(state, (move,), move.changes, move.cost, original))
        good = [s for s in out if _better(problem, check(Code(s.text)))]
        if good:
            done = [s for s in good if check(Code(s.text)) is None]
            return sorted(done, key=lambda s: s.cost)[:3] or sorted(good, key=lambda s: s.cost)[:2], False
        out = []
    for part, shift, start, end in _views(code, problem):
        if part not in windows:
            left = max(0.1, deadline - time.monotonic())
            windows[part] = search.search(part, seconds=left * (0.7 if len(part) < len(state.text) else 1.0))
        complete = windows[part].complete
        for s in windows[part].states:
            if s.moves and all(shift <= a and start <= a - shift + start <= b - shift + start <= end for a, b, _ in s.changes):
                moved = tuple((a - shift + start, b - shift + start, t) for a, b, t in s.changes)
                out.append(_with(state, s.moves, moved, s.cost, original))
        out = [s for s in out if _better(problem, check(Code(s.text)))]
        if out:
            break
    # what is written there now comes first, whatever stood there before
    out = out or sorted((s for s in older if _better(problem, check(Code(s.text)))), key=lambda s: s.cost)
    return out[:5], complete and len(out) <= 5


def _views(code: Code, problem: Problem) -> Iterator[tuple[str, int, int, int]]:
    """(text to search, length of what was put before it, start, end): methods around the problem, top-level statements around it, all."""
    n = len(code.lines)
    sizes = set()
    for find in (_methods, _statements):
        found = find(code, problem) if n > _SMALL else None
        if found is None:
            continue
        prefix, first, last = found
        start, end = code.offset(first), code.offset(last)
        part = prefix + code.text[start:end]
        inner = check(Code(part))
        if inner is None or inner.msg.split(" on line")[0] != problem.msg.split(" on line")[0] or inner.start - len(prefix) + start != problem.start:
            continue
        sizes.add(len(part))
        yield part, len(prefix), start, end
    if len(code.text) not in sizes and n <= 3000:
        yield code.text, 0, 0, len(code.text)


def _with(state: Solution, moves: Sequence[Move], changes: tuple[Change, ...], cost: float, original: str) -> Solution:
    composed = compose(state.changes, changes, original)
    return Solution(apply(original, composed), composed, state.cost + cost, (*state.moves, *moves))


def _better(before: Problem, after: Problem | None) -> bool:
    return after is None or after.left < before.left or (after.msg != before.msg and after.line >= before.line)


def _statements(code: Code, problem: Problem) -> tuple[str, int, int] | None:
    """Whole top-level statements around the problem, as (``""``, first line, line after the last)."""
    n = len(code.lines)
    top = [i for i, line in enumerate(code.lines, 1) if line.startswith(_TOP) or (line[:1].isalpha() and not line.startswith(_CLAUSES))]
    begins = [i for i in top if i <= problem.line - 20 and not _decorated(code, i) and i not in code.inside_string]
    ends = [i for i in top if i > problem.line + 30 and code.lines[i - 1].startswith(_TOP) and not _decorated(code, i)]
    return "", (begins[-1] if begins else 1), (ends[0] if ends else n + 1)


def _methods(code: Code, problem: Problem) -> tuple[str, int, int] | None:
    """Whole methods of the class around the problem, as (a class header, first line, line after the last)."""
    line = min(problem.line, len(code.lines))
    head = next((i for i in range(line - 1, 0, -1) if code.lines[i - 1].startswith("class ")), 0)
    indents = [code.indent(i) for i in range(head + 1, line + 1) if _METHOD.match(code.lines[i - 1])] if head else []
    if not indents:
        return None
    unit = min(indents, key=len)
    starts = [
        i for i in range(head + 1, len(code.lines) + 1) if _METHOD.match(code.lines[i - 1]) and code.indent(i) == unit and not _decorated(code, i)
    ]
    begins = [i for i in starts if i <= line - 12]
    ends = [i for i in starts if i > line + 25]
    stop = next((i for i in range(line + 1, len(code.lines) + 1) if code.lines[i - 1].startswith(_TOP)), len(code.lines) + 1)
    if not begins:
        return None
    return "class _:\n", begins[-1], min(ends[0] if ends else stop, max(stop, line + 1))


def _decorated(code: Code, line: int) -> bool:
    return line > 1 and code.lines[line - 2].lstrip().startswith("@")
