"""One run of ``pytest --heal`` in a process of its own: its command, its job file, and what it answers."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from pytest_maestro_healer.config import API_NAMES, HealerConfig
from pytest_maestro_healer.errors import HealerError
from pytest_maestro_healer.model import Failure, HealingReport, HealingResult
from pytest_maestro_healer.report.json import read

#: As in :mod:`pytest_maestro_healer.session.given`, which imports pytest.
ENV = "MAESTRO_HEAL_GIVEN"
PLUGIN = "pytest_maestro_healer.session.given"
#: A test to run: (root-relative file or "", what follows the file in its nodeid or "").
Select = tuple[str, str]

#: Field of the configuration -> its ini key; those that have an option of their own are not here.
_INI = {
    "max_attempts": "heal_max_attempts",
    "timeout": "heal_timeout",
    "budget": "heal_budget",
    "validate_before_apply": "heal_validate_before_apply",
    "learning": "heal_learning",
    "enable_cache": "heal_enable_cache",
    "apply_in_ci": "heal_apply_in_ci",
    "cache_dir": "heal_cache_dir",
}


@dataclass(frozen=True)
class Job:
    """What to run: ``targets`` (files and folders, after other ``arguments`` of pytest) in ``root``.

    ``files`` (absolute path -> bytes) are served instead of the disk's. ``select`` narrows to single tests, ``fallback`` runs all where none of
    them exists; ``settings`` are the fields of :class:`~pytest_maestro_healer.config.HealerConfig` that are given, all others are the project's.
    A ``quiet`` run writes no report files and does not measure coverage, whatever the project's own arguments say; one ``alone`` needs no
    workers.
    """

    root: Path
    targets: tuple[str, ...]
    config: HealerConfig
    settings: frozenset[str] = frozenset()
    files: Mapping[str, bytes] = field(default_factory=dict)
    select: tuple[Select, ...] = ()
    fallback: bool = False
    arguments: tuple[str, ...] = ()
    quiet: bool = True
    alone: bool = False

    def command(self, work: Path, *, optional: bool = True) -> list[str]:
        """The command line; ``optional`` arguments are those that a project without the plugin in question would refuse."""
        c = self.config
        out = [sys.executable, "-m", "pytest", *self._plugins(), "--heal", f"--heal-apply={c.apply}", f"--heal-json={work / 'heal.json'}"]
        if "confidence_threshold" in self.settings:
            out.append(f"--heal-threshold={c.confidence_threshold}")
        if c.strategies:
            out.append(f"--heal-strategies={','.join(c.strategies)}")
        for f in fields(c):
            if f.name in _INI and f.name in self.settings:
                value = getattr(c, f.name)
                out += ["-o", f"{_INI[f.name]}={str(value).lower() if isinstance(value, bool) else value}"]
        if self.quiet:
            out += ["--maxfail=0", f"--basetemp={work / 'tmp'}"]
            out += self._silencers(work) if optional else []
        return [*out, *self.arguments, *self.targets]

    @staticmethod
    def _plugins() -> list[str]:
        # with autoloading switched off nobody else brings the plugin
        own = ["-p", "maestro_healer"] if os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD") else []
        return [*own, "-p", PLUGIN]

    def _silencers(self, work: Path) -> list[str]:
        out = [f"--junitxml={work / 'junit.xml'}", "-o", f"cache_dir={work / 'cache'}"]
        if not os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
            out += ["-n0"] if _installed("xdist") and self.alone else []
            out += ["--no-cov"] if _installed("pytest_cov") else []
            out += ["--json-report-file=none"] if _installed("pytest_jsonreport") else []
        return out

    def environment(self, work: Path) -> dict[str, str]:
        """The child's environment; writes the job file into ``work``."""
        job = {
            "files": {k: v.decode("latin-1") for k, v in self.files.items()},
            "select": [list(s) for s in self.select],
            "fallback": self.fallback,
            "out": str(work / "seen.json"),
        }
        (work / "job.json").write_text(json.dumps(job), encoding="utf-8")
        env = {**os.environ, ENV: str(work / "job.json")}
        if self.quiet:
            env["PYTHONDONTWRITEBYTECODE"] = "1"
        for key in ("PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_XDIST_TESTRUNUID"):
            env.pop(key, None)
        return env


@dataclass(frozen=True)
class Answer:
    """What a run said: the engine's ``report``, the ``failures`` it saw, ``outcomes`` by nodeid, and selected tests that are ``missing``.

    ``unserved`` files were asked for and never imported.
    """

    report: HealingReport
    failures: tuple[Failure, ...]
    outcomes: Mapping[str, str]
    missing: tuple[str, ...] = ()
    unserved: tuple[str, ...] = ()

    def heals(self, failure: Failure) -> list[HealingResult]:
        """The results that are about ``failure``, that of its file's collection first."""
        mine = [r for r in self.report.results if failure.nodeid in r.nodeids or r.test_id == failure.nodeid]
        return sorted(mine, key=lambda r: not r.collected)


def answer(work: Path) -> Answer | None:
    """What the run with the folder ``work`` wrote; ``None`` where it came to no end.

    Raises :class:`~pytest_maestro_healer.errors.HealerError` where it is damaged.
    """
    seen, report = work / "seen.json", work / "heal.json"
    if not seen.exists() or not report.exists():
        return None
    try:
        data: dict[str, Any] = json.loads(seen.read_text(encoding="utf-8"))
        failures = tuple(Failure.from_dict(f) for f in data["failures"])
        return Answer(read(report), failures, data["outcomes"], tuple(data["missing"]), tuple(data["unserved"]))
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise HealerError(f"the answer of the healing process is damaged: {exc}") from exc


def _installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def given_fields(config: Mapping[str, Any] | None) -> frozenset[str]:
    """The fields that a configuration of the Python API sets."""
    return frozenset(API_NAMES[k] for k in config or {} if k in API_NAMES)
