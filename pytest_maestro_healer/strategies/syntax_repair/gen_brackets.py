"""Candidates for brackets that are missing, stray or of the wrong kind; indentation says where a closer belongs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pytest_maestro_healer.strategies.syntax_repair.lexer import (
    ASSIGN,
    CLOSERS,
    COMPARE,
    HEADS,
    KEYWORDS,
    OPENERS,
    Code,
    Token,
    adjacent,
    ends_operand,
)
from pytest_maestro_healer.strategies.syntax_repair.moves import Move, insert, replace
from pytest_maestro_healer.strategies.syntax_repair.oracle import Problem

NAME = "brackets"


def candidates(code: Code, problem: Problem) -> Iterator[Move]:
    """Moves for a problem that brackets may explain."""
    at = code.index_at(problem.start)
    yield from _mismatched(code, at, problem)
    yield from _stray_closer(code, at, problem)
    yield from _unclosed(code, at, problem)
    if problem.msg.startswith(("unmatched", "invalid syntax", "expected '('")) or "does not match" in problem.msg:
        yield from _glued(code, problem)


def _glued(code: Code, problem: Problem) -> Iterator[Move]:
    """``foobar)`` where ``foo(bar)`` stood: the name is two names of the file."""
    import builtins

    known = Counter(t.text for t in code.sig if t.kind == "name")
    for line in (problem.line, code.previous_code_line(problem.line)):
        for i in code.by_line.get(line, ()):
            t = code.sig[i]
            if t.kind != "name" or t.text in KEYWORDS or len(t.text) < 3 or known[t.text] > 2:
                continue
            defined = i > 0 and code.sig[i - 1].text in ("def", "class")
            for cut in range(1, len(t.text)):
                head, tail = t.text[:cut], t.text[cut:]
                right = known[tail] or tail == "lambda"
                left = known[head] or hasattr(builtins, head) or defined
                if right and left and (len(tail) > 1 or known[head]):
                    yield insert(
                        t.start + cut,
                        "(",
                        0.8 + (0.05 if len(tail) < 3 else 0.0),
                        NAME,
                        f"opens the bracket between {head!r} and {tail!r} in line {line}",
                    )
                elif right and len(tail) > 3 and head.isidentifier():
                    yield insert(t.start + cut, "(", 0.95, NAME, f"opens the bracket between {head!r} and {tail!r} in line {line}")


def _is_call(code: Code, opener: int) -> bool:
    """Whether the opener follows an operand: a call, an index, a parameter list."""
    return opener > 0 and code.sig[opener].text in "([" and ends_operand(code.sig[opener - 1])


def _unclosed(code: Code, at: int, problem: Problem) -> Iterator[Move]:
    sig = code.sig
    closing = "was never closed" in problem.msg
    stack = code.unclosed() if closing else code.unclosed(min(at + 1, len(sig)))
    limit = len(sig)
    if closing:
        suspects = [i for i in stack if sig[i].start >= problem.start - 1] or stack[-1:]
        suspects = list(dict.fromkeys([*suspects, *_hidden_openers(code, suspects[0])]))[:4]
    else:
        suspects = stack[-3:][::-1]
        limit = at + 1
    for k in suspects:
        yield from close_opener(code, k, limit)
        if k + 1 < len(sig) and (sig[k - 1].text == sig[k].text or sig[k + 1].text == sig[k].text) and sig[k + 1].start - sig[k].end <= 1:
            yield replace(sig[k].start, sig[k].end, "", 1.3, NAME, f"removes the extra {sig[k].text!r} in line {sig[k].line}")
        yield replace(sig[k].start, sig[k].end, "", 1.9, NAME, f"removes the stray {sig[k].text!r} in line {sig[k].line}", review=True)


def _hidden_openers(code: Code, outer: int) -> list[int]:
    """Openers inside ``outer`` whose closer stands at another indentation than theirs: it was meant for an opener further out."""
    stack: list[int] = []
    out: list[int] = []
    sig = code.sig
    for i in range(outer, len(sig)):
        t = sig[i]
        if t.kind != "op":
            continue
        if t.text in OPENERS:
            stack.append(i)
        elif t.text in CLOSERS and stack:
            k = stack[-1]
            if sig[k].text == CLOSERS[t.text]:
                first = code.by_line[t.line][0] == i
                if first and t.line > sig[k].line and len(code.indent(t.line)) < len(code.indent(sig[k].line)):
                    out.append(k)
                stack.pop()
    return out


def close_opener(code: Code, k: int, limit: int) -> Iterator[Move]:
    """Every place where the closer of ``sig[k]`` may go, before ``sig[limit]``."""
    sig = code.sig
    closer = OPENERS[sig[k].text]
    line = sig[k].line
    why = f"closes the {sig[k].text!r} of line {line}"
    follow = code.next_code_line(line)
    deeper = bool(follow) and len(code.indent(follow).expandtabs()) > len(code.indent(line).expandtabs())
    header = code.of_line(line)[0].text in HEADS
    depth = 0
    seen_lines = 1
    hanging = False
    for j in range(k + 1, min(limit, len(sig)) + 1):
        prev, nxt = sig[j - 1], sig[j] if j < len(sig) else None
        if j - 1 > k and prev.kind == "op":
            depth += (prev.text in OPENERS) - (prev.text in CLOSERS)
        if depth < 0:
            return
        end_of_line = nxt is None or nxt.line > prev.line
        if end_of_line and nxt is not None and prev.kind not in ("str", "badstr"):
            hanging = j - 1 == k or hanging
        if depth == 0 and (j - 1 == k or ends_operand(prev) or prev.text in (",", ":")):
            cost = _close_cost(code, k, prev, nxt, end_of_line)
            if end_of_line:
                cost += _line_cost(code, line, prev, nxt, deeper and not header)
            yield from _put(prev, closer, cost, why, code, k, hanging and end_of_line and prev.line > line)
        if end_of_line:
            seen_lines += 1
            if seen_lines > 60:
                return


def _put(prev: Token, closer: str, cost: float, why: str, code: Code, k: int, hanging: bool) -> Iterator[Move]:
    if hanging:
        text = "\n" + code.indent(code.sig[k].line) + closer
        yield insert(prev.end, text if prev.text == "," else "," + text if prev.text not in OPENERS else text, cost, NAME, why)
    elif prev.text in (",", ":"):
        if prev.text == ",":
            yield insert(prev.start, closer, cost + 0.1, NAME, why)
        else:
            yield insert(prev.start, closer, cost - 0.1, NAME, why)
    else:
        yield insert(prev.end, closer, cost, NAME, why)


def _line_cost(code: Code, line: int, prev: Token, nxt: Token | None, deeper: bool) -> float:
    """What closing at the end of ``prev``'s line costs: the block of deeper lines below the opener is its contents."""
    opener = len(code.indent(line).expandtabs())
    inner = nxt is not None and len(code.indent(nxt.line).expandtabs()) > opener
    if prev.line == line:
        return 0.5 if deeper and nxt is not None and prev.text == "," else (0.15 if deeper else 0.0)
    if inner:
        return 0.6
    return 0.05 if deeper else 0.5


