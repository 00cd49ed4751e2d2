"""Members of enumerations whose value is made of their name or place: under another name, or in another order, they are other data."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from pytest_maestro_healer.evidence.changes import Changes
from pytest_maestro_healer.evidence.expressions import dotted_name
from pytest_maestro_healer.evidence.finished.names.families import Families
from pytest_maestro_healer.evidence.finished.places.place import home_of, imports_of

#: Enumerations whose ``auto()`` gives the name.
_NAMED = re.compile(r"StrEnum$|\bTextChoices$")
_MAKES = "_generate_next_value_"


def value_of_another(known: Changes, base: str, paths: Iterable[str], old: str, new: str) -> str:
    """Why the member ``new`` of an enumeration is not stored, or read back, as ``old`` was; ``""`` if it is, or if it is no such member."""
    families = Families(known)
    for path in dict.fromkeys(paths):
        before, after = known.at(path, base), known.current(path)
        for found in after.values():
            then, now = before.get(found.scope), after.get(found.scope)
            if found.name != new or f"{found.scope}.{old}" not in before or then is None or now is None:
                continue
            if isinstance(then.node, ast.ClassDef) and isinstance(now.node, ast.ClassDef):
                reason = _another(families, (path, found.scope), (then.node, now.node), (old, new)) or _looked_up(known, then.node, found.scope)
                if reason:
                    return reason
    return ""


def _another(families: Families, cls: tuple[str, str], nodes: tuple[ast.ClassDef, ast.ClassDef], names: tuple[str, str]) -> str:
    """Which member of an enumeration has another value than before, one that nobody wrote there."""
    above = families.above(cls)
    made = any(f"{c[1]}.{_MAKES}" in families.known.current(c[0]) for c in (cls, *above) if not isinstance(c, str))
    named = any(_NAMED.search(c) for c in above if isinstance(c, str))
    was, now = (_values(node, named=named, placed=made or not named) for node in nodes)
    if made:
        was, now = ({name: (auto, f"{name} {value}" if auto else value) for name, (auto, value) in v.items()} for v in (was, now))
    old, new = names
    member = f"{cls[1].rpartition('.')[2]}.{new}"
    if old in was and new in now and was[old] != now[new] and (was[old][0] or now[new][0]):
        if named or made:
            return f"the value of {member} is made of its name: what was stored before says {old.lower() if named else old}"
        return f"the value of {member} is made of its place, which is another one than that of {old}"
    moved = next((n for n in was if n in now and was[n] != now[n] and (was[n][0] or now[n][0])), "")
    return f"the value of {cls[1].rpartition('.')[2]}.{moved} is made of its place, and that is another one now" if moved else ""


def _values(cls: ast.ClassDef, *, named: bool, placed: bool) -> dict[str, tuple[bool, str]]:
    """Of each member whether its value is made for it, and of what: of its name, of what stands before it."""
    out: dict[str, tuple[bool, str]] = {}
    last = ""
    for node in cls.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if not isinstance(node, ast.Assign) or not isinstance(targets[0], ast.Name):
            continue
        name = targets[0].id
        auto = any(isinstance(n, ast.Call) and dotted_name(n.func).rpartition(".")[2] == "auto" for n in ast.walk(node.value))
        text = ast.dump(node.value)
        value = f"{name if named else ''}{f' after ({last})' if placed else ''} {text}" if auto else text
        out[name] = (auto, value)
        last = value
    return out


def _looked_up(known: Changes, cls: ast.ClassDef, scope: str) -> str:
    """Where the product finds members of an enumeration by names that come from elsewhere, or a table stores them by their names."""
    own = scope.rpartition(".")[2]
    if not _members_only(cls):
        return ""
    for path, tree in known.trees_with(own):
        taken = imports_of(tree, home_of(known, path))
        for node in ast.walk(tree):
            if isinstance(node, ast.Subscript):
                found = dotted_name(node.value).rpartition(".")[2] == own and isinstance(node.ctx, ast.Load) and _from_elsewhere(node.slice)
            elif isinstance(node, ast.Call):
                called = dotted_name(node.func)
                root, _, rest = called.partition(".")
                asks = called == "getattr" and len(node.args) > 1 and not isinstance(node.args[1], ast.Constant)
                table = f"{taken.get(root, '')}.{rest}".startswith("sqlalchemy")
                found = (asks or table) and dotted_name(node.args[0] if node.args else node).rpartition(".")[2] == own
            else:
                continue
            if found:
                return f"{path}:{node.lineno} takes members of {own} by names that come from elsewhere"
    return ""


def _from_elsewhere(node: ast.expr) -> bool:
    """Whether a key is no text or member that is written there."""
    return isinstance(node, (ast.Name, ast.Call, ast.Subscript, ast.BinOp, ast.JoinedStr)) or (
        isinstance(node, ast.Attribute) and node.attr != "name"
    )


def _members_only(cls: ast.ClassDef) -> bool:
    """Whether a class may be an enumeration: it inherits from something, and is no generic class that is subscripted with types."""
    return bool(cls.bases) and any("Enum" in ast.unparse(b) or "Flag" in ast.unparse(b) or "Choices" in ast.unparse(b) for b in cls.bases)
