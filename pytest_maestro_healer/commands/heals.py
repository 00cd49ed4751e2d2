"""list, show, diff, accept, reject, rollback, review: each takes a store and returns the exit code.

What is read is masked (:mod:`~pytest_maestro_healer.evidence.redact`), what is applied stays exact: ``diff`` prints the edit as it is.
0: done and nothing left; 1: heals are pending, or something failed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pytest_maestro_healer.apply.ids import match_id
from pytest_maestro_healer.apply.patch import combined, git_prefix, patch_of
from pytest_maestro_healer.apply.store import AppliedHeal, ApplyOutcome, PendingEntry, Store, described
from pytest_maestro_healer.commands.output import Output, is_tty, raw, titled
from pytest_maestro_healer.errors import HealerError
from pytest_maestro_healer.evidence.redact import masked_record, redact, redacted, shown
from pytest_maestro_healer.model import HealingResult
from pytest_maestro_healer.report import card
from pytest_maestro_healer.report.text import Line, clean, count, line, one_line

_STATUS = {"applied": "green", "rejected": "yellow", "rolled_back": "yellow", "stale": "red", "failed": "red"}


def list_heals(store: Store, out: Output) -> int:
    """Print what is pending and what is applied."""
    entries, applied = store.entries(), store.history()
    rows: list[Line | str] = [titled(f"{count(len(entries), 'heal')} pending in {clean(str(store.root))}")]
    for e in entries:
        seen = shown(e.result)
        rows.append(line("  ", *card.head(seen)))
        rows += [line("  ", *row) for row in card.why(seen)]
        if e.problem:
            rows.append(line("    ", ("stale", {"red": True}), f": {one_line(redact(e.problem))}"))
    if applied:
        rows.append(titled(f"{count(len(applied), 'heal')} applied"))
        rows += [_applied_line(a) for a in applied]
    rows += _next(store, [e for e in entries if not e.problem], bool(applied))
    out.lines(rows)
    out.notes(store.notes)
    out.document(
        {
            "root": str(store.root),
            "bundle": str(store.bundle),
            "patch": str(store.patch),
            "pending": [_brief(e) for e in entries],
            "applied": [redacted({k: v for k, v in a.to_dict().items() if k != "result"}) for a in applied],
            "notes": redacted(store.notes),
        }
    )
    return 1 if entries else 0


def _applied_line(a: AppliedHeal) -> Line:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(max(0.0, min(a.at, 4e9))))
    return line("  ", (clean(a.healing_id), {"bold": True}), f"  {when}  ", (clean(a.strategy), {"cyan": True}), f"  {clean(redact(a.test_id))}")


def _next(store: Store, ready: Sequence[PendingEntry], applied: bool) -> list[Line | str]:
    commands = []
    if ready:
        commands.append(("accept one:", f"maestro-heal accept {clean(ready[0].result.healing_id)}"))
        if len(ready) > 1:
            commands.append(("accept all:", "maestro-heal accept --all"))
        commands += [("one by one:", "maestro-heal review"), ("or with git:", f"git apply {clean(str(store.patch))}")]
    if applied:
        commands.append(("undo:", "maestro-heal rollback --last"))
    return [line(label.ljust(14), (command, {"bold": True})) for label, command in commands]


def _brief(e: PendingEntry) -> dict[str, Any]:
    record = masked_record(replace(e.result, changes=(), original_code="", healed_code=""))
    for key in ("changes", "original_code", "healed_code"):
        del record[key]
    return {**record, "files": list(e.result.files), "stale": redact(e.problem) or None, "rebased": e.rebased, "fresh": card.fresh(e.result)}


def show(store: Store, out: Output, given: str) -> int:
    """Print all that is known about one heal."""
    result, state, problem = store.find(given)
    seen, problem = shown(result), redact(problem)
    rows: list[Line | str] = [card.head(seen), *card.why(seen)]
    rows.append(line("  state: ", (problem or state, {"red" if problem else "green": True})))
    rows += [*card.evidence(seen), *card.diff(seen.diff)]
    out.lines(rows)
    out.notes(store.notes)
    out.document({**masked_record(result), "state": state, "stale": problem or None})
    return 0


def diff(store: Store, out: Output, ids: Sequence[str]) -> int:
    """Print the diff of the given heals (all pending ones without any); into a pipe or file the exact bytes, for ``git apply``."""
    if ids:
        results = [store.find(i)[0] for i in ids]
    else:
        results = [described(r) for r in store.pending()]
    if out.json:
        out.document({"diffs": {r.healing_id: r.diff for r in results}, "notes": store.notes})
        return 0
    out.notes(store.notes)
    if is_tty(sys.stdout) or out.color:
        for r in results:
            out.lines(card.diff(r.diff))
        return 0
    prefix = git_prefix(store.root)
    data, left_out = (patch_of(results[0], prefix), ()) if len(results) == 1 else combined(results, prefix)
    raw(data)
    for healing_id in left_out:
        out.problem(f"{healing_id} is left out: it clashes with another heal in this patch")
    return 0


def accept(store: Store, out: Output, ids: Sequence[str], everything: bool) -> int:
    """Write the given pending heals, or all."""
    chosen = [r.healing_id for r in store.pending()] if everything else list(ids)
    known = {r.healing_id: r for r in store.pending()}
    outcomes = store.accept(chosen)
    for o in outcomes:
        if o.status == "applied" and o.healing_id in known and not card.fresh(known[o.healing_id]):
            store.notes.append(f"{o.healing_id} was not confirmed in a fresh process; run its tests now")
    return _report(store, out, outcomes)


def reject(store: Store, out: Output, ids: Sequence[str], everything: bool) -> int:
    """Drop the given pending heals, or all, and never propose them again."""
    return _report(store, out, store.reject([e.result.healing_id for e in store.entries()] if everything else ids))


def rollback(store: Store, out: Output, ids: Sequence[str], last: bool) -> int:
    """Undo the given applied heals, newest first, or all that the last command or run applied."""
    if last:
        outcomes = store.rollback()
    else:
        order = {a.healing_id: n for n, a in enumerate(store.history())}
        chosen = {match_id(i, order) for i in ids}
        outcomes = [o for i in sorted(chosen, key=lambda i: -order[i]) for o in store.rollback(i)]
    _report(store, out, outcomes)
    return 0 if all(o.ok for o in outcomes) else 1


def _report(store: Store, out: Output, outcomes: Sequence[ApplyOutcome]) -> int:
    left = store.entries()
    for o in outcomes:
        text = f"{clean(o.healing_id)}  {clean(', '.join(o.files))}" + (f"  ({one_line(o.message)})" if o.message else "")
        if o.ok:
            out.lines([line((o.status.replace("_", " "), {_STATUS[o.status]: True}), f"  {text}")])
        else:
            out.problem(f"{o.status}  {text}")
    if not outcomes:
        out.lines(["nothing to do"])
    if left:
        out.lines([f"{count(len(left), 'heal')} pending: maestro-heal list"])
    out.notes(store.notes)
    told = [redacted(o.to_dict()) for o in outcomes]
    out.document({"outcomes": told, "pending": [e.result.healing_id for e in left], "notes": redacted(store.notes)})
    return 1 if left or not all(o.ok for o in outcomes) else 0


def review_heals(store: Store, out: Output) -> int:
    """Ask for each pending heal; without a terminal only print them and the equivalent commands."""
    from pytest_maestro_healer.report.review import open_editor, review

    results = [described(r) for r in store.pending()]
    if not results or out.json or not (is_tty(sys.stdin) and is_tty(sys.stdout)):
        return _print_all(store, out, results)
    decided = review(results, ask=input, out=print, color=out.color, edit=open_editor)
    outcomes = [*store.apply(decided.accepted), *store.reject(decided.rejected)]
    return _report(store, out, outcomes)


def _print_all(store: Store, out: Output, results: Sequence[HealingResult]) -> int:
    if out.json:
        return list_heals(store, out)
    for n, r in enumerate(map(shown, results)):
        out.lines([line(f"[{n + 1}/{len(results)}] ", *card.head(r)), *card.why(r), *card.diff(r.diff)])
        out.lines([f"maestro-heal accept {clean(r.healing_id)}", f"maestro-heal reject {clean(r.healing_id)}", ""])
    out.notes(store.notes)
    if not results:
        out.lines(["nothing to review"])
    return 1 if store.entries() else 0


def recover(store: Store) -> None:
    """Repair what a crash left, before anything else; an unwritable cache is noted."""
    try:
        store.recover()
    except HealerError as exc:
        store.notes.append(str(exc))
