"""Run tests in a fresh process of the same interpreter, with the user's own options and healed sources served there."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.experiments import Conditions
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.evidence.nodeids import file_of, is_test, without_params
from pytest_maestro_healer.model import Failure
from pytest_maestro_healer.prove.runner import RunReport, TestResult
from pytest_maestro_healer.session import wire
from pytest_maestro_healer.session.child import ENV
from pytest_maestro_healer.session.ledger import known
from pytest_maestro_healer.session.proposing import question

#: Seconds that a fresh process may take to start, besides the time for what it is asked.
START = 20.0

_DROP_FLAGS = {"--pdb", "--trace", "--lf", "--last-failed", "--ff", "--failed-first", "--nf", "--sw", "--stepwise", "--heal", "--heal-review",
               "--heal-isolate", "--co", "--collect-only", "-x", "--exitfirst", "--sw-skip", "--stepwise-skip", "--cache-clear"}  # fmt: skip
_DROP_VALUED = ("--heal-", "--maxfail", "--basetemp", "--junitxml", "--junit-xml", "--html", "--json-report-file", "--report-log", "--lfnf",
                "--last-failed-no-failures", "--durations", "--alluredir")  # fmt: skip


class Fresh:
    """Fresh-process reruns for the session of ``config``."""

    def __init__(self, config: pytest.Config, files: ProjectFiles, timeout: float, environ: Mapping[str, str] | None = None) -> None:
        """``environ`` is the environment as it was before any test ran: what tests left in it is not passed on."""
        self.environ = dict(os.environ if environ is None else environ)
        self.config = config
        self.files = files
        self.timeout = timeout

    def run(
        self,
        nodeids: Sequence[str],
        overlay: Mapping[str, bytes],
        *,
        whole_files: bool = False,
        trace: bool = False,
        conditions: Conditions | None = None,
    ) -> RunReport:
        """See :class:`~pytest_maestro_healer.prove.runner.Runner`."""
        started = time.perf_counter()
        targets = list(dict.fromkeys(file_of(n) if whole_files else without_params(n) for n in nodeids))
        with tempfile.TemporaryDirectory(prefix="maestro-heal-") as folder:
            work = Path(folder)
            root, served, too_large = self._placed(work, overlay)
            if too_large:
                return RunReport(problem=f"state: {too_large}")
            job = {
                **self._job(work),
                "root": str(root),
                "overlay": wire.texts(served),
                "trace": trace,
                "seed": conditions.seed if conditions is not None else None,
                "order": list(nodeids) if conditions is not None and conditions.ordered else [],
                "probe": conditions.probe if conditions is not None else False,
                "world": conditions.world.to_dict() if conditions is not None and conditions.world is not None else None,
            }
            partial = conditions is not None and conditions.partial
            if partial:
                job["ledger"] = str(work / "ledger")
            (work / "job.json").write_text(json.dumps(job), encoding="utf-8")
            problem = self._spawn(targets, work, root, conditions.env if conditions is not None else {})
            with contextlib.suppress(OSError, ValueError, KeyError):
                report = wire.load(json.loads((work / "result.json").read_text(encoding="utf-8")))
                if not report.problem:
                    return self._answer(report, nodeids, served, whole_files, time.perf_counter() - started)
                problem = report.problem
            nothing = RunReport(problem=problem or "crash: the fresh process gave no result", seconds=time.perf_counter() - started)
            return known(nothing, work / "ledger") if partial else nothing

    def _placed(self, work: Path, overlay: Mapping[str, bytes]) -> tuple[Path, dict[str, bytes], str]:
        """(the tree to run in, what is to be served there, why that cannot be)."""
        if all(p.endswith(".py") for p in overlay):
            return self.files.root, dict(overlay), ""
        root = scratch_place(self.files.root, work)  # no import system serves data files: prove on a copy
        return root, {}, scratch_copy(self.files.root, root, overlay)

    def _answer(self, report: RunReport, nodeids: Sequence[str], overlay: Mapping[str, bytes], whole: bool, seconds: float) -> RunReport:
        results = dict(report.results)
        wanted: dict[str, TestResult] = {}
        for n in nodeids:
            path = file_of(n)
            if n in results:
                wanted[n] = results[n]
            elif path in results and results[path].outcome == "error":
                wanted[n] = TestResult(n, "error", results[path].failure)
            elif not is_test(n):
                wanted.update({k: r for k, r in results.items() if file_of(k) == path})
            else:
                same = [r for k, r in results.items() if without_params(k) == without_params(n)]
                bad = [r for r in same if r.outcome not in ("passed", "skipped", "xfailed")]
                hit = (bad or same or [None])[0]  # type: ignore[list-item]
                wanted[n] = TestResult(n, hit.outcome, hit.failure, hit.seconds) if hit else TestResult(n, "missing")
        problem = ""
        unserved = [p for p in overlay if p.endswith(".py") and p not in report.served and any(n.startswith(p) for n in nodeids)]
        if unserved:
            problem = f"state: {unserved[0]} was not served from the overlay"
        return RunReport(results if whole else wanted, problem, seconds, report.executed, report.served, report.by_test)

    def ask(self, name: str, failure: Failure, ctx: Context) -> tuple[Any, str]:
        """What the implementation of ``pytest_heal_propose`` in the plugin ``name`` proposes for ``failure``: (dicts, problem)."""
        asked, problem = self.answer([failure.path], {"ask": {**question(name, failure, ctx), "timeout": self.timeout}}, self.timeout + START)
        with contextlib.suppress(ValueError, TypeError):
            found, said = asked
            return found, str(said)
        return None, problem

    def answer(self, files: Sequence[str], question: Mapping[str, Any], seconds: float) -> tuple[Any, str]:
        """(what a process that was started with ``files`` answers to ``question`` within ``seconds``; the problem where it does not)."""
        with tempfile.TemporaryDirectory(prefix="maestro-heal-", ignore_cleanup_errors=True) as folder:
            work = Path(folder)
            (work / "job.json").write_text(json.dumps({**self._job(work), "overlay": {}, **question}), encoding="utf-8")
            problem = self._spawn(files, work, self.files.root, {}, seconds)
            with contextlib.suppress(OSError, ValueError):
                return json.loads((work / "result.json").read_text(encoding="utf-8")), ""
        return None, problem

    def _job(self, work: Path) -> dict[str, Any]:
        """What every job says."""
        return {
            "root": str(self.files.root),
            "parent": os.getpid(),
            "out": str(work / "result.json"),
            "python_files": list(self.files.python_files),
            "testpaths": list(self.files.testpaths),
            "collected": sorted(self.files.collected_files),
        }

    def serve(self, work: Path, pipes: tuple[int, int], files: Sequence[str], overlay: Mapping[str, bytes]) -> subprocess.Popen[bytes]:
        """Start a process that collects what the user's run collected, and ``files``, and then runs tests on request through ``pipes``."""
        job = {**self._job(work), "overlay": wire.texts(overlay), "serve": list(pipes)}
        (work / "job.json").write_text(json.dumps(job), encoding="utf-8")
        given = self._given()
        more = [str(self.files.root / f) for f in dict.fromkeys(files) if (self.files.root / f).is_file()]
        # a file that is wanted whole is to be collected in its own order
        given = [a for a in given if not is_test(a) or self.files.relative(self.config.invocation_params.dir / file_of(a)) not in files]
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", *self._arguments(work, self.files.root), "-k", "", *given, *more],
            cwd=self._folder(),
            env=self._environment(work),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=pipes,
        )

    def start(self, work: Path, files: Sequence[str], overlay: Mapping[str, bytes], question: Mapping[str, Any]) -> subprocess.Popen[bytes]:
        """Start a process that collects ``files`` with ``overlay`` served, and is asked ``question`` besides what every job says.

        It answers in ``work``, on the disk. The caller ends it. Raises OSError where it cannot be started.
        """
        root, served, too_large = self._placed(work, overlay)
        if too_large:
            raise OSError(too_large)
        job = {**self._job(work), "root": str(root), "overlay": wire.texts(served), **question}
        (work / "job.json").write_text(json.dumps(job), encoding="utf-8")
        return self._started(files, work, root, {}, subprocess.DEVNULL)

    def _given(self) -> list[str]:
        """The files, folders and tests that the user's run was given."""
        return [str(a) for a in self.config.option.file_or_dir or []] or [str(a) for a in self.config.args]

    def _folder(self) -> Path:
        """Where the user's run was started."""
        return self.config.invocation_params.dir

    def _environment(self, work: Path) -> dict[str, str]:
        env = {**self.environ, ENV: str(work / "job.json"), "PYTHONDONTWRITEBYTECODE": "1"}
        for key in ("PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_XDIST_TESTRUNUID"):
            env.pop(key, None)
        return env

    @staticmethod
    def kill(process: subprocess.Popen[bytes]) -> None:
        """End a process that was started here, with what it had started itself."""
        with contextlib.suppress(OSError):
            if os.name == "posix":
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()

    def _spawn(self, targets: Sequence[str], work: Path, root: Path, changes: Mapping[str, str | None], limit: float = 0.0) -> str:
        process = self._started(targets, work, root, changes, subprocess.PIPE)
        limit = limit or self.timeout * max(1, min(10, len(targets)))
        try:
            out, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            self.kill(process)
            process.communicate()
            return f"hang: the fresh process ran longer than {limit:g} s"
        except BaseException:
            self.kill(process)
            raise
        tail = out.decode("utf-8", "replace").strip().splitlines()[-1:]
        return f"crash: the fresh process ended with status {process.returncode}" + (f" ({tail[0][:200]})" if tail else "")

    def _started(self, targets: Sequence[str], work: Path, root: Path, changes: Mapping[str, str | None], output: int) -> subprocess.Popen[bytes]:
        env = self._environment(work)
        for key, value in changes.items():
            env.pop(key, None)
            if value is not None:
                env[key] = value
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", *self._arguments(work, root), *(f"{root}{os.sep}{t}" for t in targets)],
            cwd=self._moved(self._folder(), root),
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=os.name == "posix",
        )

    def _moved(self, path: Path, root: Path) -> Path:
        """``path`` in the tree that is run: the project itself or its scratch copy."""
        rel = self.files.relative(path)
        return path if root == self.files.root or Path(rel).is_absolute() else root / rel

    def _arguments(self, work: Path, root: Path) -> list[str]:
        """The user's arguments without files and without what writes, stops early or asks; then our overrides."""
        given = [str(a) for a in self.config.invocation_params.args]
        for positional in self.config.option.file_or_dir or []:
            if positional in given:
                given.remove(positional)
        keep: list[str] = []
        skip_next = False
        for arg in given:
            if skip_next:
                skip_next = False
                continue
            if arg in _DROP_FLAGS:
                continue
            if arg.startswith(_DROP_VALUED):
                skip_next = "=" not in arg
                continue
            keep.append(arg)
        plugins = self.config.pluginmanager
        extra = ["-p", "pytest_maestro_healer.session.child", "--maxfail=0", f"--basetemp={work / 'tmp'}", f"--rootdir={root}"]
        if plugins.hasplugin("cacheprovider"):
            extra += ["-o", f"cache_dir={work / 'cache'}"]
        if plugins.hasplugin("xdist"):
            extra += ["-n0"]
        if plugins.hasplugin("_cov") or plugins.hasplugin("pytest_cov"):
            extra += ["--no-cov"]
        if plugins.hasplugin("junitxml"):
            extra += [f"--junitxml={work / 'junit.xml'}"]
        if plugins.hasplugin("randomly"):
            extra += ["-p", "no:randomly"]
        return [*keep, *extra]


