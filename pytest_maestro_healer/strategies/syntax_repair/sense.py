"""Whether what compiles also says something: a repair that leaves a statement without effect, or a name that nobody bound, is a worse guess."""

from __future__ import annotations

import ast
import builtins
import warnings
from collections.abc import Collection

from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.strategies.syntax_repair.moves import Change

#: What one oddity costs, on the scale of the moves.
USELESS = 0.4
UNBOUND = 0.3
_BUILTINS = frozenset(dir(builtins))
#: A tuple without brackets, that has a bracketed part: more often a bracket that closes too early.
BARE = 0.2
#: Where a bare comparison or name is the point.
_EXPECTING = ("raises", "warns", "raises_group", "deprecated_call", "suppress")
_QUIET = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.Constant, ast.JoinedStr, ast.NamedExpr)


def oddities(text: str, changes: Collection[Change]) -> float:
    """What the changed lines of a repaired ``text`` cost by the way they read; ``changes`` are in offsets of the text before."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return 0.0
    lines = _lines(text, changes)
    bound = _bound(tree)
    out = 0.0
    for node, expecting in _statements(tree, False):
        if not lines & set(range(node.lineno, _end(node) + 1)):
            continue
        if isinstance(node, ast.Expr) and not isinstance(node.value, _QUIET) and not expecting:
            out += USELESS
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and _over_a_builtin(node):
            out += USELESS
        if isinstance(node, (ast.Assign, ast.Return)) and _bare(node.value):
            out += BARE
        if bound is not None:
            names = {n.id for n in _own(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
            out += UNBOUND * len(names - bound)
    return out


def _lines(text: str, changes: Collection[Change]) -> set[int]:
    """The 1-based lines of the text after ``changes``."""
    out: set[int] = set()
    delta = 0
    for start, end, new in sorted(changes):
        first = text.count("\n", 0, start + delta) + 1
        out |= set(range(first, first + new.count("\n") + 1))
        delta += len(new) - (end - start)
    return out


def _statements(node: ast.AST, expecting: bool) -> list[tuple[ast.stmt, bool]]:
    out: list[tuple[ast.stmt, bool]] = []
    for child in ast.iter_child_nodes(node):
        inside = expecting
        if isinstance(child, (ast.With, ast.AsyncWith)):
            inside = expecting or any(_name(i.context_expr) in _EXPECTING or _name(i.context_expr).startswith("assert") for i in child.items)
        if isinstance(child, ast.stmt):
            out.append((child, expecting))
        if not isinstance(child, ast.expr):
            out += _statements(child, inside)
    return out


def _end(node: ast.stmt) -> int:
    """The last line of a statement's own words: a block is read by its head."""
    body = getattr(node, "body", None)
    return max(node.lineno, body[0].lineno - 1) if isinstance(body, list) and body else node.end_lineno or node.lineno


def _own(node: ast.stmt) -> list[ast.AST]:
    """The expressions of a statement, without those of the statements in its block."""
    out: list[ast.AST] = []
    stack = [c for c in ast.iter_child_nodes(node) if not isinstance(c, (ast.stmt, ast.ExceptHandler))]
    while stack:
        n = stack.pop()
        out.append(n)
        stack += [c for c in ast.iter_child_nodes(n) if not isinstance(c, (ast.stmt, ast.ExceptHandler))]
    return out


def _name(node: ast.expr) -> str:
    func = node.func if isinstance(node, ast.Call) else node
    return last_name(func)


def _bare(value: ast.expr | None) -> bool:
    if not isinstance(value, ast.Tuple) or not any(isinstance(e, (ast.List, ast.Set, ast.Dict, ast.Tuple)) for e in value.elts):
        return False
    first = value.elts[0]
    return (value.lineno, value.col_offset) == (first.lineno, first.col_offset)


def _over_a_builtin(node: ast.Assign | ast.AnnAssign) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return any(isinstance(t, ast.Name) and t.id in _BUILTINS for t in targets)


def _bound(tree: ast.Module) -> set[str] | None:
    """Every name that is bound anywhere in the file, or built in; ``None`` where a star import may bind any."""
    out: set[str] = set(_BUILTINS) | {"__file__", "__path__"}
    for n in ast.walk(tree):
        if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load):
            out.add(n.id)
        elif isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            out.add(n.name)
        elif isinstance(n, ast.arg):
            out.add(n.arg)
        elif isinstance(n, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and n.name:
            out.add(n.name)
        elif isinstance(n, ast.MatchMapping) and n.rest:
            out.add(n.rest)
        elif isinstance(n, ast.alias):
            if n.name == "*":
                return None
            out.add((n.asname or n.name).partition(".")[0])
    return out
