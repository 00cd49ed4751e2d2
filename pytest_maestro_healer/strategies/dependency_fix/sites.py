"""Import statements and the uses of what they bind, found by scope in one source file."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.symbols import absolute_module

Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True)
class Site:
    """One name imported by one statement.

    ``module`` is absolute; ``name`` is ``""`` for ``import module``; ``bound`` is the local name; ``scope`` the function or module that
    it is bound in; ``guarded`` says that an ``except ImportError`` or a version check stands around it.
    """

    src: SourceFile
    node: ast.Import | ast.ImportFrom
    alias: ast.alias
    module: str
    name: str
    bound: str
    scope: Scope
    guarded: bool

    @property
    def dotted(self) -> str:
        """What the local name stands for: ``module.name``, or the top package for a plain ``import a.b``."""
        if self.name:
            return f"{self.module}.{self.name}"
        return self.module if self.alias.asname else self.module.partition(".")[0]


def import_sites(src: SourceFile, module_name: str) -> Sequence[Site]:
    """All imports of a file, in order; none for a file that does not parse. Star imports are left out."""
    if src.tree is None:
        return ()
    out: list[Site] = []
    is_package = src.path.endswith("__init__.py")
    for node, scope, guarded in _statements(src.tree.body, src.tree, False):
        if isinstance(node, ast.Import):
            for a in node.names:
                out.append(Site(src, node, a, a.name, "", a.asname or a.name.partition(".")[0], scope, guarded))
        elif isinstance(node, ast.ImportFrom):
            base = absolute_module(node, module_name, is_package)
            out += [Site(src, node, a, base, a.name, a.asname or a.name, scope, guarded) for a in node.names if a.name != "*"]
    return out


def _statements(body: Sequence[ast.stmt], scope: Scope, guarded: bool) -> Iterator[tuple[ast.stmt, Scope, bool]]:
    for node in body:
        yield node, scope, guarded
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield from _statements(node.body, node, guarded)
        elif isinstance(node, ast.Try):
            inner = guarded or any(_catches_import_error(h) for h in node.handlers)
            yield from _statements([*node.body, *node.orelse], scope, inner)
            for h in node.handlers:
                yield from _statements(h.body, scope, guarded)
            yield from _statements(node.finalbody, scope, guarded)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            yield from _statements(node.body, scope, guarded or _raises_import_error(node))
        elif isinstance(node, ast.If):
            inner = guarded or "version_info" in ast.dump(node.test) or "TYPE_CHECKING" in ast.dump(node.test)
            yield from _statements([*node.body, *node.orelse], scope, inner)
        elif isinstance(node, ast.Match):
            for case in node.cases:
                yield from _statements(case.body, scope, guarded)
        else:
            for part in ("body", "orelse"):
                yield from _statements(getattr(node, part, ()), scope, guarded)


def _catches_import_error(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    names = {n.id for n in ast.walk(handler.type) if isinstance(n, ast.Name)}
    return bool(names & {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


def _raises_import_error(node: ast.With | ast.AsyncWith) -> bool:
    """``with pytest.raises(ImportError):`` and ``suppress(ImportError)``: the import is meant to fail."""
    text = " ".join(ast.dump(i.context_expr) for i in node.items)
    return "ImportError" in text or "ModuleNotFoundError" in text


def parents(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    """Child -> parent for a whole tree."""
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def uses(scope: Scope, name: str) -> list[ast.Name]:
    """The places that read the ``name`` bound in ``scope``; functions that bind the name themselves are left out."""
    out: list[ast.Name] = []
    body: Sequence[ast.AST] = scope.body if isinstance(scope.body, list) else [scope.body]
    for node in body:
        _collect(node, name, out)
    return out


def _collect(node: ast.AST, name: str, out: list[ast.Name]) -> None:
    if isinstance(node, ast.Name):
        if node.id == name and isinstance(node.ctx, ast.Load):
            out.append(node)
        return
    if isinstance(node, _FUNCTIONS) and name in local_names(node):
        outer: list[ast.AST] = [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
        if not isinstance(node, ast.Lambda):
            outer += [*node.decorator_list, *([node.returns] if node.returns else [])]
            outer += [a.annotation for a in ast.walk(node.args) if isinstance(a, ast.arg) and a.annotation is not None]
        for part in outer:
            _collect(part, name, out)
        return
    if isinstance(node, _COMPREHENSIONS) and any(_stores(g.target, name) for g in node.generators):
        _collect(node.generators[0].iter, name, out)
        return
    for child in ast.iter_child_nodes(node):
        _collect(child, name, out)


def _stores(node: ast.AST, name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store) for n in ast.walk(node))


def local_names(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    """Names local to a function: parameters and what its own body binds (``global`` names left out)."""
    names = {a.arg for a in ast.walk(function.args) if isinstance(a, ast.arg)}
    if isinstance(function, ast.Lambda):
        return names
    free: set[str] = set()
    todo: list[ast.AST] = list(function.body)
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
            continue
        if isinstance(node, (ast.Lambda, *_COMPREHENSIONS)):
            continue
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            free.update(node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            names.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update(a.asname or a.name.partition(".")[0] for a in node.names)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
        todo += ast.iter_child_nodes(node)
    return names - free


def chain_of(name: ast.Name, up: dict[ast.AST, ast.AST]) -> list[ast.Name | ast.Attribute]:
    """``a``, ``a.b``, ``a.b.c``: the name and the attribute accesses on it, inside out."""
    out: list[ast.Name | ast.Attribute] = [name]
    node: ast.AST = name
    while isinstance(parent := up.get(node), ast.Attribute) and parent.value is node:
        out.append(parent)
        node = parent
    return out


def is_used(site: Site, ctx: Context) -> bool:
    """Whether anything needs the imported name: code, a fixture argument, a string of that name, ``__all__``, another test module."""
    tree = site.src.tree
    if tree is None:
        return True
    if uses(site.scope, site.bound):
        return True
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.arg == site.bound:
            return True
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _mentions(node.value, site.bound):
            return True
    if not isinstance(site.scope, ast.Module):
        return False
    module = ctx.symbols.module_name(site.src.path)
    for other in ctx.test_files_with(site.bound):
        if other.path != site.src.path and any(
            s.name == site.bound and s.module.rpartition(".")[2] == module.rpartition(".")[2]
            for s in import_sites(other, ctx.symbols.module_name(other.path))
        ):
            return True
    return False


def _mentions(text: str, name: str) -> bool:
    """A short string that could be an annotation, a fixture name or an ``__all__`` entry."""
    import re

    return len(text) < 120 and re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", text) is not None and " " not in text.strip()


def bound_at_module_level(tree: ast.Module) -> set[str]:
    """Every name that module-level code binds."""
    fake = ast.FunctionDef(
        name="_", args=ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[]), body=tree.body, decorator_list=[]
    )
    return local_names(fake)
