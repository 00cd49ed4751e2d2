"""Heals that several machines found for one state of a project, put together: each once, and what excludes each other said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pytest_maestro_healer.apply.merge import LineHunk, hunks, split_lines
from pytest_maestro_healer.apply.write import sha256
from pytest_maestro_healer.model import FileChange, HealingResult, Record

_Key = tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Alternative(Record):
    """Two heals of which one only can be accepted, since both edit one place of the file ``path``."""

    first: str
    second: str
    path: str


@dataclass(frozen=True)
class Together:
    """``results`` are all different edits, in the order they came; ``repeated`` is how many came more than once.

    ``damaged`` are lines about those that cannot be told apart from another one.
    """

    results: tuple[HealingResult, ...] = ()
    repeated: int = 0
    alternatives: tuple[Alternative, ...] = ()
    damaged: tuple[str, ...] = ()


def together(parts: Iterable[Iterable[HealingResult]]) -> Together:
    """All of ``parts``, one edit once: it is for the tests of all, as sure as the least sure of them."""
    by_edit: dict[_Key, HealingResult] = {}
    taken: dict[str, _Key] = {}
    repeated: set[_Key] = set()
    damaged: list[str] = []
    for r in (r for part in parts for r in part):
        key = edit_key(r)
        if key in by_edit:
            by_edit[key] = joined(by_edit[key], r)
            repeated.add(key)
        elif r.healing_id in taken:
            damaged.append(f"{r.healing_id} is the name of two different edits; the second one is left out")
        else:
            by_edit[key] = r
            taken[r.healing_id] = key
    results = tuple(by_edit.values())
    return Together(results, len(repeated), tuple(alternatives(results)), tuple(damaged))


def joined(one: HealingResult, other: HealingResult) -> HealingResult:
    """One edit that was found twice."""

    def union(name: str) -> tuple[object, ...]:
        return tuple(dict.fromkeys((*getattr(one, name), *getattr(other, name))))

    both = {name: union(name) for name in ("evidence", "alternatives", "refused")}
    return replace(
        one,
        nodeids=tuple(dict.fromkeys(n for r in (one, other) for n in (r.nodeids or (r.test_id,)))),
        confidence_score=min(one.confidence_score, other.confidence_score),
        unasked=one.unasked if other.unasked else "",
        collected=one.collected or other.collected,
        **both,  # type: ignore[arg-type]
    )


def alternatives(results: Sequence[HealingResult]) -> list[Alternative]:
    """The pairs of ``results`` that exclude each other, each once."""
    places: dict[tuple[str, str], list[tuple[LineHunk, str]]] = {}
    for r in results:
        for c in r.changes:
            places.setdefault((c.path, c.before_sha256), []).extend((h, r.healing_id) for h in _hunks(c))
    found: dict[Alternative, None] = {}
    for (path, _), here in places.items():
        here.sort(key=lambda pair: (pair[0].start, pair[0].end))
        for i, (hunk, name) in enumerate(here):
            for later, other in here[i + 1 :]:
                if later.start > hunk.end:
                    break
                if name != other and hunk.excludes(later):
                    first, second = sorted((name, other))
                    found[Alternative(first, second, path)] = None
    return list(found)


def _hunks(change: FileChange) -> list[LineHunk]:
    return hunks(split_lines(change.before_bytes), split_lines(change.after_bytes))


def edit_key(result: HealingResult) -> _Key:
    """What an edit is, whoever found it: paths, and the bytes before and after."""
    return tuple(sorted((c.path, c.before_sha256, sha256(c.after_bytes)) for c in result.changes))
