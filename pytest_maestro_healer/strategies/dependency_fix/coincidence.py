"""A name that stands somewhere else, too, has not moved there for that reason."""

from __future__ import annotations

import ast
import re

from pytest_maestro_healer.evidence.changes import Changes, changes_of, exports
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.symbols import Definition, absolute_module, parse
from pytest_maestro_healer.strategies.dependency_fix.sites import Site

#: What is said of a name that is not to be had from somewhere any more.
_GOES = re.compile(r"(?i)\bmove|\bimport|\bexport|\bremov|\bdeprecat|\bdrop|\bpublic|\bprivate|\bapi\b|\bnamespace|\blives?\b|\binstead\b")


def there_before(site: Site, d: Definition, ctx: Context) -> bool:
    """Whether ``d`` was in its place already when the module that the test asks still had a definition of its own, with another body.

    What was deleted, and has a namesake that was always there, is gone: to take the namesake would hide it. False where git does not know.
    """
    changes = changes_of(ctx.git, ctx.files, ctx.symbols)
    path = ctx.symbols.module_path(site.module) or _gone(site.module, d, ctx)
    if path is None or not changes.is_product(path) or not changes.is_product(d.path):
        return False
    former = changes.former(path, site.name)
    if former is None:
        return False
    before = changes.tree_at(d.path, former.rev)
    if before is None or not _binds(before, site.name, site.module.rpartition(".")[2]):
        return False
    now = changes.current(d.path).get(site.name)
    return now is None or ast.dump(now.node) != ast.dump(former.definition.node)


def exported_no_more(site: Site, d: Definition, ctx: Context) -> bool:
    """Whether all that happened is that a module of the product no longer hands on ``d``, which stands where it always stood, and nobody says why.

    A linter that takes an unused import out of an ``__init__`` does just that, and breaks everybody who used it. It was meant where the
    project's notes say so of the name, or it was taken out of ``__all__`` too.
    """
    changes = changes_of(ctx.git, ctx.files, ctx.symbols)
    found = _last_handed_on(site, changes)
    if found is None or not changes.is_product(d.path):
        return False
    rev, _, former = found
    there = changes.tree_at(d.path, rev)
    promised = any(isinstance(n, (ast.Assign, ast.AugAssign)) and exports(n, site.name) for n in former.body)
    return there is not None and _binds(there, site.name, "") and not promised and not changes.said(site.name, _GOES)


def handed_on(site: Site, d: Definition, ctx: Context) -> bool:
    """Whether the module that the test asks took the name from the module of ``d``, as far back as git knows: then it is no mere namesake."""
    found = _last_handed_on(site, changes_of(ctx.git, ctx.files, ctx.symbols))
    if found is None:
        return False
    _, path, former = found
    home = (site.module, path.endswith("__init__.py"))
    return any(
        isinstance(n, ast.ImportFrom) and absolute_module(n, *home) == d.module and any(a.name == d.name == site.name for a in n.names)
        for n in former.body
    )


def _last_handed_on(site: Site, changes: Changes) -> tuple[str, str, ast.Module] | None:
    """(commit, path, tree) of the newest version of the product's module that took the name from elsewhere."""
    path = changes.symbols.module_path(site.module)
    if path is None or not changes.is_product(path):
        return None
    for rev, _ in changes.versions(path):
        former = changes.tree_at(path, rev)
        if former is not None and _hands_on(former, site.name):
            return rev, path, former
    return None


def both_there(old: str, new: str, ctx: Context) -> bool:
    """Whether the product had the module ``new`` already when ``old`` was still there, and ``old`` was no shim for it: then it is no successor."""
    path = ctx.symbols.module_path(new)
    changes = changes_of(ctx.git, ctx.files, ctx.symbols)
    if path is None or not ctx.git.available or not changes.is_product(path):
        return False
    folder = path.removesuffix("/__init__.py").rpartition("/")[0]
    stem = f"{folder}/{old.rpartition('.')[2]}".lstrip("/")
    for gone in (f"{stem}.py", f"{stem}/__init__.py"):
        for rev in ("HEAD", *(f"{c}~1" for c, _ in ctx.git.commits(gone, limit=3))):
            data = ctx.git.bytes_at(gone, rev)
            if data is not None:
                tree = parse(data)
                shim = tree is None or any(isinstance(n, ast.ImportFrom) and (n.module or "").endswith(new.rpartition(".")[2]) for n in tree.body)
                return ctx.git.bytes_at(path, rev) is not None and not shim
    return False


def _gone(module: str, d: Definition, ctx: Context) -> str | None:
    """The path of a module that is no more, seen from one of the same package that is."""
    root = "/".join(d.path.split("/")[: -len(d.module.split(".")) - d.path.endswith("/__init__.py")])
    stem = f"{root}/{module.replace('.', '/')}".lstrip("/")
    paths = (f"{stem}.py", f"{stem}/__init__.py")
    return next((p for p in paths if ctx.git.available and (ctx.git.bytes_at(p) is not None or ctx.git.commits(p, limit=1))), None)


def _hands_on(tree: ast.Module, name: str) -> bool:
    """Whether a module takes ``name`` from elsewhere, at its top."""
    return any(isinstance(n, ast.ImportFrom) and any((a.asname or a.name) == name for a in n.names) for n in tree.body)


def still_wanted(site: Site, ctx: Context) -> str:
    """``path:line`` where the product still uses the name, or promises it, though nothing defines it any more: it was not renamed."""
    return changes_of(ctx.git, ctx.files, ctx.symbols).still_used(site.name, member=False)


def _binds(tree: ast.Module, name: str, old: str) -> bool:
    """Whether a module binds ``name``, other than by taking it from the module called ``old``."""
    for n in ast.walk(tree):
        if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and n.name == name:
            return True
        if isinstance(n, ast.ImportFrom) and (n.module or "").rpartition(".")[2] != old and any((a.asname or a.name) == name for a in n.names):
            return True
        if isinstance(n, ast.Import) and any((a.asname or a.name) == name for a in n.names):
            return True
        if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store):
            return True
    return False
