"""A child process of ours for asyncio: never blocks the loop, has a time limit, and is gone, with all that it started, when we are."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: Seconds that an interrupted pytest has to end its own children and say goodbye.
GRACE = 2.0
_TAIL = 20_000


@dataclass(frozen=True)
class Finished:
    """How a process ended: ``status`` is ``None`` where it was stopped after its time; ``output`` is the end of what it printed."""

    status: int | None
    output: str

    @property
    def last_line(self) -> str:
        """The last line that says something: pytest's usage errors stand there."""
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        parser = [line.partition("error: ")[2] for line in lines if ": error: " in line]
        errors = [line for line in lines if line.startswith(("ERROR", "INTERNALERROR", "E  "))]
        return (parser or errors or lines or [""])[-1][:300]


async def run(command: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: Path, timeout: float | None) -> Finished:
    """Run ``command``, its output into the file ``log``; on a timeout or a cancellation it is stopped with its whole family.

    Raises :class:`OSError` when it cannot be started.
    """
    with open(log, "wb") as out:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=cwd,
            env=dict(env),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=os.name == "posix",
        )
    try:
        status: int | None = await asyncio.wait_for(process.wait(), timeout)
    except asyncio.TimeoutError:
        await stop(process)
        status = None
    except BaseException:
        # a second cancellation while this one is obeyed must not leave the family behind
        stopping = asyncio.ensure_future(stop(process))
        while not stopping.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(stopping)
        raise
    return Finished(status, _tail(log))


def _tail(log: Path) -> str:
    try:
        return log.read_bytes()[-_TAIL:].decode("utf-8", "replace")
    except OSError:
        return ""


async def stop(process: asyncio.subprocess.Process, grace: float = GRACE) -> None:
    """Interrupt, so that pytest ends its proof processes itself; after ``grace`` seconds kill what is left of the family.

    ``process`` leads a session of its own.
    """
    if process.returncode is not None:
        return
    family = _family(process.pid)
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.terminate()
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(process.wait(), grace)
    family |= _family(process.pid) if process.returncode is None else {}
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    for pid, born in family.items():
        if _born(pid) == born:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
    await process.wait()


def _family(pid: int) -> dict[int, str]:
    """The descendants of ``pid`` with their start times, where the system shows them (Linux): proof processes lead groups of their own."""
    if not sys.platform.startswith("linux"):
        return {}
    children: dict[int, list[tuple[int, str]]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                children.setdefault(int(fields[1]), []).append((int(entry.name), fields[19]))
    found: dict[int, str] = {}
    queue = [pid]
    while queue:
        for child, born in children.get(queue.pop(), ()):
            if child not in found:
                found[child] = born
                queue.append(child)
    return found


def _born(pid: int) -> str:
    fields = _stat(pid)
    return fields[19] if fields else ""


def _stat(pid: int) -> list[str]:
    """The fields of ``/proc/PID/stat`` after the name, which may hold anything: state, parent, ... start time (proc(5))."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
