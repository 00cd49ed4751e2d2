"""Making cases: every injector is tried in the hosts in turn, and what it makes is run: green before, red after, green again as expected."""

from __future__ import annotations

import random
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path

from .healers import suite
from .model import Case, Host
from .project import Project, Run
from .registry import Row

#: How often a row is tried in vain before the case is given up.
ATTEMPTS = 6


#: Regressions by which a test file may not be collected.
UNCOLLECTED = ("product_syntax", "product_import", "half_rename", "deleted")


class Rejected(Exception):
    """The fault is none: why."""


def generate(
    rows: list[Row], hosts: list[Host], seed: int, per_row: int, work: Path, done: frozenset[str] = frozenset()
) -> Iterator[tuple[Case, Project] | str]:
    """One case of each row in turn, so that a run that is stopped has seen a bit of everything; see :func:`of_row`."""
    waiting = [of_row(row, hosts, seed, per_row, work, done) for row in rows]
    while waiting:
        for cases in tuple(waiting):
            found = next(cases, None)
            if found is None:
                waiting.remove(cases)
            else:
                yield found


def of_row(row: Row, hosts: list[Host], seed: int, per_row: int, work: Path, done: frozenset[str]) -> Iterator[tuple[Case, Project] | str]:
    """The cases of one row, each with its project in ``work`` in the red state; a text says that a row gave too few.

    Names in ``done`` count as made and are left out.
    """
    order = sorted(hosts, key=lambda h: random.Random(f"{seed} {row.name} {h.name}").random())
    made = 0
    turn = 0
    seen: set[str] = set()
    while made < per_row * row.weight and turn < ATTEMPTS * per_row * row.weight:
        host = order[turn % len(order)]
        turn += 1
        rng = random.Random(f"{seed} {row.strategy} {row.name} {host.name} {turn}")
        try:
            fault = row.make(host, rng)
        except Exception as exc:  # one injector that stumbles over one host must not end the run; it is shown
            yield f"{row.name} in {host.name}: {type(exc).__name__}: {exc}"
            continue
        key = f"{host.name} {fault.changes} {fault.base}" if fault else ""
        if fault is None or key in seen:
            continue
        seen.add(key)
        case = Case(f"{row.name}-{host.name}-{turn}", row.strategy, row.tactic, host, fault)
        if case.name in done:
            made += 1
            continue
        try:
            yield case, prepare(case, work)
        except Rejected:
            continue
        made += 1
    if made < per_row * row.weight:
        yield f"{row.strategy} {row.name}: {made} of {per_row * row.weight} cases"


def prepare(case: Case, work: Path) -> Project:
    """Build the case's repository and check it. Raises :class:`Rejected`."""
    fault = case.fault
    folder = work / "case"
    shutil.rmtree(folder, ignore_errors=True)
    project = Project(folder)
    project.lay({**case.host.files, **fault.base})
    tests = suite(case)
    if fault.base:
        _need(project.test(tests, env=fault.green_env).green, "not green before the fault")
    project.commit("Initial")
    if any((folder / p).exists() and (folder / p).read_bytes() == d for p, d in fault.changes.items()) and len(fault.changes) == 1:
        raise Rejected("nothing changed")
    project.lay(fault.changes)
    red = _red(case, project, tests)
    _need("<timeout>" not in red.red, "never ends")
    if case.negative:
        whole = [n for n in red.red if "::" in n]
        _need(bool(red.red), "no test notices the regression")
        _need(bool(whole) or case.tactic in UNCOLLECTED or case.tactic.startswith("twin_") or red.passed > 0, "nothing runs at all")
    else:
        _need(any(n.startswith(p) for n in red.red for p in (fault.tests or ("",))), f"not red where it should be: {red.red}")
    if fault.expected:
        project.lay({path: texts[0] for path, texts in fault.expected.items()})
        after = project.test(tests, env=fault.red_env, cwd=fault.cwd)
        _need(after.green, f"the expected heal is not green: {after.output[-600:]}")
        # expected files that the fault did not change are those of the green state
        project.lay({path: fault.changes.get(path, fault.base.get(path, case.host.files.get(path))) for path in fault.expected})
    if fault.message:
        project.commit(fault.message)
    if fault.message and case.negative:
        # a regression may be older than the last commit
        for i in range(zlib.crc32(case.name.encode()) % 3):
            project.lay({"NOTES.txt": f"{i}\n".encode()})
            project.commit("Notes")
    return project


def _need(holds: bool, reason: str) -> None:
    if not holds:
        raise Rejected(reason)


def _red(case: Case, project: Project, tests: list[str]) -> Run:
    run = project.test(tests, env=case.fault.red_env, cwd=case.fault.cwd)
    for _ in range(case.fault.tries - 1):
        if run.red:
            break
        run = project.test(tests, env=case.fault.red_env, cwd=case.fault.cwd)
    return run
