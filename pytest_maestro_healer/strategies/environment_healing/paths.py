"""Paths that are written out in test code: where each stands, what it comes to, and how to write another in its place."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pytest_maestro_healer.edit.guards.expressions import words
from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.expressions import last_name

#: Callables that take a path-like object as well as a string.
_ACCEPT = words(
    "open Path PurePath exists isfile isdir islink getsize listdir scandir mkdir makedirs remove unlink rmdir removedirs rename replace "
    "stat lstat chmod chdir walk rmtree copy copy2 copyfile copytree move utime symlink link touch fspath join dirname basename abspath "
    "realpath ZipFile is_zipfile truncate chown access "
)
_MAKES = {"Path", "PurePath", "PosixPath", "PurePosixPath"}


@dataclass(frozen=True)
class Written:
    """One path in the source: ``text`` is what it comes to; ``node`` the whole expression; ``is_path`` whether it is a path object.

    ``tail`` is the part of an f-string behind the literal beginning, as source.
    """

    node: ast.expr
    text: str
    is_path: bool
    tail: str = ""


def written(tree: ast.AST, src: SourceFile) -> Iterator[Written]:
    """The paths of a piece of code, outermost expressions only."""
    quiet = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        found = _path(node, src) if isinstance(node, ast.expr) and id(node) not in quiet else None
        if found is not None:
            yield found
        else:
            stack += list(ast.iter_child_nodes(node))


def _path(node: ast.expr, src: SourceFile) -> Written | None:
    plain = _text(node)
    if plain is not None:
        return Written(node, *plain) if plain[0] else None
    if isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant) and "/" in str(node.values[0].value):
        head = str(node.values[0].value)
        folder = head[: head.rindex("/") + 1]
        text = src.segment(node)
        at = text.find(folder)
        if at > 0 and text[at - 1] in "\"'" and "{" not in folder and "\\" not in folder:
            return Written(node, folder.rstrip("/") or "/", False, text[:at] + text[at + len(folder) :])
    return None


def _text(node: ast.expr) -> tuple[str, bool] | None:
    """(what it comes to, whether it is a path object) of an expression made of literals."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value, False
    if isinstance(node, ast.Call) and not node.keywords and node.args:
        name = last_name(node.func)
        parts = [_text(a) for a in node.args]
        if name in _MAKES and all(p is not None for p in parts):
            return posixpath.join(*(p[0] for p in parts if p)), True
        if name == "join" and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) in ("os.path", "path", "posixpath"):
            return (posixpath.join(*(p[0] for p in parts if p)), False) if all(p is not None for p in parts) else None
    if isinstance(node, ast.Call) and not node.args and not node.keywords and ast.unparse(node.func).endswith("gettempdir"):
        return "/tmp", False
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        left, right = _text(node.left), _text(node.right)
        return (posixpath.join(left[0], right[0]), True) if left and right and left[1] else None
    return None


def instead(found: Written, base: str, rest: str, up: Mapping[ast.AST, ast.AST]) -> str:
    """The source of the path ``rest`` below the expression ``base`` (a path object), fit for the place where ``found`` stands."""
    if found.tail:
        joined = f"{base} / {_literal(rest)} / {found.tail}" if rest else f"{base} / {found.tail}"
    else:
        joined = f"{base} / {_literal(rest)}" if rest else base
    parent = up.get(found.node)
    simple = joined == base
    if isinstance(parent, ast.Attribute) or (isinstance(parent, ast.BinOp) and found.is_path):
        return joined if simple else f"({joined})"
    if found.is_path:
        return joined
    if isinstance(parent, ast.Call) and found.node in parent.args:
        name = last_name(parent.func)
        if name in _ACCEPT:
            return joined
    return f"str({joined})"


def _literal(text: str) -> str:
    return f'"{text}"' if '"' not in text and "\\" not in text else repr(text)


def parents(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    """Node -> the node it stands in."""
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def below(path: str, folder: str) -> str | None:
    """``path`` relative to ``folder`` (``""`` for the folder itself), ``None`` where it lies elsewhere."""
    a, b = posixpath.normpath(path), posixpath.normpath(folder)
    if a == b:
        return ""
    return a[len(b.rstrip("/")) + 1 :] if a.startswith(b.rstrip("/") + "/") else None
