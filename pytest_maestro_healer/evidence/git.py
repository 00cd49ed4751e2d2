"""What git knows: committed bytes, hunks, renames, authorship. Everything degrades to "not available" without a repository."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
#: The share of common lines from which git, too, calls it a rename.
_ALIKE = 0.5
#: More files than these are no rename by hand.
_MOST_GONE, _MOST_NEW = 50, 500
#: Changes of single lines are looked for in so many commits.
_DEEP = 1000
_RENAMED = re.compile(r"R\d+$")
_HOOK_VARIABLES = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX"})
#: Whatever the user configured, the diff has this form.
_PLAIN_DIFF = (
    "--relative",
    "-M",
    "-U0",
    "--inter-hunk-context=0",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--submodule=short",
)


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

    def _run(self, *args: str, given: bytes = b"") -> bytes | None:
        # inside a git hook GIT_DIR and others are relative to another folder than ours
        inherited = {k: v for k, v in os.environ.items() if k not in _HOOK_VARIABLES or os.path.isabs(v)}
        env = {**inherited, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
        try:
            done = subprocess.run(
                ["git", "--literal-pathspecs", "-c", "core.quotepath=off", "-c", "core.fsmonitor=false", *args],
                cwd=self.root,
                env=env,
                input=given,  # nothing: it must not read what is meant for the tests
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
        return self._text("rev-parse", "--is-inside-work-tree").strip() == "true" and bool(self.head)

    @cached_property
    def head(self) -> str:
        """The full id of HEAD, ``""`` without one."""
        return self._text("rev-parse", "-q", "--verify", "HEAD").strip()

    @cached_property
    def _prefix(self) -> str:
        return self._text("rev-parse", "--show-prefix").rstrip("\n")

    def bytes_at(self, path: str, rev: str = "HEAD") -> bytes | None:
        """The file's bytes at ``rev``, or ``None``."""
        if not self.available or os.path.isabs(path):
            return None
        return self._run("cat-file", "blob", f"{rev}:{self._prefix}{path}")

    def changed_files(self, rev: str = "HEAD") -> Sequence[str]:
        """Files that differ between ``rev`` and the working tree."""
        if not self.available:
            return ()
        return [p for p in self._text("diff", "--name-only", "--relative", "-z", rev, "--").split("\0") if p]

    @lru_cache(maxsize=16)  # noqa: B019
    def beside(self, rev: str) -> Sequence[str]:
        """The repository's files outside ``root`` that differ between ``rev`` and the working tree, relative to the repository."""
        if not self.available or not self._prefix:
            return ()
        text = self._text("diff", "--name-only", "--no-relative", "-z", rev)
        return [p for p in text.split("\0") if p and not p.startswith(self._prefix)]

    @lru_cache(maxsize=256)  # noqa: B019
    def saying_beside(self, word: str) -> Sequence[str]:
        """The repository's files outside ``root`` that say ``word``, relative to the repository."""
        if not self.available or not self._prefix:
            return ()
        top = "../" * self._prefix.count("/")
        found = self._text("grep", "-lwz", "-F", "--full-name", "-e", word, "--", top).split("\0")
        return [p for p in found if p and not p.startswith(self._prefix)]

    def read_beside(self, path: str) -> bytes:
        """The bytes of a file by its path in the repository; empty where it cannot be read."""
        return self._read("../" * self._prefix.count("/") + path)

    @lru_cache(maxsize=1)  # noqa: B019
    def ignored(self) -> Sequence[str]:
        """Files that git is told to ignore, and folders (with a slash at their ends) of which it ignores everything."""
        text = self._text("ls-files", "-o", "-i", "--exclude-standard", "--directory", "-z") if self.available else ""
        return [p for p in text.split("\0") if p]

    @lru_cache(maxsize=256)  # noqa: B019
    def files_of(self, commit: str) -> Sequence[str]:
        """The files that a commit changed, added, renamed or deleted; nothing for the very first one."""
        text = self._text("diff", "--name-only", "--relative", "-z", f"{commit}~1", commit, "--") if self.available else ""
        return [p for p in text.split("\0") if p]

    def former(self, rev: str, limit: int = 2000) -> Mapping[str, bytes | None] | None:
        """The tracked files that differ from ``rev``, with their bytes there (``None``: there was no such file); ``None`` for more than ``limit``."""
        text = self._run("diff", "--name-only", "--no-renames", "--relative", "-z", "--ignore-submodules=all", rev, "--")
        paths = [p for p in (text or b"").decode("utf-8", "surrogateescape").split("\0") if p]
        if text is None or len(paths) > limit or any("\n" in p for p in paths):
            return None
        asked = "".join(f"{rev}:{self._prefix}{p}\n" for p in paths).encode("utf-8", "surrogateescape")
        return _batch(self._run("cat-file", "--batch", given=asked) or b"", paths)

    def is_dirty(self, path: str) -> bool:
        """Whether ``path`` has uncommitted changes or is not tracked."""
        return bool(self._text("status", "--porcelain", "-z", "--untracked-files=normal", "--ignored", "--", path))

    def status(self) -> tuple[str, Sequence[str]] | None:
        """(HEAD, tracked files that differ from it) by one git process; ``None`` without a repository or commit.

        Paths are relative to ``root``; those outside of it begin with ``../``.
        """
        text = self._text("status", "--porcelain=v2", "--branch", "-z", "--untracked-files=no", "--no-renames")
        head = ""
        changed = []
        for word in text.split("\0"):
            if word.startswith("# branch.oid "):
                head = word[13:]
            elif word[:2] in ("1 ", "u "):
                changed.append(word.split(" ", 8 if word[0] == "1" else 10)[-1])
        if not head or head.startswith("("):
            return None
        if changed and self._prefix:
            changed = [os.path.relpath(p, self._prefix).replace(os.sep, "/") for p in changed]
        return head, changed

    @lru_cache(maxsize=256)  # noqa: B019
    def is_ancestor(self, commit: str) -> bool:
        """Whether ``commit`` is HEAD or one that HEAD was made from; false where it is unknown (a shallow clone, another repository)."""
        return commit == self.head or self._run("merge-base", "--is-ancestor", commit, "HEAD") is not None

    def first_commit_since(self, path: str, timestamp: float) -> str:
        """The oldest commit that touches ``path`` and was made at or after ``timestamp`` (seconds since the epoch), ``""`` without one."""
        out = self._text("log", "--no-show-signature", f"--since=@{int(timestamp)}", "--format=%H", "--", path)
        return out.split()[-1] if out.split() else ""

    def unmerged(self, path: str) -> bool:
        """Whether a merge of ``path`` is not resolved yet."""
        return self.available and bool(self._text("ls-files", "-u", "--", path))

    @lru_cache(maxsize=256)  # noqa: B019 - one Git object lives as long as the run
    def hunks(self, base: str = "HEAD", target: str = "", paths: tuple[str, ...] = ()) -> tuple[Hunk, ...]:
        """The hunks from ``base`` to ``target`` (the working tree if empty), renames followed."""
        if not self.available:
            return ()
        revs = [base, target] if target else [base]
        text = self._text("diff", *_PLAIN_DIFF, *revs, "--", *paths)
        return tuple(parse_diff(text, target))

    def commits(self, *paths: str, limit: int = 20) -> Sequence[tuple[str, str]]:
        """The newest commits (id, subject), of any of ``paths`` if given, newest first."""
        if not self.available:
            return ()
        out = self._text("log", f"-{limit}", "--no-show-signature", "--format=%H%x09%s", "--", *(paths or (".",)))
        return [(a, b) for a, _, b in (line.partition("\t") for line in out.splitlines())]

    @lru_cache(maxsize=1)  # noqa: B019
    def _shallow(self) -> bool:
        return self._text("rev-parse", "--is-shallow-repository").strip() == "true"

    @property
    def shallow(self) -> bool:
        """Whether the history is cut off: what its first commits hold was not written there."""
        return self.available and self._shallow()

    @lru_cache(maxsize=256)  # noqa: B019
    def has_parent(self, commit: str) -> bool:
        """Whether something came before ``commit``."""
        return bool(self._text("rev-parse", "-q", "--verify", f"{commit}~1^{{commit}}").strip())

    @lru_cache(maxsize=64)  # noqa: B019
    def message(self, commit: str) -> str:
        """What a commit says, subject and body."""
        return self._text("show", "-s", "--no-show-signature", "--format=%B", commit)

    @lru_cache(maxsize=1)  # noqa: B019
    def renames(self, limit: int = 50) -> dict[str, str]:
        """Old path -> new path, from the working tree (new files that nobody added yet included) and the newest ``limit`` commits; newest wins."""
        if not self.available:
            return {}
        options = ("--relative", "-M", "--diff-filter=R", "--name-status", "-z")
        text = self._text("diff", *options, "HEAD", "--") + self._text("log", f"-{limit}", "--no-show-signature", *options, "--format=", "--")
        out = self._moved_by_hand()
        words = [w.lstrip("\n") for w in text.split("\0")]
        for i, word in enumerate(words[:-2]):
            if _RENAMED.match(word):
                out.setdefault(words[i + 1], words[i + 2])
        return out

    def _moved_by_hand(self) -> dict[str, str]:
        """Deleted files and the untracked ones that took most of their lines along, as git itself pairs them once they are added."""
        gone = [p for p in self._text("diff", "--relative", "--no-renames", "--diff-filter=D", "--name-only", "-z", "HEAD", "--").split("\0") if p]
        came = self.untracked() if gone else ()
        lines = {p: Counter(self._read(p).splitlines()) for p in came if len(came) < _MOST_NEW}
        pairs = []
        for old in gone[:_MOST_GONE]:
            before = Counter((self.bytes_at(old) or b"").splitlines())
            for new, after in lines.items():
                most = max(before.total(), after.total())
                if most and Path(old).suffix == Path(new).suffix and (share := (before & after).total() / most) >= _ALIKE:
                    pairs.append((share, old, new))
        out: dict[str, str] = {}
        for _, old, new in sorted(pairs, reverse=True):
            if old not in out and new not in out.values():
                out[old] = new
        return out

    def _read(self, path: str) -> bytes:
        try:
            return (self.root / path).read_bytes()
        except OSError:
            return b""

    def last_change(self, path: str, line: int) -> str:
        """Short id of the commit that last touched a line, ``""`` if uncommitted or unknown."""
        text = self._text("blame", "--porcelain", "-L", f"{line},{line}", "--", path)
        word = text.partition(" ")[0]
        return "" if not word or set(word) == {"0"} else word[:7]

    @lru_cache(maxsize=64)  # noqa: B019
    def changed_lines(self, ranges: tuple[tuple[str, int, int], ...], limit: int) -> Sequence[str]:
        """The newest ``limit`` commits that changed any of these committed lines (path, first, last), or took some out between; newest first.

        The lines are followed back through the newest :data:`_DEEP` commits only.
        """
        if not self.available:
            return ()
        end = self._text("log", "-1", f"--skip={_DEEP}", "--no-show-signature", "--format=%H").split()
        where = (f"-L{first},{last}:{path}" for path, first, last in ranges)
        out = self._text("log", f"-{limit}", "-s", "--no-show-signature", "--format=%H", *where, "HEAD", *(f"^{c}" for c in end))
        return out.split()

    @lru_cache(maxsize=64)  # noqa: B019
    def touching(self, pattern: str, *paths: str) -> Sequence[str] | None:
        """The commits that added or took away a line of ``paths`` (of anything where none is given) that matches an extended regular expression.

        Newest first; those of branches of which a merge kept nothing count too. ``None`` where it cannot be told: no repository, a history
        that is cut off, or one too long to be looked through.
        """
        if not self.available or self._shallow():
            return None
        out = self._run("log", "--no-show-signature", "--full-history", "--format=%H", f"-G{pattern}", "--", *(paths or (".",)))
        return None if out is None else out.decode("ascii", "replace").split()

    @lru_cache(maxsize=64)  # noqa: B019
    def ever_in(self, word: str) -> frozenset[str] | None:
        """The files of the whole history, those that are gone too, that have or had a word. ``None`` as with :meth:`touching`."""
        if not self.available or self._shallow():
            return None
        pattern = rf"-G(^|[^A-Za-z0-9_]){re.escape(word)}([^A-Za-z0-9_]|$)"
        out = self._run("log", "--no-show-signature", "--full-history", "--relative", "--format=", "--name-only", "-z", pattern)
        return None if out is None else frozenset(out.decode("utf-8", "surrogateescape").split("\0")) - {""}

    @lru_cache(maxsize=64)  # noqa: B019
    def since(self, rev: str) -> frozenset[str]:
        """The newest commits that HEAD was made from and ``rev`` was not."""
        return frozenset(self._text("rev-list", f"--max-count={_DEEP}", f"{rev}..HEAD").split()) if self.available else frozenset()

    def _blamed(self, path: str, first: int, last: int) -> str:
        """Git's porcelain about who wrote some lines, ``""`` where one of them is not committed."""
        text = self._text("blame", "--porcelain", "-L", f"{first},{last}", "--", path) if self.available else ""
        return "" if re.search(r"^0{40,} ", text, re.M) else text

    @lru_cache(maxsize=1)  # noqa: B019
    def tracked(self) -> Sequence[str]:
        """The files that git knows."""
        return [p for p in self._text("ls-files", "-z").split("\0") if p] if self.available else []

    @lru_cache(maxsize=1)  # noqa: B019
    def untracked(self) -> Sequence[str]:
        """Files that nobody added yet, without the ignored ones; not those that came up after this was first asked."""
        return [p for p in self._text("ls-files", "--others", "--exclude-standard", "-z").split("\0") if p] if self.available else []

    def written_at(self, path: str, first: int, last: int) -> float:
        """When the newest of the lines ``first`` to ``last`` was written, in seconds since the epoch; 0 if that is not committed or not known."""
        return max((float(t) for t in re.findall(r"^author-time (\d+)$", self._blamed(path, first, last), re.M)), default=0.0)


