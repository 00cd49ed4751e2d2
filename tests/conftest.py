"""Fixtures of the tests that run pytest itself."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.shops import SHOP, TEST, commit, git
from tests.integration.toys import Suite
from tests.strategies.example_project import GIT_ENV

pytest_plugins = ["pytester"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job; what the tests start must hear a Ctrl-C all the same
    signal.signal(signal.SIGINT, signal.default_int_handler)


#: Tests compare whole folders, byte by byte: what runs within this process must not leave bytecode there, whatever the environment says.
sys.dont_write_bytecode = True


@pytest.fixture(autouse=True)
def outside_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests behave alike on a build server and on a desk; those about build servers set what they need."""
    for name in ("CI", "BUILD_NUMBER", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def suite(pytester: pytest.Pytester, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """An empty project with the toy strategy, outside CI, with a healing cache of its own."""
    outside: Path = tmp_path_factory.mktemp("outside")
    for name in ("PYTEST_ADDOPTS", "PYTEST_XDIST_AUTO_NUM_WORKERS", "FORCE_COLOR", "PY_COLORS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(outside / "cache"))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.syspath_prepend(str(pytester.path))
    return Suite(pytester, outside)


@pytest.fixture
def shop(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> Iterator[Suite]:
    """A shop whose ``total`` was tested at HEAD and is named ``grand_total`` in the working tree; temporary folders are to be gone at the end."""
    for key, value in GIT_ENV.items():
        monkeypatch.setenv(key, value)
    temporary = suite.outside / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    suite.write({"shop.py": SHOP, "test_shop.py": TEST, ".gitignore": "__pycache__/\n"})
    git(suite.path, "init", "-q", "--template=", "-b", "main")
    commit(suite, "A shop")
    suite.write({"shop.py": SHOP.replace("def total", "def grand_total")})
    yield suite
    assert list(temporary.glob("maestro-heal-*")) == []
