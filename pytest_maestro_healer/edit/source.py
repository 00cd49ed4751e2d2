"""A source file as bytes and text at once: locate with :mod:`ast`, splice bytes, leave everything else as it was."""

from __future__ import annotations

import ast
import codecs
import hashlib
import io
import re
import tokenize
from collections.abc import Iterable, Sequence
from functools import cached_property

from pytest_maestro_healer.edit.alike import ends, opcodes
from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.model import Edit

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")


class SourceFile:
    """An immutable view of one file's bytes.

    ``path`` is the path used in edits (see :mod:`pytest_maestro_healer.model`), ``data`` the exact bytes. ``text`` is the decoded text
    without a BOM, newlines untouched; undecodable bytes become surrogate escapes, and ``decodable`` is then false. All offsets
    given to and by the methods are character offsets into ``text``; :class:`~pytest_maestro_healer.model.Edit` objects carry byte offsets.
    """

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
        self.encoding_error = ""
        try:
            self.encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        except SyntaxError as exc:
            self.encoding, self.encoding_error = "utf-8", str(exc)
        if self.encoding == "utf-8-sig":
            self.encoding = "utf-8"
        body = data[len(self.bom) :]
        try:
            self.text = body.decode(self.encoding)
            self.decodable = not self.encoding_error
        except (UnicodeError, LookupError) as exc:  # also of codecs that are none for text
            self.encoding_error = self.encoding_error or str(exc)
            self.encoding = "utf-8"
            self.text = body.decode("utf-8", "surrogateescape")
            self.decodable = False

    @property
    def newline(self) -> str:
        """The newline the file uses most (``\\n`` for an empty file)."""
        crlf = self.text.count("\r\n")
        counts = {"\r\n": crlf, "\n": self.text.count("\n") - crlf, "\r": self.text.count("\r") - crlf}
        best = max(counts, key=lambda k: counts[k])
        return best if counts[best] else "\n"

    @cached_property
    def lines(self) -> list[str]:
        """The lines with their line ends; the last one may have none."""
        return [m for m in _LINE.findall(self.text) if m]

    @cached_property
    def _starts(self) -> list[int]:
        starts, at = [], 0
        for line in self.lines:
            starts.append(at)
            at += len(line)
        starts.append(at)
        return starts

    @cached_property
    def syntax_error(self) -> SyntaxError | None:
        """The parser's complaint, or ``None`` if the file parses (null bytes give a SyntaxError here too)."""
        return self._parsed[1]

    @cached_property
    def tree(self) -> ast.Module | None:
        """The syntax tree, or ``None`` where the file does not parse."""
        return self._parsed[0]

    @cached_property
    def _parsed(self) -> tuple[ast.Module | None, SyntaxError | None]:
        import warnings

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(self.data, filename=self.path), None
        except SyntaxError as exc:
            return None, exc
        except (ValueError, RecursionError, MemoryError) as exc:
            return None, SyntaxError(str(exc) or type(exc).__name__)

    # -- positions -----------------------------------------------------------------------------------------
    def offset(self, line: int, col: int = 0) -> int:
        """Character offset of 1-based ``line`` and UTF-8 byte column ``col`` (the :mod:`ast` convention)."""
        if not 1 <= line <= len(self.lines) + 1:
            raise EditError(f"{self.path} has no line {line}")
        start = self._starts[line - 1]
        if line > len(self.lines):
            return start
        text = self.lines[line - 1]
        if text.isascii():
            return start + min(col, len(text))
        return start + len(text.encode("utf-8", "surrogatepass" if self.decodable else "surrogateescape")[:col].decode("utf-8", "ignore"))

    def position(self, offset: int) -> tuple[int, int]:
        """(1-based line, UTF-8 byte column) of a character offset."""
        import bisect

        line = max(1, min(bisect.bisect_right(self._starts, offset), len(self.lines) or 1))
        head = self.text[self._starts[line - 1] : offset]
        return line, len(head.encode("utf-8", "surrogateescape"))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Character offsets (start, end) of a node of :attr:`tree`."""
        n: ast.expr = node  # type: ignore[assignment]
        assert n.end_lineno is not None
        assert n.end_col_offset is not None
        return self.offset(n.lineno, n.col_offset), self.offset(n.end_lineno, n.end_col_offset)

    def segment(self, node: ast.AST) -> str:
        """The exact text of a node."""
        start, end = self.span(node)
        return self.text[start:end]

    def line_start(self, line: int) -> int:
        """Character offset at which 1-based ``line`` starts (one past the last line gives the end)."""
        return self._starts[min(max(line, 1), len(self._starts)) - 1]

    def indent_of(self, line: int) -> str:
        """The leading white space of a line."""
        text = self.lines[line - 1] if 1 <= line <= len(self.lines) else ""
        return text[: len(text) - len(text.lstrip(" \t\f"))]

    # -- edits ---------------------------------------------------------------------------------------------
    def _encode(self, text: str) -> bytes:
        try:
            return text.encode(self.encoding, "strict" if self.decodable else "surrogateescape")
        except UnicodeEncodeError as exc:
            raise EditError(f"{self.path}: {exc.object[exc.start : exc.end]!r} cannot be written in {self.encoding}") from exc

    def replace(self, start: int, end: int, text: str) -> Edit:
        """An edit that puts ``text`` in place of ``text[start:end]``; ``\\n`` in it becomes the file's own newline."""
        if not 0 <= start <= end <= len(self.text):
            raise EditError(f"{self.path}: span {start}:{end} is outside the file")
        if self.newline != "\n":
            text = text.replace("\r\n", "\n").replace("\n", self.newline)
        self._encode(text)
        b = len(self.bom)
        head, old = self._encode(self.text[:start]), self._encode(self.text[start:end])
        if not self.data.startswith(head + old, b):
            raise EditError(f"{self.path}: in {self.encoding} a piece of the text has no bytes of its own")
        return Edit(self.path, self.sha256, b + len(head), b + len(head) + len(old), text)

    def insert(self, offset: int, text: str) -> Edit:
        """An edit that inserts ``text`` at a character offset."""
        return self.replace(offset, offset, text)

    def replace_node(self, node: ast.AST, text: str) -> Edit:
        """An edit that puts ``text`` in place of a node of :attr:`tree`."""
        start, end = self.span(node)
        return self.replace(start, end, text)

    def replace_bytes(self, start: int, end: int, text: str) -> Edit:
        """An edit by byte offsets into :attr:`data`, for what has no character offset (a BOM, undecodable bytes)."""
        return Edit(self.path, self.sha256, start, end, text)

    def with_edits(self, edits: Iterable[Edit]) -> SourceFile:
        """The file after ``edits`` (those of other paths are ignored).

        Raises :class:`~pytest_maestro_healer.errors.EditError` when an edit was made against other bytes or two overlap.
        """
        return SourceFile(self.path, apply_edits(self.data, [e for e in edits if e.path == self.path], self.encoding, self.decodable))

    def __repr__(self) -> str:
        return f"<SourceFile {self.path} {self.sha256[:8]}>"


