"""Candidates for strings that do not end, do not begin, or end with another quote; and for braces in f-strings."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator
from itertools import pairwise

from pytest_maestro_healer.strategies.syntax_repair.lexer import CLOSERS, KEYWORDS, OPENERS, Code, Token
from pytest_maestro_healer.strategies.syntax_repair.moves import Move, insert, replace
from pytest_maestro_healer.strategies.syntax_repair.oracle import Problem

NAME = "strings"
FNAME = "fstring_braces"
_CODE_LINE = re.compile(
    r"\s*(?:@\w|(?:async\s+)?def\s+\w+\(|class\s+\w+.*:\s*$|assert\s+\S|import\s+\w+\s*$|from\s+\S+\s+import\s|return\b"
    r"|with\s.*:\s*$|for\s.*\sin\s.*:\s*$|if\s.*:\s*$|[\w.]+\s*=\s*\S|[\w.]+\(.*\)\s*$)"
)
_CODE_AGAIN = re.compile(r"\s*[)\]},:]|\.\w+\(|\s+(?:==|!=|in|is|and|or|if|else|for|%|\+)\s|\s*#|\s*[%+]\s*[\w(]")
_PREFIX = re.compile(r"[A-Za-z]{0,2}")


def candidates(code: Code, problem: Problem) -> Iterator[Move]:
    """Moves for strings near the problem."""
    bad = [t for t in code.tokens if t.kind == "badstr"]
    for t in bad:
        body = t.text[len(_prefix(t.text)) :]
        if body[:3] in ('"""', "'''"):
            yield from _triple(code, t, body[:3])
        elif abs(t.line - problem.line) <= 1:
            yield from _single(code, t, body[:1])
    if any(t.text.lstrip("rRbBuUfF")[:3] in ('"""', "'''") for t in bad):
        yield from _swallowing(code)
    yield from _extra_quote(code, problem)
    if "f-string" in problem.msg or "'{' was never closed" in problem.msg or "'}'" in problem.msg or _lopsided(code, problem.line):
        yield from _braces(code, problem)


def _lopsided(code: Code, line: int) -> bool:
    """Whether an f-string of the line has more braces of one kind: from 3.12 on, the string may seem to end elsewhere."""
    return any(t.kind == "str" and "f" in _prefix(t.text).lower() and t.text.count("{") != t.text.count("}") for t in code.of_line(line))


def _prefix(text: str) -> str:
    m = _PREFIX.match(text)
    return m.group() if m else ""


# -- one line ----------------------------------------------------------------------------------------------------------
def _single(code: Code, t: Token, quote: str) -> Iterator[Move]:
    start = t.start + len(_prefix(t.text)) + 1
    rest = code.text[start : t.end]
    stripped = rest.rstrip()
    why = f"ends the string of line {t.line}"
    known = {x.text for x in code.sig if x.kind == "name" and x.line != t.line}
    for pos, cost in _end_places(code, t, stripped, known):
        yield insert(start + pos, quote, cost, NAME, why)
    if stripped.endswith("\\") and not stripped.endswith("\\\\"):
        yield insert(start + len(stripped), quote, 1.05, NAME, why)
    other = '"' if quote == "'" else "'"
    at = rest.find(other)
    while at >= 0:
        tail = rest[at + 1 :]
        if _balances(code, t, tail):
            yield replace(start + at, start + at + 1, quote, 0.95, NAME, f"ends the string of line {t.line} with the quote that it began with")
            yield replace(start - 1, start, other, 0.97, NAME, f"begins the string of line {t.line} with the quote that it ends with")
        at = rest.find(other, at + 1)
    for m in re.finditer(r"\\" + quote, rest):
        if _balances(code, t, rest[m.end() :]):
            yield insert(start + m.start(), "\\", 1.0, NAME, f"escapes the backslash before the closing quote in line {t.line}")
    yield from _earlier(code, t, quote)
    yield from _begin_places(code, t, quote)
    closing = 1.3 if _balances(code, t, stripped) else 1.8
    yield replace(start - 1, start, "", closing, NAME, f"removes the stray quote in line {t.line}")


