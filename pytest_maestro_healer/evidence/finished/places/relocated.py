"""Is what a heal follows still the same thing where it is now? Asked of definitions and modules that were moved, merged or exchanged."""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Iterable, Sequence

from pytest_maestro_healer.evidence.changes import Changes, Former
from pytest_maestro_healer.evidence.finished.places.effects import left_behind
from pytest_maestro_healer.evidence.finished.places.loaded import Loads
from pytest_maestro_healer.evidence.finished.places.loggers import same_logger
from pytest_maestro_healer.evidence.finished.places.place import (
    asked_by_place,
    beside,
    bound_in,
    doubled,
    globals_read,
    home_of,
    imports_of,
    tells_place,
)
from pytest_maestro_healer.evidence.git import Hunk
from pytest_maestro_healer.evidence.similarity import VALUES, Def, Home, identical
from pytest_maestro_healer.evidence.symbols import absolute_module

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


def another(loads: Loads, hunks: Sequence[Hunk], words: Iterable[str]) -> str:
    """One of ``words`` whose definition left its module for another one and is not the same there, or reads other things there."""
    wanted = set(words)
    known, base = loads.known, loads.base
    paths = list(dict.fromkeys([*(h.old_path for h in hunks), *(h.path for h in hunks)]))
    for was in paths:
        for name, former in known.at(was, base).items():
            if name not in wanted or name in known.current(was):
                continue
            for now in paths:
                here = known.current(now).get(name)
                if here is not None and name not in known.at(now, base):
                    reason = moved_apart(loads, former, here, (was, base, now))
                    if reason:
                        return reason
    return ""


def moved_apart(loads: Loads, former: Def, here: Def, places: tuple[str, str, str]) -> str:
    """Why a definition that is ``here`` now may not be what it was; ``""`` if it is.

    ``places`` are the file that it was in, the commit at which it was there, and the file that it is in.
    """
    known, name = loads.known, former.name
    was, rev, now = places
    if not identical(former, here, homes_of(known, was, now)):
        return f"{name} in {now} is not what it was in {was}"
    other = read_otherwise(loads, former, was, rev, now)
    if other:
        return f"{other} is another thing in {now} than it was in {was}"
    asked = asked_by_place(known, former, [*loads.ctx.variables.reachable(now), *sorted(loads.loaders(now, then=False, eager=False))])
    if asked:
        return f"{asked} asks for the module that {name} is in"
    lost = loads.lost(was, now) if loads.acts(former, was, rev) else ""
    return f"{lost} loaded {name} with {was}, and does not load {now}" if lost else left_behind(loads, was, rev, now)


def another_took_place(loads: Loads, former: Sequence[Former], present: Sequence[tuple[str, Def]]) -> str:
    """Why none of ``present`` (path, definition) is one of ``former``, or is it in its own place: a reason, or the old name; ``""`` if one is."""
    if not former or not present:
        return ""
    renamed = loads.ctx.git.renames()
    same = [(f, p, d) for f in former for p, d in present if identical(f.definition, d, homes_of(loads.known, f.path, p))]
    if any(p in (f.path, renamed.get(f.path)) for f, p, _ in same):
        return ""
    reasons = [moved_apart(loads, f.definition, d, (f.path, f.rev, p)) for f, p, d in same]
    return next((r for r in reasons if not r), reasons[0]) if reasons else former[0].definition.name


def homes_of(known: Changes, was: str, now: str) -> tuple[Home, Home] | None:
    """The modules of two files where a relative import means something else in each of them; ``None`` where it does not."""
    return None if beside(known.files.root, was, now) else (home_of(known, was), home_of(known, now))


