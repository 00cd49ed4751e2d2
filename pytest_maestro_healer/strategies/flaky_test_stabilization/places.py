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
        self.sites = {s.bound: s for s in import_sites(src, self.own)}
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
        for bound, site in self.sites.items():
            if site.dotted == change.module and (site.name or site.alias.asname or "." not in site.module):
                return ".".join([bound, *inner]), ""
        for site in self.sites.values():
            if not site.name and not site.alias.asname and site.module == change.module:
                return ".".join([site.module, *inner]), ""
        if inner:
            for bound, site in self.sites.items():
                if site.name and site.dotted == f"{change.module}.{inner[0]}":
                    return ".".join([bound, *inner[1:]]), ""
        top = change.module.partition(".")[0]
        if top in self.bound or (top in self.sites and self.sites[top].dotted != top) or "test" in change.module.rpartition(".")[2]:
            return None
        return ".".join([change.module, *inner]), f"import {change.module}"


def same_module(a: str, b: str) -> bool:
    """Whether two dotted names are one file: the root may be known by a longer path."""
    return a == b or a.endswith("." + b) or b.endswith("." + a)


def _loaded(ctx: Context, dotted: str) -> tuple[str, ...]:
    top = dotted.partition(".")[0]
    return (top,) if ctx.live.module(top) is not None else ()
