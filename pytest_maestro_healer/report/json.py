"""The report as JSON: what ``--heal-json`` writes and the command line reads.

The document is :class:`~pytest_maestro_healer.model.HealingReport` as a dict. ``schema`` counts up when a key changes its meaning or goes;
a new key alone does not change it, and readers ignore keys they do not know. Undecodable bytes of a healed file are surrogate
escapes, written as ``\\udcXX``, so the file is pure ASCII on every platform.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from pytest_maestro_healer.errors import BundleError, HealerError
from pytest_maestro_healer.model import HealingReport

SCHEMA = 1


def dumps(report: HealingReport) -> str:
    """The JSON text, ending in a newline."""
    return json.dumps(report.to_dict(), indent=1, default=repr) + "\n"


def loads(text: str | bytes, name: str = "the report") -> HealingReport:
    """The report in ``text``; ``name`` is what error messages call it.

    Raises :class:`~pytest_maestro_healer.errors.BundleError` for what is not such a report or was written by a newer version.
    """
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise BundleError(f"{name} is not valid JSON: {exc}") from exc
    schema = data.get("schema") if isinstance(data, dict) else None
    if not isinstance(schema, int) or isinstance(schema, bool) or not isinstance(data.get("results"), list):
        raise BundleError(f"{name} is not a report written by --heal-json")
    if schema > SCHEMA:
        raise BundleError(f"{name} has schema {schema}, this version reads up to {SCHEMA}: upgrade pytest-maestro-healer")
    try:
        return HealingReport.from_dict(data)
    except (ValueError, AttributeError, TypeError) as exc:
        raise BundleError(f"{name} is damaged: {exc}") from exc


def write(report: HealingReport, path: str | os.PathLike[str]) -> None:
    """Write ``report`` to ``path``: a reader sees the old file or the whole new one, never a part.

    Missing folders are made; a symbolic link is followed; a device or pipe (``/dev/stdout``) is written directly. Raises
    :class:`~pytest_maestro_healer.errors.HealerError` when it cannot be written; the old file then is as it was.
    """
    target = Path(os.path.realpath(path))
    data = dumps(report).encode("ascii")
    try:
        if Path(path).exists() and not target.is_file() and not target.is_dir():
            Path(path).write_bytes(data)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, data)
    except OSError as exc:
        raise HealerError(f"{path} cannot be written: {exc.strerror or exc}") from exc


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


def read(path: str | os.PathLike[str]) -> HealingReport:
    """The report in the file ``path``.

    Raises :class:`~pytest_maestro_healer.errors.BundleError` when it cannot be read or is no such report.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as exc:
        raise BundleError(f"{path} cannot be read: {exc.strerror or exc}") from exc
    return loads(data, str(path))
