"""The last resort: one token put in, taken out or exchanged where the parser stumbled. Names, numbers and strings are never deleted."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_maestro_healer.strategies.syntax_repair.lexer import ASSIGN, CLOSERS, COMPARE, OPENERS, Code, Token, ends_operand
from pytest_maestro_healer.strategies.syntax_repair.moves import Move, insert, replace
from pytest_maestro_healer.strategies.syntax_repair.oracle import Problem

OPERATOR = "operators"
TRUNCATED = "truncated"
QUOTES = "strings"
BRACKET = "brackets"

_INSERTS = (
    (",", 1.5), (")", 1.5), ("(", 1.8), (":", 1.6), ("=", 1.8), ("==", 1.9), ("]", 1.6), ("[", 1.9), ("}", 1.7), ("{", 2.0), (".", 1.8), ("+", 1.7),
    (" and ", 1.8), (" in ", 1.8), ("\n", 1.8),
)  # fmt: skip
_BINARY = frozenset({"+", "-", "*", "/", "//", "%", "**", "@", "&", "|", "^", "<<", ">>", "and", "or", "not", "is", "in", "."}) | COMPARE


def candidates(code: Code, problem: Problem) -> Iterator[Move]:
    """Moves around the token at which the parser stumbled."""
    sig = code.sig
    if not sig:
        return
    at = code.index_at(problem.start)
    around = [i for i in (at - 1, at, at + 1) if 0 <= i < len(sig)]
    for i in around:
        yield from _insertions(code, i, problem)
    for i in sorted({*around, at - 2} & set(range(len(sig)))):
        yield from _deletions(code, i)
        yield from _replacements(code, i)
        yield from _quoted(code, i)
    yield from _missing_operand(code, at, problem)
    yield from _quoted_run(code, min(problem.line, len(code.lines)))
    yield from _continuation(code, problem)


def _insertions(code: Code, i: int, problem: Problem) -> Iterator[Move]:
    t = code.sig[i]
    for text, cost in _INSERTS:
        shown = "a line break" if text == "\n" else repr(text.strip())
        if text == "\n":
            if not code.unclosed(i) and i and code.sig[i - 1].line == t.line and t.kind == "name":
                yield insert(t.start, "\n" + code.indent(t.line), cost, OPERATOR, f"starts a new line in line {t.line}")
            continue
        yield insert(
            t.start, text, cost, BRACKET if text in "()[]{}" else OPERATOR, f"adds {shown} before {t.text[:20]!r} in line {t.line}", review=True
        )


def _deletions(code: Code, i: int) -> Iterator[Move]:
    """Stray punctuation; a doubled one is likelier."""
    t = code.sig[i]
    if t.kind == "junk":
        yield replace(t.start, t.end, "", 1.0, OPERATOR, f"removes the stray {t.text!r} in line {t.line}")
        return
    if t.kind == "name":
        twin = i + 1 < len(code.sig) and code.sig[i + 1].text == t.text and t.is_kw
        if twin:
            yield replace(t.start, code.sig[i + 1].start, "", 0.9, OPERATOR, f"removes the repeated {t.text!r} in line {t.line}")
        return
    if t.kind != "op" or t.text == "...":
        return
    twin = (i > 0 and code.sig[i - 1].text == t.text) or (i + 1 < len(code.sig) and code.sig[i + 1].text == t.text)
    prev, nxt = code.sig[i - 1] if i else None, code.sig[i + 1] if i + 1 < len(code.sig) else None
    pair = (prev is not None and prev.kind == "op" and prev.text not in CLOSERS) or (nxt is not None and nxt.kind == "op" and nxt.text not in OPENERS)
    cost = 1.0 if twin else (1.5 if pair or t.text in (".", ":", ",") else 1.75)
    yield replace(
        t.start,
        t.end,
        "",
        cost,
        BRACKET if t.text in OPENERS or t.text in CLOSERS else OPERATOR,
        f"removes the stray {t.text!r} in line {t.line}",
        review=not twin,
    )


def _replacements(code: Code, i: int) -> Iterator[Move]:
    t = code.sig[i]
    if t.kind != "op" or t.text in OPENERS:
        return
    if t.text in CLOSERS:
        options: tuple[str, ...] = tuple(c for c in CLOSERS if c != t.text)
    elif t.text in (",", ";", ":", "."):
        options = tuple(o for o in (",", ":", ".", "=", "+") if o != t.text)
    elif t.text in ASSIGN:
        options = ("==", ",", "-", "+", ":", ">", "<")
    else:
        options = ("==", "+", ",", "=")
    for new in options:
        yield replace(
            t.start, t.end, new, 1.8, BRACKET if t.text in CLOSERS else OPERATOR, f"writes {new!r} for {t.text!r} in line {t.line}", review=True
        )


def _quoted(code: Code, i: int) -> Iterator[Move]:
    """An operator where a value should stand: ``print(*, end="")``."""
    t = code.sig[i]
    if t.kind == "op" and t.text not in OPENERS and t.text not in CLOSERS and t.text not in (",", ":", "=", "."):
        yield replace(t.start, t.end, f"'{t.text}'", 1.8, QUOTES, f"puts {t.text!r} in line {t.line} into quotes", review=True)


def _quoted_run(code: Code, line: int) -> Iterator[Move]:
    """``input(Hi you)``: words side by side inside brackets were meant as text."""
    toks = code.of_line(line)
    for i, t in enumerate(toks):
        if t.text != "(" or i + 2 >= len(toks):
            continue
        j = i + 1
        words = 0
        while j < len(toks) and toks[j].text not in (")", ",", "(") and toks[j].kind not in ("str", "badstr"):
            words += toks[j].kind == "name"
            j += 1
        if words >= 2 and j < len(toks) and toks[j].text in (")", ","):
            yield Move(
                ((toks[i + 1].start, toks[i + 1].start, '"'), (toks[j - 1].end, toks[j - 1].end, '"')),
                1.9,
                QUOTES,
                f"puts the words of line {line} into quotes",
                review=True,
            )


def _missing_operand(code: Code, at: int, problem: Problem) -> Iterator[Move]:
    """``x =`` and then nothing: the statement was cut off."""
    for i in (at - 1, at - 2, at):
        if not 0 <= i < len(code.sig):
            continue
        t = code.sig[i]
        nxt: Token | None = code.sig[i + 1] if i + 1 < len(code.sig) else None
        cut = nxt is None or nxt.line > t.line or nxt.text in CLOSERS or nxt.text in (",", ":")
        if cut and (t.text in ASSIGN or t.text in _BINARY or t.text in ("if", "while", "elif", "return", "assert", "in")):
            for value, cost in (("None", 1.9), ("0", 2.0)):
                yield insert(t.end, " " + value, cost, TRUNCATED, f"completes the statement of line {t.line}", review=True)
            if t.text not in ASSIGN and t.kind == "op":
                yield replace(t.start, t.end, "", 1.7, OPERATOR, f"removes the {t.text!r} that nothing follows in line {t.line}", review=True)
        if t.text == "[" and nxt is not None and nxt.text == "]" and i and ends_operand(code.sig[i - 1]):
            first = code.by_line[t.line][0] == i - 1
            yield insert(t.start, "=", 1.2 if first else 1.9, OPERATOR, f"assigns in line {t.line}")
            yield insert(t.end, "0", 1.8, TRUNCATED, f"completes the index in line {t.line}", review=True)
        if t.text == "[" and nxt is not None and nxt.text == "for":
            after = code.sig[i + 2] if i + 2 < len(code.sig) else None
            if after is not None and after.kind == "name":
                yield insert(t.end, after.text + " ", 1.3, OPERATOR, f"gives the comprehension of line {t.line} its element", review=True)


def _continuation(code: Code, problem: Problem) -> Iterator[Move]:
    """A backslash that continues nothing: trailing blanks, or an escape that stands outside its string."""
    if "line continuation" not in problem.msg:
        return
    text = code.text
    at = text.rfind("\\", 0, min(len(text), problem.start + 1))
    at = text.find("\\", max(code.offset(problem.line), 0)) if at < code.offset(problem.line) else at
    if at < 0:
        return
    if text[at + 1 : at + 2] in ("n", "t", "r"):
        yield replace(
            at, at + 2, f"'{text[at : at + 2]}'", 1.2, QUOTES, f"puts {text[at : at + 2]!r} in line {problem.line} into quotes", review=True
        )
        yield replace(at, at + 2, "", 1.7, OPERATOR, f"removes the stray {text[at : at + 2]!r} in line {problem.line}", review=True)
    end = code.offset(problem.line) + len(code.lines[problem.line - 1].rstrip("\r\n"))
    if text[at + 1 : end].strip().startswith("#"):
        yield replace(at, at + 1, "", 1.0, OPERATOR, f"removes the backslash before the comment in line {problem.line}")
    elif not text[at + 1 : end].strip():
        yield replace(at + 1, end, "", 0.8, "invisible_characters", f"removes the blanks after the backslash in line {problem.line}")
    else:
        yield replace(at, at + 1, "", 1.3, OPERATOR, f"removes the stray backslash in line {problem.line}")
        yield insert(at + 1, "\n", 1.4, OPERATOR, f"breaks line {problem.line} after the backslash")
        yield replace(at, at + 1, "/", 1.5, OPERATOR, f"divides in line {problem.line}", review=True)
