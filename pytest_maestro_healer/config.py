"""One configuration for every door: defaults here, filled from ini, options, a dict or pyproject by the doors."""

from __future__ import annotations

import dataclasses
import difflib
import fnmatch
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_maestro_healer.errors import ConfigError
from pytest_maestro_healer.model import HealingStrategy

APPLY_MODES = ("none", "safe", "all")

#: The names of the Python API (as promised in the README) -> field.
API_NAMES = {
    "confidence_threshold": "confidence_threshold",
    "auto_apply": "apply",
    "learning_enabled": "learning",
    "max_attempts": "max_attempts",
    "healing_timeout": "timeout",
    "validate_before_apply": "validate_before_apply",
    "enable_cache": "enable_cache",
    "cache_dir": "cache_dir",
    "strategies": "strategies",
}


@dataclass(frozen=True)
class HealerConfig:
    """Every knob with its default.

    ``apply`` is ``none``, ``safe`` or ``all``; ``confidence_threshold`` 0..1; ``max_attempts`` candidates tried per failure and step;
    ``timeout`` seconds for one proof run; ``budget`` seconds for the whole healing phase; ``strategies`` chosen names (empty: all) and
    ``exclude_strategies``; ``paths``/``exclude`` globs against root-relative POSIX paths of test files; ``cache_dir`` overrides the
    user cache folder; ``flaky_runs`` is how many more runs in changed order look for flaky tests among those that pass.
    """

    review: bool = False
    apply: str = "none"
    confidence_threshold: float = 0.75
    max_attempts: int = 3
    timeout: float = 30.0
    budget: float = 600.0
    validate_before_apply: bool = True
    learning: bool = True
    enable_cache: bool = True
    exit_zero: bool = False
    isolate: bool = False
    strategies: tuple[str, ...] = ()
    exclude_strategies: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    json_path: str = ""
    html_path: str = ""
    sarif_path: str = ""
    cache_dir: str = ""
    fresh_confirm: bool = True
    apply_in_ci: bool = False
    flaky_runs: int = 0

    def __post_init__(self) -> None:
        if self.apply not in APPLY_MODES:
            raise ConfigError(f"apply: {self.apply!r} is none of {', '.join(APPLY_MODES)}")
        if not 0.0 <= self.confidence_threshold <= 1.0:
            raise ConfigError(f"confidence_threshold: {self.confidence_threshold!r} is not between 0 and 1")
        if self.max_attempts < 1:
            raise ConfigError(f"max_attempts: {self.max_attempts!r} is less than 1")
        if not self.timeout > 0:
            raise ConfigError(f"timeout: {self.timeout!r} is not a positive number of seconds")

    @property
    def effective_apply(self) -> str:
        """``apply``, or ``none`` where proving was switched off: an unproved edit is never written."""
        return self.apply if self.validate_before_apply and self.fresh_confirm else "none"

    def out_of_scope(self, path: str) -> str:
        """Why the file ``path`` (root-relative) may not be healed, by ``paths`` and ``exclude``; ``""`` where it may."""
        if self.paths and not any(_matches(path, g) for g in self.paths):
            return "not in heal_paths"
        return "in heal_exclude" if any(_matches(path, g) for g in self.exclude) else ""

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any] | None) -> HealerConfig:
        """From the Python API's dict.

        Raises :class:`~pytest_maestro_healer.errors.ConfigError` for an unknown key (naming the nearest known one) or a wrong value.
        """
        kwargs: dict[str, Any] = {}
        for key, value in (data or {}).items():
            if key not in API_NAMES:
                near = difflib.get_close_matches(key, API_NAMES, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else f"; known keys: {', '.join(API_NAMES)}"
                raise ConfigError(f"unknown configuration key {key!r}{hint}")
            kwargs[API_NAMES[key]] = _checked(key, value)
        return cls(**kwargs)

    def replace(self, **changes: Any) -> HealerConfig:
        """A copy with ``changes``."""
        return dataclasses.replace(self, **changes)


def _matches(path: str, glob: str) -> bool:
    glob = glob.removeprefix("./")
    return fnmatch.fnmatch(path, glob) or fnmatch.fnmatch(path, glob.rstrip("/") + "/*")


def _checked(key: str, value: Any) -> Any:
    field = API_NAMES[key]
    if key == "auto_apply":
        if isinstance(value, str) and value in APPLY_MODES:
            return value
        if not isinstance(value, bool):
            raise ConfigError(f"auto_apply: {value!r} is neither true nor false")
        return "safe" if value else "none"
    if field in ("learning", "validate_before_apply", "enable_cache"):
        if not isinstance(value, bool):
            raise ConfigError(f"{key}: {value!r} is neither true nor false")
        return value
    if field == "strategies":
        if not isinstance(value, (str, list, tuple, set, frozenset)):
            raise ConfigError(f"{key}: {value!r} is not a list of names")
        return check_strategies(key, value)
    if field == "cache_dir":
        return str(value)
    try:
        if isinstance(value, bool):
            raise TypeError
        return int(value) if field == "max_attempts" else float(value)
    except (TypeError, ValueError, OverflowError):
        raise ConfigError(f"{key}: {value!r} is not a number") from None


def check_strategies(key: str, names: Any, known: tuple[str, ...] = ()) -> tuple[str, ...]:
    """``names`` as a tuple of known strategy names, or a :class:`ConfigError` that names the nearest."""
    allowed = (*(str(s) for s in HealingStrategy), *known)
    out = []
    for n in [names] if isinstance(names, str) else list(names):
        name = str(n)
        if name not in allowed:
            near = difflib.get_close_matches(name, allowed, n=1)
            raise ConfigError(f"{key}: unknown strategy {name!r}" + (f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(allowed)}"))
        out.append(name)
    return tuple(out)


def in_ci() -> bool:
    """Whether this runs in continuous integration, decided as pytest decides it."""
    return bool(os.environ.get("CI") or os.environ.get("BUILD_NUMBER"))
