"""Candidates by word: colons, commas, operators, misspelt keywords, and the small change of other languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from pytest_maestro_healer.strategies.syntax_repair.gen_gaps import OPERATOR, gaps
from pytest_maestro_healer.strategies.syntax_repair.lexer import (
    CLOSERS,
    HEADS,
    KEYWORDS,
    OPENERS,
    Code,
    Token,
    ends_operand,
)
from pytest_maestro_healer.strategies.syntax_repair.moves import Move, insert, replace
from pytest_maestro_healer.strategies.syntax_repair.oracle import Problem

COLON = "missing_colon"
KEYWORD = "keyword_typo"
TARGET = "assignment_target"

_SIMPLE = ("return", "assert", "raise", "import", "from", "pass", "break", "continue", "yield", "global", "del", "print")
#: What other languages say.
FOREIGN_WORDS = {
    "function": "def", "func": "def", "fun": "def", "fn": "def", "define": "def", "elseif": "elif", "elsif": "elif", "elsi": "elif", "elis": "elif",
    "foreach": "for", "catch": "except", "throw": "raise", "switch": "match", "until": "while not", "unless": "if not",
}  # fmt: skip
_PAIRS = {
    "&&": " and ", "||": " or ", "<>": "!=",
    "===": "==", "!==": "!=", "=>": ">=", "=<": "<=", "=!": "!=", "=+": "+=", "=-": "-=", "=*": "*=", "=/": "/=",
    ":==": "==", ".=": ">=", "==>": ">=", "<==": "<=", "::": ":", ",,": ",", "..": ".", "====": "==", "=:": ":=", "->": ".", "+-=": "+=",
}  # fmt: skip


def candidates(code: Code, problem: Problem) -> Iterator[Move]:
    """Moves for words near the problem."""
    line = min(problem.line, len(code.lines))
    lines = _statement_lines(code, line)
    for n in lines:
        extra = 0.0 if n == line else 0.1
        yield from _shift(_keywords(code, n), extra)
        yield from _shift(_foreign(code, n), extra)
        yield from _shift(_equals(code, n, problem), extra)
        yield from _shift(gaps(code, n, problem), extra)
    yield from _colon(code, problem, line)
    above = code.previous_code_line(line)
    if "unexpected indent" in problem.msg and above:
        yield from _header_without_colon(code, above)
    yield from _decimal(code, line)


def _shift(moves: Iterator[Move], extra: float) -> Iterator[Move]:
    for m in moves:
        yield Move(m.changes, m.cost + extra, m.tactic, m.why, m.review) if extra else m


def _statement_lines(code: Code, line: int) -> list[int]:
    """The lines that can be at fault for an error in ``line``: itself and those of an open bracket above, and the one above."""
    out = [line]
    at = code.by_line.get(line, [len(code.sig)])[0]
    for k in code.unclosed(at)[-2:]:
        out.append(code.sig[k].line)
    above = code.previous_code_line(line)
    if above:
        out.append(above)
    return list(dict.fromkeys(out))


# -- keywords ----------------------------------------------------------------------------------------------------------
def _near(a: str, b: str) -> bool:
    """Whether one insertion, deletion, substitution or swap turns ``a`` into ``b``."""
    if a == b or abs(len(a) - len(b)) > 1 or len(b) < 2:
        return False
    i = 0
    while i < min(len(a), len(b)) and a[i] == b[i]:
        i += 1
    x, y = a[i:], b[i:]
    return x[1:] == y or x == y[1:] or x[1:] == y[1:] or (len(x) > 1 and x[:2] == y[1::-1] and x[2:] == y[2:])


def _keywords(code: Code, line: int) -> Iterator[Move]:
    toks = code.of_line(line)
    for i, t in enumerate(toks):
        if t.kind != "name" or (t.text in KEYWORDS and t.text not in ("is", "in", "or", "as", "if", "from")):
            continue
        first = i == 0 or toks[i - 1].text in (";", ":")
        for word in _spellings(t.text, first):
            if first and word in ("and", "or", "not", "in", "is", "as"):
                continue
            if not first and word not in (
                "import",
                "as",
                "in",
                "not",
                "and",
                "or",
                "is",
                "if",
                "else",
                "for",
                "lambda",
                "from",
                "await",
                "def",
                "None",
                "True",
                "False",
            ):
                continue
            cost = (0.7 if first else 0.9) + (0.15 if len(word) <= 2 else 0.0) + (0.4 if _used(code, toks, i) else 0.0)
            yield replace(t.start, t.end, word, cost, KEYWORD, f"{t.text!r} is {word!r} misspelt")
        for word in KEYWORDS:
            if (
                len(word) > 1
                and t.text.startswith(word)
                and len(t.text) > len(word)
                and t.text[len(word) :].isidentifier()
                and (first or word in ("not", "in", "and", "or", "is", "import"))
            ):
                yield insert(t.start + len(word), " ", 1.0 if len(word) > 2 else 1.15, KEYWORD, f"parts {word!r} from {t.text[len(word) :]!r}")
            if (
                len(word) > 1
                and t.text.endswith(word)
                and len(t.text) > len(word)
                and word in ("in", "import", "and", "or", "is", "if", "else", "as", "for")
            ):
                yield insert(t.end - len(word), " ", 1.1, KEYWORD, f"parts {t.text[: -len(word)]!r} from {word!r}")
        if i + 1 < len(toks) and toks[i + 1].kind == "name" and t.text + toks[i + 1].text in KEYWORDS and len(t.text + toks[i + 1].text) > 2:
            yield replace(t.end, toks[i + 1].start, "", 0.8, KEYWORD, f"joins the parts of {t.text + toks[i + 1].text!r}")
    if toks and toks[0].text == "else" and len(toks) > 1:
        yield from _else_if(code, toks)
    if toks and toks[0].text == "for" and not any(t.text == "in" for t in toks):
        yield replace(toks[0].start, toks[0].end, "if", 1.5, KEYWORD, f"line {line} tests a condition, it does not loop", review=True)
        yield replace(toks[0].start, toks[0].end, "while", 1.6, KEYWORD, f"line {line} tests a condition, it does not loop", review=True)
    if toks and toks[0].text == "elif" and len(toks) == 1 + (toks[-1].text == ":"):
        yield replace(toks[0].start, toks[-1].end, "else:", 1.4, KEYWORD, f"line {line} has no condition", review=True)


def _used(code: Code, toks: list[Token], i: int) -> bool:
    """Whether the name has a meaning of its own: called here, or used elsewhere in the file."""
    called = i + 1 < len(toks) and toks[i + 1].text == "(" and toks[i + 1].start == toks[i].end
    return called or sum(1 for t in code.sig if t.kind == "name" and t.text == toks[i].text) > 1


def _spellings(text: str, first: bool) -> list[str]:
    low = text.lower()
    if text in FOREIGN_WORDS and first:
        return FOREIGN_WORDS[text].split("|")
    if low in KEYWORDS and text != low:
        return [low]
    if len(text) < 2:
        return []
    pool = KEYWORDS if len(text) > 2 or first else {"in", "is", "or", "as", "if", "and"}
    out = [w for w in sorted(pool) if _near(low, w)]
    if not out and len(text) > 5:
        out = [w for w in sorted(pool) if len(w) > 5 and sorted(w) == sorted(low)]
    return out


def _else_if(code: Code, toks: list[Token]) -> Iterator[Move]:
    if toks[1].text == "if":
        yield replace(toks[0].start, toks[1].end, "elif", 0.7, KEYWORD, "'else if' is 'elif' in Python")
    elif toks[1].text != ":":
        yield replace(toks[0].start, toks[0].end, "elif", 0.95 if toks[-1].text == ":" else 1.4, KEYWORD, "an 'else' with a condition is 'elif'")


# -- colons ------------------------------------------------------------------------------------------------------------
def _colon(code: Code, problem: Problem, line: int) -> Iterator[Move]:
    at = code.index_at(problem.start)
    if "expected ':'" in problem.msg and at:
        yield insert(code.sig[at - 1].end, ":", 0.8, COLON, f"ends the header in line {code.sig[at - 1].line} with a colon")
    for n in dict.fromkeys((line, code.previous_code_line(line))):
        toks = code.of_line(n) if n else []
        if not toks:
            continue
        last = toks[-1]
        why = f"ends the header in line {n} with a colon"
        if toks[0].text in HEADS and last.text != ":":
            yield insert(last.end, ":", 0.7 if n == line else 0.8, COLON, why)
            if last.text in (";", ".", ",", "=", "-", ">", "{"):
                yield replace(last.start, last.end, ":", 0.9, COLON, why)
            for a, b in pairwise(toks):
                if b.kind == "name" and (b.text in _SIMPLE) and (ends_operand(a) or a.text in ("else", "try", "finally")):
                    yield insert(a.end, ":", 0.85, COLON, why)
        elif toks[0].text in ("else", "try", "finally") and len(toks) > 1 and toks[1].text != ":":
            yield insert(toks[0].end, ":", 1.0, COLON, why)
        if last.text == ":" and toks[0].text not in HEADS:
            yield from _colon_without_header(code, toks, n)


def _colon_without_header(code: Code, toks: list[Token], line: int) -> Iterator[Move]:
    follow = code.next_code_line(line)
    deeper = bool(follow) and len(code.indent(follow)) > len(code.indent(line))
    texts = [t.text for t in toks]
    at = toks[0].start
    if not deeper:
        yield replace(toks[-1].start, toks[-1].end, "", 1.0, COLON, f"removes the stray colon in line {line}")
        return
    if len(toks) >= 4 and toks[0].kind == "name" and texts[1] == "(" and texts[-2] == ")":
        yield insert(at, "def ", 1.0 if toks[0].text.startswith("test") else 1.2, KEYWORD, f"line {line} defines a function")
    if "in" in texts[1:-1]:
        yield insert(at, "for ", 1.1, KEYWORD, f"line {line} is the head of a loop")
    yield insert(at, "if ", 1.3, KEYWORD, f"line {line} is a condition", review=True)
    if "as" in texts[1:-1]:
        yield insert(at, "with ", 0.9, KEYWORD, f"line {line} is a with statement")
    if len(toks) == 2 and toks[0].text[:1].isupper():
        yield insert(at, "class ", 1.1, KEYWORD, f"line {line} defines a class")


def _header_without_colon(code: Code, line: int) -> Iterator[Move]:
    toks = code.of_line(line)
    if toks and toks[-1].text != ":" and toks[0].kind == "name":
        for word, cost in (("def ", 1.3 if len(toks) > 1 and toks[1].text == "(" else 9.0),):
            if cost < 5:
                yield Move(
                    ((toks[0].start, toks[0].start, word), (toks[-1].end, toks[-1].end, ":")), cost + 0.5, KEYWORD, f"line {line} defines a function"
                )
        if toks[0].text in HEADS:
            yield insert(toks[-1].end, ":", 0.7, COLON, f"ends the header in line {line} with a colon")


# -- = and == ----------------------------------------------------------------------------------------------------------
def _equals(code: Code, line: int, problem: Problem) -> Iterator[Move]:
    toks = code.of_line(line)
    head = toks[0].text if toks else ""
    calls: list[bool] = []
    singles = [t for t in toks if t.text == "=" and t.kind == "op"]
    conditional = head in ("if", "elif", "while", "assert", "return")
    hinted = "Maybe you meant '=='" in problem.msg or 'meant "=="' in problem.msg
    for before, t in zip([None, *toks], toks):
        if t.kind != "op":
            continue
        if t.text in OPENERS:
            calls.append(before is not None and ends_operand(before))
        elif t.text in CLOSERS and calls:
            calls.pop()
        depth = len(calls)
        if t.text == "=":
            cost = 0.7 if conditional and depth == 0 else (0.9 if hinted or (conditional and not calls[-1]) else 1.5)
            yield replace(t.start, t.end, "==", cost, OPERATOR, f"line {line} compares, it does not assign")
        elif t.text == ":=":
            walrus = 0.8 if depth == 0 and not conditional else 1.2
            yield replace(t.start, t.end, "=", walrus, TARGET, f"line {line} assigns with '='")
            yield replace(t.start, t.end, "==", 0.85 if conditional else 1.3, TARGET, f"line {line} compares", review=not conditional)
        elif t.text == "==" and not conditional and depth == 0:
            yield replace(t.start, t.end, "=", 1.3, OPERATOR, f"line {line} assigns")
    if conditional and len(singles) > 1:
        yield Move(tuple((t.start, t.end, "==") for t in singles), 0.75 * len(singles), OPERATOR, f"line {line} compares, it does not assign")
    if "cannot assign to" in problem.msg and len(singles) == 1 and not conditional and head not in HEADS:
        yield from _swap_sides(code, toks, singles[0])


def _swap_sides(code: Code, toks: list[Token], eq: Token) -> Iterator[Move]:
    left, right = code.text[toks[0].start : eq.start].rstrip(), code.text[eq.end : toks[-1].end].strip()
    if (re.fullmatch(r"[\w.]+(?:\[[^=]*\])?", right) and right[:1].isalpha()) or right[:1] == "_":
        why = f"the target of the assignment in line {eq.line} is {right}"
        yield replace(toks[0].start, toks[-1].end, f"{right} = {left}", 1.0, TARGET, why)
    if re.fullmatch(r"[1l0O]", left):
        other = {"1": "l", "0": "o"}.get(left)
        if other:
            yield replace(toks[0].start, toks[0].start + 1, other, 1.2, TARGET, f"{left!r} in line {eq.line} is the letter {other!r}", review=True)


# -- other languages --------------------------------------------------------------------------------------------------


def _foreign(code: Code, line: int) -> Iterator[Move]:
    """Operators of other languages and doubled ones."""
    toks = code.of_line(line)
    for i, t in enumerate(toks):
        if t.kind not in ("op", "junk"):
            continue
        run = t.text
        last = t
        for x in toks[i + 1 : i + 4]:
            if x.kind != "op" or x.start != last.end:
                break
            run += x.text
            last = x
            yield from _pair(code, t, last, run)
        yield from _pair(code, t, t, t.text)
        nxt = toks[i + 1] if i + 1 < len(toks) else None
        if t.text == "!" and nxt is not None:
            yield replace(t.start, t.end, "not " if nxt.start == t.end else "not", 0.8, OPERATOR, f"'!' is 'not' in Python (line {line})")
        if t.text in "+-" and nxt is not None and nxt.text == t.text and nxt.start == t.end:
            yield from _increment(toks, i)
        if t.text == "//" and i == 0:
            yield replace(t.start, t.end, "#", 0.8, OPERATOR, f"line {line} is a comment")
        if t.text == ";" and i + 1 == len(toks):
            yield replace(t.start, t.end, "", 1.3, OPERATOR, f"removes the ';' that ends line {line}")
        if t.text == ";" and nxt is not None:
            yield replace(t.start, t.end, ",", 1.2, OPERATOR, f"',' parts the items in line {line}")
        if t.text == "." and nxt is not None and nxt.kind in ("name", "num"):
            yield replace(t.start, t.end, ",", 1.5, OPERATOR, f"',' parts the items in line {line}")
        if t.text == ":" and i + 1 < len(toks):
            yield replace(t.start, t.end, ",", 1.5, OPERATOR, f"',' parts the items in line {line}")
            yield replace(t.start, t.end, "=", 1.45, OPERATOR, f"'=' gives the value in line {line}")


def _pair(code: Code, first: Token, last: Token, run: str) -> Iterator[Move]:
    if run not in _PAIRS or _PAIRS[run] == run or run in ("->",):
        return
    new = _PAIRS[run]
    if new.startswith(" "):
        before, after = code.text[first.start - 1 : first.start], code.text[last.end : last.end + 1]
        new = new.strip() if before in " \t" else " " + new.strip()
        new = new if after in (" ", "\t", "") else new + " "
    yield replace(
        first.start,
        last.end,
        new,
        0.7 if run in ("&&", "||", "<>", "===", "!==") else 0.95,
        OPERATOR,
        f"{run!r} is {new.strip()!r} in Python (line {first.line})",
    )


def _increment(toks: list[Token], i: int) -> Iterator[Move]:
    sign = toks[i].text
    if i and toks[i - 1].kind == "name" and (i + 2 >= len(toks) or toks[i + 2].text in (";",)):
        yield replace(toks[i].start, toks[i + 1].end, f" {sign}= 1", 0.8, OPERATOR, f"{sign}{sign} is {sign}= 1 in Python")


def _decimal(code: Code, line: int) -> Iterator[Move]:
    """``1st = x``: a name cannot begin with a digit; ``0777``, ``1O``: look-alikes."""
    toks = code.of_line(line)
    for a, b in pairwise(toks):
        if a.kind == "num" and b.kind == "name" and a.end == b.start and b.text not in KEYWORDS:
            name = a.text + b.text
            places = [
                x.start for x, y in zip(code.sig, code.sig[1:]) if x.kind == "num" and x.text == a.text and y.text == b.text and x.end == y.start
            ]
            fixed = "_" + name
            if fixed.isidentifier():
                yield Move(tuple((p, p, "_") for p in places), 1.0 + 0.1 * len(places), TARGET, f"the name {name!r} begins with a digit", review=True)
