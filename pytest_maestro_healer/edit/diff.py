"""Unified diffs to read, in the file's own encoding; patches exact to the byte are :mod:`pytest_maestro_healer.apply.patch`'s."""

from __future__ import annotations

import difflib

from pytest_maestro_healer.edit.source import SourceFile


def unified(path: str, before: bytes, after: bytes, context: int = 3) -> str:
    """The git-style unified diff of one file, ``""`` if equal.

    Bytes that are no UTF-8 are surrogate escapes in the result where the file declares no other encoding.
    """
    if before == after:
        return ""
    old = _lines(path, before)
    new = _lines(path, after)
    out = [f"diff --git a/{path} b/{path}\n"]
    for line in difflib.unified_diff(old, new, f"a/{path}", f"b/{path}", n=context):
        if line.endswith("\n"):
            out.append(line)
        else:
            out.append(line + "\n\\ No newline at end of file\n")
    return "".join(out)


def _lines(path: str, data: bytes) -> list[str]:
    """Split at ``\\n`` only, as git does; a BOM and ``\\r`` stay part of their lines."""
    src = SourceFile(path, data)
    text = data.decode("utf-8", "surrogateescape") if src.encoding == "utf-8" else data.decode(src.encoding, "replace")
    parts = text.split("\n")
    lines = [p + "\n" for p in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines
