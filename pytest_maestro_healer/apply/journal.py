"""What makes a heal undoable: before any file is written, the journal knows what will be, and keeps the bytes of both sides.

One :class:`Transaction` is one JSON file; bytes are kept by their hash in ``blobs``. A transaction is ``begun`` (its files may be old or new),
``done`` (all new) or ``undone`` (all old, but for files that somebody else changed meanwhile). Undoing an applied heal is a transaction
of its own, so a crash in it is repaired in the same way.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pytest_maestro_healer.apply.write import (
    check_writable,
    is_temp_name,
    read_current,
    resolve,
    sha256,
    temp_name,
    write_file,
    write_state,
)
from pytest_maestro_healer.errors import ApplyError, BundleError, HealerError, StaleError
from pytest_maestro_healer.model import FileChange, Record

SCHEMA = 1
KEEP = 200
_NAME = re.compile(r"(\d{6,})-[\w-]{1,60}\.json$")
_SHA = re.compile(r"[0-9a-f]{64}$")
Note = Callable[[str], None]
Link = tuple[str, str, str]


class NewerSchemaError(BundleError):
    """Written by a newer version: to be left alone, not to be set aside."""


@dataclass(frozen=True)
class TransactionFile(Record):
    """One file of a transaction; ``temp`` names the temporary file that a crash may have left."""

    path: str
    before_sha256: str
    after_sha256: str
    temp: str


@dataclass(frozen=True)
class Transaction(Record):
    """One heal applied, or (``kind`` rollback) the applied heal number ``of`` undone.

    ``batch`` is shared by the heals that one command wrote, ``result`` the heal's record without file bytes.
    """

    seq: int
    kind: Literal["apply", "rollback"]
    state: Literal["begun", "done", "undone"]
    healing_id: str
    files: tuple[TransactionFile, ...]
    at: float = 0.0
    of: int = -1
    batch: str = ""
    note: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    schema: int = SCHEMA

    @property
    def file_name(self) -> str:
        """Its file in the journal folder."""
        return f"{self.seq:06d}-{re.sub(r'[^A-Za-z0-9_-]', '_', self.healing_id)[:40]}.json"


class Journal:
    """The journal of the project at ``root`` in ``folder``. All methods that write want the project's lock to be held.

    ``note`` is called with one line for everything a user must be told.
    """

    def __init__(self, root: Path, folder: Path, note: Note) -> None:
        self.root = root
        self.folder = folder / "journal"
        self.blobs = folder / "blobs"
        self.note = note

    # -- reading -------------------------------------------------------------------------------------------
    def load(self) -> list[Transaction]:
        """All readable transactions, oldest first; damaged ones are set aside (renamed) and said."""
        found = [self._load(path) for path in self._paths()]
        return sorted((t for t in found if t is not None), key=lambda t: t.seq)

    def _paths(self) -> list[Path]:
        try:
            return sorted(p for p in self.folder.iterdir() if _NAME.match(p.name))
        except OSError:
            return []

    def _load(self, path: Path) -> Transaction | None:
        try:
            return parse_transaction(path.read_bytes())
        except NewerSchemaError as exc:
            self.note(f"journal entry {path} is skipped: {exc}")
        except BundleError as exc:
            self.note(f"journal entry {path}: {exc}; {set_aside(path)}")
        except OSError as exc:
            self.note(f"journal entry {path} cannot be read: {exc.strerror or exc}")
        return None

    def applied(self) -> list[Transaction]:
        """The heals that are applied and not rolled back, oldest first."""
        entries = self.load()
        undone = {t.of for t in entries if t.kind == "rollback" and t.state == "done"}
        return [t for t in entries if t.kind == "apply" and t.state == "done" and t.seq not in undone]

    def blob(self, sha: str) -> bytes:
        """The kept bytes. Raises :class:`~pytest_maestro_healer.errors.BundleError` when they are missing or damaged."""
        if not _SHA.match(sha):
            raise BundleError(f"{sha!r} is no sha256")
        try:
            data = (self.blobs / f"{sha}.blob").read_bytes()
        except OSError as exc:
            raise BundleError(f"the backup {self.blobs / sha}.blob cannot be read: {exc.strerror or exc}") from exc
        if sha256(data) != sha:
            raise BundleError(f"the backup {self.blobs / sha}.blob is damaged")
        return data

    def links(self) -> list[Link]:
        """The steps that files ever took by heals and rollbacks."""
        return [(f.path, f.before_sha256, f.after_sha256) for t in self.load() for f in t.files]

    # -- writing -------------------------------------------------------------------------------------------
    def run(
        self,
        kind: Literal["apply", "rollback"],
        healing_id: str,
        changes: Sequence[FileChange],
        *,
        of: int = -1,
        batch: str = "",
        result: Mapping[str, Any] | None = None,
    ) -> Transaction:
        """Write all of ``changes`` or none.

        Raises :class:`~pytest_maestro_healer.errors.StaleError` when a file has other bytes than expected, and
        :class:`~pytest_maestro_healer.errors.ApplyError` when the journal or a file cannot be written; then no file has changed, unless the
        message says so.
        """
        for c in changes:
            if sha256(read_current(self.root, c.path)) != c.before_sha256:
                raise StaleError(f"{c.path} changed since the heal was made")
            check_writable(self.root, c.path)
        tx = self._begin(Transaction(0, kind, "begun", healing_id, (), time.time(), of, batch, "", result or {}), changes)
        try:
            for c, f in zip(changes, tx.files, strict=True):
                write_file(self.root, c.path, c.after_bytes, c.before_sha256, f.temp)
        except BaseException as exc:
            self._undo(tx, changes, exc)
            raise
        try:
            tx = self._save(replace(tx, state="done"))
        except ApplyError as exc:
            self.note(f"{exc}; all files of {healing_id} are written, the next run completes the journal")
        self._prune()
        return tx

    def _undo(self, tx: Transaction, changes: Sequence[FileChange], cause: BaseException) -> None:
        at = ""
        try:
            for c, f in zip(changes, tx.files, strict=True):
                at = c.path
                with contextlib.suppress(StaleError):
                    if sha256(read_current(self.root, c.path)) == f.after_sha256 != f.before_sha256:
                        write_file(self.root, c.path, c.before_bytes, f.after_sha256, f.temp)
        except HealerError as exc:
            raise ApplyError(f"{cause}; {at} is written already and could not be put back ({exc}); the next run tries again") from cause
        with contextlib.suppress(ApplyError):
            self._save(replace(tx, state="undone", note=str(cause)[:300]))

    def _begin(self, tx: Transaction, changes: Sequence[FileChange]) -> Transaction:
        """Keep the bytes and save ``tx`` with the next number: from here on a crash can be repaired."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.blobs.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as exc:
            raise ApplyError(f"{self.folder} cannot be used ({exc.strerror or exc}); nothing was written") from exc
        for c in changes:
            for data in (c.before_bytes, c.after_bytes):
                self._keep(data)
        seq = 1 + max((int(m[1]) for m in (_NAME.match(p.name) for p in self.folder.iterdir()) if m), default=0)
        files = tuple(TransactionFile(c.path, c.before_sha256, sha256(c.after_bytes), temp_name()) for c in changes)
        return self._save(replace(tx, seq=seq, files=files))

    def _keep(self, data: bytes) -> None:
        path = self.blobs / f"{sha256(data)}.blob"
        with contextlib.suppress(OSError):
            if path.read_bytes() == data:
                return
        write_state(path, data)

    def _save(self, tx: Transaction) -> Transaction:
        write_state(self.folder / tx.file_name, json.dumps(tx.to_dict()).encode())
        return tx

    def _prune(self) -> None:
        """Forget the oldest finished transactions and the bytes that nobody refers to any more."""
        if len(self._paths()) <= KEEP + 50:
            return
        entries = self.load()
        for t in [t for t in entries if t.state != "begun"][: len(entries) - KEEP]:
            with contextlib.suppress(OSError):
                (self.folder / t.file_name).unlink()
        used = {s for t in self.load() for f in t.files for s in (f.before_sha256, f.after_sha256)}
        for path in self.blobs.glob("*.blob"):
            if path.stem not in used:
                with contextlib.suppress(OSError):
                    path.unlink()

    # -- after a crash -------------------------------------------------------------------------------------
    def unfinished(self) -> list[Transaction]:
        """The transactions that a crash interrupted."""
        return [t for t in self.load() if t.state == "begun"]

    def recover(self) -> None:
        """Bring every interrupted transaction to an end: complete where all files are new, else all files as they were before."""
        for tx in reversed(self.unfinished()):
            self._try_recover(tx)

    def _try_recover(self, tx: Transaction) -> None:
        try:
            self._recover(tx)
        except HealerError as exc:
            self.note(f"{tx.healing_id} was interrupted and could not be repaired: {exc}")

    def _recover(self, tx: Transaction) -> None:
        word = "apply" if tx.kind == "apply" else "rollback"
        now: dict[str, str] = {}
        for f in tx.files:
            self._remove_temp(f)
            try:
                now[f.path] = sha256(read_current(self.root, f.path))
            except StaleError:
                now[f.path] = ""
        if all(now[f.path] == f.after_sha256 for f in tx.files):
            self._save(replace(tx, state="done"))
            self.note(f"the interrupted {word} of {tx.healing_id} was complete")
            return
        foreign = [f.path for f in tx.files if now[f.path] not in (f.before_sha256, f.after_sha256)]
        for f in tx.files:
            if now[f.path] == f.after_sha256 != f.before_sha256:
                write_file(self.root, f.path, self.blob(f.before_sha256), f.after_sha256, f.temp)
        note = f"the interrupted {word} of {tx.healing_id} was undone"
        if foreign:
            note += f", except in {', '.join(foreign)}, changed by somebody else since and left alone"
        self._save(replace(tx, state="undone", note=note))
        self.note(note)

    def _remove_temp(self, f: TransactionFile) -> None:
        if is_temp_name(f.temp):
            with contextlib.suppress(OSError):
                resolve(self.root, f.path).with_name(f.temp).unlink()


