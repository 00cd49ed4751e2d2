"""Expected exceptions and warnings: is the new type, or the new ``match``, as strict as the old one?"""

from __future__ import annotations

import ast
import builtins
import re

from pytest_maestro_healer.edit.guards.checks import Check, exception_names
from pytest_maestro_healer.edit.guards.expressions import constant, last_name

_BROAD = frozenset({"Exception", "BaseException", "Warning", "object", "BaseExceptionGroup", "ExceptionGroup"})


def types_widened(before: Check, after: Check) -> list[str]:
    """Why ``raises`` or ``warns`` accepts more types than before; empty where it does not."""
    old, new = exception_names(before.left), exception_names(after.left)
    what = "raises" if before.op == "raises" else "warns"
    if before.left is not None and after.left is None:
        return [f"`{what}` lost its exception type"]
    if old and len(set(new)) > len(set(old)):
        return [f"`{what}` accepts more types than before: {', '.join(new)}"]
    out = []
    for name in new:
        if name in old:
            continue
        if name in _BROAD and not all(o in _BROAD for o in old):
            out.append(f"`{what}` is widened to {name}")
        elif any(wider(name, o) for o in old):
            out.append(f"`{what}` is widened to the base class {name}")
    return out


def wider(name: str, than: str) -> bool:
    """Whether the exception ``name`` is a base class of ``than`` (builtins; ``Exception`` and the like are wider than anything)."""
    if name == than:
        return False
    a, b = getattr(builtins, name, None), getattr(builtins, than, None)
    if isinstance(a, type) and isinstance(b, type):
        return issubclass(b, a)
    return name in _BROAD


_PROBES = ("", "zq", "Qx 17", "unrelated words, 404!", "None", "error")


def match_loosened(before: ast.expr | None, after: ast.expr | None) -> list[str]:
    """Why the pattern of ``match=`` now says less; empty where it does not."""
    if before is None:
        return []
    if after is None or (isinstance(after, ast.Constant) and after.value is None):
        return ["`match` was dropped"]
    old, new = constant(_pattern(before)), constant(_pattern(after))
    if not isinstance(new, str) or not isinstance(old, str) or old == new:
        return []
    if not new.strip("^$.*+? "):
        return ["`match` was emptied"]
    if last_name(after) != "escape":
        try:
            found = re.compile(new)
        except re.error:
            return ["the new `match` is no regular expression"]
        if any(found.search(p) for p in _PROBES) and not _accepts_probe(old):
            return ["the new `match` accepts almost anything"]
    o, n = _literal_length(old), _literal_length(new)
    if n * 2 < o and n < 24:
        return [f"`match` says much less than before: {new!r}"]
    if new.count(".*") > old.count(".*") and n * 10 < o * 7:
        return [f"`match` has wildcards where it had text: {new!r}"]
    if _alternatives(new) > _alternatives(old):
        return [f"`match` accepts more alternatives than before: {new!r}"]
    return []


def _pattern(node: ast.expr) -> ast.expr:
    return node.args[0] if isinstance(node, ast.Call) and last_name(node) in ("escape", "compile") and node.args else node


def _accepts_probe(pattern: str) -> bool:
    try:
        return any(re.search(pattern, p) for p in _PROBES)
    except re.error:
        return True


def _literal_length(pattern: str) -> int:
    return len(re.sub(r"\\[wWdDsSbB]|\.[*+?]|[\^$*+?{}\[\]()|\\]|\.", "", pattern))


def _alternatives(pattern: str) -> int:
    return len(re.findall(r"(?<!\\)\|", pattern))
