"""Puts the project of an :class:`~pytest_maestro_healer.strategies.base.Example` on the disk: older commits, HEAD, working tree."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

from packaging.requirements import Requirement

from pytest_maestro_healer.strategies.base import Example

#: Nothing of the user's own git may show.
GIT_ENV = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Author",
    "GIT_AUTHOR_EMAIL": "author@example.org",
    "GIT_COMMITTER_NAME": "Author",
    "GIT_COMMITTER_EMAIL": "author@example.org",
}


def data_of(content: str | bytes) -> bytes:
    """The bytes of one file of an example: as they are, but a text block that begins with a newline is dedented."""
    if isinstance(content, bytes):
        return content
    if content.startswith("\n"):
        content = textwrap.dedent(content[1:])
    return content.encode()


def as_bytes(files: Mapping[str, str | bytes]) -> dict[str, bytes]:
    """All files of an example as bytes."""
    return {path: data_of(content) for path, content in files.items()}


def snapshot(root: Path) -> dict[str, bytes]:
    """Every file of a project with its bytes; git's own and caches left out."""
    out = {}
    for folder, dirs, names in os.walk(root):
        dirs[:] = [d for d in dirs if d not in (".git", "__pycache__", ".pytest_cache")]
        for name in names:
            path = Path(folder, name)
            out[path.relative_to(root).as_posix()] = path.read_bytes()
    return out


def write_tree(root: Path, files: Mapping[str, bytes]) -> None:
    """Make the folder hold exactly ``files``."""
    for path in snapshot(root):
        if path not in files:
            (root / path).unlink()
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)


def commit(root: Path, message: str, dated: str = "") -> None:
    """Commit everything, now or as of the date ``dated``."""
    dates = {"GIT_AUTHOR_DATE": dated, "GIT_COMMITTER_DATE": dated} if dated else {}
    _git(root, "add", "-A")
    _git(root, "commit", "-q", "--allow-empty", "-m", message, **dates)


def _git(root: Path, *args: str, **more: str) -> None:
    subprocess.run(["git", *args], cwd=root, env={**os.environ, **GIT_ENV, **more}, check=True, capture_output=True, timeout=60)


def build(root: Path, example: Example) -> None:
    """Write the project; with ``head`` or ``commits`` into a git repository, each a whole tree."""
    root.mkdir(parents=True, exist_ok=True)
    if example.head or example.commits:
        _git(root, "init", "-q", "--template=", "-b", "main")
        for message, files in example.commits:
            write_tree(root, as_bytes(files))
            commit(root, message, example.dated)
        if example.head:
            write_tree(root, as_bytes(example.head))
            commit(root, example.message, example.dated)
    write_tree(root, as_bytes(example.files))


def _has(need: str) -> bool:
    """Whether a module is importable or a distribution installed in a version that fits."""
    if need.replace(".", "").isidentifier():
        return importlib.util.find_spec(need) is not None
    wanted = Requirement(need)
    try:
        return wanted.specifier.contains(importlib.metadata.version(wanted.name), prereleases=True)
    except importlib.metadata.PackageNotFoundError:
        return False


def cannot_run(example: Example) -> str:
    """Why an example cannot run here, ``""`` where it can."""
    if not example.min_python <= sys.version_info[:2] <= example.max_python:
        return f"for Python {example.min_python} to {example.max_python}"
    missing = [name for name in example.needs if not _has(name)]
    if missing:
        return f"needs {', '.join(missing)}"
    present = [name for name in example.lacks if importlib.util.find_spec(name) is not None]
    if present:
        return f"cannot run with {', '.join(present)}"
    if (example.head or example.commits) and shutil.which("git") is None:
        return "needs git"
    return ""
