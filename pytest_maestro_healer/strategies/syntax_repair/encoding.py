"""Files whose bytes do not fit the encoding that they declare (or do not declare)."""

from __future__ import annotations

import codecs
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.model import Edit

_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_KNOWN = ("utf-8", "latin-1", "cp1252", "ascii", "iso-8859-15", "iso-8859-1", "cp1251", "koi8-r", "shift_jis", "euc-jp", "gbk", "big5", "utf-16")


@dataclass(frozen=True)
class Recoding:
    """One way to make the declared encoding right: the edit and the encoding, and whether the bytes leave no other choice."""

    edit: Edit
    encoding: str
    sure: bool
    why: str


def cookie(data: bytes) -> tuple[int, int, str] | None:
    """(start, end, name) of the encoding that the first two lines declare."""
    at = 0
    for line in data.split(b"\n")[:2]:
        m = _COOKIE.match(line if at else line.removeprefix(codecs.BOM_UTF8))
        if m:
            skip = at + (len(codecs.BOM_UTF8) if not at and data.startswith(codecs.BOM_UTF8) else 0)
            return skip + m.start(1), skip + m.end(1), m[1].decode("ascii", "replace")
        if line.strip() and not line.lstrip(b" \t\f\xef\xbb\xbf").startswith(b"#"):
            return None
        at += len(line) + 1
    return None


def decodes(data: bytes, name: str) -> bool:
    """Whether all bytes are characters of the encoding."""
    try:
        data.decode(name)
    except (UnicodeDecodeError, LookupError, ValueError):
        return False
    return True


def recodings(src: SourceFile, head: bytes | None) -> Iterator[Recoding]:
    """The ways to declare the right encoding, likeliest first; nothing where the file decodes already."""
    if src.decodable:
        return
    data = src.data
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        if decodes(data, "utf-16"):
            yield Recoding(src.replace_bytes(0, len(data), data.decode("utf-16")), "utf-8", False, "saves the UTF-16 file as UTF-8")
        return
    declared = cookie(data)
    names = _names(data, declared[2] if declared else "", head)
    for name, sure, reason in names:
        if declared:
            edit = src.replace_bytes(declared[0], declared[1], name)
        else:
            at = _cookie_place(data)
            edit = src.replace_bytes(at, at, f"# -*- coding: {name} -*-{src.newline}")
        yield Recoding(edit, name, sure, f"declares the encoding {name}: {reason}")


def _cookie_place(data: bytes) -> int:
    if data.startswith(b"#!"):
        end = data.find(b"\n")
        return len(data) if end < 0 else end + 1
    return 0


def _names(data: bytes, declared: str, head: bytes | None) -> list[tuple[str, bool, str]]:
    out: list[tuple[str, bool, str]] = []
    then = cookie(head) if head else None
    if then and then[2] != declared and decodes(data, then[2]):
        out.append((then[2], True, "so it does at HEAD"))
    if data.startswith(codecs.BOM_UTF8) or decodes(data, "utf-8"):
        out.append(("utf-8", True, "the bytes are UTF-8"))
        return out
    for name in difflib.get_close_matches(declared.lower().replace("_", "-"), _KNOWN, n=2, cutoff=0.6) if declared else ():
        if name != declared and decodes(data, name):
            out.append((name, False, f"{declared!r} is none, {name} is the nearest that fits the bytes"))
    high = re.search(rb"[\x80-\x9f]", data)
    for name in ("cp1252", "latin-1") if high else ("latin-1",):
        if decodes(data, name) and all(name != o[0] for o in out):
            out.append((name, False, "the bytes are not UTF-8, and fit"))
    return out
