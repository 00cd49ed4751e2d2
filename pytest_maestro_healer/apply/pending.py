"""The pending bundle: the heals that wait for a decision, as one JSON file and one patch for ``git apply``."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from pytest_maestro_healer.apply.journal import NewerSchemaError, Note, check_schema, load_json, set_aside
from pytest_maestro_healer.apply.write import sha256, write_state
from pytest_maestro_healer.errors import BundleError
from pytest_maestro_healer.model import HealingResult

SCHEMA = 1


def parse_bundle(data: bytes) -> tuple[list[HealingResult], list[str]]:
    """The heals of a bundle's bytes, and a line for each entry that must not be used.

    Raises :class:`~pytest_maestro_healer.errors.BundleError` when the bytes are no bundle at all.
    """
    raw = load_json(data)
    check_schema(raw, SCHEMA)
    entries = raw.get("results")
    if not isinstance(entries, list):
        raise BundleError("damaged (no list of results)")
    results: dict[str, HealingResult] = {}
    problems = []
    for n, entry in enumerate(entries):
        try:
            result = check_result(entry)
            results[result.healing_id] = result
        except BundleError as exc:
            problems.append(f"entry {n + 1} of the pending bundle is skipped: {exc}")
    return list(results.values()), problems


def check_result(entry: Any) -> HealingResult:
    """One entry as a result whose parts agree with each other.

    Raises :class:`~pytest_maestro_healer.errors.BundleError` for anything else. Paths are not judged here but where they are used.
    """
    try:
        if not isinstance(entry, dict):
            raise ValueError("not an object")
        result = HealingResult.from_dict(entry)
        text = (result.healing_id, result.test_id, result.strategy_used, *result.nodeids, *result.files)
        if not all(isinstance(t, str) for t in text) or not result.healing_id:
            raise ValueError("names are missing")
        json.dumps(result.to_dict()).encode()
        for c in result.changes:
            if sha256(c.before_bytes) != c.before_sha256:
                raise ValueError(f"the bytes of {c.path!r} do not have their hash")
            c.after.encode("latin-1")
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError, OverflowError) as exc:
        raise BundleError(f"damaged ({str(exc)[:200]})") from exc
    return result


def load_bundle(path: Path, note: Note) -> list[HealingResult]:
    """The heals in the bundle at ``path``; a damaged bundle is set aside and said, damaged entries are skipped and said.

    Raises :class:`NewerSchemaError` for a bundle of a newer version, and :class:`~pytest_maestro_healer.errors.BundleError` for one that
    cannot be read.
    """
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as exc:
        raise BundleError(f"the pending bundle {path} cannot be read: {exc.strerror or exc}") from exc
    try:
        results, problems = parse_bundle(data)
    except NewerSchemaError as exc:
        raise NewerSchemaError(f"the pending bundle {path} cannot be used: {exc}") from exc
    except BundleError as exc:
        note(f"the pending bundle {path} is unreadable: {exc}; {set_aside(path)}")
        return []
    for problem in problems:
        note(problem)
    return results


def dump_bundle(results: Iterable[HealingResult], version: str, root: str) -> bytes:
    """The bytes of a bundle."""
    data = {"schema": SCHEMA, "tool": "pytest-maestro-healer", "version": version, "root": root, "results": [r.to_dict() for r in results]}
    return json.dumps(data, indent=1).encode() + b"\n"


def save_bundle(path: Path, results: Sequence[HealingResult], patch: bytes, version: str, root: str) -> None:
    """Write the bundle and the patch next to it. Raises :class:`~pytest_maestro_healer.errors.ApplyError`; the old bundle is then intact."""
    write_state(path, dump_bundle(results, version, root))
    write_state(path.with_suffix(".patch"), patch)


def merge_bundle(old: Iterable[HealingResult], new: Sequence[HealingResult], passed: Collection[str] = ()) -> list[HealingResult]:
    """``old`` and ``new`` together: a new heal replaces the old one with its id and those of which it covers all tests.

    ``passed`` are nodeids that pass unhealed now: an old heal for nothing but those is no longer wanted.
    """
    done = {n for r in new for n in nodeids(r)} | set(passed)
    ids = {r.healing_id for r in new}
    kept = [r for r in old if r.healing_id not in ids and not nodeids(r) <= done]
    return kept + list({r.healing_id: r for r in new}.values())


def nodeids(result: HealingResult) -> frozenset[str]:
    """All tests that a heal is for."""
    return frozenset(result.nodeids or (result.test_id,))
