"""Which mutants tests notice, asked in a process that works in an older version of the project, or serves for a healed one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.evidence.nodeids import file_of
from pytest_maestro_healer.prove.mutants import Identity, Mutant, mutants
from pytest_maestro_healer.prove.original import COMMON
from pytest_maestro_healer.prove.runner import RunReport
from pytest_maestro_healer.prove.twins import twins
from pytest_maestro_healer.session import forked, wire
from pytest_maestro_healer.session.mutating import Patience, killed, killed_late
from pytest_maestro_healer.session.rerun import InProcess

#: Mutants tried between two looks at the clock.
_AT_ONCE = 6


def answer(runner: InProcess, request: Mapping[str, Any], errors: Mapping[str, str]) -> Mapping[str, Any]:
    """What the serving process says: the tests that pass there, and which mutants they notice. All happens in a copy of it."""
    found, problem = forked.call(lambda: _chewed(runner, request, errors), request["seconds"] + 5)
    return found if isinstance(found, dict) else {"why": f"it cannot be told ({problem})"}


def candidates(runner: InProcess, request: Mapping[str, Any], errors: Mapping[str, str]) -> Mapping[str, Any]:
    """What a process says that cannot be copied: the tests that pass there, and the mutants that others are to try them with."""
    try:
        why, tests, _, found = _asked(runner, request, errors, lambda work: work())
    except BaseException as exc:  # pytest.exit, say
        return {"why": f"it cannot be told (crash: {type(exc).__name__}: {exc})"}
    return {"why": why, "tests": tests, "found": [[wire.of_mutant(m), *_told(m, path, identity)] for m, path, identity in found]}


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
    patience = Patience(first.seconds, request["timeout"])
    fates = killed(runner.files.root, some, work, patience)
    # the product may be imported only while the test runs
    return [killed_late(runner.files.root, m, work, patience) if fate is None else fate for m, fate in zip(some, fates, strict=True)]


def _chewed(runner: InProcess, request: Mapping[str, Any], errors: Mapping[str, str]) -> dict[str, Any]:
    until = time.monotonic() + request["seconds"]
    why, tests, seconds, found = _asked(runner, request, errors, lambda work: forked.run(work, request["timeout"]))
    seen: list[Any] = []
    patience = Patience(seconds, until=until)
    for i in range(0, len(found), _AT_ONCE):
        some = found[i : i + _AT_ONCE]
        if time.monotonic() >= until:
            break
        fates = killed(runner.files.root, [m for m, *_ in some], lambda: runner.run(tests, {}, outcome_only=True), patience, hung=None)
        seen += [[*_told(*one), fate] for one, fate in zip(some, fates, strict=True) if fate is not None]
    return {"why": why, "tests": tests, "seen": seen, "untried": len(found) - len(seen) if time.monotonic() >= until else 0}


def _asked(
    runner: InProcess, request: Mapping[str, Any], errors: Mapping[str, str], again: Callable[[Callable[[], RunReport]], RunReport]
) -> tuple[str, list[str], float, list[tuple[Mutant, str, Identity]]]:
    """(why there is nothing to try, the tests that pass, their seconds, what :func:`_common` finds); ``again`` makes the second run."""
    wanted = request["nodeids"]
    report = runner.run(wanted, {}, trace=True)
    tests = [n for n in wanted if n in report.results and report.results[n].outcome == "passed"]
    # once more without the tracer: what passes only now and then would seem to notice everything
    second = again(lambda: runner.run(tests, {}))
    tests = [n for n in tests if n in second.results and second.results[n].outcome == "passed"]
    if not tests:
        error = next((f"{e.splitlines()[0][:120]}" for n in wanted if (e := errors.get(file_of(n), ""))), "")
        return f"the test does not import ({error})" if error else "the test does not pass", [], 0.0, []
    executed: dict[str, set[int]] = {}
    for lines in (report.by_test.get(n, {}) for n in tests):
        for path, numbers in lines.items():
            executed.setdefault(path, set()).update(numbers)
    return "", tests, second.seconds, _common(runner.files, request, executed)


def _told(mutant: Mutant, path: str, identity: Identity) -> list[Any]:
    """What the asking side is to know of a mutant: where it is today, what it is there, and its function of then."""
    return [path, [identity.qualname, identity.what, identity.text, identity.number], mutant.qualname]


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
