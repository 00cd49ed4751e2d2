"""Drives ``maestro-heal watch --json`` as a program would: starts it, edits files, reads one document for each round."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

#: Plugins that would only cost time here, or leave files behind.
QUIET = ("-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:hypothesispytest", "-p", "no:xdist", "-p", "no:rerunfailures")
_CI = ("CI", "BUILD_NUMBER", "GITHUB_ACTIONS")


def environment(cache: Path) -> dict[str, str]:
    """Outside CI and of the pytest around it, with a healing cache of its own."""
    own = {k: v for k, v in os.environ.items() if k not in _CI and not k.startswith("PYTEST_")}
    return {**own, "XDG_CACHE_HOME": str(cache), "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write files, each in one go."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


class Watcher:
    """A running watch; ``options`` are the command's own, ``arguments`` pytest's."""

    def __init__(self, root: Path, cache: Path, *arguments: str, options: Sequence[str] = (), limit: float = 120.0) -> None:
        self.root, self.limit = root, limit
        command = [sys.executable, "-m", "pytest_maestro_healer.cli", "watch", "--json", *options, "--", *QUIET, *arguments]
        self.errors = open(cache.parent / "watch.log", "wb")  # noqa: SIM115 - closed with the watch
        self.process = subprocess.Popen(
            command, cwd=root, env=environment(cache), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors, start_new_session=True
        )
        self.documents: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for row in self.process.stdout:
            self.documents.put(json.loads(row))
        self.documents.put(None)

    def close(self) -> None:
        """After its end: close what was opened for it."""
        assert self.process.stdout is not None
        self._reader.join(10)
        self.process.stdout.close()
        self.errors.close()

    @property
    def log(self) -> str:
        """What pytest printed so far."""
        return Path(self.errors.name).read_text(errors="replace")

    def next(self, *status: str) -> dict[str, Any]:
        """The next round's document, of one of these states (default: finished); others are skipped."""
        end = time.monotonic() + self.limit
        while True:
            try:
                found = self.documents.get(timeout=max(0.1, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no round within {self.limit:g} s\n{self.log[-4000:]}") from None
            assert found is not None, f"the watch ended with {self.process.wait()}\n{self.log[-4000:]}"
            if found["status"] in (status or ("finished",)):
                return found

    def idle(self, seconds: float) -> bool:
        """Whether no round came to its end for so long."""
        try:
            return self.documents.get(timeout=seconds) is None
        except queue.Empty:
            return True

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal and wait; returns the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """The exit code, once it ends by itself."""
        return self.process.wait(self.limit)

    def family(self) -> list[int]:
        """The processes that work in the project, the watch and what it started, as Linux tells."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and (entry / "cwd").resolve() == self.root.resolve() and entry.name != str(os.getpid()):
                    found.append(int(entry.name))
        return found


@contextlib.contextmanager
def watching(root: Path, cache: Path, *arguments: str, options: Sequence[str] = (), limit: float = 120.0) -> Iterator[Watcher]:
    """A watch that is gone at the end, whatever happened."""
    watch = Watcher(root, cache, *arguments, options=options, limit=limit)
    try:
        yield watch
    finally:
        if watch.process.poll() is None:
            os.killpg(watch.process.pid, signal.SIGTERM)
            try:
                watch.process.wait(30)
            except subprocess.TimeoutExpired:
                watch.process.kill()
                watch.process.wait()
        watch.close()
