"""Candidates for what parses as tokens but not as meaning: arguments in the wrong order, repeated ones, ``await`` outside async."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_maestro_healer.strategies.syntax_repair.lexer import CLOSERS, OPENERS, Code
from pytest_maestro_healer.strategies.syntax_repair.moves import Move, insert, replace
from pytest_maestro_healer.strategies.syntax_repair.oracle import Problem

ARGUMENTS = "argument_order"
SCOPE = "wrong_scope"


@dataclass(frozen=True)
class Part:
    """One argument or parameter between commas: its span without white space, and its name where it has ``name=``."""

    start: int
    end: int
    text: str
    name: str
    default: bool
    starred: str


def candidates(code: Code, problem: Problem) -> Iterator[Move]:
    """Moves for the compiler's complaints about meaning."""
    msg = problem.msg
    if "positional argument follows" in msg or "positional patterns follow" in msg:
        yield from _positional(code, problem)
    elif "keyword argument repeated" in msg:
        yield from _repeated(code, problem, _quoted_name(msg))
    elif "duplicate argument" in msg:
        yield from _duplicate(code, problem, _quoted_name(msg))
    elif "default argument follows" in msg or "without a default follows" in msg or "non-default argument" in msg:
        yield from _defaults(code, problem)
    elif "outside async function" in msg or "outside of an asynchronous function" in msg or "'await' outside function" in msg:
        yield from _make_async(code, problem)


def _quoted_name(msg: str) -> str:
    m = re.search(r"repeated: (\w+)|'(\w+)'", msg)
    return (m[1] or m[2]) if m else ""


def parts(code: Code, opener: int) -> list[Part]:
    """What stands between the commas of the bracket ``sig[opener]``."""
    out: list[Part] = []
    depth, first = 0, opener + 1
    for i in range(opener + 1, len(code.sig)):
        t = code.sig[i]
        closing = t.kind == "op" and t.text in CLOSERS and depth == 0
        if closing or (t.text == "," and t.kind == "op" and depth == 0):
            if i > first:
                out.append(_part(code, first, i - 1))
            first = i + 1
            if closing:
                break
        elif t.kind == "op":
            depth += (t.text in OPENERS) - (t.text in CLOSERS)
    return out


def _part(code: Code, first: int, last: int) -> Part:
    a, b = code.sig[first], code.sig[last]
    name, default, depth = "", False, 0
    for t in code.sig[first : last + 1]:
        if t.kind == "op":
            depth += (t.text in OPENERS) - (t.text in CLOSERS)
            if t.text == "=" and depth == 0:
                default = True
    if a.kind == "name":
        name = a.text
    return Part(a.start, b.end, code.text[a.start : b.end], name, default, a.text if a.text in ("*", "**", "/") else "")


def _brackets_around(code: Code, problem: Problem) -> list[int]:
    """Openers of ``(`` around or just before the problem, innermost first."""
    at = code.index_at(problem.start)
    around = [k for k in code.unclosed(min(at + 1, len(code.sig))) if code.sig[k].text == "("][::-1]
    near = [i for i in range(at, -1, -1) if code.sig[i].text == "(" and problem.line - code.sig[i].line < 40][:6]
    return list(dict.fromkeys([*around, *near]))


def _reorder(code: Code, order: list[Part], old: list[Part]) -> tuple[tuple[int, int, str], ...]:
    return tuple((o.start, o.end, n.text) for o, n in zip(old, order) if o is not n)


def _positional(code: Code, problem: Problem) -> Iterator[Move]:
    for k in _brackets_around(code, problem):
        old = parts(code, k)
        lead = [p for p in old if not p.default and p.starred != "**"]
        order = lead + [p for p in old if p not in lead]
        if order != old:
            yield Move(
                _reorder(code, order, old),
                1.0,
                ARGUMENTS,
                f"puts the positional arguments of line {code.sig[k].line} first",
                review=len(lead) > 1 and len(old) > 3,
            )
            for p in old[1:]:
                if not p.default and p.name and p.text == p.name and not p.starred:
                    yield insert(p.start, f"{p.name}=", 1.1, ARGUMENTS, f"passes {p.name} by name in line {problem.line}")
            return


def _drop(code: Code, old: list[Part], gone: Part) -> tuple[int, int, str]:
    i = old.index(gone)
    if i + 1 < len(old):
        return (gone.start, old[i + 1].start, "")
    return (old[i - 1].end, gone.end, "") if i else (gone.start, gone.end, "")


