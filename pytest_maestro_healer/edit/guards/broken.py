"""Edits of a file that does not parse: what can be recovered from its text must still be there after the repair."""

from __future__ import annotations

import ast
import re
from collections import Counter

from pytest_maestro_healer.edit.source import SourceFile

_CONFLICT = re.compile(r"^<{7}[^\n]*\n(.*?)(?:^\|{7}[^\n]*\n.*?)?^={7}[^\n]*\n(.*?)^>{7}[^\n]*$\n?", re.M | re.S)
_COUNTED = {
    "assertion": re.compile(
        r"^\s*(?:assert\b|(?:await\s+)?[\w.]*\b(?:self|mock|np|testing|\w+)\.assert\w+\s*\(|assert_?\w+\s*\()|\bassert\s+[\w(\[{'\"]"
    ),
    "raises block": re.compile(r"\b(?:raises|warns|assertRaises\w*|assertWarns\w*)\s*\("),
    "parametrization": re.compile(r"^\s*@.*\bparametrize\s*\("),
}
_NEVER_MORE = {
    "a skip or xfail": re.compile(r"\b(?:skip|skipif|skipTest|xfail|importorskip|expectedFailure|skipIf|skipUnless|flaky|__test__|collect_ignore)\b"),
    "an except clause": re.compile(r"^\s*except\b"),
    "a suppress": re.compile(r"\bsuppress\s*\("),
    "silenced warnings": re.compile(r"(?:filterwarnings|simplefilter)\s*\(\s*['\"]ignore"),
    "an early return": re.compile(r"^\s*(?:return|sys\.exit\(\)|pytest\.exit)\b"),
    "code that never runs": re.compile(r"^\s*(?:if|elif|while)\s+(?:False|0|None)\s*:"),
    "a tautology": re.compile(r"\bassert\s+True\b|\bor\s+True\b|\bassert\s+1\b"),
}
_TEST = re.compile(r"^\s*(?:async\s+)?def\s+(test\w*)\s*\(|^\s*class\s+(Test\w*)\b")
_NUMBER = re.compile(r"(?<![\w.])[1-9]\d+(?![\w.])")
_TRIPLE = re.compile(r"\"\"\"|'''")
_SIMPLE = re.compile(r"(?:\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')")


def check_repair(before: SourceFile, after: SourceFile, committed: str = "") -> list[str]:
    """Why a repair of ``before`` (which does not parse) loses something; empty where it does not. ``committed`` is the file's last committed text."""
    versions = _versions(before)
    line = before.syntax_error.lineno if before.syntax_error and len(versions) == 1 else None
    new = _count(_code_lines(after.text, None))
    tests_after = _tests(after)
    numbers = _numbers(after.text.split("\n"))
    had = _count(_code_lines(committed, None))
    verdicts = [_compare(_code_lines(v, line), new, tests_after, numbers, had) for v in versions]
    return min(verdicts, key=len) + _always_true(before, after)


def _always_true(before: SourceFile, after: SourceFile) -> list[str]:
    """Assertions of a constant that the damaged text did not have: a quote in the wrong place swallows what was to be checked."""
    known = {line.strip() for line in before.text.splitlines()}
    out = []
    for n in ast.walk(after.tree) if after.tree is not None else ():
        if not isinstance(n, ast.Assert):
            continue
        constant = isinstance(n.test, (ast.JoinedStr, ast.Lambda)) or (isinstance(n.test, ast.Constant) and bool(n.test.value))
        if (constant or (isinstance(n.test, ast.Tuple) and n.test.elts)) and after.segment(n).splitlines()[0].strip() not in known:
            out.append(f"the repair makes line {n.lineno} an assertion that is always true")
    return out


def _versions(src: SourceFile) -> list[str]:
    """The text, or with merge-conflict markers its two sides."""
    text = src.text.replace("\r\n", "\n").replace("\r", "\n")
    if not _CONFLICT.search(text):
        return [text]
    return [_CONFLICT.sub(lambda m, side=side: m.group(side) or "", text) for side in (1, 2)]  # type: ignore[misc]


def _compare(lines: list[str], new: Counter[str], tests_after: set[str], numbers_after: Counter[str], had: Counter[str]) -> list[str]:
    old = _count(lines)
    out = []
    for what in _COUNTED:
        if new[what] < old[what]:
            out.append(f"the repair drops {old[what] - new[what]} {what}(s)")
    for what in _NEVER_MORE:
        if new[what] > max(old[what], had[what]):
            out.append(f"the repair adds {what}")
    lost = _names(lines) - tests_after
    if lost:
        out.append(f"the repair loses {', '.join(sorted(lost))}")
    gone = _numbers(lines) - numbers_after
    if gone:
        out.append(f"the repair loses {', '.join(sorted(gone.elements()))}")
    if old["line"] - new["line"] > 2:
        out.append(f"the repair deletes {old['line'] - new['line']} lines of code")
    return out


def _count(lines: list[str]) -> Counter[str]:
    out: Counter[str] = Counter()
    for line in lines:
        out["line"] += 1
        for table in (_COUNTED, _NEVER_MORE):
            for what, pattern in table.items():
                if pattern.search(line):
                    out[what] += 1
    return out


def _numbers(lines: list[str]) -> Counter[str]:
    """The decimal integers of two digits and more: rows of data and expected values, which a repair must not drop.

    Numbers that a repair may rightly rewrite (old octals, long suffixes, glued words) are left out.
    """
    return Counter(m.group() for line in lines for m in _NUMBER.finditer(line))


def _names(lines: list[str]) -> set[str]:
    return {m[1] or m[2] for line in lines if (m := _TEST.match(line))}


def _tests(after: SourceFile) -> set[str]:
    import ast

    assert after.tree is not None
    return {n.name for n in ast.walk(after.tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))}


def _code_lines(text: str, error_line: int | None) -> list[str]:
    """The lines that hold code: comments and (as far as that can be told) strings left out.

    Where the file breaks at ``error_line``, an unterminated string must not hide the rest: reading starts afresh at the next top-level
    definition.
    """
    out: list[str] = []
    quote = ""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    restart = _restart(lines, error_line)
    for number, line in enumerate(lines, 1):
        if number == restart:
            quote = ""
        code, quote = _strip(line, quote)
        if code.strip():
            out.append(code)
    return out


def _restart(lines: list[str], error_line: int | None) -> int | None:
    if error_line is None:
        return None
    return next((n for n, text in enumerate(lines, 1) if n > error_line and re.match(r"(?:async\s+def|def|class|@|import|from)\b|@", text)), None)


def _strip(line: str, quote: str) -> tuple[str, str]:
    """(the line's code, the triple quote that is open at its end)."""
    code = ""
    while line:
        if quote:
            end = line.find(quote)
            if end < 0:
                return code, quote
            line, quote = line[end + 3 :], ""
            continue
        opener, hash_at = _TRIPLE.search(line), _comment(line)
        if opener and (hash_at < 0 or opener.start() < hash_at):
            code += line[: opener.start()] + '""'
            line, quote = line[opener.end() :], opener.group()
            continue
        return code + (line if hash_at < 0 else line[:hash_at]), ""
    return code, quote


def _comment(line: str) -> int:
    blank = _SIMPLE.sub(lambda m: "x" * len(m.group()), line)
    return blank.find("#")
