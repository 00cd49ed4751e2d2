"""What a configuration file says before pytest converts it, for messages about values that cannot be converted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest


def raw(config: pytest.Config, key: str) -> object:
    """The value of the ini key ``key`` as it was given last, on the command line or in the file; ``None`` where it was not given."""
    overrides = [v for k, _, v in (o.partition("=") for o in config.getoption("override_ini", None) or []) if k == key]
    if overrides:
        return overrides[-1]
    try:
        return _section(config.inipath).get(key) if config.inipath is not None else None
    except Exception:  # pytest has read the file already; here a message would only become a little poorer
        return None


def _section(path: Path) -> dict[str, Any]:
    """Pytest's own table of a file (docs: "Configuration file formats")."""
    if path.suffix == ".toml":
        if sys.version_info >= (3, 11):
            import tomllib
        else:
            import tomli as tomllib  # pytest's own dependency there
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        found = data.get("pytest", {}) if path.name.endswith("pytest.toml") else data.get("tool", {}).get("pytest", {})
        return dict(found.get("ini_options", found))
    import iniconfig

    sections = iniconfig.IniConfig(str(path))
    for name in ("tool:pytest", "pytest") if path.name.endswith(".cfg") else ("pytest", "tool:pytest"):
        if name in sections:
            return dict(sections[name].items())
    return {}
