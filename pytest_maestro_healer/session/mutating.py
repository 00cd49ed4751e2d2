"""Swap mutated code into live functions, in forked copies of the process only: nothing is left to undo."""

from __future__ import annotations

import gc
import os
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pytest_maestro_healer.prove.mutants import Mutant
from pytest_maestro_healer.prove.runner import RunReport
from pytest_maestro_healer.session import forked

Key = tuple[str, int, str]


def killed(root: Path, mutants: Sequence[Mutant], work: Callable[[], RunReport], timeout: float, *, hung: bool | None = True) -> list[bool | None]:
    """For each mutant whether the tests that ``work`` runs fail with it; ``None`` where its function is not loaded.

    A crash under a mutant counts as killed: the test would not have passed. So does a hang, unless ``hung`` says otherwise.
    """
    out: list[bool | None] = []
    for m, targets in zip(mutants, _targets(root, mutants), strict=True):
        if not targets or not forked.possible():
            out.append(None)
            continue
        report = forked.run(_with(targets, m.code, work), timeout)
        out.append(hung if report.problem.startswith("hang") else bool(report.problem or report.failed()))
    return out


def killed_late(root: Path, mutant: Mutant, work: Callable[[], RunReport], timeout: float) -> bool | None:
    """The same for a mutant whose function is loaded only when ``work`` has run once."""

    def run() -> bool | None:
        work()
        targets = _targets(root, [mutant])[0]
        if not targets:
            return None
        report = _with(targets, mutant.code, work)()
        return bool(report.problem or report.failed())

    found, problem = forked.call(run, 2 * timeout)
    return True if problem else found


def _targets(root: Path, mutants: Sequence[Mutant]) -> list[list[types.FunctionType]]:
    """The live functions of each mutant."""
    keys = [_key(str(root / m.path), m.code) for m in mutants]
    functions = _functions(set(keys))
    return [[f for f in functions.get(k, ()) if f.__code__.co_freevars == m.code.co_freevars] for m, k in zip(mutants, keys, strict=True)]


def patience(seconds: float) -> float:
    """How long tests that take ``seconds`` are waited for under a mutant."""
    return 3.0 + 10 * seconds


def _with(targets: Sequence[types.FunctionType], code: types.CodeType, work: Callable[[], RunReport]) -> Callable[[], RunReport]:
    def run() -> RunReport:
        for function in targets:
            function.__code__ = code.replace(co_filename=function.__code__.co_filename)
        return work()

    return run


def _key(path: str, code: types.CodeType) -> Key:
    return (os.path.realpath(path), code.co_firstlineno, code.co_name)


def _functions(wanted: set[Key]) -> Mapping[Key, list[types.FunctionType]]:
    files = {k[0] for k in wanted}
    known: dict[str, str] = {}
    out: dict[Key, list[types.FunctionType]] = {}
    for obj in gc.get_objects():
        if type(obj) is types.FunctionType:
            name = obj.__code__.co_filename
            real = known.get(name) or known.setdefault(name, os.path.realpath(name))
            if real in files:
                key = (real, obj.__code__.co_firstlineno, obj.__code__.co_name)
                if key in wanted:
                    out.setdefault(key, []).append(obj)
    return out