def _earlier(code: Code, t: Token, quote: str) -> Iterator[Move]:
    """An earlier string of the line lacks its end, and the quotes after it are inside out: only where all then fits."""
    end = t.end
    for x in code.of_line(t.line):
        if x.start >= t.start or x.kind != "str" or x.text[-1] != quote:
            continue
        start = x.start + len(_prefix(x.text)) + 1
        rest = code.text[start:end].rstrip()
        other = '"' if quote == "'" else "'"
        at = rest.find(other, 0, x.end - start)
        if at >= 0 and _balances(code, x, rest[at + 1 :]):
            yield replace(start + at, start + at + 1, quote, 0.8, NAME, f"ends the string of line {t.line} with the quote that it began with")
        for m in re.finditer(r"(?=[)\]},:]|\.\w+\(|\s+(?:==|!=|in|is|and|or|if|else|for|%|\+)\s|\s*$)", rest[: x.end - start]):
            if _balances(code, x, rest[m.start() :]):
                cost = 0.85 if m.start() else 1.15
                yield insert(start + m.start(), quote, cost + 0.03 * rest[: m.start()].count(" "), NAME, f"ends the string of line {t.line}")


def _stack_before(code: Code, t: Token, earlier: bool = False) -> list[str]:
    """The brackets open before ``t``; with ``earlier`` only those of earlier lines."""
    found = [code.sig[i] for i in code.unclosed(code.index_at(t.start)) if t.line - code.sig[i].line < 40]
    return [x.text for x in found if not earlier or x.line < t.line]


def _balances(code: Code, t: Token, tail: str) -> bool:
    """Whether the brackets of ``tail`` close those open before ``t``, and nothing else is wrong with it."""
    stack = _stack_before(code, t)
    outer = len(_stack_before(code, t, earlier=True))
    toks = Code(tail).sig
    for x in toks:
        if x.kind in ("badstr", "junk"):
            return False
        if x.kind == "op" and x.text in OPENERS:
            stack.append(x.text)
        elif x.kind == "op" and x.text in CLOSERS and (not stack or stack.pop() != CLOSERS[x.text]):
            return False
    last = toks[-1].text if toks else ""
    return not stack or len(stack) <= outer or (last in (",", *OPENERS) and not tail.startswith(":"))


def _end_places(code: Code, t: Token, rest: str, known: set[str]) -> Iterator[tuple[int, float]]:
    """(offset in ``rest``, cost) where the quote may go: before what looks like code again."""
    ends = {len(rest)} | {m.start() for m in _CODE_AGAIN.finditer(rest)}
    for pos in sorted(ends):
        tail = rest[pos:]
        balanced = _balances(code, t, tail)
        toks = Code(tail).sig
        words = [
            x.text
            for i, x in enumerate(toks)
            if x.kind == "name" and x.text not in KEYWORDS and not (i and toks[i - 1].text == ".") and not hasattr(builtins, x.text)
        ]
        cost = 1.0 if balanced else 1.6
        if tail.startswith("."):
            cost -= 0.1
        elif re.match(r"\s*(?:==|!=)\s", tail):
            cost -= 0.05
        elif re.match(r"\s+(?:in|is|and|or|if|else|for)\s", tail):
            cost += 0.25
        if words:
            cost += 0.0 if all(w in known for w in words) else 0.2
        elif tail and balanced:
            cost += 0.02
        if re.match(r"\s+#", tail) or not tail:
            cost += 0.05
        if pos == 0 and not tail.startswith("."):
            cost += 0.5
        yield pos, cost


