"""Where a heal goes: the test, fixture or set-up function whose surroundings have to be isolated."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.model import Failure

Function = ast.FunctionDef | ast.AsyncFunctionDef
Kind = Literal["test", "fixture", "wide_fixture", "unittest", "other"]
_CASES = {"TestCase", "IsolatedAsyncioTestCase", "SimpleTestCase", "TransactionTestCase", "LiveServerTestCase"}


@dataclass(frozen=True)
class Place:
    """One function of test code. ``kind``: a pytest test, a fixture of function or wider scope, a method of a unittest class, or other."""

    src: SourceFile
    node: Function
    kind: Kind
    cls: ast.ClassDef | None = None

    @property
    def takes_fixtures(self) -> bool:
        """Whether an argument can ask for a fixture of function scope."""
        return self.kind in ("test", "fixture")


def functions(tree: ast.AST, cls: ast.ClassDef | None = None) -> Iterator[tuple[Function, ast.ClassDef | None]]:
    """All functions of a module with the class they stand in, nested ones too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node, cls
            yield from functions(node, cls)
        elif isinstance(node, ast.ClassDef):
            yield from functions(node, node)
        elif isinstance(node, ast.stmt):
            yield from functions(node, cls)


def test_function(failure: Failure, ctx: Context) -> Place | None:
    """The test function of a failure, whatever raised."""
    src = ctx.source(failure.path)
    if src is None or src.tree is None or not failure.function:
        return None
    return _named(src, failure.function)


def entry(failure: Failure, ctx: Context) -> Place | None:
    """The function of test code that pytest called and that failed: the test, or the fixture or set-up it needs."""
    if failure.phase == "collect":
        return None
    frame = next((f for f in failure.frames if f.kind == "test"), None)
    if failure.phase == "call" or frame is None:
        return test_function(failure, ctx)
    src = ctx.source(frame.location.path)
    if src is None or src.tree is None:
        return None
    best = None
    for node, cls in functions(src.tree):
        if node.lineno <= frame.location.line <= (node.end_lineno or node.lineno):
            best = _place(src, node, cls) if best is None or node.lineno >= best.node.lineno else best
    return best


def failing_function(failure: Failure, ctx: Context) -> Place | None:
    """The innermost function of test code that the exception came through."""
    frame = next((f for f in reversed(failure.frames) if f.kind == "test"), None)
    src = ctx.source(frame.location.path) if frame else None
    if frame is None or src is None or src.tree is None:
        return None
    inside = [(n, c) for n, c in functions(src.tree) if n.lineno <= frame.location.line <= (n.end_lineno or n.lineno)]
    return _place(src, *max(inside, key=lambda p: p[0].lineno)) if inside else None


def _named(src: SourceFile, qualname: str) -> Place | None:
    assert src.tree is not None
    *classes, name = qualname.split(".")
    for node, cls in functions(src.tree):
        if node.name == name and (cls.name if cls else "") == (classes[-1] if classes else ""):
            return _place(src, node, cls)
    return None


def _place(src: SourceFile, node: Function, cls: ast.ClassDef | None) -> Place:
    return Place(src, node, _kind(node, cls), cls)


def _kind(node: Function, cls: ast.ClassDef | None) -> Kind:
    for d in node.decorator_list:
        call = d if isinstance(d, ast.Call) else None
        target = call.func if call else d
        name = last_name(target)
        if name in ("fixture", "yield_fixture", "async_fixture"):
            scope = next((k.value for k in call.keywords if k.arg == "scope"), None) if call else None
            narrow = scope is None or (isinstance(scope, ast.Constant) and scope.value == "function")
            return "fixture" if narrow else "wide_fixture"
    if cls is not None and is_unittest(cls):
        return "unittest" if node.name.startswith("test") or node.name in ("setUp", "asyncSetUp") else "other"
    return "test" if node.name.startswith("test") else "other"


def is_unittest(cls: ast.ClassDef) -> bool:
    """Whether a class looks like a unittest case."""
    names = {last_name(b) for b in cls.bases}
    return (
        bool(names & _CASES)
        or any(n.endswith("TestCase") for n in names)
        or any(isinstance(n, ast.FunctionDef) and n.name in ("setUp", "tearDown", "setUpClass") for n in cls.body)
    )


def parameters(node: Function) -> list[str]:
    """The names of a function's parameters."""
    a = node.args
    return [p.arg for p in (*a.posonlyargs, *a.args, *a.kwonlyargs)]


def first_statement(node: Function) -> ast.stmt:
    """The first statement after the docstring."""
    body = node.body
    if len(body) > 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) and isinstance(body[0].value.value, str):
        return body[1]
    return body[0]


def statement_at(place: Place, line: int) -> ast.stmt | None:
    """The innermost simple statement of a function that covers ``line``."""
    found = [n for n in ast.walk(place.node) if isinstance(n, ast.stmt) and n is not place.node and n.lineno <= line <= (n.end_lineno or n.lineno)]
    return max(found, key=lambda n: (n.lineno, -(n.end_lineno or 0)), default=None)
