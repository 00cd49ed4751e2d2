"""Best combinations of small edits: a beam search whose states are texts, judged by the parser."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_maestro_healer.strategies.syntax_repair import gen_brackets, gen_generic, gen_indent, gen_semantic, gen_strings, gen_words, junk, python2
from pytest_maestro_healer.strategies.syntax_repair.lexer import Code
from pytest_maestro_healer.strategies.syntax_repair.moves import Change, Move, apply, compose
from pytest_maestro_healer.strategies.syntax_repair.oracle import Problem, check

Generator = Callable[[Code, Problem], Iterable[Move]]

#: Asked for every problem, the ones that know most first.
GENERATORS: tuple[Generator, ...] = (
    junk.candidates,
    python2.candidates,
    gen_indent.candidates,
    gen_semantic.candidates,
    gen_strings.candidates,
    gen_brackets.candidates,
    gen_words.candidates,
    gen_generic.candidates,
)
WIDTH = 6
DEPTH = 10
#: How many moves one line may take.
PER_LINE = 4
#: How much dearer than the best a solution may be and still be worth showing.
MARGIN = 0.7


@dataclass(frozen=True)
class State:
    """A text on its way: the changes of the original so far, what they cost, the moves made, and the problem left."""

    text: str
    changes: tuple[Change, ...] = ()
    cost: float = 0.0
    moves: tuple[Move, ...] = ()
    problem: Problem | None = None
    rank: float = 0.0
    #: The line of each move: a line that needs many is a line that was not understood.
    lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class Found:
    """What a search found, best first; ``complete`` says that nothing as near was left untried for lack of time or room."""

    states: list[State]
    complete: bool


def moves_for(code: Code, problem: Problem, generators: Sequence[Generator] = GENERATORS) -> Iterator[Move]:
    """All candidates for one problem, each text once, cheapest first."""
    found: list[Move] = []
    for generate in generators:
        found += [m for m in generate(code, problem) if m.changes]
    seen: set[tuple[Change, ...]] = set()
    for m in sorted(found, key=lambda m: m.cost):
        if m.changes not in seen:
            seen.add(m.changes)
            yield m


def search(text: str, generators: Sequence[Generator] = GENERATORS, *, seconds: float = 2.0, limit: int = 6) -> Found:
    """The cheapest combinations that make ``text`` compile, best first; empty when none was found in time."""
    deadline = time.monotonic() + seconds
    code = Code(text)
    first = State(text, problem=check(code))
    if first.problem is None:
        return Found([first], True)
    beam, seen = [first], {text}
    done: list[State] = []
    complete = True
    for _ in range(DEPTH):
        nexts: list[State] = []
        for state in beam:
            bound = min((s.cost for s in done), default=99.0) + MARGIN
            for new in _expand(state, generators, seen, bound, deadline, text):
                (done if new.problem is None else nexts).append(new)
            if time.monotonic() > deadline:
                break
        best = min((s.cost for s in done), default=99.0)
        if time.monotonic() > deadline or (done and all(s.cost + 0.7 > best + 0.3 for s in nexts)):
            break
        near = [s for s in nexts if s.cost + 0.7 <= best + MARGIN]
        beam = _select(near)
        complete = complete and len(beam) == len(near)
        if not beam:
            break
    else:
        complete = False
    done.sort(key=lambda s: s.cost)
    good = [s for s in done if s.cost <= done[0].cost + MARGIN]
    return Found(good[:limit], complete and len(good) <= limit and time.monotonic() <= deadline)


def _expand(state: State, generators: Sequence[Generator], seen: set[str], bound: float, deadline: float, original: str) -> Iterator[State]:
    assert state.problem is not None
    code = Code(state.text)
    for count, move in enumerate(moves_for(code, state.problem, generators)):
        cost = state.cost + move.cost
        if cost > bound or (count % 4 == 3 and time.monotonic() > deadline):
            return
        line = code.line_at(min(c[0] for c in move.changes))
        if state.lines.count(line) >= PER_LINE:
            continue
        text = apply(state.text, move.changes)
        if text in seen:
            continue
        seen.add(text)
        after = Code(text)
        problem = check(after)
        if problem is not None and not _moved_on(state.problem, problem, move, state.text):
            continue
        gain = 0.0 if problem is None else min(0.9, 0.3 * _lines_gained(code, after, state.problem, problem))
        changes = compose(state.changes, move.changes, original)
        yield State(text, changes, cost, (*state.moves, move), problem, cost - gain, (*state.lines, line))
        if problem is None:
            bound = min(bound, cost + MARGIN)


def _moved_on(before: Problem, after: Problem, move: Move, text: str) -> bool:
    """Whether the error is later in the text than it was, or was another one about brackets."""
    if after.left < before.left:
        return True
    hidden = "never closed" in before.msg or "unterminated" in before.msg or "does not match" in before.msg or "unmatched" in before.msg
    if hidden and after.msg != before.msg:
        return after.left <= before.left + 200
    changed = min(c[0] for c in move.changes)
    return after.msg != before.msg and changed < before.start - 1 and after.left <= before.left + 40 and after.line >= before.line - 1


def _lines_gained(old: Code, new: Code, before: Problem, after: Problem) -> int:
    return max(0, (len(old.lines) - before.line) - (len(new.lines) - after.line))


def _select(states: list[State]) -> list[State]:
    """The beam: the best by rank, at most two for one and the same remaining problem."""
    out: list[State] = []
    per: dict[tuple[int, str], int] = {}
    for s in sorted(states, key=lambda s: s.rank):
        assert s.problem is not None
        key = (s.problem.left, s.problem.msg)
        if per.get(key, 0) >= 2:
            continue
        per[key] = per.get(key, 0) + 1
        out.append(s)
        if len(out) >= WIDTH:
            break
    return out
