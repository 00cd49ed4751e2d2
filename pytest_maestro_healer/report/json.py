"""The report as JSON: what ``--heal-json`` writes and the command line reads.

The document is :class:`~pytest_maestro_healer.model.HealingReport` as a dict. ``schema`` counts up when a key changes its meaning or goes;
a new key alone does not change it, and readers ignore keys they do not know. Undecodable bytes of a healed file are surrogate
escapes, written as ``\\udcXX``, so the file is pure ASCII on every platform.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pytest_maestro_healer.errors import BundleError
from pytest_maestro_healer.model import HealingReport
from pytest_maestro_healer.report.files import write_whole

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
    """Write ``report`` to ``path``, wholly or not at all; raises :class:`~pytest_maestro_healer.errors.HealerError`."""
    write_whole(path, dumps(report).encode("ascii"))


def read(path: str | os.PathLike[str]) -> HealingReport:
    """The report in the file ``path``.

    Raises :class:`~pytest_maestro_healer.errors.BundleError` when it cannot be read or is no such report.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as exc:
        raise BundleError(f"{path} cannot be read: {exc.strerror or exc}") from exc
    return loads(data, str(path))
