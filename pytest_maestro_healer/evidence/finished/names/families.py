"""Which classes of the product belong together, and which classes of Python or of libraries stand above them."""

from __future__ import annotations

import ast
import builtins
import sys
from types import ModuleType

from pytest_maestro_healer.evidence.changes import Changes
from pytest_maestro_healer.evidence.expressions import dotted_name
from pytest_maestro_healer.evidence.finished.places.place import home_of, imports_of
from pytest_maestro_healer.evidence.similarity import Home

#: A class of the product: its file and its qualified name.
Class = tuple[str, str]
#: What makes a class of tuples or dicts, and is no class itself.
_MADE = {
    "typing.NamedTuple": tuple,
    "typing_extensions.NamedTuple": tuple,
    "collections.namedtuple": tuple,
    "typing.TypedDict": dict,
    "typing_extensions.TypedDict": dict,
}
_OF_TUPLES = frozenset({"_asdict", "_replace", "_make", "_fields", "_field_defaults"})
_DEEPEST = 12


class Families:
    """The classes that a class inherits from and those that inherit from it, read and never imported."""

    def __init__(self, known: Changes) -> None:
        self.known = known
        self._foreign: dict[str, frozenset[str] | None] = {}

    def node(self, cls: Class) -> ast.ClassDef | None:
        """A class as it is now."""
        found = self.known.current(cls[0]).get(cls[1])
        return found.node if found is not None and isinstance(found.node, ast.ClassDef) else None

    def above(self, cls: Class) -> list[Class | str]:
        """What a class inherits from, directly or not: classes of the product, dotted names of others, ``""`` for one that cannot be told."""
        seen: dict[Class | str, None] = {}
        todo = [cls]
        while todo:
            for base in self._bases(todo.pop(0)):
                if base not in seen and base != cls:
                    seen[base] = None
                    if not isinstance(base, str):
                        todo.append(base)
        return list(seen)

    def below(self, cls: Class) -> list[Class]:
        """The product's classes that inherit from a class, directly or not."""
        seen: dict[Class, None] = {}
        todo = [cls]
        while todo:
            top = todo.pop(0)
            for path, _ in self.known.trees_with(top[1].rpartition(".")[2]):
                for name, found in self.known.current(path).items():
                    here = (path, name)
                    if found.kind == "class" and here not in seen and here != cls and top in self._bases(here):
                        seen[here] = None
                        todo.append(here)
        return list(seen)

    def ours(self, cls: Class) -> list[Class]:
        """A class with all of the product's that stand above or below it."""
        return [cls, *(c for c in self.above(cls) if not isinstance(c, str)), *self.below(cls)]

    def _bases(self, cls: Class) -> list[Class | str]:
        node = self.node(cls)
        home = home_of(self.known, cls[0])
        return [self._base(cls[0], home, cls[1].rpartition(".")[0], base) for base in node.bases] if node is not None else []

    def _base(self, path: str, home: Home, scope: str, node: ast.expr, depth: int = 0) -> Class | str:
        """What a base stands for in the module ``home``."""
        if isinstance(node, ast.Subscript):
            node = node.value
        made = isinstance(node, ast.Call)
        dotted = dotted_name(node.func if isinstance(node, ast.Call) else node)
        root, _, rest = dotted.partition(".")
        if not root or depth > _DEEPEST:
            return ""
        tree, own = self.known.symbols.tree(path), self.known.current(path)
        taken = imports_of(tree, home)
        found = own.get(f"{scope}.{dotted}") or own.get(dotted)
        if found is not None and not made:
            if isinstance(found.node, ast.ClassDef):
                return (path, found.qualname)
            return self._base(path, home, "", found.node, depth + 1) if isinstance(found.node, ast.expr) else ""
        if root in taken:
            whole = ".".join([taken[root], *([rest] if rest else [])])
            if made:
                return whole if whole in _MADE else ""
            return self._place(whole)
        return f"builtins.{root}" if not made and not rest and root not in own and hasattr(builtins, root) else ""

    def _place(self, dotted: str) -> Class | str:
        """The class that a dotted name stands for: the product's own, or the name that a library gives it."""
        symbols = self.known.symbols
        module, _, name = dotted.rpartition(".")
        if not symbols.is_project_module(module.partition(".")[0]):
            return dotted
        found = symbols.resolve(module, name)
        if found is None:
            outer, _, cls = module.rpartition(".")  # a class within a class
            found = symbols.resolve(outer, cls) if outer and symbols.is_project_module(outer) else None
            return (found.path, f"{found.qualname or cls}.{name}") if found is not None and found.kind == "class" else ""
        if found.kind == "import":
            return found.origin if not symbols.is_project_module(found.origin.partition(".")[0]) else ""
        return (found.path, found.qualname or name) if found.kind == "class" else ""

    # -- classes of others -----------------------------------------------------------------------------------
    def members(self, dotted: str) -> frozenset[str] | None:
        """The members of a class of Python or of a library; ``None`` where they cannot be told. Nothing is imported for it."""
        if dotted not in self._foreign:
            self._foreign[dotted] = self._members(dotted)
        return self._foreign[dotted]

    def _members(self, dotted: str) -> frozenset[str] | None:
        if dotted in _MADE:
            made = _MADE[dotted]
            return frozenset(dir(made)) | (_OF_TUPLES if made is tuple else frozenset())
        loaded = _loaded(dotted)
        if loaded is not None:
            classes = type.mro(loaded) if loaded is not type else [type, object]
            return frozenset(n for c in classes for n in (*vars(c), *self._written(str(c.__module__), c.__qualname__)))
        return self._read(dotted, 0)

    def _written(self, module: str, qualname: str) -> set[str]:
        """What the source of a library's class gives it, what its methods store included."""
        path = self.known.symbols.module_path(module) if module != "builtins" else None
        own = self.known.current(path) if path is not None and path.endswith(".py") else {}
        return {d.name for d in own.values() if d.scope == qualname}

    def _read(self, dotted: str, depth: int) -> frozenset[str] | None:
        """The same of a module that is not loaded, by its source."""
        symbols = self.known.symbols
        module, _, name = dotted.rpartition(".")
        if module == "builtins":
            found = getattr(builtins, name, None)
            return frozenset(dir(found)) if isinstance(found, type) else None
        place = symbols.resolve(module, name) if module and depth <= _DEEPEST else None
        node = self.known.current(place.path).get(place.qualname or name) if place is not None and place.path.endswith(".py") else None
        if place is None or node is None or not isinstance(node.node, ast.ClassDef):
            return None
        out = self._written(place.module, node.qualname) | set(dir(object))
        home = (place.module, place.path.endswith("__init__.py"))
        for base in node.node.bases:
            above = self._base(place.path, home, node.scope, base)
            inner = f"{place.module}.{above[1]}" if not isinstance(above, str) else above
            more = self.members(inner) if inner and inner != dotted else None
            if more is None:
                return None
            out |= more
        return frozenset(out)


def _loaded(dotted: str) -> type | None:
    """The class of that name in a module that was imported already."""
    parts = dotted.split(".")
    for end in range(len(parts) - 1, 0, -1):
        found: object = sys.modules.get(".".join(parts[:end]))
        if type(found) is ModuleType:  # others may load when they are asked for something, as a module's __getattr__ may
            for part in parts[end:]:
                found = vars(found).get(part) if hasattr(found, "__dict__") else None
            if not isinstance(found, type) and hasattr(found, "__dict__"):
                found = vars(found).get("__origin__")  # typing.Dict
            return found if isinstance(found, type) else None
    return None
