"""Collects changes to one file's imports and uses, and turns them into minimal edits."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Container, Sequence
from itertools import takewhile

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.model import Edit
from pytest_maestro_healer.strategies.dependency_fix.sites import Site, parents

Statement = ast.Import | ast.ImportFrom
_FROM = re.compile(r"from\s+([.\w]+)\s+import\b")


class FileEditor:
    """Changes to one file; :meth:`edits` gives them without overlap or raises :class:`~pytest_maestro_healer.errors.EditError`."""

    def __init__(self, src: SourceFile) -> None:
        if src.tree is None:
            raise EditError(f"{src.path} does not parse")
        self.src = src
        self.tree = src.tree
        self.up = parents(src.tree)
        self._ops: list[tuple[int, int, str]] = []
        self._dropped: dict[Statement, set[int]] = {}
        self._instead: dict[Statement, list[str]] = {}
        self._needed: list[str] = []

    # -- requests ------------------------------------------------------------------------------------------
    def replace(self, start: int, end: int, text: str) -> None:
        """Put ``text`` in place of a span (character offsets); a repeated request is ignored."""
        op = (start, end, text)
        if op not in self._ops and (start != end or text):
            self._ops.append(op)

    def replace_node(self, node: ast.AST, text: str) -> None:
        """Put ``text`` in place of a node."""
        self.replace(*self.src.span(node), text)

    def drop(self, site: Site) -> None:
        """Take one name out of its import statement."""
        self._dropped.setdefault(site.node, set()).add(site.node.names.index(site.alias))

    def instead(self, site: Site, line: str) -> None:
        """Take one name out of its import statement and put an import statement in its place."""
        self.drop(site)
        lines = self._instead.setdefault(site.node, [])
        if line not in lines:
            lines.append(line)

    def need(self, line: str) -> None:
        """Make sure that an import statement is there at module level."""
        if line not in self._needed and not self._has(line):
            self._needed.append(line)

    def _has(self, line: str) -> bool:
        want = ast.parse(line).body[0]
        have = {
            (getattr(n, "module", ""), getattr(n, "level", 0), a.name, a.asname)
            for n in self.tree.body
            if isinstance(n, (ast.Import, ast.ImportFrom))
            for a in n.names
        }
        assert isinstance(want, (ast.Import, ast.ImportFrom))
        return all((getattr(want, "module", ""), getattr(want, "level", 0), a.name, a.asname) in have for a in want.names)

    @property
    def empty(self) -> bool:
        """Whether nothing was asked for."""
        return not (self._ops or self._dropped or self._needed)

    # -- result --------------------------------------------------------------------------------------------
    def edits(self) -> tuple[Edit, ...]:
        """All requested changes as edits of the file."""
        ops = list(self._ops)
        ops += self._place_needed()
        for node, gone in self._dropped.items():
            ops += self._statement_ops(node, gone, self._instead.get(node, []))
        merged: dict[int, tuple[int, int, str]] = {}
        plain: list[tuple[int, int, str]] = []
        for start, end, text in ops:
            if start == end and start in merged:
                merged[start] = (start, end, merged[start][2] + text)
            elif start == end:
                merged[start] = (start, end, text)
            else:
                plain.append((start, end, text))
        out = tuple(self.src.replace(*op) for op in sorted([*plain, *merged.values()]))
        self.src.with_edits(out)  # raises on overlap
        return out

    def _place_needed(self) -> list[tuple[int, int, str]]:
        """Place needed imports: where a dropped import stood, else sorted into the head of the file."""
        lines = [n for n in self._needed if not any(n in v for v in self._instead.values())]
        whole = [n for n, gone in self._dropped.items() if len(gone) == len(n.names) and n not in self._instead and self.up.get(n) is self.tree]
        if lines and len(whole) == 1 and len(lines) == 1 and _kind_of(ast.parse(lines[0]).body[0]) == _kind_of(whole[0]):
            self._instead[whole[0]] = lines
            return []
        return [(at, at, text) for at, text in (insertion(self.src, self.tree, line, self._dropped) for line in lines)]

    def _statement_ops(self, node: Statement, gone: set[int], new: Sequence[str]) -> list[tuple[int, int, str]]:
        src = self.src
        start, end = src.span(node)
        indent = src.indent_of(node.lineno)
        moved = _only_module(node, gone, new)
        m = _FROM.match(src.text, start, end) if moved else None
        if moved and m:
            return [(m.start(1), m.end(1), moved)]
        new = _joined(new)
        if len(gone) == len(node.names):
            if new:
                if len(new) == 1:
                    return _narrow(src.text, start, end, new[0])
                return [(start, end, ("\n" + indent).join(new))]
            return [self._delete_statement(node)]
        ops = self._remove_aliases(node, gone)
        if new:
            rest = src.text[end : src.line_start((node.end_lineno or node.lineno) + 1)]
            code = rest.split("#")[0].strip()
            if code:
                ops.append((end, end, "; " + "; ".join(new)))
            else:
                at = end + len(rest.rstrip("\r\n"))
                ops.append((at, at, "".join(f"\n{indent}{line}" for line in new)))
        return ops

    def _remove_aliases(self, node: Statement, gone: set[int]) -> list[tuple[int, int, str]]:
        spans = [self.src.span(a) for a in node.names]
        ops, i, n = [], 0, len(spans)
        while i < n:
            if i not in gone:
                i += 1
                continue
            j = i
            while j + 1 < n and j + 1 in gone:
                j += 1
            ops.append((spans[i][0], spans[j + 1][0], "") if j + 1 < n else (spans[i - 1][1], spans[j][1], ""))
            i = j + 1
        return ops

    def _delete_statement(self, node: ast.stmt) -> tuple[int, int, str]:
        return delete_statement(self.src, node, self.up, {n for n, g in self._dropped.items() if len(g) == len(n.names) and n not in self._instead})


def _narrow(text: str, start: int, end: int, new: str) -> list[tuple[int, int, str]]:
    """Replace a span, but only the characters that differ at either end (at word borders)."""
    old = text[start:end]
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    while head and (old[head - 1].isalnum() or old[head - 1] in "_."):
        head -= 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    while tail and (old[len(old) - tail].isalnum() or old[len(old) - tail] in "_."):
        tail -= 1
    return [(start + head, end - tail, new[head : len(new) - tail])]


def delete_statement(src: SourceFile, node: ast.stmt, up: dict[ast.AST, ast.AST], also: set[ast.Import | ast.ImportFrom]) -> tuple[int, int, str]:
    """The change that takes a statement away: its whole lines, or ``pass`` where its block would be empty or the line is shared."""
    start, end = src.span(node)
    parent = up.get(node)
    blocks = [getattr(parent, part, None) for part in ("body", "orelse", "finalbody")]
    block = next((b for b in blocks if isinstance(b, list) and node in b), [node])
    remaining = [n for n in block if n is not node and n not in also]
    first, last = src.line_start(node.lineno), src.line_start((node.end_lineno or node.lineno) + 1)
    alone = not src.text[first:start].strip() and not src.text[end:last].split("#")[0].strip()
    if not alone or (not remaining and not isinstance(parent, ast.Module)):
        if also and block and block[0] is not node and alone:
            return first, last, ""
        return start, end, "pass"
    if isinstance(parent, ast.Module):
        last = _blank_lines_after(src, node, first, last, also)
    return first, last, ""


def _blank_lines_after(src: SourceFile, node: ast.stmt, first: int, last: int, also: set[ast.Import | ast.ImportFrom]) -> int:
    """Take blank lines along: all where nothing stands before the statement any more, one where it stood alone between two."""
    line = (node.end_lineno or node.lineno) + 1
    before = src.text[:first]
    gone = set().union(*(range(n.lineno, (n.end_lineno or n.lineno) + 1) for n in also)) if also else set()
    if not any(src.lines[i].strip() for i in range(node.lineno - 1) if i + 1 not in gone):
        while line <= len(src.lines) and not src.lines[line - 1].strip():
            line += 1
        return src.line_start(line)
    if before.endswith(("\n\n", "\r\n\r\n")) and line <= len(src.lines) and not src.lines[line - 1].strip():
        return src.line_start(line + 1)
    return last


def _kind_of(node: ast.stmt) -> int:
    """0 future, 1 stdlib, 2 installed or project, 3 relative."""
    if isinstance(node, ast.ImportFrom):
        if node.level:
            return 3
        name = node.module or ""
    else:
        name = node.names[0].name if isinstance(node, ast.Import) else ""
    top = name.partition(".")[0]
    return 0 if top == "__future__" else 1 if top in sys.stdlib_module_names else 2


def _sort_key(node: ast.stmt) -> tuple[bool, str]:
    name = node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name if isinstance(node, ast.Import) else ""
    return isinstance(node, ast.ImportFrom), name.lower()


def insertion(src: SourceFile, tree: ast.Module, line: str, busy: Container[ast.stmt] = ()) -> tuple[int, str]:
    """Where and how to insert an import at module level: a name into the statement that imports from its module already, unless that is among
    the ``busy`` ones; else a statement, sorted into the group of its kind at the file's head."""
    new = ast.parse(line).body[0]
    above = takewhile(lambda n: not isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)), tree.body)
    for node in above:
        if node not in busy and (joined := joining(src, node, new)) is not None:
            return joined
    head: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            head.append(node)
        elif head and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            break
    kind = _kind_of(new)
    same = [n for n in head if _kind_of(n) == kind]
    if same:
        after = [n for n in same if _sort_key(n) > _sort_key(new)]
        if after and src.text[src.line_start(after[0].lineno) : src.span(after[0])[0]].strip() == "":
            return src.line_start(after[0].lineno), line + "\n"
        return _after(src, same[-1], line)
    lower = [n for n in head if _kind_of(n) < kind]
    if lower:
        at, text = _after(src, lower[-1], line)
        return at, "\n" + text
    if head:
        return src.line_start(head[0].lineno), line + "\n\n" if _kind_of(head[0]) != kind else line + "\n"
    return _top(src, tree, line)


