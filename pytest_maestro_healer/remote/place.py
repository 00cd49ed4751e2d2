"""Where given code belongs: in a project's file as it is on the disk, in place of it, in a part of it, or nowhere (a scratch project)."""

from __future__ import annotations

import ast
import os
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path, PurePosixPath
from typing import Literal

from pytest_maestro_healer.commands.root import rootdir
from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.errors import HealerError

Kind = Literal["disk", "served", "scratch"]
_CONFIGS = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", "setup.py")


@dataclass(frozen=True)
class Place:
    """``path`` below ``root`` with the bytes ``before``; what was ``given`` are its lines ``span`` (0-based, end excluded), or all of it.

    ``kind`` is ``disk`` where the file has these bytes, ``served`` where they are to be taken instead of the file's, ``scratch`` where there is
    no project and ``root`` has to be made.
    """

    kind: Kind
    root: Path
    path: str
    before: bytes
    given: str
    span: tuple[int, int] | None = None

    @property
    def whole(self) -> bool:
        """Whether the given code is the file."""
        return self.span is None

    @property
    def file(self) -> Path:
        """The absolute path."""
        return self.root / self.path

    def code(self, after: bytes) -> str:
        """What became of the given code where the file has become ``after``, in the given code's own newlines and indentation."""
        text = SourceFile(self.path, after).text
        if self.span is not None:
            old = SourceFile(self.path, self.before).text.splitlines()
            new = text.splitlines()
            first, last = _moved(old, new, self.span)
            part = new[first:last]
            text = "\n".join(_reindented(part, _indent(old[self.span[0]]), _first_indent(self.given)))
        if "\r\n" not in self.given:
            text = text.replace("\r\n", "\n")
        tail = self.given[len(self.given.rstrip("\r\n")) :]
        return text.rstrip("\r\n") + tail


def locate(code: str, test_file: str, scratch: Path, cwd: Path | None = None) -> Place:
    """The place of ``code``; ``scratch`` is the folder for a project that has to be made (nothing is written here).

    Raises :class:`~pytest_maestro_healer.errors.HealerError` for code that cannot be text, or a file that cannot be read.
    """
    cwd = cwd or Path.cwd()
    if test_file:
        file = Path(os.path.abspath(cwd / test_file))  # noqa: PTH100 - as pytest, keeping symlinks
        if file.is_file():
            return _in_project(code, file, cwd)
    return Place("scratch", scratch, _scratch_name(test_file), encoded(code), code)


def project_of(path: Path, cwd: Path) -> Path:
    """The folder that pytest would take as root for ``path`` when started where its user would start it."""
    start = path if path.is_dir() else path.parent
    root = rootdir(start)[0]
    if any((root / name).is_file() for name in _CONFIGS):
        return root
    if cwd == start or cwd in start.parents:
        return cwd
    for folder in (start, *start.parents):
        if (folder / ".git").exists():
            return folder
    return start.parent if start.name in ("tests", "test") else start


def _in_project(code: str, file: Path, cwd: Path) -> Place:
    root = project_of(file, cwd)
    path = file.relative_to(root).as_posix()
    try:
        data = file.read_bytes()
    except OSError as exc:
        raise HealerError(f"{file} cannot be read: {exc.strerror or exc}") from exc
    source = SourceFile(path, data)
    if _plain(source.text) == _plain(code):
        return Place("disk", root, path, data, code)
    span = _found(code, source.text.splitlines())
    if span is not None:
        return Place("disk", root, path, data, code, span)
    spliced = _spliced(code, source)
    if spliced is not None:
        return Place("served", root, path, spliced[0], code, spliced[1])
    return Place("served", root, path, encoded(code, source), code)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")


