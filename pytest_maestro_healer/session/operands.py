"""What a failed assertion compared, as plain data, read from the live traceback; no expression of the test is run again."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from types import FrameType, TracebackType
from typing import Any

import pytest

from pytest_maestro_healer.capture.values import UNKNOWN, snapshot
from pytest_maestro_healer.model import Comparison, Location, Operand, Value
from pytest_maestro_healer.session import library_asserts
from pytest_maestro_healer.session.positions import Code, Objects, code_of, running_span, walk


def comparison_of(excinfo: pytest.ExceptionInfo[BaseException], test_path: Path, relative: Callable[[str], str]) -> Comparison | None:
    """What the failure in ``excinfo`` compared, ``None`` where it was no assertion; never raises.

    ``test_path`` is the file of the test, ``relative`` turns a file name into the path used in locations. An operand of which nothing is
    known has :data:`~pytest_maestro_healer.capture.values.UNKNOWN` as its value. Must run while the frames live.
    """
    try:
        return extract(excinfo.value, excinfo.tb, relative, str(test_path))
    except KeyboardInterrupt:
        raise
    except BaseException:
        return None


def extract(exc: BaseException, tb: TracebackType | None, relative: Callable[[str], str], test_path: str = "") -> Comparison | None:
    """As :func:`comparison_of`, from an exception and its traceback; may raise what broken sources or objects raise."""
    entries = list(walk(tb))
    own = [i for i, e in enumerate(entries) if _is_own(e.tb_frame, relative, test_path)]
    if not own:
        return None
    at = own[-1]
    site = Site(entries[at], relative)
    if at < len(entries) - 1:
        found = library_asserts.compare(exc, site, entries[at + 1 :])
        if found is not None:
            return _known(found, site)
    elif isinstance(exc, AssertionError):
        found = _of_assert(site)
        if found is not None:
            return _known(found, site)
    for i in reversed(own):
        found = library_asserts.inside_raises(exc, Site(entries[i], relative))
        if found is not None:
            return found
    return None


def _is_own(frame: FrameType, relative: Callable[[str], str], test_path: str) -> bool:
    """Whether a frame's file belongs to the project (installed code and the standard library do not)."""
    name = frame.f_code.co_filename
    if name == test_path:
        return True
    if name.startswith("<"):
        return False
    path = relative(name)
    return not Path(path).is_absolute() and not any(p in ("site-packages", "dist-packages") for p in path.split("/"))


@dataclass
class Site:
    """One traceback entry in the project's code: the place of an asserting statement or call."""

    entry: TracebackType
    relative: Callable[[str], str]

    def __post_init__(self) -> None:
        self.frame = self.entry.tb_frame
        self.code: Code | None = code_of(self.frame)
        self.span = running_span(self.entry)
        self.path = self.relative(self.frame.f_code.co_filename)

    def location(self, node: ast.expr | ast.stmt | None) -> Location:
        """Where ``node`` stands; only the line where there is no node."""
        if node is None:
            return Location(self.path, self.entry.tb_lineno)
        return Location(self.path, node.lineno, node.col_offset, node.end_lineno or -1, -1 if node.end_col_offset is None else node.end_col_offset)

    def operand(self, role: str, node: ast.expr | None, value: Value) -> Operand:
        """An operand written as ``node``."""
        if node is None or self.code is None:
            return Operand(role, value)
        return Operand(role, value, self.code.segment(node), self.location(node))

    def call(self, name: str) -> ast.Call | None:
        """The running call (of ``name``), ``None`` where it is not certain which one it is."""
        found = self.code.calls(self.span, name) if self.code else []
        return found[0] if found else None


def value_of(objects: Objects, node: ast.expr) -> Value:
    """The snapshot of an expression's object, :data:`UNKNOWN` where it is not at hand."""
    try:
        return snapshot(objects.get(node))
    except Exception:
        return UNKNOWN


