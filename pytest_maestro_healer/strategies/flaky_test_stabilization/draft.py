"""Edits of one test file, collected and put together: statements, decorators, fixtures, arguments, imports."""

from __future__ import annotations

import ast

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.strategies.dependency_fix.editor import insertion
from pytest_maestro_healer.strategies.flaky_test_stabilization.places import Function, Place


class Draft:
    """Changes to the file of one place; :meth:`data` gives the bytes afterwards, ``None`` where they do not fit."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.src: SourceFile = place.src
        self._ops: list[tuple[int, int, str]] = []
        self._imports: list[str] = []
        self._arguments: dict[Function, list[str]] = {}

    def need(self, line: str) -> None:
        """Make sure that an import is there."""
        if line and line not in self._imports and not self._has(line):
            self._imports.append(line)

    def _has(self, line: str) -> bool:
        want = ast.unparse(ast.parse(line).body[0])
        wanted = ast.parse(line).body[0]
        assert isinstance(wanted, (ast.Import, ast.ImportFrom))
        key = (getattr(wanted, "module", None), wanted.names[0].name, wanted.names[0].asname)
        for node in self.place.tree.body:
            if not isinstance(node, (ast.Import, ast.ImportFrom)) or type(node) is not type(wanted):
                continue
            if any((getattr(node, "module", None), a.name, a.asname) == key for a in node.names) or ast.unparse(node) == want:
                return True
        return False

    def replace(self, node: ast.AST, text: str) -> None:
        """Put ``text`` in place of a node."""
        self._ops.append((*self.src.span(node), text))

    def argument(self, name: str, function: Function | None = None) -> None:
        """Add a fixture to a function's arguments."""
        f = function or self.place.function
        args = [*f.args.posonlyargs, *f.args.args, *f.args.kwonlyargs]
        wanted = self._arguments.setdefault(f, [])
        if name not in wanted and not any(a.arg == name for a in args):
            wanted.append(name)

    def _with_arguments(self, f: Function, names: list[str]) -> tuple[int, int, str]:
        args = [*f.args.posonlyargs, *f.args.args]
        plain = args[: len(args) - len(f.args.defaults)]
        text = ", ".join(names)
        if plain:
            at = self.src.span(plain[-1])[1]
            return at, at, f", {text}"
        start = self.src.span(f)[0]
        at = self.src.text.index("(", self.src.text.index(f.name, self.src.text.index("def", start))) + 1
        others = args or f.args.vararg or f.args.kwonlyargs or f.args.kwarg
        return at, at, f"{text}, " if others else text

    def first(self, *lines: str, function: Function | None = None) -> None:
        """Insert statements at the beginning of a function's body, after its docstring."""
        f = function or self.place.function
        doc = isinstance(f.body[0], ast.Expr) and isinstance(f.body[0].value, ast.Constant) and isinstance(f.body[0].value.value, str)
        node = f.body[1] if doc and len(f.body) > 1 else f.body[0]
        line = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        indent = self.src.indent_of(node.lineno)
        at = self.src.line_start(line)
        self._ops.append((at, at, "".join(f"{indent}{text}\n" for text in lines)))

    def decorate(self, *texts: str) -> None:
        """Put decorators above the test and those it has."""
        f = self.place.function
        line = min([f.lineno, *(d.lineno for d in f.decorator_list)])
        at = self.src.line_start(line)
        self._ops.append((at, at, "".join(f"{self.src.indent_of(f.lineno)}{text}\n" for text in texts)))

    def fixture(self, text: str) -> None:
        """Put a fixture (or any top-level definition) before the first function or class of the file."""
        top = next(n for n in self.place.tree.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) or n is self.place.top)
        line = min([top.lineno, *(d.lineno for d in getattr(top, "decorator_list", []))])
        while line > 1 and self.src.lines[line - 2].startswith("#"):
            line -= 1
        at = self.src.line_start(line)
        self._ops.append((at, at, text.rstrip("\n") + "\n\n\n"))

    def fresh_name(self, wanted: str) -> str:
        """``wanted``, with a number where the file has that name already."""
        name, n = wanted, 2
        while name in self.src.text:
            name, n = f"{wanted}_{n}", n + 1
        return name

    def data(self) -> bytes | None:
        """The file's bytes afterwards."""
        try:
            ops = [*self._ops, *(self._with_arguments(f, names) for f, names in self._arguments.items() if names)]
            healed = self.src.with_edits([self.src.replace(*op) for op in dict.fromkeys(ops)])
            for line in self._imports:
                if healed.tree is not None:
                    healed = healed.with_edits([healed.insert(*insertion(healed, healed.tree, line))])
        except (EditError, ValueError):
            return None
        return None if healed.syntax_error is not None or healed.data == self.src.data else healed.data
