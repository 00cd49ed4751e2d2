"""What the user has excluded from healing stays as it is, also where a heal of something else would touch it."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Edit, Proposal


def narrowed(proposal: Proposal, ctx: Context, config: HealerConfig) -> tuple[Proposal, str]:
    """``proposal`` without its edits of files and tests that are opted out; with the reason where none of them is left."""
    kept, reason = [], ""
    for edit in proposal.edits:
        why = config.out_of_scope(edit.path) or _opted_out(edit, ctx)
        reason = reason or (f"{edit.path}: {why}" if why else "")
        if not why:
            kept.append(edit)
    if len(kept) == len(proposal.edits):
        return proposal, ""
    return dataclasses.replace(proposal, edits=tuple(kept)), "" if kept else reason


def _opted_out(edit: Edit, ctx: Context) -> str:
    """The opted-out test that ``edit`` lies in."""
    tests = {f.function for f in ctx.failures if not f.healable and f.path == edit.path and f.function}
    source = ctx.source(edit.path) if tests else None
    if source is None or source.tree is None:
        return ""
    first = source.data.count(b"\n", 0, edit.start) + 1
    last = source.data.count(b"\n", 0, edit.end) + 1
    for name, node in _functions(source.tree, ""):
        start = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        if name in tests and first <= (node.end_lineno or start) and last >= start:
            return f"{name} is marked no_heal"
    return ""


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield prefix + child.name, child
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        elif isinstance(child, (ast.If, ast.Try, ast.With)):
            yield from _functions(child, prefix)
