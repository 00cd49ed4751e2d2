"""Repairs of a whole file: search in a window around each error, one window after the other, with the committed file as a hint."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from pytest_maestro_healer.strategies.syntax_repair import gen_git, search
from pytest_maestro_healer.strategies.syntax_repair.lexer import CLOSERS, Code
from pytest_maestro_healer.strategies.syntax_repair.moves import Change, Move, apply, compose, narrow
from pytest_maestro_healer.strategies.syntax_repair.oracle import Problem, check

_SMALL = 160
_TOP = ("def ", "class ", "async def ", "@", "if __name__")
_CLAUSES = ("else", "elif", "except", "finally", *CLOSERS)


@dataclass(frozen=True)
class Solution:
    """A text that compiles: the changes of the original, what they cost, the moves that led there."""

    text: str
    changes: tuple[Change, ...]
    cost: float
    moves: tuple[Move, ...]

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
    windows: dict[str, list[search.State]] = {}
    for _ in range(12):
        nexts: list[Solution] = []
        for state in states:
            nexts += _advance(state, text, hint, windows, deadline)
        finished = {s.text: s for s in nexts if check(Code(s.text)) is None}
        done += finished.values()
        states = sorted((s for s in nexts if s.text not in finished), key=lambda s: s.cost)[:3]
        if done and states:
            states = [s for s in states if s.cost < min(d.cost for d in done)]
        if not states or time.monotonic() > deadline:
            break
    return _ranked(done, text)[:limit]


def _ranked(found: list[Solution], original: str) -> tuple[Solution, ...]:
    """Best first, one of each meaning (syntax tree), each change narrowed to what differs."""
    import ast
    import warnings

    out: list[Solution] = []
    trees: set[str] = set()
    for s in sorted(found, key=lambda s: s.cost):
        changes = tuple(n for c in s.changes if (n := narrow(c, original)) is not None)
        if apply(original, changes) != s.text or len(out) > 8:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.dump(ast.parse(s.text))
        if tree not in trees:
            trees.add(tree)
            out.append(replace(s, changes=changes))
    return tuple(out)


def _advance(state: Solution, original: str, hint: gen_git.Hint | None, windows: dict[str, list[search.State]], deadline: float) -> list[Solution]:
    """The state with its next window repaired, in several ways."""
    code = Code(state.text)
    problem = check(code)
    if problem is None:
        return [state]
    out: list[Solution] = []
    if hint is not None:
        for move in hint.moves(state.text, state.changes):
            out.append(_with(state, (move,), move.changes, move.cost, original))
        good = [s for s in out if _better(problem, check(Code(s.text)))]
        if good:
            done = [s for s in good if check(Code(s.text)) is None]
            return sorted(done, key=lambda s: s.cost)[:3] or sorted(good, key=lambda s: s.cost)[:2]
        out = []
    start, end = window(code, problem)
    for whole in (False, True):
        if whole:
            if (start, end) == (0, len(state.text)) or len(code.lines) > 1500:
                break
            start, end = 0, len(state.text)
        part = state.text[start:end]
        left = max(0.2, deadline - time.monotonic())
        if part not in windows:
            windows[part] = search.search(part, seconds=left)
        for s in windows[part]:
            if s.moves:
                moved = tuple((a + start, b + start, t) for a, b, t in s.changes)
                out.append(_with(state, s.moves, moved, s.cost, original))
        if out:
            break
    return [s for s in out if _better(problem, check(Code(s.text)))][:6]


def _with(state: Solution, moves: Sequence[Move], changes: tuple[Change, ...], cost: float, original: str) -> Solution:
    composed = compose(state.changes, changes, original)
    return Solution(apply(original, composed), composed, state.cost + cost, (*state.moves, *moves))


def _better(before: Problem, after: Problem | None) -> bool:
    return after is None or after.left < before.left or (after.msg != before.msg and after.line >= before.line)


def window(code: Code, problem: Problem) -> tuple[int, int]:
    """Offsets of a part of the text around the problem that holds whole top-level statements; small files are taken whole."""
    n = len(code.lines)
    if n <= _SMALL:
        return 0, len(code.text)
    top = [i for i, line in enumerate(code.lines, 1) if line.startswith(_TOP) or (line[:1].isalpha() and not line.startswith(_CLAUSES))]
    starts = [i for i in top if i <= problem.line - 30 and not code.lines[i - 2 if i > 1 else 0].startswith("@")]
    first = 1
    for candidate in reversed(starts[-200:]):
        if candidate <= problem.line - 30 and check(Code(code.text[: code.offset(candidate)])) is None:
            first = candidate
            break
        if candidate < problem.line - 400:
            break
    ends = [i for i in top if i > problem.line + 40 and code.lines[i - 1].startswith(_TOP) and not code.lines[i - 2].startswith("@")]
    last = ends[0] if ends else n + 1
    return code.offset(first), code.offset(last)
