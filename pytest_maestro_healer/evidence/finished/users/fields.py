"""Which arguments a class takes: those of its ``__init__``, or of the one that ``dataclass`` makes from its fields."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.symbols import parse

#: Bases and decorators that do nothing to what a class is made with.
_BASES = frozenset({"object", "typing.Generic", "typing.Protocol", "abc.ABC"})
_DECORATORS = frozenset({"functools.total_ordering", "typing.final"})
#: Arguments of ``dataclass`` that do nothing to it either.
_SILENT = frozenset({"repr", "eq", "order", "unsafe_hash", "frozen", "match_args", "slots", "weakref_slot"})
_DEPTH = 8


@dataclass(frozen=True)
class _Field:
    """A field: whether it has a default, is an argument at all, and one by its name only."""

    default: bool = False
    argument: bool = True
    by_name: bool = False


class Signatures:
    """Reads the arguments of classes from the files that ``tree`` gives; what it cannot be sure of has none."""

    def __init__(self, ctx: Context, tree: Callable[[str], ast.Module | None]) -> None:
        self.ctx, self.tree = ctx, tree

    def of(self, path: str, cls: ast.ClassDef) -> ast.arguments | None:
        """The arguments, ``self`` first; ``None`` where bases, decorators or fields leave them open."""
        return self._of(path, cls, _DEPTH)

    def _of(self, path: str, cls: ast.ClassDef, depth: int) -> ast.arguments | None:
        own = [n for n in cls.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) and n.name in ("__init__", "__new__")]
        if own:
            plain = len(own) == 1 and own[0].name == "__init__" and not own[0].decorator_list
            return own[0].args if plain and not cls.keywords else None
        tree, options = self.tree(path), self._options(path, cls)
        if tree is None or options is None or not depth:
            return None
        if options:
            fields = self._fields(path, cls, depth)
            return _arguments(fields) if fields is not None else None
        base = self._base(path, cls)
        if base is None:
            return None
        return self._of(*base[0], depth - 1) if base else ast.arguments([], [ast.arg("self")], None, [], [], None, [])

    def _options(self, path: str, cls: ast.ClassDef) -> dict[str, bool] | None:
        """How ``dataclass`` is called, with ``made`` if it is; empty for another class, ``None`` where something else has a hand in it."""
        tree = self.tree(path)
        if tree is None or cls.keywords:
            return None
        out: dict[str, bool] = {}
        for decorator in cls.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else None
            word = _origin(tree, call.func if call else decorator)
            if word in _DECORATORS and call is None:
                continue
            if word != "dataclasses.dataclass" or (call and call.args):
                return None
            out["made"] = True
            for k in call.keywords if call else ():
                if k.arg is None or not isinstance(k.value, ast.Constant) or (k.arg == "init" and k.value.value is not True):
                    return None
                if k.arg not in (*_SILENT, "init", "kw_only"):
                    return None
                out[k.arg] = bool(k.value.value)
        return out

    def _base(self, path: str, cls: ast.ClassDef) -> list[tuple[str, ast.ClassDef]] | None:
        """The class of the product that a class inherits from, if any; ``None`` where there are several, or one of somebody else."""
        tree = self.tree(path)
        out: list[tuple[str, ast.ClassDef]] = []
        for base in cls.bases:
            named = base.value if isinstance(base, ast.Subscript) else base
            if tree is None or _origin(tree, named) in _BASES:
                continue
            found = self.ctx.symbols.resolve(self.ctx.symbols.module_name(path), named.id) if isinstance(named, ast.Name) else None
            inner = self.tree(found.path) if found is not None and self.ctx.symbols.is_project_module(found.module) else None
            there = [n for n in ast.walk(inner) if isinstance(n, ast.ClassDef) and n.name == found.name] if inner is not None and found else []
            if found is None or len(there) != 1 or there[0] is cls:
                return None
            out.append((found.path, there[0]))
        return out if len(out) < 2 else None

    def _fields(self, path: str, cls: ast.ClassDef, depth: int) -> dict[str, _Field] | None:
        tree, options, base = self.tree(path), self._options(path, cls), self._base(path, cls)
        if tree is None or options is None or base is None or not depth or any(_called(n) in ("__new__", "__init_subclass__") for n in cls.body):
            return None
        out: dict[str, _Field] | None = self._fields(*base[0], depth - 1) if base else {}
        if out is None or not options:
            return out
        taken = {name for p, b in base for name in self._bound(p, b, depth)}
        by_name, own = options.get("kw_only", False), set()
        for node in cls.body:
            if not isinstance(node, ast.AnnAssign):
                if isinstance(node, (ast.If, ast.Try, ast.For, ast.While, ast.With)) and any(isinstance(n, ast.AnnAssign) for n in ast.walk(node)):
                    return None
                continue
            kind = _type(tree, node.annotation)
            if not isinstance(node.target, ast.Name) or not kind or node.target.id in own:
                return None
            if kind == "dataclasses.KW_ONLY":
                by_name = True
            elif kind != "typing.ClassVar":
                found = _field(tree, node.value)
                if found is None or (node.value is None and node.target.id in taken):
                    return None  # it would have the default of what it inherits
                own.add(node.target.id)
                out[node.target.id] = replace(found, by_name=found.by_name or by_name)
        others = {name for node in cls.body if not isinstance(node, ast.AnnAssign) for name in _names(node)}
        return None if others & out.keys() else out

    def _bound(self, path: str, cls: ast.ClassDef, depth: int) -> Iterator[str]:
        """What the body of a class or of one that it inherits from gives a name."""
        yield from (name for node in cls.body for name in _names(node))
        for inner in (self._base(path, cls) or ()) if depth else ():
            yield from self._bound(*inner, depth - 1)


def _field(tree: ast.Module, value: ast.expr | None) -> _Field | None:
    """What the value of a field says of it; ``None`` where a call may say more."""
    call = value if isinstance(value, ast.Call) else None
    if call is None:
        return _Field(default=value is not None)
    if _origin(tree, call.func) != "dataclasses.field":
        word = _origin(tree, call.func).rpartition(".")[2]
        return _Field(default=True) if word[:1].isupper() or hasattr(builtins, word) else None
    out = _Field()
    for k in call.keywords:
        if k.arg in ("default", "default_factory"):
            out = replace(out, default=True)
        elif k.arg in ("init", "kw_only"):
            if not isinstance(k.value, ast.Constant):
                return None
            out = replace(out, argument=bool(k.value.value)) if k.arg == "init" else replace(out, by_name=bool(k.value.value))
        elif k.arg not in ("repr", "hash", "compare", "doc"):
            return None  # metadata tell others how to make it
    return None if call.args else out


def _arguments(fields: dict[str, _Field]) -> ast.arguments | None:
    """The arguments of the ``__init__`` that is made for fields."""
    given = {name: f for name, f in fields.items() if f.argument}
    plain = [name for name, f in given.items() if not f.by_name]
    named = [name for name, f in given.items() if f.by_name]
    defaults = [given[name].default for name in plain]
    if sorted(defaults) != defaults:
        return None  # Python refuses that
    value = ast.Constant(None)
    return ast.arguments(
        [],
        [ast.arg(name) for name in ("self", *plain)],
        None,
        [ast.arg(name) for name in named],
        [value if given[name].default else None for name in named],
        None,
        [value] * sum(defaults),
    )


def _type(tree: ast.Module, annotation: ast.expr) -> str:
    """Where the outer name of an annotation comes from; ``""`` where it is a text that is none."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        parsed = parse(annotation.value.encode())
        first = parsed.body[0] if parsed is not None and len(parsed.body) == 1 else None
        if not isinstance(first, ast.Expr):
            return ""
        annotation = first.value
    named = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return (_origin(tree, named) or "?").replace("typing_extensions.", "typing.")


def _origin(tree: ast.Module, node: ast.expr) -> str:
    """The dotted name of what an expression names, from where the file imports it: ``dataclasses.field`` of ``dc.field``."""
    parts = ast.unparse(node).split(".")
    for n in ast.walk(tree):
        if isinstance(n, (ast.Import, ast.ImportFrom)):
            for a in n.names:
                if (a.asname or a.name) == parts[0]:
                    module = "" if isinstance(n, ast.Import) else "." * n.level + (n.module or "") + "."
                    return ".".join([module + a.name, *parts[1:]])
    return ".".join(parts)


def _called(node: ast.stmt) -> str:
    return node.name if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) else ""


def _names(node: ast.stmt) -> set[str]:
    """The names that a statement of a class's body binds."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
