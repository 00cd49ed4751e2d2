"""Puts the demo's project on the disk: three layers of templates, one over the other, as two commits and a working tree."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

#: Package data end in this, so that no tool takes the broken files for code or tests of ours.
SUFFIX = ".tmpl"

#: (layer, commit message or "" for the working tree, files that are gone).
LAYERS = (
    ("green", "Corner shop 1.4.0", ()),
    ("refactored", "Rename shop.prices to shop.pricing; empty shelves say back soon", ("shop/prices.py",)),
    ("worktree", "", ()),
)


def templates(layer: str) -> Iterator[tuple[str, bytes]]:
    """(path in the project, bytes) of one layer's files."""

    def walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
        for entry in sorted(folder.iterdir(), key=lambda e: e.name):
            if entry.is_dir():
                yield from walk(entry, f"{prefix}{entry.name}/")
            elif entry.name.endswith(SUFFIX):
                yield prefix + entry.name.removesuffix(SUFFIX), entry.read_bytes()

    yield from walk(resources.files("pytest_maestro_healer.demo") / "project" / layer, "")


def build(folder: Path, environ: Mapping[str, str]) -> bool:
    """Write the broken project into the empty ``folder``; returns whether it is a git repository.

    Where git is missing or refuses, the project is the same without its history. Raises :class:`OSError` when a file cannot be
    written.
    """
    env = git_environment(environ)
    git = shutil.which("git", path=environ.get("PATH")) or ""
    versioned = bool(git) and _git(git, folder, env, "init", "-q") and _git(git, folder, env, "symbolic-ref", "HEAD", "refs/heads/main")
    for layer, message, gone in LAYERS:
        for name, data in templates(layer):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        for name in gone:
            (folder / name).unlink()
        if message and versioned:
            versioned = _git(git, folder, env, "add", "-A") and _git(git, folder, env, "commit", "-q", "-m", message)
    if git and not versioned:
        with contextlib.suppress(OSError):
            shutil.rmtree(folder / ".git")
    return versioned


def git_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` in which git knows only the folder it stands in, and no settings of the user's or the machine's.

    Git hooks set GIT_DIR and GIT_INDEX_FILE: kept, the demo would commit into the repository of whoever started it.
    """
    env = {k: v for k, v in environ.items() if not k.startswith("GIT_")}
    who = {f"GIT_{role}_{field}": value for role in ("AUTHOR", "COMMITTER") for field, value in (("NAME", "Demo"), ("EMAIL", "demo@example.invalid"))}
    return {**env, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def _git(git: str, folder: Path, env: dict[str, str], *args: str) -> bool:
    command = [git, "-c", "core.autocrlf=false", *args]
    try:
        return subprocess.run(command, cwd=folder, env=env, capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False
