"""The one door to everything after a decision: pending heals, writing, undoing, remembering rejections.

Every method reads the disk anew, so several stores (a running pytest, a command line) can live side by side; writers hold a file lock.
A problem that does not stop the work becomes a line in :attr:`Store.notes`.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pytest_maestro_healer.apply.ids import fingerprint, match_id
from pytest_maestro_healer.apply.journal import Journal, Link, Transaction, check_schema, connected, load_json, set_aside
from pytest_maestro_healer.apply.merge import rebase
from pytest_maestro_healer.apply.patch import combined, git_prefix
from pytest_maestro_healer.apply.paths import locked, project_cache_dir
from pytest_maestro_healer.apply.pending import load_bundle, merge_bundle, save_bundle
from pytest_maestro_healer.apply.shards import Together, together
from pytest_maestro_healer.apply.write import read_current, sha256, write_state
from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.edit.diff import unified
from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.errors import BundleError, HealerError, StaleError
from pytest_maestro_healer.model import DecisionKind, FileChange, HealingResult, Record

REJECTED_SCHEMA = 1
KEEP_REJECTED = 1000
#: Of a heal that there is nothing left to do for.
THERE = "the files have it already"


@dataclass(frozen=True)
class ApplyOutcome(Record):
    """What became of one heal: ``message`` is one line for the user, ``files`` those written (or that would have been)."""

    healing_id: str
    status: Literal["applied", "rejected", "rolled_back", "stale", "failed"]
    message: str = ""
    files: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether what was asked for was done."""
        return self.status in ("applied", "rejected", "rolled_back")


@dataclass(frozen=True)
class PendingEntry:
    """A pending heal as it would be applied to the files of now; ``problem`` says why it cannot be, ``rebased`` that others moved it."""

    result: HealingResult
    problem: str = ""
    rebased: bool = False


@dataclass(frozen=True)
class AppliedHeal(Record):
    """A heal that is applied and can be rolled back; ``result`` is its record as a dict, without the files' bytes."""

    healing_id: str
    test_id: str
    strategy: str
    files: tuple[str, ...]
    at: float
    seq: int
    result: dict[str, Any]


