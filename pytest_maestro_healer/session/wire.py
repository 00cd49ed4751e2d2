"""What processes of one healing session tell each other: run reports as JSON, and files that are whole or not there."""

from __future__ import annotations

import base64
import json
import marshal
import selectors
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_maestro_healer.evidence.state import Change
from pytest_maestro_healer.model import Failure
from pytest_maestro_healer.prove.runner import RunReport, TestResult

if TYPE_CHECKING:
    from pytest_maestro_healer.prove.mutants import Mutant


def readable(descriptor: int, seconds: float) -> bool:
    """Whether there is something to read, or the other end was closed, within ``seconds``.

    Unlike :func:`select.select` also for descriptors from 1024 on, which a session with many open files has.
    """
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        return bool(selector.select(max(0.0, seconds)))


def leave(out: Path, answer: Any) -> None:
    """Writes ``answer`` as JSON for the process that waits for ``out``; what JSON does not know is written as its repr."""
    part = out.with_suffix(".part")
    part.write_text(json.dumps(answer, default=repr), encoding="utf-8")
    part.replace(out)


def texts(files: Mapping[str, bytes]) -> dict[str, str]:
    """Files for JSON, whatever their encoding."""
    return {path: data.decode("latin-1") for path, data in files.items()}


def files(given: Mapping[str, str]) -> dict[str, bytes]:
    """The inverse of :func:`texts`."""
    return {str(path): str(data).encode("latin-1") for path, data in given.items()}


def of_mutant(mutant: Mutant) -> list[Any]:
    """JSON-ready form of what it takes to try ``mutant``, for a process of the same interpreter."""
    return [mutant.path, mutant.qualname, base64.b64encode(marshal.dumps(mutant.code)).decode("ascii"), mutant.at, mutant.what]


def mutant(data: Sequence[Any]) -> Mutant:
    """The inverse of :func:`of_mutant`."""
    from pytest_maestro_healer.prove.mutants import Mutant

    path, qualname, code, at, what = data
    return Mutant(path, qualname, marshal.loads(base64.b64decode(code)), at, what)


def dump(report: RunReport) -> dict[str, Any]:
    """JSON-ready form of ``report``."""
    return {
        "results": [
            {
                "nodeid": r.nodeid,
                "outcome": r.outcome,
                "failure": r.failure.to_dict() if r.failure else None,
                "seconds": r.seconds,
                "changed": [c.to_dict() for c in r.changed],
            }
            for r in report.results.values()
        ],
        "problem": report.problem,
        "seconds": report.seconds,
        "executed": {k: sorted(v) for k, v in report.executed.items()},
        "served": sorted(report.served),
        "by_test": {n: {k: sorted(v) for k, v in lines.items()} for n, lines in report.by_test.items()},
        "apart": report.apart,
    }


def load(data: Mapping[str, Any]) -> RunReport:
    """The inverse of :func:`dump`; raises ValueError or KeyError for other data."""
    results = {}
    for r in data["results"]:
        failure = Failure.from_dict(r["failure"]) if r["failure"] else None
        changed = tuple(Change.from_dict(c) for c in r.get("changed", ()))
        results[r["nodeid"]] = TestResult(r["nodeid"], r["outcome"], failure, r["seconds"], changed)
    executed = {k: frozenset(v) for k, v in data["executed"].items()}
    by_test = {n: {k: frozenset(v) for k, v in lines.items()} for n, lines in data.get("by_test", {}).items()}
    return RunReport(results, data["problem"], data["seconds"], executed, frozenset(data["served"]), by_test, bool(data.get("apart")))
