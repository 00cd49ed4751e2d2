"""Swap mutated code into live functions: in forked copies of the process, or in one that was started for nothing else."""

from __future__ import annotations

import contextlib
import gc
import math
import os
import time
import types
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from pytest_maestro_healer.evidence.files import real
from pytest_maestro_healer.prove.mutants import Mutant
from pytest_maestro_healer.prove.runner import RunReport
from pytest_maestro_healer.session import forked

Key = tuple[str, int, str]


#: So many mutants of one function may hang; most of the others would, too.
_HANGS = 2


class Patience:
    """How long tests are waited for under a mutant, in seconds: many times what they took, as some mutants never end, and less once one has hung.

    ``took`` is what the tests take without a mutant, ``limit`` what they may take at most, ``until`` when all of it must have ended (monotonic).
    """

    def __init__(self, took: float, limit: float = math.inf, until: float = math.inf) -> None:
        self.longest = min(3.0 + 10 * took, limit)
        self._until = until
        self._hung: Counter[tuple[str, str]] = Counter()

    def left(self, mutant: Mutant) -> float:
        """Seconds for ``mutant``; none where its function is not worth another wait, or the time is up."""
        if self._hung[mutant.path, mutant.qualname] >= _HANGS:
            return 0.0
        return max(0.0, min(self.longest / 3 if self._hung else self.longest, self._until - time.monotonic()))

    def hung(self, mutant: Mutant) -> None:
        """``mutant`` did not end in time."""
        self._hung[mutant.path, mutant.qualname] += 1


def killed(
    root: Path, mutants: Sequence[Mutant], work: Callable[[], RunReport], patience: Patience, *, hung: bool | None = True
) -> list[bool | None]:
    """For each mutant whether the tests that ``work`` runs fail with it; ``None`` where its function is not loaded, or ``patience`` ends.

    A crash under a mutant counts as killed: the test would not have passed. So does a hang, unless ``hung`` says otherwise.
    """
    out: list[bool | None] = []
    for m, functions in zip(mutants, targets(root, mutants), strict=True):
        limit = patience.left(m)
        if not functions or not limit or not forked.possible():
            out.append(None)
            continue
        report = forked.run(partial(_with, functions, m.code, work), limit)
        hangs = report.problem.startswith("hang")
        if hangs:
            patience.hung(m)
        out.append(hung if hangs else bool(report.problem or report.failed()))
    return out


def killed_late(root: Path, mutant: Mutant, work: Callable[[], RunReport], patience: Patience) -> bool | None:
    """The same for a mutant whose function is loaded only when ``work`` has run once."""
    limit = patience.left(mutant)
    if not limit:
        return None

    def run() -> bool | None:
        work()
        functions = targets(root, [mutant])[0]
        if not functions:
            return None
        report = _with(functions, mutant.code, work)
        return bool(report.problem or report.failed())

    found, problem = forked.call(run, 2 * limit)
    if problem.startswith("hang"):
        patience.hung(mutant)
    return True if problem else found


def targets(root: Path, mutants: Sequence[Mutant]) -> list[list[types.FunctionType]]:
    """The live functions of each mutant; none where its function is not loaded in this process."""
    keys = [_key(str(root / m.path), m.code) for m in mutants]
    functions = _functions(set(keys))
    return [[f for f in functions.get(k, ()) if f.__code__.co_freevars == m.code.co_freevars] for m, k in zip(mutants, keys, strict=True)]


@contextlib.contextmanager
def swapped(functions: Sequence[types.FunctionType], code: types.CodeType) -> Iterator[None]:
    """The ``functions`` have ``code`` for the time of the block, and their own again after it."""
    before = [f.__code__ for f in functions]
    try:
        for f in functions:
            f.__code__ = code.replace(co_filename=f.__code__.co_filename)
        yield
    finally:
        for f, own in zip(functions, before, strict=True):
            f.__code__ = own


def _with(functions: Sequence[types.FunctionType], code: types.CodeType, work: Callable[[], RunReport]) -> RunReport:
    with swapped(functions, code):
        return work()


def _key(path: str, code: types.CodeType) -> Key:
    return (os.path.realpath(path), code.co_firstlineno, code.co_name)


def _functions(wanted: set[Key]) -> Mapping[Key, list[types.FunctionType]]:
    places = {k[1:] for k in wanted}
    out: dict[Key, list[types.FunctionType]] = {}
    # asked first for what is quick to tell: a session may have a million objects
    for f in [o for o in gc.get_objects() if type(o) is types.FunctionType]:
        code = f.__code__
        if (code.co_firstlineno, code.co_name) in places:
            name = code.co_filename
            key = (real(name) if os.path.isabs(name) else os.path.realpath(name), code.co_firstlineno, code.co_name)
            if key in wanted:
                out.setdefault(key, []).append(f)
    return out
