"""Which files the project has, which of them are test code, and their bytes."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path

_SKIP_DIRS = {
    ".git", ".hg", ".svn", ".tox", ".nox", ".venv", "venv", "env", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache",
    ".pytest_cache", ".hypothesis", ".eggs", "build", "dist", "site-packages", ".maestro",
}  # fmt: skip
_TEST_DIRS = {"tests", "test", "testing", "testsuite", "t", "spec", "specs"}
_TEST_MODULE = re.compile(r"(test_.*|.*_test|tests?)\.py$")
#: Of these only what holds no module itself: a package may be called so.
_MAYBE = {"env", "build", "dist"}


def real(path: str) -> str:
    """:func:`os.path.realpath` of an absolute ``path``, for many files of few folders: each folder is resolved once in a process."""
    folder, name = os.path.split(path)
    if os.name == "nt" or name in ("", ".", ".."):
        return os.path.realpath(path)
    out = os.path.join(_real_folder(folder), name)
    return os.path.realpath(out) if Path(out).is_symlink() else out


@lru_cache(maxsize=4096)
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder)


def skipped(folder: str, name: str) -> bool:
    """Whether the folder ``name`` in ``folder`` holds nothing of the project's own: caches, builds, virtual environments."""
    if name in _MAYBE and any(Path(folder, name).glob("*.py")):
        return os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
    return name in _SKIP_DIRS or name.endswith(".egg-info") or os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))


class ProjectFiles:
    """The Python files under ``root``.

    ``python_files``, ``testpaths`` and ``collected`` come from the running pytest where there is one: what pytest collected from is a test
    module whatever its name. ``root`` is resolved; paths are root-relative POSIX strings. ``overlay`` has the bytes of files that are to be
    taken as other than they are on the disk.
    """

    def __init__(
        self,
        root: Path,
        *,
        python_files: Sequence[str] = ("test_*.py", "*_test.py"),
        testpaths: Sequence[str] = (),
        collected_files: Sequence[str] = (),
        limit: int = 20_000,
    ) -> None:
        self.root = root
        self.python_files = tuple(python_files)
        self.testpaths = tuple(p.strip("/") for p in testpaths if p not in (".", ""))
        self.collected_files = set(collected_files)
        self.overlay: dict[str, bytes] = {}
        self._limit = limit

    def read(self, path: str) -> bytes | None:
        """The bytes in the overlay or on disk, or ``None`` when they cannot be read."""
        if path in self.overlay:
            return self.overlay[path]
        try:
            return (self.root / path).read_bytes()
        except OSError:
            return None

    def relative(self, path: str | os.PathLike[str]) -> str:
        """Root-relative POSIX path where ``path`` lies inside the root, else the absolute path."""
        p = Path(path)
        if not p.is_absolute():
            p = self.root / p
        try:
            return p.relative_to(self.root).as_posix()
        except ValueError:
            try:
                return Path(real(str(p))).relative_to(self._real_root).as_posix()
            except (ValueError, OSError):
                return p.as_posix()

    @cached_property
    def _real_root(self) -> str:
        return os.path.realpath(self.root)

    @cached_property
    def python(self) -> Sequence[str]:
        """All Python files of the project, sorted; virtual environments, caches and build folders are left out."""
        out: list[str] = []
        for folder, dirs, names in os.walk(self.root):
            dirs[:] = sorted(d for d in dirs if not skipped(folder, d))
            out += [self.relative(os.path.join(folder, n)) for n in names if n.endswith(".py")]
            if len(out) > self._limit:
                break
        return sorted(out)

    @cached_property
    def test_files(self) -> Sequence[str]:
        """The project's test code: test modules, conftest files and helpers in test folders."""
        return [p for p in self.python if self.is_test_code(p)]

    @cached_property
    def product_files(self) -> Sequence[str]:
        """The project's Python files that are not test code."""
        return [p for p in self.python if not self.is_test_code(p)]

    def is_test_module(self, path: str) -> bool:
        """Whether pytest collects tests from ``path``."""
        name = path.rpartition("/")[2]
        return path in self.collected_files or any(fnmatch.fnmatch(name, g) or fnmatch.fnmatch(path, g) for g in self.python_files)

    def is_test_code(self, path: str) -> bool:
        """Whether ``path`` is test code: inside the root and a test module, a conftest, or a helper in a test folder."""
        if os.path.isabs(path) or path.startswith("../"):
            return False
        parts = path.split("/")
        if any(p in _SKIP_DIRS for p in parts[:-1]):
            return False
        if self.is_test_module(path) or parts[-1] == "conftest.py" or _TEST_MODULE.match(parts[-1]):
            return True
        if any(path.startswith(t + "/") for t in self.testpaths):
            return True
        return any(p in _TEST_DIRS for p in parts[:-1])
