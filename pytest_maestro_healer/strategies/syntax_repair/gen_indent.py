"""Candidates for wrong indentation, empty bodies and clauses that lost their statement."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_maestro_healer.strategies.syntax_repair.lexer import HEADS, Code
from pytest_maestro_healer.strategies.syntax_repair.moves import Change, Move, insert
from pytest_maestro_healer.strategies.syntax_repair.oracle import Problem

NAME = "indentation"
BODY = "empty_body"
SCOPE = "wrong_scope"
#: Clause -> the statements that may have it.
_OWNERS = {
    "else": ("if", "elif", "for", "while", "except", "try"),
    "elif": ("if", "elif"),
    "except": ("try", "except"),
    "finally": ("try", "except", "else"),
}
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
    if toks and toks[0].text in _OWNERS and toks[0].kind == "name":
        yield from _clause(code, line, toks[0].text)
        if toks[0].text in ("except", "finally"):
            yield from _missing_try(code, line)
    if "expected 'except' or 'finally' block" in msg:
        yield from _try_without_handler(code, line)
    if _OUTSIDE.search(msg) and "await" not in msg:
        yield from _outside(code, line)


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


def _unit(code: Code) -> str:
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


def _block_end(code: Code, line: int, at_least: int) -> int:
    """The last line of the run from ``line`` whose code is indented by ``at_least`` columns or more."""
    last = line
    for n in range(line + 1, len(code.lines) + 1):
        if code.is_blank(n) or n in code.inside_string:
            continue
        if width(code, n) < at_least:
            break
        last = n
    return last


def _levels(code: Code, line: int) -> list[int]:
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
        if width(code, body) <= width(code, head) and word not in _OWNERS:
            definition = word in ("def", "class", "@", "async")
            cost = 0.9 if not definition else 1.3
            empty = 1.5 if same and not definition else 0.9
            yield from _indent_run(code, head, body, cost)
        elif word in _OWNERS and same:
            empty = 0.9
    at = code.offset(head) + len(code.lines[head - 1].rstrip("\r\n"))
    tail = code.of_line(head)
    colon = tail[-1].end if tail else at
    filler = "pass"
    text = "\n" + code.indent(head) + _unit(code) + filler
    yield insert(max(at, colon), text, empty, BODY, f"gives line {head} an empty body")


def _indent_run(code: Code, head: int, body: int, cost: float) -> Iterator[Move]:
    """Indent 1, 2, ... following lines; the run to the next gap or clause is the likeliest."""
    old, new = code.indent(body), code.indent(head) + _unit(code)
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
            or (word in _OWNERS and width(code, n) <= width(code, head))
        ):
            break
        stop = _block_end(code, n, base + 1) if toks and toks[-1].text == ":" else n
        follow = code.next_code_line(stop)
        if (
            follow
            and code.of_line(follow)
            and code.of_line(follow)[0].text in _OWNERS
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
        targets += [code.indent(n) for n in _levels(code, line)]
    if "" not in targets:
        targets.append("")
    end = _block_end(code, line, width(code, line))
    whole = _block_end(code, line, min(width(code, line), 1) or 1)
    for rank, new in enumerate(dict.fromkeys(targets)):
        cost = 0.9 + 0.2 * rank
        yield Move(reindent(code, line, end, old, new), cost, NAME, f"puts line {line} at the indentation of its block")
        single = _block_end(code, line, width(code, line) + 1)
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
    targets = [code.indent(n) + _unit(code)] if header else []
    targets += [code.indent(m) for m in _levels(code, first) if width(code, m) > width(code, above)]
    few = 0.8 if above - first < 2 else 1.1
    for rank, new in enumerate(dict.fromkeys(targets)):
        fits = 0.0 if len(new.expandtabs()) == width(code, line) else 0.04
        cost = few + fits + 0.02 * rank
        yield Move(reindent(code, first, above, code.indent(above), new), cost, NAME, f"puts line {first} at the indentation of its block")


def _mismatch(code: Code, line: int) -> Iterator[Move]:
    old = code.indent(line)
    levels = _levels(code, line)
    mine = width(code, line)
    end = _block_end(code, line, mine)
    single = _block_end(code, line, mine + 1)
    toks = code.of_line(line)
    follow = code.next_code_line(line)
    definition = bool(toks) and toks[0].text in ("def", "class", "@", "async")
    for n in sorted(levels, key=lambda n: abs(width(code, n) - mine)):
        distance = abs(width(code, n) - mine)
        cost = 0.9 + 0.03 * min(distance, 10)
        cost -= 0.05 if follow and width(code, follow) == width(code, n) else 0.0
        cost -= 0.06 if (definition or code.previous_code_line(line) < line - 1) and width(code, n) < mine else 0.0
        if toks and toks[0].text in _OWNERS:
            head = code.of_line(n)
            if not head or head[0].text not in _OWNERS[toks[0].text]:
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
    unit = len(_unit(code).expandtabs(4)) or 4
    if tabs > spaces:
        changes = _retab(code, lambda s: s.replace(" " * unit, "\t") if " " in s else s)
        yield Move(changes, 1.0, NAME, "indents with tabs throughout, as most of the file does")
    for rank, size in enumerate(dict.fromkeys((unit, 4, 8, 2))):
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


# -- clauses without their statement -----------------------------------------------------------------------------------
def _clause(code: Code, line: int, word: str) -> Iterator[Move]:
    """``else`` under nothing: it goes to the indentation of a statement that may have it."""
    old = code.indent(line)
    end = _block_end(code, line, width(code, line))
    single = _block_end(code, line, width(code, line) + 1)
    for rank, n in enumerate(_levels_with_heads(code, line, _OWNERS[word])):
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
        if not toks or toks[0].text not in _OWNERS:
            break
        last = _block_end(code, n, width(code, line) + 1)
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
            if toks and toks[0].text in _OWNERS[word]:
                if run:
                    yield Move(
                        reindent(code, run, last, code.indent(run), code.indent(n) + _unit(code)),
                        1.0,
                        NAME,
                        f"indents line {run} into the block of line {n}",
                    )
                return
            run = n
        n = code.previous_code_line(n)


def _missing_try(code: Code, line: int) -> Iterator[Move]:
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
    changes = ((at, at, old + "try:\n" + _unit(code)),)
    yield Move(changes, 1.6, NAME, f"begins the try block whose handler stands in line {line}", review=True)


def _try_without_handler(code: Code, line: int) -> Iterator[Move]:
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
                    reindent(code, run, last, code.indent(run), code.indent(head) + _unit(code)), 1.0, NAME, f"indents line {run} into the try block"
                )
                return
            run = run or n
        elif toks and toks[0].text in ("except", "finally"):
            end = _block_end(code, n, width(code, n))
            yield Move(reindent(code, n, end, code.indent(n), code.indent(head)), 1.0, NAME, f"puts line {n} under the try of line {head}")
            return
        n = code.next_code_line(n)


# -- statements outside their function or loop -------------------------------------------------------------------------
def _outside(code: Code, line: int) -> Iterator[Move]:
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
    target = code.indent(n) if width(code, n) > width(code, line) else code.indent(n) + _unit(code)
    levels = [code.indent(m) for m in _levels(code, first) if len(code.indent(m)) > len(old)]
    end = _block_end(code, line, width(code, line) + 1)
    for rank, new in enumerate(dict.fromkeys([*reversed(levels), target])):
        for start in dict.fromkeys((first, line)):
            cost = 0.9 + 0.1 * rank + (0.1 if start != first else 0.0)
            yield Move(reindent(code, start, end, old, new), cost, SCOPE, f"puts line {line} back into the block above it")
