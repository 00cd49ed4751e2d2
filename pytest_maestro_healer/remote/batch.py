"""Many failed tests at once: entries of one file in one state share a run, a few runs go on at a time, one bad entry spoils no other."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_maestro_healer.capture.text import Report
from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.nodeids import tail_of
from pytest_maestro_healer.model import HealingResult
from pytest_maestro_healer.remote.engine import Entry, Run, selects_of, unhealed
from pytest_maestro_healer.remote.place import Place, locate

#: How the engine's refusal begins of a heal that edits the same lines as another one of the run.
_CLASH = "overlaps another heal"
#: Told the root of each project in which tests are run.
Seen = Callable[[Path], None]


async def heal_one(code: str, details: Mapping[str, Any], config: HealerConfig, settings: frozenset[str], seen: Seen) -> HealingResult:
    """One failed test."""
    with tempfile.TemporaryDirectory(prefix="maestro-heal-") as folder:
        place, entry = _placed(code, details, Path(folder))
        if place.kind != "scratch":
            seen(place.root)
        return (await Run(place, [entry], config, settings, _work(Path(folder))).heal())[0]


async def heal_batch(given: Sequence[Any], config: HealerConfig, settings: frozenset[str], at_once: int, seen: Seen) -> list[HealingResult]:
    """One result for each entry of ``given``, in their order."""
    results: dict[int, HealingResult] = {}
    groups: dict[tuple[Any, ...], list[tuple[int, Place, Entry]]] = {}
    with tempfile.TemporaryDirectory(prefix="maestro-heal-") as folder:
        for i, raw in enumerate(given):
            try:
                code, details = unpacked(raw)
                place, entry = _placed(code, details, Path(folder, str(i)))
            except Exception as exc:
                results[i] = unhealed("", f"entry {i} cannot be used: {exc}", code=_code(raw))
                continue
            if place.kind != "scratch":
                seen(place.root)
            key = (place.root, place.path, place.before, place.whole) if place.kind != "scratch" else (i,)
            groups.setdefault(key, []).append((i, place, entry))
        limit = asyncio.Semaphore(at_once)
        locks: dict[Path, asyncio.Lock] = {}

        async def one(members: Sequence[tuple[int, Place, Entry]]) -> None:
            first = members[0][1]
            # two runs that may write into one file go one after the other
            async with locks.setdefault(first.file, asyncio.Lock()), limit:
                await _group(members, config, settings, Path(folder, str(members[0][0])), results)

        await _all([one(members) for members in groups.values()])
    return [results[i] for i in range(len(given))]


async def _all(work: Sequence[Any]) -> None:
    """Wait for all; where one is cancelled or fails, all others are ended first."""
    tasks = [asyncio.ensure_future(w) for w in work]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for t in tasks:
            t.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def _group(
    members: Sequence[tuple[int, Place, Entry]], config: HealerConfig, settings: frozenset[str], folder: Path, results: dict[int, HealingResult]
) -> None:
    # parts of a file are shown in their own text each, and so are their places
    runs: dict[tuple[Any, ...], list[tuple[int, Place, Entry]]] = {}
    for member in members:
        runs.setdefault((member[1].span, member[1].given), []).append(member)
    shared: Run | None = None
    for mine in runs.values():
        place = mine[0][1]
        try:
            run = Run(place, [e for _, _, e in mine], config, settings, _work(folder))
            if shared is None:
                run.others = [e for _, p, e in members if (p.span, p.given) != (place.span, place.given)]
                shared = run
            else:
                run.live, run.problem, run.done = shared.live, shared.problem, True
            found = await run.heal()
            for i, result in enumerate(found):
                if len(members) > 1 and result.decision.rule.startswith(_CLASH):
                    # alone it may well be healed; by now the file may have the other's heal, so this one is made against the given code
                    entry = replace(mine[i][2], selects=(("", tail_of(result.test_id)),))
                    alone = Run(place, [entry], config, settings, _work(folder / f"alone{mine[i][0]}"))
                    found[i] = (await alone.heal())[0]
        except Exception as exc:
            found = [unhealed(place.path, f"{type(exc).__name__}: {exc}", code=e.code) for _, _, e in mine]
        for (i, _, _), result in zip(mine, found, strict=True):
            results[i] = result


def _placed(code: str, details: Mapping[str, Any], folder: Path) -> tuple[Place, Entry]:
    start = details.get("project_path")
    # as pytest, keeping symlinks
    cwd = Path(os.path.abspath(str(start))) if start else None  # noqa: PTH100
    place = locate(code, str(details.get("test_file") or ""), folder / "project", cwd)
    report = Report.of(details)
    return place, Entry(code, report, selects_of(details, code, report, part=not place.whole))


def _code(raw: Any) -> str:
    code = raw.get("code", raw.get("test_code")) if isinstance(raw, Mapping) else getattr(raw, "test_code", "")
    return code if isinstance(code, str) else ""


def _work(folder: Path) -> Path:
    work = folder / "work"
    work.mkdir(parents=True, exist_ok=True)
    return work


def unpacked(raw: Any) -> tuple[str, Mapping[str, Any]]:
    """(code, error details) of one entry of a batch; raises :class:`TypeError` for what is none."""
    code = raw.get("code", raw.get("test_code")) if isinstance(raw, Mapping) else getattr(raw, "test_code", None)
    if isinstance(raw, Mapping):
        details = raw.get("error", raw.get("error_details"))
        if details is None:
            details = {k: v for k, v in raw.items() if k not in ("code", "test_code")}
    else:
        details = getattr(raw, "error_details", None)
    if not isinstance(code, str):
        raise TypeError("it has no 'code' that is a str" if code is None else f"its code is a {type(code).__name__}, not a str")
    if isinstance(details, str):
        details = {"error_message": details}
    if details is not None and not isinstance(details, Mapping):
        raise TypeError(f"its error is a {type(details).__name__}, not a mapping")
    return code, details or {}
