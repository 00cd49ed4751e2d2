"""Edits inside string literals: characters of the value mapped to their place in the source, whatever the quotes, escapes and pieces."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_OPENING = re.compile(r"([rRbBuUfF]{0,2})('''|\"\"\"|'|\")")
_ESCAPE = re.compile(r"\\(\r\n|[0-7]{1,3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\}|.)", re.S)


@dataclass(frozen=True)
class Splice:
    """Text to put in place of ``start:end`` (character offsets of one source)."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Token:
    """One string literal: its prefix in lower case, quotes, and the span of prefix, quotes and body."""

    prefix: str
    quote: str
    start: int
    body: int
    stop: int

    @property
    def end(self) -> int:
        """After the closing quote."""
        return self.stop + len(self.quote)


@dataclass(frozen=True)
class Char:
    """One character of the value, or a hole (an f-string's ``{...}``) whose text is not in the source."""

    text: str
    start: int
    end: int
    token: int
    hole: bool = False


class Pieces:
    """The literals of one string expression (implicitly concatenated or joined by ``+``) and the characters of its value."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self.text = text
        self.tokens = list(_tokens(text, start, end))
        self.chars = [c for i, t in enumerate(self.tokens) for c in _chars(text, t, i)]

    @property
    def holes(self) -> bool:
        """Whether a part of the value is computed."""
        return any(c.hole for c in self.chars)

    @property
    def value(self) -> str:
        """The text of the value (holes are empty)."""
        return "".join(c.text for c in self.chars)

    def filled(self, value: str) -> bool:
        """Give the holes their text from the whole ``value``; false where that is not possible in exactly one way."""
        pattern, holes = "", 0
        for c in self.chars:
            pattern += "(.*?)" if c.hole else re.escape(c.text)
            holes += c.hole
        found = re.fullmatch(pattern, value, re.S) if holes <= 40 else None
        if found is None:
            return False
        greedy = re.fullmatch(pattern.replace("(.*?)", "(.*)"), value, re.S)
        if greedy is None or greedy.groups() != found.groups():
            return False
        parts = iter(found.groups())
        self.chars = [Char(next(parts), c.start, c.end, c.token, True) if c.hole else c for c in self.chars]
        return True

    def edit(self, new: str) -> list[Splice] | None:
        """Splices that make the value ``new``; ``None`` where a computed part would have to change."""
        units = [c for c in self.chars if c.text or c.hole]
        old = "".join(c.text for c in units)
        at: list[int] = []
        for k, c in enumerate(units):
            at += [k] * len(c.text)
        out: list[Splice] = []
        for i1, i2, j1, j2 in changes(old, new):
            gone = units[at[i1] : at[i2 - 1] + 1] if i2 > i1 else []
            if any(c.hole for c in gone):
                return None
            where = self._insertion(units, at, i1, len(old)) if not gone else None
            token = gone[0].token if gone else where[1] if where else 0
            spelled = escape(new[j1:j2], self.tokens[token])
            if spelled is None:
                return None
            out += self._splices(gone, spelled) if gone else [Splice(where[0], where[0], spelled)] if where else []
        return out

    def _insertion(self, units: Sequence[Char], at: Sequence[int], i: int, size: int) -> tuple[int, int]:
        if not self.chars:
            return self.tokens[0].body, 0
        if i > 0 and not units[at[i - 1]].hole:
            before = units[at[i - 1]]
            return before.end, before.token
        if i < size and (i == 0 or at[i] != at[i - 1]):
            return units[at[i]].start, units[at[i]].token
        return units[at[i - 1]].end, units[at[i - 1]].token

    def _splices(self, gone: Sequence[Char], spelled: str) -> Iterator[Splice]:
        """A deletion that crosses literals is cut at their quotes; the new text stands in the first of them."""
        start = gone[0]
        last = start
        for c in gone[1:]:
            if c.token != start.token:
                yield Splice(start.start, last.end, spelled)
                start, spelled = c, ""
            last = c
        yield Splice(start.start, last.end, spelled)


def is_text(node: ast.AST) -> bool:
    """Whether ``node`` is a string literal, an f-string, or several joined by ``+``."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return is_text(node.left) and is_text(node.right)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def changes(old: str, new: str) -> list[tuple[int, int, int, int]]:
    """What differs: whole lines first, then words and characters inside the lines that changed."""
    if old == new:
        return []
    if "\n" in old or "\n" in new:
        a, b = old.splitlines(keepends=True), new.splitlines(keepends=True)
        starts_a, starts_b = _starts(a), _starts(b)
        out = []
        for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
            if tag == "equal":
                continue
            x, y = "".join(a[i1:i2]), "".join(b[j1:j2])
            out += [(starts_a[i1] + p, starts_a[i1] + q, starts_b[j1] + r, starts_b[j1] + s) for p, q, r, s in _inside(x, y)]
        return out
    return _inside(old, new)


def _starts(lines: Sequence[str]) -> list[int]:
    out = [0]
    for line in lines:
        out.append(out[-1] + len(line))
    return out


