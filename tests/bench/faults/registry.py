"""The table of injectors: one row for each way to break tests. A new tactic is a new function with :func:`inject`, or a new template."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .model import Fault, Host

#: Makes a fault in a host, or none where the host has no place for it.
Injector = Callable[[Host, random.Random], "Fault | None"]


@dataclass(frozen=True)
class Row:
    """One way to break tests, and the strategy and tactic that should heal it."""

    strategy: str
    tactic: str
    name: str
    make: Injector
    weight: int = 1


ROWS: list[Row] = []


def inject(strategy: str, tactic: str, weight: int = 1) -> Callable[[Injector], Injector]:
    """Enter a function into the table under its own name; ``weight`` multiplies how many cases it gives."""

    def enter(make: Injector) -> Injector:
        ROWS.append(Row(strategy, tactic, make.__name__, make, weight))
        return make

    return enter


def rows() -> Iterator[Row]:
    """All rows, in a fixed order."""
    from . import api, dependency, negatives, syntax, templates, values  # noqa: F401

    yield from ROWS