def _batch(answer: bytes, paths: Sequence[str]) -> Mapping[str, bytes | None] | None:
    """What ``git cat-file --batch`` answered for each of ``paths``; ``None`` where it broke off."""
    out: dict[str, bytes | None] = {}
    at = 0
    for path in paths:
        end = answer.find(b"\n", at)
        if end < 0:
            return None
        words = answer[at:end].rsplit(b" ", 2)
        at = end + 1
        if words[-1] == b"missing":
            out[path] = None
            continue
        size = int(words[-1])
        out[path] = answer[at : at + size] if words[-2] == b"blob" else None
        at += size + 1
    return out


def parse_diff(text: str, commit: str = "") -> list[Hunk]:
    """The hunks of a ``git diff`` text; context, where there is some, separates hunks.

    How many lines belong to a hunk is what its header says, so that changed lines may look like headers themselves.
    """
    out: list[Hunk] = []
    old = new = ""
    lines = text.split("\n")
    i = 0
    while i < len(lines):
        line = lines[i]
        i += 1
        if line.startswith("diff --git "):
            old = new = ""
        elif line.startswith("--- "):
            old = _path(line[4:])
        elif line.startswith("+++ "):
            new = _path(line[4:])
        elif m := _HUNK.match(line):
            where = (int(m[1]), 1 if m[2] is None else int(m[2]), int(m[3]), 1 if m[4] is None else int(m[4]))
            i, found = _hunk(lines, i, where)
            out += [Hunk(new or old, old, a, b, tuple(gone), tuple(come), commit) for a, b, gone, come in found]
    return out


