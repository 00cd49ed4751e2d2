"""What an expression of a test file stands for: a module, a class, a function or an instance of a class, by reading only."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.similarity import Function, fields_of, returns
from pytest_maestro_healer.evidence.symbols import absolute_module, flat

RefKind = Literal["module", "class", "instance", "function", "value"]
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEPTH = 8


@dataclass(frozen=True)
class Ref:
    """``dotted`` is the canonical place of a module, class or function; for an instance that of its class; for a value its own."""

    kind: RefKind
    dotted: str


class Classes:
    """Canonical names and base classes, from the sources where they can be read, else from the running interpreter."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx

    def split(self, dotted: str) -> tuple[str, str]:
        """(module, qualified name inside it) of a dotted name; the module is ``""`` when no prefix is one."""
        parts = dotted.split(".")
        for cut in range(len(parts), 0, -1):
            module = ".".join(parts[:cut])
            if self.ctx.symbols.module_path(module) is not None or self.ctx.live.module(module) is not None:
                return module, ".".join(parts[cut:])
        return "", dotted

    def path(self, dotted: str) -> str | None:
        """The file that a dotted name's module stands in."""
        module, _ = self.split(dotted)
        return self.ctx.symbols.module_path(module) if module else None

    def member(self, ref: Ref, name: str) -> Ref | None:
        """What ``ref.name`` is."""
        symbols = self.ctx.symbols
        if ref.kind == "module":
            found = symbols.resolve(ref.dotted, name) if symbols.module(ref.dotted) is not None else None
            if found is not None and found.kind != "import":
                kinds: dict[str, RefKind] = {"module": "module", "class": "class", "function": "function", "variable": "value"}
                return Ref(kinds.get(found.kind, "value"), found.module if found.kind == "module" else found.dotted)
            return self.live(f"{ref.dotted}.{name}")
        if ref.kind in ("class", "instance"):
            return self._class_member(ref, name)
        return None

    def _class_member(self, ref: Ref, name: str) -> Ref | None:
        for cls in self.mro(ref.dotted):
            module, qualname = self.split(cls)
            info = self.ctx.symbols.module(module) if module else None
            got = info.members.get(f"{qualname}.{name}") if info is not None else None
            if got is not None:
                return Ref("function" if got.kind == "method" else "class" if got.kind == "class" else "value", f"{cls}.{name}")
            node = self.class_node(cls)
            typed = self._annotated(node, name, module) if node is not None else None
            if typed is not None:
                return typed
        found, obj = self.ctx.live.get(f"{ref.dotted}.{name}")
        if not found:
            return None
        return Ref("function" if inspect.isroutine(obj) or isinstance(obj, (staticmethod, classmethod)) else "value", f"{ref.dotted}.{name}")

    def _annotated(self, node: ast.ClassDef, name: str, module: str) -> Ref | None:
        """The class of an attribute that the class body annotates or ``__init__`` sets to a new object."""
        for stmt in ast.walk(node):
            if isinstance(stmt, ast.AnnAssign) and last_name(stmt.target) == name:
                return self.named(stmt.annotation, module)
            sets = isinstance(stmt, ast.Assign) and any(isinstance(t, ast.Attribute) and t.attr == name for t in stmt.targets)
            if sets and isinstance(stmt, ast.Assign) and isinstance(stmt.value, ast.Call):
                return self.named(stmt.value.func, module)
        return None

    def named(self, node: ast.expr | None, module: str) -> Ref | None:
        """An instance of the class that an annotation (or constructor) in ``module`` names; ``None`` where it names no class."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                node = ast.parse(node.value, mode="eval").body
            except SyntaxError:
                return None
        if isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant) and node.right.value is None:
            node = node.left
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "Optional":
            node = node.slice
        chain = _chain(node)
        if not chain:
            return None
        ref: Ref | None = Ref("module", module)
        for part in chain:
            ref = self.member(ref, part) if ref is not None else None
        return Ref("instance", ref.dotted) if ref is not None and ref.kind == "class" else None

    def live(self, dotted: str) -> Ref | None:
        """A reference to what the running interpreter has under a dotted name."""
        found, obj = self.ctx.live.get(dotted)
        if not found:
            return None
        if inspect.ismodule(obj):
            return Ref("module", obj.__name__)
        if inspect.isclass(obj):
            return Ref("class", self._home(obj, dotted))
        if inspect.isroutine(obj):
            return Ref("function", self._home(obj, dotted))
        cls = type(obj)
        if cls.__module__ in ("builtins", "typing", "types"):
            return Ref("value", dotted)
        return Ref("instance", self._home(cls, dotted))

    def _home(self, obj: Any, dotted: str) -> str:
        home = f"{getattr(obj, '__module__', '')}.{getattr(obj, '__qualname__', '')}"
        found, other = self.ctx.live.get(home) if "<" not in home else (False, None)
        return home if found and other is obj else dotted

    def class_node(self, dotted: str) -> ast.ClassDef | None:
        """The syntax of a class whose source is known."""
        module, qualname = self.split(dotted)
        path = self.ctx.symbols.module_path(module) if module else None
        tree = self.ctx.symbols.tree(path) if path and path.endswith(".py") else None
        node = find_node(tree, qualname)
        return node if isinstance(node, ast.ClassDef) else None

    def function_node(self, dotted: str) -> Function | None:
        """The syntax of a function or method whose source is known (not inherited)."""
        module, qualname = self.split(dotted)
        path = self.ctx.symbols.module_path(module) if module else None
        tree = self.ctx.symbols.tree(path) if path and path.endswith(".py") else None
        node = find_node(tree, qualname)
        return node if isinstance(node, _FUNCTIONS) else None

    def mro(self, dotted: str) -> Sequence[str]:
        """The class and its bases by canonical name, nearest first."""
        out: list[str] = []
        todo = [dotted]
        while todo and len(out) < 40:
            cls = todo.pop(0)
            if cls in out:
                continue
            out.append(cls)
            node = self.class_node(cls)
            if node is not None:
                module, _ = self.split(cls)
                todo += [r.dotted for b in node.bases if (r := self.named(b, module)) is not None]
                continue
            found, obj = self.ctx.live.get(cls)
            if found and inspect.isclass(obj):
                out += [n for c in obj.__mro__[1:-1] if (n := f"{c.__module__}.{c.__qualname__}") not in out]
        return out

    def result(self, dotted: str, owner: str = "") -> Ref | None:
        """What calling a function gives, where its annotation or its return statements name a class; ``owner`` is the receiver's class."""
        node = self.function_node(dotted)
        if node is None:
            return None
        module, qualname = self.split(dotted)
        if node.returns is not None:
            if isinstance(node.returns, ast.Name) and node.returns.id == "Self" and owner:
                return Ref("instance", owner)
            named = self.named(node.returns, module)
            if named is not None:
                return named
        cls = f"{module}.{qualname.rpartition('.')[0]}" if "." in qualname else ""
        refs = {self._returned(v, node, module, owner or cls) for v in returns(node)}
        return refs.pop() if len(refs) == 1 else None

    def _returned(self, value: ast.expr, function: Function, module: str, owner: str) -> Ref | None:
        first = function.args.args[0].arg if function.args.args else ""
        if owner and isinstance(value, ast.Name) and value.id == first and first in ("self", "cls"):
            return Ref("instance", owner)
        if isinstance(value, ast.Call):
            if owner and isinstance(value.func, ast.Name) and value.func.id == first == "cls":
                return Ref("instance", owner)
            return self.named(value.func, module)
        return None

    def fields(self, dotted: str) -> list[str]:
        """The fields of a class in order: from its source, else from dataclass or namedtuple facts of the running interpreter."""
        node = self.class_node(dotted)
        if node is not None:
            return fields_of(node)
        found, obj = self.ctx.live.get(dotted)
        if not found:
            return []
        return [str(n) for n in (getattr(obj, "_fields", None) or getattr(obj, "__dataclass_fields__", None) or ())]


