"""A name that stands somewhere else, too, has not moved there for that reason."""

from __future__ import annotations

import ast

from pytest_maestro_healer.evidence.changes import changes_of
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.symbols import Definition
from pytest_maestro_healer.strategies.dependency_fix.sites import Site


def there_before(site: Site, d: Definition, ctx: Context) -> bool:
    """Whether ``d`` was in its place already when the module that the test asks still had a definition of its own, with another body.

    What was deleted, and has a namesake that was always there, is gone: to take the namesake would hide it. False where git does not know.
    """
    changes = changes_of(ctx.git, ctx.files, ctx.symbols)
    path = ctx.symbols.module_path(site.module)
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