def _inside(x: str, y: str) -> list[tuple[int, int, int, int]]:
    if len(x) * len(y) > 4_000_000:
        return [(0, len(x), 0, len(y))]
    found = difflib.SequenceMatcher(None, x, y, autojunk=False).get_opcodes()
    return [(i1, i2, j1, j2) for tag, i1, i2, j1, j2 in found if tag != "equal"]


# -- reading -----------------------------------------------------------------------------------------------
def _tokens(text: str, start: int, end: int) -> Iterator[Token]:
    at = start
    while at < end:
        if text[at] == "#":
            at = next((k for k in range(at, end) if text[k] in "\r\n"), end)
            continue
        found = _OPENING.match(text, at, end)
        if not found:
            at += 1
            continue
        prefix, quote = found[1].lower(), found[2]
        stop = _closing(text, found.end(), end, quote, "f" in prefix)
        yield Token(prefix, quote, at, found.end(), stop)
        at = stop + len(quote)


def _closing(text: str, at: int, end: int, quote: str, formatted: bool) -> int:
    while at < end:
        if text[at] == "\\":
            at += 2
        elif formatted and text[at] == "{" and text[at : at + 2] != "{{":
            at = _hole_end(text, at, end)
        elif formatted and text[at] == "{":
            at += 2
        elif text.startswith(quote, at):
            return at
        else:
            at += 1
    return end


def _hole_end(text: str, at: int, end: int) -> int:
    """After the brace that closes the replacement field at ``at``."""
    depth = 0
    while at < end:
        found = _OPENING.match(text, at, end)
        if found and depth:
            at = _closing(text, found.end(), end, found[2], "f" in found[1].lower()) + len(found[2])
            continue
        depth += {"{": 1, "[": 1, "(": 1, "}": -1, "]": -1, ")": -1}.get(text[at], 0)
        at += 1
        if depth == 0:
            return at
    return end


def _chars(text: str, token: Token, index: int) -> Iterator[Char]:
    at, raw, formatted = token.body, "r" in token.prefix, "f" in token.prefix
    while at < token.stop:
        here = text[at]
        stop = at + 1
        value = here
        if formatted and here in "{}":
            if text.startswith(here * 2, at):
                stop = at + 2
            else:
                stop = _hole_end(text, at, token.stop)
                yield Char("", at, stop, index, hole=True)
                at = stop
                continue
        elif here == "\\" and not raw and (found := _ESCAPE.match(text, at)):
            stop = found.end()
            value = _decoded(found[0])
        elif text.startswith("\r\n", at):
            stop, value = at + 2, "\n"
        elif here == "\r":
            value = "\n"
        yield Char(value, at, stop, index)
        at = stop


def _decoded(escape_: str) -> str:
    if escape_[1:] in ("\n", "\r\n", "\r"):
        return ""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return str(ast.literal_eval(f'"{escape_}"' if escape_ != '\\"' else "'\"'"))


# -- writing -----------------------------------------------------------------------------------------------
def escape(value: str, token: Token) -> str | None:
    """``value`` as it is written inside ``token``'s quotes; ``None`` where a raw literal cannot hold it."""
    triple = len(token.quote) == 3
    if "r" in token.prefix:
        bad = (
            token.quote[0] in value
            or (not triple and "\n" in value)
            or value.endswith("\\")
            or not (value.isprintable() or (triple and _printable(value)))
        )
        return None if bad else _braced(value, token)
    out = []
    for c in value:
        if c == "\\":
            out.append("\\\\")
        elif c == token.quote[0]:
            out.append(c if triple and value != c and not value.endswith(c) and c * 2 not in value else "\\" + c)
        elif c == "\n":
            out.append("\n" if triple else "\\n")
        elif c.isprintable():
            out.append(c)
        else:
            out.append(c.encode("unicode_escape").decode("ascii"))
    return _braced("".join(out), token)


def _printable(value: str) -> bool:
    return all(c.isprintable() or c == "\n" for c in value)


def _braced(text: str, token: Token) -> str:
    return text.replace("{", "{{").replace("}", "}}") if "f" in token.prefix else text


def quoted(value: str, quote: str = '"') -> str:
    """A literal for ``value`` in the preferred quotes, in the other ones where that saves escapes."""
    if quote in value and ("'" if quote == '"' else '"') not in value:
        quote = "'" if quote == '"' else '"'
    body = escape(value, Token("", quote, 0, 0, 0))
    return f"{quote}{body}{quote}"


def formatted(value: str, told: Mapping[str, str], quote: str = '"') -> str:
    """An f-string for ``value``, in which every key of ``told`` stands by its name."""
    cut = re.split("(" + "|".join(re.escape(k) for k in told) + ")", value)
    token = Token("f", quote, 0, 0, 0)
    body = "".join(f"{{{told[part]}}}" if i % 2 else escape(part, token) or "" for i, part in enumerate(cut))
    return f"f{quote}{body}{quote}"
