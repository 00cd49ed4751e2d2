"""Tests, parameter sets and loops over cases: as many after an edit as before."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from pytest_maestro_healer.edit.guards.expressions import FuncDef, Scope, calls, computed, constant, dump, keyword, last_name, own_nodes, states_value
from pytest_maestro_healer.edit.guards.walk import Unit

_ROWS = frozenset({"parametrize", "expand", "data", "idata", "params", "parameterized", "parameterized_class", "with_data"})


def collected(units: Sequence[Unit]) -> dict[str, Unit]:
    """Qualified name -> test, for what pytest would collect; of two with one name the later one."""
    out: dict[str, Unit] = {}
    for unit in units:
        if unit.is_test and "dead" not in unit.frames and all(_collectable(c) for c in unit.classes) and not _is_fixture(unit.node):
            out[unit.qualname] = unit
    return out


def _collectable(cls: ast.ClassDef) -> bool:
    methods = {n.name for n in cls.body if isinstance(n, FuncDef)}
    if cls.bases:
        return True  # a TestCase or a base class that decides
    return cls.name.startswith("Test") and not methods & {"__init__", "__new__"}


def _is_fixture(node: ast.AST) -> bool:
    return any(last_name(d) in ("fixture", "yield_fixture") for d in getattr(node, "decorator_list", ()))


def lost_tests(before: Sequence[Unit], after: Sequence[Unit], renamed: dict[str, str]) -> list[str]:
    """Tests that would not be collected any more; ``renamed`` maps old qualified names to new ones."""
    old, new = collected(before), collected(after)
    out = [f"the test {name} would not be collected any more" for name in old if renamed.get(name, name) not in new]
    if not out and len(new) < len(old):
        out.append("fewer tests would be collected")
    deleted = {n for u in after if u.name == "<body>" for n in _unbound(u.body)} - {n for u in before if u.name == "<body>" for n in _unbound(u.body)}
    return out + [f"the test {n} would not be collected any more" for n in sorted(deleted) if n.rpartition(".")[2].startswith(("test", "Test"))]


def _unbound(body: Sequence[ast.stmt]) -> Iterator[str]:
    """Names that statements delete or overwrite."""
    for node in own_nodes(body):
        if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            yield node.id


# -- parameter sets ---------------------------------------------------------------------------------------------
def lost_rows(before: Unit, after: Unit) -> list[str]:
    """Parameter sets and cases of loops that were lost, doubled or stopped stating their values."""
    out = []
    old, new = list(_tables(before)), list(_tables(after))
    if len(new) < len(old):
        out.append(f"parametrization of {before.name} was removed")
    for (_, a), (_, b) in zip(old, new, strict=False):
        out += _fewer(a, b, f"parameter sets of {before.name}")
    loops = [[_rows(n.iter, u.scope, n.lineno) for n in u.own if isinstance(n, (ast.For, ast.AsyncFor))] for u in (before, after)]
    if before.checks and len(loops[0]) == len(loops[1]):
        for a, b in zip(*loops, strict=True):
            out += _fewer(a, b, f"cases of a loop in {before.name}")
    return out


def _fewer(a: list[ast.expr] | None, b: list[ast.expr] | None, what: str) -> list[str]:
    if a is None:
        return []
    if b is None:
        return [f"the {what} are computed now"] if a else []
    if len(b) < len(a):
        return [f"{len(a) - len(b)} of the {what} were removed"]
    if len({dump(r) for r in b}) < len({dump(r) for r in a}):
        return [f"two of the {what} became the same"]
    if sum(map(states_value, b)) < sum(map(states_value, a)) and any(computed(r) for r in b):
        return [f"a value in the {what} is computed now instead of written out"]
    return []


def _tables(unit: Unit) -> Iterator[tuple[str, list[ast.expr] | None]]:
    decorators = [*getattr(unit.node, "decorator_list", [])] if unit.is_function else []
    if not unit.is_function:
        decorators = [d for c in unit.classes[-1:] for d in c.decorator_list]
        decorators += [
            c for s in unit.body if isinstance(s, ast.Assign) and any(last_name(t) == "pytestmark" for t in s.targets) for c in calls(s.value)
        ]
    for d in decorators:
        if isinstance(d, ast.Call) and last_name(d.func) in _ROWS:
            yield from _table(d, unit.scope)
        elif isinstance(d, ast.Call) and last_name(d.func) == "fixture" and (params := keyword(d, "params")) is not None:
            yield "fixture", _rows(params, unit.scope)
        elif isinstance(d, ast.Call) and last_name(d.func) in ("example", "given"):
            yield last_name(d.func), None


def _table(call: ast.Call, scope: Scope | None) -> Iterator[tuple[str, list[ast.expr] | None]]:
    if last_name(call.func) == "parametrize":
        values = call.args[1] if len(call.args) > 1 else keyword(call, "argvalues")
        yield "parametrize", _rows(values, scope)
    elif last_name(call.func) == "data":
        yield "data", list(call.args)
    else:
        yield last_name(call.func), _rows(call.args[0] if call.args else None, scope)


def _rows(node: ast.expr | None, scope: Scope | None, line: int = 1 << 30) -> list[ast.expr] | None:
    value = scope.resolve(node, line) if scope else node
    if (
        isinstance(value, ast.Call)
        and last_name(value) in ("list", "tuple", "sorted", "enumerate", "items")
        and isinstance(value.func, (ast.Name, ast.Attribute))
    ):
        value = value.func.value if isinstance(value.func, ast.Attribute) else (value.args[0] if value.args else None)
    if isinstance(value, (ast.List, ast.Tuple, ast.Set)):
        return None if any(isinstance(e, ast.Starred) for e in value.elts) else list(value.elts)
    if isinstance(value, ast.Dict):
        return [ast.Tuple([k or ast.Constant(None), v], ast.Load()) for k, v in zip(value.keys, value.values, strict=True)]
    if isinstance(value, ast.Call) and last_name(value) == "range" and value.args:
        numbers = [n for a in value.args if isinstance(n := constant(a), int)]
        return [ast.Constant(n) for n in range(*numbers)[:1000]] if len(numbers) == len(value.args) else None
    return None