def apply_edits(data: bytes, edits: Sequence[Edit], encoding: str = "utf-8", decodable: bool = True) -> bytes:
    """The bytes after non-overlapping ``edits``, which must all have been made against ``data``.

    Raises :class:`~pytest_maestro_healer.errors.EditError` otherwise. Two insertions at one offset keep their given order.
    """
    sha = hashlib.sha256(data).hexdigest()
    out, at = [], 0
    for e in sorted(edits, key=lambda e: (e.start, e.end)):
        if e.sha256 != sha:
            raise EditError(f"{e.path}: the edit was made against other bytes")
        if e.start < at or e.end < e.start or e.end > len(data):
            raise EditError(f"{e.path}: edits overlap or lie outside the file")
        try:
            new = e.replacement.encode(encoding, "strict" if decodable else "surrogateescape")
        except UnicodeEncodeError as exc:
            raise EditError(f"{e.path}: the replacement cannot be written in {encoding}") from exc
        out += [data[at : e.start], new]
        at = e.end
    return b"".join([*out, data[at:]])


def edits_between(path: str, before: bytes, after: bytes) -> tuple[Edit, ...]:
    """The line hunks that turn ``before`` into ``after``, each narrowed to the characters that differ; else one edit of the whole file.

    Raises :class:`~pytest_maestro_healer.errors.EditError` where no text in the encoding of ``before`` gives the bytes of ``after``.
    """
    if before == after:
        return ()
    src = SourceFile(path, before)
    new = SourceFile(path, after)
    same = src.decodable and new.decodable and src.bom == new.bom and src.encoding == new.encoding
    try:
        if same:
            edits = _hunks(src, new)
            if apply_edits(before, edits, src.encoding) == after:
                return edits
        edits = _whole(src, after)
    except UnicodeError as exc:
        raise EditError(f"{path}: the new bytes are no text in {src.encoding}") from exc
    if apply_edits(before, edits, src.encoding, src.decodable) != after:
        raise EditError(f"{path}: the new bytes are no text in {src.encoding}")
    return edits


def _whole(src: SourceFile, after: bytes) -> tuple[Edit, ...]:
    text = after.decode(src.encoding, "strict" if src.decodable else "surrogateescape")
    return (Edit(src.path, src.sha256, 0, len(src.data), text),)


def _hunks(src: SourceFile, new: SourceFile) -> tuple[Edit, ...]:
    a, b = src.lines, new.lines
    edits = []
    for tag, i1, i2, j1, j2 in opcodes(a, b):
        if tag == "equal":
            continue
        old, repl = "".join(a[i1:i2]), "".join(b[j1:j2])
        head, tail = ends(old, repl)
        start = src.line_start(i1 + 1) + head
        first = len(src.bom) + len(src.text[:start].encode(src.encoding))
        gone = old[head : len(old) - tail].encode(src.encoding)
        edits.append(Edit(src.path, src.sha256, first, first + len(gone), repl[head : len(repl) - tail]))
    return tuple(edits)
