"""Questions about expressions: names, constants, what a variable stands for, and whether an assertion can fail at all."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterable, Iterator

FuncDef = (ast.FunctionDef, ast.AsyncFunctionDef)


def words(text: str) -> frozenset[str]:
    """The identifiers and numbers of a piece of source, ``self`` and ``cls`` left out."""
    return frozenset(re.findall(r"\w+", text)) - {"self", "cls"}


#: Builtins whose result over constants is itself a constant: an assert on those alone says nothing about the product.
_PURE = words(
    "abs all any bool bytes complex dict divmod enumerate float frozenset int isinstance len list max min range repr reversed round "
    "set slice sorted str sum tuple type zip"
)
#: Lower-case callables that state a value rather than compute one.
CONSTRUCTORS = _PURE | words(
    "approx array asarray call date datetime dedent deque defaultdict escape compile fromisoformat literal namedtuple param time "
    "timedelta timezone zeros ones encode decode join format call_args bytearray memoryview object mappingproxy arange timestamp "
    "fromtimestamp strptime utc mock_open sentinel nullcontext ip_address ip_network"
)
#: Literals of other languages: a test that spells them so depends on nothing.
_FOREIGN = words("true false null nil none undefined NULL TRUE FALSE NaN")
_VALUES = words("Decimal Fraction Path PurePath PurePosixPath PosixPath UUID OrderedDict Counter DataFrame Series Timestamp")


def last_name(node: ast.AST | None) -> str:
    """The last component of a name, attribute chain or call (``pytest.mark.skip(...)`` gives ``skip``), ``""`` for anything else."""
    while isinstance(node, (ast.Call, ast.Await, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def dotted(node: ast.AST | None) -> str:
    """``a.b.c`` of a name or attribute chain (calls are looked through at the end), ``""`` where there is another root."""
    parts: list[str] = []
    while isinstance(node, ast.Call):
        node = node.func
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        return ".".join([node.id, *reversed(parts)])
    return ""


def root_name(node: ast.AST | None) -> str:
    """The variable at the root of an attribute, call or subscript chain."""
    while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript, ast.Await)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def keyword(call: ast.Call, *names: str) -> ast.expr | None:
    """The value of the first keyword argument among ``names``."""
    return next((k.value for k in call.keywords if k.arg in names), None)


def constant(node: ast.AST | None) -> object:
    """The value of a literal, ``...`` where the node is none."""
    if node is None:
        return ...
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return ...


def number(node: ast.AST | None) -> float | None:
    """A numeric literal (``float("inf")`` and ``math.inf`` too) as a float, else ``None``."""
    value = constant(node)
    if isinstance(node, ast.Call) and last_name(node) == "float" and node.args:
        value = constant(node.args[0])
    if last_name(node) == "inf" and isinstance(node, (ast.Name, ast.Attribute)):
        return float("inf")
    try:
        return None if value is ... or isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def is_constant(node: ast.AST | None) -> bool:
    """Whether an expression depends on nothing but literals and pure builtins."""
    if node is None:
        return True
    if isinstance(node, (ast.Name, ast.Attribute, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr, ast.Lambda)):
        return isinstance(node, ast.Lambda) or (isinstance(node, ast.Name) and node.id in _PURE | _FOREIGN)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in _PURE and all(is_constant(c) for c in ast.iter_child_nodes(node))
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        return False
    return all(is_constant(c) for c in ast.iter_child_nodes(node))


def calls(node: ast.AST | None) -> Iterator[ast.Call]:
    """Every call inside ``node``."""
    if node is not None:
        for n in ast.walk(node):
            if isinstance(n, ast.Call):
                yield n


def computed(node: ast.AST | None) -> str:
    """The name of a call in ``node`` that computes a value instead of stating one, ``""`` where there is none.

    Classes (by their capital letter), well-known constructors and methods of literals state values.
    """
    for call in calls(node):
        name = last_name(call.func)
        if name in CONSTRUCTORS or name.lstrip("_")[:1].isupper():
            continue
        if isinstance(call.func, ast.Attribute) and _plain(call.func.value):
            continue
        return name or "a call"
    return ""


def _plain(node: ast.expr) -> bool:
    """Whether a method's receiver is a literal or a well-known value, so that the method does not lead into the product."""
    return is_constant(node) or (isinstance(node, ast.Call) and last_name(node) in CONSTRUCTORS | _VALUES and all(map(_plain, node.args)))


def states_value(node: ast.AST | None) -> bool:
    """Whether ``node`` is written out: literals, constructors of literals, enum members; no variable and nothing taken from a call."""
    return node is not None and not computed(node) and not any(map(_depends, ast.walk(node)))