def _begin_places(code: Code, t: Token, quote: str) -> Iterator[Move]:
    """The quote found closes a string whose beginning is missing: ``print(Sum: ", x)``."""
    for x in reversed(code.of_line(t.line)):
        if x.start >= t.start:
            continue
        before = code.text[code.offset(t.line) : x.start].rstrip()
        if not before or before[-1:] in "([{,=:+%" or before.endswith((" in", "return", "assert", "==")) or before[-1:] == " ":
            yield insert(x.start, quote, 1.05 if before[-1:] in "([{,=" else 1.3, NAME, f"begins the string of line {t.line}")


# -- many lines --------------------------------------------------------------------------------------------------------
def _triple(code: Code, t: Token, quotes: str) -> Iterator[Move]:
    yield from _triple_ends(code, t, quotes, t.text, base=1.0)


def _swallowing(code: Code) -> Iterator[Move]:
    """A triple-quoted string that swallowed code: it should have ended earlier, and all later ones are inside out."""
    for t in code.tokens:
        if t.kind != "str":
            continue
        body = t.text[len(_prefix(t.text)) :]
        if body[:3] in ('"""', "'''") and any(_CODE_LINE.match(line) for line in body.split("\n")[1:-1]):
            yield from _triple_ends(code, t, body[:3], t.text, base=0.9)
            return


def _triple_ends(code: Code, t: Token, quotes: str, text: str, base: float) -> Iterator[Move]:
    first = code.offset(t.line)
    indent = len(code.indent(t.line).expandtabs())
    begins = code.text[first : t.start].strip() == ""
    why = f"ends the triple-quoted string of line {t.line}"
    skip = t.start + len(_prefix(text)) + 3
    found = 0
    last = code.line_at(t.end)
    for line in range(t.line, min(last, t.line + 400) + 1):
        raw = code.lines[line - 1] if line <= len(code.lines) else ""
        body = raw.rstrip("\r\n")
        if line > t.line and re.fullmatch(r"\s*(?:\"\"?|''?)\s*", body):
            at = code.offset(line) + len(body.rstrip())
            yield replace(at - len(body.strip()), at, quotes, base - 0.1, NAME, why)
        if line == t.line and len(body.rstrip()) > 3:
            odd = re.search(r"(?<![\"'])([\"']{1,2})\s*$", body)
            if odd and odd.group(1)[0] == quotes[0] and code.offset(line) + odd.start(1) >= skip:
                at = code.offset(line) + odd.start(1)
                yield replace(at, at + len(odd.group(1)), quotes, base - 0.15, NAME, why)
        nxt = code.lines[line] if line < len(code.lines) else ""
        if line > t.line and body and not body.strip():
            yield insert(code.offset(line) + len(body), quotes, base - 0.1 + 0.05 * found, NAME, why)
        depth = len(nxt) - len(nxt.lstrip())
        codelike = not nxt.strip() or bool(_CODE_LINE.match(nxt)) or (begins and depth < indent)
        end = code.offset(line) + len(body.rstrip())
        if end < skip or not codelike:
            continue
        cost = base + (0.3 if not nxt.strip() and line > t.line else 0.0) + 0.05 * min(found, 10)
        cost += 0.0 if _CODE_LINE.match(nxt) or not nxt.strip() else 0.1
        if begins and line > t.line and body.strip():
            yield insert(end, "\n" + code.indent(t.line) + quotes, cost, NAME, why)
        elif body.strip():
            yield insert(end, quotes, cost, NAME, why)
        found += 1
        if found > 12:
            return


def _extra_quote(code: Code, problem: Problem) -> Iterator[Move]:
    """``"it"s"``, ``""x"``: a quote too many or one that wants escaping."""
    toks = code.of_line(problem.line)
    for a, b in pairwise(toks):
        if a.kind == "str" and b.kind in ("name", "badstr", "num", "str") and a.end == b.start and a.text[-1] not in "\n":
            quote = a.text[-1]
            if len(a.text) > 2 and a.text[-3:] != quote * 3:
                yield insert(a.end - 1, "\\", 1.05, NAME, f"escapes the quote inside the string of line {a.line}")
            if a.text in ("''", '""') and b.kind == "name":
                yield replace(a.start, a.start + 1, "", 1.1, NAME, f"removes the extra quote in line {a.line}")


