"""Cheap looks at a failure before anything is run: what was compared, which literals a function holds, what git says about a line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Failure

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def texts(failure: Failure) -> tuple[str, ...]:
    """The string values that were compared, as they are (not their reprs)."""
    if failure.comparison is None:
        return ()
    out = []
    for operand in failure.comparison.operands:
        value = operand.value
        if value.type in ("str", "bytes") and value.source:
            try:
                found = ast.literal_eval(value.source)
            except (ValueError, SyntaxError):
                continue
            out.append(found if isinstance(found, str) else found.decode("latin-1"))
    return tuple(out)


def shown(failure: Failure) -> str:
    """Everything that was compared, as text, with the message."""
    operands = failure.comparison.operands if failure.comparison else ()
    return "\n".join([*(o.value.repr for o in operands), failure.message[:4000]])


def squeezed(text: str) -> str:
    """A text without its white space and hyphens at line ends."""
    return re.sub(r"-\n\s*|\s+", "", text)


def strings(node: ast.AST) -> Iterator[ast.Constant]:
    """The string literals in a piece of code, docstrings and expression statements left out."""
    quiet = {id(n.value) for n in ast.walk(node) if isinstance(n, ast.Expr)}
    for n in ast.walk(node):
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in quiet:
            yield n


def is_assertion(failure: Failure) -> bool:
    """An expectation that was not met, as opposed to something that broke."""
    return failure.is_a("AssertionError", "Failed")


def product_change(ctx: Context, word: str) -> tuple[str, list[str], list[str]] | None:
    """The newest change (not committed, or the last commit) of product lines with ``word``: where, what was removed, what was added."""
    for base in ("HEAD", "HEAD~1"):
        if not ctx.git.available:
            return None
        for hunk in ctx.git.hunks(base):
            if hunk.path.endswith(".py") and not ctx.is_test_code(hunk.path) and any(word in line for line in hunk.added):
                return f"{hunk.path}:{hunk.new_line}", list(hunk.removed), list(hunk.added)
    return None
