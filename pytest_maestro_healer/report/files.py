"""Writing a report's file so that a reader sees the old one or the whole new one, never a part."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from pytest_maestro_healer.errors import HealerError


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write ``data`` to ``path``.

    Missing folders are made; a symbolic link is followed; a device or pipe (``/dev/stdout``) is written directly. Raises
    :class:`~pytest_maestro_healer.errors.HealerError` when it cannot be written; the old file then is as it was.
    """
    try:
        target = Path(os.path.realpath(path))
        if Path(path).exists() and not target.is_file() and not target.is_dir():
            Path(path).write_bytes(data)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, data)
    except OSError as exc:
        raise HealerError(f"{path} cannot be written: {exc.strerror or exc}") from exc
    except ValueError as exc:  # a null byte in the name
        raise HealerError(f"{str(path)!r} cannot be written: {exc}") from exc


def _replace(target: Path, data: bytes) -> None:
    fd, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    temp = Path(name)
    try:
        with os.fdopen(fd, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        # mkstemp makes private files; a report is for others to read, as any new file would be
        temp.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        temp.replace(target)
    except BaseException:
        temp.unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