# -- f-strings ---------------------------------------------------------------------------------------------------------
def _braces(code: Code, problem: Problem) -> Iterator[Move]:
    near = [
        t for t in code.tokens if t.kind in ("str", "badstr") and "f" in _prefix(t.text).lower() and t.line <= problem.line <= code.line_at(t.end)
    ]
    for t in near or [t for t in code.tokens if t.kind == "str" and "f" in _prefix(t.text).lower()][:20]:
        yield from _brace_moves(t)
        yield from _inner_quotes(code, t)


def _brace_moves(t: Token) -> Iterator[Move]:
    lead = len(_prefix(t.text)) + 1
    body = t.text
    opens = [m.start() for m in re.finditer(r"(?<!\{)\{(?!\{)", body)]
    closes = [m.start() for m in re.finditer(r"(?<!\})\}(?!\})", body)]
    for o in opens:
        m = re.compile(r"\{\s*[\w.]+(?:\([^(){}\"']*\)|\[[^\[\]{}]*\])?").match(body, o)
        if m and body[m.end() : m.end() + 1] != "}":
            yield insert(t.start + m.end(), "}", 0.9, FNAME, f"closes the brace of the f-string in line {t.line}")
            spec = re.compile(r"(?:![rsa])?(?::[^{}\"'\s]*)?").match(body, m.end())
            if spec and spec.end() > m.end():
                yield insert(t.start + spec.end(), "}", 0.85, FNAME, f"closes the brace of the f-string in line {t.line}")
        if body[o : o + 2] == "{}":
            yield replace(t.start + o, t.start + o + 2, "{{}}", 1.0, FNAME, f"doubles the literal braces of the f-string in line {t.line}")
        end = len(body) - 1 if t.kind == "str" else len(body)
        if not any(c > o for c in closes):
            yield insert(t.start + end, "}", 1.0, FNAME, f"closes the brace of the f-string in line {t.line}")
        yield insert(t.start + o, "{", 1.2, FNAME, f"doubles the literal brace of the f-string in line {t.line}")
    for c in closes:
        m = re.compile(r"[\w.\[\]()]+$").search(body, lead, c)
        before = max((o for o in opens if o < c), default=-1)
        used = [x for x in closes if x < c]
        if before == -1 or (used and before < used[-1]):
            if m:
                yield insert(t.start + m.start(), "{", 0.95, FNAME, f"opens the brace of the f-string in line {t.line}")
            yield insert(t.start + c, "}", 1.15, FNAME, f"doubles the literal brace of the f-string in line {t.line}")
            yield replace(t.start + c, t.start + c + 1, "", 1.2, FNAME, f"removes the stray brace of the f-string in line {t.line}")


def _inner_quotes(code: Code, t: Token) -> Iterator[Move]:
    """``f'{d['a']}'`` is an error before 3.12: the inner quotes take the other kind."""
    quote = t.text[len(_prefix(t.text)) :][:1]
    other = '"' if quote == "'" else "'"
    line_end = code.offset(t.line) + len(code.lines[t.line - 1].rstrip("\r\n"))
    rest = code.text[t.start : line_end]
    changes = []
    for m in re.finditer(r"\{[^{}\r\n]*\}", rest):
        changes += [(t.start + m.start() + i, t.start + m.start() + i + 1, other) for i, ch in enumerate(m.group()) if ch == quote]
    if changes and len(changes) % 2 == 0:
        yield Move(tuple(changes), 0.9 + 0.05 * len(changes), FNAME, f"uses the other quote inside the f-string of line {t.line}")
