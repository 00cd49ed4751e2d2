"""Texts of code that are said to people: help of an option, log messages, what an error says. There a plain word is no name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pytest_maestro_healer.evidence.expressions import last_name

#: Keywords of a call that adds an option or a command which say to people what it is for.
TOLD = frozenset({"help", "description", "epilog", "summary", "short_help"})
_ADDS = frozenset({
    "ArgumentParser", "add_argument", "add_argument_group", "add_parser", "add_subparsers", "add_option", "addoption", "option", "argument",
    "command", "group", "Option", "Argument", "Typer",
})  # fmt: skip
_LOGS = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})
_LOGGER = re.compile(r"(?i)_*(?:\w+_)?log(?:ger|ging)?")
_QUERY = re.compile(r"(?i)\b(?:select|insert|update|delete)\b")


def told(tree: ast.AST) -> dict[int, str]:
    """The whole text, values left out as ``{}``, by the id of each constant in it that is said to people."""
    out: dict[int, str] = {}
    for node in ast.walk(tree):
        for value in _said(node):
            out.update(_whole(value))
    return out


def plain_word(text: str, word: str) -> bool:
    """Whether ``word``, wherever such a text says it, is a word among others and no code: ``cart.total``, ``total()``, ``'total'``, or a query."""
    if re.search(r"[^\W_]_[^\W_]|[a-z][A-Z]", word) or _QUERY.search(text) or not re.search(r"\w\W*\s\W*\w|\w\W*\s\{\}|\{\}\s\W*\w", text):
        return False
    w = re.escape(word)
    return re.search(rf"(?<!\w){w}(?!\w)", re.sub(rf"(?<![^\s(]){w}(?=[,;:.!?)]*(?:\s|$))", "", text)) is None


def _said(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        yield from node.exc.args
    if not isinstance(node, ast.Call):
        return
    func = node.func
    name = last_name(func)
    if name in _ADDS:
        yield from (k.value for k in node.keywords if k.arg in TOLD)
    if isinstance(func, ast.Attribute) and name in _LOGS:
        owner = func.value.func if isinstance(func.value, ast.Call) else func.value
        known = last_name(owner)
        if _LOGGER.fullmatch(known) or known == "getLogger":
            yield from node.args[1:2] if name == "log" else node.args[:1]


def _whole(value: ast.expr) -> Iterator[tuple[int, str]]:
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mod):
        value = value.left
    parts = value.values if isinstance(value, ast.JoinedStr) else [value]
    texts = [p for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str)]
    text = "".join(str(p.value) if p in texts else "{}" for p in parts)
    text = re.sub(r"%[-+ #0-9.]*[a-z]|%\(\w+\)[a-z]", "{}", text)
    yield from ((id(p), text) for p in texts)
