"""Text that is safe and fits: control characters made visible, long lines cut, ASCII where the terminal wants it.

A line is a tuple of segments, each a text and pytest's own markup names; the doors write them with whatever
writer they have (pytest's terminal writer, or :func:`paint` for the command line).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping

Segment = tuple[str, Mapping[str, bool]]
Line = tuple[Segment, ...]

PLAIN: Mapping[str, bool] = {}

#: Markup name -> SGR code, for :func:`paint`.
_SGR = {"bold": 1, "light": 2, "red": 31, "green": 32, "yellow": 33, "blue": 34, "purple": 35, "cyan": 36, "white": 37}

#: Categories that move the cursor, reorder text or cannot be seen: shown as escapes, never sent to a terminal.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def line(*segments: str | Segment) -> Line:
    """A line from texts (plain) and (text, markup) pairs."""
    return tuple((s, PLAIN) if isinstance(s, str) else s for s in segments)


def plain(row: Line) -> str:
    """The text of a line without its markup."""
    return "".join(text for text, _ in row)


def paint(row: Line, colour: bool) -> str:
    """The line as a string, with terminal colours if ``colour``."""
    if not colour:
        return plain(row)
    out = []
    for text, markup in row:
        codes = ";".join(str(_SGR[name]) for name, on in markup.items() if on and name in _SGR)
        out.append(f"\x1b[{codes}m{text}\x1b[0m" if codes and text else text)
    return "".join(out)


def clean(text: str, unicode_ok: bool = True) -> str:
    """``text`` on one line, with nothing in it that a terminal would obey.

    Control, format (bidirectional overrides, zero width) and unassigned characters, lone surrogates and odd white space become
    backslash escapes; a tab stays. Without ``unicode_ok`` everything outside ASCII does. Idempotent apart from that: an escape
    is plain text and stays as it is.
    """
    if not text.isascii() or not text.isprintable():
        text = "".join(c if c == "\t" or c == " " or _visible(c) else _escape(c) for c in text)
    return text if unicode_ok else text.encode("ascii", "backslashreplace").decode("ascii")


def _visible(char: str) -> bool:
    category = unicodedata.category(char)
    return category not in _UNSEEN and category != "Zs"


def _escape(char: str) -> str:
    named = {"\n": "\\n", "\r": "\\r"}.get(char)
    if named:
        return named
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def one_line(text: str, unicode_ok: bool = True) -> str:
    """``text`` cleaned, its lines and runs of white space joined by single spaces: for sentences."""
    return clean(" ".join(text.split()), unicode_ok)


def columns(text: str) -> int:
    """How many terminal columns ``text`` takes: wide characters two, combining ones none, a tab eight at most."""
    if text.isascii() and "\t" not in text:
        return len(text)
    return sum(_char_columns(c) for c in text)


def _char_columns(char: str) -> int:
    if char == "\t":
        return 8
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cut(text: str, width: int, unicode_ok: bool = True) -> str:
    """``text`` shortened at its end to ``width`` columns, the cut marked."""
    if columns(text) <= width:
        return text
    mark = "…" if unicode_ok else "..."
    room = width - len(mark)
    if room <= 0:
        return mark[: max(width, 0)]
    return _head(text, room) + mark


def cut_middle(text: str, width: int, unicode_ok: bool = True) -> str:
    """``text`` shortened in its middle: for nodeids, whose both ends tell tests apart."""
    if columns(text) <= width:
        return text
    mark = "…" if unicode_ok else "..."
    room = width - len(mark)
    if room < 2:
        return cut(text, width, unicode_ok)
    head = _head(text, room // 2)
    tail = _head(text[::-1], room - columns(head))[::-1]
    return head + mark + tail


def _head(text: str, room: int) -> str:
    used = 0
    for i, char in enumerate(text):
        used += _char_columns(char)
        if used > room:
            return text[:i]
    return text


def cut_line(row: Line, width: int, unicode_ok: bool = True) -> Line:
    """A line shortened at its end to ``width`` columns, markup kept."""
    if columns(plain(row)) <= width:
        return row
    out: list[Segment] = []
    left = width
    for text, markup in row:
        size = columns(text)
        if size >= left:
            # the blank makes a text that just fits overflow too, so that the cut is marked
            out.append((cut(text + " ", left, unicode_ok), markup))
            break
        out.append((text, markup))
        left -= size
    return tuple(out)


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 heal``, ``2 heals``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def and_more(names: Iterable[str]) -> tuple[str, str]:
    """The first of ``names`` and ``" and 12 more"`` (or ``""``)."""
    rest = list(names)
    return (rest[0] if rest else "", f" and {len(rest) - 1} more" if len(rest) > 1 else "")
