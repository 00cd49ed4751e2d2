"""Who defines which name: the project's own modules and installed packages, read with :mod:`ast`, never imported."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from pytest_maestro_healer.evidence.files import ProjectFiles

DefinitionKind = Literal["function", "class", "variable", "import", "module", "method", "attribute"]

_PACKAGE_LIMIT = 3_000
_SOURCE_ROOTS = ("src", "lib", "python")


@dataclass(frozen=True)
class Definition:
    """One binding of a name at module or class level.

    ``qualname`` is the name inside the module (``Class.method``). ``origin`` is set for imports: the dotted name it was imported from
    (``pkg.mod.name``; ``pkg.mod`` for ``import pkg.mod``). ``path`` is root-relative for project files, else absolute.
    """

    name: str
    module: str
    path: str
    kind: DefinitionKind
    line: int
    qualname: str = ""
    origin: str = ""
    is_test: bool = False
    parameters: tuple[str, ...] = ()

    @property
    def dotted(self) -> str:
        """``module.qualname``."""
        return f"{self.module}.{self.qualname or self.name}" if self.module else self.qualname or self.name


@dataclass(frozen=True)
class ModuleInfo:
    """The names that one module binds. ``stars`` are the modules it star-imports, ``exports`` its ``__all__`` (``None`` without one)."""

    name: str
    path: str
    is_package: bool
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    members: Mapping[str, Definition] = field(default_factory=dict)
    stars: tuple[str, ...] = ()
    exports: tuple[str, ...] | None = None
    dynamic: bool = False

    def public(self) -> Sequence[str]:
        """What a star import would take."""
        if self.exports is not None:
            return self.exports
        return [n for n in self.definitions if not n.startswith("_")]


class SymbolIndex:
    """Definitions, imports and re-exports of the project (``files``) and, on demand, of installed packages.

    Files are read and parsed when a question needs them, once each. A file that does not parse has no definitions.
    """

    def __init__(self, files: ProjectFiles) -> None:
        self.files = files
        self._infos: dict[str, ModuleInfo] = {}
        self._bytes: dict[str, bytes] = {}
        self._trees: dict[str, ast.Module | None] = {}
        self._packages: dict[str, dict[str, str]] = {}

    # -- names of modules ----------------------------------------------------------------------------------
    @cached_property
    def _project(self) -> dict[str, str]:
        """Dotted module name -> path; product modules win over test modules of the same name."""
        out: dict[str, str] = {}
        for path in (*self.files.product_files, *self.files.test_files):
            out.setdefault(self.module_name(path), path)
        return out

    @cached_property
    def _inits(self) -> frozenset[str]:
        return frozenset(p.rpartition("/")[0] for p in self.files.python if p.rpartition("/")[2] == "__init__.py")

    def module_name(self, path: str) -> str:
        """The dotted name under which ``path`` is imported (by packages upwards, ``src`` and the like left out)."""
        parts = path[:-3].split("/") if path.endswith(".py") else path.split("/")
        first = len(parts) - 1
        while first > 0 and "/".join(parts[:first]) in self._inits:
            first -= 1
        above = parts[:first]
        if above and above[0] in _SOURCE_ROOTS:
            above = above[1:]
        if above and first == len(parts) - 1 and (self.files.is_test_code(path) or not all(p.isidentifier() for p in above)):
            above = []  # a lone module beside its tests: pytest puts its folder on sys.path
        elif above and first < len(parts) - 1 and self._is_namespace(parts[:first]) is False:
            above = []
        names = above + parts[first:]
        if names[-1] == "__init__":
            names.pop()
        return ".".join(names)

    def _is_namespace(self, above: Sequence[str]) -> bool:
        """Whether folders above a package take part in its name: only if they hold no project configuration or own modules."""
        folder = self.files.root.joinpath(*above)
        return not any((folder / n).exists() for n in ("pyproject.toml", "setup.py", "setup.cfg")) and above[0] not in ("tests", "test")

    def module_path(self, dotted: str) -> str | None:
        """The file of a project module or of a module of an installed package that is indexed by then; ``None`` if unknown."""
        if dotted in self._project:
            return self._project[dotted]
        return self.package(dotted.partition(".")[0]).get(dotted)

    def is_project_module(self, dotted: str) -> bool:
        """Whether the project itself has a module of that name (or a folder of modules)."""
        return dotted in self._project or any(m.startswith(dotted + ".") for m in self._project)

    def project_modules(self) -> Sequence[str]:
        """All dotted module names of the project, sorted."""
        return sorted(self._project)

    def package(self, top: str) -> Mapping[str, str]:
        """Dotted name -> file of every module of the project's or an installed package ``top``; empty if there is none."""
        if top not in self._packages:
            mine = {m: p for m, p in self._project.items() if m == top or m.startswith(top + ".")}
            self._packages[top] = mine or dict(_installed_modules(top))
        return self._packages[top]

    # -- contents ------------------------------------------------------------------------------------------
    def read(self, path: str) -> bytes:
        """The bytes of a module's file, empty when it cannot be read."""
        if path not in self._bytes:
            data = self.files.read(path)
            self._bytes[path] = data if data is not None else b""
        return self._bytes[path]

    def tree(self, path: str) -> ast.Module | None:
        """The syntax tree of a module's file, ``None`` if it does not parse."""
        if path not in self._trees:
            self._trees[path] = parse(self.read(path))
        return self._trees[path]

    def module(self, dotted: str) -> ModuleInfo | None:
        """What a module binds; ``None`` for an unknown module."""
        path = self.module_path(dotted)
        if path is None or not path.endswith(".py"):
            return None
        if path not in self._infos:
            self._infos[path] = index_module(dotted, path, self.tree(path), is_test=self.files.is_test_code(path))
        return self._infos[path]

    def find(self, name: str) -> Sequence[Definition]:
        """Every module-level binding of ``name`` in the project, product before tests, definitions before imports."""
        return sorted(self._search(name, self._project), key=lambda d: (d.is_test, d.kind == "import", d.module))

    def find_in_package(self, name: str, top: str) -> Sequence[Definition]:
        """Every module-level binding of ``name`` in package ``top``, public modules and shallow ones first."""
        found = self._search(name, self.package(top))
        return sorted(found, key=lambda d: (any(p.startswith("_") for p in d.module.split(".")), d.module.count("."), d.module))

    def _search(self, name: str, modules: Mapping[str, str]) -> Iterator[Definition]:
        word = re.compile(rb"\b" + re.escape(name.encode()) + rb"\b")
        for dotted, path in modules.items():
            if word.search(self.read(path)):
                info = self.module(dotted)
                if info is not None and name in info.definitions:
                    yield info.definitions[name]

    def members(self, dotted_class: str) -> Mapping[str, Definition]:
        """Methods and attributes that the body of a class (``pkg.mod.Class``) defines itself, by name."""
        module, _, cls = dotted_class.rpartition(".")
        info = self.module(module)
        if info is None:
            return {}
        return {d.name: d for q, d in info.members.items() if q.rpartition(".")[0] == cls}

    def resolve(self, module: str, name: str) -> Definition | None:
        """The definition behind ``from module import name``: re-exports and star imports followed; ``None`` if there is none.

        A submodule counts, as it does for the import statement.
        """
        seen: set[tuple[str, str]] = set()
        last: Definition | None = None
        while (module, name) not in seen:
            seen.add((module, name))
            info = self.module(module)
            if info is None:
                return last
            got = info.definitions.get(name)
            if got is None:
                for star in info.stars:
                    inner = self.resolve(star, name) if star != module else None
                    if inner is not None:
                        return inner
                path = self.module_path(f"{module}.{name}")
                return Definition(name, f"{module}.{name}", path, "module", 1) if path else last
            if got.kind != "import" or not got.origin:
                return got
            last = got
            if self.module_path(got.origin) is not None:
                return Definition(name, got.origin, self.module_path(got.origin) or "", "module", 1)
            module, _, name = got.origin.rpartition(".")
        return last

    def provides(self, module: str, name: str) -> bool:
        """Whether ``from module import name`` has something to take, as far as reading the files tells."""
        info = self.module(module)
        if info is None:
            return False
        return (
            name in info.definitions
            or self.module_path(f"{module}.{name}") is not None
            or any(self.resolve(s, name) for s in info.stars if s != module)
        )

    def body(self, definition: Definition) -> str:
        """A normalised text of a function's or class's body (docstring and name left out), to compare definitions; ``""`` if unknown."""
        tree = self.tree(definition.path)
        return body_of(tree, definition.qualname or definition.name) if tree is not None else ""


