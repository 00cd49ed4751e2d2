"""Where a module reads the wall clock, and by which name it looks the clock up; pure over the syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_FUNCTIONS = ("time", "time_ns", "localtime", "gmtime", "ctime", "asctime", "strftime")
_METHODS = {"datetime": ("now", "utcnow", "today"), "date": ("today",)}
#: Functions of :mod:`time` that read the clock only where they are given no time: so many arguments are still none.
_ALLOWED = {"strftime": 1}


@dataclass(frozen=True)
class ClockRead:
    """One reading: ``source`` is what is read (``time.time``, ``datetime.datetime.now``), ``name`` the module's own name for the function or
    class (``""`` where it is looked up in :mod:`time` or :mod:`datetime` itself, as an attribute)."""

    node: ast.Call
    source: str
    name: str

    @property
    def owner(self) -> str:
        """What has to be exchanged to change the reading: ``time.time``, ``datetime.datetime``."""
        return self.source if self.source.startswith("time.") else self.source.rpartition(".")[0]

    @property
    def method(self) -> str:
        """The last part: ``now``."""
        return self.source.rpartition(".")[2]


def clock_reads(tree: ast.AST, within: ast.AST | None = None) -> list[ClockRead]:
    """The readings of a module, or of the part of it that is ``within``, in the order of the source."""
    bound = dict(_bound(tree))
    out = []
    for node in ast.walk(within or tree):
        if isinstance(node, ast.Call):
            source, name = _read(node.func, bound)
            last = source.rpartition(".")[2]
            given = len(node.args) > _ALLOWED.get(last, 0) and source.startswith("time.")
            if source and not given:
                out.append(ClockRead(node, source, name))
    return sorted(out, key=lambda r: (r.node.lineno, r.node.col_offset))


def _bound(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Names that stand for the clock modules, their classes and functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((a.asname or a.name, a.name) for a in node.names if a.name in ("time", "datetime"))
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module in ("time", "datetime"):
            yield from ((a.asname or a.name, f"{node.module}.{a.name}") for a in node.names)


def _read(function: ast.expr, bound: dict[str, str]) -> tuple[str, str]:
    parts: list[str] = []
    while isinstance(function, ast.Attribute):
        parts.insert(0, function.attr)
        function = function.value
    if not isinstance(function, ast.Name) or function.id not in bound:
        return "", ""
    home = bound[function.id]
    dotted = ".".join([home, *parts])
    module, *rest = dotted.split(".")
    named = "" if "." not in home else function.id
    if module == "time" and len(rest) == 1 and rest[0] in _FUNCTIONS:
        return dotted, named
    if module == "datetime" and len(rest) == 2 and rest[1] in _METHODS.get(rest[0], ()):
        return dotted, named
    return "", ""