def find_node(tree: ast.Module | None, qualname: str) -> ast.stmt | None:
    """The definition statement of a qualified name."""
    node: ast.stmt | None = None
    body: Sequence[ast.stmt] = tree.body if tree is not None else ()
    for part in qualname.split("."):
        node = next((n for n in flat(body) if getattr(n, "name", None) == part), None)
        if node is None:
            return None
        body = getattr(node, "body", [])
    return node


class Resolver:
    """Resolves the expressions of one test file."""

    def __init__(self, src: SourceFile, ctx: Context) -> None:
        self.src = src
        self.ctx = ctx
        self.classes = Classes(ctx)
        self.module = ctx.symbols.module_name(src.path)

    @cached_property
    def up(self) -> dict[ast.AST, ast.AST]:
        """Child -> parent."""
        tree = self.src.tree
        return {c: n for n in ast.walk(tree) for c in ast.iter_child_nodes(n)} if tree is not None else {}

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around ``node``, innermost first."""
        at = self.up.get(node)
        while at is not None:
            yield at
            at = self.up.get(at)

    def function_of(self, node: ast.AST) -> Function | None:
        """The innermost function around ``node``."""
        return next((n for n in self.above(node) if isinstance(n, _FUNCTIONS)), None)

    # -- expressions ---------------------------------------------------------------------------------------
    def ref(self, node: ast.AST | None, depth: int = 0) -> Ref | None:
        """What an expression stands for; ``None`` where reading does not tell."""
        if depth > _DEPTH or node is None:
            return None
        if isinstance(node, ast.Name):
            return self._name(node, depth)
        if isinstance(node, ast.Attribute):
            own = self._own_attribute(node, depth)
            if own is not None:
                return own
            base = self.ref(node.value, depth + 1)
            return self.classes.member(base, node.attr) if base is not None else None
        if isinstance(node, ast.Call):
            return self.call(node, depth)
        if isinstance(node, ast.Await):
            return self.ref(node.value, depth + 1)
        if isinstance(node, ast.NamedExpr):
            return self.ref(node.value, depth + 1)
        return None

    def call(self, node: ast.Call, depth: int = 0) -> Ref | None:
        """What a call gives: an instance for a class, the returned class for a function that names it."""
        target = self.ref(node.func, depth + 1)
        if target is None:
            return None
        if target.kind == "class":
            return Ref("instance", target.dotted)
        if target.kind == "function":
            owner = self.ref(node.func.value, depth + 1) if isinstance(node.func, ast.Attribute) else None
            return self.classes.result(target.dotted, owner.dotted if owner is not None and owner.kind in ("class", "instance") else "")
        return None

    def _own_attribute(self, node: ast.Attribute, depth: int) -> Ref | None:
        """``self.x`` inside a test class: what its methods or body set it to."""
        cls = next((n for n in self.above(node) if isinstance(n, ast.ClassDef)), None)
        if cls is None or not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")):
            return None
        for stmt in ast.walk(cls):
            if isinstance(stmt, ast.Assign) and stmt.value is not node:
                for t in stmt.targets:
                    mine = isinstance(t, ast.Attribute) and t.attr == node.attr and isinstance(t.value, ast.Name) and t.value.id in ("self", "cls")
                    if mine or (isinstance(t, ast.Name) and t.id == node.attr and stmt in cls.body):
                        return self.ref(stmt.value, depth + 1)
        return self._set_from_outside(cls, node.attr, depth)

    def _set_from_outside(self, cls: ast.ClassDef, name: str, depth: int) -> Ref | None:
        """What a fixture that the class is marked to use sets by ``request.cls`` or ``request.instance``."""
        used = [d for d in cls.decorator_list if isinstance(d, ast.Call) and isinstance(d.func, ast.Attribute) and d.func.attr == "usefixtures"]
        for word in (a.value for d in used for a in d.args if isinstance(a, ast.Constant) and isinstance(a.value, str)):
            for src, function in fixtures(word, self.src.path, self.ctx)[:1]:
                for stmt in ast.walk(function):
                    for t in stmt.targets if isinstance(stmt, ast.Assign) else ():
                        if isinstance(t, ast.Attribute) and t.attr == name and _chain(t.value) in (["request", "cls"], ["request", "instance"]):
                            assert isinstance(stmt, ast.Assign)
                            return resolver(src, self.ctx).ref(stmt.value, depth + 1)
        return None

    # -- names ---------------------------------------------------------------------------------------------
    def _name(self, node: ast.Name, depth: int) -> Ref | None:
        if self.src.tree is None:
            return None
        for scope in self.above(node):
            if isinstance(scope, (*_FUNCTIONS, ast.Lambda)):
                found, ref = self._in_function(node, scope, depth)
                if found:
                    return ref
            elif isinstance(scope, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)) and any(
                isinstance(n, ast.Name) and n.id == node.id for g in scope.generators for n in ast.walk(g.target)
            ):
                return None
        return self._bound(node, list(flat(self.src.tree.body)), depth)[1]

    def _in_function(self, node: ast.Name, scope: Function | ast.Lambda, depth: int) -> tuple[bool, Ref | None]:
        if isinstance(scope, ast.Lambda):
            return any(a.arg == node.id for a in ast.walk(scope.args) if isinstance(a, ast.arg)), None
        found, ref = self._bound(node, list(flat(scope.body)), depth)
        if found:
            return True, ref
        arg = next((a for a in ast.walk(scope.args) if isinstance(a, ast.arg) and a.arg == node.id), None)
        if arg is None:
            return False, None
        if arg.annotation is not None:
            named = self.ref(arg.annotation, depth + 1)
            if named is not None and named.kind == "class":
                return True, Ref("instance", named.dotted)
        return True, self._fixture(node.id, scope, depth)

    def _bound(self, node: ast.Name, body: Sequence[ast.stmt], depth: int) -> tuple[bool, Ref | None]:
        """The last binding of a name before its use among ``body`` (or the only one after)."""
        bindings = [s for s in body if _binds(s, node.id)]
        before = [s for s in bindings if s.lineno < node.lineno or (s.lineno == node.lineno and node not in set(ast.walk(s)))]
        # an assignment's own right side reads the binding before it
        before = [s for s in before if not (isinstance(s, (ast.Assign, ast.AnnAssign)) and node in set(ast.walk(s)))]
        if not bindings:
            return False, None
        stmt = (before or bindings)[-1] if before else bindings[0]
        return True, self._binding(stmt, node.id, depth)

    def _binding(self, stmt: ast.stmt, name: str, depth: int) -> Ref | None:
        if isinstance(stmt, (ast.Import, ast.ImportFrom)):
            return self._imported(stmt, name)
        if isinstance(stmt, ast.ClassDef):
            bases = [r for b in stmt.bases if (r := self.ref(b, depth + 1)) is not None and r.kind == "class"]
            return bases[0] if bases else Ref("class", f"{self.module}.{name}")
        if isinstance(stmt, _FUNCTIONS):
            return None if stmt.decorator_list else Ref("function", f"{self.module}.{name}")
        if isinstance(stmt, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in stmt.targets):
            return self.ref(stmt.value, depth + 1)
        if isinstance(stmt, ast.AnnAssign):
            return self.ref(stmt.value, depth + 1) if stmt.value is not None else None
        if isinstance(stmt, (ast.With, ast.AsyncWith)):
            for item in stmt.items:
                if isinstance(item.optional_vars, ast.Name) and item.optional_vars.id == name:
                    ref = self.ref(item.context_expr, depth + 1)
                    return ref if ref is not None and ref.kind == "instance" else None
        return None

    def _imported(self, stmt: ast.Import | ast.ImportFrom, name: str) -> Ref | None:
        for a in stmt.names:
            bound = a.asname or (a.name.partition(".")[0] if isinstance(stmt, ast.Import) else a.name)
            if bound != name:
                continue
            if isinstance(stmt, ast.Import):
                return Ref("module", a.name if a.asname else bound)
            base = absolute_module(stmt, self.module, self.src.path.endswith("__init__.py"))
            return self.classes.member(Ref("module", base), a.name)
        return None

    def _fixture(self, name: str, function: Function, depth: int) -> Ref | None:
        """What the fixture of that name gives."""
        if depth > 4 or not (function.name.startswith("test") or is_fixture(function)):
            return None
        for src, node in fixtures(name, self.src.path, self.ctx):
            if node is function:
                continue
            other = resolver(src, self.ctx)
            values = [n.value for n in ast.walk(node) if isinstance(n, (ast.Return, ast.Yield)) and n.value is not None]
            if values:
                return other.ref(values[-1], depth + 1)
        return None


def _binds(stmt: ast.stmt, name: str) -> bool:
    if isinstance(stmt, (ast.Import, ast.ImportFrom)):
        return any((a.asname or (a.name.partition(".")[0] if isinstance(stmt, ast.Import) else a.name)) == name for a in stmt.names)
    if isinstance(stmt, (*_FUNCTIONS, ast.ClassDef)):
        return stmt.name == name
    targets: list[ast.AST] = []
    if isinstance(stmt, ast.Assign):
        targets = list(stmt.targets)
    elif isinstance(stmt, (ast.AnnAssign, ast.AugAssign, ast.For, ast.AsyncFor)):
        targets = [stmt.target]
    elif isinstance(stmt, (ast.With, ast.AsyncWith)):
        targets = [i.optional_vars for i in stmt.items if i.optional_vars is not None]
    return any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store) for t in targets for n in ast.walk(t))


def is_fixture(function: Function) -> bool:
    """Whether a function is decorated as a pytest fixture."""
    return any("fixture" in ast.dump(d) for d in function.decorator_list)


@lru_cache(maxsize=1024)
def _fixtures_of(src: SourceFile) -> tuple[tuple[Function, str], ...]:
    """The fixtures that a file defines, each with its first decorator as text."""
    if b"fixture" not in src.data or src.tree is None:
        return ()
    return tuple((n, ast.dump(n.decorator_list[0])) for n in ast.walk(src.tree) if isinstance(n, _FUNCTIONS) and is_fixture(n))


def fixtures(name: str, path: str, ctx: Context) -> list[tuple[SourceFile, Function]]:
    """The definitions of a fixture that a test in ``path`` may see, nearest first: its own file, then the conftest files upwards, then helpers."""
    found: list[tuple[int, SourceFile, Function]] = []
    folder = path.rpartition("/")[0]
    for src in ctx.test_files_with(name):
        home = src.path.rpartition("/")[0]
        rank = (
            0
            if src.path == path
            else 1 + len(folder) - len(home)
            if src.path.endswith("conftest.py") and (folder + "/").startswith(home + "/" if home else "")
            else 999
        )
        found += [(rank, src, node) for node, how in _fixtures_of(src) if node.name == name or f"'{name}'" in how]
    return [(s, n) for _, s, n in sorted(found, key=lambda f: f[0])]


@lru_cache(maxsize=256)
def resolver(src: SourceFile, ctx: Context) -> Resolver:
    """The resolver of a file in one healing step."""
    return Resolver(src, ctx)


def _chain(node: ast.AST | None) -> list[str]:
    out: list[str] = []
    while isinstance(node, ast.Attribute):
        out.append(node.attr)
        node = node.value
    return [node.id, *reversed(out)] if isinstance(node, ast.Name) else []
