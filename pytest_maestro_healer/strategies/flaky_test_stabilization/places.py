"""Where a test is written, what its file calls things, and how state can be named there."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.nodeids import file_of, function_of, is_test
from pytest_maestro_healer.evidence.state import Change
from pytest_maestro_healer.strategies.dependency_fix.sites import import_sites

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Place:
    """A test function in its file; ``cls`` is the class around it, ``unittest`` whether that is a TestCase (which takes no fixtures as arguments)."""

    src: SourceFile
    tree: ast.Module
    function: Function
    cls: ast.ClassDef | None
    unittest: bool
    nodeid: str

    @property
    def top(self) -> ast.stmt:
        """The statement of the module that holds the test."""
        return next(n for n in self.tree.body if n.lineno <= self.function.lineno <= (n.end_lineno or n.lineno))

    @property
    def name(self) -> str:
        """``TestX.test_y``."""
        return f"{self.cls.name}.{self.function.name}" if self.cls else self.function.name

    @property
    def takes_fixtures(self) -> bool:
        """Whether a fixture can be added to the arguments: not in TestCases, not under decorators that pass arguments of their own."""
        texts = [ast.unparse(d) for d in self.function.decorator_list]
        return not self.unittest and not any(t.startswith(("given", "hypothesis.", "mock.patch", "patch", "unittest.mock.patch")) for t in texts)


def place_of(nodeid: str, ctx: Context) -> Place | None:
    """The test that ``nodeid`` names, ``None`` where it is not written as a plain function or method in its own file."""
    path = file_of(nodeid)
    src = ctx.source(path)
    if src is None or src.tree is None or not is_test(nodeid):
        return None
    *outer, name = function_of(nodeid).split("::")
    body: list[ast.stmt] = src.tree.body
    cls: ast.ClassDef | None = None
    for part in outer:
        found = next((n for n in body if isinstance(n, ast.ClassDef) and n.name == part), None)
        if found is None:
            return None
        cls, body = found, found.body
    functions = [n for n in _flat(body) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) and n.name == name]
    if not functions or functions[-1].body[0].lineno == functions[-1].lineno:
        return None
    return Place(src, src.tree, functions[-1], cls, cls is not None and is_unittest(cls, src.tree), nodeid)


def _flat(body: list[ast.stmt]) -> list[ast.stmt]:
    out = []
    for n in body:
        out.append(n)
        if isinstance(n, (ast.If, ast.Try, ast.With)):
            out += _flat(n.body)
    return out


def is_unittest(cls: ast.ClassDef, tree: ast.Module, depth: int = 0) -> bool:
    """Whether a class is a TestCase, by its bases as far as the file shows them, else by what it calls."""
    for base in cls.bases:
        text = ast.unparse(base)
        if text.rpartition(".")[2].endswith("TestCase"):
            return True
        local = next((n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == text), None)
        if local is not None and depth < 5 and is_unittest(local, tree, depth + 1):
            return True
    calls = [n.func.attr for n in ast.walk(cls) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
    return bool(cls.bases) and any(c in ("assertEqual", "assertTrue", "assertRaises", "addCleanup") for c in calls)


class Names:
    """What the names of one file stand for."""

    def __init__(self, src: SourceFile, ctx: Context) -> None:
        self.src = src
        self.ctx = ctx
        self.own = src.path.removesuffix(".py").replace("/", ".")
        self.sites = {s.bound: s for s in sorted(import_sites(src, self.own), key=lambda s: s.scope is src.tree)}
        #: What is imported for the whole file: a name that one function imports is none for another.
        self.everywhere = {bound: s for bound, s in self.sites.items() if s.scope is src.tree}
        self.bound = {n.id for n in ast.walk(src.tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} if src.tree else set()

    def dotted(self, node: ast.expr) -> str:
        """The dotted name an expression stands for, modules by their real names; ``""`` where that is not known."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        site = self.sites.get(node.id)
        at = site.dotted if site is not None else f"{self.own}.{node.id}"
        for part in parts:
            at = f"{self._real(at)}.{part}"
        return at

    def _real(self, dotted: str) -> str:
        found, obj = self.ctx.live.get(dotted) if dotted.partition(".")[0] in _loaded(self.ctx, dotted) else (False, None)
        name = getattr(obj, "__name__", "") if found and type(obj).__name__ == "module" else ""
        return name if isinstance(name, str) and name else dotted

    def is_own(self, module: str) -> bool:
        """Whether ``module`` is this file, by whatever part of its path pytest imported it."""
        return same_module(module, self.own)

    def reach(self, change: Change) -> tuple[str, str] | None:
        """Owner expression and import line needed (or ``""``) to get at what holds a changed attribute; ``None`` where there is no way.

        The owner is the module, class or object whose attribute (the last part of :attr:`Change.path`) changed; ``""`` for this file's globals.
        """
        *inner, _ = change.path.split(".")
        if self.is_own(change.module):
            return ".".join(inner), ""
        for bound, site in self.everywhere.items():
            if site.dotted == change.module and (site.name or site.alias.asname or "." not in site.module):
                return ".".join([bound, *inner]), ""
        for site in self.everywhere.values():
            if not site.name and not site.alias.asname and site.module == change.module:
                return ".".join([site.module, *inner]), ""
        if inner:
            for bound, site in self.everywhere.items():
                if site.name and site.dotted == f"{change.module}.{inner[0]}":
                    return ".".join([bound, *inner[1:]]), ""
            if self._by_star(change.module, inner[0]):
                return ".".join(inner), ""
        top = change.module.partition(".")[0]
        if inner and self._hidden(change.module):
            # a package that binds something else by the name of its own module: "import a.b" gives that, "from a.b import" does not
            return (".".join(inner), f"from {change.module} import {inner[0]}") if inner[0] not in {*self.bound, *self.sites} else None
        if top in self.bound or (top in self.sites and self.sites[top].dotted != top) or "test" in change.module.rpartition(".")[2]:
            return None
        return ".".join([change.module, *inner]), f"import {change.module}"

    def _by_star(self, module: str, name: str) -> bool:
        """Whether the file has ``name`` of ``module`` by ``from ... import *`` and by nothing after it."""
        if name.startswith("_") or name in self.bound or name in self.sites or self.src.tree is None:
            return False
        if any(getattr(n, "name", "") == name for n in self.src.tree.body):
            return False
        wanted, obj = self.ctx.live.get(f"{module}.{name}")
        stars = [n.module for n in self.src.tree.body if isinstance(n, ast.ImportFrom) and n.module and not n.level and n.names[0].name == "*"]
        found = [self.ctx.live.get(f"{star}.{name}") for star in stars if self._exports(star, name)]
        return wanted and bool(found) and all(known and other is obj for known, other in found)

    def _exports(self, star: str, name: str) -> bool:
        module = self.ctx.live.module(star)
        exported = getattr(module, "__all__", None) if module is not None else None
        return module is not None and hasattr(module, name) and (exported is None or name in exported)

    def _hidden(self, module: str) -> bool:
        """Whether the attribute of a package by which ``import a.b`` is followed by ``a.b`` gets at something else than the module."""
        parent, _, last = module.rpartition(".")
        held = vars(self.ctx.live.module(parent) or object).get(last) if parent else None
        return held is not None and held is not self.ctx.live.module(module)


def same_module(a: str, b: str) -> bool:
    """Whether two dotted names are one file: the root may be known by a longer path."""
    return a == b or a.endswith("." + b) or b.endswith("." + a)


def _loaded(ctx: Context, dotted: str) -> tuple[str, ...]:
    top = dotted.partition(".")[0]
    return (top,) if ctx.live.module(top) is not None else ()
