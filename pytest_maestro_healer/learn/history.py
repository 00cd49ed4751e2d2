"""The history of one project: one file of JSON lines that only grows, until it is folded.

The first line names the format and its version. Every other line is one record, a JSON object with a ``t`` (see
:mod:`pytest_maestro_healer.learn.entries`). Writers hold a lock of the file's own and add whole lines in one go; a line torn by a
crash is one damaged line, which is set aside by the next reader, with all others intact. A file of a newer version is left alone.

Nothing here raises for what is on the disk: what goes wrong becomes a line in :attr:`History.notes`, and the run goes on.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pytest_maestro_healer.errors import HealerError
from pytest_maestro_healer.learn.entries import folded, valid

NAME = "history.jsonl"
FORMAT = "pytest-maestro-healer history"
SCHEMA = 1
#: Folded when larger; what remains then is far smaller.
LARGE = 2_000_000
LOCK_SECONDS = 10.0
Entry = dict[str, Any]


class NewerVersion(HealerError):
    """The file is of a version that this one does not know."""


def header() -> Entry:
    """The first line of a file."""
    return {"t": "header", "format": FORMAT, "v": SCHEMA}


def encoded(entries: Iterable[Entry]) -> bytes:
    """Records as lines."""
    return b"".join(json.dumps(e, ensure_ascii=True, separators=(",", ":"), default=str).encode() + b"\n" for e in entries)


def decoded(data: bytes) -> tuple[list[Entry], list[bytes]]:
    """(records, damaged lines) of a file's bytes.

    Raises :class:`NewerVersion` where a header says so. Files that were put together by ``cat`` have several headers: that is fine.
    """
    entries: list[Entry] = []
    damaged: list[bytes] = []
    for line in data.split(b"\n"):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            damaged.append(line)
            continue
        if isinstance(entry, dict) and entry.get("t") == "header":
            version = entry.get("v")
            if isinstance(version, int) and version > SCHEMA:
                raise NewerVersion(f"version {version}")
            if version != SCHEMA:
                damaged.append(line)
        elif isinstance(entry, dict) and valid(entry):
            entries.append(entry)
        else:
            damaged.append(line)
    return entries, damaged


class History:
    """The history file in ``folder``.

    ``enabled`` false: nothing is read, written, or even looked for. ``prepare`` makes the folder before the first write and may raise
    :class:`~pytest_maestro_healer.errors.HealerError` where it cannot be used.
    """

    def __init__(self, folder: Path, *, enabled: bool = True, prepare: Callable[[Path], None] | None = None, large: int = LARGE) -> None:
        self.folder = folder
        self.path = folder / NAME
        self.enabled = enabled
        self.notes: list[str] = []
        self._prepare = prepare
        self._large = large

    def _note(self, line: str) -> None:
        if line not in self.notes:
            self.notes.append(line)

    # -- reading -------------------------------------------------------------------------------------------
    def entries(self) -> list[Entry]:
        """All records, oldest first; damaged lines are set aside and said in :attr:`notes`."""
        try:
            found, damaged = self._read()
        except NewerVersion as exc:
            self._note(f"the history {self.path} is of a newer {exc}: it is neither used nor changed")
            return []
        if damaged and not self._still_growing(damaged):
            self._mend()
        return found

    def tail(self, marker: bytes) -> Iterator[Entry]:
        """Records whose line contains ``marker``, newest first, each parsed only when asked for; for a quick look."""
        data = self._bytes()
        try:
            decoded(data[: data.find(b"\n") + 1])
        except NewerVersion:
            return
        for line in reversed(data.split(b"\n")):
            if marker in line:
                with contextlib.suppress(ValueError, RecursionError):
                    entry = json.loads(line)
                    if isinstance(entry, dict) and valid(entry):
                        yield entry

    def _bytes(self) -> bytes:
        if not self.enabled:
            return b""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as exc:
            self._note(f"the history {self.path} cannot be read ({exc.strerror or exc}): this run does without it")
            return b""

    def _read(self) -> tuple[list[Entry], list[bytes]]:
        return decoded(self._bytes())

    def _still_growing(self, damaged: Sequence[bytes]) -> bool:
        """Whether the only damage is a last line that another process may be writing just now."""
        data = self._bytes()
        return len(damaged) == 1 and not data.endswith(b"\n") and data.endswith(damaged[0]) and self._busy()

    def _busy(self) -> bool:
        try:
            with self._locked(0.0):
                return False
        except HealerError:
            return True

    def _mend(self) -> None:
        """Set damaged lines aside, under the lock (another process may have done it)."""
        with self._guarded("mended"), self._locked():
            found, damaged = self._read()
            if not damaged:
                return
            aside = self.path.with_name("history.damaged")
            with _opened(aside, os.O_WRONLY | os.O_CREAT | os.O_APPEND) as fd:
                _write(fd, b"\n".join([*damaged, b""]))
            self._replace(found)
            lines = "1 damaged line" if len(damaged) == 1 else f"{len(damaged)} damaged lines"
            self._note(f"the history {self.path} had {lines}, set aside in {aside.name}; {len(found)} records are intact")

    # -- writing -------------------------------------------------------------------------------------------
    def append(self, entries: Iterable[Entry]) -> bool:
        """Add records; whether that worked. Folds the file when it has become large."""
        data = encoded(entries)
        if not self.enabled or not data:
            return False
        with self._guarded("recorded"), self._locked():
            self._check_version()
            with _opened(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND) as fd:
                size = os.fstat(fd).st_size
                if not size:
                    data = encoded([header()]) + data
                elif not _ends_a_line(fd):
                    data = b"\n" + data  # a writer was killed: what it left is a line of its own
                try:
                    _write(fd, data)
                except OSError:
                    os.ftruncate(fd, size)  # a full disk: no half record
                    raise
            if size + len(data) > self._large:
                self._compact()
            return True
        return False

    def compact(self) -> bool:
        """Fold old records now; whether that worked."""
        if not self.enabled or not self.path.exists():
            return False
        with self._guarded("folded"), self._locked():
            self._check_version()
            self._compact()
            return True
        return False

    def rewrite(self, change: Callable[[list[Entry]], list[Entry]]) -> bool:
        """Replace all records by ``change`` of them, under the lock; whether that worked."""
        if not self.enabled:
            return False
        with self._guarded("changed"), self._locked():
            found, _ = self._read()
            self._replace(change(found))
            if self.path.stat().st_size > self._large:
                self._compact()
            return True
        return False

    def forget(self) -> bool:
        """Remove the file and what was set aside; whether there was any. Also where learning is off: who asks wants it gone."""
        there = False
        for path in (self.path, self.path.with_name("history.damaged"), *self._leftovers()):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
                there = True
        return there

    def _check_version(self) -> None:
        """Only the first line is looked at: this is on the way of every append."""
        with contextlib.suppress(FileNotFoundError), open(self.path, "rb") as f:
            first = f.readline(4096)
            if first != encoded([header()]):
                decoded(first)  # raises where it is of a newer version

    def _compact(self) -> None:
        found, damaged = self._read()
        for old in self._leftovers():
            with contextlib.suppress(OSError):
                old.unlink()
        kept = folded(found)
        if damaged or len(kept) < len(found):
            self._replace(kept)

    def _leftovers(self) -> list[Path]:
        """Temporary files of writers that were killed."""
        return sorted(self.folder.glob("history.tmp-*"))

    def _replace(self, entries: Iterable[Entry]) -> None:
        scratch = self.path.with_name(f"history.tmp-{secrets.token_hex(4)}")
        try:
            with _opened(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as fd:
                _write(fd, encoded([header(), *entries]))
                os.fsync(fd)
            scratch.replace(self.path)
        except BaseException:
            with contextlib.suppress(OSError):
                scratch.unlink()
            raise

    @contextlib.contextmanager
    def _guarded(self, what: str) -> Iterator[None]:
        """What goes wrong on the disk is said in one line and ends nothing but this."""
        try:
            yield
        except NewerVersion as exc:
            self._note(f"the history {self.path} is of a newer {exc}: it is neither used nor changed")
        except HealerError as exc:
            self._note(f"the history is not {what}: {exc}")
        except OSError as exc:
            self._note(f"the history {self.path} is not {what}: {exc.strerror or exc}")

    @contextlib.contextmanager
    def _locked(self, seconds: float = LOCK_SECONDS) -> Iterator[None]:
        if self._prepare is not None:
            self._prepare(self.folder)
        import filelock

        lock = filelock.FileLock(str(self.folder / "history.lock"), timeout=seconds, mode=0o600)
        try:
            lock.acquire(poll_interval=0.01)
        except filelock.Timeout as exc:
            raise HealerError(f"another process holds {self.folder / 'history.lock'}") from exc
        except NotImplementedError as exc:
            raise HealerError(f"{self.folder} cannot be locked: {exc}") from exc
        try:
            yield
        finally:
            lock.release()


@contextlib.contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    """A file descriptor, private to the user, that follows no symbolic link."""
    fd = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        yield fd
    finally:
        os.close(fd)


def _ends_a_line(fd: int) -> bool:
    os.lseek(fd, -1, os.SEEK_END)
    return os.read(fd, 1) == b"\n"


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
