"""Does the product still load what acts by being loaded? A class or function that registers itself does so only where its module is imported."""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from pytest_maestro_healer.evidence.changes import changes_of
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import dotted_name, last_name
from pytest_maestro_healer.evidence.finished.names.mentions import PAST, texts
from pytest_maestro_healer.evidence.finished.places.place import globals_read, home_of, imports_of
from pytest_maestro_healer.evidence.git import Hunk
from pytest_maestro_healer.evidence.similarity import Def
from pytest_maestro_healer.evidence.symbols import absolute_module, flat

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
#: Modules whose decorators keep nothing of what they decorate.
PURE = frozenset({"functools", "dataclasses", "contextlib", "typing", "typing_extensions", "abc", "enum", "types", "warnings", "collections"})
_ASKS = frozenset(
    {"wraps", "update_wrapper", "partial", "lru_cache", "cache", "isinstance", "issubclass", "callable", "signature", "getattr", "hasattr"}
)
_READS = ("iter_modules", "walk_packages")


class Loads:
    """Which of the product's modules load which others, at a commit and now."""

    def __init__(self, ctx: Context, hunks: Sequence[Hunk], base: str) -> None:
        self.ctx, self.base = ctx, base
        self.known = changes_of(ctx.git, ctx.files, ctx.symbols)
        renamed = (p for pair in ctx.git.renames().items() for p in pair)
        self._touched = {*(p for h in hunks for p in (h.path, h.old_path)), *renamed}

    @cached_property
    def _names(self) -> dict[str, str]:
        """The files of the modules that are and were, by their dotted names."""
        return {self.ctx.symbols.module_name(p): p for p in (*self._touched, *self.ctx.files.product_files) if p.endswith(".py")}

    def file_of(self, module: str) -> str:
        """The product's file of a dotted module name; ``""`` if it is none."""
        return self._names.get(module, "")

    def _tree(self, path: str, *, then: bool) -> ast.Module | None:
        return self.known.tree_at(path, self.base) if then and path in self._touched else self.ctx.symbols.tree(path)

    def _said(self, path: str, *, then: bool) -> bytes:
        return (self.ctx.git.bytes_at(path, self.base) or b"") if then and path in self._touched else self.ctx.symbols.read(path)

    def loaders(self, target: str, *, then: bool, eager: bool) -> set[str]:
        """The files whose import loads ``target``, directly or through others; ``eager``: at once, not only when a function is called."""
        found, todo = {target}, [target]
        while todo:
            now = todo.pop()
            word = self.ctx.symbols.module_name(now).rpartition(".")[2].encode()
            folder = now.removesuffix("__init__.py") if now.endswith("/__init__.py") else ""
            for path in dict.fromkeys((*self.ctx.files.product_files, *(self._touched if then else ()))):
                if path not in found and path.endswith(".py"):
                    below = folder and path.startswith(folder)
                    if below or (word in self._said(path, then=then) and now in self._imports(path, then=then, eager=eager)):
                        found.add(path)
                        todo.append(path)
        return found - {target}

    def _imports(self, path: str, *, then: bool, eager: bool) -> set[str]:
        tree = self._tree(path, then=then)
        home = home_of(self.known, path)
        out: set[str] = set()
        for node in (_at_once(tree.body) if eager else ast.walk(tree)) if tree is not None else ():
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [a.name for a in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = absolute_module(node, *home)
                names = [f"{base}.{a.name}" for a in node.names]
            for name in names:
                parts = name.split(".")
                out |= {p for i in range(1, len(parts) + 1) if (p := self._names.get(".".join(parts[:i]))) is not None}
        return out

    def lost(self, was: str, now: str) -> str:
        """Which file loaded the module ``was`` and does not load ``now``, which took something over from it; ``""`` if none."""
        left = set(self.ctx.files.product_files) - {was, now}
        for eager in (True, False):
            before = self.loaders(was, then=True, eager=eager)
            missing = sorted((before & left) - self.loaders(now, then=False, eager=eager))
            if missing:
                return min(missing, key=lambda p: (p.count("/"), p))
        return "" if before & left else self._by_name(was, now)

    def _by_name(self, was: str, now: str) -> str:
        """The same for a module that nobody imports: what says its name in a text, or loads whatever lies in a folder."""
        old, new = (self.ctx.symbols.module_name(p) for p in (was, now))
        pattern = re.compile(rf"[\"'=\s]{re.escape(old)}(?![\w.])")
        for path, text in texts(self.ctx):
            if not PAST.search(path) and pattern.search(text) and new not in text:
                return path
        apart = was.rpartition("/")[0] != now.rpartition("/")[0]
        return next((p for word in _READS if apart for p, _ in self.known.trees_with(word)), "")

    # -- what acts -----------------------------------------------------------------------------------------
    def acts(self, definition: Def, was: str, rev: str) -> bool:
        """Whether a definition did something by being loaded: its decorator or a base class took note of it, or its module handed it on."""
        tree = self.known.tree_at(was, rev)
        taken = imports_of(tree, home_of(self.known, was))
        node = definition.node
        if any(self._notes(d, was, rev, taken) for d in getattr(node, "decorator_list", ())):
            return True
        if isinstance(node, ast.ClassDef) and self._noted(node, was, rev, taken, 0):
            return True
        return bool(handed_on(tree, definition.name))

    def _notes(self, decorator: ast.expr, path: str, rev: str, taken: dict[str, str]) -> bool:
        bare = decorator.func if isinstance(decorator, ast.Call) else decorator
        root, _, member = dotted_name(bare).partition(".")
        if not root:
            return True
        if root not in taken and root not in self.known.at(path, rev):
            return not hasattr(builtins, root)
        if taken.get(root, "").partition(".")[0] in PURE:
            return False
        own = None if member else self._definition(root, path, rev, taken)
        return own is None or own.function is None or _keeps(own.function)

    def _noted(self, cls: ast.ClassDef, path: str, rev: str, taken: dict[str, str], depth: int) -> bool:
        if any(k.arg != "metaclass" or "ABCMeta" not in ast.dump(k.value) for k in cls.keywords):
            return True
        for base in cls.bases:
            expression = base.value if isinstance(base, ast.Subscript) else base
            root, _, member = dotted_name(expression).partition(".")
            if not root:
                return True
            module = taken.get(root, "").partition(".")[0]
            if module in sys.stdlib_module_names or (not module and root not in self.known.at(path, rev) and hasattr(builtins, root)):
                continue
            own = None if member else self._definition(root, path, rev, taken)
            if own is None or not isinstance(own.node, ast.ClassDef) or depth > 9:
                return True
            if any(isinstance(n, _FUNCTIONS) and n.name == "__init_subclass__" for n in own.node.body):
                return True
            if any(True for _ in self.known.trees_with("__subclasses__")):
                return True
            home = self._place(root, taken) or path
            if self._noted(own.node, home, rev, imports_of(self.ctx.symbols.tree(home), home_of(self.known, home)), depth + 1):
                return True
        return False

    def _place(self, name: str, taken: dict[str, str]) -> str:
        module, _, last = taken.get(name, "").rpartition(".")
        found = self.ctx.symbols.resolve(module, last) if module else None
        return found.path if found is not None and self.known.is_product(found.path) else ""

    def _definition(self, name: str, path: str, rev: str, taken: dict[str, str]) -> Def | None:
        """What a name of the module ``path`` stands for, where the product defines it."""
        if name not in taken:
            return self.known.at(path, rev).get(name)
        home = self._place(name, taken)
        return self.known.current(home).get(taken[name].rpartition(".")[2]) if home else None


def handed_on(tree: ast.Module | None, name: str) -> list[int]:
    """The lines outside of functions and classes where a module does something with what it calls ``name``."""
    out = []
    for node in flat(tree.body) if tree is not None else ():
        exported = isinstance(node, (ast.Assign, ast.AugAssign)) and "__all__" in ast.dump(node)
        whole = not isinstance(node, (*_FUNCTIONS, ast.ClassDef, ast.If, ast.Try, ast.With, ast.For, ast.While))
        if whole and not exported and any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for n in ast.walk(node)):
            out.append(node.lineno)
    return out


