"""A polling helper that the project has already."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.symbols import absolute_module
from pytest_maestro_healer.strategies.environment_healing.writer import Writer

_NAMES = {"wait_until", "wait_for", "poll_until", "eventually", "wait_for_condition", "poll", "retry_until", "wait_true", "waitfor", "until"}
_FIRST = {"predicate", "condition", "cond", "func", "fn", "function", "check", "callback", "callable", "pred", "test", "f"}


@dataclass(frozen=True)
class Helper:
    """A function ``name(predicate, timeout=...)``; ``needed`` imports it, ``""`` where it is at hand."""

    name: str
    limit: str
    needed: str
    is_async: bool

    def call(self, writer: Writer, condition: str, deadline: str) -> str:
        """The statement that waits for ``condition``."""
        if self.needed:
            writer.need(self.needed)
        return f"{'await ' if self.is_async else ''}{self.name}(lambda: {condition}, {self.limit}={deadline})"


def helper(src: SourceFile, ctx: Context) -> Helper | None:
    """The helper that this file defines or imports, or that another test file imports; ``None`` where there is none."""
    tree = src.tree
    if tree is None:
        return None
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and (found := _fits(node, "")) is not None:
            return found
    for path in (src.path, *(p for p in ctx.test_files() if p != src.path)):
        other = ctx.source(path)
        if other is None or other.tree is None or not any(n.encode() in other.data for n in _NAMES):
            continue
        for node in other.tree.body:
            for alias in node.names if isinstance(node, ast.ImportFrom) else ():
                if alias.name in _NAMES and not alias.asname and isinstance(node, ast.ImportFrom):
                    module = absolute_module(node, ctx.symbols.module_name(path), False)
                    near = node.level and path.rpartition("/")[0] != src.path.rpartition("/")[0]
                    home = ctx.symbols.resolve(module, alias.name)
                    made = _definition(ctx, home.path, alias.name) if home is not None else None
                    line = f"from {'.' * node.level}{node.module or ''} import {alias.name}"
                    if made is not None and not near and (found := _fits(made, "" if path == src.path else line)) is not None:
                        return found
    return None


def _definition(ctx: Context, path: str, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    tree = ctx.symbols.tree(path)
    nodes = tree.body if tree is not None else []
    return next((n for n in nodes if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) and n.name == name), None)


def _fits(node: ast.FunctionDef | ast.AsyncFunctionDef, needed: str) -> Helper | None:
    names = [a.arg for a in (*node.args.args, *node.args.kwonlyargs)]
    limit = next((n for n in names[1:] if n in ("timeout", "deadline", "max_wait", "seconds", "timeout_s")), "")
    if node.name not in _NAMES or not names or names[0] not in _FIRST or not limit:
        return None
    return Helper(node.name, limit, needed, isinstance(node, ast.AsyncFunctionDef))
