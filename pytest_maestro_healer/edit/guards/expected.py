"""Whether an edit changes what a test expects, told from the edit itself."""

from __future__ import annotations

import ast

from pytest_maestro_healer.edit.guards.checks import Check
from pytest_maestro_healer.edit.guards.compare import align, paired
from pytest_maestro_healer.edit.guards.expressions import dump, states_value
from pytest_maestro_healer.edit.guards.limits import Limits
from pytest_maestro_healer.edit.guards.walk import units
from pytest_maestro_healer.edit.source import SourceFile


def expects_otherwise(before: SourceFile, after: SourceFile) -> bool:
    """Whether ``after`` may expect anything else than ``before``: another literal anywhere, another operator, another stated operand.

    In doubt it does: of a file that is no Python, or that did not parse, nothing is known.
    """
    if not before.path.endswith(".py") or before.tree is None or after.tree is None:
        return before.data != after.data
    if _literals(before.tree) != _literals(after.tree):
        return True
    pairs, _ = paired(units(before), units(after))
    return any(
        one is None or two is None or _differs(one, two)
        for a, b in pairs
        if a.text != b.text
        for one, two in align(a.checks, b.checks, a.scope, b.scope, Limits())
    )


def _literals(tree: ast.Module) -> list[str]:
    return [repr(n.value) for n in ast.walk(tree) if isinstance(n, ast.Constant)]


def _differs(one: Check, two: Check) -> bool:
    if one.op != two.op or dump(one.match) != dump(two.match):
        return True
    if one.op in ("raises", "warns"):
        return dump(one.left) != dump(two.left) or dump(one.right) != dump(two.right)
    stated = [[dump(s) for s in (c.left, c.right) if states_value(s)] for c in (one, two)]
    return stated[0] != stated[1]
