"""Which string literal the product's change put in place of another one."""

from __future__ import annotations

import ast
import difflib
import io
import tokenize
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_maestro_healer.evidence.git import Hunk


@dataclass(frozen=True)
class Pair:
    """``old`` became ``new`` at ``where`` (``path:line``)."""

    old: str
    new: str
    where: str


def string_pairs(hunks: Iterable[Hunk]) -> list[Pair]:
    """Strings that took each other's place while everything around them stayed."""
    out: list[Pair] = []
    for h in hunks:
        if not h.removed or not h.added:
            continue
        a, b = _tokens(h.removed), _tokens(h.added)
        for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
            if tag != "replace" or i2 - i1 != j2 - j1:
                continue
            for x, y in zip(a[i1:i2], b[j1:j2], strict=True):
                old, new = _string(x), _string(y)
                if old is not None and new is not None and old != new:
                    out.append(Pair(old, new, f"{h.path}:{h.new_line}"))
    return out


def _tokens(lines: Sequence[str]) -> list[str]:
    out: list[str] = []
    try:
        for t in tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline):
            if t.type not in (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER, tokenize.COMMENT):
                out.append(t.string)
    except (tokenize.TokenError, SyntaxError):  # a hunk may begin or end inside a bracket or string: what was read so far counts
        pass
    return out


def _string(token: str) -> str | None:
    if token[:1] not in "'\"" and not (len(token) > 1 and token[0] in "rRuU" and token[1] in "'\""):
        return None
    try:
        value = ast.literal_eval(token)
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, str) else None


def strings_in(tree: ast.AST | None) -> set[str]:
    """All string constants of a tree."""
    return {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)} if tree is not None else set()
