"""From pytest's options and ini values to the one configuration; every wrong value is a usage error that names key and value."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from pytest_maestro_healer.config import APPLY_MODES, HealerConfig, check_strategies
from pytest_maestro_healer.errors import ConfigError
from pytest_maestro_healer.session import ini

T = TypeVar("T")


def build(config: pytest.Config) -> HealerConfig:
    """The configuration of this run; options win over ini values.

    Raises :class:`pytest.UsageError`.
    """
    try:
        return _build(config)
    except ConfigError as exc:
        raise pytest.UsageError(f"maestro-healer: {exc}") from None


def build_early(config: pytest.Config) -> HealerConfig:
    """The same before pytest is configured, when a broken initial conftest is healed."""
    try:
        return _build(config, config.known_args_namespace)
    except ConfigError as exc:
        raise pytest.UsageError(f"maestro-healer: {exc}") from None


def switched_on(config: pytest.Config) -> bool:
    """The ini key ``heal``. Raises :class:`pytest.UsageError`."""
    try:
        return _ini(config, "heal", bool)
    except ConfigError as exc:
        raise pytest.UsageError(f"maestro-healer: {exc}") from None


def _build(config: pytest.Config, option: Any = None) -> HealerConfig:
    option = option if option is not None else config.option
    apply = option.heal_apply
    if apply is None:
        apply = "safe" if _ini(config, "heal_auto_apply", bool) else "none"
    elif apply not in APPLY_MODES:
        raise ConfigError(f"--heal-apply: {apply!r} is none of {', '.join(APPLY_MODES)}")
    given = option.heal_strategies
    names = _split(given) if given else _split(_ini(config, "heal_strategies", list))
    where = "--heal-strategies" if given else "heal_strategies"
    include, exclude = _chosen(where, names, _own_names(config) if names else ())
    if option.heal_threshold is not None:
        threshold = _convert("--heal-threshold", option.heal_threshold, float)
    else:
        threshold = _ini(config, "heal_confidence_threshold", float)
    _between("--heal-threshold" if option.heal_threshold is not None else "heal_confidence_threshold", threshold, 0.0, 1.0)
    attempts = _ini(config, "heal_max_attempts", int)
    _between("heal_max_attempts", attempts, 1, 1000)
    timeout = _ini(config, "heal_timeout", float)
    budget = _ini(config, "heal_budget", float)
    for key, seconds in (("heal_timeout", timeout), ("heal_budget", budget)):
        if not 0 < seconds < math.inf:
            raise ConfigError(f"{key}: {seconds!r} is not a positive number of seconds")
    runs = _convert("--heal-flaky", option.heal_flaky, int) if option.heal_flaky is not None else 0
    _between("--heal-flaky", runs, 0, 10_000)
    return HealerConfig(
        flaky_runs=runs,
        review=bool(option.heal_review),
        apply=apply,
        confidence_threshold=threshold,
        max_attempts=attempts,
        timeout=timeout,
        budget=budget,
        validate_before_apply=_ini(config, "heal_validate_before_apply", bool),
        learning=_ini(config, "heal_learning", bool),
        enable_cache=_ini(config, "heal_enable_cache", bool),
        exit_zero=_ini(config, "heal_exit_zero", bool),
        isolate=bool(option.heal_isolate),
        strategies=include,
        exclude_strategies=exclude,
        paths=tuple(_ini(config, "heal_paths", list)),
        exclude=tuple(_ini(config, "heal_exclude", list)),
        json_path=option.heal_json or "",
        html_path=_html_path(option.heal_html),
        sarif_path=option.heal_sarif or "",
        cache_dir=_cache_dir(config),
        fresh_confirm=_ini(config, "heal_fresh_confirm", bool),
        apply_in_ci=_ini(config, "heal_apply_in_ci", bool),
    )


def _html_path(given: str | None) -> str:
    """Said at the start: a run that healed for minutes must not end without its page."""
    if given:
        from pytest_maestro_healer.report.html import check_available

        check_available("--heal-html")
    return given or ""


def _ini(config: pytest.Config, key: str, kind: Callable[[Any], T]) -> T:
    try:
        return _convert(key, config.getini(key), kind)
    except (ValueError, TypeError, pytest.UsageError) as exc:  # which of them depends on pytest's version
        given = ini.raw(config, key)
        raise ConfigError(f"{key}: {given!r} is not {_NAMES.get(kind, 'a usable value')}" if given is not None else f"{key}: {exc}") from None


_NAMES: dict[Any, str] = {float: "a number", int: "a whole number", bool: "true or false", list: "a list of names"}


def _convert(key: str, value: Any, kind: Callable[[Any], T]) -> T:
    try:
        return kind(value)
    except (TypeError, ValueError):
        raise ConfigError(f"{key}: {value!r} is not {_NAMES.get(kind, 'a usable value')}") from None


def _between(key: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ConfigError(f"{key}: {value!r} is not between {low:g} and {high:g}")


def _split(values: Iterable[str]) -> list[str]:
    return [n.strip() for v in values for n in str(v).replace(" ", ",").split(",") if n.strip()]


def _chosen(key: str, names: list[str], own: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    out = [n.lstrip("!-").removeprefix("no:") for n in names if n.startswith(("!", "-", "no:"))]
    use = [n for n in names if not n.startswith(("!", "-", "no:"))]
    return check_strategies(key, use, own), check_strategies(key, out, own)


def _own_names(config: pytest.Config) -> tuple[str, ...]:
    """The strategies that conftests and plugins bring along may be chosen by name too."""
    from pytest_maestro_healer.session.own import registered
    from pytest_maestro_healer.session.proposing import PROPOSER

    return (*(s.name for s in registered(config)[0]), PROPOSER)


def _cache_dir(config: pytest.Config) -> str:
    value = str(config.getini("heal_cache_dir") or "")
    if not value:
        return ""
    return str(config.rootpath / Path(os.path.expandvars(value)).expanduser())
