"""Python text: places, replacements and comparison by meaning."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache


@cache
def parsed(text: str) -> ast.Module:
    """The tree of a text, which nobody may change."""
    return ast.parse(text)


def span(text: str, node: ast.AST) -> tuple[int, int]:
    """The character offsets of a node."""
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))

    def at(line: int, column: int) -> int:
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    return at(node.lineno, node.col_offset), at(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]


def replaced(text: str, node: ast.AST, new: str) -> str:
    """``text`` with the node's source replaced."""
    begin, end = span(text, node)
    return text[:begin] + new + text[end:]


def source(text: str, node: ast.AST) -> str:
    """The node's source."""
    begin, end = span(text, node)
    return text[begin:end]


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    """Every function and method."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield node


def first_line(function: ast.FunctionDef) -> int:
    """The line that a code object names: that of the first decorator."""
    return min([function.lineno, *(d.lineno for d in function.decorator_list)])


def renamed(text: str, old: str, new: str) -> str:
    """Every name token ``old`` becomes ``new``; strings and comments stay."""
    out, last = [], (1, 0)
    lines = text.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME and token.string == old:
            out.append(between(lines, last, token.start) + new)
            last = token.end
    return "".join(out) + between(lines, last, (len(lines) + 1, 0))


def between(lines: list[str], begin: tuple[int, int], end: tuple[int, int]) -> str:
    """The text from one (line, column) to another."""
    if not lines:
        return ""
    if begin[0] == end[0]:
        return lines[begin[0] - 1][begin[1] : end[1]]
    middle = "".join(lines[begin[0] : end[0] - 1])
    tail = lines[end[0] - 1][: end[1]] if end[0] <= len(lines) else ""
    return lines[begin[0] - 1][begin[1] :] + middle + tail


@cache
def names(text: str) -> frozenset[str]:
    """All name tokens."""
    return frozenset(t.string for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type == tokenize.NAME)


@cache
def code_words(text: str) -> frozenset[str]:
    """All words, in strings and comments too."""
    return frozenset(re.findall(r"\w+", text))


class _Normal(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant(node.value)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        named = [k for k in node.keywords if k.arg]
        node.keywords = sorted(named, key=lambda k: k.arg or "") + [k for k in node.keywords if not k.arg]
        return node


def normal(data: bytes | str) -> str:
    """A text that two Python files share when they mean the same: imports at the top one by one and sorted, keywords sorted.

    What does not parse is its own normal form, line ends and trailing blanks aside.
    """
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError):
        return "\n".join(line.rstrip() for line in text.splitlines()).strip()
    tree = _Normal().visit(tree)
    loads, rest = set(), []
    for node in tree.body:
        if isinstance(node, ast.Import):
            loads |= {f"import {a.name} as {a.asname}" for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            loads |= {f"from {'.' * node.level}{node.module or ''} import {a.name} as {a.asname}" for a in node.names}
        else:
            rest.append(ast.dump(node))
    return "\n".join([*sorted(loads), *rest])


def strength(data: bytes) -> int:
    """How many checks a test file makes: asserts, unittest's, mocks' and pytest's; skips and expected failures count against it."""
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError):
        return 0
    count = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            count += 1
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            count += name.startswith(("assert", "fail")) or name in ("raises", "warns", "eq_", "ok_")
            count -= 5 * (name in ("skip", "xfail", "skipif"))
    return count
