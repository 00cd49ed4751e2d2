"""The project's root as pytest would find it, without importing pytest."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_maestro_healer.apply.paths import project_cache_dir
from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.errors import ConfigError

#: In pytest's order; a name with ``True`` is configuration whatever is in it.
_FILES = (
    ("pytest.toml", True),
    (".pytest.toml", True),
    ("pytest.ini", True),
    (".pytest.ini", True),
    ("pyproject.toml", False),
    ("tox.ini", False),
    ("setup.cfg", False),
)
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$")


def find_root(start: Path) -> tuple[Path, str]:
    """(root, ``heal_cache_dir``) for a command started in ``start``.

    pytest's rootdir (https://docs.pytest.org/en/stable/reference/customize.html): the nearest folder upwards with a configuration file, else
    with a ``pyproject.toml``, else with a ``setup.py``, else ``start``. Where that has no healing state, the nearest folder upwards that has,
    since pytest may have been started there. Raises :class:`~pytest_maestro_healer.errors.ConfigError` for a file that pytest could not read.
    """
    start = Path(os.path.abspath(start))  # noqa: PTH100 - as pytest, keeping symlinks
    root, cache_dir = rootdir(start)
    if os.path.isdir(project_cache_dir(root, cache_dir)):  # noqa: PTH112 - also for a name that no system takes
        return root, cache_dir
    for folder in (start, *start.parents):
        for where in dict.fromkeys((cache_dir, "")):
            if os.path.isdir(project_cache_dir(folder, where)):  # noqa: PTH112
                return folder, where
    return root, cache_dir


def rootdir(start: Path) -> tuple[Path, str]:
    """(pytest's rootdir, ``heal_cache_dir`` as configured there or ``""``) for the absolute folder ``start``."""
    root, section = _configured(start)
    return root, str(section.get("heal_cache_dir", "")).strip()


def configuration(root: Path, cache_dir: str) -> HealerConfig:
    """What of the project's configuration concerns its stored state."""
    section = _configured(root)[1]
    learning, cache = (is_true(section.get(key, True)) for key in ("heal_learning", "heal_enable_cache"))
    return HealerConfig(cache_dir=cache_dir, learning=learning, enable_cache=cache)


def loaded_names(root: Path, arguments: Sequence[str] = ()) -> list[str]:
    """The dotted names of modules that pytest loads for every test at ``root``, as far as its configuration and ``arguments`` tell.

    Plugins given with ``-p``, the project's own pytest plugins, and what stands by itself in a key (Django's settings module). A configuration
    that cannot be read has none.
    """
    try:
        section = _configured(root)[1]
        project = _table(_toml(root / "pyproject.toml").get("project")) if (root / "pyproject.toml").is_file() else None
    except ConfigError:
        return _plugins(arguments)
    points = _table((_table((project or {}).get("entry-points")) or {}).get("pytest11")) or {}
    addopts = section.get("addopts", "")
    given = [str(a) for a in addopts] if isinstance(addopts, list) else str(addopts).split()
    alone = [v.strip() for v in section.values() if isinstance(v, str) and _DOTTED.match(v.strip()) and not v.strip().endswith(".py")]
    return [*_plugins([*given, *arguments]), *(str(v).partition(":")[0].strip() for v in points.values()), *alone]


def _plugins(arguments: Sequence[str]) -> list[str]:
    given = [after for word, after in zip(arguments, [*arguments[1:], ""]) if word == "-p"]
    given += [a[2:] for a in arguments if a.startswith("-p") and not a.startswith("--") and len(a) > 2]
    return [n for n in given if n and not n.startswith("no:")]


def is_true(value: object) -> bool:
    """As pytest reads a bool; what it would not accept is no reason to record anything."""
    return value is True or str(value).strip().lower() in ("1", "true", "yes", "y", "on", "t")


def pytest_section(root: Path) -> Mapping[str, Any]:
    """What pytest's configuration file at ``root`` says, keys with their values as they stand there.

    Raises :class:`~pytest_maestro_healer.errors.ConfigError` for a file that pytest could not read.
    """
    return _configured(root)[1]


def _configured(start: Path) -> tuple[Path, Mapping[str, Any]]:
    pyproject: Path | None = None
    for folder in (start, *start.parents):
        for name, always in _FILES:
            path = folder / name
            if not path.is_file():
                continue
            if name == "pyproject.toml":
                pyproject = pyproject or path
            section = _section(path)
            if section is not None or always:
                return folder, section or {}
    if pyproject is not None:
        return pyproject.parent, {}
    return next((f for f in (start, *start.parents) if (f / "setup.py").is_file()), start), {}


def _section(path: Path) -> Mapping[str, Any] | None:
    """pytest's section of a configuration file, ``None`` without one."""
    if path.suffix == ".toml":
        data = _toml(path)
        if path.name != "pyproject.toml":
            return _table(data.get("pytest"))
        tool = _table((_table(data.get("tool")) or {}).get("pytest"))
        if not tool:
            return None
        return {k: v for k, v in tool.items() if k != "ini_options"} or _table(tool.get("ini_options"))
    import iniconfig

    try:
        ini = iniconfig.IniConfig(str(path))
    except (iniconfig.ParseError, OSError, ValueError) as exc:
        raise ConfigError(f"{path}: {exc}") from exc
    name = "tool:pytest" if path.suffix == ".cfg" else "pytest"
    return dict(ini[name].items()) if name in ini.sections else None


def _table(value: object) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def _toml(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as exc:
        raise ConfigError(f"{path}: {exc}") from exc
