"""Which of the changes that come while tests run are the tests' own: nobody tells, so it is taken from how often they come.

A person's edit comes once; what a test run writes comes in every round. Without this a suite that writes a report would run for ever.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from pytest_maestro_healer.watch.affected import is_code

Verdict = Literal["cancel", "queue", "ignore"]

#: Rounds in succession in which a file changed, after which it cancels no round, and after which its changes during rounds count for nothing.
CANCELS = 2
DATA_LIMIT = 1
CODE_LIMIT = 5


class Outputs:
    """The rounds in succession in which each file changed while the tests ran."""

    def __init__(self) -> None:
        self._rounds: dict[str, int] = {}

    def verdict(self, path: str, *, named: bool) -> Verdict:
        """What a change of ``path`` means while a round runs; ``named`` says whether a Python file names it.

        Code that changes makes the round's answer worthless and may be half written: cancel. Data that no file names are a report.
        """
        rounds = self._rounds.get(path, 0)
        if is_code(path):
            return "cancel" if rounds < CANCELS else "queue" if rounds < CODE_LIMIT else "ignore"
        return "queue" if named and rounds < DATA_LIMIT else "ignore"

    def over(self, changed: Collection[str]) -> list[str]:
        """Of a round that is over, the files that ``changed`` in it; returns those that are ignored from now on because of it."""
        self._rounds = {p: self._rounds.get(p, 0) + 1 for p in changed}
        return sorted(p for p, n in self._rounds.items() if n == (CODE_LIMIT if is_code(p) else DATA_LIMIT))

    def edited(self, paths: Collection[str]) -> None:
        """These files changed while nothing ran: by somebody else than the tests."""
        for path in paths:
            self._rounds.pop(path, None)