def _close_cost(code: Code, k: int, prev: Token, nxt: Token | None, end_of_line: bool) -> float:
    """How well ``closer`` stands between two tokens, apart from the end of a line."""
    call = _is_call(code, k)
    if prev is code.sig[k]:
        return 1.1 if call and code.sig[k].text == "(" else 1.7
    if nxt is None or end_of_line:
        return 1.0
    if nxt.text in COMPARE or (nxt.text in ("is", "in", "not") and nxt.kind == "name"):
        return 0.9 if call else 1.35
    if nxt.text in ASSIGN:
        return 1.4 if nxt.text == "=" and code.sig[k].text == "(" else 0.9
    if nxt.text in CLOSERS:
        return 1.0 if nxt.text != OPENERS[code.sig[k].text] else 1.02
    if nxt.text == ":":
        return 0.95
    if adjacent(prev, nxt):
        return 1.1
    if nxt.text == ",":
        return 1.15
    if nxt.kind == "name" and nxt.text in ("and", "or", "if", "else", "for", "as"):
        return 1.05 if call else 1.2
    if nxt.kind == "op" and nxt.text not in (".", "(", "["):
        return 1.25
    return 1.5


def _mismatched(code: Code, at: int, problem: Problem) -> Iterator[Move]:
    """``closing parenthesis ']' does not match opening parenthesis '('``."""
    if "does not match opening" not in problem.msg or at >= len(code.sig):
        return
    t = code.sig[at]
    stack = code.unclosed(at)
    if not stack or t.text not in CLOSERS:
        return
    k = stack[-1]
    if len(stack) > 1 and code.sig[stack[-2]].text == CLOSERS[t.text]:
        yield from close_opener(code, k, at)
        for inner in _hidden_openers(code, k):
            yield from close_opener(code, inner, at)
        cost = 1.25
    else:
        yield from close_opener(code, k, at)
        cost = 0.9
    why = f"closes the {code.sig[k].text!r} of line {code.sig[k].line} with its own kind"
    yield replace(t.start, t.end, OPENERS[code.sig[k].text], cost, NAME, why)
    yield replace(code.sig[k].start, code.sig[k].end, CLOSERS[t.text], cost + 0.15, NAME, f"opens with {CLOSERS[t.text]!r} what {t.text!r} closes")
    yield replace(t.start, t.end, "", 1.15 if code.sig[at - 1].text in CLOSERS else 1.5, NAME, f"removes the stray {t.text!r} in line {t.line}")


