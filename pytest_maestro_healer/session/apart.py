"""Whether a run kept to itself and mostly waited: then the same tests may run beside it, in another copy of the process, and time is won.

What a run does to the world outside of its process is told by Python's audit events (PEP 578). It is asked of processes that end with the run only:
an audit hook cannot be taken away again.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

#: Events of these modules are of the world outside, but for those that only look, or that concern the process itself.
_OUTSIDE = ("os.", "shutil.", "socket.", "sqlite3.", "subprocess.", "fcntl.", "tempfile.", "ctypes.", "mmap.", "msvcrt.", "winreg.", "_winapi.",
            "syslog.", "pty.", "webbrowser.", "ftplib.", "http.", "urllib.", "smtplib.", "poplib.", "imaplib.", "nntplib.", "telnetlib.")  # fmt: skip
_HARMLESS = frozenset(
    ["os.listdir", "os.scandir", "os.walk", "os.fwalk", "os.chdir", "os.putenv", "os.unsetenv", "os.getxattr", "os.listxattr", "socket.__new__"]
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
#: A shorter run is not worth it, and one that keeps a processor busy for longer than this share of its time would wait for that.
_LEAST, _BUSY = 0.02, 0.5


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Watch:
    """Watches this process from now on, to its end."""

    def __init__(self) -> None:
        self._outside = False
        self._began, self._busy = time.perf_counter(), time.process_time()
        sys.addaudithook(self._look)

    def _look(self, event: str, args: tuple[Any, ...]) -> None:
        if self._outside:
            return
        if event == "open":
            self._outside = isinstance(args[2], int) and bool(args[2] & _WRITES) and args[0] != os.devnull
        elif event.startswith(_OUTSIDE):
            self._outside = event not in _HARMLESS

    def apart(self) -> bool:
        """Whether nothing outside was touched so far, and most of the time was spent waiting."""
        seconds, busy = time.perf_counter() - self._began, time.process_time() - self._busy
        return not self._outside and seconds > _LEAST and busy < _BUSY * seconds
