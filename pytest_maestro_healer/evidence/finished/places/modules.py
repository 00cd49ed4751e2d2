"""Who still takes something from a module, or says the module's own name: by what an import resolves to, and not by one word that both have."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pytest_maestro_healer.evidence.changes import Changes
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.finished.names.mentions import PAST, texts
from pytest_maestro_healer.evidence.finished.places.place import all_imports_of, home_of, imports_of
from pytest_maestro_healer.evidence.symbols import absolute_module

#: What loads modules by names that are worked out.
_LOADERS = ("import_module", "__import__", "iter_modules", "walk_packages", "find_spec", "entry_points", "load_module", "import_string")


def still_taken(ctx: Context, known: Changes, name: str, was: str, now: str) -> str:
    """``path:line`` of what is no test and still takes ``name`` from the module ``was``, though it is in ``now``; ``""`` if nothing does."""
    last = re.escape(was.rpartition(".")[2])
    pattern = re.compile(rf"[\w.]*\b{last}[.:]{re.escape(name)}\b|from\s+[\w.]*\b{last}\s+import\s[^\n]*\b{re.escape(name)}\b")
    for path, text in texts(ctx):
        found = [] if PAST.search(path) else [m for m in pattern.finditer(text) if not _of(m[0], name, was, now)]
        if not found:
            continue
        tree = known.symbols.tree(path) if path.endswith(".py") else None
        taken = imports_of(tree, home_of(known, path)) if tree is not None else {}
        for m in found:
            root, _, rest = m[0].partition(".")
            if not (root in taken and rest and _of(f"{taken[root]}.{rest}", name, was, now)):
                return f"{path}:{text.count(chr(10), 0, m.start()) + 1}"
    for path, tree in known.trees_with(was.rpartition(".")[2]):
        line = next(_through_module(tree, home_of(known, path), name, was), 0)
        if line:
            return f"{path}:{line}"
    return ""


def _through_module(tree: ast.Module, home: tuple[str, bool], name: str, was: str) -> Iterator[int]:
    """The lines where a file reaches ``name`` through the module ``was``, under whatever name, or may do so because it hands the module on."""
    taken = all_imports_of(tree, home)
    aliases = {alias for alias, dotted in taken.items() if dotted == was}
    plain = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == name:
            root, _, rest = ast.unparse(node.value).partition(".")
            if ".".join(filter(None, (taken.get(root, ""), rest))) == was or (aliases and root not in taken and root not in ("self", "cls")):
                yield node.lineno
        elif isinstance(node, ast.Name) and node.id in aliases and isinstance(node.ctx, ast.Load) and id(node) not in plain:
            yield node.lineno


def _of(said: str, name: str, was: str, now: str) -> bool:
    """Whether a dotted name, or an import, says that ``name`` is of ``now``, and cannot mean that it is of ``was``."""
    found = re.match(r"from\s+([\w.]+)\s+import", said)
    module = found[1] if found else said.replace(":", ".").removesuffix(f".{name}")
    return any(w == module or w.endswith(f".{module}") for w in (now,)) and not (was == module or was.endswith(f".{module}"))


def module_said(ctx: Context, known: Changes, module: str) -> str | None:
    """``path:line`` of what is no test and imports ``module`` or says its dotted name or its file; ``""`` if nothing does.

    ``None`` where the product loads modules by names that are worked out: there any word may be one.
    """
    if any(True for word in _LOADERS for _ in known.trees_with(word)):
        return None
    last = module.rpartition(".")[2]
    for path, tree in known.trees_with(last):
        line = next(_imports(tree, home_of(known, path), module), 0)
        if line:
            return f"{path}:{line}"
    dotted = (
        re.escape(module).replace(r"\.", r"[./]") if "." in module else rf"(?:(?<=-m )|(?<=from )|(?<=import )|[\"'`]){re.escape(module)}(?![\w-])"
    )
    pattern = re.compile(rf"(?<![\w-]){dotted}(?![\w-])|(?<![\w./-]){re.escape(last)}\.py\b")
    for path, text in texts(ctx):
        if not PAST.search(path) and (m := pattern.search(text)):
            return f"{path}:{text.count(chr(10), 0, m.start()) + 1}"
    return ""


def _imports(tree: ast.Module, home: tuple[str, bool], module: str) -> Iterator[int]:
    """The lines where a file imports a module, or something of it, or reaches it through its package."""
    package, _, last = module.rpartition(".")
    taken = imports_of(tree, home)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(a.name == module or a.name.startswith(f"{module}.") for a in node.names):
            yield node.lineno
        elif isinstance(node, ast.ImportFrom):
            source = absolute_module(node, *home)
            if source == module or source.startswith(f"{module}.") or (source == package and any(a.name in (last, "*") for a in node.names)):
                yield node.lineno
        elif isinstance(node, ast.Attribute) and node.attr == last and package:
            root, _, rest = ast.unparse(node.value).partition(".")
            if ".".join(filter(None, (taken.get(root, root), rest))) == package:
                yield node.lineno