def connected(links: Iterable[Link], path: str, old: str, new: str) -> bool:
    """Whether ``path`` can have come from the bytes with hash ``old`` to those with hash ``new`` by the steps in ``links`` alone."""
    near: dict[str, set[str]] = {}
    for where, a, b in links:
        if where == path:
            near.setdefault(a, set()).add(b)
            near.setdefault(b, set()).add(a)
    seen, todo = {old}, [old]
    while todo:
        fresh = near.get(todo.pop(), set()) - seen
        seen |= fresh
        todo += fresh
    return new in seen


def parse_transaction(data: bytes) -> Transaction:
    """A transaction from the bytes of its file. Raises :class:`~pytest_maestro_healer.errors.BundleError` for whatever is none."""
    raw = load_json(data)
    check_schema(raw, SCHEMA)
    try:
        tx = Transaction.from_dict(raw)
    except (ValueError, RecursionError) as exc:
        raise BundleError(f"damaged ({exc})") from exc
    for f in tx.files:
        if not (_SHA.match(f.before_sha256) and _SHA.match(f.after_sha256) and is_temp_name(f.temp)):
            raise BundleError("damaged (hashes or names are malformed)")
    return tx


def load_json(data: bytes) -> dict[str, Any]:
    """A JSON object. Raises :class:`~pytest_maestro_healer.errors.BundleError` for any other bytes."""
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise BundleError(f"not JSON ({exc})") from exc
    if not isinstance(raw, dict):
        raise BundleError("not a JSON object")
    return raw


def check_schema(raw: Mapping[str, Any], known: int) -> None:
    """Raise :class:`NewerSchemaError` for a later schema and :class:`~pytest_maestro_healer.errors.BundleError` for none at all."""
    schema = raw.get("schema")
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise BundleError(f"damaged (its schema is {str(schema)[:40]!r})")
    if schema > known:
        raise NewerSchemaError(f"it was written by a newer pytest-maestro-healer (schema {schema}, known is {known}); upgrade to use it")


def set_aside(path: Path) -> str:
    """Rename a damaged file, keeping it for a look; the words that say where it is now."""
    for n in range(1000):
        to = path.with_name(f"{path.name}.corrupt{n or ''}")
        if not to.exists():
            try:
                path.rename(to)
            except OSError as exc:
                return f"it could not be set aside ({exc.strerror or exc})"
            return f"set aside as {to.name}"
    return "it could not be set aside (too many such files)"
