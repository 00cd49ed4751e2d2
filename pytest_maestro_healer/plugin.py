"""The pytest11 entry point: options and registration, thin. Without ``--heal`` nothing else of this package is imported."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

_NUMBERS = hasattr(pytest, "version_tuple") and pytest.version_tuple >= (8, 4)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare options and ini keys."""
    group = parser.getgroup("maestro-healer", "healing failed tests (pytest-maestro-healer)")
    add = group.addoption
    add("--heal", action="store_true", default=False, help="Diagnose failed tests, propose proved edits of the test code (default: off)")
    add("--heal-review", action="store_true", default=False, help="Heal and then ask about each proposal (implies --heal; default: off)")
    add(
        "--heal-apply",
        default=None,
        metavar="{none,safe,all}",
        help="What to write: nothing, safe proved heals, every proved heal (implies --heal; default: heal_auto_apply, else none)",
    )
    add("--heal-isolate", action="store_true", default=False, help="Prove in a fresh process from the start (default: off)")
    add("--heal-threshold", default=None, metavar="N", help="Confidence from which a safe heal may be applied, 0..1 (default: 0.75)")
    add(
        "--heal-strategies",
        action="append",
        default=None,
        metavar="NAMES",
        help="Comma-separated strategies to use, or with a leading ! to leave out (default: all)",
    )
    add(
        "--heal-flaky",
        default=None,
        metavar="N",
        help="Look for flaky tests among those that pass, by N more runs in changed order (implies --heal; default: 0)",
    )
    add("--heal-json", default=None, metavar="PATH", help="Write the healing report as JSON to PATH (default: none)")
    add("--heal-html", default=None, metavar="PATH", help="Write the healing report as one HTML page to PATH (default: none)")
    add("--heal-sarif", default=None, metavar="PATH", help="Write the healing report as SARIF 2.1.0 to PATH (default: none)")

    ini = parser.addini
    ini("heal", "Heal without the --heal flag (default: false)", type="bool", default=False)
    ini("heal_auto_apply", "Apply safe proved heals, as --heal-apply=safe (default: false)", type="bool", default=False)
    ini(
        "heal_confidence_threshold", "Confidence from which a safe heal may be applied (default: 0.75)", type=_number("float"), default=_default(0.75)
    )
    ini("heal_max_attempts", "Candidates proved per failure and step (default: 3)", type=_number("int"), default=_default(3))
    ini("heal_timeout", "Seconds for one proof run (default: 30)", type=_number("float"), default=_default(30.0))
    ini("heal_budget", "Seconds for the whole healing phase (default: 600)", type=_number("float"), default=_default(600.0))
    ini("heal_validate_before_apply", "Prove heals; off turns applying off (default: true)", type="bool", default=True)
    ini("heal_fresh_confirm", "Confirm heals in a fresh process; off turns applying off (default: true)", type="bool", default=True)
    ini("heal_learning", "Record outcomes and learn from them (default: true)", type="bool", default=True)
    ini("heal_enable_cache", "Keep caches between runs (default: true)", type="bool", default=True)
    ini("heal_exit_zero", "Exit 0 when every failure was healed and applied (default: false)", type="bool", default=False)
    ini("heal_apply_in_ci", "Let heals be applied in CI too (default: false)", type="bool", default=False)
    ini("heal_strategies", "Strategies to use, or with a leading ! to leave out (default: all)", type="args", default=[])
    ini("heal_paths", "Globs of test files that may be healed (default: all)", type="args", default=[])
    ini("heal_exclude", "Globs of test files that must not be healed (default: none)", type="args", default=[])
    ini("heal_cache_dir", "Folder for pending heals, journal and history (default: the user's cache folder)", default="")


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare our hooks, also when healing is off: a conftest may implement them."""
    from pytest_maestro_healer import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


def _number(kind: str) -> Any:
    """``int`` and ``float`` ini types came with pytest 8.4; before, numbers are strings."""
    return kind if _NUMBERS else "string"


def _default(value: float) -> Any:
    return value if _NUMBERS else str(value)


def _asked(config: pytest.Config) -> bool:
    # while initial conftests load, config.option holds defaults only
    places = (config.option, config.known_args_namespace)
    flags = any(getattr(option, name, None) for option in places for name in ("heal", "heal_review", "heal_apply", "heal_flaky"))
    try:
        return flags or bool(config.getini("heal"))
    except (ValueError, TypeError, pytest.UsageError):  # say which key it was
        from pytest_maestro_healer.session.options import switched_on

        return switched_on(config)


def _active(config: pytest.Config) -> bool:
    # a proof process of our own never heals
    return _asked(config) and not config.pluginmanager.hasplugin("maestro-healer-child")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, Any, Any]:
    """Heal a broken initial conftest, where healing is asked for."""
    try:
        return (yield)
    except Exception as exc:
        if not _active(early_config):
            raise
        from pytest_maestro_healer.session.initial import heal_initial_conftest

        if not heal_initial_conftest(early_config, exc):
            raise
        return None


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the healing session, only when asked for."""
    config.addinivalue_line("markers", "no_heal(reason): never propose a heal for this test, class or module.")
    if not _active(config):
        return
    from pytest_maestro_healer.session.start import register

    register(config)
