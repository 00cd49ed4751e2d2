"""``maestro-heal run``: pytest with healing on, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pytest_maestro_healer.errors import HealerError

_NO_REPORT = '{"schema": 1, "results": [], "notes": ["pytest wrote no healing report"]}\n'


def run_pytest(args: Sequence[str], *, folder: Path, root: Path | None = None, json: bool = False) -> int:
    """Run ``pytest --heal`` with ``args`` in ``folder``; 0 when all passed, 1 when tests failed or heals are pending, 2 for anything else.

    With ``json`` pytest's own output goes to stderr and the healing report to stdout. Raises
    :class:`~pytest_maestro_healer.errors.HealerError` when pytest cannot be started.
    """
    command = [sys.executable, "-m", "pytest", "--heal"]
    if root is not None:
        command.append(f"--rootdir={root}")
    if not json:
        return _code(_call([*command, *args], folder, None))
    with tempfile.TemporaryDirectory(prefix="maestro-heal-") as scratch:
        report = Path(scratch, "report.json")
        done = _call([*command, f"--heal-json={report}", *args], folder, 2)
        text = report.read_text(encoding="utf-8") if report.is_file() else _NO_REPORT
        sys.stdout.write(text)
    return _code(done)


def _call(command: Sequence[str], folder: Path, stdout: int | None) -> int:
    try:
        return subprocess.run(command, cwd=folder, stdout=stdout, env=dict(os.environ), check=False).returncode
    except OSError as exc:
        raise HealerError(f"pytest cannot be started in {folder}: {exc.strerror or exc}") from exc


def _code(status: int) -> int:
    return status if status in (0, 1) else 2
