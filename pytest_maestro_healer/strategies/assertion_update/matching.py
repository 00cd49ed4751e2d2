"""Comparing captured values with each other and with what is written: equal, literal, and which element became which."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Sequence

from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.model import Value
from pytest_maestro_healer.strategies.assertion_update.render import plain_of

#: Callables around a display: the display inside is what is edited.
WRAPPERS = {
    "list",
    "tuple",
    "set",
    "frozenset",
    "OrderedDict",
    "Counter",
    "deque",
    "defaultdict",
    "array",
    "asarray",
    "Series",
    "Index",
    "approx",
    "sorted",
}


def differs(old: Value | None, new: Value) -> bool:
    """Whether the two captured values are not known to be equal."""
    if old is None:
        return True
    if old.source is not None and new.source is not None:
        return old.source != new.source and not _equal(old, new)
    return (old.type, old.repr) != (new.type, new.repr) or old.truncated


def _equal(old: Value, new: Value) -> bool:
    try:
        return bool(ast.literal_eval(old.source or "") == ast.literal_eval(new.source or "x"))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False


def text_of(value: Value | None) -> str | None:
    """The string that a value is, ``None`` for anything else."""
    if value is None:
        return None
    value = plain_of(value) or value
    if value.type != "str" or value.source is None:
        return None
    return str(ast.literal_eval(value.source))


def is_literal(node: ast.expr) -> bool:
    """Whether the node's value stands in the source as it is."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return all(is_literal(e) for e in node.elts)
    if isinstance(node, ast.Dict):
        return all(k is not None and is_literal(k) and is_literal(v) for k, v in zip(node.keys, node.values, strict=True))
    if isinstance(node, ast.UnaryOp):
        return is_literal(node.operand)
    if isinstance(node, ast.BinOp):
        return is_literal(node.left) and is_literal(node.right)
    if isinstance(node, ast.Call):
        plain = last_name(node.func) in (
            *WRAPPERS,
            "Decimal",
            "Fraction",
            "UUID",
            "Path",
            "PurePosixPath",
            "date",
            "datetime",
            "time",
            "timedelta",
            "float",
            "complex",
            "dict",
        )
        return plain and all(is_literal(a) for a in node.args) and all(is_literal(k.value) for k in node.keywords)
    return False


def literal_is(node: ast.expr, value: Value) -> bool:
    """Whether ``node`` is a literal of exactly this value."""
    try:
        found = ast.literal_eval(node)
        known = ast.literal_eval(value.source or "x")
        return type(found) is type(known) and bool(found == known)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False


def rounded(written: str, source: str) -> str:
    """A float's new digits: as many decimals as were written, where that is the same number up to rounding noise."""
    _, dot, decimals = written.partition(".")
    if not dot or not decimals.isdigit():
        return source
    try:
        value = float(source)
        short = f"{value:.{len(decimals)}f}"
    except ValueError:
        return source
    return short if float(short) == value else source


def pairing(old: Sequence[Value], new: Sequence[Value]) -> list[tuple[str, int, int, int, int]]:
    """How two sequences correspond: equal runs, pairs that changed (most similar ones together), insertions and deletions."""
    a, b = [v.source or v.repr for v in old], [v.source or v.repr for v in new]
    out: list[tuple[str, int, int, int, int]] = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "replace" and i2 - i1 != j2 - j1:
            out += _unequal(a, b, i1, i2, j1, j2)
        elif tag != "equal":
            out.append((tag, i1, i2, j1, j2))
    return out


def _unequal(a: Sequence[str], b: Sequence[str], i1: int, i2: int, j1: int, j2: int) -> list[tuple[str, int, int, int, int]]:
    """More on one side: the window of the longer side that resembles the shorter one most is paired."""
    n, m = i2 - i1, j2 - j1
    k = min(n, m)

    def likeness(offset: int) -> float:
        pairs = [(a[i1 + (offset if n > m else 0) + x], b[j1 + (offset if m > n else 0) + x]) for x in range(k)]
        return sum(difflib.SequenceMatcher(None, p[:400], q[:400]).ratio() for p, q in pairs)

    best = max(range(min(abs(n - m) + 1, 50)), key=likeness)
    if n > m:
        parts = [("delete", i1, i1 + best, j1, j1), ("replace", i1 + best, i1 + best + k, j1, j2), ("delete", i1 + best + k, i2, j2, j2)]
        return [p for p in parts if p[2] > p[1]]
    parts = [("insert", i1, i1, j1, j1 + best), ("replace", i1, i2, j1 + best, j1 + best + k), ("insert", i2, i2, j1 + best + k, j2)]
    return [p for p in parts if p[4] > p[3]]