def parse(data: bytes) -> ast.Module | None:
    """``ast.parse`` without warnings; ``None`` for what does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def body_of(tree: ast.Module, qualname: str) -> str:
    """A normalised dump of the body of ``qualname``; equal texts mean equal code."""
    scope: Sequence[ast.stmt] = tree.body
    node: ast.stmt | None = None
    for part in qualname.split("."):
        node = next((n for n in flat(scope) if getattr(n, "name", None) == part), None)
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return ""
        scope = node.body
    body = list(scope)
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) and isinstance(body[0].value.value, str):
        body = body[1:]
    head = ast.dump(node.args) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else ""
    return "\n".join([head, *(ast.dump(n) for n in body)])


def flat(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a scope, those inside its ``if``, ``try``, ``with`` and loops included."""
    for node in body:
        yield node
        for part in ("body", "orelse", "finalbody"):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                yield from flat(getattr(node, part, ()))
        for handler in getattr(node, "handlers", ()):
            yield from flat(handler.body)


def index_module(name: str, path: str, tree: ast.Module | None, *, is_test: bool = False) -> ModuleInfo:
    """The bindings of one parsed module."""
    is_package = path.endswith("__init__.py")
    if tree is None:
        return ModuleInfo(name, path, is_package)
    collector = _Collector(name, path, is_package, is_test)
    collector.scope(tree.body)
    c = collector
    return ModuleInfo(name, path, is_package, c.definitions, c.members, tuple(c.stars), c.exports, dynamic="__getattr__" in c.definitions)


