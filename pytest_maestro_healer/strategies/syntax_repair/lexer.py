"""A tokenizer that never gives up: broken strings, stray characters and unbalanced brackets become tokens like any other."""

from __future__ import annotations

import bisect
import keyword
import re
from functools import cached_property
from typing import NamedTuple

OPENERS = {"(": ")", "[": "]", "{": "}"}
CLOSERS = {v: k for k, v in OPENERS.items()}
#: Keywords that are values.
VALUES = frozenset({"None", "True", "False"})
#: Keywords that may stand between two operands.
INFIX = frozenset({"and", "or", "not", "in", "is", "if", "else", "for", "async", "as", "from", "import"})
#: Keywords that start a statement with a body.
HEADS = frozenset({"if", "elif", "else", "for", "while", "def", "class", "with", "try", "except", "finally", "async"})
COMPARE = frozenset({"==", "!=", "<", ">", "<=", ">=", "<>"})
ASSIGN = frozenset({"=", "+=", "-=", "*=", "/=", "//=", "%=", "**=", ">>=", "<<=", "&=", "|=", "^=", "@="})
KEYWORDS = frozenset(keyword.kwlist)

LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")
_TOKEN = re.compile(
    r"""(?P<ws>[ \t\f]+)
    |(?P<nl>\r\n|\r|\n)
    |(?P<comment>\#[^\r\n]*)
    |(?P<str>(?i:[rbuf]|[bf]r|r[bf]|ur)?(?:\"\"\"(?:[^\\]|\\[\s\S])*?\"\"\"|'''(?:[^\\]|\\[\s\S])*?'''
        |(?!\"\"\"|''')(?:"(?:[^"\\\r\n]|\\(?:\r\n|[\s\S]))*"|'(?:[^'\\\r\n]|\\(?:\r\n|[\s\S]))*')))
    |(?P<badstr>(?i:[rbuf]|[bf]r|r[bf]|ur)?(?:(?:\"\"\"|''')[\s\S]*|["'][^\r\n]*))
    |(?P<smart>[\u201c\u201d\u201e\u201f][^"\u201c\u201d\u201e\u201f\r\n]*["\u201c\u201d\u201f]|[\u2018\u2019\u201a\u201b][^'\u2018\u2019\u201a\u201b\r\n]*['\u2018\u2019\u201b])
    |(?P<num>0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?[jJ]?)
    |(?P<name>[^\W\d]\w*)
    |(?P<cont>\\[ \t]*(?=\r|\n))
    |(?P<op>\*\*=|//=|>>=|<<=|\.\.\.|!=|->|:=|==|<=|>=|<>|[-+*/%&|^@]=|\*\*|//|<<|>>|&&|\|\||[-+*/%@&|^~<>=()\[\]{},:;.!?`$])
    |(?P<junk>[\s\S])""",
    re.VERBOSE,
)


class Token(NamedTuple):
    """One token: ``kind`` is name, num, str, badstr, smart, op, nl, comment, cont or junk; offsets are character offsets."""

    kind: str
    text: str
    start: int
    end: int
    line: int

    @property
    def is_kw(self) -> bool:
        """Whether it is a keyword that is no value."""
        return self.kind == "name" and self.text in KEYWORDS and self.text not in VALUES


def tokenize(text: str) -> list[Token]:
    """All tokens of ``text`` but white space."""
    out: list[Token] = []
    line = 1
    for m in _TOKEN.finditer(text):
        kind = m.lastgroup or "junk"
        if kind == "ws":
            continue
        s = m.group()
        out.append(Token(kind, s, m.start(), m.end(), line))
        if kind == "nl":
            line += 1
        elif kind in ("str", "badstr"):
            line += len(re.findall(r"\r\n|\r|\n", s))
    return out


def ends_operand(t: Token) -> bool:
    """Whether an expression can end with ``t``."""
    return t.kind in ("num", "str", "smart") or (t.kind == "name" and not t.is_kw) or (t.kind == "op" and (t.text in CLOSERS or t.text == "..."))


