"""What exactly no longer fits, read from a failure, and where in the test code it stands."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.changes import Changes, changes_of
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Failure, Frame
from pytest_maestro_healer.strategies.api_contract_adaptation.resolve import find_node

OwnerKind = Literal["module", "class", "instance"]
Node = TypeVar("Node", bound=ast.AST)

_MODULE = re.compile(r"(?:partially initialized )?module '([\w.]+)' has no attribute '(\w+)'")
_OBJECT = re.compile(r"(?:type object )?'([\w.]+)'(?: object)? has no attribute '(\w+)'")
#: As pytest's monkeypatch speaks of a dotted target.
_AT = re.compile(r"'(module|type)' object at ([\w.]+) has no attribute '(\w+)'")
_IMPORT = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")
_CALL = re.compile(r"^([\w.<>]+)\(\) (.*)", re.S)
_ABSTRACT = re.compile(r"Can't instantiate abstract class (\w+)")


@dataclass(frozen=True)
class Gone:
    """A name that its owner lacks; ``owner`` is dotted, ``imported`` says that an import statement asked for it."""

    owner: str
    kind: OwnerKind
    name: str
    imported: bool = False

    @property
    def dotted(self) -> str:
        """``owner.name``."""
        return f"{self.owner}.{self.name}"

    @property
    def key(self) -> str:
        """Equal for failures with the same root cause."""
        return f"gone:{self.dotted}"


@dataclass(frozen=True)
class Misfit:
    """A call that its callee does not take: ``function`` is the qualified name in the message, ``reason`` the rest of it."""

    function: str
    reason: str

    @property
    def key(self) -> str:
        """Equal for failures with the same root cause."""
        return f"call:{self.function}:{self.reason}"


def changes(ctx: Context) -> Changes:
    """The product's changes, shared by all steps of a healing phase."""
    return changes_of(ctx.git, ctx.files, ctx.symbols)


def own_frames(failure: Failure) -> list[Frame]:
    """The frames without the import machinery."""
    return [f for f in failure.frames if not f.location.path.startswith("<") and f.module.partition(".")[0] != "importlib"]


def test_frame(failure: Failure) -> Frame | None:
    """The innermost frame of test code."""
    return next((f for f in reversed(failure.frames) if f.kind == "test"), None)


def raised_in_test(failure: Failure) -> bool:
    """Whether the exception came from a line of test code itself; a product's ``__getattr__`` in between does not count."""
    frames = own_frames(failure)
    while frames and frames[-1].function.rpartition(".")[2] in ("__getattr__", "__getattribute__"):
        frames.pop()
    return not frames or frames[-1].kind == "test"


def gone(failure: Failure) -> Gone | None:
    """The missing name behind an AttributeError or ImportError."""
    if failure.is_a("ImportError") and not failure.is_a("ModuleNotFoundError"):
        m = _IMPORT.search(failure.message)
        return Gone(m[2], "module", m[1], imported=True) if m else None
    if not failure.is_a("AttributeError"):
        return None
    attrs = failure.exc_attrs
    m = _MODULE.search(failure.message)
    if m:
        return Gone(str(attrs.get("obj_name") or m[1]) if attrs.get("obj_kind") == "module" else m[1], "module", m[2])
    m = _AT.search(failure.message)
    if m:
        return Gone(m[2], "module" if m[1] == "module" else "class", m[3])
    m = _OBJECT.search(failure.message)
    name = str(attrs.get("name") or "") or (m[2] if m else "")
    owner, kind = str(attrs.get("obj_name") or ""), attrs.get("obj_kind")
    if not name or not name.isidentifier():
        return None
    if kind in ("class", "instance", "module") and owner and attrs.get("name"):
        return Gone(owner, kind, name)
    if m:
        return Gone(m[1], "class" if failure.message.startswith("type object") else "instance", name)
    return None


def misfit(failure: Failure) -> Misfit | None:
    """The call behind a TypeError about arguments."""
    if not failure.is_a("TypeError") or "argument" not in failure.message:
        return None
    m = _CALL.match(failure.message)
    return Misfit(m[1], m[2]) if m else None


def same_failures(failure: Failure, ctx: Context, key: str) -> list[Failure]:
    """The failures of the run with this cause, the current one first."""
    out = [failure]
    for f in ctx.failures:
        if f.nodeid == failure.nodeid or not raised_in_test(f):
            continue
        cause = gone(f) or misfit(f)
        if cause is not None and cause.key == key:
            out.append(f)
    return out


def nodes_at(failure: Failure, ctx: Context, kind: type[Node]) -> Iterator[tuple[SourceFile, Node]]:
    """The nodes of ``kind`` that the failing place in test code spans exactly; without columns all of that line, innermost last."""
    frame = test_frame(failure)
    at = frame.location if frame is not None else failure.location
    src = ctx.source(at.path) if at is not None and ctx.is_test_code(at.path) else None
    if at is None or src is None or src.tree is None:
        return
    found = [n for n in ast.walk(src.tree) if isinstance(n, kind)]
    exact = [n for n in found if at.col >= 0 and _span(n) == (at.line, at.col, at.end_line, at.end_col)]
    if not exact and at.col >= 0:
        exact = [n for n in found if _inside(n, (at.line, at.col, at.end_line, at.end_col))]
    if not exact and at.col < 0:
        exact = [n for n in found if getattr(n, "lineno", 0) <= at.line <= (getattr(n, "end_lineno", 0) or 0)]
    for node in exact:
        yield src, node


def statement_at(failure: Failure, ctx: Context) -> tuple[SourceFile, ast.stmt] | None:
    """The innermost statement around the failing line of test code."""
    frame = test_frame(failure)
    at = frame.location if frame is not None else failure.location
    src = ctx.source(at.path) if at is not None and ctx.is_test_code(at.path) else None
    if at is None or src is None or src.tree is None:
        return None
    found = [n for n in ast.walk(src.tree) if isinstance(n, ast.stmt) and n.lineno <= at.line <= (n.end_lineno or n.lineno)]
    return (src, max(found, key=lambda n: (n.lineno, -(n.end_lineno or n.lineno)))) if found else None


def test_function(failure: Failure, ctx: Context) -> tuple[SourceFile, ast.stmt] | None:
    """The failing test's own definition."""
    src = ctx.source(failure.path) if ctx.is_test_code(failure.path) else None
    if src is None or src.tree is None or not failure.function:
        return None
    node = find_node(src.tree, failure.function)
    return (src, node) if node is not None else None


def _span(node: ast.AST) -> tuple[int, int, int, int]:
    return (
        getattr(node, "lineno", -1),
        getattr(node, "col_offset", -1),
        getattr(node, "end_lineno", -1) or -1,
        getattr(node, "end_col_offset", -1) or -1,
    )


def _inside(node: ast.AST, span: tuple[int, int, int, int]) -> bool:
    line, col, end_line, end_col = _span(node)
    return (span[0], span[1]) <= (line, col) and (end_line, end_col) <= (span[2], span[3])


def abstract_names(failure: Failure) -> Sequence[str]:
    """The abstract methods that a class of the test does not implement, from the message."""
    if not _ABSTRACT.search(failure.message):
        return ()
    tail = failure.message.partition("abstract method")[2].lstrip("s").strip()
    return re.findall(r"\w+", tail)
