"""Short stable names: of a heal (what a user types) and of its meaning (what a rejection remembers)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from pytest_maestro_healer.apply.merge import hunks, split_lines
from pytest_maestro_healer.errors import HealerError
from pytest_maestro_healer.model import FileChange, HealingResult

_SCOPE = re.compile(rb"([ \t]*)(?:async[ \t]+def|def|class)[ \t]+([^\s(:\[]+)")


def healing_id(strategy: str, tactic: str, changes: Sequence[FileChange], extra: Iterable[str] = ()) -> str:
    """A short id such as ``h-3f9a1c07``, the same for the same heal in every run and on every machine.

    It depends on the strategy, the tactic, the root-relative paths and the bytes before and after. For results without changes (advice,
    refusals) give what tells them apart, the nodeids and the text, as ``extra``.
    """
    digest = hashlib.sha256()
    parts = [strategy, tactic]
    for c in sorted(changes, key=lambda c: c.path):
        parts += [PurePosixPath(c.path).as_posix(), c.before_sha256, hashlib.sha256(c.after_bytes).hexdigest()]
    for part in (*parts, *extra):
        digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return f"h-{digest.hexdigest()[:8]}"


def fingerprint(result: HealingResult) -> str:
    """What a rejection remembers: the changed lines with their enclosing functions, wherever in the file they stand.

    The same edit proposed again after an unrelated change of the file has the same fingerprint; an equal line in another test has not.
    """
    digest = hashlib.sha256()
    for c in sorted(result.changes, key=lambda c: c.path):
        before, after = split_lines(c.before_bytes), split_lines(c.after_bytes)
        for h in hunks(before, after):
            scope = b".".join(reversed(list(_scopes(before, h.start))))
            for part in (c.path.encode("utf-8", "surrogatepass"), scope, b"".join(before[h.start : h.end]), b"".join(h.lines)):
                digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:32]


def _scopes(lines: Sequence[bytes], at: int) -> Iterator[bytes]:
    """Names of the functions and classes around line ``at``, innermost first, by indentation (the file may not parse)."""
    line = lines[at] if at < len(lines) else b""
    depth = len(line) - len(line.lstrip(b" \t"))
    for i in range(at, -1, -1):
        m = _SCOPE.match(lines[i]) if i < len(lines) else None
        if m and (len(m[1]) < depth or i == at):
            yield m[2]
            depth = len(m[1])
            if not depth:
                return


def match_id(given: str, known: Iterable[str]) -> str:
    """The one id in ``known`` that ``given`` names, in full or by a unique prefix (the ``h-`` may be left out).

    Raises :class:`~pytest_maestro_healer.errors.HealerError` when there is none or more than one.
    """
    ids = sorted(set(known))
    if given in ids:
        return given
    found = [i for i in ids if given and (i.startswith(given) or i.removeprefix("h-").startswith(given))]
    if len(found) == 1:
        return found[0]
    if found:
        raise HealerError(f"{given!r} is not unique: {', '.join(found[:8])}")
    raise HealerError(f"no heal {given!r}" + (f"; known: {', '.join(ids[:8])}{' ...' if len(ids) > 8 else ''}" if ids else ""))
