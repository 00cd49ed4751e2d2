"""Code that a test runs and of which the project's git does not tell whether it changed: it lies beside the project, or git ignores it."""

from __future__ import annotations

import ast
import re
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Failure

#: Parts of paths where installed distributions lie; modules that builds write and that hold a version only.
_INSTALLED = frozenset({"site-packages", "dist-packages"})
_VERSION = re.compile(r"_?version\w*\.py$")
_OURS = __name__.partition(".")[0]


def unseen(ctx: Context, failure: Failure) -> str:
    """The path of a module that a failing test, or a conftest above it, imports and whose past nobody can look at; ``""`` if there is none."""
    if not ctx.git.available:
        return ""
    known = {*ctx.git.tracked(), *ctx.git.untracked()}
    folders = failure.path.split("/")[:-1]
    above = ["/".join([*folders[:i], "conftest.py"]) for i in range(len(folders) + 1)]
    reached = dict.fromkeys(p for start in (failure.path, *above) if ctx.files.read(start) is not None for p in ctx.variables.reachable(start))
    for path in reached:
        if path not in known and not path.startswith("/") and not _VERSION.search(path) and not ctx.is_test_code(path):
            return path
    return next((p for path in reached if (tree := ctx.symbols.tree(path)) is not None for p in _beside(ctx, tree)), "")


def _beside(ctx: Context, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for top in {n.partition(".")[0] for n in names} - {"", _OURS}:
            file = getattr(sys.modules.get(top), "__file__", None)
            if not ctx.symbols.is_project_module(top) and isinstance(file, str) and file.endswith(".py") and _somebodys(ctx, Path(file)):
                yield file


def _somebodys(ctx: Context, file: Path) -> bool:
    """Whether a file is neither the project's, nor Python's, nor installed."""
    homes = (ctx.root, *(Path(p) for p in sysconfig.get_paths().values()), Path(sys.prefix), Path(sys.base_prefix))
    return _INSTALLED.isdisjoint(file.parts) and not any(file.is_relative_to(h) for h in homes)
