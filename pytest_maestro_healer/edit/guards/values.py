"""Values that look as if they would be different in the next run."""

from __future__ import annotations

import re
import time

_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("a memory address", re.compile(r"\bat 0x[0-9a-fA-F]{6,16}\b|\b0x(?:7f|55|56|60)[0-9a-fA-F]{8,12}\b")),
    (
        "a random UUID",
        re.compile(
            r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-4[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}\b|\b[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}\b"
        ),
    ),
    ("a time-based UUID", re.compile(r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-1[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}\b")),
    (
        "a temporary path",
        re.compile(r"pytest-of-[\w.-]+|/pytest-\d+/|/tmp/tmp\w{6,}|/var/folders/\w\w/|\\\\Temp\\\\|[/\\]tmp[a-z0-9_]{8}\b|/private/var/"),
    ),
    ("an object id", re.compile(r"\b(?:id|ID)[=:( ]\s*\d{12,16}\b|\b1[34]\d{13}\b")),
    ("a process id", re.compile(r"\bpid[=: ]\s*\d+\b", re.I)),
    ("an ephemeral port", re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\]):(?:3[2-9]\d{3}|[45]\d{4}|6[0-5]\d{3})\b")),
)
_DATE = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)|\bdatetime\.(?:datetime|date)\((\d{4}), (\d{1,2}), (\d{1,2})")
_EPOCH = re.compile(r"(?<![\w.])(\d{10}(?:\d{3}|\d{6}|\d{9})?)(?:\.\d+)?(?![\w.])")
_NEAR_DAYS = 2


def looks_nondeterministic(source: str, now: float | None = None) -> str | None:
    """Why a value (its Python source) would probably differ in the next run; ``None`` if nothing about it looks so.

    ``now`` is the time to call near (seconds since the epoch, default: the clock's). Known are memory addresses, random and time-based
    UUIDs, temporary paths, object and process ids, ephemeral ports, and dates and timestamps close to now.
    """
    for what, pattern in _PATTERNS:
        if m := pattern.search(source):
            return f"{m.group()!r} looks like {what}"
    clock = time.time() if now is None else now
    for m in _EPOCH.finditer(source):
        digits = m.group(1)
        if abs(int(digits[:10]) - clock) < _NEAR_DAYS * 86400:
            return f"{m.group()!r} looks like a timestamp of this moment"
    for m in _DATE.finditer(source):
        year, month, day = (int(g) for g in m.groups() if g is not None)
        if _near(year, month, day, clock):
            return f"{m.group()!r} looks like today's date"
    return None


def _near(year: int, month: int, day: int, clock: float) -> bool:
    try:
        noon = time.mktime((year, month, day, 12, 0, 0, 0, 0, -1))
    except (OverflowError, ValueError):
        return False
    return abs(noon - clock) < _NEAR_DAYS * 86400
