"""Is what a heal follows still the same thing where it is now? Asked of definitions and modules that were moved, merged or exchanged."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Sequence

from pytest_maestro_healer.evidence.changes import Changes
from pytest_maestro_healer.evidence.git import Hunk
from pytest_maestro_healer.evidence.similarity import Def, identical

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def merged(known: Changes, hunks: Sequence[Hunk], words: Iterable[str]) -> str:
    """One of ``words`` that a changed file binds twice in one place now: two things got one name."""
    wanted = set(words)
    for path in dict.fromkeys(h.path for h in hunks):
        tree = known.symbols.tree(path)
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, (ast.Module, ast.ClassDef)):
                bound = Counter(n for s in node.body for n in _bound(s))
            elif isinstance(node, ast.Dict):
                bound = Counter(k.value for k in node.keys if isinstance(k, ast.Constant) and isinstance(k.value, str))
            else:
                continue
            twice = sorted(w for w in wanted if bound[w] > 1)
            if twice:
                return twice[0]
    return ""


def _bound(node: ast.stmt) -> list[str]:
    if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
        # a setter and an overload belong to what they are of
        return [] if any(isinstance(d, ast.Attribute) or "overload" in ast.dump(d) for d in node.decorator_list) else [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [a.asname or a.name.partition(".")[0] for a in node.names]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [t.id for t in targets if isinstance(t, ast.Name)]


def another(known: Changes, hunks: Sequence[Hunk], base: str, words: Iterable[str]) -> str:
    """One of ``words`` whose definition left its module for another one and is not the same there, or reads other things there."""
    wanted = set(words)
    paths = list(dict.fromkeys([*(h.old_path for h in hunks), *(h.path for h in hunks)]))
    for was in paths:
        for name, former in known.at(was, base).items():
            if name not in wanted or name in known.current(was):
                continue
            for now in paths:
                here = known.current(now).get(name)
                if here is not None and name not in known.at(now, base):
                    if not identical(former, here):
                        return f"{name} in {now} is not what it was in {was}"
                    other = read_otherwise(known, former, was, base, now)
                    if other:
                        return f"{other} is another thing in {now} than it was in {was}"
    return ""


def read_otherwise(known: Changes, former: Def, was: str, rev: str, now: str) -> str:
    """A global of the module ``was`` at ``rev`` that a definition reads, and that means something else in the module ``now``."""
    there, here = known.at(was, rev), known.current(now)
    old, new = _imports(known.tree_at(was, rev)), _imports(known.symbols.tree(now))
    for name in sorted({n.id for n in ast.walk(former.node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}):
        if name in there and name in here and not identical(there[name], here[name]):
            return name
        if name in old and (name in here or new.get(name, old[name]) != old[name]):
            return name
    return ""


def taken_by_name(known: Changes, hunks: Sequence[Hunk], base: str, words: Iterable[str]) -> str:
    """Which changed file imports one of ``words`` by itself now, as it did not at ``base``: a patch of where it comes from misses it."""
    wanted = set(words)
    for path in dict.fromkeys(h.path for h in hunks):
        since = set(_imports(known.symbols.tree(path))) - set(_imports(known.tree_at(path, base)))
        found = sorted(wanted & since)
        if found:
            return f"{path} imports {found[0]} by itself"
    return ""


def _imports(tree: ast.Module | None) -> dict[str, str]:
    out: dict[str, str] = {}
    for node in tree.body if tree is not None else ():
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            home = "." * node.level + (node.module or "") if isinstance(node, ast.ImportFrom) else ""
            out.update({a.asname or a.name: f"{home}:{a.name}" for a in node.names})
    return out


def module_changed(known: Changes, base: str, was: str, now: str) -> str:
    """Something that a module had before it was renamed from ``was`` to ``now`` and that is not the same there; ``""`` if it is only renamed."""
    before, after = known.at(was, base), known.current(now)
    return next((name for name, d in before.items() if name not in after or not identical(d, after[name])), "")
