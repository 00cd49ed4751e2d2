"""From a live traceback entry to the statement or call that was running, and to the objects of its expressions, evaluating nothing."""

from __future__ import annotations

import ast
import builtins
import contextlib
import copy
import linecache
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from types import FrameType, TracebackType
from typing import Any

from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.session import compat

Span = tuple[int, int, int, int]
_ABSENT = object()


def walk(tb: TracebackType | None) -> Iterator[TracebackType]:
    """The entries of a traceback, outermost first."""
    while tb is not None:
        yield tb
        tb = tb.tb_next


def span_of(node: ast.expr | ast.stmt) -> Span:
    """Lines and byte columns of a node."""
    return node.lineno, node.col_offset, node.end_lineno or node.lineno, node.end_col_offset or node.col_offset


def running_span(tb: TracebackType) -> Span:
    """What the frame was running, as exactly as the interpreter says; columns are -1 below Python 3.11."""
    code = tb.tb_frame.f_code
    if hasattr(code, "co_positions"):
        import itertools

        found = next(itertools.islice(code.co_positions(), tb.tb_lasti // 2, None), None)
        if found is not None and None not in found:
            line, end, col, end_col = found
            return line, col, end, end_col  # type: ignore[return-value]
    return tb.tb_lineno, -1, tb.tb_lineno, -1


class Code:
    """The source of one file as it was compiled."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = text.splitlines(keepends=True)
        self.tree = ast.parse(text)

    def segment(self, node: ast.AST) -> str:
        """The text of a node."""
        return ast.get_source_segment(self.text, node) or ""

    def asserts(self, span: Span) -> list[ast.Assert]:
        """The assert statements that hold ``span``, innermost first."""
        return [n for n in self._holding(span) if isinstance(n, ast.Assert)]

    def calls(self, span: Span, name: str = "") -> list[ast.Call]:
        """The calls (of ``name``, if given) at ``span``: the exact one where columns are known, else all on the line, innermost first."""
        found = [n for n in self._holding(span) if isinstance(n, ast.Call) and (not name or called(n) == name)]
        exact = [n for n in found if span_of(n) == span]
        if exact or found:
            return exact or found
        return [n for n in self._calls.get(span[0], ()) if not name or called(n) == name]

    @cached_property
    def _calls(self) -> dict[int, list[ast.Call]]:
        """All calls by the line that they begin in."""
        out: dict[int, list[ast.Call]] = {}
        for n in ast.walk(self.tree):
            if isinstance(n, ast.Call):
                out.setdefault(n.lineno, []).append(n)
        return out

    def withs(self, line: int) -> list[ast.With | ast.AsyncWith]:
        """The with statements around ``line``, innermost first."""
        return [n for n in self._holding((line, -1, line, -1)) if isinstance(n, (ast.With, ast.AsyncWith))]

    def _holding(self, span: Span) -> list[ast.AST]:
        out: list[ast.AST] = []
        stack: list[ast.AST] = [self.tree]
        while stack:
            node = stack.pop()
            if isinstance(node, (ast.expr, ast.stmt)):
                if not _inside(span, span_of(node)):
                    continue
                out.append(node)
            stack.extend(ast.iter_child_nodes(node))
        return sorted(out, key=lambda n: _size(span_of(n)))  # type: ignore[arg-type]


def _inside(inner: Span, outer: Span) -> bool:
    if inner[1] < 0:
        return outer[0] <= inner[0] and inner[2] <= outer[2]
    return (outer[0], outer[1]) <= (inner[0], inner[1]) and (inner[2], inner[3]) <= (outer[2], outer[3])


def _size(span: Span) -> tuple[int, int]:
    return span[2] - span[0], span[3] - span[1]


def called(call: ast.Call) -> str:
    """The last name of what is called."""
    return last_name(call.func)


@lru_cache(maxsize=16)
def _parsed(filename: str, text: str) -> Code | None:
    try:
        return Code(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def code_of(frame: FrameType) -> Code | None:
    """The parsed source of a frame's file (an overlay puts its lines into linecache), ``None`` where there is none."""
    name = frame.f_code.co_filename
    lines = linecache.getlines(name, frame.f_globals)
    return _parsed(name, "".join(lines)) if lines else None


class Objects:
    """The objects of a statement's expressions: pytest's temporaries, local names, literals, plain attributes and items. Nothing is run."""

    def __init__(self, frame: FrameType, statement: ast.Assert | None = None) -> None:
        self.locals: Mapping[str, Any] = frame.f_locals
        self.globals: Mapping[str, Any] = frame.f_globals
        self.temporaries: dict[str, list[str]] = {}
        self.places: dict[str, list[Span]] = {}
        self.rewritten = statement is not None and any(n.startswith("@py_") for n in frame.f_code.co_varnames + frame.f_code.co_names)
        if statement is not None and self.rewritten:
            self._map(statement)

    def _map(self, statement: ast.Assert) -> None:
        """Temporary -> what it stands for, by putting the temporaries back into each other (older pytest keeps no positions)."""
        try:
            module = compat.rewrite_one(statement)
        except Exception:
            self.rewritten = False
            return
        known: dict[str, ast.expr] = {}
        for node in ast.walk(module):
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
                cleared = name in known and isinstance(node.value, ast.Constant)
                if name.startswith("@py_assert") and not cleared and not isinstance(node.value, (ast.Name, ast.BoolOp)):
                    known[name] = node.value
        for name in sorted(known, key=_number):
            self.temporaries.setdefault(_shape(_Expand(known).visit(copy.deepcopy(known[name]))), []).append(name)
        for part in ast.walk(statement.test):
            if isinstance(part, ast.expr) and _shape(part) in self.temporaries:
                self.places.setdefault(_shape(part), []).append(span_of(part))

    def _temporary(self, node: ast.expr) -> Any:
        shape = _shape(node)
        names = self.temporaries.get(shape, ())
        if not names:
            raise LookupError
        index = 0
        if len(names) > 1:  # the same expression twice: evaluated in the order in which it is written
            places = sorted(self.places.get(shape, ()))
            index = places.index(span_of(node)) if len(places) == len(names) and span_of(node) in places else len(names)
        return self.locals[names[index]]

    def pairs(self, node: ast.Compare) -> list[Any]:
        """The results of a comparison's steps, in order, as far as they are known."""
        sides = [node.left, *node.comparators]
        out = []
        for i, op in enumerate(node.ops):
            step = node if len(node.ops) == 1 else ast.copy_location(ast.Compare(sides[i], [op], [sides[i + 1]]), node)
            try:
                out.append(self._temporary(step))
            except LookupError:
                break
        return out

    def get(self, node: ast.expr) -> Any:
        """The object of ``node``; raises :class:`LookupError` where it is not known without running something."""
        if not isinstance(node, ast.Compare):
            with contextlib.suppress(LookupError):
                return self._temporary(node)
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.NamedExpr):
            return self.get(node.target)
        if isinstance(node, ast.Attribute):
            return _plain_attribute(self.get(node.value), node.attr)
        if isinstance(node, ast.Subscript):
            return _plain_item(self.get(node.value), self.get(node.slice))
        if isinstance(node, ast.Compare):
            known = self.pairs(node)
            if len(known) == len(node.ops):
                return next((r for r in known if not _truth(r)), known[-1])
        try:
            return ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            raise LookupError from None

    def _name(self, name: str) -> Any:
        for scope in (self.locals, self.globals, vars(builtins)):
            if name in scope:
                return scope[name]
        raise LookupError(name)


def _number(name: str) -> int:
    return int(name[len("@py_assert") :])


def _shape(node: ast.AST) -> str:
    return ast.dump(node).replace("ctx=Store()", "ctx=Load()")


class _Expand(ast.NodeTransformer):
    """Puts the expressions back that temporaries stand for."""

    def __init__(self, known: Mapping[str, ast.expr]) -> None:
        self.known = known

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """A temporary becomes what was assigned to it."""
        inner = self.known.get(node.id)
        return node if inner is None else self.visit(copy.deepcopy(inner))


def _truth(obj: Any) -> bool:
    try:
        return bool(obj)
    except Exception:
        return True


def _plain_attribute(obj: Any, name: str) -> Any:
    """An attribute that stands in an instance's, class's or module's own dict: no property, no ``__getattr__`` runs."""
    import inspect
    import types

    try:
        found = inspect.getattr_static(obj, name)
    except Exception:
        raise LookupError(name) from None
    if hasattr(type(found), "__get__") and not isinstance(found, (types.FunctionType, type)):
        raise LookupError(name)
    return found


def _plain_item(obj: Any, key: Any) -> Any:
    if type(obj) not in (dict, list, tuple, str, bytes) or type(key) not in (str, int, bytes, bool, float, type(None)):
        raise LookupError
    return obj[key]
