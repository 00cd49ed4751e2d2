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


def of_result(result: TestResult) -> dict[str, Any]:
    """JSON-ready form of one test's result."""
    return {
        "nodeid": result.nodeid,
        "outcome": result.outcome,
        "failure": result.failure.to_dict() if result.failure else None,
        "seconds": result.seconds,
        "changed": [c.to_dict() for c in result.changed],
    }


def result(data: Mapping[str, Any]) -> TestResult:
    """The inverse of :func:`of_result`; raises ValueError or KeyError for other data."""
    failure = Failure.from_dict(data["failure"]) if data["failure"] else None
    return TestResult(data["nodeid"], data["outcome"], failure, data["seconds"], tuple(Change.from_dict(c) for c in data.get("changed", ())))


def dump(report: RunReport) -> dict[str, Any]:
    """JSON-ready form of ``report``."""
    return {
        "results": [of_result(r) for r in report.results.values()],
        "problem": report.problem,
        "seconds": report.seconds,
        "executed": {k: sorted(v) for k, v in report.executed.items()},
        "served": sorted(report.served),
        "by_test": {n: {k: sorted(v) for k, v in lines.items()} for n, lines in report.by_test.items()},
        "apart": report.apart,
        "at": report.at,
    }


def load(data: Mapping[str, Any]) -> RunReport:
    """The inverse of :func:`dump`; raises ValueError or KeyError for other data."""
    results = {r["nodeid"]: result(r) for r in data["results"]}
    executed = {k: frozenset(v) for k, v in data["executed"].items()}
    by_test = {n: {k: frozenset(v) for k, v in lines.items()} for n, lines in data.get("by_test", {}).items()}
    served, apart = frozenset(data["served"]), bool(data.get("apart"))
    return RunReport(results, data["problem"], data["seconds"], executed, served, by_test, apart, data.get("at", ""))
