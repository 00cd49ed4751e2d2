"""A module as units (functions, class bodies, the module itself), each with the checks that can be reached and what stands around them."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pytest_maestro_healer.edit.guards.checks import Check, canonical, check_of_call
from pytest_maestro_healer.edit.guards.expressions import FuncDef, Scope, calls, constant, last_name, own_nodes
from pytest_maestro_healer.edit.source import SourceFile

_ENDS = frozenset({"skip", "xfail", "fail", "exit", "_exit", "abort", "skipTest", "importorskip"})
#: Iterables that have as many elements as their arguments.
_AS_LONG = frozenset({"range", "enumerate", "sorted", "reversed", "zip", "list", "tuple", "items", "values", "keys"})
_VERSION_WORDS = ("version", "platform", "sys.", "os.name", "PY3", "PY2", "IS_", "WINDOWS", "LINUX", "MACOS")


@dataclass
class Unit:
    """A function, or the statements of a class body or module outside functions."""

    qualname: str
    node: ast.AST
    frames: tuple[str, ...]
    text: str
    parent: str = ""
    classes: tuple[ast.ClassDef, ...] = ()
    body: Sequence[ast.stmt] = ()
    occurrence: int = 0
    module: Scope | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The bare name."""
        return self.qualname.rpartition(".")[2]

    @property
    def is_function(self) -> bool:
        """Whether it is a function and no class or module body."""
        return isinstance(self.node, FuncDef)

    @property
    def is_test(self) -> bool:
        """Whether pytest or unittest would take it for a test by its name."""
        return self.is_function and (self.name.startswith("test") or self.name == "runTest")

    @cached_property
    def checks(self) -> list[Check]:
        """Every reachable check, in source order."""
        decorators = getattr(self.node, "decorator_list", []) if self.is_function else []
        found = [c for d in decorators if isinstance(d, ast.Call) for c in check_of_call(d, d) if c.op in ("raises", "warns")]
        return found + list(walk(self.body, self.frames, self.scope))

    @cached_property
    def scope(self) -> Scope | None:
        """What its variables stand for."""
        if not isinstance(self.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return self.module
        args = self.node.args
        params = [a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg) if a is not None]
        return Scope(self.node.body, self.module, params)

    @cached_property
    def own(self) -> list[ast.AST]:
        """All its nodes, those of nested functions and classes left out."""
        return list(own_nodes(self.body))

    @property
    def parts(self) -> Sequence[ast.AST]:
        """The syntax that belongs to it: a function wholly, of a class its header and statements, of a module its statements."""
        if self.is_function:
            return [self.node]
        if isinstance(self.node, ast.ClassDef):
            return [*self.node.decorator_list, *self.node.bases, *self.node.keywords, *self.body]
        return self.body


def units(src: SourceFile) -> list[Unit]:
    """The units of a file that parses."""
    assert src.tree is not None
    module = Scope([s for s in src.tree.body if not isinstance(s, (*FuncDef, ast.ClassDef))])
    out: list[Unit] = []
    _collect(src, src.tree.body, "", (), (), module, out)
    seen: dict[str, int] = {}
    for unit in out:
        unit.occurrence = seen.get(unit.qualname, 0)
        seen[unit.qualname] = unit.occurrence + 1
    return out


def _collect(
    src: SourceFile, body: Sequence[ast.stmt], prefix: str, frames: tuple[str, ...], classes: tuple[ast.ClassDef, ...], module: Scope, out: list[Unit]
) -> None:
    plain: list[ast.stmt] = []
    for stmt, around in _definitions(body, frames, plain):
        if isinstance(stmt, ast.ClassDef):
            _collect(src, stmt.body, f"{prefix}{stmt.name}.", around, (*classes, stmt), module, out)
            continue
        out.append(Unit(f"{prefix}{stmt.name}", stmt, around, node_text(src, stmt), prefix, classes, stmt.body, module=module))
    node: ast.AST = classes[-1] if classes else src.tree or ast.Module([], [])
    text = "".join([_header(src, node), *(node_text(src, s) for s in plain)])
    out.append(Unit(prefix + "<body>", node, frames, text, prefix, classes, plain, module=module))