def read_otherwise(loads: Loads, former: Def, was: str, rev: str, now: str) -> str:
    """What a definition of ``was`` at ``rev`` reads, itself or through its globals, and that means something else in the module ``now``."""
    known = loads.known
    there, here = known.at(was, rev), known.current(now)
    then, tree = home_of(known, was), known.symbols.tree(now)
    present = home_of(known, now)
    homes = homes_of(known, was, now)
    old, new = imports_of(known.tree_at(was, rev), then), imports_of(tree, present)
    bound = bound_in(tree) if tree is not None else set()
    near = beside(known.files.root, was, now)
    place = tells_place([former.node], beside=near)
    if place:
        return place
    seen, todo = {former.name}, [former]
    while todo:
        for name in sorted(globals_read(todo.pop().node) - seen):
            seen.add(name)
            value = there.get(name)
            if value is not None and name in here:
                if (
                    not identical(value, here[name], homes)
                    or (tells_place([value.node], beside=near) and not same_logger(loads.ctx, known, value, (was, rev, now)))
                    or (name in known.current(was) and doubled(known, name, value))
                ):
                    return name
                todo.append(value)
            elif value is not None and name in new:
                if new[name] != f"{then[0]}.{name}" and not _moved_along(loads, value, (was, rev), new[name]):
                    return name
            elif name in old and name in here:
                if old[name] != f"{present[0]}.{name}":
                    return name
            elif name in old and name in new:
                if old[name] != new[name]:
                    return name
            elif "*" not in bound and "*" not in old:
                own = value is not None or name in old
                if (own or hasattr(builtins, name)) and own != (name in bound):
                    return name
    return ""


def _moved_along(loads: Loads, value: Def, whence: tuple[str, str], dotted: str) -> bool:
    """Whether ``dotted`` is what ``value`` was at (file, commit)."""
    known = loads.known
    module, _, last = dotted.rpartition(".")
    found = known.symbols.resolve(module, last)
    if found is None or not known.is_product(found.path):
        return False
    present = known.current(found.path).get(last)
    return (
        present is not None
        and identical(value, present, homes_of(known, whence[0], found.path))
        and (found.path == whence[0] or not read_otherwise(loads, value, *whence, found.path))
    )


def taken_by_name(known: Changes, hunks: Sequence[Hunk], base: str, words: Iterable[str]) -> str:
    """Which changed file imports one of ``words`` by itself now, as it did not at ``base``: a patch of where it comes from misses it."""
    wanted = set(words)
    for path in dict.fromkeys(h.path for h in hunks):
        since, before = (imports_of(tree, ("", False)) for tree in (known.symbols.tree(path), known.tree_at(path, base)))
        found = sorted(wanted & (set(since) - set(before)))
        if found:
            return f"{path} imports {found[0]} by itself"
    return ""


def module_changed(known: Changes, base: str, was: str, now: str) -> str:
    """Something that a module had before it was renamed from ``was`` to ``now`` and that is not the same there; ``""`` if it is only renamed."""
    before, after = known.at(was, base), known.current(now)
    return next((name for name, d in before.items() if name not in after or not identical(d, after[name])), "")


def module_apart(loads: Loads, was: str, now: str) -> str:
    """Why a module that was renamed from ``was`` to ``now``, and changed in nothing, may do something else there; ``""`` if it does not."""
    known, base = loads.known, loads.base
    tree, before = known.tree_at(was, base), known.at(was, base)
    near = beside(known.files.root, was, now)
    other = tells_place(_unnamed(tree), beside=near)
    if not near:
        other = other or _relative(tree, known.symbols.tree(now), (home_of(known, was), home_of(known, now)))
    if other:
        return f"{other} is another thing in {now} than it was in {was}"
    undone = left_behind(loads, was, base, now)
    if undone:
        return undone
    if any(loads.acts(d, was, base) for q, d in before.items() if "." not in q and d.kind not in VALUES):
        lost = loads.lost(was, now)
        return f"{lost} loaded {was}, and does not load {now}" if lost else ""
    return ""


def _relative(then: ast.Module | None, now: ast.Module | None, homes: tuple[Home, Home]) -> str:
    """What a module imports relatively by the same words as before, from another place."""
    kept = {ast.dump(n) for n in (ast.walk(now) if now is not None else ()) if isinstance(n, ast.ImportFrom)}
    taken = [n for n in (ast.walk(then) if then is not None else ()) if isinstance(n, ast.ImportFrom) and n.level and ast.dump(n) in kept]
    return next((n.names[0].name for n in taken if absolute_module(n, *homes[0]) != absolute_module(n, *homes[1])), "")


def _unnamed(tree: ast.Module | None) -> list[ast.AST]:
    """The statements of a module but for those where it names a logger after itself or asks whether it is the script that runs."""
    return [
        n
        for n in (tree.body if tree is not None else ())
        if not (isinstance(n, ast.Assign) and isinstance(n.value, ast.Call) and "getLogger" in ast.dump(n.value.func))
        and not (isinstance(n, ast.If) and "__main__" in ast.dump(n.test))
    ]
