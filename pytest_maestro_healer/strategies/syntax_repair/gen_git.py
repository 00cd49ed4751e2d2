"""Candidates from the committed file: the tokens or lines that stand differently there, nearest to the error first."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pytest_maestro_healer.evidence.symbols import parse
from pytest_maestro_healer.strategies.syntax_repair.lexer import KEYWORDS, Code
from pytest_maestro_healer.strategies.syntax_repair.moves import Change, Move, apply
from pytest_maestro_healer.strategies.syntax_repair.oracle import check

#: Maps an offset of the broken text to the text after the moves so far.
Shift = Callable[[int], int]
HEAD = "restore_from_head"
#: From this similarity on (0..1, of difflib) a word is taken for another one, damaged.
_ALIKE = 0.6
TAIL = "truncated"
TACTICS = frozenset({HEAD, TAIL})


@dataclass(frozen=True)
class Hunk:
    """Lines ``start:end`` (character offsets) of the broken text and what stands at HEAD instead."""

    start: int
    end: int
    text: str
    tail: bool


class Hint:
    """The differences between a broken text and the committed one."""

    def __init__(self, text: str, head: str) -> None:
        self.text = text
        self.head = head.replace("\r\n", "\n") if "\r\n" not in text else head
        self.hunks = _hunks(self.text, self.head)

    def moves(self, now: str, done: tuple[Change, ...]) -> Iterator[Move]:
        """Moves for the error that ``now`` (the text after ``done``) still has, the smallest that help first."""
        if done and not all(any(h.start <= c[0] and c[1] <= h.end for h in self.hunks) for c in done):
            return
        code = Code(now)
        problem = check(code)
        if problem is None or len(self.hunks) > 400:
            return
        shift = _shifter(done)
        left = [h for h in self.hunks if not any(h.start <= c[0] <= h.end for c in done)]
        at = problem.start
        for h in sorted(left, key=lambda h: _gap(shift(h.start), shift(h.end), at))[:6]:
            yield from _hunk_moves(self.text, h, shift)
        if len(left) <= 6 and len(left) > 1:
            changes = tuple((shift(h.start), shift(h.end), h.text) for h in left)
            yield Move(changes, 0.5 + 0.1 * len(left), HEAD, "restores the lines that changed since HEAD", review=True)


def gives_up(text: str, changes: tuple[Change, ...]) -> bool:
    """Whether changes take away a name, a value or a comparison that the lines have and that is no slip of what is put there.

    Somebody was writing them: what they expect now is not to be exchanged for what they expected at HEAD because that compiles, or passes.
    """
    code = Code(text)
    for start, end, new in changes:
        begin, stop = code.starts[code.line_at(start) - 1], code.offset(code.line_at(max(end - 1, start)) + 1)
        old, now = text[begin:stop], text[begin:start] + new + text[end:stop]
        left, came = (re.findall(r"\w+", t) for t in (now, new))
        if any(not _slip(w, left, came) for w in set(re.findall(r"\w+", old)) - set(left)):
            return True
        if set(_compared(old)) - set(_compared(now)):
            return True
    return False


def strayed(text: str, changes: tuple[Change, ...], head: str) -> bool:
    """Whether ``changes``, which led to ``text``, put a whole line into a function that the committed text has without it, or does not have.

    Where a body was lost, the lines of the next test fit as well: they compile, and test what is tested there.
    """
    known = {name: {line.strip() for line in lines} for name, _, lines in _functions(head)}
    now, starts = list(_functions(text)), Code(text).starts
    delta = 0
    for start, end, new in sorted(changes):
        begin, stop = start + delta, start + delta + len(new)
        delta += len(new) - (end - start)
        for name, first, lines in now:
            for number, line in enumerate(lines, first):
                at = starts[number - 1] + len(line) - len(line.lstrip())
                whole = begin <= at and at + len(line.strip()) <= stop
                if whole and line.strip() and line.strip() not in known.get(name, set()):
                    return True
    return False


def _functions(text: str) -> Iterator[tuple[str, int, list[str]]]:
    """(qualified name, first line, lines) of the functions of a text that compiles, those in functions left out."""
    tree = parse(text.encode("utf-8", "surrogatepass"))
    lines = text.split("\n")
    todo: list[tuple[str, ast.AST]] = [("", tree)] if tree is not None else []
    while todo:
        scope, node = todo.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                first = min([child.lineno, *(d.lineno for d in child.decorator_list)])
                yield scope + child.name, first, lines[first - 1 : child.end_lineno]
            elif isinstance(child, ast.stmt):
                todo.append((f"{scope}{child.name}." if isinstance(child, ast.ClassDef) else scope, child))


def _compared(text: str) -> list[str]:
    """The comparisons of a text; ``= =`` and ``=>`` are what somebody meant by one."""
    return re.findall(r"[=!<>]=|(?<![<>=-])[<>](?![<>=])", re.sub(r"(?<=[=!<>])\s+(?==)", "", text))


def _slip(word: str, left: list[str], came: list[str]) -> bool:
    """Whether ``word`` is a damaged one of what takes its place: a letter more or less, two words run together, one torn apart."""
    if word[:1].isdigit():
        return False
    joined = "".join(left)
    return word in joined or any(difflib.SequenceMatcher(None, word, w, autojunk=False).ratio() >= _ALIKE for w in came)


def _gap(start: int, end: int, at: int) -> int:
    return 0 if start <= at <= end else min(abs(start - at), abs(end - at))


def _shifter(done: tuple[Change, ...]) -> Shift:
    def shift(offset: int) -> int:
        return offset + sum(len(t) - (e - s) for s, e, t in done if e <= offset)

    return shift


def _hunks(text: str, head: str) -> list[Hunk]:
    a, b = Code(text), Code(head)
    first = 0
    x, y = a.lines, b.lines
    while first < min(len(x), len(y)) and x[first] == y[first]:
        first += 1
    last = 0
    while last < min(len(x), len(y)) - first and x[-1 - last] == y[-1 - last]:
        last += 1
    out: list[Hunk] = []
    matcher = difflib.SequenceMatcher(None, x[first : len(x) - last], y[first : len(y) - last], autojunk=len(x) > 2000)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            continue
        i1, i2, j1, j2 = i1 + first, i2 + first, j1 + first, j2 + first
        new = "".join(y[j1:j2])
        old = "".join(x[i1:i2])
        tail = i2 == len(x) and len(new) > len(old) and new.startswith(old.rstrip())
        out.append(Hunk(a.starts[i1], a.starts[i2], new, tail))
    return out


def _hunk_moves(text: str, h: Hunk, shift: Shift) -> Iterator[Move]:
    old = text[h.start : h.end]
    line = Code(text).line_at(h.start)
    if h.tail:
        keep = len(old.rstrip())
        cut = len(old) - len(old.rstrip())
        added = h.text[keep:]
        yield Move(
            ((shift(h.start + keep), shift(h.start + keep + cut), added),),
            0.3,
            TAIL,
            "completes the file with what HEAD has after the place where it ends",
        )
        return
    why = f"restores what stands at HEAD in line {line}"
    atoms = _atoms(old, h.text) if len(old) < 4000 and len(h.text) < 4000 else []
    # what differs in structure only: another name, number or text there was an intended change and stays
    for rank, atom in enumerate(_atoms(old, h.text, shape=True) if atoms else []):
        if rank < 12:
            yield Move((_placed(atom, h.start, shift),), 0.15 + 0.005 * rank, HEAD, why)
    if 1 < len(atoms) <= 12:
        for rank, atom in enumerate(atoms):
            yield Move((_placed(atom, h.start, shift),), 0.2 + 0.005 * rank + 0.01 * min(len(atom[2]), 10), HEAD, why)
        for i in range(len(atoms)):
            for j in range(i + 1, min(i + 4, len(atoms))):
                yield Move((_placed(atoms[i], h.start, shift), _placed(atoms[j], h.start, shift)), 0.4, HEAD, why)
    yield Move(((shift(h.start), shift(h.end), h.text),), 0.6 if len(atoms) != 1 else 0.3, HEAD, why, review=len(atoms) > 1)


def _placed(change: Change, base: int, shift: Shift) -> Change:
    return (shift(base + change[0]), shift(base + change[1]), change[2])


def _atoms(old: str, new: str, shape: bool = False) -> list[Change]:
    """The token-wise differences between two pieces of text; with ``shape`` all names are one, all numbers, all words of strings."""
    a, b = _pieces(old), _pieces(new)
    out: list[Change] = []
    left, right = ([_shape(t) if shape else t for t, _ in x] for x in (a, b))
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag != "equal":
            start = a[i1][1] if i1 < len(a) else len(old)
            end = a[i2][1] if i2 < len(a) else len(old)
            first = b[j1][1] if j1 < len(b) else len(new)
            last = b[j2][1] if j2 < len(b) else len(new)
            out.append((start, end, new[first:last]))
    return [c for c in out if apply(old, [c]) != old]


def _shape(piece: str) -> str:
    if piece in KEYWORDS:
        return piece
    return "name" if piece.isidentifier() else ("number" if piece[:1].isdigit() else piece)


def _pieces(text: str) -> list[tuple[str, int]]:
    """Tokens and the white space between them, with offsets; broken strings are cut into words."""
    out: list[tuple[str, int]] = []
    at = 0
    for t in Code(text).tokens:
        if t.start > at:
            out.append((text[at : t.start], at))
        if t.kind in ("badstr", "str") and len(t.text) > 2:
            out += _split_string(t.text, t.start)
        else:
            out.append((t.text, t.start))
        at = t.end
    if at < len(text):
        out.append((text[at:], at))
    return out


def _split_string(text: str, start: int) -> list[tuple[str, int]]:
    return [(m.group(), start + m.start()) for m in re.finditer(r"\w+|\s+|\"\"\"|'''|.", text, re.S)]
