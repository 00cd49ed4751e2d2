"""Candidates for clauses that lost their statement, and for statements outside of their function or loop."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_maestro_healer.strategies.syntax_repair.layout import NAME, OWNERS, block_end, levels_above, reindent, unit, width
from pytest_maestro_healer.strategies.syntax_repair.lexer import Code
from pytest_maestro_healer.strategies.syntax_repair.moves import Move, insert

SCOPE = "wrong_scope"


def clause(code: Code, line: int, word: str) -> Iterator[Move]:
    """``else`` under nothing: it goes to the indentation of a statement that may have it."""
    old = code.indent(line)
    end = block_end(code, line, width(code, line))
    single = block_end(code, line, width(code, line) + 1)
    for rank, n in enumerate(_levels_with_heads(code, line, OWNERS[word])):
        new = code.indent(n)
        if new == old:
            continue
        cost = 0.9 + 0.15 * rank
        why = f"puts {word!r} of line {line} under line {n}"
        group = _clause_group(code, line, single)
        yield Move(reindent(code, line, group, old, new), cost, NAME, why)
        if single != group:
            yield Move(reindent(code, line, single, old, new), cost + 0.05, NAME, why)
        if end not in (single, group):
            yield Move(reindent(code, line, end, old, new), cost + 0.1, NAME, why)
        at = code.offset(line)
        yield Move(((at, at + len(old), new),), cost + 0.1, NAME, why)
    yield from _indent_between(code, line, word)


def _clause_group(code: Code, line: int, single: int) -> int:
    """The last line of the clauses that follow at the same indentation."""
    last = single
    while (n := code.next_code_line(last)) and width(code, n) == width(code, line):
        toks = code.of_line(n)
        if not toks or toks[0].text not in OWNERS:
            break
        last = block_end(code, n, width(code, line) + 1)
    return last


def _levels_with_heads(code: Code, line: int, owners: tuple[str, ...]) -> list[int]:
    out: list[int] = []
    seen: set[int] = set()
    n = code.previous_code_line(line)
    while n and len(out) < 5:
        toks = code.of_line(n)
        w = width(code, n)
        if toks and toks[0].text in owners and w not in seen and n not in code.inside_string:
            out.append(n)
        seen.add(w)
        if line - n > 400:
            break
        n = code.previous_code_line(n)
    return out


def _indent_between(code: Code, line: int, word: str) -> Iterator[Move]:
    """``if``..., a line that fell out of the block, ``else``: the line goes back in."""
    n = code.previous_code_line(line)
    run = 0
    last = n
    while n and width(code, n) >= width(code, line) and line - n < 30:
        if width(code, n) == width(code, line):
            toks = code.of_line(n)
            if toks and toks[0].text in OWNERS[word]:
                if run:
                    yield Move(
                        reindent(code, run, last, code.indent(run), code.indent(n) + unit(code)),
                        1.0,
                        NAME,
                        f"indents line {run} into the block of line {n}",
                    )
                return
            run = n
        n = code.previous_code_line(n)


def missing_try(code: Code, line: int) -> Iterator[Move]:
    """The try statement above a handler is gone: it begins again, around what stands before the handler."""
    above = code.previous_code_line(line)
    if not above:
        return
    old = code.indent(line)
    if width(code, above) > width(code, line):
        first = above
        while (up := code.previous_code_line(first)) and width(code, up) >= width(code, above):
            first = up
        at = code.offset(first)
        yield insert(at, old + "try:\n", 1.2, NAME, f"begins the try block whose handler stands in line {line}", review=True)
        return
    at = code.offset(above)
    changes = ((at, at, old + "try:\n" + unit(code)),)
    yield Move(changes, 1.6, NAME, f"begins the try block whose handler stands in line {line}", review=True)


def try_without_handler(code: Code, line: int) -> Iterator[Move]:
    """The handler or what stands between stands at the wrong indentation."""
    head = next((n for n in _levels_with_heads(code, line, ("try",))), 0)
    if not head:
        return
    n = code.next_code_line(head)
    run = 0
    while n and n < line + 40:
        toks = code.of_line(n)
        if width(code, n) <= width(code, head) and toks:
            if toks[0].text in ("except", "finally") and run and width(code, n) == width(code, head):
                last = code.previous_code_line(n)
                yield Move(
                    reindent(code, run, last, code.indent(run), code.indent(head) + unit(code)), 1.0, NAME, f"indents line {run} into the try block"
                )
                return
            run = run or n
        elif toks and toks[0].text in ("except", "finally"):
            end = block_end(code, n, width(code, n))
            yield Move(reindent(code, n, end, code.indent(n), code.indent(head)), 1.0, NAME, f"puts line {n} under the try of line {head}")
            return
        n = code.next_code_line(n)


def outside(code: Code, line: int) -> Iterator[Move]:
    """``return`` outside a function: the lines after the function's block go back into it."""
    word = code.of_line(line)[0].text if code.of_line(line) else ""
    heads = ("for", "while", "async") if word in ("break", "continue") else ("def", "async")
    old = code.indent(line)
    n = code.previous_code_line(line)
    first = line
    while n and width(code, n) == len(old.expandtabs()):
        toks = code.of_line(n)
        if toks and toks[0].text in (*heads, "class", "@"):
            break
        first, n = n, code.previous_code_line(n)
    if not n:
        return
    target = code.indent(n) if width(code, n) > width(code, line) else code.indent(n) + unit(code)
    levels = [code.indent(m) for m in levels_above(code, first) if len(code.indent(m)) > len(old)]
    end = block_end(code, line, width(code, line) + 1)
    for rank, new in enumerate(dict.fromkeys([*reversed(levels), target])):
        for start in dict.fromkeys((first, line)):
            cost = 0.9 + 0.1 * rank + (0.1 if start != first else 0.0)
            yield Move(reindent(code, start, end, old, new), cost, SCOPE, f"puts line {line} back into the block above it")
