"""Whether a variable may be missing on purpose: one that documents call optional, or that stands by its former name where it is set for real."""

from __future__ import annotations

import re

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.finished.names.mentions import PAST, texts
from pytest_maestro_healer.model import Failure

_DOCUMENT = re.compile(r"(?i)(?:^|/)(?:readme|contributing|install|configuration|settings|usage)[^/]*$|^docs?/|\.env|env\.|example\.env|sample\.env")
_OPTIONAL = re.compile(
    r"(?i)(?<!not )(?<!no longer )\boptional(?:ly)?\b|\b(?:not|n't) (?:need|have) to be set\b|\bnot (?:required|needed)\b|\bfalls? back\b"
    r"|\b(?:may|can) be (?:omitted|left out|unset)\b|\b(?:if|when|where)\b[^.;]{0,40}\b(?:unset|not set|missing|absent|not given)\b"
)
_DEFAULT = r"(?i)\b(?:defaults?|falls? back)\b(?: value)?(?: is| to|:|=|\s|[`'\"(|])*{0}(?!\w)"
#: Names of the environment as code reads them.
_READ = re.compile(r"(?:environ(?:\.get\(|\.pop\(|\[)|getenv\(|\benv(?:\.\w+)?\()\s*[\"'](\w+)[\"']")
_FIRST = 5


def meant_unset(name: str, value: str, path: str, failure: Failure, ctx: Context) -> str:
    """Why a test that fails without ``name`` may show a bug of the code of ``path`` that reads it; ``""`` where nothing says so."""
    return "" if ctx.is_test_code(path) else _said(name, value, failure, ctx) or _left_behind(name, path, ctx)


def _said(name: str, value: str, failure: Failure, ctx: Context) -> str:
    """A document by which the code has to do without the variable: with this value by default, or without an error."""
    default = re.compile(_DEFAULT.format(re.escape(value))) if value else None
    error = not failure.is_a("AssertionError")
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    for place, text in texts(ctx):
        if name not in text or not _DOCUMENT.search(place) or PAST.search(place):
            continue
        for line, said in enumerate(text.splitlines(), 1):
            found = word.search(said)
            spared = error and found and any(word.search(part) and _OPTIONAL.search(part) for part in re.split(r"(?<=[.;])\s", said))
            if found and (spared or (default is not None and default.search(said, found.end()))):
                return f"by {place}:{line} the code has to do without {name}"
    return ""


def _left_behind(name: str, path: str, ctx: Context) -> str:
    """A file that still sets what the code read before this variable took its place, and not the variable."""
    quoted = rf"[\"']{re.escape(name)}[\"']"
    commits = ctx.git.touching(quoted, path) or ()
    for base, target in (("HEAD", ""), *((f"{c}~1", c) for c in commits[-_FIRST:][::-1])):
        for hunk in ctx.git.hunks(base, target, (path,)):
            before, after = (set(_READ.findall("\n".join(lines))) for lines in (hunk.removed, hunk.added))
            for old in sorted(before - after) if name in after - before else ():
                place = _still_sets(old, name, ctx)
                if place:
                    return f"{place} still sets {old}, which {path} read before"
    return ""


def _still_sets(old: str, name: str, ctx: Context) -> str:
    pattern = re.compile(rf"(?<![\w.-]){re.escape(old)}(?!\w)[\"']?[ \t]*(?:[:=]|$)|name:[ \t]*[\"']?{re.escape(old)}\b", re.M)
    for place, text in texts(ctx):
        known = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)
        if known is None and not place.endswith(".py") and not PAST.search(place) and (m := pattern.search(text)):
            return f"{place}:{text.count(chr(10), 0, m.start()) + 1}"
    return ""