_NOT_COPIED = (".git", "__pycache__", ".venv", "venv", "node_modules", ".tox", ".nox", ".mypy_cache", ".pytest_cache", ".hypothesis")
_COPY_LIMIT = 200 << 20
_SMALL = 1 << 20


def scratch_place(root: Path, work: Path) -> Path:
    """Where in ``work`` a copy of ``root`` goes: code that finds its root by a folder's name, or by what lies above it, finds it there too.

    So the copy has the project's name, and lies as deep as the project does below the top of the repository.
    """
    top = _top(root)
    return work.joinpath("copy", top.name or "project", root.relative_to(top))


def _top(root: Path) -> Path:
    return next((p for p in (root, *root.parents) if os.path.lexists(p / ".git")), root)


def scratch_copy(root: Path, target: Path, changed: Mapping[str, bytes]) -> str:
    """Copy the project to ``target`` with ``changed`` in it; returns why not when it is too large (200 MiB).

    Of the repository the copy has an empty ``.git`` only, where there is one, and above it the files that lie between the project and the top.
    """
    size = 0
    for folder, dirs, names in os.walk(root):
        dirs[:] = [d for d in dirs if d not in _NOT_COPIED]
        size += sum(os.lstat(os.path.join(folder, n)).st_size for n in names)
        if size > _COPY_LIMIT:
            return "the project is too large to prove a data file's edit on a copy"
    marked: list[Path] = []

    def left_out(folder: str, names: list[str]) -> set[str]:
        if ".git" in names:
            marked.append(Path(folder).relative_to(root))
        return shutil.ignore_patterns(*_NOT_COPIED)(folder, names)

    shutil.copytree(root, target, symlinks=True, ignore=left_out)
    for path in marked:
        _mark(root / path, target / path)
    _above(root, target)
    for name, data in changed.items():
        copy = target / name
        copy.unlink(missing_ok=True)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(data)
    return ""


def _mark(folder: Path, copy: Path) -> None:
    """An empty ``.git`` of the kind that ``folder`` has: none that git works with, or what runs in the copy would reach the repository."""
    if (folder / ".git").is_dir():
        (copy / ".git").mkdir()
    else:
        (copy / ".git").write_text("gitdir: none\n", encoding="utf-8")


def _above(root: Path, target: Path) -> None:
    """The small files in the folders from the one above ``root`` to the top of the repository, in those above ``target``."""
    top = _top(root)
    for folder, copy in zip(root.parents, target.parents, strict=False):
        if not folder.is_relative_to(top):
            return
        for entry in os.scandir(folder):
            with contextlib.suppress(OSError):
                if entry.is_file(follow_symlinks=False) and entry.stat().st_size <= _SMALL and entry.name != ".git":
                    shutil.copyfile(entry.path, copy / entry.name)
        if folder == top:
            _mark(folder, copy)
