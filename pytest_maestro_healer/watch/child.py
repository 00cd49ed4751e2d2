"""One round's pytest: its command, its job file, and what it answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_maestro_healer.errors import BundleError, HealerError
from pytest_maestro_healer.model import HealingReport
from pytest_maestro_healer.remote import process
from pytest_maestro_healer.report.json import read
from pytest_maestro_healer.watch.board import Outcome, Plan

#: As in :mod:`pytest_maestro_healer.session.watched`, which imports pytest.
ENV = "MAESTRO_HEAL_WATCHED"
PLUGIN = "pytest_maestro_healer.session.watched"
#: Seconds that an interrupted round has to come to its end: a heal that is being written is written wholly, or not at all.
GRACE = 10.0
_STDERR = 2


@dataclass(frozen=True)
class Project:
    """What is watched: ``root``, where pytest is started (``folder``), with which ``arguments``; ``rootdir`` is pytest's, where given."""

    root: Path
    folder: Path
    arguments: tuple[str, ...] = ()
    rootdir: Path | None = None

    @property
    def report(self) -> Path | None:
        """Where the user wants ``--heal-json``, which the watch needs for itself."""
        found = None
        for i, arg in enumerate(self.arguments):
            if arg.startswith("--heal-json="):
                found = arg.partition("=")[2]
            elif arg == "--heal-json" and i + 1 < len(self.arguments):
                found = self.arguments[i + 1]
        return self.folder / found if found else None


class Child:
    """A running round; ``work`` is an empty folder for it."""

    def __init__(self, running: asyncio.subprocess.Process, work: Path) -> None:
        self.running = running
        self.work = work

    @classmethod
    async def start(cls, project: Project, plan: Plan, keep: Collection[str], work: Path, *, stdout: Literal["out", "err"]) -> Child:
        """Start ``pytest --heal`` on what is due; ``keep`` are files that are collected whatever is due.

        Raises :class:`~pytest_maestro_healer.errors.HealerError` when pytest cannot be started.
        """
        job = {
            "root": str(project.root),
            "parent": os.getpid(),
            "files": None if plan.files is None else sorted({*plan.files, *keep}),
            "first": list(plan.first),
            "begun": str(work / "begun"),
            "out": str(work / "seen.json"),
        }
        (work / "job.json").write_text(json.dumps(job), encoding="utf-8")
        env = {**os.environ, ENV: str(work / "job.json")}
        command = [sys.executable, "-m", "pytest", *_own_plugin(), "-p", PLUGIN, "--heal"]
        command += [f"--rootdir={project.rootdir}"] if project.rootdir is not None else []
        command += [*_split(project.arguments, f"--heal-json={work / 'heal.json'}")]
        try:
            running = await asyncio.create_subprocess_exec(
                *command,
                cwd=project.folder,
                env=env,
                stdout=_STDERR if stdout == "err" else None,
                start_new_session=os.name == "posix",
            )
        except OSError as exc:
            raise HealerError(f"pytest cannot be started in {project.folder}: {exc.strerror or exc}") from exc
        return cls(running, work)

    async def stop(self) -> None:
        """Interrupt the round as Ctrl-C does, and wait for its end; what does not end is killed, with all that it started."""
        if not (self.work / "begun").exists():
            self.kill()  # no test has been collected yet; an interrupted import would only print its traceback
        await process.stop(self.running, GRACE)

    def kill(self) -> None:
        """End it at once."""
        if self.running.returncode is not None:
            return
        with contextlib.suppress(OSError):
            if os.name == "posix":
                os.killpg(self.running.pid, signal.SIGKILL)
            else:
                self.running.kill()

    @property
    def state(self) -> Path | None:
        """The folder with the journal of this round, once it is known."""
        try:
            text = (self.work / "begun").read_text(encoding="utf-8")
        except OSError:
            return None
        return Path(text) if text else None

    def answer(self) -> tuple[Outcome, HealingReport] | None:
        """What the round showed; ``None`` where it came to no end."""
        try:
            seen = Outcome.of(json.loads((self.work / "seen.json").read_text(encoding="utf-8")))
            return seen, read(self.work / "heal.json")
        except (OSError, ValueError, KeyError, TypeError, BundleError):
            return None


def _own_plugin() -> list[str]:
    # with autoloading switched off nobody else brings the plugin
    return ["-p", "maestro_healer"] if os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD") else []


def _split(arguments: Sequence[str], option: str) -> list[str]:
    """``arguments`` with ``option`` as their last option: before a ``--`` that ends pytest's options."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return [*arguments[:at], option, *arguments[at:]]
