"""doctor: what is installed, what evidence is at hand, and what keeps heals from being found or written."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from pytest_maestro_healer import __version__
from pytest_maestro_healer.apply.paths import project_cache_dir
from pytest_maestro_healer.apply.store import Store
from pytest_maestro_healer.commands.checks import Check, evidence, last_run, settings
from pytest_maestro_healer.commands.output import Output
from pytest_maestro_healer.commands.root import configuration
from pytest_maestro_healer.config import HealerConfig, in_ci
from pytest_maestro_healer.errors import HealerError
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.report.text import count, line, one_line
from pytest_maestro_healer.session import forked
from pytest_maestro_healer.strategies import BUILTIN

_COLOURS = {"ok": "green", "note": "yellow", "problem": "red"}
#: Distribution -> what it is good for here.
_OPTIONAL = {
    "jinja2": 'the page of --heal-html: pip install "pytest-maestro-healer[html]"',
    "watchfiles": 'maestro-heal watch: pip install "pytest-maestro-healer[watch]"',
    "pytest-xdist": "tests in several processes",
    "pytest-rerunfailures": "repeated tests as evidence of flakiness",
    "pytest-timeout": "a limit for hanging tests",
    "pytest-json-report": "a result file for maestro-heal heal",
    "pytest-reportlog": "a result file for maestro-heal heal",
    "pytest-html": "diffs in its page's rows",
}


def doctor(out: Output, *, root: Path, cache_dir: str) -> int:
    """Print the diagnosis of the project at ``root``; returns 0 where nothing is a problem, else 1."""
    config = configuration(root, cache_dir)
    folder = project_cache_dir(root, cache_dir)
    checks = [*_installed(), *_project(root), *settings(root), *evidence(root, config), *_state(root, cache_dir), *last_run(folder)]
    for c in checks:
        out.lines([line(f"{c.name:<12} ", (f"{c.state:<7}", {_COLOURS[c.state]: True}), f" {one_line(c.text)}")])
    bad = [c for c in checks if c.state == "problem"]
    out.lines(["", f"{count(len(bad), 'problem')}. Why one test is not healed: maestro-heal explain NODEID"])
    out.document({"root": str(root), "checks": [vars(c) for c in checks], "problems": len(bad)})
    return 1 if bad else 0


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _installed() -> Iterator[Check]:
    yield Check("python", "ok", f"{platform.python_version()} ({sys.executable})")
    pytest = _version("pytest")
    old = pytest and int(pytest.partition(".")[0]) < 8
    yield Check("pytest", "problem" if not pytest or old else "ok", f"{pytest or 'not installed'}" + (": 8 or later is needed" if old else ""))
    known = {e.name for e in importlib.metadata.entry_points(group="pytest11")}
    if "maestro_healer" not in known:
        yield Check("plugin", "problem", f"{__version__}, but pytest does not find it: install pytest-maestro-healer into this environment")
    elif os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        yield Check("plugin", "note", f"{__version__}; PYTEST_DISABLE_PLUGIN_AUTOLOAD is set, so pytest needs -p maestro_healer")
    else:
        yield Check("plugin", "ok", __version__)
    libcst = _version("libcst")
    yield Check("libcst", "ok" if libcst else "problem", libcst or "not installed: imports cannot be edited")
    found = {name: version for name in _OPTIONAL if (version := _version(name))}
    missing = [f"{name} ({use})" for name, use in _OPTIONAL.items() if name not in found]
    yield Check("optional", "ok", ", ".join(f"{n} {v}" for n, v in found.items()) or "nothing of it is installed")
    for name in missing:
        yield Check("optional", "ok", f"not installed: {name}")
    if forked.known_safe():
        yield Check("proofs", "ok", "in forks of the session; mutants are tried")
    else:
        yield Check("proofs", "note", "in fresh processes, as forks are not safe on this system: slower; mutants are tried too")
    yield Check("strategies", "ok", ", ".join(BUILTIN))


def _project(root: Path) -> Iterator[Check]:
    files = ProjectFiles(root)
    tests, product = len(files.test_files), len(files.product_files)
    yield Check("root", "ok", str(root))
    yield Check("files", "ok" if tests else "problem", f"{count(tests, 'file')} of test code, {product} others" if tests else "no test code")
    if in_ci():
        yield Check("CI", "note", "yes: nothing is written without heal_apply_in_ci or maestro-heal heal --auto-fix")


def _state(root: Path, cache_dir: str) -> Iterator[Check]:
    folder = project_cache_dir(root, cache_dir)
    there = next(f for f in (folder, *folder.parents) if f.exists())
    if not os.access(there, os.W_OK | os.X_OK) or not there.is_dir():
        yield Check("state", "problem", f"{folder} cannot be written: no heal can be kept or applied (see heal_cache_dir)")
        return
    yield Check("state", "ok", str(folder))
    store = Store(root, HealerConfig(cache_dir=cache_dir))
    try:
        entries, applied = store.entries(), store.history()
    except HealerError as exc:
        yield Check("heals", "problem", str(exc))
        return
    stale = sum(bool(e.problem) for e in entries)
    text = f"{len(entries)} pending" + (f" ({stale} of them stale)" if stale else "") + f", {len(applied)} applied that can be rolled back"
    yield Check("heals", "note" if stale or store.notes else "ok", "; ".join([text, *store.notes]))
