"""The doors' way to the history: where it is, what became of heals, which tests were green at which commit."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from pytest_maestro_healer.apply.paths import ensure_cache_dir, project_cache_dir
from pytest_maestro_healer.apply.store import Store
from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.evidence.git import Git
from pytest_maestro_healer.learn.entries import Entry, outcome, outcome_of, stamp
from pytest_maestro_healer.learn.green import mapping, record
from pytest_maestro_healer.learn.history import History
from pytest_maestro_healer.learn.tally import final
from pytest_maestro_healer.learn.traces import PYTHON, there
from pytest_maestro_healer.model import HealingResult

#: Changes of these do not change what a test does.
_TEXT_SUFFIXES = (".md", ".rst")
#: Heals looked at in one go, the newest.
_MOST_SETTLED = 50
_STATUS = {"applied": "accepted", "rejected": "rejected", "rolled_back": "rolled_back"}


def open_history(root: Path, config: HealerConfig) -> History:
    """The history of the project at ``root``; with ``learning`` or ``enable_cache`` off one that neither reads nor writes."""
    enabled = config.learning and config.enable_cache
    folder = project_cache_dir(root, config.cache_dir) if enabled else Path(os.devnull)
    return History(folder, enabled=enabled, prepare=ensure_cache_dir)


# -- what became of heals ------------------------------------------------------------------------------------
def attend(store: Store, history: History) -> None:
    """Let the history know what a person decides about heals by ``store``; what is the matter with it is said in the store's notes."""

    def told(decided: Sequence[tuple[HealingResult, str]]) -> None:
        record_outcomes(history, decided)
        store.notes += [n for n in history.notes if n not in store.notes]

    store.told = told


def record_outcomes(history: History, decided: Sequence[tuple[HealingResult, str]]) -> None:
    """Record what a person decided: heals with what the store says of them (applied, rejected, rolled_back)."""
    at = stamp()
    history.append([outcome_of(r, _became(r, status), at) for r, status in decided if status in _STATUS])


def _became(result: HealingResult, status: str) -> str:
    """One that was changed in the editor before it was taken was not right as it was."""
    by_hand = any(s.reason.startswith("edited by hand") for s in result.verdict.steps)
    return "edited" if status == "applied" and by_hand else _STATUS[status]


def settle(history: History, git: Git, entries: Sequence[Entry] | None = None) -> list[Entry]:
    """See how heals that were written were committed, as they were or ``edited`` before; records and returns the outcomes.

    A heal is looked at when its files are committed after it was written: by the first such commit.
    """
    if not history.enabled:
        return []
    found = history.entries() if entries is None else entries
    became = final(found)
    at = {e["id"]: float(e.get("at", 0.0)) for e in found if e["t"] == "outcome" and e["what"] == "accepted"}
    written: dict[str, Entry] = {}
    for e in found:
        if e["t"] != "attempt" or e["result"] != "proved" or not e.get("traces") or e.get("python") != PYTHON:
            continue
        if became.get(e["id"]) == "accepted" or (e["decision"] == "applied" and e["id"] not in became):
            written[e["id"]] = e
    status = git.status() if written else None
    if status is None:
        return []
    out = []
    for e in list(written.values())[-_MOST_SETTLED:]:
        if set(e["traces"]) & set(status[1]):
            continue  # not committed yet
        what = _committed(git, e, at.get(e["id"], float(e["at"])))
        if what:
            out.append(outcome(e["id"], what, e["strategy"], e["tactic"], e["pattern"], stamp()))
    history.append(out)
    return out


def _committed(git: Git, entry: Entry, since: float) -> str:
    """``committed``, ``edited``, or ``""`` while some of the heal's files are not committed yet."""
    same = True
    for path, wanted in entry["traces"].items():
        if git.is_dirty(path):
            return ""
        commit = git.first_commit_since(path, since)
        data = git.bytes_at(path, commit) if commit else None
        if data is None:
            return ""
        same = same and there(data, wanted)
    return "committed" if same else "edited"


# -- green commits -------------------------------------------------------------------------------------------
def record_green(
    history: History,
    git: Git,
    files: ProjectFiles,
    ran: Collection[str],
    passed: Collection[str],
    *,
    complete: bool,
    healed: Collection[str] = (),
    began: float = 0.0,
) -> bool:
    """Note at which commit ``passed`` were seen passing; whether something was written.

    Only where HEAD names what ran: nothing but test modules may have uncommitted changes (their tests are left out), and HEAD must not have
    moved since ``began``. ``healed`` are files that were collected with a heal that is not on the disk. One git process, one write, and
    that only when there is something new to say.
    """
    if not history.enabled or not passed:
        return False
    if any(p.endswith("conftest.py") or not files.is_test_module(p) for p in healed):
        return False
    status = git.status()
    if status is None or _moved(files.root, began):
        return False
    head, changed = status
    if any(not (files.is_test_module(p) and not p.endswith("conftest.py")) and not p.endswith(_TEXT_SUFFIXES) for p in changed):
        return False
    m = mapping(ran, passed, complete=complete, left_out={*changed, *healed})
    entry = record(head, m, stamp(), history.tail(b'"t":"green"'))
    return entry is not None and history.append([entry])


def _moved(root: Path, began: float) -> bool:
    """Whether HEAD got another commit during the run (its log was written); false where there is no such log."""
    for folder in (root, *root.parents):
        try:
            return (folder / ".git" / "logs" / "HEAD").stat().st_mtime > began > 0
        except OSError:
            if (folder / ".git").exists():
                return False
    return False
