"""Candidates for wrong indentation, empty bodies and clauses that lost their statement."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_maestro_healer.strategies.syntax_repair.gen_clauses import clause, missing_try, outside, try_without_handler
from pytest_maestro_healer.strategies.syntax_repair.layout import NAME, OWNERS, block_end, levels_above, reindent, unit, width
from pytest_maestro_healer.strategies.syntax_repair.lexer import HEADS, Code
from pytest_maestro_healer.strategies.syntax_repair.moves import Change, Move, insert
from pytest_maestro_healer.strategies.syntax_repair.oracle import Problem

BODY = "empty_body"
_OUTSIDE = re.compile(r"'(return|yield|await|break|continue)' (?:outside|not properly)|'yield from' outside")


def candidates(code: Code, problem: Problem) -> Iterator[Move]:
    """Moves for a problem that indentation may explain."""
    line = min(problem.line, len(code.lines))
    msg = problem.msg
    if problem.kind == "TabError" or "inconsistent" in msg:
        yield from _tabs(code, line)
    if "expected an indented block" in msg:
        yield from _missing_block(code, line, msg)
    elif "unexpected indent" in msg:
        yield from _unexpected(code, line)
    elif "unindent" in msg:
        yield from _mismatch(code, line)
    toks = code.of_line(line)
    if toks and toks[0].text in OWNERS and toks[0].kind == "name":
        yield from clause(code, line, toks[0].text)
        if toks[0].text in ("except", "finally"):
            yield from missing_try(code, line)
    if "expected 'except' or 'finally' block" in msg:
        yield from try_without_handler(code, line)
    if _OUTSIDE.search(msg) and "await" not in msg:
        yield from outside(code, line)


# -- the block is missing ----------------------------------------------------------------------------------------------
def _missing_block(code: Code, line: int, msg: str) -> Iterator[Move]:
    m = re.search(r"on line (\d+)", msg)
    head = int(m[1]) if m else code.previous_code_line(line)
    body = code.next_code_line(head)
    if head < 1:
        return
    empty = 1.0
    if body and body <= len(code.lines):
        first = code.of_line(body)
        word = first[0].text if first else ""
        same = width(code, body) == width(code, head)
        if width(code, body) <= width(code, head) and word not in OWNERS:
            definition = word in ("def", "class", "@", "async")
            cost = 0.9 if not definition else 1.3
            empty = 1.5 if same and not definition else 0.9
            yield from _indent_run(code, head, body, cost)
        elif word in OWNERS and same:
            empty = 0.9
    at = code.offset(head) + len(code.lines[head - 1].rstrip("\r\n"))
    tail = code.of_line(head)
    colon = tail[-1].end if tail else at
    filler = "pass"
    text = "\n" + code.indent(head) + unit(code) + filler
    yield insert(max(at, colon), text, empty, BODY, f"gives line {head} an empty body")


def _indent_run(code: Code, head: int, body: int, cost: float) -> Iterator[Move]:
    """Indent 1, 2, ... following lines; the run to the next gap or clause is the likeliest."""
    old, new = code.indent(body), code.indent(head) + unit(code)
    ends = _run_ends(code, head, body)
    def_like = code.of_line(head)[0].text in ("def", "class", "async") if code.of_line(head) else False
    for rank, end in enumerate(ends):
        extra = (0.0 if end == ends[-1] else 0.1 + 0.02 * (len(ends) - rank)) if def_like else 0.05 * min(rank, 8)
        yield Move(reindent(code, body, end, old, new), cost + extra, NAME, f"indents the body of line {head}")


def _run_ends(code: Code, head: int, body: int) -> list[int]:
    ends: list[int] = []
    base = width(code, body)
    n = body
    while n and len(ends) < 12:
        toks = code.of_line(n)
        word = toks[0].text if toks else ""
        if n != body and (
            width(code, n) < base
            or (word in ("def", "class", "@", "async") and width(code, n) <= base)
            or (word in OWNERS and width(code, n) <= width(code, head))
        ):
            break
        stop = block_end(code, n, base + 1) if toks and toks[-1].text == ":" else n
        follow = code.next_code_line(stop)
        if (
            follow
            and code.of_line(follow)
            and code.of_line(follow)[0].text in OWNERS
            and width(code, follow) == base
            and toks
            and toks[0].text in HEADS
        ):
            n = follow
            continue
        ends.append(stop)
        if follow and follow - stop > 1 and len(ends) > 0 and head and follow - stop > 2:
            break
        n = follow
    return ends or [body]


# -- too deep, not deep enough -----------------------------------------------------------------------------------------
def _unexpected(code: Code, line: int) -> Iterator[Move]:
    old = code.indent(line)
    above = code.previous_code_line(line)
    targets: list[str] = []
    if above:
        targets += [code.indent(n) for n in levels_above(code, line)]
    if "" not in targets:
        targets.append("")
    end = block_end(code, line, width(code, line))
    whole = block_end(code, line, min(width(code, line), 1) or 1)
    for rank, new in enumerate(dict.fromkeys(targets)):
        cost = 0.9 + 0.2 * rank
        yield Move(reindent(code, line, end, old, new), cost, NAME, f"puts line {line} at the indentation of its block")
        single = block_end(code, line, width(code, line) + 1)
        if single != end:
            yield Move(reindent(code, line, single, old, new), cost + 0.1, NAME, f"puts line {line} at the indentation of its block")
        if whole != end and len(new) < len(old):
            shift = len(old) - len(new)
            yield Move(_dedent_all(code, line, whole, shift), cost + 0.15, NAME, f"puts lines {line}-{whole} at the indentation of their block")
    if above and width(code, above) < width(code, line):
        yield from _indent_above(code, above, line)


def _dedent_all(code: Code, first: int, last: int, shift: int) -> tuple[Change, ...]:
    out: list[Change] = []
    for n in range(first, last + 1):
        if code.is_blank(n) or n in code.inside_string:
            continue
        have = code.indent(n)
        at = code.offset(n) + max(0, len(have) - shift)
        out.append((at, code.offset(n) + len(have), ""))
    return tuple(out)


def _indent_above(code: Code, above: int, line: int) -> Iterator[Move]:
    """The line above is the one that stands wrong: the block went on deeper before it."""
    n = above
    while n and width(code, n) == width(code, above):
        first, n = n, code.previous_code_line(n)
        if above - first > 20:
            return
    if not n or width(code, n) < width(code, above) or code.lines[above - 1].rstrip().endswith(":"):
        return
    header = code.lines[n - 1].split("#")[0].rstrip().endswith(":")
    targets = [code.indent(n) + unit(code)] if header else []
    targets += [code.indent(m) for m in levels_above(code, first) if width(code, m) > width(code, above)]
    few = 0.8 if above - first < 2 else 1.1
    for rank, new in enumerate(dict.fromkeys(targets)):
        fits = 0.0 if len(new.expandtabs()) == width(code, line) else 0.04
        cost = few + fits + 0.02 * rank
        yield Move(reindent(code, first, above, code.indent(above), new), cost, NAME, f"puts line {first} at the indentation of its block")


def _mismatch(code: Code, line: int) -> Iterator[Move]:
    old = code.indent(line)
    levels = levels_above(code, line)
    mine = width(code, line)
    end = block_end(code, line, mine)
    single = block_end(code, line, mine + 1)
    toks = code.of_line(line)
    follow = code.next_code_line(line)
    definition = bool(toks) and toks[0].text in ("def", "class", "@", "async")
    for n in sorted(levels, key=lambda n: abs(width(code, n) - mine)):
        distance = abs(width(code, n) - mine)
        cost = 0.9 + 0.03 * min(distance, 10)
        cost -= 0.05 if follow and width(code, follow) == width(code, n) else 0.0
        cost -= 0.06 if (definition or code.previous_code_line(line) < line - 1) and width(code, n) < mine else 0.0
        if toks and toks[0].text in OWNERS:
            head = code.of_line(n)
            if not head or head[0].text not in OWNERS[toks[0].text]:
                cost += 0.4
        why = f"puts line {line} at the indentation of line {n}"
        yield Move(reindent(code, line, end, old, code.indent(n)), cost, NAME, why)
        if single != end:
            yield Move(reindent(code, line, single, old, code.indent(n)), cost + 0.05, NAME, why)
    yield from _fallen_header(code, line, levels)
    above = code.previous_code_line(line)
    if above and width(code, above) > mine:
        run = above
        while (up := code.previous_code_line(run)) and width(code, up) == width(code, above):
            run = up
        yield Move(reindent(code, run, above, code.indent(above), old), 1.2, NAME, f"puts line {run} at the indentation of line {line}")


def _fallen_header(code: Code, line: int, levels: list[int]) -> Iterator[Move]:
    """A header further up stands too far left, so that what follows its block fits nothing."""
    mine = width(code, line)
    n = next((n for n in levels if width(code, n) < mine), 0)
    up = code.previous_code_line(n) if n else 0
    if up and width(code, up) > width(code, n) and code.lines[n - 1].split("#")[0].rstrip().endswith(":"):
        yield Move(reindent(code, n, n, code.indent(n), code.indent(line)), 0.85, NAME, f"puts line {n} at the indentation of line {line}")


def _tabs(code: Code, line: int) -> Iterator[Move]:
    """Tabs and blanks mixed: the minority becomes what the majority is, at the width that parses."""
    spaces = sum(1 for n in range(1, len(code.lines) + 1) if code.indent(n).startswith(" "))
    tabs = sum(1 for n in range(1, len(code.lines) + 1) if "\t" in code.indent(n))
    columns = len(unit(code).expandtabs(4)) or 4
    if tabs > spaces:
        changes = _retab(code, lambda s: s.replace(" " * columns, "\t") if " " in s else s)
        yield Move(changes, 1.0, NAME, "indents with tabs throughout, as most of the file does")
    for rank, size in enumerate(dict.fromkeys((columns, 4, 8, 2))):
        changes = _retab(code, lambda s, size=size: s.expandtabs(size) if "\t" in s else s)
        yield Move(changes, 1.05 + 0.1 * rank + (0.2 if tabs > spaces else 0.0), NAME, f"indents with blanks throughout (a tab counted as {size})")
    above = code.previous_code_line(line)
    if above:
        yield Move(reindent(code, line, line, code.indent(line), code.indent(above)), 1.0, NAME, f"indents line {line} as line {above} is")


def _retab(code: Code, convert: object) -> tuple[Change, ...]:
    assert callable(convert)
    out: list[Change] = []
    for n in range(1, len(code.lines) + 1):
        have = code.indent(n)
        if n in code.inside_string or not code.lines[n - 1].strip():
            continue
        new = convert(have)
        if new != have:
            out.append((code.offset(n), code.offset(n) + len(have), new))
    return tuple(out)
