"""Whatever a configuration file or the API's mapping says: it is understood, or one of our errors says what is wrong."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pytest_maestro_healer.commands.root import configuration, find_root, loaded_names, pytest_section
from pytest_maestro_healer.config import API_NAMES, HealerConfig
from pytest_maestro_healer.errors import ConfigError, HealerError
from pytest_maestro_healer.session.ini import raw

NAMES = ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", "pytest.toml")
KEYS = ("heal_cache_dir", "heal_learning", "heal_apply", "addopts", "heal_confidence_threshold")
VALUES = st.one_of(st.text(max_size=40), st.sampled_from(["true", '"', "[1, 2", "a" * 400, "\x00", "${HOME}", "~nobody/x", "'''", "../" * 50]))
LINES = st.builds(lambda k, sign, v: f"{k}{sign}{v}", st.sampled_from(KEYS), st.sampled_from([" = ", "=", ": ", " "]), VALUES)
HEADS = st.sampled_from(["[pytest]", "[tool:pytest]", "[tool.pytest.ini_options]", "[tool.pytest]", "[pytest", "[project.entry-points.pytest11]", ""])
FILES = st.one_of(st.binary(max_size=200), st.builds(lambda head, lines: "\n".join([head, *lines]).encode(), HEADS, st.lists(LINES, max_size=4)))


@given(name=st.sampled_from(NAMES), data=FILES)
@example("pytest.ini", b"[pytest]\nheal_cache_dir = " + b"a" * 400)
@example("pytest.ini", b"[pytest]\nheal_cache_dir = \x00")
@example("pytest.toml", b"[pytest]\nheal_cache_dir = " + b"[" * 5000)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_configuration_file(tmp_path: Path, name: str, data: bytes) -> None:
    folder = tmp_path / "project"
    folder.mkdir(exist_ok=True)
    for other in NAMES:
        (folder / other).unlink(missing_ok=True)
    (folder / name).write_bytes(data)
    with contextlib.suppress(HealerError):
        root, cache_dir = find_root(folder)
        assert root.is_absolute()
        assert configuration(root, cache_dir).cache_dir == cache_dir
        pytest_section(root)
    assert all(isinstance(n, str) for n in loaded_names(folder))

    class Config:
        inipath = folder / name

        @staticmethod
        def getoption(key: str, default: object) -> object:
            return default

    raw(Config, "heal_apply")  # type: ignore[arg-type]


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)), lambda s: st.lists(s, max_size=3), max_leaves=4
)


@given(st.dictionaries(st.one_of(st.sampled_from(sorted(API_NAMES)), st.text(max_size=12)), JSON, max_size=4))
@example({"max_attempts": float("inf")})
@example({"healing_timeout": 10**400})
@example({"confidence_threshold": float("nan")})
@example({"strategies": 5})
@settings(max_examples=200, deadline=None)
def test_any_mapping(data: dict[str, object]) -> None:
    try:
        made = HealerConfig.from_mapping(data)
    except ConfigError:
        return
    assert 0 <= made.confidence_threshold <= 1
    assert made.timeout > 0
    assert made.max_attempts >= 1


@pytest.mark.parametrize("value", ["a" * 400, "\x00"])
def test_a_cache_folder_that_cannot_be_one_is_no_crash(tmp_path: Path, value: str) -> None:
    (tmp_path / "pytest.ini").write_text(f"[pytest]\nheal_cache_dir = {value}\n")
    with contextlib.suppress(HealerError):
        assert find_root(tmp_path)[0] == tmp_path
