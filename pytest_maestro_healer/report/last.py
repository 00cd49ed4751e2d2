"""What became of the failures of the last healing run, kept in short for ``maestro-heal doctor``: why nothing, or not all, was healed."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_maestro_healer.evidence.redact import for_display
from pytest_maestro_healer.model import HealingReport
from pytest_maestro_healer.report.files import write_whole
from pytest_maestro_healer.report.terminal import refusal

#: Results that are kept; more tell a reader nothing more.
MOST = 50
_NAME = "last.json"
_SCHEMA = 1


def remember(report: HealingReport, folder: Path) -> None:
    """Write the summary of ``report`` into ``folder``, secrets masked; raises :class:`~pytest_maestro_healer.errors.HealerError`."""
    seen = for_display(report)
    results = [{"test_id": r.test_id, "kind": str(r.decision.kind), "reason": refusal(r)} for r in seen.results[:MOST]]
    data = {"schema": _SCHEMA, "at": round(time.time()), "failures": report.failures, "results": results, "notes": list(seen.notes[:MOST])}
    write_whole(folder / _NAME, json.dumps(data, indent=1).encode("ascii"))
    (folder / _NAME).chmod(0o600)  # as the rest of the state


def forget(folder: Path) -> None:
    """There is nothing to tell any more: the last run had no failure."""
    (folder / _NAME).unlink(missing_ok=True)


def recall(folder: Path) -> Mapping[str, Any] | None:
    """The summary in ``folder``: ``at``, ``failures``, ``results`` (``test_id``, ``kind``, ``reason``), ``notes``.

    ``None`` without a readable one.
    """
    try:
        data = json.loads((folder / _NAME).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or data.get("schema") != _SCHEMA or not isinstance(data.get("at"), (int, float)):
        return None
    rows = data.get("results")
    keys = ("test_id", "kind", "reason")
    good = [r for r in rows if isinstance(r, dict) and all(isinstance(r.get(k), str) for k in keys)] if isinstance(rows, list) else []
    notes = [n for n in data.get("notes", ()) if isinstance(n, str)] if isinstance(data.get("notes"), list) else []
    failures = data.get("failures")
    return {"at": data["at"], "failures": failures if isinstance(failures, int) else len(good), "results": good, "notes": notes}