def _header(src: SourceFile, node: ast.AST) -> str:
    """The lines of a class before its first statement."""
    if not isinstance(node, ast.ClassDef):
        return ""
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return "".join(src.lines[first - 1 : max(first, node.body[0].lineno - 1)])


def _definitions(
    body: Sequence[ast.stmt], frames: tuple[str, ...], plain: list[ast.stmt]
) -> Iterator[tuple[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, tuple[str, ...]]]:
    """Functions and classes of a body, looking into if/try/with blocks; what else there is goes to ``plain``."""
    for stmt in body:
        if isinstance(stmt, (*FuncDef, ast.ClassDef)):
            yield stmt, frames
        elif isinstance(stmt, (ast.If, ast.Try, ast.With, ast.For, ast.While)) and any(
            isinstance(n, (*FuncDef, ast.ClassDef)) for n in ast.walk(stmt)
        ):
            inner: list[ast.stmt] = []
            for block, around in _blocks(stmt, None):
                yield from _definitions(block, (*frames, *around), inner)
            plain.append(stmt)
        else:
            plain.append(stmt)


def node_text(src: SourceFile, node: ast.stmt) -> str:
    """The lines of a statement with its decorators."""
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return "".join(src.lines[first - 1 : node.end_lineno])


def walk(body: Sequence[ast.stmt], frames: tuple[str, ...], scope: Scope | None) -> Iterator[Check]:
    """The reachable checks of a block with the frames around each."""
    for stmt in body:
        for check in _own_checks(stmt):
            yield dataclasses.replace(check, frames=frames)
        for block, around in _blocks(stmt, scope):
            if "dead" not in around:
                yield from walk(block, (*frames, *around), scope)
        if terminates(stmt):
            return
        if (
            isinstance(stmt, ast.If)
            and constant(stmt.test) is ...
            and block_terminates(stmt.body, leaving=True)
            and not block_terminates(stmt.orelse)
        ):
            frames = (*frames, "if:not " + ast.unparse(stmt.test))


def _own_checks(stmt: ast.stmt) -> Iterator[Check]:
    if isinstance(stmt, ast.Assert):
        yield from canonical(stmt.test, stmt)
    elif isinstance(stmt, (ast.With, ast.AsyncWith)):
        for item in stmt.items:
            for call in calls(item.context_expr):
                yield from (c for c in check_of_call(call, call) if c.op in ("raises", "warns", "opaque"))
    elif isinstance(stmt, ast.Raise) and last_name(stmt.exc) == "AssertionError":
        yield Check("fail", stmt.exc, None, stmt)
    elif isinstance(stmt, ast.Expr):
        value = stmt.value.value if isinstance(stmt.value, ast.Await) else stmt.value
        if isinstance(value, ast.Call):
            found = check_of_call(value, stmt)
            yield from found
            if not found:
                yield from (c for call in calls(value) for c in check_of_call(call, call) if c.op in ("raises", "warns"))
        else:
            for call in calls(value):
                yield from check_of_call(call, call)
    elif isinstance(stmt, (ast.Assign, ast.AnnAssign, ast.Return)):
        yield from (c for call in calls(stmt.value) for c in check_of_call(call, call) if c.op in ("raises", "warns"))


def _blocks(stmt: ast.stmt, scope: Scope | None) -> Iterator[tuple[Sequence[ast.stmt], tuple[str, ...]]]:
    """The blocks of a compound statement, each with the frames that it puts around its checks."""
    if isinstance(stmt, ast.If):
        yield from _branches(stmt)
    elif isinstance(stmt, (ast.For, ast.AsyncFor)):
        iterable = scope.resolve(stmt.iter, stmt.lineno) if scope else stmt.iter
        yield stmt.body, () if never_empty(iterable) else ("for",)
        yield stmt.orelse, ()
    elif isinstance(stmt, ast.While):
        value = constant(stmt.test)
        yield stmt.body, ("while",) if value is ... else () if value else ("dead",)
        yield stmt.orelse, ()
    elif isinstance(stmt, ast.Try) or type(stmt).__name__ == "TryStar":
        yield from _attempt(stmt)
    elif isinstance(stmt, (ast.With, ast.AsyncWith)):
        names = [last_name(i.context_expr).lower().replace("_", "") for i in stmt.items]
        yield stmt.body, (*("suppress" for n in names if n in ("suppress", "ignored")), *("raises" for n in names if "raises" in n))
    elif isinstance(stmt, FuncDef):
        yield stmt.body, ("def",)
    elif isinstance(stmt, ast.ClassDef):
        yield stmt.body, ("class",)
    elif isinstance(stmt, ast.Match):
        for case in stmt.cases:
            yield case.body, ("case",)


