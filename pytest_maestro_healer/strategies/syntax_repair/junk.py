"""Characters that look like code and are none: typographic quotes and dashes, no-break and zero-width blanks, BOMs, null bytes, mojibake."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from pytest_maestro_healer.strategies.syntax_repair.lexer import Code, Token
from pytest_maestro_healer.strategies.syntax_repair.moves import Change, Move
from pytest_maestro_healer.strategies.syntax_repair.oracle import Problem

NAME = "invisible_characters"

_DOUBLE = "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb"
_SINGLE = "\u2018\u2019\u201a\u201b\u2032\u00b4"
_ASCII = {
    **dict.fromkeys(_DOUBLE, '"'), **dict.fromkeys(_SINGLE, "'"),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    "\u00d7": "*", "\u2217": "*", "\u00f7": "/", "\u2215": "/", "\u2260": "!=", "\u2264": "<=", "\u2265": ">=", "\u2026": "...", "\u2192": "->",
    "\u00a6": "|", "\u2236": ":", "\u037e": ";",
}  # fmt: skip
_GONE = frozenset("\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff\u00ad\u180e\u202a\u202b\u202c\u202d\u202e\x00\x1a\x7f\x08\x1b")


def candidates(code: Code, problem: Problem) -> Iterator[Move]:
    """One move that cleans all such characters of the code; nothing where there are none."""
    if code.text.isascii() and not any(c in code.text for c in "\x00\x1a\x7f\x08\x1b"):
        return
    changes = clean(code)
    if changes:
        names = sorted({_name(code.text[s]) for s, e, _ in changes if e > s})
        yield Move(tuple(changes), 0.5 + 0.05 * min(len(changes), 8), NAME, f"writes plain characters for {', '.join(names[:4])}")


def _name(ch: str) -> str:
    return unicodedata.name(ch, f"U+{ord(ch):04X}").lower()


def clean(code: Code) -> list[Change]:
    """The changes that make the characters outside strings and comments plain."""
    out: list[Change] = []
    text = code.text
    at = 0
    for t in code.tokens:
        out += _blanks(text, at, t.start)
        at = t.end
        if t.kind == "smart":
            out += _smart(t)
        elif t.kind == "junk":
            out += _single(text, t)
        elif t.kind in ("str", "comment", "badstr") and any(c in t.text for c in "\x00\ufeff"):
            out += [(t.start + i, t.start + i + 1, "") for i, c in enumerate(t.text) if c == "\x00"]
    out += _blanks(text, at, len(text))
    return [*out, *(c for c in _mojibake(code) if not any(c[0] < o[1] and o[0] < c[1] for o in out))]


def _blanks(text: str, start: int, end: int) -> list[Change]:
    return [(i, i + 1, " ") for i in range(start, end) if text[i] not in " \t\f"]


def _single(text: str, t: Token) -> list[Change]:
    ch = t.text
    if ch in _GONE or (unicodedata.category(ch) in ("Cf", "Cc") and ch not in "\t\n\r\f"):
        return [(t.start, t.end, "")]
    if ch in _ASCII:
        return [(t.start, t.end, _ASCII[ch])]
    if unicodedata.category(ch) in ("Zs", "Zl", "Zp"):
        return [(t.start, t.end, " ")]
    plain = unicodedata.normalize("NFKC", ch)
    if plain != ch and plain.isascii() and plain.strip():
        return [(t.start, t.end, plain)]
    return []


def _smart(t: Token) -> list[Change]:
    """A string between typographic quotes: the quote that its text does not contain."""
    inner = t.text[1:-1]
    quote = '"' if t.text[0] in _DOUBLE else "'"
    if quote in inner:
        other = "'" if quote == '"' else '"'
        quote = quote if other in inner else other
    out: list[Change] = []
    for at in (t.start, t.end - 1):
        if t.text[at - t.start] != quote:
            out.append((at, at + 1, quote))
    return out


def _mojibake(code: Code) -> list[Change]:
    """UTF-8 that was read as Latin-1 and saved again: a Greek theta stands there as two letters."""
    out: list[Change] = []
    toks = [t for t in code.tokens if t.kind in ("name", "junk") and not t.text.isascii()]
    i = 0
    while i < len(toks):
        run = [toks[i]]
        while i + 1 < len(toks) and toks[i + 1].start == run[-1].end:
            i += 1
            run.append(toks[i])
        i += 1
        word = "".join(t.text for t in run)
        for codec in ("latin-1", "cp1252"):
            try:
                right = word.encode(codec).decode("utf-8")
            except (UnicodeEncodeError, UnicodeDecodeError):
                continue
            if right.isidentifier():
                out.append((run[0].start, run[-1].end, right))
            break
    return out
