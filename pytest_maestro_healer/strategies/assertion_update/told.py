"""Places of this run that the test itself knows by a name: a value that contains one can be written down after all."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.model import Failure
from pytest_maestro_healer.strategies.assertion_update.render import imported_names
from pytest_maestro_healer.strategies.assertion_update.trace import Origin
from pytest_maestro_healer.strategies.assertion_update.tree import Function, class_of, function_of, own_nodes, parameters

#: pytest's own fixtures that give a folder.
FIXTURES = frozenset({"tmp_path", "tmpdir"})
_MODULES = frozenset({"tempfile", "os", "pathlib"})
_PLAIN = frozenset({"str"})


def told_by(failure: Failure, origin: Origin) -> dict[str, str]:
    """Text of this run -> the name that the test has for it where the expected value stands, longest first.

    Only names that come from ``tempfile``, ``os``, ``pathlib`` or pytest's folders count: a name that the product gave would compare the
    product with itself.
    """
    c = failure.comparison
    known = [o for o in c.operands if o.role == "known" and o.source] if c is not None else []
    function = function_of(origin.src, origin.node)
    line = c.location.line if c is not None and c.location else 0
    if not known or function is None or origin.src.path != failure.path or not function.lineno <= line <= (function.end_lineno or 0):
        return {}
    found = {}
    for operand in sorted(known, key=lambda o: -len(o.value.repr)):
        name = operand.source or ""
        if _given(origin.src, function, name, origin.node.lineno, set()):
            found[str(ast.literal_eval(operand.value.source or "''"))] = name
    return {text: name for text, name in found.items() if text}


def masked(text: str, told: Mapping[str, str]) -> str:
    """``text`` without what is told by a name."""
    for known, name in told.items():
        text = text.replace(known, f"<{name}>")
    return text


def _given(src: SourceFile, function: Function, name: str, before: int, seen: set[str]) -> bool:
    """Whether ``name`` holds what this run of the test was given, bound before line ``before``."""
    if name in seen:
        return False
    if name in parameters(function):
        return name in FIXTURES
    holder, _, attribute = name.partition(".")
    bound = list(_of_attribute(src, function, attribute) if holder == "self" and attribute else _of_local(function, name, before))
    return bool(bound) and all(_from_machine(src, function, e, {*seen, name}) for e in bound)


def _of_local(function: Function, name: str, before: int) -> Iterator[ast.expr]:
    for n in own_nodes(function):
        if isinstance(n, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in n.targets) and n.lineno < before:
            yield n.value
        elif isinstance(n, ast.withitem) and isinstance(n.optional_vars, ast.Name) and n.optional_vars.id == name and n.optional_vars.lineno < before:
            yield n.context_expr


def _of_attribute(src: SourceFile, function: Function, attribute: str) -> Iterator[ast.expr]:
    for n in ast.walk(class_of(src, function) or ast.Module([], [])):
        if isinstance(n, ast.Assign) and any(isinstance(t, ast.Attribute) and ast.unparse(t) == f"self.{attribute}" for t in n.targets):
            yield n.value


def _from_machine(src: SourceFile, function: Function, value: ast.expr, seen: set[str]) -> bool:
    """Whether an expression is made of the standard library's folders and of names that are."""
    imports = imported_names(src)
    attributes = {id(n.value) for n in ast.walk(value) if isinstance(n, ast.Attribute)}
    found = False
    for n in ast.walk(value):
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == "self":
            if not _given(src, function, f"self.{n.attr}", 1 << 30, seen):
                return False
            found = True
        elif isinstance(n, ast.Name) and not (n.id == "self" and id(n) in attributes):
            if imports.get(n.id, "").partition(".")[0] in _MODULES or _given(src, function, n.id, 1 << 30, seen):
                found = True
            elif n.id not in _PLAIN:
                return False
    return found
