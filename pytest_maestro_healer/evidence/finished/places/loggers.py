"""Loggers that are named after their module: what moves away logs under another name, and that matters where something asks for the old one."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping

from pytest_maestro_healer.evidence.changes import Changes
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.finished.names.beside import said_beside
from pytest_maestro_healer.evidence.finished.names.mentions import PAST, PROSE, texts
from pytest_maestro_healer.evidence.finished.places.place import home_of, imports_of
from pytest_maestro_healer.evidence.similarity import Def

#: What a logger is only spoken to with.
_SPEAKS = frozenset({
    "debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log", "isEnabledFor", "getEffectiveLevel",
})  # fmt: skip
#: How to reach all loggers there are, whatever they are called.
_ALL = ("loggerDict", "getChildren")


def same_logger(ctx: Context, known: Changes, value: Def, places: tuple[str, str, str]) -> bool:
    """Whether the logger ``value`` of one module is as good as the one of the same name in another one.

    ``places`` are the file of the one, the commit at which it was there, and the file of the other.

    So it is where both are named after their module, are spoken to and nothing else (no level, handler or filter of their own), and nothing in the
    project (a configuration, a constant, a name put together) asks for the logger of the old module or of a package that only the old one is in.
    """
    name = value.name
    was, rev, now = places
    here = known.current(now).get(name)
    if here is None or not _of_module(value.node) or not _of_module(here.node):
        return False
    trees = [known.tree_at(was, rev), known.symbols.tree(was), known.symbols.tree(now)]
    dotted = {known.symbols.module_name(p) for p in (was, now)}
    for path, tree in known.trees_with(name):
        taken = imports_of(tree, home_of(known, path))
        if taken.get(name, "").rpartition(".")[0] in dotted:
            trees.append(tree)
        elif path not in (was, now) and any(_may_be(n, taken, dotted) for n in _otherwise(tree, name)):
            return False
    if any(True for tree in trees if tree is not None for _ in _otherwise(tree, name)):
        return False
    return not any(_asked_for(ctx, known, word) for word in _left(*(known.symbols.module_name(p) for p in (was, now))))


def _of_module(node: ast.AST) -> bool:
    """Whether a value is ``getLogger(__name__)``."""
    if not isinstance(node, ast.Call) or node.keywords or len(node.args) != 1:
        return False
    last = last_name(node.func)
    return last == "getLogger" and isinstance(node.args[0], ast.Name) and node.args[0].id == "__name__"


def _otherwise(tree: ast.Module, name: str) -> Iterator[ast.expr]:
    """The uses of a logger that are no mere speaking to it."""
    spoken = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr in _SPEAKS}
    for node in ast.walk(tree):
        called = last_name(node)
        if called == name and isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load) and id(node) not in spoken:
            yield node


def _may_be(node: ast.expr, taken: Mapping[str, str], dotted: Collection[str]) -> bool:
    """Whether an attribute may be one of a module in ``dotted``, and not of another one that the file imports."""
    if not isinstance(node, ast.Attribute):
        return False
    return not isinstance(node.value, ast.Name) or taken.get(node.value.id) in (None, *dotted)


def _left(was: str, now: str) -> list[str]:
    """The dotted names of the module ``was`` and of its packages that ``now`` is not under."""
    parts = was.split(".")
    names = [".".join(parts[:i]) for i in range(len(parts), 0, -1)]
    return [n for n in names if n != now and not now.startswith(f"{n}.")]


def _asked_for(ctx: Context, known: Changes, dotted: str) -> bool:
    """Whether the project says a logger's name, or puts names of loggers together."""
    for word in ("getLogger", *_ALL):
        for _, tree in known.trees_with(word):
            if word in _ALL or any(_composed(n) for n in ast.walk(tree)):
                return True
    last = dotted.rpartition(".")[2]
    for _, tree in known.trees_with(last):
        if any(isinstance(n, ast.Constant) and isinstance(n.value, str) and _begins(n.value, dotted) for n in ast.walk(tree)):
            return True
    pattern = re.compile(rf"(?<!\w){re.escape(dotted)}(?!\w)")
    others = (text for path, text in texts(ctx) if not path.endswith((".py", *PROSE)) and not PAST.search(path))
    return any(pattern.search(text) for text in others) or bool(said_beside(ctx, [dotted]))


def _composed(node: ast.AST) -> bool:
    """Whether a logger is asked for by a name that is worked out."""
    if not isinstance(node, ast.Call):
        return False
    last = last_name(node.func)
    given = [*node.args, *(k.value for k in node.keywords)]
    return last == "getLogger" and any(not isinstance(a, ast.Constant) and not (isinstance(a, ast.Name) and a.id == "__name__") for a in given)


def _begins(text: str, dotted: str) -> bool:
    return text == dotted or text.startswith(f"{dotted}.")
