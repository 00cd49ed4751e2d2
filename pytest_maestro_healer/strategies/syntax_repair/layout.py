"""Indentation as columns and blocks: what the generators of indentation and clauses measure and shift."""

from __future__ import annotations

from pytest_maestro_healer.strategies.syntax_repair.lexer import Code
from pytest_maestro_healer.strategies.syntax_repair.moves import Change

NAME = "indentation"
#: Clause -> the statements that may have it.
OWNERS = {
    "else": ("if", "elif", "for", "while", "except", "try"),
    "elif": ("if", "elif"),
    "except": ("try", "except"),
    "finally": ("try", "except", "else"),
}


def width(code: Code, line: int) -> int:
    """The indentation of a line in columns."""
    return len(code.indent(line).expandtabs())


def reindent(code: Code, first: int, last: int, old: str, new: str) -> tuple[Change, ...]:
    """Changes that give lines ``first..last`` the indentation ``new`` where they have ``old`` (deeper lines keep what is deeper)."""
    out: list[Change] = []
    for n in range(first, last + 1):
        if not code.lines[n - 1].strip() or n in code.inside_string:
            continue
        have = code.indent(n)
        at = code.offset(n)
        if have.startswith(old):
            cut = len(old)
        else:
            cut = min(len(have), len(old))
        # only the characters that differ change: a tab or a trailing blank elsewhere stays as it was
        if new.startswith(have[:cut]):
            out.append((at + cut, at + cut, new[cut:]))
        elif have[:cut].startswith(new):
            out.append((at + len(new), at + cut, ""))
        else:
            out.append((at, at + cut, new))
    return tuple(c for c in out if c[0] != c[1] or c[2])


def unit(code: Code) -> str:
    """One level of indentation as this file has it."""
    counts: dict[str, int] = {}
    for n in range(2, len(code.lines) + 1):
        if n in code.inside_string or code.is_blank(n):
            continue
        above = code.previous_code_line(n)
        a, b = code.indent(above), code.indent(n)
        if above and b.startswith(a) and len(b) > len(a) and code.lines[above - 1].split("#")[0].rstrip().endswith(":"):
            counts[b[len(a) :]] = counts.get(b[len(a) :], 0) + 1
    return max(counts, key=lambda k: (counts[k], k == "    ")) if counts else "    "


def block_end(code: Code, line: int, at_least: int) -> int:
    """The last line of the run from ``line`` whose code is indented by ``at_least`` columns or more."""
    last = line
    for n in range(line + 1, len(code.lines) + 1):
        if code.is_blank(n) or n in code.inside_string:
            continue
        if width(code, n) < at_least:
            break
        last = n
    return last


def levels_above(code: Code, line: int) -> list[int]:
    """Lines above whose indentation is still open at ``line``, nearest first; one line per level."""
    out: list[int] = []
    low = 10**6
    n = code.previous_code_line(line)
    while n > 0:
        if n not in code.inside_string and width(code, n) < low and not code.lines[n - 1].lstrip().startswith((")", "]", "}")):
            low = width(code, n)
            out.append(n)
            if low == 0:
                break
        n = code.previous_code_line(n)
    return out
