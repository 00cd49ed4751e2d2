"""A case on the disk: its git repository, plain test runs, and what changed since."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .model import Files

GIT_ENV = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Author",
    "GIT_AUTHOR_EMAIL": "author@example.org",
    "GIT_COMMITTER_NAME": "Author",
    "GIT_COMMITTER_EMAIL": "author@example.org",
}
SKIP = {".git", "__pycache__", ".pytest_cache", ".hypothesis"}
RUN_TIMEOUT = 60


def environment(extra: Mapping[str, str] = {}) -> dict[str, str]:
    """The environment of all runs: nothing of CI or of the caller's pytest shows."""
    drop = {"CI", "BUILD_NUMBER", "GITHUB_ACTIONS", "PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "PYTHONPATH", "FORCE_COLOR", "PY_COLORS"}
    kept = {k: v for k, v in os.environ.items() if k not in drop}
    return {**kept, **GIT_ENV, "PYTHONDONTWRITEBYTECODE": "1", **extra}


def run(command: Sequence[str], cwd: Path, env: Mapping[str, str], timeout: float) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with all processes that it starts. Raises :class:`subprocess.TimeoutExpired` when that takes too long."""
    with subprocess.Popen(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True
    ) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)


@dataclass(frozen=True)
class Run:
    """What a plain run of pytest said."""

    exit: int
    outcomes: Mapping[str, str] = field(default_factory=dict)
    called: frozenset[tuple[str, int]] = frozenset()
    output: str = ""

    @property
    def passed(self) -> int:
        """How many passed."""
        return sum(o == "passed" for o in self.outcomes.values())

    @property
    def red(self) -> tuple[str, ...]:
        """What failed, tests and modules."""
        return tuple(n for n, o in self.outcomes.items() if o == "failed")

    @property
    def green(self) -> bool:
        """Whether something passed and nothing failed."""
        return self.exit == 0 and self.passed > 0 and not self.red


class Project:
    """One copy of a host in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def lay(self, files: Files) -> None:
        """Write ``files`` over what is there; ``None`` deletes."""
        for path, data in files.items():
            target = self.folder / path
            if data is None:
                target.unlink(missing_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)

    def git(self, *arguments: str) -> None:
        """Run git, quietly."""
        subprocess.run(["git", *arguments], cwd=self.folder, env=environment(), check=True, capture_output=True, timeout=60)

    def commit(self, message: str) -> None:
        """Commit everything."""
        if not (self.folder / ".git").exists():
            self.git("init", "-q", "--template=", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def copy(self, folder: Path) -> Project:
        """Another copy, history included."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        return Project(folder)

    def snapshot(self) -> dict[str, bytes]:
        """Every file with its bytes; git's own and caches left out."""
        out = {}
        for folder, dirs, names in os.walk(self.folder):
            dirs[:] = [d for d in dirs if d not in SKIP]
            for name in names:
                path = Path(folder, name)
                out[path.relative_to(self.folder).as_posix()] = path.read_bytes()
        return out

    def test(self, paths: Sequence[str] = (), env: Mapping[str, str] = {}, cwd: str = ".", trace: str = "") -> Run:
        """Run pytest in a fresh process without the healer."""
        here = Path(__file__).resolve().parents[1]
        with tempfile.TemporaryDirectory() as name:
            out = Path(name, "probe.json")
            extra = {"FAULTS_PROBE": str(out), "PYTHONPATH": str(here), **env}
            if trace:
                extra["FAULTS_TRACE"] = str(self.folder / trace)
            plugins = ["no:maestro_healer", "no:cacheprovider", "no:hypothesispytest", "no:xdist", "no:rerunfailures", "faults.probe"]
            command = [sys.executable, "-m", "pytest", "-q", "--no-header", *(x for p in plugins for x in ("-p", p))]
            command += [os.path.relpath(self.folder / p, self.folder / cwd) for p in paths]
            try:
                done = run(command, self.folder / cwd, environment(extra), RUN_TIMEOUT)
            except subprocess.TimeoutExpired:
                return Run(-1, {"<timeout>": "failed"})
            if not out.exists():
                return Run(done.returncode, {"<start>": "failed"}, output=done.stdout + done.stderr)
            data = json.loads(out.read_text(encoding="utf-8"))
        prefix = str(self.folder) + os.sep
        called = frozenset((p.removeprefix(prefix).replace(os.sep, "/"), line) for p, line in data["called"])
        return Run(data["exit"], data["outcomes"], called, done.stdout + done.stderr)


def changed(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[str]:
    """Paths that differ between two snapshots."""
    return sorted(p for p in before.keys() | after.keys() if before.get(p) != after.get(p))