def _hunk(lines: Sequence[str], i: int, where: tuple[int, int, int, int]) -> tuple[int, list[tuple[int, int, list[str], list[str]]]]:
    """Read one hunk's lines from ``i``; returns where it ends, and its changes (old line, new line, removed, added)."""
    old_at, old_left, new_at, new_left = where
    found: list[tuple[int, int, list[str], list[str]]] = []
    open_ = False
    while i < len(lines) and (old_left > 0 or new_left > 0 or lines[i].startswith("\\")):
        kind, body = lines[i][:1], lines[i][1:]
        i += 1
        if kind == "\\":
            continue
        if kind not in ("-", "+"):
            open_ = False
        elif not open_:
            found.append((old_at, new_at, [], []))
            open_ = True
        if kind != "+":
            old_at, old_left = old_at + 1, old_left - 1
        if kind != "-":
            new_at, new_left = new_at + 1, new_left - 1
        if kind == "-":
            found[-1][2].append(body)
        elif kind == "+":
            found[-1][3].append(body)
    return i, found


def _path(text: str) -> str:
    """A path of a ``---`` or ``+++`` line: quoted like a C string, or plain and followed by a tab where it has spaces."""
    path = _unquoted(text) if text.startswith('"') else text.partition("\t")[0]
    return "" if path == "/dev/null" else path[2:]


_ESCAPES = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}
_ESCAPED = re.compile(rb'\\([0-7]{3}|.)|([^\\"]+)', re.S)


def _unquoted(text: str) -> str:
    data, at = text.encode("utf-8", "surrogateescape"), 1
    out = bytearray()
    while m := _ESCAPED.match(data, at):  # ends at the closing quote
        at = m.end()
        if m[2] is not None:
            out += m[2]
        elif len(m[1]) == 3:
            out.append(int(m[1], 8))
        else:
            out.append(_ESCAPES.get(m[1].decode("latin-1"), m[1][0]))
    return out.decode("utf-8", "surrogateescape")
