"""Patches that ``git apply`` takes, for any bytes: other encodings, CRLF, a BOM, a missing final newline.

There is no ``diff --git`` line on purpose: below the top of a repository git silently skips such patches unless they are named from the
top. Without it, names from the top (see :func:`git_prefix`) work there and in the project's own folder alike.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from pytest_maestro_healer.apply.merge import LineHunk, hunks, rebase, split_lines
from pytest_maestro_healer.model import FileChange, HealingResult

CONTEXT = 3


def git_prefix(root: Path) -> str:
    """Where ``root`` lies in its repository (``backend/``), ``""`` at the top or without one."""
    real = Path(os.path.realpath(root))
    top = next((f for f in (real, *real.parents) if (f / ".git").exists()), real)
    inside = real.relative_to(top).as_posix()
    return "" if inside == "." else inside + "/"


def patch(path: str, before: bytes, after: bytes, prefix: str = "") -> bytes:
    """The unified diff of one file, exact to the byte; empty if the two are equal."""
    if before == after:
        return b""
    old, new = split_lines(before), split_lines(after)
    a, b = _name(f"a/{prefix}{path}"), _name(f"b/{prefix}{path}")
    tab = b"\t" if b" " in a and not a.startswith(b'"') else b""
    out = [b"--- " + a + tab + b"\n", b"+++ " + b + tab + b"\n"]
    shift = 0
    for group in _groups(hunks(old, new)):
        start = max(group[0].start - CONTEXT, 0)
        end = min(group[-1].end + CONTEXT, len(old))
        grown = sum(len(h.lines) - (h.end - h.start) for h in group)
        out.append(b"@@ -%s +%s @@\n" % (_range(start, end - start), _range(start + shift, end - start + grown)))
        at = start
        for h in group:
            out += [_line(b" ", x) for x in old[at : h.start]]
            out += [_line(b"-", x) for x in old[h.start : h.end]]
            out += [_line(b"+", x) for x in h.lines]
            at = h.end
        out += [_line(b" ", x) for x in old[at:end]]
        shift += grown
    return b"".join(out)


def patch_of(result: HealingResult, prefix: str = "") -> bytes:
    """The patch of one heal, all its files."""
    return b"".join(patch(c.path, c.before_bytes, c.after_bytes, prefix) for c in result.changes)


def combined(results: Iterable[HealingResult], prefix: str = "") -> tuple[bytes, tuple[str, ...]]:
    """One patch with as many of ``results`` as fit together, and the ids of those left out because they clash with an earlier one.

    The changes of one file must start from the same bytes.
    """
    state: dict[str, FileChange] = {}
    left_out: list[str] = []
    for r in results:
        step: dict[str, FileChange] = {}
        for c in r.changes:
            now = state.get(c.path)
            merged = c.after_bytes if now is None else rebase(c.before_bytes, c.after_bytes, now.after_bytes)
            if merged is None:
                break
            step[c.path] = FileChange.of(c.path, (now or c).before_bytes, merged)
        else:
            state.update(step)
            continue
        left_out.append(r.healing_id)
    return b"".join(patch(c.path, c.before_bytes, c.after_bytes, prefix) for c in state.values()), tuple(left_out)


def _groups(all_hunks: Sequence[LineHunk]) -> list[list[LineHunk]]:
    out: list[list[LineHunk]] = []
    for h in all_hunks:
        if out and h.start - out[-1][-1].end <= 2 * CONTEXT:
            out[-1].append(h)
        else:
            out.append([h])
    return out


def _range(start: int, length: int) -> bytes:
    first = start + 1 if length else start
    return b"%d" % first if length == 1 else b"%d,%d" % (first, length)


def _line(mark: bytes, line: bytes) -> bytes:
    return mark + line if line.endswith(b"\n") else mark + line + b"\n\\ No newline at end of file\n"


def _name(name: str) -> bytes:
    """A path as git writes it with ``core.quotePath=off``: quoted only where it must be."""
    raw = name.encode("utf-8", "surrogateescape")
    if not any(c < 32 or c in b'"\\\x7f' for c in raw):
        return raw
    known = {7: b"\\a", 8: b"\\b", 9: b"\\t", 10: b"\\n", 11: b"\\v", 12: b"\\f", 13: b"\\r", 34: b'\\"', 92: b"\\\\"}
    return b'"' + b"".join(known.get(c) or (b"\\%03o" % c if c < 32 or c == 127 else bytes([c])) for c in raw) + b'"'
