"""Where the project promises a time zone in words, and its code takes that of the machine: a bug, whatever machine the tests run on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.model import Failure

#: Calls that read the machine's zone, by whose they are, and the number of arguments from which on they are given a zone or moment to go by.
_LOCAL = {
    "time": {"localtime": 99, "ctime": 99, "mktime": 99, "asctime": 1, "strftime": 2},
    "datetime": {"now": 1, "today": 99, "fromtimestamp": 2},
    "date": {"today": 99, "fromtimestamp": 99},
}
_BARE = {"localtime", "ctime", "mktime"}
#: What is said about the machine, the tests or the past is no promise of the product.
_ASIDE = re.compile(r"(?i)\btests?\b|\bTZ\b|\bset\b|\blocal|not\b|n't\b|chang(?:e|ed|es)\b")
_DOCUMENT = re.compile(r"(?i)^(?:readme|docs?/[^/]+|doc/[^/]+)(?:\.(?:md|rst|txt|adoc))?$")
_MOST = 40


def promised(zone: str, failure: Failure, ctx: Context) -> str:
    """Where the product says that its times are those of ``zone``, although the code that the test runs takes the machine's; or ``""``."""
    words = r"UTC|GMT|[Cc]oordinated [Uu]niversal" if zone == "UTC" else re.escape(zone)
    word = re.compile(rf"(?<![\w/+-])(?:{words})(?![\w/+-]|\s*[+-]\d)")
    local = ""
    for path in ctx.variables.reachable(failure.path)[:_MOST]:
        tree = None if ctx.is_test_code(path) else ctx.symbols.tree(path)
        for line, docs in _reads(tree) if tree is not None else ():
            local = local or f"{path}:{line}"
            if any(_says(word, d) for d in docs):
                return f"{path}:{line} takes the machine's time zone where {zone} is promised"
    for path in (p for p in ctx.git.tracked() or _tops(ctx) if local and _DOCUMENT.match(p)):
        text = (ctx.files.read(path) or b"").decode("utf-8", "replace")
        if _says(word, text):
            return f"{path} promises {zone}, and {local} takes the machine's time zone"
    return ""


def _tops(ctx: Context) -> list[str]:
    return sorted(p.name for p in ctx.root.iterdir() if p.is_file())


def _says(word: re.Pattern[str], text: str) -> bool:
    """Whether a sentence has the word and speaks of what the code gives."""
    sentences = re.split(r"(?<=[.;!?])\s+|\n\s*\n|\n(?=\s*[-*#])|```[^`]*```", text)
    return any(word.search(s) and not _ASIDE.search(s) for s in sentences)


def _reads(tree: ast.Module) -> Iterator[tuple[int, list[str]]]:
    """Lines that take the machine's zone, with the docstrings around them."""
    todo: list[tuple[ast.AST, list[str]]] = [(tree, [])]
    while todo:
        node, docs = todo.pop()
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            docs = [*docs, ast.get_docstring(node) or ""]
        if isinstance(node, ast.Call) and _takes_local(node):
            yield node.lineno, docs
        todo += [(child, docs) for child in ast.iter_child_nodes(node)]


def _takes_local(call: ast.Call) -> bool:
    func, given = call.func, len(call.args) + len(call.keywords)
    if isinstance(func, ast.Name):
        return func.id in _BARE
    if not isinstance(func, ast.Attribute):
        return False
    if func.attr == "astimezone":
        return not given
    owner = last_name(func.value)
    return given < _LOCAL.get(owner, {}).get(func.attr, 0)
