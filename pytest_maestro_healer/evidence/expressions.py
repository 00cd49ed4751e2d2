"""The names in an expression: questions that are asked everywhere, and read nothing but the node."""

from __future__ import annotations

import ast


def last_name(node: ast.AST | None) -> str:
    """The last component of a name or attribute chain, ``""`` for any other expression (a call is one: ask its ``func``)."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def dotted_name(node: ast.AST | None) -> str:
    """``a.b.c`` of a name or attribute chain, ``""`` for any other expression."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""
