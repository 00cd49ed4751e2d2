"""What a repair service is told once."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_maestro_healer.errors import ConfigError


@dataclass(frozen=True)
class RepairConfig:
    """The settings of :class:`~pytest_maestro_healer.adapters.RepairService`.

    ``project_path``: the project; nothing outside of it is read or written.
    ``auto_fix``: write heals that are safe, proved and over ``confidence_threshold`` without asking; all others stay pending.
    ``require_approval``: write nothing that was not approved; every proved heal is asked for, safe or not.
    ``auto_commit``: commit each written heal on a branch of its own, ``maestro-heal/<healing id>``.
    ``create_pr``: hand each commit to the pull request hook; needs ``auto_commit``.
    ``max_concurrent_repairs``: how many repairs work at one time; those that wait for approval do not count.
    ``monitor_intervals``: monitor's name -> seconds between two looks (``tests`` runs the project's tests).

    Raises :class:`~pytest_maestro_healer.errors.ConfigError` for values that cannot be.
    """

    project_path: str | os.PathLike[str] = "."
    auto_fix: bool = False
    require_approval: bool = True
    confidence_threshold: float = 0.75
    auto_commit: bool = False
    create_pr: bool = False
    max_concurrent_repairs: int = 2
    monitor_intervals: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.project.is_dir():
            raise ConfigError(f"project_path: {os.fspath(self.project_path)} is not a folder")
        for name in ("auto_fix", "require_approval", "auto_commit", "create_pr"):
            if not isinstance(getattr(self, name), bool):
                raise ConfigError(f"{name}: {getattr(self, name)!r} is neither true nor false")
        if not _number(self.confidence_threshold) or not 0.0 <= self.confidence_threshold <= 1.0:
            raise ConfigError(f"confidence_threshold: {self.confidence_threshold!r} is not between 0 and 1")
        if isinstance(self.max_concurrent_repairs, bool) or not isinstance(self.max_concurrent_repairs, int) or self.max_concurrent_repairs < 1:
            raise ConfigError(f"max_concurrent_repairs: {self.max_concurrent_repairs!r} is not a number of at least 1")
        if self.create_pr and not self.auto_commit:
            raise ConfigError("create_pr: a pull request needs a commit; set auto_commit, too")
        for name, seconds in self.monitor_intervals.items():
            if not _number(seconds) or not 0 < seconds < math.inf:
                raise ConfigError(f"monitor_intervals: {name}: {seconds!r} is not a positive number of seconds")

    @property
    def project(self) -> Path:
        """The project's absolute path."""
        return Path(os.path.abspath(self.project_path))  # noqa: PTH100 - as pytest, keeping symlinks


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
