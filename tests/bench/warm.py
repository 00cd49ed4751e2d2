"""Caches the package's bytecode, as a user's first run does: pytest would rewrite its modules in each run of a benchmark that writes none."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

_TEST = """
import importlib, pkgutil
import pytest_maestro_healer as package

def test_all():
    for found in pkgutil.walk_packages(package.__path__, "pytest_maestro_healer."):
        if ".demo.project" not in found.name and not found.name.endswith("__main__"):
            importlib.import_module(found.name)
"""


def warm(source: str = "") -> None:
    """Load all modules of the package under pytest once; of the one in the folder ``source`` if given.

    Raises ``subprocess.CalledProcessError`` when that fails.
    """
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    if source:
        env["PYTHONPATH"] = source
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_all.py").write_text(_TEST, encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", folder, folder]
        subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True, timeout=300)
