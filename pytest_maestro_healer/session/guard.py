"""A hang guard for code run on the main thread: a repeating timer signal, and a watchdog thread behind it.

A single mechanism is not enough: a plugin may overwrite ``ITIMER_REAL`` (pytest-timeout does), and an exception raised by a
signal handler may be swallowed by a bare ``except``; so both are armed and both repeat.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any


class Hang(BaseException):
    """Raised into the code that ran too long; a BaseException, so that tests do not swallow it by accident."""


def _available() -> bool:
    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()


@contextlib.contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Raise :class:`Hang` inside the block once it has run ``seconds``, and again until it gives way.

    Does nothing off the main thread or where signals are missing. Previous handlers and timers are restored.
    """
    if not _available():
        yield
        return
    number: Any = getattr(signal, "SIGRTMIN", signal.SIGUSR2)
    number = number + 5 if hasattr(signal, "SIGRTMIN") else number
    done = threading.Event()
    active = True

    def strike(signum: int, frame: FrameType | None) -> None:
        if active:
            raise Hang(f"ran longer than {seconds:g} s")

    main = threading.main_thread().ident
    assert main is not None

    def watch() -> None:
        if done.wait(seconds * 1.05 + 0.2):
            return
        while not done.wait(0.3):
            with contextlib.suppress(OSError, RuntimeError):
                signal.pthread_kill(main, number)

    old_rt = signal.signal(number, strike)
    old_alarm = signal.signal(signal.SIGALRM, strike)
    started = time.monotonic()
    old_timer = signal.setitimer(signal.ITIMER_REAL, seconds, 0.3)
    thread = threading.Thread(target=watch, name="maestro-hang-guard", daemon=True)
    thread.start()
    try:
        yield
    finally:
        active = False
        done.set()
        thread.join(2)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old_alarm)
        signal.signal(number, old_rt)
        if old_timer[0]:
            left = max(0.01, old_timer[0] - (time.monotonic() - started))
            signal.setitimer(signal.ITIMER_REAL, left, old_timer[1])
