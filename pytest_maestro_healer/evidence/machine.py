"""The machine that the tests ran on, read only: its files, its user, its clock zone, its interpreter."""

from __future__ import annotations

import locale
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path


class Machine:
    """Facts about the process that runs the tests; nothing is written and no name is looked up on the network."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def cwd(self) -> str:
        """The working directory, ``""`` where it is gone."""
        try:
            return str(Path.cwd())
        except OSError:
            return ""

    @cached_property
    def home(self) -> str:
        """The user's home folder."""
        return str(Path("~").expanduser())

    @cached_property
    def temp(self) -> str:
        """The folder for temporary files."""
        return tempfile.gettempdir()

    def exists(self, path: str) -> bool:
        """Whether there is something at ``path`` (relative ones are taken from the working directory)."""
        return os.path.lexists(path)

    def is_folder(self, path: str) -> bool:
        """Whether ``path`` is a directory."""
        return Path(path).is_dir()

    def writable(self, path: str) -> bool:
        """Whether ``path``, or the nearest folder above it that exists, can be written by this user."""
        here = Path.cwd() / path
        while not os.path.lexists(here) and here.parent != here:
            here = here.parent
        return os.access(here, os.W_OK)

    def entries(self, path: str) -> Sequence[str]:
        """The names in a folder, sorted; empty where it cannot be read."""
        try:
            return sorted(p.name for p in Path(path).iterdir())
        except OSError:
            return ()

    def decodes(self, path: str, encoding: str = "utf-8") -> bool:
        """Whether a file's first mebibyte is valid in ``encoding`` (false for what cannot be read)."""
        try:
            with open(path, "rb") as f:
                f.read(1 << 20).decode(encoding)
        except UnicodeDecodeError as exc:
            return exc.reason == "unexpected end of data" and exc.end >= 1 << 20
        except (OSError, LookupError):
            return False
        return True

    @property
    def is_root(self) -> bool:
        """Whether the tests run as the super-user, whom permission bits do not bind."""
        return hasattr(os, "geteuid") and os.geteuid() == 0

    @property
    def time_zone(self) -> str:
        """The local zone: what ``TZ`` says, else its abbreviations and offset."""
        return os.environ.get("TZ") or f"{'/'.join(dict.fromkeys(time.tzname))} (UTC{-time.timezone / 3600:+g})"

    @property
    def encoding(self) -> str:
        """The encoding that ``open`` takes when it is given none."""
        return locale.getpreferredencoding(False).lower()

    @property
    def cpus(self) -> int:
        """How many processors there are (1 where that is unknown)."""
        return os.cpu_count() or 1

    @property
    def platform(self) -> str:
        """``sys.platform``."""
        return sys.platform

    @property
    def python(self) -> tuple[int, int]:
        """The interpreter's version."""
        return sys.version_info[:2]
