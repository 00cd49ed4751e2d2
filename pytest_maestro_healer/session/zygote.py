"""Runs from a state in which no test has run yet, at the price of a fork.

A fresh process collects what the user's run collected and then, instead of running the tests, serves: for each request it forks, the fork runs
the tests and answers. So a hundred runs in different orders cost one start of pytest. What that process does is in
:mod:`~pytest_maestro_healer.session.serving`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_maestro_healer.evidence.experiments import Conditions
from pytest_maestro_healer.evidence.nodeids import file_of
from pytest_maestro_healer.prove.mutants import Mutant
from pytest_maestro_healer.prove.runner import RunReport
from pytest_maestro_healer.session import forked, wire
from pytest_maestro_healer.session.fresh import Fresh
from pytest_maestro_healer.session.ledger import known
from pytest_maestro_healer.session.serving import send


class Zygote:
    """The asking side. The process is started with the first request (or :meth:`start`) and ended by :meth:`close`."""

    def __init__(self, fresh: Fresh, ground: Mapping[str, bytes] | None = None) -> None:
        """``ground`` are the files that were healed at collection: they are served from the start."""
        self._fresh = fresh
        self._ground = dict(ground or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = ""
        self._to = self._from = -1
        self._usable = forked.known_safe()
        self._files: frozenset[str] | None = None
        self._buffer = bytearray()

    def start(self, files: Sequence[str] = ()) -> None:
        """Start the process without waiting for it; ``files`` (root-relative) are collected whole besides what the user's run collected."""
        if not self._usable or self._process is not None:
            return
        self._folder = tempfile.mkdtemp(prefix="maestro-heal-")
        read_there, self._to = os.pipe()
        self._from, write_there = os.pipe()
        try:
            self._process = self._fresh.serve(Path(self._folder), (read_there, write_there), files, self._ground)
        except OSError:
            self._usable = False
        finally:
            os.close(read_there)
            os.close(write_there)

    def run(
        self, nodeids: Sequence[str], overlay: Mapping[str, bytes], *, whole_files: bool, trace: bool, conditions: Conditions
    ) -> RunReport | None:
        """One run; ``None`` where it cannot be made this way (then a fresh process has to do)."""
        self.start([file_of(n) for n in nodeids])
        timeout = self._fresh.timeout * max(1, min(10, len(nodeids)))
        if not self._serves(nodeids, overlay):
            return None
        request = {
            "nodeids": list(nodeids),
            "overlay": wire.texts(overlay),
            "whole": whole_files,
            "trace": trace,
            "timeout": timeout,
            "conditions": {**dataclasses.asdict(conditions), "env": dict(conditions.env)},
        }
        ledger = Path(self._folder) / "ledger"
        if conditions.partial:
            ledger.unlink(missing_ok=True)
            request["ledger"] = str(ledger)
        try:
            send(self._to, request)
            answer = self._line(timeout + 10)
            report = None if answer.get("unable") else wire.load(answer)
            return known(report, ledger) if report is not None and report.problem and conditions.partial else report
        except (OSError, ValueError, KeyError):
            self._end()
            return None

    def killed(self, nodeids: Sequence[str], overlay: Mapping[str, bytes], mutants: Sequence[Mutant], timeout: float) -> list[bool | None] | None:
        """For each mutant whether one of ``nodeids`` fails with it, ``None`` where that cannot be tried here; ``timeout`` seconds a run at most.

        ``None`` instead of all that where the process cannot be copied either: what it imports has started threads.
        """
        nothing: list[bool | None] = [None] * len(mutants)
        self.start([file_of(n) for n in nodeids])
        if not self._serves(nodeids, overlay):
            return nothing
        seconds = timeout * (1 + len(mutants))
        request = {"nodeids": list(nodeids), "overlay": wire.texts(overlay), "mutants": [wire.of_mutant(m) for m in mutants], "timeout": timeout}
        answer = self.ask({"killed": {**request, "seconds": seconds}}, seconds + 10)
        if answer is not None and answer.get("unable"):
            return None
        fates = answer.get("fates") if answer is not None else None
        return fates if isinstance(fates, list) and len(fates) == len(mutants) else nothing

    def _serves(self, nodeids: Sequence[str], overlay: Mapping[str, bytes]) -> bool:
        """Whether the process has the files that are concerned; test modules can be served anew, helpers are already imported by others."""
        if not self._usable or not self._ready(self._fresh.timeout * 4) or self._files is None:
            return False
        known = self._files
        return all(p in known and not p.endswith("conftest.py") for p in overlay) and all(file_of(n) in known for n in nodeids)

    def ask(self, request: Mapping[str, Any], limit: float) -> Mapping[str, Any] | None:
        """The answer to ``request`` within ``limit`` seconds from now, the start of the process included; ``None`` without one."""
        until = time.monotonic() + limit
        if not self._usable or not self._ready(limit):
            return None
        try:
            send(self._to, request)
            return self._line(until - time.monotonic())
        except (OSError, ValueError, KeyError):
            self._end()
            return None

    def _ready(self, limit: float) -> bool:
        if self._files is None:
            try:
                self._files = frozenset(self._line(limit)["files"])
            except (OSError, ValueError, KeyError):
                self._end()
        return self._files is not None

    def _line(self, limit: float) -> dict[str, Any]:
        until = time.monotonic() + limit
        while b"\n" not in self._buffer:
            if not wire.readable(self._from, until - time.monotonic()):
                raise OSError("no answer in time")
            chunk = os.read(self._from, 1 << 16)
            if not chunk:
                raise OSError("the process ended")
            self._buffer += chunk
        line, _, rest = bytes(self._buffer).partition(b"\n")
        self._buffer = bytearray(rest)
        found = json.loads(line)
        if not isinstance(found, dict):
            raise ValueError("not an answer")
        return found

    def _end(self) -> None:
        self._usable = False
        self.close()

    def close(self) -> None:
        """End the process; nothing is left behind."""
        for fd in (self._to, self._from):
            with contextlib.suppress(OSError):
                if fd >= 0:
                    os.close(fd)
        self._to = self._from = -1
        if self._process is not None:
            Fresh.kill(self._process)
            self._process.wait()
            self._process = None
            self._usable = False
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = ""
