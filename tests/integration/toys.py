"""Projects for the tests of the session: a pytest in a temporary folder, and a toy strategy whose heals are known beforehand.

The strategy is a plugin module of the project (``-p toyheal``), so that it is there before any conftest, in xdist workers too. It replaces
texts of the failing file by others, ``SWAPS`` says which.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer.apply.store import Store
from pytest_maestro_healer.config import HealerConfig

PLUGIN = """
from pytest_maestro_healer.model import Applicability, Evidence, Proposal
from pytest_maestro_healer.strategies.base import Strategy, Tactic

SWAPS = {swaps!r}
EVERYWHERE = {everywhere!r}
SYMPTOM = {symptom!r}


class Swap(Tactic):
    name = "swap"
    summary = "Replaces one text by another."
    applicability = Applicability.{applicability}

    def propose(self, failure, ctx):
        where = failure.location.path if failure.location else failure.path
        for old, new in SWAPS:
            paths = [s.path for s in ctx.test_files_with(old)] if EVERYWHERE else [where, failure.path]
            edits = []
            for path in dict.fromkeys(paths):
                src = ctx.source(path)
                at = src.text.find(old) if src is not None and path != "toyheal.py" else -1
                while at >= 0:
                    edits.append(src.replace(at, at + len(old), new))
                    at = src.text.find(old, at + len(old))
            if edits:
                touched = {{e.path for e in edits}}
                yield Proposal("toy", "swap", tuple(edits), (Evidence("toy", "the table says so", "", 0.95),), self.applicability,
                               f"{{old!r}} is {{new!r}} now", nodeids=tuple(f.nodeid for f in ctx.failures if f.path in touched),
                               meaning=f"{{old}}->{{new}}", cause_key=old, score=0.9)


class Toy(Strategy):
    name = "toy"
    symptom = SYMPTOM
    tactics = (Swap(),)


def pytest_heal_strategies(config):
    return [Toy()]
"""

LIB = "def new_name(x=1):\n    return x + 1\n\n\nVALUE = 2\n"
#: Plugins that would only cost time here, or leave files behind.
_QUIET = ("-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:hypothesispytest")
OLD, NEW = "lib.old_name(", "lib.new_name("
BROKEN = "import lib\n\n\ndef test_call():\n    assert lib.old_name(1) == 2\n"
HEALED = BROKEN.replace(OLD, NEW)


@dataclass
class Run:
    """One run: its exit code, what it printed, and the healing report as a dict (empty where none was written)."""

    ret: int
    text: str
    report: Mapping[str, Any]

    @property
    def results(self) -> Sequence[Mapping[str, Any]]:
        """The results of the healing phase."""
        return self.report.get("results", ())

    @property
    def notes(self) -> str:
        """The notes, as one text."""
        return "\n".join(self.report.get("notes", ()))

    def kinds(self) -> dict[str, str]:
        """Test id -> what became of its heal."""
        return {r["test_id"]: r["decision"]["kind"] for r in self.results}

    def one(self) -> Mapping[str, Any]:
        """The only result."""
        assert len(self.results) == 1, [r["test_id"] for r in self.results] or self.text
        return self.results[0]

    def counts(self) -> str:
        """Pytest's own last line of counts, without the time."""
        lines = [
            ln.strip("= ")
            for ln in self.text.splitlines()
            if " in " in ln and ("passed" in ln or "failed" in ln or "error" in ln or "no tests" in ln)
        ]
        return lines[-1].rpartition(" in ")[0] if lines else ""


class Suite:
    """A project in ``pytester``'s folder with the toy strategy in it."""

    def __init__(self, pytester: pytest.Pytester, outside: Path) -> None:
        self.pytester = pytester
        self.path = pytester.path
        self.outside = outside
        self.toy()
        self.write({"lib.py": LIB})

    def toy(self, *swaps: tuple[str, str], everywhere: bool = False, symptom: bool = False, applicability: str = "SAFE", extra: str = "") -> None:
        """Write the strategy: pairs of (old, new) text."""
        text = PLUGIN.format(swaps=list(swaps) or [(OLD, NEW)], everywhere=everywhere, symptom=symptom, applicability=applicability)
        self.write({"toyheal.py": text + extra})

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files; text as UTF-8 with its newlines as they are."""
        for name, text in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode() if isinstance(text, str) else text)

    def read(self, name: str) -> bytes:
        """A file's bytes."""
        return (self.path / name).read_bytes()

    @property
    def arguments(self) -> list[str]:
        """The arguments of every healing run here."""
        return ["-p", "toyheal", "--heal-strategies=toy", *_QUIET, f"--heal-json={self.outside / 'heal.json'}"]

    def heal(self, *args: str, heal: Sequence[str] = ("--heal",), fresh: bool = False) -> Run:
        """Run in this process; ``fresh`` with the confirmation in a fresh process: it takes most of the time, without it nothing is applied."""
        self._forget()
        confirm = () if fresh else ("-o", "heal_fresh_confirm=false")
        return self._inprocess(*self.arguments, *heal, *confirm, *args)

    def spawn(self, *args: str, heal: Sequence[str] = ("--heal",), env: Mapping[str, str] | None = None) -> Run:
        """Run in a process of its own."""
        self._forget()
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *self.arguments, *heal, *args],
            cwd=self.path, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        return Run(done.returncode, done.stdout + done.stderr, self._report())

    def bare(self, *args: str) -> Run:
        """Run in this process with nothing but ``args``: what the ini file says holds."""
        self._forget()
        return self._inprocess(*_QUIET, *args)

    def plain(self, *args: str) -> Run:
        """Run in this process without the plugin."""
        self._forget()
        return self._inprocess("-p", "no:maestro_healer", *_QUIET, *args)

    def _inprocess(self, *args: str) -> Run:
        with warnings.catch_warnings():
            warnings.resetwarnings()  # our own "error" is not the project's
            result = self.pytester.runpytest_inprocess(*args)
        return Run(int(result.ret), "\n".join([*result.outlines, *result.errlines]), self._report())

    def _forget(self) -> None:
        (self.outside / "heal.json").unlink(missing_ok=True)

    def _report(self) -> Mapping[str, Any]:
        path = self.outside / "heal.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    @property
    def store(self) -> Store:
        """The healing state of the project."""
        return Store(self.path, HealerConfig())

    def tree(self) -> dict[str, tuple[int, bytes]]:
        """Every file and folder below the project: modification time in ns and bytes."""
        found = [self.path, *sorted(self.path.rglob("*"))]
        return {p.relative_to(self.path).as_posix(): (p.lstat().st_mtime_ns, p.read_bytes() if p.is_file() else b"") for p in found}
