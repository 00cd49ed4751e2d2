"""stats, history (show, export, import, merge), forget: each takes the project's history and returns the exit code."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from pytest_maestro_healer.commands.output import Output, raw, titled
from pytest_maestro_healer.errors import HealerError
from pytest_maestro_healer.evidence.git import Git
from pytest_maestro_healer.evidence.redact import redacted
from pytest_maestro_healer.learn.entries import Entry, merged
from pytest_maestro_healer.learn.history import History, NewerVersion, decoded, encoded, header
from pytest_maestro_healer.learn.plot import picture
from pytest_maestro_healer.learn.summary import Summary, averaged, summary
from pytest_maestro_healer.learning import settle
from pytest_maestro_healer.report.text import Line, clean, count, line, one_line

OFF = "learning is off (heal_learning or heal_enable_cache is false): nothing is read or recorded"
#: A file of another machine that is larger than this is not read.
MOST_BYTES = 200_000_000
_MOST_ROWS = 40


def stats(history: History, root: Path, out: Output, plot: str | None) -> int:
    """Print what the history shows; with ``plot`` write the picture, too."""
    if not _on(history, out):
        return 0
    if plot and not plot.lower().endswith(".svg"):
        raise HealerError(f"--plot {plot}: the picture is SVG; give a name that ends in .svg")
    settle(history, Git(root))
    found = summary(history.entries())
    if plot:
        Path(plot).write_text(picture(found), encoding="utf-8")
    out.lines(_stats(found, history))
    if plot:
        out.lines([f"picture: {clean(plot)}"])
    out.notes(history.notes)
    out.document({"history": str(history.path), **found.to_dict(), "notes": history.notes})
    return 0


def _stats(found: Summary, history: History) -> list[Line | str]:
    rows: list[Line | str] = [titled(f"{count(found.records, 'record')} in {clean(str(history.path))}")]
    if not found.records:
        return [*rows, "pytest --heal records what it tries and what becomes of it"]
    decided = ", ".join(f"{n} {what.replace('_', ' ')}" for what, n in found.outcomes.items())
    rows.append(f"{count(found.attempts, 'candidate')} tried, {count(found.heals, 'heal')} proved" + (f"; {decided}" if decided else ""))
    if found.curve:
        means = averaged(found.curve)
        rows.append(f"attempts per heal, oldest to newest: {' '.join(f'{m:.2f}' for m in means)}")
    if found.green_files:
        rows.append(f"last green commits: {count(found.green_files, 'test file')}, {count(found.green_commits, 'commit')}")
    if found.rows:
        rows.append(line((f"{'strategy/tactic':44} {'pattern':20} {'good':>6} {'other':>6} {'rate':>5} {'kept':>5} {'lost':>5}", {"bold": True})))
    for r in found.rows[:_MOST_ROWS]:
        name = clean(f"{r.key[1]}/{r.key[2]}")[:44]
        t = r.tally
        rows.append(f"{name:44} {clean(r.key[0])[:20]:20} {t.good:6.1f} {t.bad:6.1f} {r.rate:5.2f} {t.kept:5.1f} {t.lost:5.1f}")
    if len(found.rows) > _MOST_ROWS:
        rows.append(f"... and {len(found.rows) - _MOST_ROWS} more (--json has all)")
    return rows


def show(history: History, root: Path, out: Output, limit: int) -> int:
    """Print the newest records that are about heals, oldest of them first."""
    if not _on(history, out):
        return 0
    settle(history, Git(root))
    entries = [e for e in history.entries() if e["t"] in ("attempt", "outcome")]
    chosen = [redacted(e) for e in (entries[-limit:] if limit > 0 else entries)]
    out.lines([titled(f"{count(len(entries), 'record')} about heals in {clean(str(history.path))}")])
    out.lines([_row(e) for e in chosen])
    out.notes(history.notes)
    out.document({"history": str(history.path), "records": chosen, "notes": history.notes})
    return 0


def _row(e: Entry) -> Line:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(max(0.0, min(float(e.get("at", 0.0)), 4e9))))
    what = e["what"].replace("_", " ") if e["t"] == "outcome" else " ".join(x for x in (e["result"], e["decision"]) if x)
    about = one_line(", ".join(e.get("tests", [])[:1]))
    name = clean(f"{e['strategy']}/{e['tactic']}")
    return line(f"  {when}  ", (f"{clean(e['id']):12}", {"bold": True}), f"  {clean(what):18}  ", (name, {"cyan": True}), f"  {about}")


def export(history: History, out: Output, target: str | None) -> int:
    """Write the history in one piece to ``target``, or to stdout."""
    if not _on(history, out):
        return 0
    entries = history.entries()
    data = encoded([header(), *entries])
    if target and target != "-":
        Path(target).write_bytes(data)
        out.lines([f"{count(len(entries), 'record')} written to {clean(target)}"])
        out.document({"written": target, "records": len(entries), "notes": history.notes})
    elif out.json:
        out.document({"records": entries, "notes": history.notes})
    else:
        raw(data)
    out.notes(history.notes)
    return 0


def take_in(history: History, out: Output, paths: Sequence[str]) -> int:
    """Add the records of other histories (CI shards, another machine) to this project's; those it has already are not taken twice."""
    if not _on(history, out):
        return 0
    if not paths:
        raise HealerError("history import: give the files to import")
    parts = [_read(p, out) for p in paths]
    before = len(history.entries())
    if not history.rewrite(lambda mine: merged(mine, *parts)):
        raise HealerError("; ".join(history.notes) or "the history could not be written")
    after = len(history.entries())
    out.lines([f"{count(sum(map(len, parts)), 'record')} read, {after - before} new, {after} in all"])
    out.notes(history.notes)
    out.document({"read": sum(map(len, parts)), "new": after - before, "records": after, "notes": history.notes})
    return 0


