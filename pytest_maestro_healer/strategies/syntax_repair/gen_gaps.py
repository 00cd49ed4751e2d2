"""Candidates for what is missing between two operands: commas, operators, dots, brackets of a call."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_maestro_healer.strategies.syntax_repair.lexer import (
    CLOSERS,
    OPENERS,
    Code,
    Token,
    adjacent,
    ends_operand,
    starts_operand,
)
from pytest_maestro_healer.strategies.syntax_repair.moves import Move, insert, replace
from pytest_maestro_healer.strategies.syntax_repair.oracle import Problem

OPERATOR = "operators"


def gaps(code: Code, line: int, problem: Problem) -> Iterator[Move]:
    """Two operands side by side: something is missing between them."""
    idx = code.by_line.get(line, [])
    if not idx:
        return
    head = code.sig[idx[0]].text
    for i in idx:
        if i + 1 >= len(code.sig):
            continue
        a, b = code.sig[i], code.sig[i + 1]
        if not adjacent(a, b) or (b.line != a.line and not code.unclosed(i + 1)):
            continue
        stack = code.unclosed(i + 1)
        top = code.sig[stack[-1]].text if stack else ""
        yield from _between(code, a, b, i, top, head)


def _between(code: Code, a: Token, b: Token, i: int, top: str, head: str) -> Iterator[Move]:
    why = f"between {a.text[:20]!r} and {b.text[:20]!r} in line {a.line}"
    text_parts = a.kind == "str" or b.kind == "str"
    before = code.sig[i - 1].text if i else ""
    kwarg = a.kind == "name" and before in (",", "(") and top == "(" and _is_keyword_name(code, a.text)
    comma = 0.9 if top else 1.3
    after = code.sig[i + 2].text if i + 2 < len(code.sig) else ""
    chain = any(x.text == "+" for x in (code.sig[i - 1 : i] + code.sig[i + 2 : i + 3])) and text_parts
    if a.end == b.start and text_parts and a.kind == "name" and top in ("", "("):
        comma += 0.05
    if chain or ((before == "+" or after == "+") and text_parts):
        yield insert(a.end, "+" if a.end == b.start else " +", 0.85, OPERATOR, f"adds the missing '+' {why}")
    yield insert(a.end, ",", comma, OPERATOR, f"adds the missing comma {why}")
    pad = " " if b.start > a.end else ""
    if kwarg or (top == "" and head not in ("assert", "if", "elif", "while", "return")):
        yield insert(a.end, pad + "=", 0.85 if kwarg else 1.25, OPERATOR, f"adds the missing '=' {why}")
    elif top == "(" and a.kind == "name" and before in (",", "("):
        yield insert(a.end, "=", 1.2, OPERATOR, f"adds the missing '=' {why}")
    if head in ("assert", "if", "elif", "while") or (head == "return" and top == ""):
        yield insert(a.end, " ==", 0.95 if head == "assert" and not top else 1.2, OPERATOR, f"adds the missing '==' {why}")
    if top == "{":
        yield insert(a.end, ":", 0.95 if a.kind in ("str", "num") and before in ("{", ",") else 1.3, OPERATOR, f"adds the missing ':' {why}")
    for op, cost in ((" and", 1.35), (" +", 1.3), (".", 1.35), (" in", 1.4), (" %", 1.6), (" -", 1.6), (" *", 1.5)):
        if op == "." and b.kind != "name":
            continue
        if op == " %" and a.kind == "str":
            cost = 1.25
        if op == " in" and head == "for" and before in ("for", ","):
            cost = 0.7
        yield insert(a.end, op, cost, OPERATOR, f"adds the missing {op.strip()!r} {why}")
    if a.kind == "name" and b.text != "not":
        yield from _call_without_brackets(code, a, b, i)
    if a.kind == b.kind == "name" and before not in (".",):
        yield replace(a.end, b.start, "_", 1.5, OPERATOR, f"joins the name {a.text}_{b.text} in line {a.line}", review=True)
    if not top and (b.kind == "name" or a.end == b.start):
        yield insert(a.end, "\n" + code.indent(a.line), 1.25, OPERATOR, f"starts a new line {why}")


def _is_keyword_name(code: Code, name: str) -> bool:
    if name in (
        "end",
        "sep",
        "file",
        "flush",
        "key",
        "reverse",
        "match",
        "abs",
        "rel",
        "default",
        "encoding",
        "timeout",
        "ids",
        "scope",
        "autouse",
        "side_effect",
        "return_value",
    ):
        return True
    return any(a.text == name and b.text == "=" and c.text in ("(", ",") for c, a, b in zip(code.sig, code.sig[1:], code.sig[2:]))


def _call_without_brackets(code: Code, a: Token, b: Token, i: int) -> Iterator[Move]:
    """``len x`` -> ``len(x)``: the argument is the next primary expression, or all up to the end of the line."""
    import builtins

    known = hasattr(builtins, a.text)
    j = i + 1
    depth = 0
    ends: list[tuple[int, float]] = []
    while j < len(code.sig) and code.sig[j].line == b.line:
        t = code.sig[j]
        if t.kind == "op" and t.text in CLOSERS:
            if depth == 0:
                break
            depth -= 1
        elif t.kind == "op" and t.text in OPENERS:
            depth += 1
        nxt = code.sig[j + 1] if j + 1 < len(code.sig) else None
        if depth == 0 and (nxt is None or nxt.line != t.line or nxt.text not in (".", "(", "[")) and ends_operand(t):
            ends.append((t.end, 0.0 if not ends else 0.2))
        j += 1
    for end, extra in ends[:1] + ends[-1:] if len(ends) > 1 else ends:
        gap = code.text[a.end : b.start]
        opening = (a.end, b.start, "(") if gap.strip(" ") == "" else (b.start, b.start, "(")
        cost = (1.1 if known else 1.7) + extra - (0.3 if a.text == "print" and extra else 0.0)
        yield Move((opening, (end, end, ")")), cost, OPERATOR, f"calls {a.text} in line {a.line} with brackets")


def starts(t: Token) -> bool:
    """Whether an operand starts here, brackets included."""
    return starts_operand(t) or t.text in OPENERS
