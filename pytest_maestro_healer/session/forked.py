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
    started = time.perf_counter()
    answer, problem = call(lambda: wire.dump(work()), timeout)
    try:
        return RunReport(problem=problem, seconds=time.perf_counter() - started) if problem else wire.load(answer)
    except (ValueError, KeyError, TypeError):
        return RunReport(problem="crash: the proof process gave no report", seconds=time.perf_counter() - started)


def call(work: Callable[[], Any], timeout: float) -> tuple[Any, str]:
    """(what ``work`` gives, as JSON turns it, run in a child; the problem: ``hang`` after ``timeout`` seconds, ``crash`` if it died or raised)."""
    read_end, write_end = os.pipe()
    started = time.perf_counter()
    parent = os.getpid()
    lifeline.prepare()
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12: threads are alive; those that are were looked at
        pid = os.fork()
    if pid == 0:
        _child(work, read_end, write_end, parent)
    os.close(write_end)
    data = bytearray()
    problem = ""
    try:
        while not problem:
            left = timeout - (time.perf_counter() - started)
            if not wire.readable(read_end, left):
                problem = f"hang: still running after {timeout:g} s"
                break
            chunk = os.read(read_end, 1 << 16)
            if not chunk:
                break
            data += chunk
            if len(data) > LONGEST:
                problem = f"crash: its answer is longer than {LONGEST >> 20} MiB"
    finally:
        os.close(read_end)
        with contextlib.suppress(OSError):
            # also what the test had started: the child leads its own process group
            os.killpg(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
    try:
        answer, raised = (None, problem) if problem else json.loads(data)
        return answer, str(raised)
    except (ValueError, TypeError):
        return None, f"crash: the proof process ended with status {status}"


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
