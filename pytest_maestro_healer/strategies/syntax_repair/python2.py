"""Python 2 left-overs, rewritten token by token: all of one file in one move."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from pytest_maestro_healer.strategies.syntax_repair.lexer import CLOSERS, HEADS, OPENERS, Code, Token
from pytest_maestro_healer.strategies.syntax_repair.moves import Change, Move
from pytest_maestro_healer.strategies.syntax_repair.oracle import Problem

NAME = "python2"


def candidates(code: Code, problem: Problem) -> Iterator[Move]:
    """One move for all left-overs where the problem stands at one of them."""
    changes = convert(code)
    if not changes:
        return
    near = [c for c in changes if abs(code.line_at(c[0]) - problem.line) <= 1]
    if near:
        yield Move(tuple(changes), 0.6 + 0.02 * min(len(changes), 20), NAME, "converts what Python 2 wrote differently")
        if len(near) < len(changes):
            yield Move(tuple(near), 0.9 + 0.02 * len(near), NAME, "converts what Python 2 wrote differently")


def convert(code: Code) -> list[Change]:
    """The changes that make Python 2 statements and literals Python 3's."""
    out: list[Change] = []
    for statement in statements(code):
        for rule in _RULES:
            made = rule(code, statement)
            out += [c for c in made if not any(_clash(c, o) for o in out)]
    return sorted(out, key=lambda c: (c[0], c[1]))


def _clash(a: Change, b: Change) -> bool:
    return a[0] < b[1] and b[0] < a[1]


def statements(code: Code) -> list[list[Token]]:
    """Simple statements and headers as token lists: split at line ends outside brackets, at ``;``, and after a header's colon."""
    out: list[list[Token]] = []
    now: list[Token] = []
    depth = 0
    for i, t in enumerate(code.tokens):
        if t.kind in ("comment", "cont"):
            continue
        if t.kind == "nl":
            joined = i > 0 and code.tokens[i - 1].kind == "cont"
            if now and depth <= 0 and not joined:
                out.append(now)
                now, depth = [], 0
            continue
        if t.kind == "op":
            depth += (t.text in OPENERS) - (t.text in CLOSERS)
        if t.text == ";" and depth == 0:
            out.append(now)
            now = []
            continue
        now.append(t)
        if t.text == ":" and depth == 0 and now[0].text in HEADS and not any(x.text == "lambda" for x in now):
            out.append(now)
            now = []
    if now:
        out.append(now)
    return [s for s in out if s]


def _split(tokens: list[Token], sep: str) -> list[list[Token]]:
    """``tokens`` split at ``sep`` outside brackets."""
    out: list[list[Token]] = [[]]
    depth = 0
    for t in tokens:
        if t.kind == "op":
            depth += (t.text in OPENERS) - (t.text in CLOSERS)
        if t.text == sep and t.kind == "op" and depth == 0:
            out.append([])
        else:
            out[-1].append(t)
    return out


def _print(code: Code, st: list[Token]) -> list[Change]:
    """``print a, b``, ``print >>f, a``, ``print a,``, ``print``."""
    head = st[0]
    if head.text != "print" or head.kind != "name":
        return []
    rest = st[1:]
    if not rest:
        return [(head.end, head.end, "()")]
    if rest[0].text in ("=", ".", ",", ")", ":", "]", "+=", "is", "in", "==") or (rest[0].text == "(" and _one_call(rest)):
        return []
    tail = ""
    start = rest[0].start
    last = rest[-1]
    if rest[0].text == ">>":
        stream, *items = _split(rest[1:], ",")
        if not stream:
            return []
        tail = f"file={code.text[stream[0].start : stream[-1].end]}"
        items = [i for i in items if i]
        if not items:
            return [_opening(code, head, rest[0].start, last.end, f"({tail})")]
        start = items[0][0].start
        rest = [t for i in items for t in i]
    trailing = last.text == ","
    end = last.start if trailing else last.end
    if trailing:
        tail = "end=' '" + (f", {tail}" if tail else "")
        end = len(code.text[:end].rstrip())
    closing = (f", {tail}" if tail else "") + ")"
    return [(head.end, start, "("), (end, last.end, closing)]


def _opening(code: Code, head: Token, start: int, end: int, text: str) -> Change:
    return (head.end, end, text)