def encoded(code: str, like: SourceFile | None = None) -> bytes:
    """``code`` as bytes, in the encoding, with the byte order mark and the line ends of the file ``like``.

    Raises :class:`~pytest_maestro_healer.errors.HealerError` for code that cannot be text.
    """
    encoding, bom, text = "utf-8", b"", code
    if like is not None:
        bom = like.bom
        if like.newline == "\r\n" and "\r\n" not in text:
            text = text.replace("\n", "\r\n")
        encoding = like.encoding if like.decodable else "utf-8"
    try:
        return bom + text.encode(encoding, "surrogateescape")
    except UnicodeEncodeError:
        try:
            return bom + text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as exc:
            raise HealerError(f"the code cannot be encoded: {exc.reason} at character {exc.start}") from exc


def _scratch_name(test_file: str) -> str:
    parts = PurePosixPath(test_file.replace("\\", "/")).parts
    safe = parts and all(p not in ("..", "/", ".") and p.replace("_", "").replace("-", "").replace(".", "").isalnum() for p in parts)
    if not safe or not parts[-1].endswith(".py") or len(parts) > 6 or ":" in test_file or parts[-1] == "conftest.py":
        return "test_given.py"
    name = parts[-1] if parts[-1].startswith("test_") or parts[-1].endswith("_test.py") else f"test_{parts[-1]}"
    return "/".join([*parts[:-1], name])


# -- parts of files --------------------------------------------------------------------------------------------
def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _first_indent(code: str) -> str:
    return _indent(next((line for line in code.splitlines() if line.strip()), ""))


def _reindented(lines: Sequence[str], old: str, new: str) -> list[str]:
    return [new + line[len(old) :] if line.startswith(old) else line for line in lines]


def _found(code: str, lines: Sequence[str]) -> tuple[int, int] | None:
    """The one block of ``lines`` that is ``code``, whatever its indentation; ``None`` where there is none, or more than one."""
    block = [line.rstrip() for line in textwrap.dedent(code).strip("\n").splitlines()]
    if not any(block):
        return None
    hits = []
    for i in range(len(lines) - len(block) + 1):
        indent = _indent(lines[i])
        if all(row.rstrip() == (indent + want if want else "") for row, want in zip(lines[i : i + len(block)], block)):
            hits.append((i, i + len(block)))
    return hits[0] if len(hits) == 1 else None


def _spliced(code: str, source: SourceFile) -> tuple[bytes, tuple[int, int]] | None:
    """The file with one of its functions or classes in the version of ``code``, which holds nothing but that."""
    try:
        body = ast.parse(textwrap.dedent(code)).body
    except (SyntaxError, ValueError, RecursionError):
        return None
    if len(body) != 1 or not isinstance(body[0], (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) or source.tree is None:
        return None
    same = [n for n in ast.walk(source.tree) if isinstance(n, type(body[0])) and getattr(n, "name", "") == body[0].name]
    whole = [n.name for n in source.tree.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))]
    if len(same) != 1 or (whole == [body[0].name] and len(source.tree.body) == 1):
        return None
    node = same[0]
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)]) - 1
    last = node.end_lineno or node.lineno
    lines = source.text.splitlines()
    block = _reindented(textwrap.dedent(code).strip("\n").splitlines(), "", _indent(lines[first]))
    block = [line if line.strip() else "" for line in block]
    text = "\n".join([*lines[:first], *block, *lines[last:]]) + ("\n" if source.text.endswith(("\n", "\r")) else "")
    return encoded(text, source), (first, first + len(block))


def _moved(old: Sequence[str], new: Sequence[str], span: tuple[int, int]) -> tuple[int, int]:
    """Where the lines ``span`` of ``old`` stand in ``new``: with decorators put before them, without anything else put next to them."""
    first, last = 0, len(new)
    for _, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if i1 <= span[0] < i2:
            first = min(j1 + span[0] - i1, j2)
        if i1 < span[1] <= i2:
            last = j2 if span[1] == i2 else min(j1 + span[1] - i1, j2)
    before = old[span[0] - 1] if span[0] else ""
    while first and new[first - 1] != before and new[first - 1].lstrip().startswith("@"):
        first -= 1
    return first, max(first, last)
