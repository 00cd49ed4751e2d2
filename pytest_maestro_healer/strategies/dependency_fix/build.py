"""Builds the proposals of the tactics that do not plan imports."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence

from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.model import Applicability, Edit, Evidence, Failure, Proposal
from pytest_maestro_healer.strategies.dependency_fix.cause import Missing, same_cause
from pytest_maestro_healer.strategies.dependency_fix.editor import FileEditor
from pytest_maestro_healer.strategies.dependency_fix.plans import STRATEGY


def edit_files(
    tactic: str,
    change: Callable[[FileEditor], None],
    paths: Iterable[str],
    ctx: Context,
    *,
    nodeids: Sequence[str],
    evidence: Sequence[Evidence],
    meaning: str,
    explanation: str,
    cause_key: str,
    safe: bool,
    score: float,
) -> Proposal | None:
    """One proposal with ``change`` made to every file of ``paths``; a file where it does not fit is left out, ``None`` if none is left."""
    edits: list[Edit] = []
    helper = False
    for path in dict.fromkeys(paths):
        src = ctx.source(path)
        if src is None or src.tree is None or not ctx.is_test_code(path):
            continue
        try:
            editor = FileEditor(src)
            change(editor)
            new = editor.edits()
            healed = src.with_edits(new)
        except EditError:
            continue
        if new and healed.tree is not None:
            edits += new
            helper = helper or ctx.is_helper(path)
    if not edits:
        return None
    applicability = Applicability.SAFE if safe and not helper else Applicability.REVIEW
    return Proposal(
        STRATEGY, tactic, tuple(edits), tuple(evidence), applicability, explanation, tuple(dict.fromkeys(nodeids)), meaning, cause_key, "", score
    )


def advice(tactic: str, failure: Failure, text: str, evidence: Sequence[Evidence], cause_key: str, meaning: str, score: float = 0.3) -> Proposal:
    """A precise text without an edit."""
    return Proposal(STRATEGY, tactic, (), tuple(evidence), Applicability.ADVICE, text, (failure.nodeid,), meaning, cause_key, text, score)


def group_of(found: Missing, ctx: Context, failure: Failure) -> tuple[list[str], list[str]]:
    """(paths, nodeids) of all failures with the same cause."""
    group = same_cause(found, ctx, failure)
    return list(dict.fromkeys(m.path for _, m in group)), list(dict.fromkeys(f.nodeid for f, _ in group))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All function definitions of a file."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def is_fixture(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function is decorated as a fixture."""
    for d in node.decorator_list:
        target = d.func if isinstance(d, ast.Call) else d
        name = last_name(target)
        if name in ("fixture", "yield_fixture", "async_fixture"):
            return True
    return False


def enclosing_function(tree: ast.Module, line: int) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The innermost function around a line."""
    best = None
    for f in functions(tree):
        if f.lineno <= line <= (f.end_lineno or f.lineno) and (best is None or f.lineno >= best.lineno):
            best = f
    return best