def _one_call(rest: list[Token]) -> bool:
    """Whether ``print (...)`` is one bracket and nothing more (with a comma inside it printed a tuple; it is a call today)."""
    depth = 0
    for i, t in enumerate(rest):
        if t.kind == "op":
            depth += (t.text in OPENERS) - (t.text in CLOSERS)
        if depth == 0:
            return i == len(rest) - 1
    return True


def _except(code: Code, st: list[Token]) -> list[Change]:
    """``except E, e:``."""
    if st[0].text != "except" or st[-1].text != ":":
        return []
    types = _split(st[1:-1], ",")
    if len(types) == 2 and types[0] and len(types[1]) == 1 and types[1][0].kind == "name":
        return [(types[0][-1].end, types[1][0].start, " as ")]
    return []


def _raise(code: Code, st: list[Token]) -> list[Change]:
    """``raise E, "m"`` and ``raise E, "m", tb``."""
    if st[0].text != "raise":
        return []
    args = _split(st[1:], ",")
    if len(args) == 2 and all(args):
        return [(args[0][-1].end, args[1][0].start, "("), (args[1][-1].end, args[1][-1].end, ")")]
    if len(args) == 3 and all(args):
        return [
            (args[0][-1].end, args[1][0].start, "("),
            (args[1][-1].end, args[2][0].start, ").with_traceback("),
            (args[2][-1].end, args[2][-1].end, ")"),
        ]
    return []


def _exec(code: Code, st: list[Token]) -> list[Change]:
    """``exec code``, ``exec code in ns``."""
    if st[0].text != "exec" or len(st) < 2 or st[1].text in ("=", ".", ",", ")") or (st[1].text == "(" and _one_call(st[1:])):
        return []
    out: list[Change] = [(st[0].end, st[1].start, "(")]
    depth = 0
    for a, b, c in zip(st, st[1:], st[2:]):
        depth += (b.text in OPENERS) - (b.text in CLOSERS) if b.kind == "op" else 0
        if b.text == "in" and b.kind == "name" and depth == 0:
            out.append((a.end, c.start, ", "))
            break
    return [*out, (st[-1].end, st[-1].end, ")")]


def _literals(code: Code, st: list[Token]) -> list[Change]:
    """``<>``, ``0777``, ``10L``, ``ur''``, backticks."""
    out: list[Change] = []
    ticks = [t for t in st if t.text == "`"]
    if len(ticks) % 2 == 0:
        for a, b in zip(ticks[::2], ticks[1::2]):
            out += [(a.start, a.end, "repr("), (b.start, b.end, ")")]
    for t, nxt in zip(st, [*st[1:], None]):
        if t.text == "<>" and t.kind == "op":
            out.append((t.start, t.end, "!="))
        elif t.kind == "num" and re.fullmatch(r"0\d+", t.text) and t.text.strip("0") and not re.search("[89]", t.text):
            out.append((t.start + 1, t.start + 1, "o"))
        elif t.kind == "num" and nxt is not None and nxt.kind == "name" and nxt.text in ("L", "l") and nxt.start == t.end:
            out.append((nxt.start, nxt.end, ""))
        elif t.kind == "str" and re.match(r"(?i)ur['\"]", t.text) and not re.search(r"\\[uU]", t.text):
            out.append((t.start, t.start + 1, ""))
    return out


def _unpacking(code: Code, st: list[Token]) -> list[Change]:
    """``lambda (a, b): a + b`` where the body is simple: one parameter, indexed."""
    out: list[Change] = []
    for i, t in enumerate(st):
        if t.text != "lambda" or i + 1 >= len(st) or st[i + 1].text != "(":
            continue
        close = next((j for j in range(i + 2, len(st)) if st[j].text == ")"), 0)
        names = [x for x in st[i + 2 : close] if x.text != ","]
        if not close or close + 1 >= len(st) or st[close + 1].text != ":" or not all(n.kind == "name" for n in names):
            continue
        new = "_".join(n.text for n in names)
        places = {n.text: k for k, n in enumerate(names)}
        out.append((st[i + 1].start, st[close].end, new))
        depth = 0
        for prev, x in zip(st[close + 1 :], st[close + 2 :]):
            depth += (x.text in OPENERS) - (x.text in CLOSERS) if x.kind == "op" else 0
            if depth < 0 or (depth == 0 and x.text == ","):
                break
            if x.kind == "name" and x.text in places and prev.text != ".":
                out.append((x.start, x.end, f"{new}[{places[x.text]}]"))
    return out


_RULES: tuple[Callable[[Code, list[Token]], list[Change]], ...] = (_literals, _except, _raise, _exec, _print, _unpacking)
