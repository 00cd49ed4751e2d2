"""Writing: edits of calls, attributes, imports and strings, collected per file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.evidence.signatures import Argument
from pytest_maestro_healer.model import Edit
from pytest_maestro_healer.strategies.dependency_fix.editor import FileEditor


class Edits:
    """Edits of several files at once."""

    def __init__(self) -> None:
        self._editors: dict[str, FileEditor] = {}

    def of(self, src: SourceFile) -> FileEditor:
        """The editor of a file."""
        if src.path not in self._editors:
            self._editors[src.path] = FileEditor(src)
        return self._editors[src.path]

    def all(self) -> tuple[Edit, ...]:
        """All edits; empty where they overlap or nothing was asked for."""
        try:
            return tuple(e for editor in self._editors.values() if not editor.empty for e in editor.edits())
        except EditError:
            return ()

    @property
    def paths(self) -> list[str]:
        """The files concerned."""
        return list(self._editors)


def rename_attribute(editor: FileEditor, node: ast.Attribute, new: str) -> None:
    """``x.old`` -> ``x.new``; only the name is touched."""
    _, end = editor.src.span(node)
    start = end - len(node.attr)
    if editor.src.text[start:end] == node.attr:
        editor.replace(start, end, new)


def rename_definition(editor: FileEditor, node: ast.FunctionDef | ast.AsyncFunctionDef, new: str) -> None:
    """``def old(`` -> ``def new(``."""
    start, end = editor.src.span(node)
    m = re.compile(rf"def\s+({re.escape(node.name)})\b").search(editor.src.text, start, end)
    if m:
        editor.replace(m.start(1), m.end(1), new)


def rename_keyword(editor: FileEditor, keyword: ast.keyword, new: str) -> None:
    """``f(old=x)`` -> ``f(new=x)``."""
    start, _ = editor.src.span(keyword)
    assert keyword.arg is not None
    if editor.src.text[start : start + len(keyword.arg)] == keyword.arg:
        editor.replace(start, start + len(keyword.arg), new)


def rename_string(editor: FileEditor, node: ast.Constant, old: str, new: str) -> bool:
    """Replace ``old`` by ``new`` inside a one-piece string literal; says whether that could be done."""
    start, end = editor.src.span(node)
    text = editor.src.text[start:end]
    at = text.find(old)
    if at < 0 or text.count(old) != 1 or "\n" in text:
        return False
    editor.replace(start + at, start + at + len(old), new)
    return True


def drop_call(editor: FileEditor, call: ast.Call) -> None:
    """``x.name()`` -> ``x.name``."""
    _, end = editor.src.span(call)
    editor.replace(editor.src.span(call.func)[1], end, "")


def make_call(editor: FileEditor, node: ast.expr) -> None:
    """``x.name`` -> ``x.name()``."""
    _, end = editor.src.span(node)
    editor.replace(end, end, "()")


def wrap(editor: FileEditor, node: ast.expr, before: str, after: str) -> None:
    """Put text around an expression."""
    start, end = editor.src.span(node)
    editor.replace(start, start, before)
    editor.replace(end, end, after)


def rewrite(editor: FileEditor, call: ast.Call, arguments: Sequence[Argument]) -> bool:
    """Give a call these arguments with the smallest edit; says whether anything changed."""
    src = editor.src
    old: list[tuple[int | str, ast.expr | ast.keyword]] = [(i, a) for i, a in enumerate(call.args)]
    old += [(k.arg or "", k) for k in call.keywords]
    old.sort(key=lambda p: src.span(p[1]))
    sources = [s for s, _ in old]
    wanted = [a.source for a in arguments]
    nodes = dict(old)
    if wanted == sources:
        return _relabel(editor, arguments, nodes)
    kept = [s for s in sources if s in wanted]
    if wanted == kept:
        _delete(editor, [n for _, n in old], [i for i, s in enumerate(sources) if s not in wanted], call)
        _relabel(editor, arguments, nodes)
        return True
    if wanted[: len(sources)] == sources and len(wanted) > len(sources):
        _relabel(editor, arguments[: len(sources)], nodes)
        text = ", ".join(_text(a, nodes, src) for a in arguments[len(sources) :])
        _append(editor, call, [n for _, n in old], text)
        return True
    first = src.span(call.func)[1]
    open_at = src.text.index("(", first)
    text = ", ".join(_text(a, nodes, src) for a in arguments)
    if old:
        editor.replace(src.span(old[0][1])[0], src.span(old[-1][1])[1], text)
    else:
        editor.replace(open_at + 1, src.span(call)[1] - 1, text)
    return True


def _value(node: ast.expr | ast.keyword) -> ast.expr:
    return node.value if isinstance(node, ast.keyword) else node


def _text(argument: Argument, nodes: dict[int | str, ast.expr | ast.keyword], src: SourceFile) -> str:
    text = argument.text if argument.source is None else _full(src, _value(nodes[argument.source]))
    return f"{argument.keyword}={text}" if argument.keyword else text


def _full(src: SourceFile, node: ast.expr) -> str:
    """The text of an argument, with the parentheses that it cannot do without."""
    text = src.segment(node)
    return (
        f"({text})"
        if isinstance(node, (ast.NamedExpr, ast.Yield, ast.YieldFrom)) or (isinstance(node, ast.Tuple) and not text.startswith("("))
        else text
    )


def _relabel(editor: FileEditor, arguments: Iterable[Argument], nodes: dict[int | str, ast.expr | ast.keyword]) -> bool:
    changed = False
    for a in arguments:
        if a.source is None:
            continue
        node = nodes[a.source]
        if isinstance(node, ast.keyword) and a.keyword and a.keyword != node.arg:
            rename_keyword(editor, node, a.keyword)
        elif isinstance(node, ast.keyword) and not a.keyword:
            editor.replace(editor.src.span(node)[0], editor.src.span(node.value)[0], "")
        elif not isinstance(node, ast.keyword) and a.keyword:
            start = editor.src.span(node)[0]
            editor.replace(start, start, f"{a.keyword}=")
        else:
            continue
        changed = True
    return changed


def _delete(editor: FileEditor, nodes: Sequence[ast.expr | ast.keyword], gone: Sequence[int], call: ast.Call) -> None:
    spans = [editor.src.span(n) for n in nodes]
    if len(gone) == len(nodes):
        start = editor.src.text.index("(", editor.src.span(call.func)[1]) + 1
        editor.replace(start, editor.src.span(call)[1] - 1, "")
        return
    i = 0
    while i < len(spans):
        if i not in gone:
            i += 1
            continue
        j = i
        while j + 1 < len(spans) and j + 1 in gone:
            j += 1
        if j + 1 < len(spans):
            editor.replace(spans[i][0], spans[j + 1][0], "")
        else:
            editor.replace(spans[i - 1][1], spans[j][1], "")
        i = j + 1


def _append(editor: FileEditor, call: ast.Call, nodes: Sequence[ast.expr | ast.keyword], text: str) -> None:
    src = editor.src
    if nodes:
        end = src.span(nodes[-1])[1]
        # a parenthesised last argument ends at its own bracket
        while src.text[end : src.span(call)[1] - 1].lstrip().startswith(")"):
            end = src.text.index(")", end) + 1
        first_line = src.position(src.span(nodes[0])[0])[0]
        last_line = src.position(src.span(nodes[-1])[0])[0]
        multi = last_line > first_line and len(nodes) > 1
        glue = ",\n" + src.indent_of(last_line) if multi else ", "
        editor.replace(end, end, glue + text)
        return
    at = src.text.index("(", src.span(call.func)[1]) + 1
    editor.replace(at, at, text)
