"""From an operand of an assertion back to the literal in which its value was written."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.model import Failure, Location, Value
from pytest_maestro_healer.strategies.assertion_update import rows
from pytest_maestro_healer.strategies.assertion_update.matching import is_literal, literal_is, text_of
from pytest_maestro_healer.strategies.assertion_update.render import imported_names
from pytest_maestro_healer.strategies.assertion_update.strings import is_text
from pytest_maestro_healer.strategies.assertion_update.tree import (
    Function,
    above,
    argument,
    class_of,
    function_of,
    loop_of,
    node_at,
    own_nodes,
    parameters,
)

_MAKERS = {
    "dedent", "encode", "approx", "list", "tuple", "set", "frozenset", "OrderedDict", "Counter", "deque", "array", "asarray", "Series", "Index",
    "dict",
    "DataFrame", "call", "defaultdict",
}  # fmt: skip
_DEPTH = 12
#: The ends that a method strips.
_STRIPS = {"strip": "lr", "lstrip": "l", "rstrip": "r"}


@dataclass(frozen=True)
class Origin:
    """The expression in which an expected value was written, and how it was found.

    ``shared`` where others than this test use it; ``row`` where it belongs to one row of a table (a parameter set, a loop's row);
    ``call`` is the call site through which a helper got it. ``around`` is what a text that is stripped where it is used has around the rest.
    """

    src: SourceFile
    node: ast.expr
    via: str = "literal"
    shared: bool = False
    row: bool = False
    call: Location | None = None
    around: tuple[str, str] = ("", "")

    def written(self, value: Value | None) -> Value | None:
        """A value as it stands in ``node``: a text with what is stripped of it."""
        text = text_of(value)
        if text is None or self.around == ("", ""):
            return value
        whole = repr(f"{self.around[0]}{text}{self.around[1]}")
        return Value("str", whole, source=whole)

    @property
    def where(self) -> str:
        """``path:line``."""
        return f"{self.src.path}:{self.node.lineno}"


class Tracer:
    """Follows names for one failure; where ``stripped`` also through ``.strip()``."""

    def __init__(self, failure: Failure, ctx: Context, *, stripped: bool = False) -> None:
        self.failure = failure
        self.ctx = ctx
        self._stripped = stripped

    def trace(self, node: ast.expr, src: SourceFile, value: Value | None = None, depth: int = 0) -> Origin | None:
        """The origin of ``node``'s value, ``None`` where it is computed or not found. ``value`` helps to tell rows of a table apart."""
        if depth > _DEPTH or not self.ctx.is_test_code(src.path):
            return None
        if is_written(node):
            return Origin(src, node)
        if isinstance(node, ast.Name):
            return self._name(node, src, value, depth)
        if isinstance(node, ast.Attribute):
            return self._attribute(node, src, value, depth)
        if isinstance(node, ast.Subscript):
            return self._item(node, src, depth)
        return self._strips(node, src, depth) if self._stripped and isinstance(node, ast.Call) else None

    def _strips(self, node: ast.Call, src: SourceFile, depth: int) -> Origin | None:
        """A literal text that is stripped: what is stripped stays as it is."""
        ends = _STRIPS.get(node.func.attr) if isinstance(node.func, ast.Attribute) else None
        if ends is None or not isinstance(node.func, ast.Attribute) or node.keywords or not all(is_literal(a) for a in node.args[:1]):
            return None
        found = self.trace(node.func.value, src, None, depth + 1)
        text = found.node.value if found is not None and isinstance(found.node, ast.Constant) else None
        chars = ast.literal_eval(node.args[0]) if node.args else None
        if found is None or not isinstance(text, str) or not (chars is None or isinstance(chars, str)) or found.around != ("", ""):
            return None
        start = len(text) - len(text.lstrip(chars)) if "l" in ends else 0
        stop = len(text.rstrip(chars)) if "r" in ends else len(text)
        return replace(found, around=(text[:start], text[stop:])) if start < stop else None

    # -- names -------------------------------------------------------------------------------------------------
    def _name(self, node: ast.Name, src: SourceFile, value: Value | None, depth: int) -> Origin | None:
        function = function_of(src, node)
        inner: ast.AST = node
        while function is not None:
            bound = self._bindings(function, node.id, node.lineno if inner is node else 1 << 30)
            if bound:
                return self._local(bound, node, src, value, depth)
            if node.id in parameters(function):
                return self._parameter(function, node.id, src, value, depth)
            inner = function
            function = function_of(src, function)
        return self.module_name(src, node.id, value, depth)

    def _bindings(self, function: Function, name: str, before: int) -> list[ast.AST]:
        """Statements of the function that bind ``name``, those above the use; all of them counted."""
        out: list[ast.AST] = []
        for n in own_nodes(function):
            targets: list[ast.expr] = []
            if isinstance(n, ast.Assign):
                targets = n.targets
            elif isinstance(n, (ast.AnnAssign, ast.AugAssign, ast.For, ast.AsyncFor, ast.comprehension, ast.NamedExpr)):
                targets = [n.target]
            elif isinstance(n, ast.withitem) and n.optional_vars is not None:
                targets = [n.optional_vars]
            if any(isinstance(t, ast.Name) and t.id == name for target in targets for t in ast.walk(target)):
                out.append(n)
        return [n for n in out if getattr(n, "lineno", 0) <= before]

    def _local(self, bound: list[ast.AST], use: ast.Name, src: SourceFile, value: Value | None, depth: int) -> Origin | None:
        bound.sort(key=lambda n: (getattr(n, "lineno", 0), getattr(n, "col_offset", 0)))
        last = bound[-1]
        if isinstance(last, (ast.For, ast.AsyncFor, ast.comprehension)):
            return self._loop_row(last.target, last.iter, use.id, src, value, depth)
        if not isinstance(last, (ast.Assign, ast.AnnAssign)) or last.value is None:
            return None
        if len(bound) > 1:
            around = set(above(src, use))
            holder = next(above(src, last), None)
            if holder not in around or _other_branch(holder, last, around):
                return None
        target = last.targets[0] if isinstance(last, ast.Assign) else last.target
        source = last.value if isinstance(target, ast.Name) else _unpacked(target, last.value, use.id)
        found = None if source is None else self.trace(source, src, value, depth + 1)
        return found and replace(found, via="local variable" if found.via == "literal" else found.via)

    def _loop_row(self, target: ast.expr, table: ast.expr, name: str, src: SourceFile, value: Value | None, depth: int) -> Origin | None:
        """A loop over a table written in the test: the row with this value, if there is only one."""
        pairs = False
        if isinstance(table, ast.Call) and isinstance(table.func, ast.Attribute) and table.func.attr == "items":
            table, pairs = table.func.value, True
        found = self.trace(table, src, None, depth + 1)
        if found is None or value is None:
            return None
        items: list[ast.expr]
        if pairs and isinstance(found.node, ast.Dict) and all(k is not None for k in found.node.keys):
            items = [ast.Tuple([k, v], ast.Load()) for k, v in zip(found.node.keys, found.node.values, strict=True) if k is not None]
        elif isinstance(found.node, (ast.List, ast.Tuple, ast.Set)):
            items = found.node.elts
        else:
            return None
        parts = [i if isinstance(target, ast.Name) else _unpacked(target, i, name) for i in items]
        fitting = [p for p in parts if p is not None and literal_is(p, value)]
        return Origin(found.src, fitting[0], "row of a loop's table", found.shared, True) if len(fitting) == 1 else None

    def module_name(self, src: SourceFile, name: str, value: Value | None, depth: int) -> Origin | None:
        """A module-level name, also one imported from other test code."""
        body = src.tree.body if src.tree else []
        found = [n for n in body if isinstance(n, (ast.Assign, ast.AnnAssign)) and n.value is not None and _binds(n, name)]
        if len(found) == 1:
            value_node = found[0].value
            origin = self.trace(value_node, src, value, depth + 1) if value_node is not None else None
            return origin and replace(origin, via="module constant", shared=True)
        dotted = imported_names(src).get(name)
        if found or not dotted:
            return None
        other = self._module(dotted.rpartition(".")[0], src)
        return None if other is None else self.module_name(other, dotted.rpartition(".")[2], value, depth + 1)

    def _module(self, dotted: str, src: SourceFile) -> SourceFile | None:
        folder = src.path.rpartition("/")[0]
        level = len(dotted) - len(dotted.lstrip("."))
        tail = dotted.lstrip(".").replace(".", "/")
        for _ in range(max(level - 1, 0)):
            folder = folder.rpartition("/")[0]
        bases = [folder] if level else [folder, ""]
        for base in bases:
            for end in (".py", "/__init__.py"):
                path = f"{base}/{tail}{end}".lstrip("/")
                if self.ctx.is_test_code(path) and (found := self.ctx.source(path)) is not None:
                    return found
        return None

    # -- attributes and items ----------------------------------------------------------------------------------
    def _attribute(self, node: ast.Attribute, src: SourceFile, value: Value | None, depth: int) -> Origin | None:
        cls = None
        if (
            value is not None
            and value.source
            and value.type.endswith(value.source.rpartition(".")[0] or "?")
            and value.source.endswith(f".{node.attr}")
        ):
            return Origin(src, node)  # an enum member
        if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
            cls = class_of(src, node)
        elif isinstance(node.value, ast.Name) and src.tree is not None:
            cls = next((c for c in src.tree.body if isinstance(c, ast.ClassDef) and c.name == node.value.id), None)
        if cls is None:
            return None
        found: list[ast.expr] = []
        for n in ast.walk(cls):
            if isinstance(n, (ast.Assign, ast.AnnAssign)) and n.value is not None:
                for t in n.targets if isinstance(n, ast.Assign) else [n.target]:
                    own = isinstance(t, ast.Attribute) and isinstance(t.value, ast.Name) and t.value.id in ("self", "cls") and t.attr == node.attr
                    if own or (isinstance(t, ast.Name) and t.id == node.attr and n in cls.body):
                        found.append(n.value)
        origin = self.trace(found[0], src, value, depth + 1) if len(found) == 1 else None
        return origin and replace(origin, via="class attribute", shared=True)

    def _item(self, node: ast.Subscript, src: SourceFile, depth: int) -> Origin | None:
        base = self.trace(node.value, src, None, depth + 1)
        if base is None or not is_literal(node.slice):
            return None
        try:
            key = ast.literal_eval(node.slice)
        except (ValueError, TypeError):
            return None
        if isinstance(base.node, ast.Dict):
            for k, v in zip(base.node.keys, base.node.values, strict=True):
                if k is not None and is_literal(k) and ast.literal_eval(k) == key:
                    return replace(base, node=v)
        elif isinstance(base.node, (ast.List, ast.Tuple)) and isinstance(key, int) and -len(base.node.elts) <= key < len(base.node.elts):
            return replace(base, node=base.node.elts[key])
        return None

    # -- parameters --------------------------------------------------------------------------------------------
    def _parameter(self, function: Function, name: str, src: SourceFile, value: Value | None, depth: int) -> Origin | None:
        test = self.failure.function.replace("::", ".").split(".")[-1]
        if src.path == self.failure.path and function.name == test:
            if name in self.failure.params:
                return self._row(function, name, src, depth)
            return self._fixture(name, depth) if name in self.failure.fixtures else None
        if rows.is_fixture(function):
            return self._fixture(name, depth) if name in self.failure.fixtures else None
        return self._from_caller(function, name, src, value, depth)

    def cell(self, function: Function, name: str, src: SourceFile, depth: int = 0) -> rows.Cell | None:
        """The expression that this failure's parameter set passes to ``function`` as ``name``, and the file it is written in."""
        index = self.failure.param_indices.get(name, -1)
        return rows.cell(function, src, name, index, self.failure.params[name], lambda n: self._table(n, src, depth))

    def _row(self, function: Function, name: str, src: SourceFile, depth: int) -> Origin | None:
        index = self.failure.param_indices.get(name, -1)
        cell = self.cell(function, name, src, depth)
        if cell is None and name in self.failure.fixtures:
            where = self.failure.fixtures[name]
            other = self.ctx.source(where.path)
            made = rows.fixture_at(other, where.line) if other else None
            cell = rows.fixture_cell(made, other, index) if made and other else None
        if cell is None:
            return None
        origin = self.trace(cell[1], cell[0], self.failure.params[name], depth + 1)
        return origin and replace(origin, via="parametrize row" if origin.via == "literal" else origin.via, row=origin.via == "literal")

    def _table(self, node: ast.expr, src: SourceFile, depth: int) -> tuple[SourceFile, ast.expr] | None:
        if isinstance(node, (ast.List, ast.Tuple)):
            return src, node
        found = self.trace(node, src, None, depth + 1)
        return (found.src, found.node) if found else None

    def _fixture(self, name: str, depth: int) -> Origin | None:
        where = self.failure.fixtures[name]
        src = self.ctx.source(where.path)
        function = rows.fixture_at(src, where.line) if src else None
        if src is None or function is None:
            return None
        results = [n.value for n in own_nodes(function) if isinstance(n, (ast.Return, ast.Yield)) and n.value is not None]
        origin = self.trace(results[0], src, None, depth + 1) if len(results) == 1 else None
        return origin and replace(origin, via="fixture", shared=True)

    def _from_caller(self, function: Function, name: str, src: SourceFile, value: Value | None, depth: int) -> Origin | None:
        """The argument that the nearest caller in the traceback passed."""
        frames = [f for f in self.failure.frames if f.kind == "test"]
        for at in range(len(frames) - 1, 0, -1):
            if frames[at].function.split(".")[-1] == function.name and frames[at].location.path == src.path:
                where = frames[at - 1].location
                caller = self.ctx.source(where.path)
                call = call_at(caller, where, function.name) if caller else None
                if caller is None or call is None:
                    return None
                bound = (
                    class_of(src, function) is not None and isinstance(call.func, ast.Attribute) and parameters(function)[:1] in (["self"], ["cls"])
                )
                given = argument(call, function, name, bound)
                home = src if given is not None and given is _default(function, name) else caller
                origin = self.trace(given, home, value, depth + 1) if given is not None else None
                here = Location(where.path, call.lineno)
                if origin is not None and given is _default(function, name):
                    return replace(origin, via="helper default", shared=True, call=here)
                return origin and replace(origin, via="helper argument" if origin.via == "literal" else origin.via, call=origin.call or here)
        return None


def _default(function: Function, name: str) -> ast.expr | None:
    from pytest_maestro_healer.strategies.assertion_update.tree import default_of

    return default_of(function, name)


def call_at(src: SourceFile, where: Location, name: str) -> ast.Call | None:
    """The call of ``name`` that a frame was running."""
    exact = node_at(src, where, ast.Call) if where.col >= 0 else None
    if isinstance(exact, ast.Call) and last_name(exact.func) == name:
        return exact
    found = [
        n
        for n in (ast.walk(src.tree) if src.tree else ())
        if isinstance(n, ast.Call) and last_name(n.func) == name and n.lineno <= where.line <= (n.end_lineno or n.lineno)
    ]
    return found[0] if len(found) == 1 else None


def is_written(node: ast.expr) -> bool:
    """Whether a value stands in ``node`` itself: a literal, a display, or a constructor of plain values."""
    if is_literal(node) or is_text(node) or isinstance(node, (ast.List, ast.Tuple, ast.Set, ast.Dict)):
        return True
    if isinstance(node, ast.Call):
        name = last_name(node.func)
        return name in _MAKERS or (name[:1].isupper() and not name.isupper() and bool(node.args or node.keywords) and _plain_arguments(node))
    return False


def _plain_arguments(node: ast.Call) -> bool:
    return all(is_written(a) for a in [*node.args, *(k.value for k in node.keywords)])


def _binds(node: ast.Assign | ast.AnnAssign, name: str) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return any(isinstance(t, ast.Name) and t.id == name for t in targets)


def _unpacked(target: ast.expr, value: ast.expr, name: str) -> ast.expr | None:
    """What ``name`` gets when ``value`` is unpacked into ``target``."""
    if isinstance(target, ast.Name):
        return value if target.id == name else None
    if not isinstance(target, (ast.Tuple, ast.List)) or not isinstance(value, (ast.Tuple, ast.List)) or len(target.elts) != len(value.elts):
        return None
    for t, v in zip(target.elts, value.elts, strict=True):
        found = _unpacked(t, v, name)
        if found is not None:
            return found
    return None


def _other_branch(holder: ast.AST | None, binding: ast.AST, around: set[ast.AST]) -> bool:
    """Whether the binding stands in another branch of an ``if`` or ``try`` than the use."""
    if not isinstance(holder, (ast.If, ast.Try, ast.For, ast.While)):
        return False
    branches = [getattr(holder, f, []) for f in ("body", "orelse", "finalbody")]
    mine = next((b for b in branches if binding in b), [])
    return not any(n in around for n in mine)


__all__ = ["Origin", "Tracer", "call_at", "is_written", "loop_of"]
