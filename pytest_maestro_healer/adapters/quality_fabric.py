"""A test runner in the shape of Quality Fabric's, with pytest behind it: ``run_tests().failures``, ``apply_fix(healed_code)``."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_maestro_healer.adapters.write import Ready, check, put
from pytest_maestro_healer.adapters.writing import outcomes, store_of
from pytest_maestro_healer.apply.ids import healing_id
from pytest_maestro_healer.apply.store import ApplyOutcome
from pytest_maestro_healer.capture.results import Case, read_results, resolve
from pytest_maestro_healer.capture.text import Report
from pytest_maestro_healer.edit.diff import unified
from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.errors import ConfigError, HealerError
from pytest_maestro_healer.model import Decision, DecisionKind, FileChange, HealingResult
from pytest_maestro_healer.remote import process
from pytest_maestro_healer.remote.place import encoded, project_of
from pytest_maestro_healer.remote.wait import wait

_log = logging.getLogger(__name__)
#: pytest's exit codes with which a result file is complete: passed, failed, interrupted (by errors at collection), no tests.
_ENDED = (0, 1, 2, 5)
#: A text with fewer lines in common belongs to no failure.
_COMMON = 0.5


@dataclass(frozen=True)
class RunFailure:
    """One failed test; ``error_details`` is what the healer takes, ``path`` its file below pytest's root."""

    nodeid: str
    path: str
    error_details: Mapping[str, Any]
    text: Callable[[str], str] = field(repr=False, compare=False)

    @property
    def test_code(self) -> str:
        """The text of its file as it is now, other fixes since the run included; as it was where it is gone."""
        return self.text(self.path)


@dataclass(frozen=True)
class RunResults:
    """One run: the ``failures``, how many tests there were, pytest's ``exit_code``, and failed tests whose file was not found (``missing``)."""

    failures: tuple[RunFailure, ...] = ()
    total: int = 0
    exit_code: int = 0
    missing: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return self.exit_code in (0, 5)


@dataclass(frozen=True)
class Fix:
    """What became of a healed text: true where the project has it. ``reason`` says in one line why not; ``fix_id`` undoes it."""

    ok: bool
    reason: str = ""
    path: str = ""
    fix_id: str = ""
    nodeids: tuple[str, ...] = field(default=())

    def __bool__(self) -> bool:
        return self.ok


