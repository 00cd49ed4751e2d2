"""Puts a healing session together for one pytest run."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.session.capturing import Worker
from pytest_maestro_healer.session.given import given
from pytest_maestro_healer.session.healing import Healing
from pytest_maestro_healer.session.options import build


def register(config: pytest.Config) -> None:
    """Register the plugin object that fits this process: controller (or plain run), or xdist worker."""
    settings = build(config)
    files = project_files(config)
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(Worker(config, settings, files), "maestro-healer-worker")
        return
    healing = Healing(config, settings, files)
    job = given(config)
    if job is not None:
        healing.collecting.overlay.update(job.files)
        healing.collecting.overlay.install()
    config.pluginmanager.register(healing, "maestro-healer-session")


def project_files(config: pytest.Config) -> ProjectFiles:
    """The project as this pytest sees it."""
    files = ProjectFiles(
        config.rootpath,
        python_files=config.getini("python_files"),
        testpaths=[p for p in config.getini("testpaths") if not Path(p).is_absolute()],
    )
    job = given(config)
    if job is not None:
        files.overlay.update({files.relative(p): data for p, data in job.files.items()})
    return files