def starts_operand(t: Token) -> bool:
    """Whether an expression can start with ``t`` (brackets left out: they would be a call or an index)."""
    if t.kind == "name":
        return not t.is_kw or t.text in ("lambda", "await", "not")
    return t.kind in ("num", "str", "smart") or (t.kind == "op" and t.text in ("{", "~"))


def adjacent(a: Token, b: Token) -> bool:
    """Whether ``a b`` lacks something in between: both are operands, and not two strings."""
    if not (ends_operand(a) and starts_operand(b)) or (a.kind == b.kind == "str"):
        return False
    return b.text != "not"


class Code:
    """A text with its tokens and lines; ``sig`` are the tokens that mean something (no newlines, comments, continuations)."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def tokens(self) -> list[Token]:
        """Every token."""
        return tokenize(self.text)

    @cached_property
    def sig(self) -> list[Token]:
        """The tokens that mean something."""
        return [t for t in self.tokens if t.kind not in ("nl", "comment", "cont")]

    @cached_property
    def _sig_ends(self) -> list[int]:
        return [t.end for t in self.sig]

    @cached_property
    def lines(self) -> list[str]:
        """Lines with their ends."""
        return [m for m in LINE.findall(self.text) if m]

    @cached_property
    def starts(self) -> list[int]:
        """The offset of each line, and of the end."""
        out = [0]
        for line in self.lines:
            out.append(out[-1] + len(line))
        return out

    def offset(self, line: int, col: int = 0) -> int:
        """Offset of a 1-based line and 0-based character column, clipped."""
        if line < 1:
            return 0
        if line > len(self.lines):
            return len(self.text)
        return min(self.starts[line - 1] + max(col, 0), self.starts[line])

    def line_at(self, offset: int) -> int:
        """The 1-based line of an offset."""
        return max(1, min(bisect.bisect_right(self.starts, offset), len(self.lines) or 1))

    def index_at(self, offset: int) -> int:
        """Index in :attr:`sig` of the token that contains or follows ``offset``."""
        return bisect.bisect_right(self._sig_ends, offset)

    def indent(self, line: int) -> str:
        """Leading white space of a line."""
        text = self.lines[line - 1] if 1 <= line <= len(self.lines) else ""
        return text[: len(text) - len(text.lstrip(" \t\f"))]

    def is_blank(self, line: int) -> bool:
        """Whether a line has no code."""
        s = self.lines[line - 1].strip() if 1 <= line <= len(self.lines) else ""
        return not s or s.startswith("#")

    @cached_property
    def by_line(self) -> dict[int, list[int]]:
        """Line -> indices in :attr:`sig` of the tokens that start there."""
        out: dict[int, list[int]] = {}
        for i, t in enumerate(self.sig):
            out.setdefault(t.line, []).append(i)
        return out

    def of_line(self, line: int) -> list[Token]:
        """The meaningful tokens that start on a line."""
        return [self.sig[i] for i in self.by_line.get(line, ())]

    def previous_code_line(self, line: int) -> int:
        """The nearest line above with code, 0 without one."""
        line -= 1
        while line > 0 and self.is_blank(line):
            line -= 1
        return max(line, 0)

    def next_code_line(self, line: int) -> int:
        """The nearest line below with code, 0 without one."""
        line += 1
        while line <= len(self.lines) and self.is_blank(line):
            line += 1
        return line if line <= len(self.lines) else 0

    @cached_property
    def inside_string(self) -> frozenset[int]:
        """Lines whose start lies inside a string (their indentation is text)."""
        out: set[int] = set()
        for t in self.tokens:
            if t.kind in ("str", "badstr"):
                last = self.line_at(max(t.end - 1, t.start))
                out.update(range(t.line + 1, last + 1))
        return frozenset(out)

    def unclosed(self, upto: int | None = None) -> list[int]:
        """Indices of the openers still open before ``sig[upto]``; a closer closes the nearest opener of its kind on top."""
        stack: list[int] = []
        for i, t in enumerate(self.sig[:upto]):
            if t.kind != "op":
                continue
            if t.text in OPENERS:
                stack.append(i)
            elif t.text in CLOSERS and stack and self.sig[stack[-1]].text == CLOSERS[t.text]:
                stack.pop()
        return stack
