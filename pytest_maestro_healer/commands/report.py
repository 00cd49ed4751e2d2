"""report: the page and the SARIF log without a test run, of this project's heals or of files that ``--heal-json`` wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pytest_maestro_healer import __version__
from pytest_maestro_healer.apply.patch import git_prefix
from pytest_maestro_healer.apply.store import Store, described
from pytest_maestro_healer.commands.output import Output
from pytest_maestro_healer.errors import HealerError
from pytest_maestro_healer.learn.history import History
from pytest_maestro_healer.learn.summary import summary
from pytest_maestro_healer.model import Decision, HealingReport, HealingResult
from pytest_maestro_healer.report import html as page
from pytest_maestro_healer.report import json as report_json
from pytest_maestro_healer.report import sarif
from pytest_maestro_healer.report.text import clean, count
from pytest_maestro_healer.strategies import load


def report(store: Store, history: History, out: Output, *, folder: Path, files: Sequence[str], to_html: str | None, to_sarif: str | None) -> int:
    """Write the asked-for reports; paths are relative to ``folder``.

    Without ``files`` they show what is pending and applied here; several files (of CI shards) are put together. Returns 0. Raises
    :class:`~pytest_maestro_healer.errors.HealerError` for a file that cannot be read or written, before anything is written where it can be told.
    """
    if to_html:
        page.check_available("report --html")
    shown = _read([folder / f for f in files]) if files else _here(store)
    if to_html:
        figures = summary(history.entries()).to_dict() if history.enabled else None
        page.write(shown, folder / to_html, history=figures, project=store.root.name)
    if to_sarif:
        summaries = {f"{s.name}/{t.name}": t.summary for s in load() for t in s.tactics}
        sarif.write(shown, folder / to_sarif, prefix=git_prefix(store.root), summaries=summaries)
    written = [path for path in (to_html, to_sarif) if path]
    out.lines([f"{count(len(shown.results), 'result')} in {clean(path)}" for path in written])
    out.notes(store.notes)
    out.document({"results": len(shown.results), "written": written, "notes": store.notes})
    return 0


def _read(files: Sequence[Path]) -> HealingReport:
    parts = [report_json.read(f) for f in files]
    # what a file says is not believed: shown are the changes it holds, as they would be written
    results = {(r.healing_id, r.test_id): described(r) for part in parts for r in part.results}
    return replace(
        parts[0],
        results=tuple(results.values()),
        failures=sum(p.failures for p in parts),
        seconds=sum(p.seconds for p in parts),
        notes=tuple(dict.fromkeys(n for p in parts for n in p.notes)),
    )


def _here(store: Store) -> HealingReport:
    pending = [
        replace(described(e.result), decision=Decision(e.result.decision.kind, f"stale: {e.problem}")) if e.problem else described(e.result)
        for e in store.entries()
    ]
    applied: list[HealingResult] = []
    for heal in store.history():
        try:
            applied.append(store.find(heal.healing_id)[0])
        except HealerError as exc:
            store.notes.append(f"{heal.healing_id} is left out: {exc}")
    results = (*pending, *applied)
    return HealingReport(results, len({n for r in results for n in r.nodeids}), notes=tuple(store.notes), version=__version__)