class TestRunner:
    """Runs the tests of ``project_path`` by pytest in a process of its own, with ``arguments`` and for at most ``timeout`` seconds.

    ``validate`` runs the tests of a file with its healed text before that is written (default: yes).
    Raises :class:`~pytest_maestro_healer.errors.ConfigError` where there is no such folder.
    """

    __test__ = False

    def __init__(
        self, project_path: str | os.PathLike[str] = ".", arguments: Sequence[str] = (), *, timeout: float | None = None, validate: bool = True
    ) -> None:
        self.project = Path(os.path.abspath(project_path))  # noqa: PTH100 - as pytest, keeping symlinks
        if not self.project.is_dir():
            raise ConfigError(f"project_path: {os.fspath(project_path)} is not a folder")
        self.root = project_of(self.project, self.project)
        self.arguments = tuple(arguments)
        self.timeout = timeout
        self.validate = validate
        self._failures: tuple[RunFailure, ...] = ()
        #: Path -> every state of the file that was handed out since the last run, newest last.
        self._seen: dict[str, dict[bytes, None]] = {}

    # -- running -------------------------------------------------------------------------------------------
    def run_tests(self, *targets: str) -> RunResults:
        """Run the tests (or only ``targets``, as on pytest's command line).

        Raises :class:`~pytest_maestro_healer.errors.HealerError` when pytest cannot be started, takes too long, or comes to no result.
        """
        return wait(self.run_tests_async(*targets))

    async def run_tests_async(self, *targets: str) -> RunResults:
        """:meth:`run_tests` for code with an event loop, which it never blocks; when cancelled, pytest is ended with all it started."""
        with tempfile.TemporaryDirectory(prefix="maestro-heal-") as folder:
            report = Path(folder, "results.xml")
            # this family of the format names each test's file
            command = [sys.executable, "-m", "pytest", *self.arguments, f"--junitxml={report}", "-o", "junit_family=xunit1", *targets]
            env = {k: v for k, v in os.environ.items() if k not in ("PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER")}
            try:
                done = await process.run(command, cwd=self.project, env=env, log=Path(folder, "log"), timeout=self.timeout)
            except OSError as exc:
                raise HealerError(f"pytest cannot be started in {self.project}: {exc.strerror or exc}") from exc
            if done.status is None:
                raise HealerError(f"the tests took longer than {self.timeout:g} s")
            if done.status not in _ENDED or not report.is_file():
                raise HealerError(f"pytest ended with status {done.status}: {done.last_line}")
            found = read_results(report)
        self._seen = {}
        failures, missing = self._read(found.failed)
        self._failures = failures
        return RunResults(failures, found.total, done.status, missing)

    def _read(self, cases: Sequence[Case]) -> tuple[tuple[RunFailure, ...], tuple[str, ...]]:
        failures, missing = [], []
        for case in cases:
            selects = resolve([case], self.root, self.project).selects
            if not selects:
                missing.append(case.label)
                continue
            path, tail = selects[0]
            nodeid = f"{path}::{tail}" if tail else path
            failures.append(RunFailure(nodeid, path, self._details(case, nodeid, path), self._text))
            self._text(path)
        return tuple(failures), tuple(missing)

    def _text(self, path: str) -> str:
        """The file's text now, remembered as what a healed text may be made from."""
        states = self._seen.setdefault(path, {})
        try:
            data = (self.root / path).read_bytes()
        except OSError:
            data = next(reversed(states), b"")
        states.pop(data, None)
        states[data] = None
        return SourceFile(path, data).text

    def _details(self, case: Case, nodeid: str, path: str) -> dict[str, Any]:
        said = case.message if case.message != "collection failure" else ""
        kind, message = Report(said, "", case.trace).typed
        return {
            "error_type": kind,
            "error_message": message or said,
            "stack_trace": case.trace,
            "test_file": str(self.root / path),
            "test_id": nodeid,
            "project_path": str(self.project),
        }

    # -- writing -------------------------------------------------------------------------------------------
    def apply_fix(self, healed_code: str, failure: RunFailure | None = None) -> Fix:
        """Write a healed text of one of the last run's failed tests.

        Which one it is, is found by the text, unless ``failure`` says so. It is made against the file as it was handed out; other fixes since
        are kept, anybody else's change makes it refused. With ``validate`` the file's tests run with it first: a failed test must pass, and
        none may fail that did not. What is refused changes nothing, and is said in the answer and in the log.
        """
        return wait(self.apply_fix_async(healed_code, failure))

    async def apply_fix_async(self, healed_code: str, failure: RunFailure | None = None) -> Fix:
        """:meth:`apply_fix` for code with an event loop, which it never blocks."""
        try:
            fix = await self._fixed(healed_code, *self._meant(healed_code, failure.path if failure is not None else ""))
        except HealerError as exc:
            fix = Fix(False, str(exc))
        if not fix:
            _log.warning("a fix was not applied: %s", fix.reason)
        return fix

    async def _fixed(self, code: str, path: str, before: bytes) -> Fix:
        change = FileChange.of(path, before, encoded(code, SourceFile(path, before)))
        if change.before == change.after:
            return Fix(False, f"the text is that of {path} as it was: there is nothing to apply", path)
        mine = tuple(f.nodeid for f in self._failures if f.path == path)
        result = _result(change, mine)
        ready = await check(self.root, result, again=False)
        if not isinstance(ready, Ready):
            return Fix(ready.done, ready.reason, path, result.healing_id if ready.done else "", mine)
        problem = await self._problem(ready.result, path, set(mine)) if self.validate else ""
        if problem:
            return Fix(False, problem, path, "", mine)
        written = await put(ready, commit=False)
        return Fix(written.done, written.reason, path, result.healing_id if written.done else "", mine)

    async def _problem(self, result: HealingResult, path: str, failed: set[str]) -> str:
        """Why the healed file is no better than it was, ``""`` where it is."""
        source = SourceFile(path, result.changes[0].after_bytes)
        if path.endswith(".py") and source.syntax_error is not None:
            return f"{path} would not parse: {source.syntax_error}"
        after = await outcomes(self.root, {path: result.changes[0].after_bytes}, [path])
        if after.problem:
            return f"it could not be validated: {after.problem}"
        if path in failed:  # it could not even be collected
            return "" if after.passed else f"with it no test of {path} passes"
        worse = after.failed - failed
        if worse:  # they may have failed before, where the run was of other tests
            worse -= (await outcomes(self.root, {}, [path])).failed
        if worse:
            return f"with it {sorted(worse)[0]} fails"
        return "" if after.passed & failed else f"with it {sorted(failed)[0]} still does not pass"

    def _meant(self, code: str, path: str) -> tuple[str, bytes]:
        """(path, bytes) of the state, of all that were handed out, with which ``code`` has most lines in common; of the file ``path`` if given.

        Raises :class:`~pytest_maestro_healer.errors.HealerError` where that is none, or in more than one file.
        """
        new = Counter(code.splitlines())
        best: dict[str, tuple[float, bytes]] = {}
        for name in [path] if path else list(self._seen):
            for data in self._seen.get(name, {}):
                share = _common(Counter(SourceFile(name, data).text.splitlines()), new)
                if share >= best.get(name, (0.0, b""))[0]:
                    best[name] = (share, data)
        ranked = sorted(((share, name) for name, (share, _) in best.items()), reverse=True)
        if not ranked or (ranked[0][0] < _COMMON and not path):
            raise HealerError("the text belongs to no failed test of the last run; give the failure, too")
        if len(ranked) > 1 and ranked[0][0] == ranked[1][0]:
            raise HealerError(f"the text fits {ranked[1][1]} and {ranked[0][1]} equally well; give the failure, too")
        return ranked[0][1], best[ranked[0][1]][1]

    def rollback(self, fix: Fix | None = None) -> list[ApplyOutcome]:
        """Undo a fix, or the last one; files get exactly their bytes of before.

        Raises :class:`~pytest_maestro_healer.errors.HealerError` when there is nothing to undo.
        """
        if fix is not None and not fix.fix_id:
            raise HealerError("this fix was not applied, so there is nothing to undo")
        return store_of(self.root).rollback(fix.fix_id if fix is not None else None)


def _common(old: Counter[str], new: Counter[str]) -> float:
    """How much two texts have in common, 0..1."""
    total = old.total() + new.total()
    return 2 * (old & new).total() / total if total else 0.0


def _result(change: FileChange, nodeids: tuple[str, ...]) -> HealingResult:
    return HealingResult(
        healing_id=healing_id("quality_fabric", "apply_fix", (change,)),
        test_id=nodeids[0],
        strategy_used="",
        success=True,
        diff=unified(change.path, change.before_bytes, change.after_bytes),
        decision=Decision(DecisionKind.PENDING, "given by apply_fix"),
        explanation="a healed text, given to the test runner",
        nodeids=nodeids,
        changes=(change,),
    )