def _branches(stmt: ast.If) -> Iterator[tuple[Sequence[ast.stmt], tuple[str, ...]]]:
    value, test = constant(stmt.test), ast.unparse(stmt.test)
    if test in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
        value = False
    if value is not ... or test == "__debug__":
        live = value is ... or bool(value)
        yield stmt.body, () if live else ("dead",)
        yield stmt.orelse, ("dead",) if live else ()
        return
    # both versions of a platform insist on something: that is a choice, no way out
    both = any(w in test for w in _VERSION_WORDS) and _insists(stmt.body) and _insists(stmt.orelse)
    yield stmt.body, () if both else ("if:" + test,)
    yield stmt.orelse, () if both else ("if:not " + test,)


def _attempt(stmt: ast.stmt) -> Iterator[tuple[Sequence[ast.stmt], tuple[str, ...]]]:
    attempt: ast.Try = stmt  # type: ignore[assignment]  # TryStar has the same fields
    swallows = any(not _reraises(h) for h in attempt.handlers)
    yield attempt.body, ("try",) if swallows else ()
    yield attempt.orelse, ("try-else",) if swallows else ()
    for handler in attempt.handlers:
        yield handler.body, ("except",)
    yield attempt.finalbody, ()


def _reraises(handler: ast.ExceptHandler) -> bool:
    return bool(handler.body) and isinstance(handler.body[-1], ast.Raise)


def _insists(body: Sequence[ast.stmt]) -> bool:
    return next(walk(body, (), None), None) is not None


def never_empty(node: ast.expr | None) -> bool:
    """Whether an iterable surely has an element."""
    value = constant(node)
    if isinstance(value, (list, tuple, set, dict, str, bytes)):
        return bool(value)
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return any(not isinstance(e, ast.Starred) for e in node.elts)
    if isinstance(node, ast.Dict):
        return bool(node.keys)
    if not isinstance(node, ast.Call) or last_name(node) not in _AS_LONG:
        return False
    if last_name(node) == "range":
        numbers = [n for a in node.args if isinstance(n := constant(a), int)]
        return bool(numbers) and len(numbers) == len(node.args) and bool(range(*numbers))
    inner = [node.func.value] if isinstance(node.func, ast.Attribute) else node.args
    return bool(inner) and all(never_empty(a) for a in inner)


def terminates(stmt: ast.stmt) -> bool:
    """Whether nothing after ``stmt`` in its block can run."""
    if isinstance(stmt, (ast.Return, ast.Raise, ast.Continue, ast.Break)):
        return True
    if isinstance(stmt, ast.Expr) and isinstance(stmt.value, ast.Call) and last_name(stmt.value) in _ENDS:
        return last_name(stmt.value) != "importorskip"
    if isinstance(stmt, ast.If):
        value = constant(stmt.test)
        if value is not ...:
            return block_terminates(stmt.body if value else stmt.orelse)
        return block_terminates(stmt.body) and block_terminates(stmt.orelse)
    if isinstance(stmt, ast.While):
        value = constant(stmt.test)
        return value is not ... and bool(value) and not any(isinstance(n, ast.Break) for n in ast.walk(stmt))
    if isinstance(stmt, ast.With):
        return block_terminates(stmt.body) and not any(last_name(i.context_expr) in ("raises", "suppress", "assertRaises") for i in stmt.items)
    return isinstance(stmt, ast.Try) and (
        block_terminates(stmt.finalbody) or (block_terminates(stmt.body) and all(block_terminates(h.body) for h in stmt.handlers))
    )


def block_terminates(body: Sequence[ast.stmt], leaving: bool = False) -> bool:
    """Whether control never falls off the end of ``body``; with ``leaving``, only ways out that no failure shows."""
    if not leaving:
        return any(terminates(s) for s in body)
    return any(terminates(s) and not isinstance(s, ast.Raise) and not (isinstance(s, ast.Expr) and last_name(s.value) == "fail") for s in body)
