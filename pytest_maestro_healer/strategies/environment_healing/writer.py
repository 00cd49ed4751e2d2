"""Writes isolation into test code: a fixture argument, statements at the start of a function, a fixture of the module's own."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Sequence

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.model import Edit
from pytest_maestro_healer.strategies.dependency_fix.editor import FileEditor, insertion
from pytest_maestro_healer.strategies.environment_healing.place import Function, Place, first_statement, parameters


class Writer:
    """Changes to one file; :meth:`edits` gives them. ``patch`` gives the name under which a function has a monkeypatch."""

    def __init__(self, src: SourceFile) -> None:
        self.src = src
        if src.tree is None:
            raise EditError(f"{src.path} does not parse")
        self._tree = src.tree
        self._ops: list[tuple[int, int, str]] = []
        self._needed: list[str] = []
        self._asked: dict[int, tuple[Function, list[str]]] = {}
        self._first: dict[int, tuple[Function, list[str]]] = {}

    def replace(self, start: int, end: int, text: str) -> None:
        """Put ``text`` in place of a span; a repeated request is ignored."""
        if (start, end, text) not in self._ops:
            self._ops.append((start, end, text))

    def replace_node(self, node: ast.AST, text: str) -> None:
        """Put ``text`` in place of a node."""
        self.replace(*self.src.span(node), text)

    def need(self, line: str) -> None:
        """An import statement at module level."""
        if line not in self._needed:
            self._needed.append(line)

    def module(self, dotted: str) -> str:
        """The name under which a module is at hand in this file; imported where it is not."""
        for node in self._tree.body:
            if isinstance(node, ast.Import):
                for a in node.names:
                    if a.name == dotted:
                        return a.asname or a.name
        head, _, last = dotted.rpartition(".")
        for node in self._tree.body:
            if isinstance(node, ast.ImportFrom) and node.module == head and head:
                for a in node.names:
                    if a.name == last:
                        return a.asname or a.name
        self.need(f"from {head} import {last}" if head else f"import {dotted}")
        return last

    def imported(self, module: str, name: str) -> str:
        """The expression for ``name`` of ``module`` in this file; imported where it is not at hand."""
        for node in self._tree.body:
            if isinstance(node, ast.ImportFrom) and node.module == module:
                for a in node.names:
                    if a.name == name:
                        return a.asname or a.name
            elif isinstance(node, ast.Import):
                for a in node.names:
                    if a.name == module:
                        return f"{a.asname or a.name}.{name}"
        self.need(f"from {module} import {name}")
        return name

    # -- functions -----------------------------------------------------------------------------------------
    def argument(self, node: Function, name: str) -> None:
        """Make ``node`` take the fixture ``name``."""
        names = self._asked.setdefault(node.lineno, (node, []))[1]
        if name not in parameters(node) and name not in names:
            names.append(name)

    def _arguments(self, node: Function, names: Sequence[str]) -> None:
        a = node.args
        positional = [*a.posonlyargs, *a.args]
        plain = positional[: len(positional) - len(a.defaults)]
        if plain:
            end = self.src.span(plain[-1])[1]
            # a parameter list of one line each stays so
            below = re.match(r",[ \t]*(?:#[^\n]*)?\r?\n", self.src.text[end:])
            if below and len({p.lineno for p in positional}) == len(positional) and plain[0].lineno != node.lineno:
                indent = self.src.indent_of(plain[-1].lineno)
                self.replace(end, end, "".join(f",\n{indent}{name}" for name in names))
            else:
                self.replace(end, end, "".join(f", {name}" for name in names))
            return
        at = self._open(node) + 1
        more = bool(positional or a.vararg or a.kwonlyargs or a.kwarg)
        self.replace(at, at, ", ".join(names) + (", " if more else ""))

    def _open(self, node: Function) -> int:
        """The offset of the parenthesis that opens the parameters."""
        start = self.src.span(node)[0]
        found = re.compile(r"(?:async\s+)?def\s+" + re.escape(node.name) + r"\s*(?:\[[^\]]*\]\s*)?\(").search(self.src.text, start)
        if found is None:
            raise EditError(f"{self.src.path}: no parameter list at line {node.lineno}")
        return found.end() - 1

    def start(self, node: Function, lines: Sequence[str]) -> None:
        """Statements at the start of a function's body."""
        known = self._first.setdefault(node.lineno, (node, []))[1]
        known += [line for line in lines if line not in known]

    def before(self, statement: ast.stmt, lines: Sequence[str]) -> None:
        """Statements before another one."""
        self._insert(statement, lines)

    def after(self, statement: ast.stmt, lines: Sequence[str]) -> None:
        """Statements after another one."""
        indent = self.src.indent_of(statement.lineno)
        at = self.src.line_start((statement.end_lineno or statement.lineno) + 1)
        text = "".join(f"{indent}{line}\n" for line in lines)
        if not self.src.text[:at].endswith(("\n", "\r")):
            text = "\n" + text.rstrip("\n")
        self.replace(at, at, text)

    def decorate(self, node: Function | ast.ClassDef, decorator: str) -> None:
        """One more decorator, above the others."""
        line = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        at = self.src.line_start(line)
        self.replace(at, at, f"{self.src.indent_of(line)}@{decorator}\n")

    def definition(self, before: ast.stmt, lines: Sequence[str]) -> None:
        """A function at module level, before a statement of it (or its decorators), set off by blank lines."""
        line = min([before.lineno, *(d.lineno for d in getattr(before, "decorator_list", ()))])
        at = self.src.line_start(line)
        above = self.src.text[:at].replace("\r\n", "\n")
        gap = max(0, 3 - (len(above) - len(above.rstrip("\n")))) if above.strip() else 0
        self.replace(at, at, "\n" * gap + "\n".join(lines) + "\n\n\n")

    def edits(self) -> tuple[Edit, ...]:
        """All of it; raises :class:`~pytest_maestro_healer.errors.EditError` where two overlap."""
        for node, lines in self._first.values():
            self._insert(first_statement(node), lines)
        for node, names in self._asked.values():
            if names:
                self._arguments(node, names)
        self._first, self._asked = {}, {}
        editor = FileEditor(self.src)
        for at, text in self._imports():
            editor.replace(at, at, text)
        for op in self._ops:
            editor.replace(*op)
        return editor.edits()

    def _imports(self) -> list[tuple[int, str]]:
        """Where the needed imports go; those of one place are sorted and set off by kind."""
        places: dict[int, list[tuple[str, str]]] = {}
        for line in sorted(self._needed, key=lambda n: (_third_party(n), n.startswith("from "), n)):
            at, text = insertion(self.src, self._tree, line)
            places.setdefault(at, []).append((line, text))
        out = []
        for at, parts in places.items():
            first, last = parts[0][1], parts[-1][1]
            head, tail = first[: len(first) - len(first.lstrip("\n"))], last[len(last.rstrip("\n")) :]
            kinds = [_third_party(line) for line, _ in parts]
            body = "".join(("" if i == 0 else "\n\n" if kinds[i] != kinds[i - 1] else "\n") + parts[i][0] for i in range(len(parts)))
            out.append((at, head + body + tail))
        return out

    def _insert(self, statement: ast.stmt, lines: Sequence[str]) -> None:
        line = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", ()))])
        start = self.src.line_start(line)
        at = self.src.offset(statement.lineno, statement.col_offset)
        if line == statement.lineno and self.src.text[start:at].strip():  # the body stands on the line of its header
            raise EditError(f"{self.src.path}: no line of its own at {line}")
        indent = self.src.indent_of(line)
        self.replace(start, start, "".join(f"{indent}{text}\n" if text else "\n" for text in lines))


def _third_party(line: str) -> bool:
    return line.split()[1].partition(".")[0] not in sys.stdlib_module_names


def free_name(src: SourceFile, *wanted: str) -> str:
    """The first of ``wanted`` that the file does not use as a word; numbered where all are taken."""
    for name in wanted:
        if not re.search(rf"\b{re.escape(name)}\b", src.text):
            return name
    n = 2
    while re.search(rf"\b{re.escape(wanted[0])}_{n}\b", src.text):
        n += 1
    return f"{wanted[0]}_{n}"


def quoted(text: str) -> str:
    """A string literal, with double quotes where that needs no escape."""
    plain = '"' not in text and "\\" not in text and text.isprintable()
    return f'"{text}"' if plain else repr(text)


def module_statement(place: Place) -> ast.stmt:
    """The statement at module level that a function stands in."""
    assert place.src.tree is not None
    return next(n for n in place.src.tree.body if n.lineno <= place.node.lineno <= (n.end_lineno or n.lineno))