def _depends(node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        return not (node.id in CONSTRUCTORS or node.id.lstrip("_")[:1].isupper())
    if isinstance(node, (ast.Attribute, ast.Subscript)):
        return isinstance(node.ctx, ast.Load) and isinstance(node.value, ast.Call)
    return isinstance(node, ast.Await)


def dump(node: ast.AST | None) -> str:
    """A position-free key of an expression."""
    return "" if node is None else ast.dump(node)


def bound_names(target: ast.AST) -> Iterator[str]:
    """The names that an assignment target binds."""
    for n in ast.walk(target):
        if isinstance(n, ast.Name) and isinstance(n.ctx, (ast.Store, ast.Del)):
            yield n.id


class Scope:
    """What variables stand for: the latest simple assignment before a line, in a function first and in its module then."""

    def __init__(self, body: Iterable[ast.stmt], parent: Scope | None = None, params: Iterable[str] = ()) -> None:
        self.parent = parent
        self.values: dict[str, list[tuple[int, ast.expr | None]]] = {name: [(0, None)] for name in params}
        statements = list(body)
        for stmt in statements:
            self._learn(stmt)
        for name in _changed_elsewhere(statements, self.values):
            self.values[name] = [(0, None)]

    def _learn(self, stmt: ast.stmt) -> None:
        for node in _own_nodes(stmt):
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self._bind(node.targets[0].id, node.lineno, node.value)
            elif isinstance(node, ast.Assign) and len(node.targets) == 1 and _pairwise(node.targets[0], node.value):
                for target, value in zip(node.targets[0].elts, node.value.elts, strict=True):  # type: ignore[attr-defined]
                    self._bind(target.id, node.lineno, value)
            elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and isinstance(node.target, ast.Name):
                self._bind(node.target.id, node.lineno, node.value)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)) and (node.id, node.lineno) not in self._bound:
                self._bind(node.id, node.lineno, None)

    @property
    def _bound(self) -> set[tuple[str, int]]:
        return {(name, line) for name, values in self.values.items() for line, _ in values}

    def _bind(self, name: str, line: int, value: ast.expr | None) -> None:
        self.values.setdefault(name, []).append((line, value))

    def lookup(self, name: str, line: int) -> tuple[int, ast.expr] | None:
        """(line, expression) that ``name`` stands for at ``line``; ``None`` where that is not plain."""
        if name in self.values:
            earlier = [(at, value) for at, value in self.values[name] if at < line]
            at, value = max(earlier, key=lambda v: v[0]) if earlier else (0, None)
            return None if value is None else (at, value)
        return self.parent.lookup(name, 1 << 30) if self.parent else None

    def resolve(self, node: ast.expr | None, line: int, depth: int = 5) -> ast.expr | None:
        """``node`` with its variables replaced by what they stand for at ``line``."""
        if node is None or depth == 0 or not any(isinstance(n, ast.Name) for n in ast.walk(node)):
            return node
        if isinstance(node, ast.Name):
            found = self.lookup(node.id, line)
            return node if found is None else self.resolve(found[1], found[0], depth - 1)
        return _Substitute(self, line, depth).visit(copy.deepcopy(node))  # type: ignore[no-any-return]


_MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.Call)


def _changed_elsewhere(body: Iterable[ast.stmt], values: dict[str, list[tuple[int, ast.expr | None]]]) -> set[str]:
    """Variables that do not stand for what they were assigned: rebound by an inner function, or a container that somebody may fill."""
    out: set[str] = set()
    containers = {
        name for name, found in values.items() if any(isinstance(v, _MUTABLE) and not (isinstance(v, ast.Call) and v.args) for _, v in found)
    }
    for node in (n for stmt in body for n in ast.walk(stmt)):
        if isinstance(node, (ast.Nonlocal, ast.Global)):
            out |= set(node.names)
        elif isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.value, ast.Name):
            if isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load):
                out |= {node.value.id} & containers
        elif isinstance(node, ast.Call):
            out |= {a.id for a in (*node.args, *(k.value for k in node.keywords)) if isinstance(a, ast.Name)} & containers
        elif isinstance(node, (*FuncDef, ast.Lambda)):
            out |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} & containers
    return out & set(values)


def _pairwise(target: ast.expr, value: ast.expr) -> bool:
    return (
        isinstance(target, (ast.Tuple, ast.List))
        and isinstance(value, (ast.Tuple, ast.List))
        and len(target.elts) == len(value.elts)
        and all(isinstance(e, ast.Name) for e in target.elts)
        and not any(isinstance(e, ast.Starred) for e in value.elts)
    )


class _Substitute(ast.NodeTransformer):
    def __init__(self, scope: Scope, line: int, depth: int) -> None:
        self.scope, self.line, self.depth = scope, line, depth

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Replace a variable that is read."""
        if not isinstance(node.ctx, ast.Load):
            return node
        found = self.scope.lookup(node.id, self.line)
        if found is None:
            return node
        return self.scope.resolve(found[1], found[0], self.depth - 1) or node


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """``node`` and what is inside it, nested functions and classes left out; assignments before the names in them."""
    if isinstance(node, (*FuncDef, ast.ClassDef, ast.Lambda)):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _own_nodes(child)


def own_nodes(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All nodes of ``body`` that belong to this scope (nested functions and classes left out)."""
    for stmt in body:
        yield from _own_nodes(stmt)
