"""Writing one file so that it is, at any moment, wholly old or wholly new."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
from pathlib import Path

from pytest_maestro_healer.errors import ApplyError, StaleError

_FOREIGN = {".git", "site-packages", "dist-packages"}


def sha256(data: bytes) -> str:
    """The hex digest used everywhere."""
    return hashlib.sha256(data).hexdigest()


def temp_name() -> str:
    """A file name that pytest never collects (no ``.py`` at its end), that is hidden, and that common ignore lists (``*~``) know."""
    return f".maestro-heal-{secrets.token_hex(6)}.tmp~"


def is_temp_name(name: str) -> bool:
    """Whether ``name`` is one of :func:`temp_name`'s."""
    return name.startswith(".maestro-heal-") and name.endswith(".tmp~") and "/" not in name and "\\" not in name and "\0" not in name


def resolve(root: Path, path: str) -> Path:
    """The real file that the root-relative ``path`` names; a symlink is followed to its target.

    Raises :class:`~pytest_maestro_healer.errors.ApplyError` for anything that is absolute, climbs with ``..``, leaves the root through a
    symlink, or lies in a folder of git's or of installed packages.
    """
    parts = path.split("/")
    if not path or "\0" in path or path.startswith("/") or os.path.splitdrive(path)[0] or ".." in parts or (os.sep == "\\" and "\\" in path):
        raise ApplyError(f"{path!r} is not a path inside the project; refused")
    real_root = os.path.realpath(root)
    try:
        real = os.path.realpath(os.path.join(real_root, path))
    except (OSError, ValueError) as exc:
        raise ApplyError(f"{path}: {exc}") from exc
    inside = os.path.join(real_root, "")
    if not real.startswith(inside):
        raise ApplyError(f"{path} leads out of the project to {real}; refused")
    foreign = next((p for p in Path(real).relative_to(real_root).parts if p.lower() in _FOREIGN), "")
    if foreign:
        raise ApplyError(f"{path} lies in a {foreign} folder; refused")
    return Path(real)


def read_current(root: Path, path: str) -> bytes:
    """The bytes on disk now.

    Raises :class:`~pytest_maestro_healer.errors.StaleError` when the file is gone, :class:`~pytest_maestro_healer.errors.ApplyError` when it
    may not or cannot be read.
    """
    target = resolve(root, path)
    try:
        if not stat.S_ISREG(target.stat().st_mode):
            raise ApplyError(f"{path} is not a regular file")
        return target.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise StaleError(f"{path} no longer exists") from None
    except (OSError, ValueError) as exc:
        raise ApplyError(f"{path} cannot be read: {getattr(exc, 'strerror', None) or exc}") from exc


def check_writable(root: Path, path: str) -> None:
    """Raise :class:`~pytest_maestro_healer.errors.ApplyError` when the file is marked read-only (for root, too)."""
    target = resolve(root, path)
    try:
        mode = target.stat().st_mode
    except OSError as exc:
        raise ApplyError(f"{path}: {exc.strerror or exc}") from exc
    if not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(target, os.W_OK):
        raise ApplyError(f"{path} is read-only; nothing was written")


def write_file(root: Path, path: str, data: bytes, expected_sha256: str, temp: str = "") -> None:
    """Replace the bytes of ``path`` by ``data`` if they still have ``expected_sha256``; mode bits stay.

    A temporary file in the same folder (named ``temp`` where the journal must know it) is written, flushed to the disk and renamed over
    the target; a hard link to the old file keeps the old bytes. Raises :class:`~pytest_maestro_healer.errors.StaleError` when the file
    changed, :class:`~pytest_maestro_healer.errors.ApplyError` when it may not or cannot be written; either way it is unchanged.
    """
    if sha256(read_current(root, path)) != expected_sha256:
        raise StaleError(f"{path} changed since the heal was made")
    check_writable(root, path)
    target = resolve(root, path)
    scratch = target.parent / (temp or temp_name())
    try:
        old = target.stat()
        write_new(scratch, data, stat.S_IMODE(old.st_mode))
        _avoid_stale_bytecode(scratch, old)
        if sha256(target.read_bytes()) != expected_sha256:
            raise StaleError(f"{path} changed since the heal was made")
        scratch.replace(target)
    except BaseException as exc:
        with contextlib.suppress(OSError):
            scratch.unlink()
        if isinstance(exc, OSError):
            raise ApplyError(f"{path} could not be written ({exc.strerror or exc}); it is unchanged") from exc
        raise
    sync_folder(target.parent)


def write_new(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Create ``path``, which must not exist, with ``data`` flushed to the disk. Raises :class:`OSError`; a rest may then be left."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(fd, "wb") as f:
        f.write(data)
        f.flush()
        os.fsync(f.fileno())
    if stat.S_IMODE(path.stat().st_mode) != mode:
        path.chmod(mode)


def write_state(path: Path, data: bytes) -> None:
    """Replace one of our own state files atomically.

    Raises :class:`~pytest_maestro_healer.errors.ApplyError`; the old file is then intact.
    """
    scratch = path.with_name(temp_name())
    try:
        write_new(scratch, data)
        scratch.replace(path)
    except OSError as exc:
        with contextlib.suppress(OSError):
            scratch.unlink()
        raise ApplyError(f"{path} could not be written ({exc.strerror or exc})") from exc
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Flush a rename in ``folder`` to the disk, where the system can."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        except OSError as exc:
            if exc.errno not in (errno.EINVAL, errno.ENOTSUP):
                raise
        finally:
            os.close(fd)


def _avoid_stale_bytecode(scratch: Path, old: os.stat_result) -> None:
    """Bytecode caches are keyed by whole seconds and size: where both would stay the same, move the time on by a second."""
    new = scratch.stat()
    if new.st_size == old.st_size and int(new.st_mtime) == int(old.st_mtime):
        os.utime(scratch, ns=(new.st_atime_ns, old.st_mtime_ns + 1_000_000_000))
