"""Error events in whatever shape a platform has them, as what the healer takes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.errors import HealerError
from pytest_maestro_healer.evidence.nodeids import file_of
from pytest_maestro_healer.remote.batch import unpacked


@dataclass(frozen=True)
class ErrorEvent:
    """One failed test that somebody saw.

    ``error_details`` as of :meth:`~pytest_maestro_healer.AutonomousTestHealer.heal_failed_test`; with a ``test_file`` in it (or a ``test_id`` that
    begins with one) ``test_code`` may be left out and is read from there. ``source`` says who saw it.
    """

    test_code: str = ""
    error_details: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""

    @property
    def key(self) -> str:
        """The same for the same failure of the same code."""
        names = ("test_file", "test_id", "error_message", "message", "error_type")
        parts = [self.test_code, *(str(self.error_details.get(n) or "") for n in names)]
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def read_event(raw: Any, project: Path) -> ErrorEvent:
    """The event ``raw``, its file absolute and its code read.

    Raises :class:`TypeError` for what is no event, :class:`~pytest_maestro_healer.errors.HealerError` for one that points out of the ``project``
    or to a file that cannot be read.
    """
    code, details = unpacked(_with_code(raw))
    found = dict(details)
    name = str(found.get("test_file") or "") or _file_of(str(found.get("test_id") or found.get("nodeid") or ""))
    source = getattr(raw, "source", "") or (raw.get("source", "") if isinstance(raw, Mapping) else "")
    found["project_path"] = str(project)
    if name:
        file = Path(os.path.abspath(project / name))  # noqa: PTH100 - as pytest, keeping symlinks
        for path, top in ((str(file), str(project)), (os.path.realpath(file), os.path.realpath(project))):
            if path != top and not path.startswith(os.path.join(top, "")):
                raise HealerError(f"{name} is not in the project {project}")
        found["test_file"] = str(file)
        if not code:
            code = _read(file, name)
    if not code.strip():
        raise HealerError("the event has neither code nor a test_file")
    return ErrorEvent(code, found, str(source))


def _with_code(raw: Any) -> Any:
    """An event without code has an empty one."""
    if isinstance(raw, Mapping):
        return raw if "code" in raw or "test_code" in raw else {**raw, "test_code": ""}
    return raw


def _file_of(nodeid: str) -> str:
    path = file_of(nodeid)
    return path if path.endswith(".py") else ""


def _read(file: Path, name: str) -> str:
    try:
        return SourceFile(name, file.read_bytes()).text
    except OSError as exc:
        raise HealerError(f"{name} cannot be read: {exc.strerror or exc}") from exc
