"""What is known of a run that does not come to its end: each test is entered when it begins and when it has ended.

A test may end its process (``os._exit``, a fault), or make pytest itself fail (a clock that stands still inside of it): what ran before is lost
then unless it was written down. It goes to a file, one line at a time, so that it outlives the process whoever ends it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from pathlib import Path

from pytest_maestro_healer.prove.runner import RunReport, TestResult
from pytest_maestro_healer.session import wire

# as they were before any test could replace them
_write, _dumps = os.write, json.dumps


class Ledger:
    """The side that writes, in the process that runs the tests."""

    def __init__(self, path: Path) -> None:
        """Raises OSError where ``path`` cannot be written."""
        self._out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def begin(self, nodeid: str) -> None:
        """A test begins."""
        self._add(nodeid)

    def end(self, result: TestResult) -> None:
        """A test has ended."""
        self._add(wire.of_result(result))

    def _add(self, entry: object) -> None:
        with contextlib.suppress(Exception):  # a run is not to fail for what is only noted
            view = memoryview(_dumps(entry).encode() + b"\n")
            while view:
                view = view[_write(self._out, view) :]


def known(report: RunReport, path: Path) -> RunReport:
    """``report`` of a run that did not come to its end, with what the ledger at ``path`` has of it."""
    results: dict[str, TestResult] = {}
    at = ""
    with contextlib.suppress(OSError):
        for line in path.read_bytes().splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError):  # the last one may have been cut
                entry = json.loads(line)
                if isinstance(entry, str):
                    at = entry
                else:
                    result = wire.result(entry)
                    results[result.nodeid], at = result, ""
    return dataclasses.replace(report, results=results, at=at)
