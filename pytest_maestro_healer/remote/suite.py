"""A file or folder of tests, run with healing on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.errors import HealerError
from pytest_maestro_healer.remote.engine import run_job
from pytest_maestro_healer.remote.job import Job
from pytest_maestro_healer.remote.place import project_of


async def heal_suite(path: Path, config: HealerConfig, settings: frozenset[str], work: Path, seen: Callable[[Path], None]) -> dict[str, list[Any]]:
    """See :meth:`pytest_maestro_healer.api.AutonomousTestHealer.auto_heal_test_suite`; ``work`` is an empty folder; ``seen`` is told the project."""
    target = Path(os.path.abspath(path))  # noqa: PTH100 - as pytest, keeping symlinks
    if not target.exists():
        raise HealerError(f"there is no {path}")
    root = project_of(target, Path.cwd())
    seen(root)
    relative = target.relative_to(root).as_posix()
    # healing_timeout is for one heal; how long a suite takes is nobody's to say
    job = Job(root, () if relative == "." else (relative,), config, settings)
    try:
        answer, problem = await run_job(job, work, timeout=None)
    except OSError as exc:
        raise HealerError(f"pytest cannot be started in {root}: {exc.strerror or exc}") from exc
    if answer is None:
        raise HealerError(f"{path}: {problem}")
    results = answer.report.results
    opted_out = [r for r in results if r.decision.rule.startswith("opted out")]
    rest = [r for r in results if r not in opted_out]
    looked_at = {n for r in results for n in (*r.nodeids, r.test_id)}
    skipped = [{"test_id": r.test_id, "reason": r.decision.rule} for r in opted_out]
    note = "; ".join(answer.report.notes) or "the engine did not look at it"
    skipped += [{"test_id": f.nodeid, "reason": note} for f in answer.failures if f.nodeid not in looked_at]
    return {
        "successful_heals": [r for r in rest if r.success],
        "failed_heals": [r for r in rest if not r.success],
        "skipped_tests": skipped,
    }
