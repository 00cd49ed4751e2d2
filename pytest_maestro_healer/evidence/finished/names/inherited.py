"""Was the new name of a member in use already where the class has it from, or where somebody asks whether there is such a member?

A method that gets the name of one of its base class takes that one's place: what called the other one calls this one now.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from pytest_maestro_healer.evidence.changes import Changes
from pytest_maestro_healer.evidence.finished.names.families import Class, Families

_ANY_NAME = ("__getattr__", "__getattribute__")


def had_by_family(known: Changes, base: str, paths: Iterable[str], old: str, new: str) -> str:
    """Why the member ``new``, which took the place of ``old``, is another thing to those who used that name before; ``""`` if it is not.

    Parameters:
        known: the product's versions
        base: the commit before the change
        paths: the files that changed
        old: the name of a member that was given up
        new: the name in its place
    """
    families = Families(known)
    changed = list(dict.fromkeys(paths))
    for path in changed:
        before = known.at(path, base)
        if not any(d.name == old and d.scope for d in before.values()):
            continue
        for found in known.current(path).values():
            if found.name == new and found.scope and found.qualname not in before:
                reason = _taken(families, base, (path, found.scope), new) or _asked_for(known, base, changed, new)
                if reason:
                    return reason
    return ""


def _taken(families: Families, base: str, cls: Class, new: str) -> str:
    """Which class above or below ``cls`` has the member already, or may have it."""
    known = families.known
    for here in (cls, *families.below(cls)):
        for other in ([] if here == cls else [here]) + families.above(here):
            if not isinstance(other, str):
                if other != cls and f"{other[1]}.{new}" in known.at(other[0], base):
                    return f"{other[1]} had {new} before"
            elif not other:
                return f"whether {here[1]} inherits {new} cannot be told"
            elif (members := families.members(other)) is None:
                return f"whether {here[1]} inherits {new} from {other} cannot be told"
            elif new in members:
                return f"{new} is a member of {other}, which {here[1]} inherits from"
    answers = next((c for c in families.ours(cls) for n in _ANY_NAME if f"{c[1]}.{n}" in known.current(c[0])), None)
    if answers is not None and any(isinstance(n, ast.Attribute) and n.attr == new for t in _then(known, base, [cls[0]], new) for n in ast.walk(t)):
        return f"{answers[1]} answers to every name, and {new} was asked for before"
    return ""


def _then(known: Changes, base: str, changed: Iterable[str], word: str) -> Iterator[ast.Module]:
    """The product's modules as they were, those that say ``word``."""
    touched = set(changed)
    yield from (tree for path, tree in known.trees_with(word) if path not in touched)
    yield from (tree for path in sorted(touched) if (tree := known.tree_at(path, base)) is not None)


def _asked_for(known: Changes, base: str, changed: Iterable[str], new: str) -> str:
    """Who asked before whether something has a member of that name: it is another answer now."""
    for tree in _then(known, base, changed, new):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) > 1:
                name = node.args[1]
                asks = node.func.id == "hasattr" or (node.func.id == "getattr" and len(node.args) > 2)
                if asks and isinstance(name, ast.Constant) and name.value == new:
                    return f"the product asked before whether there is {new}"
    return ""
