"""Which string literal the product's change put in place of another one."""

from __future__ import annotations

import ast
import difflib
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Sequence
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


_WORD = re.compile(r"\w+|[^\w\s]")
_ESCAPE = re.compile(r"\\[nrt]")
#: Words of one hunk that are read; a rewritten page is no change of wording.
_MOST_WORDS = 400


def word_pairs(hunks: Iterable[Hunk]) -> list[Pair]:
    """Words (one or several in a row) that took each other's place, also inside longer strings and f-strings."""
    out: list[Pair] = []
    for h in hunks:
        a, b = (_WORD.findall(_ESCAPE.sub(" ", "\n".join(lines))) for lines in (h.removed, h.added))
        if not a or not b or max(len(a), len(b)) > _MOST_WORDS:
            continue
        for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
            old, new = a[i1:i2], b[j1:j2]
            if tag == "replace" and len(old) <= 4 and len(new) <= 4 and all(w[0].isalnum() or w[0] == "_" for w in (*old, *new)):
                out.append(Pair(" ".join(old), " ".join(new), f"{h.path}:{h.new_line}"))
    return list(dict.fromkeys(out))


def reworded(text: str, pairs: Sequence[Pair], fits: Callable[[str], bool]) -> tuple[str, Pair] | None:
    """``text`` with the words that the pairs replaced, where exactly one such text ``fits``."""
    found: dict[str, Pair] = {}
    for p in pairs:
        new = re.sub(rf"(?<!\w){re.escape(p.old)}(?!\w)", lambda _, p=p: p.new, text)  # type: ignore[misc]
        if new != text and fits(new):
            found.setdefault(new, p)
    return next(iter(found.items())) if len(found) == 1 else None
