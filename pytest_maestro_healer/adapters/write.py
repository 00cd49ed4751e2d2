"""One heal written to a project: checked against the files of now, validated again where they differ, committed where that is asked for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from pytest_maestro_healer.adapters.branch import Commit, Planned, commit, plan
from pytest_maestro_healer.adapters.writing import steps, store_of, validate
from pytest_maestro_healer.apply.store import THERE, Store
from pytest_maestro_healer.errors import ApplyError, HealerError
from pytest_maestro_healer.model import HealingResult


@dataclass(frozen=True)
class Written:
    """What became of it: ``done`` where the project has the heal, ``stale`` where the files do not allow it any more; ``reason`` says why."""

    done: bool
    reason: str = ""
    stale: bool = False
    files: tuple[str, ...] = ()
    commit: Commit | None = None


@dataclass(frozen=True)
class Ready:
    """A heal that may be written now: ``result`` is as it fits the files of now."""

    store: Store
    result: HealingResult


async def check(root: Path, result: HealingResult, *, again: bool) -> Ready | Written:
    """Whether ``result`` may be written now.

    It was proved when it was found; where other heals changed its files since, or ``again`` (it waited), its tests are run once more with
    what is about to be written. Raises :class:`~pytest_maestro_healer.errors.HealerError` only where the project's state cannot be used at all.
    """
    store = await asyncio.to_thread(store_of, root)
    (entry,) = await asyncio.to_thread(store.judged, [result])
    if entry.problem:
        return Written(entry.problem == THERE, entry.problem, True, entry.result.files if entry.problem == THERE else ())
    if again or entry.rebased:
        problem = await validate(root, entry.result)
        if problem:
            return Written(False, f"validated again before writing: {problem}")
    return Ready(store, entry.result)


async def put(ready: Ready, *, commit: bool) -> Written:
    """Write it, all of it or nothing, and with ``commit`` commit it on its own branch."""
    return await asyncio.to_thread(_write, ready.store, ready.result, commit)


def refuse(root: Path, result: HealingResult) -> None:
    """Remember that a person does not want this edit."""
    store_of(root).reject([result])


def _write(store: Store, result: HealingResult, wanted: bool) -> Written:
    planned: Planned | None = None
    if wanted:
        try:
            planned = plan(store.root, result, steps(store))
        except ApplyError as exc:
            return Written(False, str(exc))
    (outcome,) = store.apply([result])
    if not outcome.ok:
        return Written(False, outcome.message, outcome.status == "stale")
    if planned is None:
        return Written(True, "", False, outcome.files)
    try:
        return Written(True, "", False, outcome.files, commit(store.root, result, planned))
    except HealerError as exc:
        (undone,) = store.rollback(result.healing_id)
        after = "the file is as it was" if undone.ok else f"and it could not be rolled back: {undone.message}"
        return Written(False, f"{exc}; {after}", False, () if undone.ok else outcome.files)