def merge(out: Output, paths: Sequence[str]) -> int:
    """Put several exported histories together into the first of ``paths``; the project's own is not touched."""
    if len(paths) < 2:
        raise HealerError("history merge: give the file to write and those to read: history merge OUT IN...")
    target, *sources = paths
    entries = merged(*(_read(p, out) for p in sources))
    Path(target).write_bytes(encoded([header(), *entries]))
    out.lines([f"{count(len(entries), 'record')} of {count(len(sources), 'file')} written to {clean(target)}"])
    out.document({"written": target, "records": len(entries)})
    return 0


def _read(path: str, out: Output) -> list[Entry]:
    where = Path(path)
    if where.stat().st_size > MOST_BYTES:
        raise HealerError(f"{path} is larger than {MOST_BYTES // 1_000_000} MB; that is no history")
    try:
        entries, damaged = decoded(where.read_bytes())
    except NewerVersion as exc:
        raise HealerError(f"{path} is of a newer {exc}; nothing was read") from exc
    if damaged and not entries:
        raise HealerError(f"{path} is no history of pytest-maestro-healer")
    if damaged:
        out.problem(f"note: {path}: {count(len(damaged), 'damaged line')} left out")
    return entries


def forget(history: History, out: Output, names: Sequence[str], everything: bool) -> int:
    """Remove the whole history, or what is about the given healing ids and tests."""
    if everything:
        there = history.forget()
        out.lines([f"{clean(str(history.path))} is removed" if there else "there is nothing to forget"])
        out.document({"forgotten": there, "notes": history.notes})
        return 0
    if not _on(history, out):
        return 0
    wanted = set(names)
    gone: list[Entry] = []

    def without(found: list[Entry]) -> list[Entry]:
        ids = {e["id"] for e in found if e["t"] == "attempt" and (e["id"] in wanted or wanted & set(e["tests"]))} | wanted
        gone.extend(e for e in found if e["t"] in ("attempt", "outcome") and e["id"] in ids)
        return [e for e in found if e not in gone]

    if history.path.exists() and not history.rewrite(without):
        raise HealerError("; ".join(history.notes) or "the history could not be written")
    out.lines([f"{count(len(gone), 'record')} removed"])
    out.notes(history.notes)
    out.document({"forgotten": len(gone), "notes": history.notes})
    return 0


def _on(history: History, out: Output) -> bool:
    if not history.enabled:
        out.lines([OFF])
        out.document({"off": OFF})
    return history.enabled
