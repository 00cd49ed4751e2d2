"""What the project's files looked like last, so that a change of nothing is none; and what a half-written file looks like."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_maestro_healer.evidence.files import skipped
from pytest_maestro_healer.evidence.symbols import parse
from pytest_maestro_healer.watch.affected import is_code

#: What editors and this package itself leave beside a file for a moment, and what Python makes.
_PASSING = ("*~", ".#*", "#*#", "*.sw?", "4913", "*.tmp", "*.part", "*___jb_*", "*.pyc", "*.pyo", ".DS_Store", ".coverage", ".coverage.*")
_HASHED = 8 << 20


@dataclass(frozen=True)
class Stamp:
    """A file as it was: ``sha`` is empty for a large or unread one, ``ended`` whether it was not empty and its last line was complete."""

    size: int
    mtime_ns: int
    sha: str = ""
    ended: bool = False


class Snapshot:
    """The files below ``root``, without those in the ``left_out`` folders (absolute, resolved)."""

    def __init__(self, root: Path, left_out: Collection[Path] = ()) -> None:
        self.root = root
        self._left_out = {str(p) for p in left_out}
        self._folders: dict[str, bool] = {"": True}
        self._known: dict[str, Stamp] = {}

    def leave_out(self, folder: Path) -> None:
        """One more folder that is not looked at."""
        if str(folder) not in self._left_out:
            self._left_out.add(str(folder))
            self._folders = {"": True}

    def scan(self) -> int:
        """Look at everything; returns how many files there are. Only code is read."""
        stamps = {path: self._stamp(path, read=is_code(path)) for path in self._walk(self.root)}
        self._known = {path: stamp for path, stamp in stamps.items() if stamp is not None}
        return len(self._known)

    def _walk(self, top: Path) -> Iterator[str]:
        """The root-relative path of each file that may matter."""
        for folder, dirs, names in os.walk(top):
            here = Path(folder).relative_to(self.root).as_posix()
            here = "" if here == "." else f"{here}/"
            dirs[:] = [d for d in dirs if self._wanted_folder(here + d)]
            yield from (here + n for n in names if _wanted_name(n))

    def relevant(self, absolute: str) -> str:
        """The root-relative path of a file that may matter, ``""`` for any other."""
        try:
            path = Path(absolute).relative_to(self.root).as_posix()
        except ValueError:
            return ""
        folder, _, name = path.rpartition("/")
        if path == "." or not _wanted_name(name) or not self._wanted_folder(folder):
            return ""
        if name == "pyvenv.cfg":
            self.leave_out(Path(absolute).parent)
            return ""
        return "" if Path(absolute).is_dir() else path

    def within(self, absolute: str) -> set[str]:
        """The files that may matter below a folder that came or went: nobody tells of each of them."""
        try:
            folder = Path(absolute).relative_to(self.root).as_posix()
        except ValueError:
            return set()
        if Path(absolute).is_dir():
            return set(self._walk(Path(absolute))) if self._wanted_folder(folder) else set()
        return {p for p in self._known if p.startswith(folder + "/")} if folder not in self._known else set()

    def _wanted_folder(self, folder: str) -> bool:
        if folder not in self._folders:
            above, _, name = folder.rpartition("/")
            real = os.path.join(self.root, folder)
            own = not name.startswith(".") and real not in self._left_out and not skipped(os.path.dirname(real), name)
            self._folders[folder] = own and self._wanted_folder(above)
        return self._folders[folder]

    def take(self, paths: Collection[str]) -> set[str]:
        """Look at ``paths`` again and remember them; returns those whose content is another one."""
        changed = set()
        for path in paths:
            old, new = self._known.get(path), self._stamp(path)
            if new is None:
                self._known.pop(path, None)
            else:
                self._known[path] = new
            if not _same(old, new):
                changed.add(path)
        return changed

    def differs(self, path: str) -> bool:
        """Whether the content of ``path`` is another one than remembered."""
        return not _same(self._known.get(path), self._stamp(path))

    def sha(self, path: str) -> str:
        """The hash of a file as it is now, ``""`` without one."""
        stamp = self._stamp(path)
        return stamp.sha if stamp is not None else ""

    def written(self, path: str) -> float:
        """When the file was written last, in seconds since the epoch; 0 without one."""
        try:
            return (self.root / path).stat().st_mtime
        except OSError:
            return 0.0

    def signature(self, path: str) -> object:
        """What is another one when the file was written."""
        try:
            found = (self.root / path).stat()
        except OSError:
            return None
        return found.st_size, found.st_mtime_ns, found.st_ino

    def unfinished(self, path: str) -> str:
        """What makes the file ``path`` look half written, ``""`` if nothing does: a deleted one, or data, is finished."""
        if not is_code(path):
            return ""
        try:
            data = (self.root / path).read_bytes()
        except OSError:
            return ""
        old = self._known.get(path)
        if not data:
            return "is empty" if old is not None and old.size else ""
        if (path.endswith(".py") and parse(data) is None) or (path.endswith(".toml") and not _is_toml(data)):
            return "does not parse"
        return "ends within a line" if old is not None and old.ended and not data.endswith((b"\n", b"\r")) else ""

    def _stamp(self, path: str, read: bool = True) -> Stamp | None:
        try:
            found = (self.root / path).stat()
            if not read or found.st_size > _HASHED:
                return Stamp(found.st_size, found.st_mtime_ns)
            data = (self.root / path).read_bytes()
        except OSError:
            return None
        return Stamp(len(data), found.st_mtime_ns, hashlib.sha256(data).hexdigest(), data.endswith((b"\n", b"\r")))


def _same(old: Stamp | None, new: Stamp | None) -> bool:
    if old is None or new is None:
        return old is new
    if old.sha and new.sha:
        return old.sha == new.sha
    return (old.size, old.mtime_ns) == (new.size, new.mtime_ns)


def _is_toml(data: bytes) -> bool:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        tomllib.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return False
    return True


def _wanted_name(name: str) -> bool:
    return not any(fnmatch.fnmatchcase(name, g) for g in _PASSING)
