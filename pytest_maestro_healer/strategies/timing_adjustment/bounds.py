"""Where a test says how long it is willing to wait."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.strategies.environment_healing.place import Place

_KEYWORD = re.compile(
    r"^(?:\w+_)?(?:timeout|deadline|max_wait|wait_for|wait_time|max_seconds|time_limit)(?:_(?:s|sec|secs|seconds|ms|millis|milliseconds))?$"
)
_CLOCK = re.compile(r"\b(time|monotonic|perf_counter|loop_time|now)\(\)")
_MILLIS = re.compile(r"(?:_ms|_millis|_milliseconds|msecs?)$")
#: Callable -> position of its limit in seconds, as the standard library and well-known ones document them.
_POSITION = {
    "wait_for": 1, "timeout": 0, "timeout_at": -1, "fail_after": 0, "move_on_after": 0, "join": 0, "wait": 0, "result": 0, "exception": 0,
    "settimeout": 0, "communicate": 1, "get": 1, "put": 2, "acquire": 1, "select": 3, "create_connection": 1, "as_completed": 1, "poll": 0,
    "wait_until": 1, "waitUntil": 1, "waitSignal": 1, "setdefaulttimeout": 0,
}  # fmt: skip


@dataclass(frozen=True)
class Bound:
    """One limit: ``node`` is the literal that states it, ``value`` its seconds, ``scale`` how many of its units make a second."""

    src: SourceFile
    node: ast.expr
    value: float
    scale: float
    name: str
    kind: str
    line: int

    @property
    def where(self) -> str:
        """``path:line``."""
        return f"{self.src.path}:{self.node.lineno}"


def bounds(place: Place) -> list[Bound]:
    """All limits that the function states, each literal once: arguments of calls, its own markers, constants that it uses as limits."""
    out: dict[int, Bound] = {}
    for call in ast.walk(place.node):
        if isinstance(call, ast.Call):
            for name, value in _limits(call):
                found = _bound(place, value, name, call.lineno)
                if found is not None:
                    out.setdefault(id(found.node), found)
    for value, line in _deadlines(place.node):
        found = _bound(place, value, "deadline", line)
        if found is not None:
            out.setdefault(id(found.node), found)
    return [*out.values()]


def _deadlines(node: ast.AST) -> Iterator[tuple[ast.expr, int]]:
    """The literals of a loop of the test's own that gives up: ``end = clock() + n``, ``while clock() - start < n``."""
    for n in ast.walk(node):
        if (
            isinstance(n, ast.Assign)
            and isinstance(n.value, ast.BinOp)
            and isinstance(n.value.op, ast.Add)
            and _CLOCK.search(ast.unparse(n.value.left))
        ):
            yield n.value.right, n.lineno
        elif isinstance(n, ast.While):
            for c in (c for c in ast.walk(n.test) if isinstance(c, ast.Compare) and len(c.ops) == 1):
                if isinstance(c.ops[0], (ast.Lt, ast.LtE)) and isinstance(c.left, ast.BinOp) and _CLOCK.search(ast.unparse(c.left)):
                    yield c.comparators[0], n.lineno


def _limits(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    for k in call.keywords:
        if k.arg is not None and _KEYWORD.match(k.arg):
            yield k.arg, k.value
    name = last_name(call.func)
    at = _POSITION.get(name, -1)
    if 0 <= at < len(call.args) and not any(isinstance(a, ast.Starred) for a in call.args):
        if name in ("get", "put", "acquire") and not (isinstance(call.args[at - 1], ast.Constant) and call.args[at - 1].value is True):  # type: ignore[attr-defined]
            return
        if name in ("timeout", "join") and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, (ast.Constant, ast.JoinedStr)):
            return
        yield name, call.args[at]


def _bound(place: Place, value: ast.expr, name: str, line: int) -> Bound | None:
    node = literal_of(place, value)
    kind = "constant" if isinstance(value, ast.Name) else "argument"
    number = number_of(node)
    if node is None or number is None or number <= 0:
        return None
    scale = 1000.0 if _MILLIS.search(name) else 1.0
    return Bound(place.src, node, number / scale, scale, name, kind, line)


def literal_of(place: Place, value: ast.expr) -> ast.expr | None:
    """The expression itself, or the one that a name in it was set to; ``None`` where that is not one place."""
    return _constant(place, value) if isinstance(value, ast.Name) else value


def _constant(place: Place, name: ast.Name) -> ast.expr | None:
    """The one literal that a name stands for, in the function or at module level."""
    for scope in (place.node, place.src.tree):
        found = [
            n.value
            for n in (scope.body if scope is not None else [])
            if isinstance(n, ast.Assign) and len(n.targets) == 1 and isinstance(n.targets[0], ast.Name) and n.targets[0].id == name.id
        ]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def number_of(node: ast.expr | None) -> float | None:
    """A positive number that is written out (``0.5``, ``1 / 20``, ``5 * 60``), else ``None``."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        return float(node.value)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)):
        left, right = number_of(node.left), number_of(node.right)
        if left is None or right is None or (isinstance(node.op, ast.Div) and not right):
            return None
        return left * right if isinstance(node.op, ast.Mult) else left / right
    return None


def marks(place: Place) -> list[Bound]:
    """``@pytest.mark.timeout(n)`` on the function, its class, or in ``pytestmark``."""
    tree = place.src.tree
    nodes: list[ast.AST] = [*place.node.decorator_list, *(place.cls.decorator_list if place.cls else [])]
    for statement in tree.body if tree else ():
        if isinstance(statement, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in statement.targets):
            nodes.append(statement.value)
    out = []
    for call in (n for node in nodes for n in ast.walk(node)):
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr == "timeout"
            and "mark" in ast.unparse(call.func.value)
        ):
            value = call.args[0] if call.args else next((k.value for k in call.keywords if k.arg in ("timeout", "seconds")), None)
            number = number_of(value)
            if value is not None and number:
                out.append(Bound(place.src, value, number, 1.0, "pytest.mark.timeout", "mark", call.lineno))
    return out
