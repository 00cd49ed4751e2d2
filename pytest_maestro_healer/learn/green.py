"""Which tests were seen passing at which commit, in few bytes.

A green record has a commit ``c``, a map ``m`` and the map's short name ``k``. The map has ``all`` (files whose tests all passed), ``but``
(file -> tests of it that did not pass) and ``some`` (file -> tests of it that passed, where others were not run). A record without a map
repeats the newest earlier map of its name: a green suite costs a hundred bytes a commit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pytest_maestro_healer.evidence.nodeids import file_of, tail_of
from pytest_maestro_healer.evidence.redact import redact

Entry = dict[str, Any]
#: Single tests named in one record; a partial run of more is not recorded.
MOST_NAMES = 5000
KEEP_COMMITS = 200
_LOOK_BACK = 50


def mapping(ran: Collection[str], passed: Collection[str], *, complete: bool, left_out: Collection[str] = ()) -> dict[str, Any]:
    """The map of a run: ``ran`` and ``passed`` are nodeids, ``complete`` says that no test of a file was left out, ``left_out`` are files to skip."""
    files: dict[str, tuple[list[str], list[str]]] = {}
    for nodeid in ran:
        path, name = file_of(nodeid), tail_of(nodeid)
        good, bad = files.get(path) or files.setdefault(path, ([], []))
        (good if nodeid in passed else bad).append(name)
    whole: list[str] = []
    but: dict[str, list[str]] = {}
    some: dict[str, list[str]] = {}
    for path in sorted(files.keys() - set(left_out)):
        good, bad = files[path]
        if not good:
            continue
        if not complete or len(bad) > len(good):
            some[path] = sorted(set(good))
        elif bad:
            but[path] = sorted(set(bad))
        else:
            whole.append(path)
    if sum(map(len, some.values())) + sum(map(len, but.values())) > MOST_NAMES:
        but, some = {}, {}
    named = {"but": {p: _safe(n) for p, n in but.items()}, "some": {p: _safe(n) for p, n in some.items()}}
    return {k: v for k, v in {"all": whole, **named}.items() if v}


def _safe(names: list[str]) -> list[str]:
    """Redacted, in one go where that works."""
    out = redact("\n".join(names)).split("\n")
    return out if len(out) == len(names) else [redact(n) for n in names]


def record(commit: str, m: Mapping[str, Any], at: float, newest: Iterable[Entry]) -> Entry | None:
    """The record to write, or ``None`` where it would say nothing new; ``newest`` are earlier green records, newest first."""
    rest = iter(newest)
    last = ""
    wanted: set[str] = set()
    for e, _ in zip(rest, range(_LOOK_BACK), strict=False):
        last = last or e["k"]
        if e["c"] == commit or e["k"] in wanted:
            if "m" in e:
                m = _without(m, e["m"])
                wanted.discard(e["k"])
            else:
                wanted.add(e["k"])
        elif not wanted:
            break
    if not m:
        return None
    name = _name(m)
    entry: Entry = {"t": "green", "at": at, "c": commit, "k": name}
    return entry if last == name else {**entry, "m": dict(m)}


def _name(m: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(m, sort_keys=True).encode()).hexdigest()[:12]


def _without(m: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """What ``m`` says beyond ``known``."""
    whole, but = set(known.get("all", ())), known.get("but", {})
    some = {p: [x for x in n if not _covers(known, p, x)] for p, n in m.get("some", {}).items()}
    out = {
        "all": [p for p in m.get("all", ()) if p not in whole],
        "but": {p: n for p, n in m.get("but", {}).items() if p not in whole and not (p in but and set(but[p]) <= set(n))},
        "some": {p: n for p, n in some.items() if n},
    }
    return {k: v for k, v in out.items() if v}


class Greens:
    """Answers "at which commits was this test green?" from the records, oldest first."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._newest = list(reversed(resolved(entries)))

    def commits(self, nodeid: str) -> Iterator[str]:
        """The commits at which ``nodeid`` was seen passing, newest first."""
        path, name = file_of(nodeid), tail_of(nodeid)
        name = redact(name)
        for e in self._newest:
            if _covers(e["m"], path, name):
                yield e["c"]

    def last(self, nodeid: str) -> str:
        """The newest of them, or ``""``."""
        return next(self.commits(nodeid), "")

    @property
    def files(self) -> int:
        """How many files have a green test."""
        return len({p for e in self._newest for p in (*e["m"].get("all", ()), *e["m"].get("but", ()), *e["m"].get("some", ()))})


def _covers(m: Mapping[str, Any], path: str, name: str) -> bool:
    if path in m.get("all", ()):
        return True
    but, some = m.get("but", {}), m.get("some", {})
    return (path in but and name not in but[path]) or (path in some and name in some[path])


def resolved(entries: Sequence[Entry]) -> list[Entry]:
    """The records with their maps; those whose map is gone are left out."""
    maps: dict[str, Any] = {}
    out = []
    for e in entries:
        if "m" in e:
            maps[e["k"]] = e["m"]
        if e["k"] in maps:
            out.append({**e, "m": maps[e["k"]]})
    return out


def fold(entries: Sequence[Entry]) -> list[Entry]:
    """Only what still answers something: for each test the newest commit, from the newest :data:`KEEP_COMMITS` records."""
    done: set[str] = set()  # files of which every test has its answer
    unanswered: dict[str, set[str]] = {}  # files of which only these tests have none
    named: dict[str, set[str]] = {}
    out: list[Entry] = []
    for e in resolved(entries)[: -KEEP_COMMITS - 1 : -1]:
        m = e["m"]
        new: dict[str, Any] = {"all": [p for p in m.get("all", ()) if p not in done], "but": {}, "some": {}}
        for path, names in m.get("some", {}).items():
            left = [x for x in names if path not in done and x not in named.get(path, ()) and x in unanswered.get(path, {x})]
            if left:
                new["some"][path] = left
                named.setdefault(path, set()).update(left)
        for path, names in m.get("but", {}).items():
            if path not in done and (path not in unanswered or not unanswered[path] <= set(names)):
                new["but"][path] = names
                unanswered[path] = unanswered.get(path, set(names)) & set(names)
        done.update(new["all"])
        new = {k: v for k, v in new.items() if v}
        if new:
            out.append({**e, "k": _name(new), "m": new})
    return out[::-1]
