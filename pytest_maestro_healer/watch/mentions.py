"""What one Python file names: modules, by import and in strings, and files, in strings. Read with :mod:`ast`, never imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+(?=$|:[A-Za-z_]\w*$)")
#: Where a file has one of these, a single word in a string may be a module, too.
_DYNAMIC = re.compile(rb"import_module|importorskip|__import__|run_module|run_path|pytest_plugins|['\"]-m['\"]")
_WORD = re.compile(r"[A-Za-z_]\w*$")
_IMPORT = re.compile(rb"^[ \t]*(?:from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]+(.*)|import[ \t]+(.+))$", re.M)
_LONG = 300


@dataclass(frozen=True)
class Mentions:
    """``modules`` are absolute dotted names (``pkg.mod`` and ``pkg.mod.name`` alike), ``relative`` pairs of (level, dotted rest).

    ``texts`` are the parts of strings that may be paths, split at slashes.
    """

    modules: frozenset[str] = frozenset()
    relative: frozenset[tuple[int, str]] = frozenset()
    texts: frozenset[str] = frozenset()


def mentions(data: bytes, tree: ast.Module | None) -> Mentions:
    """What the file with the bytes ``data`` names; without a ``tree``, because it does not parse, what its import lines say."""
    if tree is None:
        return _of_lines(data)
    modules: set[str] = set()
    relative: set[tuple[int, str]] = set()
    texts: set[str] = set()
    dynamic = bool(_DYNAMIC.search(data))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules.update(a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = _names(node.module or "", (a.name for a in node.names))
            if node.level:
                relative.update((node.level, n) for n in names)
            else:
                modules.update(names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < _LONG and "\n" not in node.value:
            if _DOTTED.match(node.value):
                modules.add(node.value.partition(":")[0])
            elif dynamic and _WORD.match(node.value):
                modules.add(node.value)
            texts.update(p for p in re.split(r"[/\\]", node.value) if p)
    return Mentions(frozenset(modules), frozenset(relative), frozenset(texts))


def _names(module: str, names: Iterator[str]) -> list[str]:
    """``from module import names``: the module, and each name as the submodule that it may be."""
    return [module, *(".".join(filter(None, (module, n))) for n in names if n != "*")]


def _of_lines(data: bytes) -> Mentions:
    modules: set[str] = set()
    relative: set[tuple[int, str]] = set()
    for m in _IMPORT.finditer(data):
        dots, base, names, plain = ((g or b"").decode("utf-8", "replace") for g in m.groups())
        if plain:
            modules.update(w for part in plain.split(",") for w in part.split()[:1])
            continue
        found = _names(base, (w for part in names.strip("( \t").split(",") for w in part.split()[:1]))
        if dots:
            relative.update((len(dots), n) for n in found)
        else:
            modules.update(found)
    return Mentions(frozenset(modules), frozenset(relative), frozenset(re.findall(r"[\w.-]+\.\w+", data.decode("utf-8", "replace"))))