def _at_once(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when a module is imported, those for type checkers left out."""
    for node in body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            yield from _at_once(node.orelse)
        elif isinstance(node, (ast.If, ast.Try, ast.With, ast.For, ast.While)):
            for part in ("body", "orelse", "finalbody"):
                yield from _at_once(getattr(node, part, ()))
            for handler in getattr(node, "handlers", ()):
                yield from _at_once(handler.body)
        else:
            yield node


def _keeps(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a decorator keeps what it is given: in a global, or by handing it to something that may."""
    given = {a.arg for f in ast.walk(function) if isinstance(f, _FUNCTIONS) for a in (*f.args.posonlyargs, *f.args.args)}
    outside = globals_read(function)
    root: Callable[[ast.expr], ast.expr] = lambda n: root(n.value) if isinstance(n, (ast.Attribute, ast.Subscript)) else n  # noqa: E731
    for node in ast.walk(function):
        if isinstance(node, ast.Global):
            return True
        if isinstance(node, (ast.Subscript, ast.Attribute)) and not isinstance(node.ctx, ast.Load):
            found = root(node)
            if isinstance(found, ast.Name) and found.id in outside:
                return True
        if isinstance(node, ast.Call) and any(isinstance(a, ast.Name) and a.id in given for a in node.args):
            last = last_name(node.func)
            found = root(node.func)
            if last not in _ASKS and isinstance(found, ast.Name) and found.id in outside and not hasattr(builtins, last):
                return True
    return False