def joining(src: SourceFile, old: ast.stmt, new: ast.stmt) -> tuple[int, str] | None:
    """Where and how the one name of a ``from`` import is put into another of the same module; ``None`` where it had better stand alone."""
    if not isinstance(old, ast.ImportFrom) or not isinstance(new, ast.ImportFrom) or len(new.names) != 1:
        return None
    if (old.module, old.level) != (new.module, new.level) or old.module == "__future__" or any(a.name == "*" for a in (*old.names, *new.names)):
        return None
    text = ast.unparse(new.names[0])
    lines = [a.lineno for a in old.names]
    indent = src.indent_of(old.names[-1].lineno)
    if len(set(lines)) == len(lines) > 1 and all(n > old.lineno for n in lines):
        between = f",\n{indent}"  # one to a line
    elif len(set(lines)) == 1 and len(src.lines[lines[0] - 1].rstrip()) + len(text) + 2 <= max(_WIDTH, *map(len, src.lines)):
        between = ", "
    else:
        return None
    for order in _ORDERS:
        keys = [order(a.name) for a in old.names]
        if keys == sorted(keys) and (after := next((a for a, k in zip(old.names, keys, strict=True) if k > order(new.names[0].name)), None)):
            return src.span(after)[0], text + between
    return src.span(old.names[-1])[1], between + text


