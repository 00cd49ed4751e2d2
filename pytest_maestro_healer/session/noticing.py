"""Which mutants tests notice, asked in the process that serves in an older version of the project."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.evidence.nodeids import file_of
from pytest_maestro_healer.prove.mutants import Identity, Mutant, mutants
from pytest_maestro_healer.prove.original import COMMON
from pytest_maestro_healer.prove.runner import RunReport
from pytest_maestro_healer.prove.twins import twins
from pytest_maestro_healer.session import forked, wire
from pytest_maestro_healer.session.mutating import killed, killed_late, patience
from pytest_maestro_healer.session.rerun import InProcess

#: Mutants tried between two looks at the clock.
_AT_ONCE = 6


def answer(runner: InProcess, request: Mapping[str, Any], errors: Mapping[str, str]) -> Mapping[str, Any]:
    """What the serving process says: the tests that pass there, and which mutants they notice. All happens in a copy of it."""
    found, problem = forked.call(lambda: _chewed(runner, request, errors), request["seconds"] + 5)
    return found if isinstance(found, dict) else {"why": f"it cannot be told ({problem})"}


def fates(runner: InProcess, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the serving process says: which of the mutants in ``request`` its tests notice, ``None`` for those that cannot be tried."""
    found, _ = forked.call(lambda: _fates(runner, request), request["seconds"] + 5)
    return {"fates": found}


def _fates(runner: InProcess, request: Mapping[str, Any]) -> list[bool | None]:
    overlay = wire.files(request["overlay"])
    some = [wire.mutant(m) for m in request["mutants"]]

    def work() -> RunReport:
        return runner.run(request["nodeids"], overlay, outcome_only=True)

    # what does not pass here would seem to notice everything
    first = forked.run(work, request["timeout"])
    if first.problem or first.failed():
        return [None] * len(some)
    limit = min(request["timeout"], patience(first.seconds))
    fates = killed(runner.files.root, some, work, limit)
    # the product may be imported only while the test runs
    return [killed_late(runner.files.root, m, work, limit) if fate is None else fate for m, fate in zip(some, fates, strict=True)]


def _chewed(runner: InProcess, request: Mapping[str, Any], errors: Mapping[str, str]) -> dict[str, Any]:
    until = time.monotonic() + request["seconds"]
    wanted = request["nodeids"]
    report = runner.run(wanted, {}, trace=True)
    tests = [n for n in wanted if n in report.results and report.results[n].outcome == "passed"]
    # once more without the tracer: what passes only now and then would seem to notice everything
    again = forked.run(lambda: runner.run(tests, {}), request["timeout"])
    tests = [n for n in tests if n in again.results and again.results[n].outcome == "passed"]
    if not tests:
        error = next((f"{e.splitlines()[0][:120]}" for n in wanted if (e := errors.get(file_of(n), ""))), "")
        return {"why": f"the test does not import ({error})" if error else "the test does not pass"}
    executed: dict[str, set[int]] = {}
    for lines in (report.by_test.get(n, {}) for n in tests):
        for path, numbers in lines.items():
            executed.setdefault(path, set()).update(numbers)
    found = _common(runner.files, request, executed)
    seen: list[Any] = []
    for i in range(0, len(found), _AT_ONCE):
        some = found[i : i + _AT_ONCE]
        left = min(until - time.monotonic(), patience(again.seconds))
        if left <= 0:
            break
        fates = killed(runner.files.root, [m for m, *_ in some], lambda: runner.run(tests, {}, outcome_only=True), left, hung=None)
        for (m, path, identity), fate in zip(some, fates, strict=True):
            if fate is not None:
                parts = [identity.qualname, identity.what, identity.text, identity.number]
                seen.append([path, parts, m.qualname, fate])
    return {"why": "", "tests": tests, "seen": seen}


def _common(files: ProjectFiles, request: Mapping[str, Any], executed: Mapping[str, set[int]]) -> list[tuple[Mutant, str, Identity]]:
    """Mutants of what ran that the product has today too: with the path and the identity of today."""
    now = ProjectFiles(Path(request["now"]))
    out: list[tuple[Mutant, str, Identity]] = []
    share = max(2, COMMON // max(1, len(executed)))
    for path, numbers in sorted(executed.items()):
        there = path if now.read(path) is not None else request["renames"].get(path, path)
        old = files.read(path) or b""
        pairs = twins(old, now.read(there) or b"", frozenset(numbers))
        made = mutants(path, old, frozenset(numbers), share, pairs.keys())
        out += [(m, there, pairs[m.identity]) for m in made if m.identity is not None]
    return out[:COMMON]
