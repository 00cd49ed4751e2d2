"""Run a proof in a forked copy of the live process: nothing it does to memory survives, and it can always be killed.

A fork costs about 10 ms and sees exactly the modules that the failing run saw. It is used where it is safe: on POSIX, with
no other thread alive (a lock held by one would stay locked for ever in the child).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Any

from pytest_maestro_healer.prove.runner import RunReport
from pytest_maestro_healer.session import lifeline, wire

#: Modules whose background threads only wait (for a connection, for the end of a time limit) and hold no lock that a test could want.
_HARMLESS = ("pytest_rerunfailures", "pytest_maestro_healer.session.guard", "pytest_maestro_healer.session.lifeline")

#: Bytes that a child may answer with.
LONGEST = 256 << 20


def known_safe() -> bool:
    """Whether a process without other threads can be forked safely on this system."""
    return hasattr(os, "fork") and sys.platform != "darwin"


def possible() -> bool:
    """Whether forking now is safe."""
    return known_safe() and (threading.active_count() == 1 or not _others())


def _others() -> list[int]:
    """The threads that do something of which nothing is known: pytest-rerunfailures has a waiting one wherever xdist is installed too."""
    files = {getattr(sys.modules.get(name), "__file__", None) for name in _HARMLESS} - {None}
    out = []
    for thread, top in sys._current_frames().items():
        frame: FrameType | None = top
        while frame is not None and frame.f_code.co_filename not in files:
            frame = frame.f_back
        if frame is None and thread != threading.get_ident():
            out.append(thread)
    return out


def run(work: Callable[[], RunReport], timeout: float) -> RunReport:
    """The report of ``work`` run in a child; ``problem`` is ``hang`` after ``timeout`` seconds and ``crash`` if it died."""
    return run_all(work, timeout, 1)[0]


def run_all(work: Callable[[], RunReport], timeout: float, times: int) -> list[RunReport]:
    """The same in ``times`` children at once, for what they do does not concern the others."""
    copies: list[_Copy] = []
    try:
        for _ in range(times):
            copies.append(_Copy(lambda: wire.dump(work())))
        return [_report(copy, timeout) for copy in copies]
    finally:
        for copy in copies:
            copy.end()


def _report(copy: _Copy, timeout: float) -> RunReport:
    answer, problem = copy.answer(timeout)
    seconds = time.perf_counter() - copy.started
    try:
        return RunReport(problem=problem, seconds=seconds) if problem else wire.load(answer)
    except (ValueError, KeyError, TypeError):
        return RunReport(problem="crash: the proof process gave no report", seconds=seconds)


def call(work: Callable[[], Any], timeout: float) -> tuple[Any, str]:
    """(what ``work`` gives, as JSON turns it, run in a child; the problem: ``hang`` after ``timeout`` seconds, ``crash`` if it died or raised)."""
    return _Copy(work).answer(timeout)


class _Copy:
    """A forked copy of this process that does ``work`` and ends with it."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._read_end, write_end = os.pipe()
        self.started = time.perf_counter()
        parent = os.getpid()
        lifeline.prepare()
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # 3.12: threads are alive; those that are were looked at
            self._pid = os.fork()
        if self._pid == 0:
            _child(work, self._read_end, write_end, parent)
        os.close(write_end)
        self._status = 0

    def answer(self, timeout: float) -> tuple[Any, str]:
        """See :func:`call`; ``timeout`` is from the start of the copy, which has ended afterwards."""
        data = bytearray()
        problem = ""
        try:
            while not problem:
                left = timeout - (time.perf_counter() - self.started)
                if not wire.readable(self._read_end, left):
                    problem = f"hang: still running after {timeout:g} s"
                    break
                chunk = os.read(self._read_end, 1 << 16)
                if not chunk:
                    break
                data += chunk
                if len(data) > LONGEST:
                    problem = f"crash: its answer is longer than {LONGEST >> 20} MiB"
        finally:
            self.end()
        try:
            answer, raised = (None, problem) if problem else json.loads(data)
            return answer, str(raised)
        except (ValueError, TypeError):
            return None, f"crash: the proof process ended with status {self._status}"

    def end(self) -> None:
        """End it, and what it had started: it leads its own process group. Does nothing where that was done."""
        if self._pid <= 0:
            return
        os.close(self._read_end)
        with contextlib.suppress(OSError):
            os.killpg(self._pid, signal.SIGKILL)
        self._status = os.waitpid(self._pid, 0)[1]
        self._pid = 0


def _child(work: Callable[[], Any], read_end: int, write_end: int, parent: int) -> None:
    code = 1
    try:
        os.setsid()
        lifeline.tie(parent)
        os.close(read_end)
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            payload = json.dumps([work(), ""])
        except BaseException as exc:
            payload = json.dumps([None, f"crash: {type(exc).__name__}: {exc}"])
        view = memoryview(payload.encode())
        while view:
            view = view[os.write(write_end, view) :]
        code = 0
    finally:
        # no cleanup that belongs to the parent: no atexit, no flushing of inherited buffers
        os._exit(code)
