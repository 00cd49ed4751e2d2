"""heal and explain: run named tests again, with the engine.

``heal`` ends with 0 when every failed test passes now or was healed and written, 1 when some are left, 2 on an error.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_maestro_healer.capture.results import Results, read_results, resolve
from pytest_maestro_healer.commands.output import Output
from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.errors import HealerError
from pytest_maestro_healer.evidence.nodeids import file_of, joined, stands_for, tail_of
from pytest_maestro_healer.evidence.redact import masked_record, redact, redact_values, redacted, shown
from pytest_maestro_healer.model import DecisionKind, Failure, HealingResult
from pytest_maestro_healer.remote.job import Answer, Job, answer
from pytest_maestro_healer.report import card
from pytest_maestro_healer.report.text import Line, clean, count, line, one_line

_SHOWN = 20
_STDERR = 2


def heal_results(
    out: Output, file: Path, *, folder: Path, root: Path, auto_fix: bool = False, threshold: float | None = None, arguments: Sequence[str] = ()
) -> int:
    """Run the failed tests of the result file ``file`` again with healing on; with ``auto_fix`` write what is safe, in CI too.

    ``folder`` is where the file's paths start from, ``root`` pytest's rootdir, ``arguments`` are passed on to pytest. Raises
    :class:`~pytest_maestro_healer.errors.HealerError` for a file that cannot be used, or when pytest comes to no end.
    """
    results = read_results(file)
    out.notes(results.notes)
    if not results.failed:
        out.lines([f"{count(results.total, 'test')} in {clean(str(file))} ({results.format}), none failed: nothing to heal"])
        out.document(_document(results, (), None))
        return 0
    found = resolve(results.failed, root, Path(os.path.abspath(folder)))  # noqa: PTH100 - as pytest, keeping symlinks
    _say_missing(out, found.missing)
    if not found.selects:
        number = count(len(results.failed), "failed test")
        raise HealerError(f"{file} has {number}, and none of them exists below {root}; give the project's folder with -C or --root")
    names: dict[str, Any] = {"apply": "safe" if auto_fix else "none", "apply_in_ci": auto_fix}
    if threshold is not None:
        names["confidence_threshold"] = threshold
    job = Job(root, found.files, HealerConfig(**names), frozenset(names), select=found.selects, alone=True, arguments=tuple(arguments))
    seen = _run(job, shown=True, json=out.json)
    _say_missing(out, seen.missing)
    left = _left(seen)
    _summary(out, results, seen, left)
    out.document(_document(results, (*found.missing, *seen.missing), seen))
    return 1 if left else 0


def explain(out: Output, nodeid: str, *, folder: Path, root: Path) -> int:
    """Run one test (or file) with healing on and print all that was found: failure, diagnosis, evidence, proof, what was declined, the diff.

    Nothing is written but the pending heal; returns 0 where the test passes, else 1. Raises as :func:`heal_results`.
    """
    path, tail = file_of(nodeid), tail_of(nodeid)
    file = Path(os.path.abspath(folder / path))  # noqa: PTH100
    if not file.exists():
        file = root / path
    if not file.exists():
        raise HealerError(f"there is no {path} in {folder}" + ("" if folder.resolve() == root.resolve() else f" or {root}"))
    try:
        relative = file.relative_to(root).as_posix()
    except ValueError:
        raise HealerError(f"{file} is not below pytest's root {root}") from None
    selects = ((relative, tail),) if tail else ()
    seen = _run(Job(root, (relative,), HealerConfig(), frozenset(), select=selects, alone=True), shown=False, json=out.json)
    if seen.missing:
        raise HealerError(f"{relative} has no test {tail}")
    mine = [f for f in seen.failures if not tail or f.phase == "collect" or stands_for(f.nodeid, joined(relative, tail))] or list(seen.failures)
    told: list[HealingResult] = []
    for failure in mine:
        out.lines(_failure(failure))
        for result in seen.heals(failure):
            if result not in told:
                told.append(result)
                out.lines(["", *_result(result)])
        out.lines([""])
    if not mine:
        ran = [n for n, o in seen.outcomes.items() if o == "passed"]
        name = clean(redact(nodeid))
        out.lines([f"{name} passes: nothing to explain" if ran else f"{name}: no test ran"])
    out.notes(seen.report.notes)
    out.document(
        {
            "nodeid": redact(nodeid),
            "failures": [redacted(f.to_dict()) for f in mine],
            "results": [masked_record(r) for r in told],
            "outcomes": redacted(seen.outcomes),
            "notes": redacted(seen.report.notes),
        }
    )
    return 1 if mine else 0


def _run(job: Job, *, shown: bool, json: bool) -> Answer:
    """Run ``job``; its output goes where the user sees it (to stderr where stdout is for the document), or nowhere."""
    with tempfile.TemporaryDirectory(prefix="maestro-heal-") as folder:
        work = Path(folder)
        log = work / "pytest.log"
        status = 0
        for optional in (True, False):
            status = _call(job, work, log, optional=optional, shown=shown, json=json)
            found = answer(work)
            if found is not None:
                return found
            if status != 4:
                break
        tail = "" if shown or not log.exists() else log.read_text(encoding="utf-8", errors="replace")
        last = next((row.strip() for row in reversed(tail.splitlines()) if row.strip()), "")
        raise HealerError(f"pytest ended with status {status} and no result" + (f": {last[:300]}" if last else ""))


def _call(job: Job, work: Path, log: Path, *, optional: bool, shown: bool, json: bool) -> int:
    command, env = job.command(work, optional=optional), job.environment(work)
    try:
        if shown:
            return subprocess.run(command, cwd=job.root, env=env, stdout=_STDERR if json else None, check=False).returncode
        with open(log, "wb") as sink:
            return subprocess.run(command, cwd=job.root, env=env, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, check=False).returncode
    except OSError as exc:
        raise HealerError(f"pytest cannot be started in {job.root}: {exc.strerror or exc}") from exc


def _say_missing(out: Output, missing: Sequence[str]) -> None:
    for name in missing[:_SHOWN]:
        out.problem(f"no longer exists: {name}")
    if len(missing) > _SHOWN:
        out.problem(f"no longer exist: {len(missing) - _SHOWN} more")


def _left(seen: Answer) -> list[str]:
    """The tests that still need somebody."""
    written = {n for r in seen.report.results if r.decision.kind is DecisionKind.APPLIED for n in (*r.nodeids, r.test_id)}
    left = [f.nodeid for f in seen.failures if f.nodeid not in written]
    return list(dict.fromkeys(left))


def _passed(seen: Answer) -> list[str]:
    """The tests that pass as they are: of a file that was healed at collection they passed healed."""
    healed = {n for r in seen.report.results for n in r.nodeids}
    return sorted(n for n, o in seen.outcomes.items() if o == "passed" and n not in healed)


def _summary(out: Output, results: Results, seen: Answer, left: Sequence[str]) -> None:
    passed = _passed(seen)
    applied = [r for r in seen.report.results if r.decision.kind is DecisionKind.APPLIED]
    parts = [f"{count(len(results.failed), 'failed test')} in the {results.format} file", f"{len(passed)} now pass unchanged"]
    parts += [f"{count(len(applied), 'heal')} written", f"{count(len(left), 'failure')} left"]
    out.lines(["", line(("maestro-heal: ", {"bold": True}), ", ".join(parts))])


def _document(results: Results, missing: Sequence[str], seen: Answer | None) -> dict[str, Any]:
    names = {
        "failed": [c.label for c in results.failed],
        "missing": list(missing),
        "passed": _passed(seen) if seen else [],
        "left": _left(seen) if seen else [],
        "notes": [*results.notes, *(seen.report.notes if seen else ())],
    }
    healed = [masked_record(r) for r in seen.report.results] if seen else []
    return {"format": results.format, "tests": results.total, **redacted(names), "results": healed}


def _failure(failure: Failure) -> list[Line | str]:
    first = redact((failure.message.strip().splitlines() or [""])[0])
    rows: list[Line | str] = [line((clean(redact(failure.nodeid)), {"bold": True}), f"  ({failure.phase})")]
    rows.append(line("  ", (clean(failure.exc_type), {"red": True}), f": {one_line(first)}" if first else ""))
    if failure.location is not None:
        rows.append(f"  at {clean(str(failure.location))}" + (f": {one_line(redact_values(failure.statement))}" if failure.statement else ""))
    return rows


def _result(result: HealingResult) -> list[Line | str]:
    result = shown(result)
    if not result.changes and not result.advice:
        return [line("  ", ("not healed", {"yellow": True}), f": {one_line(result.decision.rule)}"), *card.evidence(result)]
    return [card.head(result), *card.why(result), *card.evidence(result), *card.diff(result.diff)]