def _stray_closer(code: Code, at: int, problem: Problem) -> Iterator[Move]:
    """``unmatched ')'``: it goes, or its opener comes."""
    if at >= len(code.sig) or not problem.msg.startswith("unmatched"):
        return
    t = code.sig[at]
    opener = CLOSERS.get(t.text)
    if not opener:
        return
    double = at > 0 and code.sig[at - 1].text == t.text
    yield replace(t.start, t.end, "", 1.0 if double else 1.15, NAME, f"removes the {t.text!r} too many in line {t.line}")
    for other in [i for i in code.by_line.get(t.line, ()) if i < at and code.sig[i].text == t.text]:
        yield replace(code.sig[other].start, code.sig[other].end, "", 1.25, NAME, f"removes the {t.text!r} too many in line {t.line}")
    first = _first_of_statement(code, at)
    depth = 0
    for j in range(at, first, -1):
        prev, nxt = code.sig[j - 1], code.sig[j]
        depth += (prev.text in CLOSERS) - (prev.text in OPENERS) if prev.kind == "op" else 0
        why = f"opens the {t.text!r} of line {t.line}"
        if adjacent(prev, nxt) and opener == "(":
            yield from _opened(code, prev, nxt, opener, 0.85, why)
        elif ends_operand(prev) and nxt.text in (")", "]") and j == at and opener == "(" and prev.kind == "name":
            yield insert(prev.end, opener, 1.05, NAME, why)
        elif prev.text in ASSIGN or prev.text in ("return", "assert", "in", ",", "(", "[", "{", "not", "=="):
            yield insert(nxt.start, opener, 1.2 if opener != "(" and prev.text in ("=", "return", "in", "==") else 1.45, NAME, why)
        elif opener == "[" and ends_operand(prev) and nxt.kind in ("num", "str", "name"):
            yield insert(prev.end, opener, 0.9, NAME, why)
        elif ends_operand(prev) and nxt.text in ("-", "~", "*", "**"):
            yield insert(prev.end, opener, 1.5, NAME, why)
    yield insert(code.sig[first].start, opener, 1.6, NAME, f"opens the {t.text!r} of line {t.line}")


def _opened(code: Code, prev: Token, nxt: Token, opener: str, cost: float, why: str) -> Iterator[Move]:
    """``print "x")`` -> ``print("x")``: the gap is the bracket's place."""
    gap = code.text[prev.end : nxt.start]
    if gap and not gap.strip(" \t"):
        yield replace(prev.end, nxt.start, opener, cost, NAME, why)
    else:
        yield insert(nxt.start, opener, cost, NAME, why)


def _first_of_statement(code: Code, at: int) -> int:
    """Index of the first token of the line of ``sig[at]``, or of the line where its statement may start."""
    line = code.sig[at].line
    first = code.by_line[line][0]
    while first == at or code.sig[first].text in CLOSERS:
        above = code.previous_code_line(line)
        if not above or above not in code.by_line:
            break
        line = above
        first = code.by_line[line][0]
    return min(first, at)