class _Collector:
    def __init__(self, module: str, path: str, is_package: bool, is_test: bool) -> None:
        self.module, self.path, self.is_package, self.is_test = module, path, is_package, is_test
        self.definitions: dict[str, Definition] = {}
        self.members: dict[str, Definition] = {}
        self.stars: list[str] = []
        self.exports: tuple[str, ...] | None = None

    def add(self, name: str, kind: DefinitionKind, line: int, *, cls: str = "", origin: str = "", parameters: tuple[str, ...] = ()) -> None:
        qualname = f"{cls}.{name}" if cls else name
        new = Definition(name, self.module, self.path, kind, line, qualname, origin, self.is_test, parameters)
        if cls:
            self.members[qualname] = new
        elif name not in self.definitions or self.definitions[name].kind in ("import", "variable"):
            self.definitions[name] = new

    def scope(self, body: Sequence[ast.stmt], cls: str = "") -> None:
        for node in flat(body):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.add(node.name, "method" if cls else "function", node.lineno, cls=cls, parameters=parameter_names(node))
            elif isinstance(node, ast.ClassDef):
                self.add(node.name, "class", node.lineno, cls=cls)
                self.scope(node.body, f"{cls}.{node.name}" if cls else node.name)
            elif isinstance(node, (ast.Import, ast.ImportFrom)) and not cls:
                self.imports(node)
            else:
                for name in bound_names(node):
                    self.add(name, "attribute" if cls else "variable", node.lineno, cls=cls)
                if not cls:
                    self.dunder_all(node)

    def imports(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.Import):
            for a in node.names:
                self.add(a.asname or a.name.partition(".")[0], "import", node.lineno, origin=a.name if a.asname else a.name.partition(".")[0])
            return
        base = absolute_module(node, self.module, self.is_package)
        for a in node.names:
            if a.name == "*":
                self.stars.append(base)
            else:
                self.add(a.asname or a.name, "import", node.lineno, origin=f"{base}.{a.name}" if base else a.name)

    def dunder_all(self, node: ast.stmt) -> None:
        if (
            isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign))
            and "__all__" in bound_names(node)
            and isinstance(node.value, (ast.List, ast.Tuple))
        ):
            names = [e.value for e in node.value.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]
            self.exports = (self.exports or ()) + tuple(names)


def parameter_names(node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[str, ...]:
    """Parameter names in order; ``*args`` and ``**kwargs`` with their stars, a bare ``*`` where keyword-only ones follow."""
    a = node.args
    names = [p.arg for p in (*a.posonlyargs, *a.args)]
    if a.vararg:
        names.append("*" + a.vararg.arg)
    elif a.kwonlyargs:
        names.append("*")
    names += [p.arg for p in a.kwonlyargs]
    return (*names, *(["**" + a.kwarg.arg] if a.kwarg else []))


def bound_names(node: ast.stmt) -> list[str]:
    """Names that an assignment, loop or with statement binds."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.For, ast.AsyncFor)):
        targets = [node.target]
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        targets = [i.optional_vars for i in node.items if i.optional_vars is not None]
    elif sys.version_info >= (3, 12) and isinstance(node, ast.TypeAlias):
        targets = [node.name]
    return [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]


def absolute_module(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    """The absolute module of a ``from ... import``, given the importing module; ``""`` if it points above the top."""
    if not node.level:
        return node.module or ""
    parts = module.split(".") if module else []
    up = node.level - (1 if is_package else 0)
    if up > len(parts):
        return ""
    base = parts[: len(parts) - up] if up else parts
    return ".".join([*base, *([node.module] if node.module else [])])


def _installed_modules(top: str) -> Iterator[tuple[str, str]]:
    """Dotted name and file of each module of an importable top-level package, found without importing it."""
    try:
        spec = importlib.util.find_spec(top) if top.isidentifier() else None
    except (ValueError, ImportError, AttributeError):
        spec = None
    if spec is None:
        return
    if not spec.submodule_search_locations:
        if spec.origin and spec.origin not in ("built-in", "frozen"):
            yield top, spec.origin
        elif spec.origin == "frozen" and (path := getattr(sys.modules.get(top), "__file__", None)):
            yield top, path
        return
    count = 0
    for location in spec.submodule_search_locations:
        for folder, dirs, names in os.walk(location):
            relative = Path(folder).relative_to(location).parts
            dirs[:] = sorted(d for d in dirs if d.isidentifier() and d != "__pycache__")
            for n in sorted(names):
                stem, _, suffix = n.partition(".")
                if stem.isidentifier() and (suffix == "py" or suffix.endswith((".so", ".pyd")) or suffix in ("so", "pyd")):
                    yield ".".join([top, *relative, *([] if stem == "__init__" else [stem])]), os.path.join(folder, n)
                    count += 1
            if count > _PACKAGE_LIMIT:
                return
