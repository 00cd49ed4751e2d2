"""When changed files are whole: a state machine without a clock, a disk or a thread of its own.

A change settles when no code has changed for ``quiet`` seconds and none of the changed files looks half written. One that goes on
looking so is taken as it is when it has stayed unchanged for ``patience`` seconds: then it is really broken, and a broken test file may be
just what is to be healed. A data file that never comes to rest (a log) holds nothing up for longer than ``patience``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from pytest_maestro_healer.watch.affected import is_code


@dataclass(frozen=True)
class Wait:
    """Nothing to do yet: ask again after ``seconds`` (``None``: after the next change); ``why`` is for the user."""

    seconds: float | None = None
    why: str = ""


@dataclass(frozen=True)
class Settled:
    """These files changed and are whole; ``broken`` ones are taken as they are, with what is wrong with them."""

    paths: frozenset[str]
    broken: Mapping[str, str] = field(default_factory=dict)


class Settler:
    """Collects changes until they settle; ``unfinished`` says what makes a file look half written, or ``""``.

    Times are seconds of any clock that only goes forward.
    """

    def __init__(self, unfinished: Callable[[str], str], *, quiet: float = 0.2, patience: float = 3.0) -> None:
        self.quiet, self.patience = quiet, max(patience, quiet)
        self._unfinished = unfinished
        self._first: dict[str, float] = {}
        self._last: dict[str, float] = {}

    @property
    def pending(self) -> frozenset[str]:
        """The files that changed and were not handed out yet."""
        return frozenset(self._last)

    def changed(self, paths: Collection[str], now: float) -> None:
        """These files changed at ``now``."""
        for path in paths:
            self._first.setdefault(path, now)
            self._last[path] = now

    def drop(self, paths: Collection[str]) -> None:
        """Forget the changes of these files."""
        for path in paths:
            self._first.pop(path, None)
            self._last.pop(path, None)

    def poll(self, now: float) -> Settled | Wait:
        """What to do at ``now``; what is handed out as settled is forgotten."""
        if not self._last:
            return Wait()
        restless = {p: t + self.quiet - now for p, t in self._last.items() if now < t + self.quiet}
        restless = {p: left for p, left in restless.items() if is_code(p) or now < self._first[p] + self.patience}
        if restless:
            return Wait(max(restless.values()), f"{_named(restless)} changing")
        half = {p: why for p in sorted(self._last) if (why := self._unfinished(p))}
        early = {p: self._last[p] + self.patience - now for p in half if now < self._last[p] + self.patience}
        if early:
            path = next(iter(early))
            return Wait(min(early.values()), f"{path} {half[path]}; waiting for the rest of it")
        paths = self.pending
        self._first.clear()
        self._last.clear()
        return Settled(paths, half)


def _named(paths: Collection[str]) -> str:
    first = min(paths)
    return f"{first} is" if len(paths) == 1 else f"{first} and {len(paths) - 1} more are"