def _repeated(code: Code, problem: Problem, name: str) -> Iterator[Move]:
    for k in _brackets_around(code, problem):
        old = parts(code, k)
        twins = [p for p in old if p.default and p.name == name]
        if len(twins) < 2:
            continue
        same = len({re.sub(r"\s", "", p.text) for p in twins}) == 1
        for p in twins[::-1]:
            yield Move((_drop(code, old, p),), 1.0, ARGUMENTS, f"passes {name} once in line {code.line_at(p.start)}", review=not same)
            if same:
                return
        return


def _duplicate(code: Code, problem: Problem, name: str) -> Iterator[Move]:
    for k in _parameter_lists(code, problem):
        old = parts(code, k)
        twins = [p for p in old if p.name == name]
        if len(twins) >= 2:
            for p in twins[::-1]:
                plain = p.text == name
                yield Move(
                    (_drop(code, old, p),),
                    1.0 if plain else 1.2,
                    ARGUMENTS,
                    f"has the parameter {name} once in line {code.line_at(p.start)}",
                    review=not plain,
                )
                if all(q.text == name for q in twins):
                    return
            return


def _parameter_lists(code: Code, problem: Problem) -> list[int]:
    """Openers of parameter lists: the nearest at or after the problem first (the compiler may name the ``def`` line or a decorator)."""
    heads = [i + 2 for i in range(len(code.sig) - 2) if code.sig[i].text == "def" and code.sig[i + 2].text == "("]
    return sorted([*heads, *_brackets_around(code, problem)], key=lambda i: abs(code.sig[i].line - problem.line))


def _defaults(code: Code, problem: Problem) -> Iterator[Move]:
    for k in _parameter_lists(code, problem)[:8]:
        old = parts(code, k)
        star = next((i for i, p in enumerate(old) if p.starred in ("*", "**")), len(old))
        head, tail = old[:star], old[star:]
        slash = [p for p in head if p.starred == "/"]
        lead = [p for p in head if not p.default and p.starred != "/"]
        order = lead + [p for p in head if p.default] + tail
        if slash or order == old:
            continue
        fixtures = code.sig[k - 1].text.startswith("test")
        yield Move(
            _reorder(code, order, old), 1.0, ARGUMENTS, f"puts the parameters without default first in line {code.sig[k].line}", review=not fixtures
        )
        first_default = next(i for i, p in enumerate(old) if p.default)
        late = next((p for p in old[first_default:star] if not p.default), None)
        if late is not None and star == len(old):
            yield insert(late.start, "*, ", 1.1, ARGUMENTS, f"makes {late.name} keyword-only in line {code.sig[k].line}", review=True)
        return


def _make_async(code: Code, problem: Problem) -> Iterator[Move]:
    """The function around an ``await`` becomes async, with the marker that the file's other async tests carry."""
    at = code.index_at(problem.start)
    limit = min(at, len(code.sig) - 1)
    column = 10**6
    if limit >= 0:
        column = len(code.indent(code.sig[limit].line).expandtabs())
    for i in range(limit, -1, -1):
        t = code.sig[i]
        if t.text != "def" or len(code.indent(t.line).expandtabs()) >= column + (t.line == problem.line):
            continue
        if i and code.sig[i - 1].text == "async":
            return
        changes = [(t.start, t.start, "async ")]
        yield Move(tuple(changes), 1.0, SCOPE, f"makes the function of line {t.line} async")
        marker = _async_marker(code)
        if marker and code.sig[i + 1].text.startswith("test"):
            at_line = code.offset(t.line)
            indent = code.indent(t.line)
            yield Move(
                ((at_line, at_line, f"{indent}{marker}\n"), (t.start, t.start, "async ")), 0.95, SCOPE, f"makes the test of line {t.line} async"
            )
        return
    if "'await'" in problem.msg:
        for j in range(limit, max(limit - 3, -1), -1):
            if code.sig[j].text == "await":
                yield replace(code.sig[j].start, code.sig[j + 1].start, "", 2.5, SCOPE, f"does not await in line {code.sig[j].line}", review=True)


def _async_marker(code: Code) -> str:
    """``@pytest.mark.asyncio`` or its like where it stands above another async test."""
    for n, line in enumerate(code.lines[:-1], 1):
        m = re.match(r"\s*(@pytest\.mark\.(?:asyncio|anyio|trio)\b.*?)\s*$", line)
        follow = code.next_code_line(n)
        if m and follow and code.lines[follow - 1].lstrip().startswith("async def test"):
            return m[1]
    return ""
