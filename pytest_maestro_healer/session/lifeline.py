"""Proof processes end with the process that started them, however that one ends: nobody is left to collect their answer.

Linux does it by itself once it was asked (``prctl``, PR_SET_PDEATHSIG): also where a test blocks in C or swallows every signal. On other POSIX
systems a daemon thread watches for another parent.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import cache

_BUSY = "import os, sys\nwhile os.getppid() == int(sys.argv[1]):\n    for _ in range(100000): pass"
_PR_SET_PDEATHSIG = 1
_SECONDS = 0.5


@cache
def prepare() -> Callable[[], bool]:
    """What asks the system to end this process with its parent, and says whether it will; looked up before forking, so that the copies need not."""
    if sys.platform != "linux":
        return lambda: False
    with contextlib.suppress(OSError, AttributeError):
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
        return lambda: prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) == 0
    return lambda: False


def tie(parent: int) -> None:
    """End this process when ``parent`` (the pid of the process that started it) ends; at once where it has ended already."""
    if os.name != "posix":
        return
    asked = prepare()()
    if os.getppid() != parent:  # it ended before it could be asked for
        os._exit(1)
    if not asked:
        threading.Thread(target=_watch, args=(parent,), name="maestro-lifeline", daemon=True).start()


def busy() -> list[str]:
    """The command of a process that keeps a processor busy and ends with this one."""
    # elsewhere a parent's id says nothing about whether it lives: the caller ends it
    return [sys.executable, "-c", _BUSY, str(os.getpid())]


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_SECONDS)
    os.killpg(0, signal.SIGKILL)
