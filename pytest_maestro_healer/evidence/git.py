"""What git knows: committed bytes, hunks, renames, authorship. Everything degrades to "not available" without a repository."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", re.M)


@dataclass(frozen=True)
class Hunk:
    """One hunk of a diff without context: ``removed`` stood at ``old_line``, ``added`` stands at ``new_line`` (1-based)."""

    path: str
    old_path: str
    old_line: int
    new_line: int
    removed: tuple[str, ...]
    added: tuple[str, ...]
    commit: str = ""


class Git:
    """Read-only facts about the repository around ``root``; paths are relative to ``root``.

    A git that is missing, slow (10 s) or failing makes ``available`` false or an answer empty, never an exception.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def _run(self, *args: str) -> bytes | None:
        env = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
        try:
            done = subprocess.run(
                ["git", "-c", "core.quotepath=off", *args],
                cwd=self.root,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=10,
                check=False,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout if done.returncode == 0 else None

    def _text(self, *args: str) -> str:
        return (self._run(*args) or b"").decode("utf-8", "surrogateescape")

    @cached_property
    def available(self) -> bool:
        """Whether ``root`` lies in a work tree with at least one commit."""
        return self._run("rev-parse", "--is-inside-work-tree") is not None and bool(self.head)

    @cached_property
    def head(self) -> str:
        """The full id of HEAD, ``""`` without one."""
        return self._text("rev-parse", "-q", "--verify", "HEAD").strip()

    @cached_property
    def _prefix(self) -> str:
        return self._text("rev-parse", "--show-prefix").strip()

    def bytes_at(self, path: str, rev: str = "HEAD") -> bytes | None:
        """The file's bytes at ``rev``, or ``None``."""
        if not self.available or os.path.isabs(path):
            return None
        return self._run("show", f"{rev}:{self._prefix}{path}")

    def changed_files(self, rev: str = "HEAD") -> Sequence[str]:
        """Files that differ between ``rev`` and the working tree."""
        if not self.available:
            return ()
        return [p for p in self._text("diff", "--name-only", "--relative", "-z", rev, "--").split("\0") if p]

    def is_dirty(self, path: str) -> bool:
        """Whether ``path`` has uncommitted changes or is not tracked."""
        return bool(self._text("status", "--porcelain", "-z", "--", path))

    def unmerged(self, path: str) -> bool:
        """Whether a merge of ``path`` is not resolved yet."""
        return self.available and bool(self._text("ls-files", "-u", "--", path))

    @lru_cache(maxsize=64)  # noqa: B019 - one Git object lives as long as the run
    def hunks(self, base: str = "HEAD", target: str = "", paths: tuple[str, ...] = ()) -> tuple[Hunk, ...]:
        """The hunks from ``base`` to ``target`` (the working tree if empty), renames followed."""
        if not self.available:
            return ()
        revs = [base, target] if target else [base]
        text = self._text("diff", "--relative", "-M", "-U0", "--no-color", "--no-ext-diff", *revs, "--", *paths)
        return tuple(parse_diff(text, target))

    def commits(self, path: str = "", limit: int = 20) -> Sequence[tuple[str, str]]:
        """The newest commits (id, subject), of ``path`` if given, newest first."""
        if not self.available:
            return ()
        out = self._text("log", f"-{limit}", "--format=%H%x09%s", "--", *([path] if path else ["."]))
        return [(a, b) for a, _, b in (line.partition("\t") for line in out.splitlines())]

    @lru_cache(maxsize=1)  # noqa: B019
    def renames(self, limit: int = 50) -> dict[str, str]:
        """Old path -> new path, from the working tree and the newest ``limit`` commits; newest wins."""
        if not self.available:
            return {}
        out: dict[str, str] = {}
        texts = [
            self._text("diff", "--relative", "-M", "--diff-filter=R", "--name-status", "HEAD", "--"),
            self._text("log", f"-{limit}", "--relative", "-M", "--diff-filter=R", "--name-status", "--format=", "--"),
        ]
        for line in "\n".join(texts).splitlines():
            parts = line.split("\t")
            if len(parts) == 3 and parts[0].startswith("R"):
                out.setdefault(parts[1], parts[2])
        return out

    def last_change(self, path: str, line: int) -> str:
        """Short id of the commit that last touched a line, ``""`` if uncommitted or unknown."""
        text = self._text("blame", "-s", "-L", f"{line},{line}", "--abbrev=7", "--", path)
        word = text.split(" ", 1)[0].lstrip("^")
        return "" if not word or set(word) == {"0"} else word[:8]


def parse_diff(text: str, commit: str = "") -> list[Hunk]:
    """The hunks of a ``git diff -U0`` text."""
    out: list[Hunk] = []
    old = new = ""
    lines = text.split("\n")
    i = 0
    while i < len(lines):
        line = lines[i]
        if line.startswith("--- "):
            old = line[6:] if line.startswith("--- a/") else ""
        elif line.startswith("+++ "):
            new = line[6:] if line.startswith("+++ b/") else ""
        elif m := _HUNK.match(line):
            removed, added = [], []
            i += 1
            while i < len(lines) and lines[i][:1] in ("-", "+", "\\") and not lines[i].startswith(("--- a/", "+++ b/")):
                if lines[i][0] == "-":
                    removed.append(lines[i][1:])
                elif lines[i][0] == "+":
                    added.append(lines[i][1:])
                i += 1
            out.append(Hunk(new or old, old, int(m[1]), int(m[3]), tuple(removed), tuple(added), commit))
            continue
        i += 1
    return out
