"""Code and data that a test uses and of which the project's git does not tell whether it changed: beside the project, or ignored by git."""

from __future__ import annotations

import ast
import os
import re
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.past.origin import origin
from pytest_maestro_healer.model import Failure

#: Parts of paths where installed distributions lie; modules that builds write and that hold a version only.
_INSTALLED = frozenset({"site-packages", "dist-packages"})
_VERSION = re.compile(r"_?version\w*\.py$")
#: What tools make and no code of a project reads as its data.
_MADE = frozenset({"__pycache__", "build", "dist", "node_modules", "htmlcov"})
_LONGEST = 200
_OURS = __name__.partition(".")[0]


def unseen(ctx: Context, failure: Failure) -> str:
    """The path of what a failing test, or a conftest above it, imports or names and whose past nobody can look at; ``""`` if there is nothing."""
    if not ctx.git.available:
        return ""
    known = {*ctx.git.tracked(), *ctx.git.untracked()}
    folders = failure.path.split("/")[:-1]
    above = ["/".join([*folders[:i], "conftest.py"]) for i in range(len(folders) + 1)]
    reached = dict.fromkeys(p for start in (failure.path, *above) if ctx.files.read(start) is not None for p in ctx.variables.reachable(start))
    for path in reached:
        if path not in known and not path.startswith("/") and not _VERSION.search(path) and not ctx.is_test_code(path):
            return path
    trees = [tree for path in reached if (tree := ctx.symbols.tree(path)) is not None]
    return next((p for tree in trees for p in _beside(ctx, tree)), "") or _data(ctx, failure, trees)


def _data(ctx: Context, failure: Failure, trees: Sequence[ast.Module]) -> str:
    """A data file that is named in a text of the code, and that git ignores, or that changed outside the folder that tests are run in."""
    texts = {n.value.replace("\\", "/") for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    named = {part for t in texts if len(t) < _LONGEST for part in t.split("/") if part not in ("", ".", "..")}
    came = origin(ctx, failure)
    since = f"{came}~1" if came and ctx.git.has_parent(came) else came or "HEAD"
    suspects = [p for p in (*ctx.git.ignored(), *ctx.git.beside(since)) if _MADE.isdisjoint(p.rstrip("/").split("/"))]
    return next((p for p in suspects if p.rstrip("/").rpartition("/")[2] in named), "")


def _beside(ctx: Context, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for top in {n.partition(".")[0] for n in names} - {"", _OURS}:
            file = getattr(sys.modules.get(top), "__file__", None)
            if not ctx.symbols.is_project_module(top) and isinstance(file, str) and file.endswith(".py") and _somebodys(ctx, file):
                yield file


def _somebodys(ctx: Context, module: str) -> bool:
    """Whether the file of a module is neither the project's, nor Python's, nor installed."""
    file = Path(os.path.normpath(module))  # a folder put on the path by hand may lead through the project: ``app/../lib``
    homes = (ctx.root, *(Path(p) for p in sysconfig.get_paths().values()), Path(sys.prefix), Path(sys.base_prefix))
    return _INSTALLED.isdisjoint(file.parts) and not any(file.is_relative_to(h) for h in homes)
