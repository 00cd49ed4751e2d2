"""Where a project's healing state lives, and how that folder comes into being."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from pytest_maestro_healer.errors import ApplyError

LOCK_SECONDS = 20.0

_SUPPORT = {
    "CACHEDIR.TAG": (
        "Signature: 8a477f597d28d172789f06886806bc55\n"
        "# This file is a cache directory tag created by pytest-maestro-healer.\n"
        "# For information about cache directory tags, see https://bford.info/cachedir/spec.html\n"
    ),
    ".gitignore": "# Created by pytest-maestro-healer automatically.\n*\n",
    "README.md": (
        "# pytest-maestro-healer's state for one project\n\n"
        "`pending.json` and `pending.patch` hold heals that wait for a decision (`maestro-heal list`), `journal` and `blobs` what is\n"
        "needed to undo applied ones (`maestro-heal rollback`). Deleting this folder is safe; heals already applied can then no longer\n"
        "be rolled back from here. `history.jsonl` has what was tried, what became of it, and at which commit tests were last green\n"
        "(`maestro-heal stats`, `maestro-heal forget`). `last.json` says what became of the last run's failures (`maestro-heal doctor`).\n"
    ),
}


def project_cache_dir(root: Path, cache_dir: str = "") -> Path:
    """The folder of the project at ``root``: in the user's cache, or under ``cache_dir`` (relative to ``root``) where that is set.

    Nothing is created. Two paths to one real folder give the same answer.
    """
    real = os.path.realpath(root)
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", os.path.basename(real)).strip(".")[:40] or "root"
    key = f"{name}-{hashlib.sha256(os.fsencode(real)).hexdigest()[:12]}"
    if cache_dir:
        return Path(os.path.normpath(Path(real) / Path(os.path.expandvars(cache_dir)).expanduser() / key))
    import platformdirs

    return Path(platformdirs.user_cache_dir("pytest-maestro-healer", appauthor=False)) / key


def ensure_cache_dir(folder: Path) -> None:
    """Create ``folder`` for its owner only, with CACHEDIR.TAG, README.md and .gitignore in it when it is new.

    Raises :class:`~pytest_maestro_healer.errors.ApplyError`, in one line, where that is impossible or where others may write into it.
    """
    try:
        new = not folder.is_dir()
        if new:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name, text in _SUPPORT.items():
                with contextlib.suppress(FileExistsError), open(folder / name, "x", encoding="utf-8") as f:
                    f.write(text)
        mode = folder.stat().st_mode
    except OSError as exc:
        raise ApplyError(f"the cache folder {folder} cannot be used: {exc.strerror or exc}") from exc
    if os.name == "posix" and mode & stat.S_IWOTH:
        raise ApplyError(f"the cache folder {folder} is writable by everybody and cannot be trusted; run: chmod 700 '{folder}'")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ApplyError(f"the cache folder {folder} is read-only")


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the project's lock (one writer at a time); the folder is created when missing.

    Raises :class:`~pytest_maestro_healer.errors.ApplyError` when the folder cannot be used, or another writer holds the lock for more than
    :data:`LOCK_SECONDS`.
    """
    ensure_cache_dir(folder)
    import filelock

    lock = filelock.FileLock(str(folder / "lock"), timeout=LOCK_SECONDS)
    try:
        lock.acquire()
    except filelock.Timeout as exc:
        raise ApplyError(f"another pytest --heal or maestro-heal holds {folder / 'lock'}; try again when it is done") from exc
    except (OSError, NotImplementedError) as exc:
        raise ApplyError(f"the cache folder {folder} cannot be locked: {exc}") from exc
    try:
        yield
    finally:
        lock.release()
