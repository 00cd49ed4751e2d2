"""The reports that are written to files: asked for by options, and never a reason for another exit code."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.errors import HealerError
from pytest_maestro_healer.model import HealingReport

#: The figures of the project's history, ``None`` where learning is off.
History = Callable[[], Mapping[str, Any] | None]


def write_reports(report: HealingReport, settings: HealerConfig, folder: Path, root: Path, history: History = lambda: None) -> list[str]:
    """Write what the options ask for; a line for each file that could not be written.

    Paths are relative to ``folder``, ``root`` is the project's.
    """
    out = []
    for option, path, write in (
        ("--heal-json", settings.json_path, _json),
        ("--heal-html", settings.html_path, _html),
        ("--heal-sarif", settings.sarif_path, _sarif),
    ):
        if path:
            try:
                write(report, folder / path, root, history)
            except (OSError, HealerError) as exc:
                out.append(f"{option}: cannot write {path}: {exc}")
            except Exception as exc:  # a report of ours must not cost the user the run
                out.append(f"{option}: {path} was not written ({type(exc).__name__}: {exc})")
    if settings.enable_cache:
        _remember(report, settings, root)
    return out


def _remember(report: HealingReport, settings: HealerConfig, root: Path) -> None:
    """For ``maestro-heal doctor``; where the cache cannot be used the run goes without, as the heals' own store says so."""
    from pytest_maestro_healer.apply.paths import ensure_cache_dir, project_cache_dir
    from pytest_maestro_healer.report import last

    folder = project_cache_dir(root, settings.cache_dir)
    with contextlib.suppress(OSError, HealerError):
        if report.failures or report.results:
            ensure_cache_dir(folder)
            last.remember(report, folder)
        else:
            last.forget(folder)


def _json(report: HealingReport, path: Path, root: Path, history: History) -> None:
    from pytest_maestro_healer.report import json

    json.write(report, path)


def _html(report: HealingReport, path: Path, root: Path, history: History) -> None:
    from pytest_maestro_healer.report import html

    html.write(report, path, history=history(), project=root.name)


def _sarif(report: HealingReport, path: Path, root: Path, history: History) -> None:
    from pytest_maestro_healer.apply.patch import git_prefix
    from pytest_maestro_healer.report import sarif
    from pytest_maestro_healer.strategies import load

    summaries = {f"{s.name}/{t.name}": t.summary for s in load() for t in s.tactics} if report.results else {}
    sarif.write(report, path, prefix=git_prefix(root), summaries=summaries)
