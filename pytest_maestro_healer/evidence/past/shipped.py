"""Product code whose name or folder looks like the tests': ``lab/tests/blood.py`` of a laboratory, ``pay/test_mode.py``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.symbols import SymbolIndex, absolute_module
from pytest_maestro_healer.evidence.variables import Variables

_DOTTED = re.compile(r"\.*\w+(?:\.\w+)*\.?$")


def used_by_product(ctx: Context, path: str) -> bool:
    """Whether product code imports ``path``, itself or through others, or names it in a text; one in which tests were found never counts.

    Product code is what a test imports or what lies in a package: a script that runs the tests is none.
    """
    return path in _used(ctx.symbols, ctx.variables, ctx.tested)


@lru_cache(maxsize=8)
def _used(symbols: SymbolIndex, variables: Variables, tested: frozenset[str]) -> frozenset[str]:
    files = symbols.files
    helpers = {p for p in files.test_files if p not in tested and not p.endswith("conftest.py")}
    words = {part for p in helpers for part in symbols.module_name(p).split(".")[-1:]}
    if not words:
        return frozenset()
    said = re.compile(rb"\b(?:" + b"|".join(re.escape(w.encode()) for w in sorted(words)) + rb"|tests?)\b")
    near = {p for t in tested for p in variables.reachable(t)}
    out: set[str] = set()
    for path in files.product_files:
        packaged = files.read(f"{path.rpartition('/')[0]}/__init__.py") is not None
        if (packaged or path in near) and said.search(symbols.read(path)):
            out |= helpers.intersection(variables.reachable(path))
            imported, said_there = set(_imported(symbols, path)), set(_said(symbols, path))
            out |= {p for p in helpers - out for n in _names(p) if n in imported or any(f"{n}.".startswith(f"{s}.") for s in said_there)}
    return frozenset(out).union(*(helpers.intersection(variables.reachable(p)) for p in out))


def _names(path: str) -> set[str]:
    """The dotted names of a module by its folders, which need not be packages of a file: with and without a folder for sources."""
    folders = path.removesuffix(".py").removesuffix("/__init__").split("/")
    return {".".join(folders[i:]) for i in range(min(2, len(folders) - 1))}


def _imported(symbols: SymbolIndex, path: str) -> Iterator[str]:
    tree, module = symbols.tree(path), symbols.module_name(path)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = absolute_module(node, module, path.endswith("__init__.py"))
            yield from (base, *(f"{base}.{a.name}" for a in node.names))


def _said(symbols: SymbolIndex, path: str) -> Iterator[str]:
    """The dotted names that texts may say of modules, and of packages as a whole."""
    tree, module = symbols.tree(path), symbols.module_name(path)
    package = module if path.endswith("__init__.py") else module.rpartition(".")[0]
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value and _DOTTED.match(node.value):
            name = node.value.strip(".")
            yield from (n for n in (name, f"{package}.{name}") if "." in n)