#: The longest line that is made, unless the file has longer ones.
_WIDTH = 79
#: How names in one import are sorted, by different tools.
_ORDERS: tuple[Callable[[str], tuple[int, str]], ...] = (
    lambda name: (0, name.lower()),
    lambda name: (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2, name),
    lambda name: (0, name),
)


def _after(src: SourceFile, node: ast.stmt, line: str) -> tuple[int, str]:
    at = src.line_start((node.end_lineno or node.lineno) + 1)
    if src.text[:at].endswith(("\n", "\r")):
        return at, line + "\n"
    return len(src.text), "\n" + line


def _top(src: SourceFile, tree: ast.Module, line: str) -> tuple[int, str]:
    """After the docstring, else after leading comments; a blank line is kept between the import and the code."""
    body = tree.body
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) and isinstance(body[0].value.value, str):
        at, text = _after(src, body[0], line)
        return at, "\n" + text
    n = 1
    while n <= len(src.lines) and (src.lines[n - 1].startswith("#") or not src.lines[n - 1].strip()):
        n += 1
    at = src.line_start(n) if body else len(src.text)
    return at, line + "\n\n\n" if body and re.match(r"(@|def |class |async )", src.text[at:]) else line + "\n\n"


def _parsed(line: str) -> ast.ImportFrom | None:
    node = ast.parse(line).body[0]
    return node if isinstance(node, ast.ImportFrom) else None


def _only_module(node: Statement, gone: set[int], new: Sequence[str]) -> str:
    """The new module where all names of a ``from`` import moved there together, unchanged: then nothing but the module is edited."""
    if not isinstance(node, ast.ImportFrom) or len(gone) != len(node.names) or not new:
        return ""
    imports = [n for line in new if (n := _parsed(line)) is not None]
    modules = {"." * n.level + (n.module or "") for n in imports}
    names = {(a.name, a.asname) for n in imports for a in n.names}
    same = len(imports) == len(new) and len(modules) == 1 and names == {(a.name, a.asname) for a in node.names}
    return modules.pop() if same else ""


def _joined(lines: Sequence[str]) -> list[str]:
    """One statement per module."""
    out: dict[str, list[str]] = {}
    for line in lines:
        node = _parsed(line)
        module = "." * node.level + (node.module or "") if node is not None else ""
        if node is not None and out.get(module):
            out[module] += [f"{a.name} as {a.asname}" if a.asname else a.name for a in node.names]
        elif node is not None:
            out[module] = [f"{a.name} as {a.asname}" if a.asname else a.name for a in node.names]
        else:
            out[f"={line}"] = []
    return [f"from {m} import {', '.join(names)}" if names else m[1:] for m, names in out.items()]
