"""Where test code uses a symbol: only places that resolve to it, or that are shown to fail for its lack."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.symbols import absolute_module
from pytest_maestro_healer.model import Failure
from pytest_maestro_healer.strategies.api_contract_adaptation.cause import Gone, nodes_at
from pytest_maestro_healer.strategies.api_contract_adaptation.resolve import Classes, Ref, Resolver, resolver


@dataclass(frozen=True, eq=False)
class Use:
    """One use: an attribute, an imported name, a plain name, a definition in a subclass or a dotted string."""

    src: SourceFile
    node: ast.AST
    resolver: Resolver


def owner_matches(ref: Ref | None, gone: Gone, classes: Classes) -> bool | None:
    """Whether ``ref`` is the owner of the gone name (or a subclass, an instance of one); ``None`` where nothing is known of it."""
    if ref is None:
        return None
    if gone.kind == "module":
        return ref.kind == "module" and ref.dotted == gone.owner
    if ref.kind not in ("class", "instance"):
        return None if ref.kind in ("value", "function") else False
    return ref.dotted == gone.owner or gone.owner in classes.mro(ref.dotted)


def attribute_uses(owners: Sequence[Gone], ctx: Context, failures: Sequence[Failure]) -> list[Use]:
    """All attribute accesses of a gone name: ``owners`` are the same name under the class that lacks it and those that defined it."""
    name = owners[0].name
    failing: dict[str, set[tuple[int, int]]] = {}
    receivers: dict[tuple[str, ast.AST | None], set[str]] = {}
    for f in failures:
        for src, node in nodes_at(f, ctx, ast.Attribute):
            if node.attr == name:
                failing.setdefault(src.path, set()).add((node.lineno, node.end_col_offset or 0))
                where = resolver(src, ctx).function_of(node)
                receivers.setdefault((src.path, where), set()).add(ast.dump(node.value))
    out: list[Use] = []
    for src in ctx.test_files_with(name):
        if src.tree is None:
            continue
        names = resolver(src, ctx)
        for node in [n for n in ast.walk(src.tree) if isinstance(n, ast.Attribute) and n.attr == name]:
            verdicts = [owner_matches(names.ref(node.value), g, names.classes) for g in owners]
            known = True if any(v is True for v in verdicts) else None if any(v is None for v in verdicts) else False
            shown = (node.lineno, node.end_col_offset or 0) in failing.get(src.path, ())
            alike = ast.dump(node.value) in receivers.get((src.path, names.function_of(node)), ())
            if known or shown or (known is None and alike):
                out.append(Use(src, node, names))
    return out


def overriding(owner: str, name: str, ctx: Context) -> Iterator[Use]:
    """Methods of that name in test classes that derive from ``owner``."""
    for src in ctx.test_files_with(f"def {name}"):
        names = resolver(src, ctx)
        for cls in ast.walk(src.tree) if src.tree is not None else ():
            if not isinstance(cls, ast.ClassDef):
                continue
            bases = [names.ref(b) for b in cls.bases]
            if any(b is not None and b.kind == "class" and owner in names.classes.mro(b.dotted) for b in bases):
                for stmt in cls.body:
                    if isinstance(stmt, (ast.FunctionDef, ast.AsyncFunctionDef)) and stmt.name == name:
                        yield Use(src, stmt, names)


@dataclass(frozen=True, eq=False)
class ImportedName:
    """``name`` imported from ``module`` by one statement, with the reads of what it binds."""

    src: SourceFile
    statement: ast.ImportFrom
    alias: ast.alias
    module: str
    reads: tuple[ast.Name, ...]
    resolver: Resolver


def imported_names(module: str, name: str, ctx: Context) -> list[ImportedName]:
    """Every ``from module import name`` in test code; modules that used to hand the name on count as well."""
    out: list[ImportedName] = []
    for src in ctx.test_files_with(name):
        names = resolver(src, ctx)
        for node in ast.walk(src.tree) if src.tree is not None else ():
            if not isinstance(node, ast.ImportFrom) or not any(a.name == name for a in node.names):
                continue
            base = absolute_module(node, names.module, src.path.endswith("__init__.py"))
            if base != module and not (module.startswith(base + ".") and not ctx.symbols.provides(base, name)):
                continue
            for a in node.names:
                if a.name == name:
                    out.append(ImportedName(src, node, a, base, tuple(_reads(src, names, a.asname or name, node)), names))
    return out


def _reads(src: SourceFile, names: Resolver, bound: str, statement: ast.stmt) -> Iterator[ast.Name]:
    scope = names.function_of(statement)
    assert src.tree is not None
    for node in ast.walk(scope or src.tree):
        if isinstance(node, ast.Name) and node.id == bound and isinstance(node.ctx, ast.Load) and not _shadowed(node, names, bound, scope):
            yield node


def _shadowed(node: ast.Name, names: Resolver, bound: str, scope: ast.AST | None) -> bool:
    for outer in names.above(node):
        if outer is scope:
            return False
        if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            if any(a.arg == bound for a in ast.walk(outer.args) if isinstance(a, ast.arg)):
                return True
            if any(isinstance(n, ast.Name) and n.id == bound and isinstance(n.ctx, ast.Store) for n in ast.walk(outer)):
                return True
    return False


def calls_of(
    targets: set[str], word: str, ctx: Context, failures: Sequence[Failure] = (), *, only: Sequence[SourceFile] = ()
) -> list[tuple[SourceFile, ast.Call, Resolver]]:
    """All calls whose callee is one of ``targets`` (canonical functions or classes; ``word`` stands in their files), and those that fail.

    A class counts when the constructor that it uses is that of a target.
    """
    failing = {
        (src.path, c.lineno, c.col_offset, c.end_col_offset)
        for f in failures
        for src, c in nodes_at(f, ctx, ast.Call)
        if last_name(c.func) == word or word == ""
    }
    out = []
    for src in only or ctx.test_files_with(word):
        if src.tree is None:
            continue
        names = resolver(src, ctx)
        for node in ast.walk(src.tree):
            if not isinstance(node, ast.Call):
                continue
            shown = (src.path, node.lineno, node.col_offset, node.end_col_offset) in failing
            if shown or callee(node, names) & targets:
                out.append((src, node, names))
    return out


def callee(call: ast.Call, names: Resolver) -> set[str]:
    """The canonical names under which a call's callee is known: its own, for a class also the class that defines its constructor."""
    ref = names.ref(call.func)
    if ref is None:
        return set()
    if ref.kind == "function":
        return {ref.dotted}
    if ref.kind == "class":
        return {ref.dotted, constructor(ref.dotted, names.classes)}
    return set()


def constructor(dotted: str, classes: Classes) -> str:
    """The class of the mro that defines the constructor of a class."""
    for cls in classes.mro(dotted):
        node = classes.class_node(cls)
        if node is not None and any(getattr(s, "name", "") in ("__init__", "__new__") for s in node.body):
            return cls
    return dotted


PATCHERS = frozenset({"patch", "setattr", "delattr", "object", "multiple", "spy", "stub", "setitem", "delitem", "swap_attr", "replace"})


def target_strings(name: str, ctx: Context) -> Iterator[tuple[SourceFile, ast.Call, ast.Constant, Resolver]]:
    """String arguments of patching calls that are or end in ``name``: (file, call, string, resolver)."""
    for src in ctx.test_files_with(name):
        if src.tree is None:
            continue
        names = resolver(src, ctx)
        for node in ast.walk(src.tree):
            if not isinstance(node, ast.Call) or last_name(node.func) not in PATCHERS:
                continue
            for arg in [*node.args[:2], *(k.value for k in node.keywords if k.arg in ("target", "name", "attribute"))]:
                if isinstance(arg, ast.Constant) and isinstance(arg.value, str) and name in arg.value.split("."):
                    yield src, node, arg, names
