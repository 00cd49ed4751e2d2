"""merge: the bundles of several machines (CI shards) put together, beside this project's pending heals or into a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_maestro_healer import __version__
from pytest_maestro_healer.apply.patch import combined, git_prefix
from pytest_maestro_healer.apply.pending import parse_bundle, save_bundle
from pytest_maestro_healer.apply.shards import Together, edit_key, together
from pytest_maestro_healer.apply.store import Store
from pytest_maestro_healer.commands.output import Output
from pytest_maestro_healer.errors import BundleError, HealerError
from pytest_maestro_healer.evidence.redact import redacted
from pytest_maestro_healer.evidence.redact import shown as masked
from pytest_maestro_healer.model import Decision, DecisionKind, HealingResult
from pytest_maestro_healer.report import card
from pytest_maestro_healer.report.text import Line, clean, count, line, one_line

#: A file of another machine that is larger than this is not read.
MOST_BYTES = 200_000_000
#: What the bundle is called in a project's state folder.
NAME = "pending.json"


@dataclass
class _Read:
    """What the named bundles hold."""

    bundles: list[str] = field(default_factory=list)
    parts: list[list[HealingResult]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def merge(store: Store, out: Output, names: Sequence[str], target: str | None = None) -> int:
    """Put the heals of the bundles ``names`` (files, or folders with ``pending.json`` somewhere below) beside the pending ones of ``store``.

    With ``target`` they go into that bundle instead, with a patch next to it. A heal that several bundles have is kept once; heals that exclude
    each other are all kept and said; stale ones, ones already made or rejected here, and paths outside the project are left out and said.
    Returns 0 when nothing was left out, else 1. Raises :class:`~pytest_maestro_healer.errors.HealerError` for a name that does not exist, or
    where nothing can be written.
    """
    read = _read(names)
    found = together(read.parts)
    judged = store.judged(found.results)
    good = [e.result for e in judged if not e.problem]
    left = [(e.result.healing_id, e.problem) for e in judged if e.problem]
    if target is None:
        bundle, now = store.bundle, store.add(good) if good else Together()
    else:
        bundle, now = Path(target), together([good])
        _save(bundle, now.results, store)
    edits = {edit_key(r) for r in good}
    shown = [r for r in now.results if edit_key(r) in edits]
    _say(out, read, found, shown, now, left, bundle)
    out.notes(store.notes)
    problems = [*read.problems, *found.damaged]
    out.document(
        {
            "bundles": read.bundles,
            "merged": [r.healing_id for r in shown],
            "repeated": found.repeated,
            "alternatives": [a.to_dict() for a in now.alternatives],
            "left_out": [{"healing_id": i, "reason": redacted(why)} for i, why in left],
            "problems": redacted(problems),
            "bundle": str(bundle) if shown or target else None,
            "patch": str(bundle.with_suffix(".patch")) if shown or target else None,
            "notes": store.notes,
        }
    )
    return 1 if left or problems else 0


def _save(target: Path, results: Sequence[HealingResult], store: Store) -> None:
    if target.suffix == ".patch":
        raise HealerError(f"{target}: give the bundle's name, such as {target.with_suffix('.json')}; the patch is written next to it")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise HealerError(f"{target.parent} cannot be made: {exc.strerror or exc}") from exc
    patch, left_out = combined(results, git_prefix(store.root))
    if left_out:
        patch = f"# left out, because they clash with heals in this patch: {', '.join(left_out)}\n".encode() + patch
    save_bundle(target, results, patch, __version__, str(store.root))


def _read(names: Iterable[str]) -> _Read:
    out = _Read()
    for path in dict.fromkeys(p for name in names for p in _files(Path(name))):
        try:
            results, problems = _bundle(path)
        except BundleError as exc:
            out.problems.append(f"{path} is no bundle: {exc}; it is left out")
            continue
        out.bundles.append(str(path))
        out.parts.append(results)
        out.problems += [f"{path}: {p}" for p in problems]
    return out


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(p for p in path.rglob(NAME) if p.is_file())
    elif path.exists():
        yield path
    else:
        raise HealerError(f"there is no {path}")


def _bundle(path: Path) -> tuple[list[HealingResult], list[str]]:
    """The proved heals of a bundle, or of the report that ``--heal-json`` writes; all are pending here, whatever became of them there."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BundleError(f"larger than {MOST_BYTES // 1_000_000} MB")
        results, problems = parse_bundle(path.read_bytes())
    except OSError as exc:
        raise BundleError(exc.strerror or str(exc)) from exc
    offered = [r for r in results if r.changes and r.decision.kind in (DecisionKind.PENDING, DecisionKind.APPLIED)]
    return [replace(r, decision=Decision(DecisionKind.PENDING, r.decision.rule)) for r in offered], problems


def _say(
    out: Output, read: _Read, found: Together, shown: Sequence[HealingResult], now: Together, left: Sequence[tuple[str, str]], bundle: Path
) -> None:
    rows: list[Line | str] = [line("  ", *card.head(masked(r))) for r in shown]
    total = f"{count(len(shown), 'heal')} of {count(len(read.bundles), 'bundle')}"
    if found.repeated:
        total += f", {found.repeated} of them found more than once"
    rows.append(line((total, {"bold": True}), f"  in {clean(str(bundle))}" if shown else ""))
    rows += [
        line("  ", ("one of two", {"yellow": True}), f": {clean(a.first)} and {clean(a.second)} edit the same place of {clean(a.path)}")
        for a in now.alternatives
    ]
    out.lines(rows)
    for problem in (*read.problems, *found.damaged):
        out.problem(problem)
    for healing_id, why in left:
        out.problem(f"left out  {clean(healing_id)}: {one_line(why)}")
