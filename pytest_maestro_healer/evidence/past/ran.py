"""The definitions that a failing test runs through, what they take from their modules, and the commits that changed any of these last.

A bug that came long ago, or came back, lies under commits that changed the same files elsewhere. It does not lie under commits that changed the same
functions as often: what git knows about their lines goes straight to it.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.experiments import Lines
from pytest_maestro_healer.evidence.symbols import parse
from pytest_maestro_healer.model import Failure

_Function = ast.FunctionDef | ast.AsyncFunctionDef
#: A traced run takes longer; so many files that a test imports are looked at, and so many definitions of them.
_SLOWER, _FILES, _MOST = 20, 40, 200


@dataclass(frozen=True)
class Unit:
    """A function, the head of a class, or a statement of a module or class: what it binds, uses and calls, and its lines."""

    home: str
    names: frozenset[str]
    uses: frozenset[str]
    calls: frozenset[str]
    first: int
    last: int
    node: ast.AST

    @property
    def is_function(self) -> bool:
        """Whether it is run when it is called, not when its module is imported."""
        return isinstance(self.node, _Function)


def units(tree: ast.Module) -> list[Unit]:
    """What a module consists of; functions in functions belong to these."""
    return list(_units(tree.body, ""))


def ran(ctx: Context, failure: Failure, also: Sequence[str] = ()) -> Mapping[str, Sequence[Unit]]:
    """By file, the functions of the product that a test runs (and the tests ``also`` before it), and what they take from where they stand; empty
    where that is not known."""
    if failure.duration * _SLOWER > ctx.config.timeout:
        return {}
    lines = ctx.experiments.executed(failure, also)
    imported = [p for p in ctx.variables.reachable(failure.path) if not ctx.is_test_code(p)]
    files = dict.fromkeys([*(p for p in lines if p.endswith(".py")), *imported[:_FILES]]) if lines else {}
    known = {p: units(tree) for p in files if (tree := ctx.symbols.tree(p)) is not None}
    return _closure(known, lines)


def commits(ctx: Context, found: Mapping[str, Sequence[Unit]], limit: int) -> Sequence[str]:
    """The newest commits that changed any of ``found``, newest first; those that took lines out too."""
    ranges = [(path, first, last) for path, some in found.items() for first, last in _committed(ctx, path, some)]
    return ctx.git.changed_lines(tuple(ranges[:_MOST]), limit) if ranges else ()


def _committed(ctx: Context, path: str, found: Sequence[Unit]) -> Iterator[tuple[int, int]]:
    """Where ``found`` stand in the committed file."""
    if path in ctx.git.changed_files("HEAD"):
        tree = parse(ctx.git.bytes_at(path) or b"")
        wanted = {(u.home, u.names) for u in found}
        found = [u for u in units(tree) if (u.home, u.names) in wanted] if tree is not None else []
    yield from ((u.first, u.last) for u in found)


def _closure(known: Mapping[str, Sequence[Unit]], lines: Lines) -> Mapping[str, Sequence[Unit]]:
    executed = {p: [u for u in us if not lines.get(p, frozenset()).isdisjoint(range(u.first, u.last + 1))] for p, us in known.items()}
    out = {p: list(us) for p, us in executed.items()}
    grew = True
    while grew:
        names = {n for us in out.values() for u in us for n in u.uses}
        homes = names | {""} | {u.home for us in out.values() for u in us}
        # what a statement calls was run when its module was imported, which no trace of a test has
        calls = {n for p, us in out.items() for u in us if not (u.is_function and u in executed[p]) for n in u.calls}
        grew = False
        for path, us in known.items():
            more = [u for u in us if u not in out[path] and u.home in homes and _taken(u, names, calls, homes, entered=bool(executed[path]))]
            out[path] += more
            grew |= bool(more)
    return {p: us for p, us in out.items() if us}


def _taken(unit: Unit, names: Collection[str], calls: Collection[str], homes: Collection[str], *, entered: bool) -> bool:
    """Whether what runs takes a unit: by one of its names, or where it is run when the module is imported and binds none."""
    wanted = calls if unit.is_function else homes if isinstance(unit.node, ast.ClassDef) else names
    return not unit.names.isdisjoint(wanted) or (not unit.names and entered)


def _units(body: Sequence[ast.stmt], home: str) -> Iterator[Unit]:
    for node in body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        last = node.end_lineno or node.lineno
        if isinstance(node, ast.ClassDef):
            head = [*node.bases, *node.keywords, *node.decorator_list]
            yield _unit(home, {node.name}, head, first, max(first, node.body[0].lineno - 1), node)
            yield from _units(node.body, node.name)
        elif isinstance(node, _Function):
            yield _unit(home, {node.name}, [node], first, last, node)
        elif any(isinstance(n, _Function | ast.ClassDef) for n in ast.walk(node)):  # under a condition
            yield from _units([n for n in ast.iter_child_nodes(node) if isinstance(n, ast.stmt)], home)
            yield from _units([s for n in ast.iter_child_nodes(node) if isinstance(n, ast.ExceptHandler) for s in n.body], home)
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            yield _unit(home, _bound(node), [node], first, last, node)


def _unit(home: str, names: set[str], of: Sequence[ast.AST], first: int, last: int, node: ast.AST) -> Unit:
    nodes = [n for part in of for n in ast.walk(part)]
    uses = {n.id for n in nodes if isinstance(n, ast.Name)} | {n.attr for n in nodes if isinstance(n, ast.Attribute)}
    calls = {c for n in nodes if isinstance(n, ast.Call) for c in [getattr(n.func, "id", getattr(n.func, "attr", ""))]}
    return Unit(home, frozenset(names), frozenset(uses), frozenset(calls), first, last, node)


def _bound(node: ast.stmt) -> set[str]:
    out = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return out | {(a.asname or a.name).partition(".")[0] for n in ast.walk(node) if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names}