def _known(found: Comparison, site: Site) -> Comparison:
    """With the paths that the test holds by a name and that stand in a text that was compared: such a text can be told by the name."""
    texts = "\n".join(o.value.repr for o in found.operands)
    if os.sep not in texts:
        return found
    names: dict[str, object] = dict(site.frame.f_locals)
    names |= {f"self.{k}": v for k, v in getattr(names.get("self"), "__dict__", {}).items() if isinstance(k, str)}
    compared = {o.source for o in found.operands}
    out = []
    for name, obj in names.items():
        if not all(part.isidentifier() for part in name.split(".")):
            continue  # what pytest's rewritten asserts keep for themselves
        text = str(obj) if isinstance(obj, PurePath) else obj if type(obj) is str else ""
        if os.sep in text and 4 < len(text) < 300 and text in texts and name not in compared:
            out.append(Operand("known", Value("str", repr(text), source=repr(text)), name))
    return replace(found, operands=(*found.operands, *out[:8])) if out else found


# -- assert statements -------------------------------------------------------------------------------------
def _of_assert(site: Site) -> Comparison | None:
    if site.code is None:
        return None
    candidates = site.code.asserts(site.span) or site.code.asserts((site.entry.tb_lineno, -1, site.entry.tb_lineno, -1))
    if not candidates:
        return None
    statement = candidates[0]
    objects = Objects(site.frame, statement)
    test, negated = _failing_part(statement.test, objects)
    where = site.location(statement)
    if isinstance(test, ast.Compare):
        return _of_compare(site, objects, test, where, negated)
    operands = [site.operand("actual", test, value_of(objects, test))]
    inner = test.value if isinstance(test, ast.Await) else test
    if isinstance(inner, ast.Call):
        operands += [site.operand("argument", a, value_of(objects, a)) for a in inner.args if not isinstance(a, ast.Starred)]
        if isinstance(inner.func, ast.Attribute):
            operands.append(site.operand("receiver", inner.func.value, value_of(objects, inner.func.value)))
    return Comparison("assert", "bool", tuple(operands), where, negated)


def _failing_part(test: ast.expr, objects: Objects) -> tuple[ast.expr, bool]:
    """The conjunct of an ``and`` that was false, behind any ``not``; the whole test for an ``or``."""
    negated = False
    while True:
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            test, negated = test.operand, not negated
        elif isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) and not negated:
            false = [v for v in test.values if _known_false(v, objects)]
            if not false:
                return test, negated
            test = false[0]
        else:
            return test, negated


def _known_false(node: ast.expr, objects: Objects) -> bool:
    try:
        if isinstance(node, ast.Compare):
            known = objects.pairs(node)
            return any(r is not None and not r for r in known)
        return not objects.get(node)
    except Exception:
        return False


def _of_compare(site: Site, objects: Objects, node: ast.Compare, where: Location, negated: bool) -> Comparison:
    index = 0
    sides: Sequence[ast.expr] = [node.left, *node.comparators]
    if len(node.ops) > 1:
        known = objects.pairs(node)
        if not known:
            return Comparison("assert", "bool", (site.operand("actual", node, UNKNOWN),), where, negated)
        index = next((i for i, r in enumerate(known) if r is not None and not _truthy(r)), 0)
    operator = library_asserts.OPERATORS[type(node.ops[index])]
    roles = ("member", "container") if operator in ("in", "not in") else ("left", "right")
    pair = [site.operand(r, n, value_of(objects, n)) for r, n in zip(roles, sides[index : index + 2], strict=True)]
    bases = [n.value for n in sides[index : index + 2] if isinstance(n, ast.Subscript) and isinstance(n.slice, ast.Constant)]
    around = [(n, value_of(objects, n)) for n in bases]
    pair += [site.operand("base", n, v) for n, v in around if v is not UNKNOWN]  # the neighbours of the element that was looked at
    return Comparison("assert", operator, tuple(pair), where, negated)


def _truthy(obj: Any) -> bool:
    try:
        return bool(obj)
    except Exception:
        return True