class Store:
    """The healing state of the project at ``root``."""

    def __init__(self, root: Path, config: HealerConfig | None = None) -> None:
        #: Told what became of heals (applied, rejected, rolled_back); a door that acts for a person sets it.
        self.told: Callable[[Sequence[tuple[HealingResult, str]]], None] = lambda decided: None
        self.root = root
        self.config = config or HealerConfig()
        self.folder = project_cache_dir(root, self.config.cache_dir)
        self.bundle = self.folder / "pending.json"
        self.notes: list[str] = []
        self._journal = Journal(root, self.folder, self._note)

    @property
    def patch(self) -> Path:
        """The file that ``git apply`` takes."""
        return self.bundle.with_suffix(".patch")

    @property
    def exists(self) -> bool:
        """Whether anything was ever stored for this project."""
        return self.folder.is_dir()

    def _note(self, line: str) -> None:
        if line not in self.notes:
            self.notes.append(line)

    # -- pending -------------------------------------------------------------------------------------------
    def save_pending(self, results: Iterable[HealingResult], *, passed: Collection[str] = ()) -> Path:
        """Add the pending heals among ``results`` to the bundle and return its path.

        A result is pending when it has changes and was neither applied nor rejected. Heals of an earlier run for the same tests are replaced,
        those for nothing but ``passed`` tests dropped. Raises :class:`~pytest_maestro_healer.errors.HealerError` with one line when the bundle
        cannot be written.
        """
        over = (DecisionKind.APPLIED, DecisionKind.REJECTED)
        no = self._rejected()
        new = [r for r in results if r.changes and r.healing_id and r.decision.kind not in over and fingerprint(r) not in no]
        if not new and not self.bundle.exists():
            return self.bundle
        with locked(self.folder):
            self._write(merge_bundle(load_bundle(self.bundle, self._note), new, passed))
        return self.bundle

    def judged(self, results: Sequence[HealingResult]) -> list[PendingEntry]:
        """Heals that were found elsewhere, as they stand against the files of now; ``problem`` says why one is not to be taken in."""
        links = self._links([*self._bundled(), *results])
        return [self._judged(described(r), links) for r in results]

    def _judged(self, result: HealingResult, links: Sequence[Link]) -> PendingEntry:
        if self.was_rejected(result):
            return PendingEntry(result, "it was rejected here before")
        return self._entry(result, links) or PendingEntry(result, THERE)

    def add(self, results: Sequence[HealingResult]) -> Together:
        """Put heals that were found elsewhere beside the pending ones, of which none is replaced, and save the bundle.

        Raises as :meth:`save_pending`.
        """
        with locked(self.folder):
            found = together([load_bundle(self.bundle, self._note), results])
            self._write(found.results)
        return found

    def entries(self) -> list[PendingEntry]:
        """All pending heals, oldest first, as they stand against the files of now; those applied already are left out.

        Raises :class:`~pytest_maestro_healer.errors.BundleError` when the bundle cannot be read or is of a newer version.
        """
        return self._entries(load_bundle(self.bundle, self._note))

    def pending(self) -> list[HealingResult]:
        """The pending heals that can be applied now, moved onto the files of now; stale ones are skipped and noted."""
        out = []
        for e in self.entries():
            if e.problem:
                self._note(f"{e.result.healing_id} is skipped: {e.problem}")
            else:
                out.append(e.result)
        return out

    def _entries(self, results: Sequence[HealingResult]) -> list[PendingEntry]:
        links = self._links(results)
        found = (self._entry(r, links) for r in results)
        return [e for e in found if e is not None]

    def _links(self, results: Iterable[HealingResult]) -> list[Link]:
        """All steps between versions of files that heals explain: done ones, and those that ``results`` propose."""
        return [*self._journal.links(), *((c.path, c.before_sha256, sha256(c.after_bytes)) for r in results for c in r.changes)]

    def _entry(self, result: HealingResult, links: Sequence[Link]) -> PendingEntry | None:
        try:
            changes = self._current(result, links)
        except HealerError as exc:
            return PendingEntry(result, str(exc))
        if not changes:
            return None
        if tuple(changes) == result.changes:
            return PendingEntry(result)
        return PendingEntry(described(replace(result, changes=tuple(changes))), rebased=True)

    def _current(self, result: HealingResult, links: Sequence[Link]) -> list[FileChange]:
        """The changes still to be made, against the bytes of now; raises StaleError where that cannot be done faithfully."""
        out = []
        for c in result.changes:
            now = read_current(self.root, c.path)
            after = rebase(c.before_bytes, c.after_bytes, now)
            if after == now:
                continue  # made already, by another heal, git apply or a person
            if not connected(links, c.path, c.before_sha256, sha256(now)):
                raise StaleError(f"{c.path} changed since the heal was made; run pytest --heal again")
            if after is None:
                raise StaleError(f"{c.path}: another applied heal changed the same lines; run pytest --heal again")
            out.append(FileChange.of(c.path, now, after))
        return out

    def _write(self, results: Sequence[HealingResult]) -> None:
        """Save the bundle: entries that can be moved onto the files of now are, so that they stay acceptable."""
        from pytest_maestro_healer import __version__

        entries = self._entries(results)
        text, left_out = combined((e.result for e in entries if not e.problem), git_prefix(self.root))
        if left_out:
            text = f"# left out, because they clash with heals in this patch: {', '.join(left_out)}\n".encode() + text
        save_bundle(self.bundle, [e.result for e in entries], text, __version__, str(self.root))

    def _bundled(self) -> list[HealingResult]:
        """The bundle where that is a help but not the point: one that cannot be used is noted."""
        try:
            return load_bundle(self.bundle, self._note)
        except BundleError as exc:
            self._note(str(exc))
            return []

    # -- writing -------------------------------------------------------------------------------------------
    def apply(self, results: Sequence[HealingResult]) -> list[ApplyOutcome]:
        """Write ``results`` to the project, each wholly or not at all, in order; never raises for one that fails.

        A heal whose file was changed by nothing but other heals is moved onto it. Applied heals leave the pending bundle. Raises
        :class:`~pytest_maestro_healer.errors.ApplyError` only when the cache folder, and so the journal, cannot be used at all; then nothing
        was written.
        """
        if not results:
            return []
        with locked(self.folder):
            self._journal.recover()
            links = self._links([*self._bundled(), *results])
            batch = secrets.token_hex(6)
            outcomes = [self._apply(r, links, batch) for r in results]
            self._drop({o.healing_id for o in outcomes if o.status == "applied"})
        self.told([(r, o.status) for r, o in zip(results, outcomes, strict=True) if o.ok])
        return outcomes

    def _apply(self, result: HealingResult, links: list[Link], batch: str) -> ApplyOutcome:
        hid = result.healing_id
        try:
            if not result.changes:
                return ApplyOutcome(hid, "failed", "it has no edit to apply")
            changes = self._current(result, links)
            if not changes:
                return ApplyOutcome(hid, "applied", THERE, result.files)
            record = replace(result, changes=(), original_code="", healed_code="").to_dict()
            self._journal.run("apply", hid, changes, batch=batch, result=record)
            links += [(c.path, c.before_sha256, sha256(c.after_bytes)) for c in changes]
        except StaleError as exc:
            return ApplyOutcome(hid, "stale", str(exc), result.files)
        except (HealerError, OSError) as exc:
            return ApplyOutcome(hid, "failed", str(exc), result.files)
        moved = any(c not in result.changes for c in changes)
        text = "moved onto a file that another heal changed" if moved else ""
        return ApplyOutcome(hid, "applied", text, tuple(c.path for c in changes))

    def accept(self, ids: Iterable[str]) -> list[ApplyOutcome]:
        """Apply the pending heals with these ids (or unique prefixes of ids).

        Raises :class:`~pytest_maestro_healer.errors.HealerError` when one is unknown or ambiguous; then nothing was written.
        """
        return self.apply([e.result for e in self._chosen(ids)])

    def reject(self, chosen: Iterable[str | HealingResult]) -> list[ApplyOutcome]:
        """Drop pending heals (by id, unique prefix, or result) and remember their edits, so that they are not proposed again.

        Raises like :meth:`accept`.
        """
        items = list(chosen)
        results = [i for i in items if isinstance(i, HealingResult)]
        results += [e.result for e in self._chosen(i for i in items if isinstance(i, str))]
        if not results:
            return []
        with locked(self.folder):
            known = self._rejected()
            for r in results:
                known[fingerprint(r)] = {"healing_id": r.healing_id, "test_id": r.test_id, "strategy": r.strategy_used, "at": time.time()}
            newest = dict(sorted(known.items(), key=lambda kv: float(kv[1].get("at", 0.0)))[-KEEP_REJECTED:])
            write_state(self.folder / "rejected.json", json.dumps({"schema": REJECTED_SCHEMA, "rejected": newest}, indent=1).encode())
            self._drop({r.healing_id for r in results})
        self.told([(r, "rejected") for r in results])
        return [ApplyOutcome(r.healing_id, "rejected", "", r.files) for r in results]

    def was_rejected(self, result: HealingResult) -> bool:
        """Whether a person rejected this very edit before."""
        return bool(result.changes) and fingerprint(result) in self._rejected()

    def _rejected(self) -> dict[str, dict[str, Any]]:
        path = self.folder / "rejected.json"
        try:
            raw = load_json(path.read_bytes())
            check_schema(raw, REJECTED_SCHEMA)
            entries = raw.get("rejected")
            if not isinstance(entries, dict) or not all(isinstance(v, dict) and _number(v.get("at", 0)) for v in entries.values()):
                raise BundleError("damaged (no table of rejections)")
        except OSError:
            return {}
        except BundleError as exc:
            self._note(f"the list of rejected heals {path}: {exc}; {set_aside(path)}")
            return {}
        return entries

    def _chosen(self, ids: Iterable[str]) -> list[PendingEntry]:
        wanted = list(ids)
        entries = {e.result.healing_id: e for e in self.entries()} if wanted else {}
        return [entries[i] for i in dict.fromkeys(match_id(w, entries) for w in wanted)]

    def _drop(self, ids: Collection[str]) -> None:
        results = self._bundled()
        if results:
            try:
                self._write([r for r in results if r.healing_id not in ids])
            except HealerError as exc:
                self._note(str(exc))

    # -- undoing -------------------------------------------------------------------------------------------
    def history(self) -> list[AppliedHeal]:
        """The applied heals that can be rolled back, oldest first."""
        return [_applied(t) for t in self._journal.applied()]

    def rollback(self, healing_id: str | None = None) -> list[ApplyOutcome]:
        """Undo the applied heal with this id (or unique prefix); without one, all that the last command or run applied, newest first.

        The files get exactly their bytes of before. Where later heals changed the same file, only this heal's own lines are undone. Refused
        (status ``stale``) when somebody else changed a file since. Raises :class:`~pytest_maestro_healer.errors.HealerError` when there is no
        such heal, or when the cache folder cannot be used.
        """
        if not self.exists:
            raise HealerError("nothing was applied here, so there is nothing to roll back")
        with locked(self.folder):
            self._journal.recover()
            applied = self._journal.applied()
            if not applied:
                raise HealerError("nothing is applied here that could be rolled back")
            if healing_id is None:
                last = applied[-1]
                chosen = [t for t in reversed(applied) if t.seq == last.seq or (last.batch and t.batch == last.batch)]
            else:
                wanted = match_id(healing_id, (t.healing_id for t in applied))
                chosen = [next(t for t in reversed(applied) if t.healing_id == wanted)]
            outcomes = [self._rollback(t) for t in chosen]
            if any(o.ok for o in outcomes):
                self._drop(set())
        undone = [t for t, o in zip(chosen, outcomes, strict=True) if o.ok]
        self.told([(r, "rolled_back") for r in map(_record, undone) if r is not None])
        return outcomes

    def _rollback(self, tx: Transaction) -> ApplyOutcome:
        files = tuple(f.path for f in tx.files)
        try:
            changes, links = [], self._journal.links()
            for f in tx.files:
                now = read_current(self.root, f.path)
                old: bytes | None = self._journal.blob(f.before_sha256)
                if sha256(now) != f.after_sha256:
                    if not connected(links, f.path, f.after_sha256, sha256(now)):
                        raise StaleError(f"{f.path} changed since {tx.healing_id} was applied; it is left as it is")
                    old = rebase(self._journal.blob(f.after_sha256), old or b"", now)
                    if old is None:
                        raise StaleError(f"{f.path}: a later heal changed the same lines; roll that back first")
                changes.append(FileChange.of(f.path, now, old or b""))
            self._journal.run("rollback", tx.healing_id, changes, of=tx.seq)
        except StaleError as exc:
            return ApplyOutcome(tx.healing_id, "stale", str(exc), files)
        except (HealerError, OSError) as exc:
            return ApplyOutcome(tx.healing_id, "failed", str(exc), files)
        return ApplyOutcome(tx.healing_id, "rolled_back", "", files)

    def find(self, given: str) -> tuple[HealingResult, Literal["pending", "applied"], str]:
        """The heal with this id (or unique prefix): its record with all changes, where it stands, and what is the matter with it (or ``""``).

        Raises :class:`~pytest_maestro_healer.errors.HealerError` when there is none, or when the bytes of an applied one are lost.
        """
        entries = {e.result.healing_id: e for e in self.entries()}
        applied = {t.healing_id: t for t in self._journal.applied()}
        wanted = match_id(given, [*entries, *applied])
        if wanted in entries:
            return described(entries[wanted].result), "pending", entries[wanted].problem
        tx = applied[wanted]
        try:
            record = HealingResult.from_dict(tx.result)
        except ValueError as exc:
            raise BundleError(f"the journal entry of {wanted} is damaged ({exc})") from exc
        blob = self._journal.blob
        changes = tuple(FileChange.of(f.path, blob(f.before_sha256), blob(f.after_sha256)) for f in tx.files)
        applied_record = replace(record, changes=changes, decision=replace(record.decision, kind=DecisionKind.APPLIED))
        return described(applied_record), "applied", ""

    def recover(self) -> list[str]:
        """Finish or undo what a crash interrupted; the lines that say what was done. Costs one folder listing when there is nothing."""
        before = len(self.notes)
        if self._journal.unfinished():
            with locked(self.folder):
                self._journal.recover()
        return self.notes[before:]


def described(result: HealingResult) -> HealingResult:
    """``result`` with its diff and code texts made from its changes: what is shown is what would be written, whatever a bundle says."""
    if not result.changes:
        return result
    first = result.changes[0]
    old, new = (SourceFile(first.path, data).text for data in (first.before_bytes, first.after_bytes))
    diff = "".join(unified(c.path, c.before_bytes, c.after_bytes) for c in result.changes)
    return replace(result, diff=diff, original_code=old, healed_code=new)


def _record(t: Transaction) -> HealingResult | None:
    try:
        return HealingResult.from_dict(t.result)
    except ValueError:
        return None


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _applied(t: Transaction) -> AppliedHeal:
    def text(key: str) -> str:
        value = t.result.get(key, "")
        return value if isinstance(value, str) else ""

    return AppliedHeal(t.healing_id, text("test_id"), text("strategy_used"), tuple(f.path for f in t.files), t.at, t.seq, dict(t.result))
