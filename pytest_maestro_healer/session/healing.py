"""The healing session: capture during the run, heal after the loop, report at the end. Registered only when asked for."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_maestro_healer import __version__
from pytest_maestro_healer.config import HealerConfig, in_ci
from pytest_maestro_healer.errors import HealerError
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.evidence.nodeids import file_of
from pytest_maestro_healer.evidence.redact import for_display, redact
from pytest_maestro_healer.model import Decision, DecisionKind, Failure, HealingReport, HealingResult, ProofStep
from pytest_maestro_healer.session import compat, ran
from pytest_maestro_healer.session.capturing import Capturing, stamp
from pytest_maestro_healer.session.rows import html_rows
from pytest_maestro_healer.session.terminal import Terminal

if TYPE_CHECKING:
    from pytest_maestro_healer.session.runner import SessionRunner


class Healing(Capturing):
    """In a plain run or an xdist controller: everything."""

    def __init__(self, config: pytest.Config, settings: HealerConfig, files: ProjectFiles) -> None:
        super().__init__(config, settings, files)
        self.failures: dict[str, Failure] = {}
        self.reports: dict[str, list[pytest.TestReport | pytest.CollectReport]] = {}
        self.reruns: dict[str, int] = {}
        self.worker_files: set[str] = set()
        self.ran: dict[str, list[str]] = {}
        self.report = HealingReport()
        self.terminal = Terminal(config, settings)
        self.rows = html_rows(config)

    # -- during the run ------------------------------------------------------------------------------------
    def pytest_report_header(self) -> str:
        return self.terminal.header()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "setup":
            self.ran.setdefault(getattr(report, "worker_id", ""), []).append(report.nodeid)
        if report.outcome == "failed":
            self._commit(report)
        elif str(report.outcome) == "rerun":  # pytest-rerunfailures' own outcome
            self.reruns[str(report.nodeid)] = self.reruns.get(str(report.nodeid), 0) + 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._commit(report)

    def _commit(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        data = getattr(report, "maestro_failure", None)
        if data is None:
            return
        failure = Failure.from_dict(data)
        nodeid = str(report.nodeid)
        self.reports.setdefault(failure.nodeid, []).append(report)
        if failure.nodeid not in self.failures:
            self.failures[failure.nodeid] = dataclasses.replace(failure, reruns=self.reruns.get(nodeid, 0))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        output = getattr(node, "workeroutput", None) or {}
        self.worker_files |= set(output.get("maestro_healed_files", ()))
        for line in output.get("maestro_notes", ()):
            self._note(str(line))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """The workers have collected: how the files look now is how the tests were read."""
        for path in {file_of(str(i)) for i in ids} - set(self.stamps):
            self.stamps[path] = stamp(self.files.root / path)

    def _unchanged(self) -> list[Failure]:
        """The failures of files that are still as they were collected; a traceback into another text leads astray."""
        out = []
        for f in self.failures.values():
            now = stamp(self.files.root / f.path)
            if now == self.stamps.get(f.path, now):
                out.append(f)
            else:
                what = "changed" if now[0] else "was deleted"
                self._note(f"{f.path} {what} during the run: its failures are not healed; run pytest --heal again")
        return out

    # -- after the loop ------------------------------------------------------------------------------------
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, Any, Any]:
        stop: BaseException | None = None
        result: Any = True
        try:
            result = yield
        except (session.Failed, session.Interrupted) as exc:
            stop = exc
        self._heal(session)
        if stop is not None:
            raise stop
        return result

    def _heal(self, session: pytest.Session) -> None:
        wanted = self.failures or self.collecting.heals or self.worker_files or (self.settings.flaky_runs and self.ran)
        if not wanted or self.config.option.collectonly:
            return
        began = time.perf_counter()
        results: list[HealingResult] = []
        try:
            with ran.undisturbed(self.environ, self.platform):
                results = self._healed(session)
        except KeyboardInterrupt:  # while heals were collected, stored or written: each is written wholly or not at all
            self._note("healing was interrupted; the test result is as it was, maestro-heal list shows what is pending")
        except Exception as exc:
            self._note(f"healing stopped: {type(exc).__name__}: {exc}; the test result is as it was (please report this)")
            if self.config.getoption("verbose", 0) >= 2:
                import traceback

                self._note(traceback.format_exc())
        finally:
            self.terminal.clear_progress()
            self.collecting.overlay.uninstall()
        self.report = HealingReport(
            results=tuple(results),
            failures=len(self.failures) + len(self.collecting.originals),
            seconds=round(time.perf_counter() - began, 4),
            apply=self.settings.effective_apply,
            review=self.settings.review,
            threshold=self.settings.confidence_threshold,
            notes=tuple(dict.fromkeys(map(redact, [*self.notes, *self.collecting.notes]))),
            bundle=self.report.bundle,
            version=__version__,
        )
        self._sections()
        self._tell()

    def _tell(self) -> None:
        """``pytest_heal_outcome`` for every result; what it raises is said and changes nothing."""
        for result in self.report.results:
            try:
                self.config.hook.pytest_heal_outcome(result=result)
            except Exception as exc:
                self._note(f"pytest_heal_outcome raised {type(exc).__name__}: {exc}")
        self.report = dataclasses.replace(self.report, notes=tuple(dict.fromkeys([*self.report.notes, *map(redact, self.notes)])))

    def _healed(self, session: pytest.Session) -> list[HealingResult]:
        from pytest_maestro_healer.apply.store import Store
        from pytest_maestro_healer.pipeline import Pipeline
        from pytest_maestro_healer.session.fresh import Fresh
        from pytest_maestro_healer.session.original import Originals
        from pytest_maestro_healer.session.own import strategies
        from pytest_maestro_healer.session.rerun import InProcess
        from pytest_maestro_healer.session.runner import SessionRunner

        for key in ("validate_before_apply", "fresh_confirm"):
            if not getattr(self.settings, key) and (self.settings.apply != "none" or key == "validate_before_apply"):
                self._note(f"heal_{key} is off: heals are not proved to the end, and nothing is applied")
        if self.config.pluginmanager.hasplugin("dsession"):
            self._collect_here(session)
        passed = self._passed()
        failures = self._unchanged()
        ready, again = self._collected(passed)
        ground = {self.files.relative(p): d for p, d in self.collecting.overlay.files.items()}
        inprocess = InProcess(session, self.capture, self.files, self.collectors)
        fresh = Fresh(self.config, self.files, self.settings.timeout, self.environ)
        runner = SessionRunner(self.settings, self.files, inprocess, fresh, ground)
        sequences: Mapping[str, Sequence[str]] = ran.sequences(self.ran, self.failures)
        hunted: list[str] = []
        if self.settings.flaky_runs and not again:
            found, orders = self._hunted(runner, frozenset(f.nodeid for f in failures))
            failures, sequences = [*failures, *found], {**orders, **sequences}
            hunted = [f.nodeid for f in found]
            passed -= {*hunted}
        ctx = Context(
            self.files.root,
            self.settings,
            failures=[*failures, *again],
            passed=passed,
            collected=[str(i.nodeid) for i in session.items],
            files=self.files,
            sequences=sequences,
            partial=bool(self.settings.flaky_runs) or ran.partial(self.config, session.items),
            green_commits=self.learning.learner.green_commits,
        )
        store = Store(self.files.root, self.settings)
        past = Originals(ctx, self.config, self.environ)
        runner.prepare([f for f in failures if ctx.before(f.nodeid)])  # it starts while the strategies are loaded
        try:
            pipeline = Pipeline(
                ctx,
                runner,
                strategies(self.config, self.settings, self.notes, (self.files.root, fresh.ask)),
                self.settings,
                in_ci=in_ci(),
                remembered=store.was_rejected,
                progress=self.terminal.progress,
                learner=self.learning.learner,
                past=past,
                hunted=frozenset(hunted),
            )
            try:
                results = pipeline.run([*failures, *again], ready)
            finally:
                self.notes += pipeline.notes
        finally:
            runner.close()
            past.close()
        results = self._stored(store, results, passed)
        self.learning.finished(results, failures)
        return results

    def _hunted(self, runner: SessionRunner, failed: frozenset[str]) -> tuple[list[Failure], dict[str, Sequence[str]]]:
        """Failures, under other orders, of tests that passed; they do not change the run's result."""
        from pytest_maestro_healer.session.hunt import hunt

        nodeids = list(dict.fromkeys(str(n) for names in self.ran.values() for n in names))
        until = time.monotonic() + self.settings.budget / 2
        found = hunt(runner, nodeids, self.settings.flaky_runs, lambda: time.monotonic() > until, failed)
        self._note(found.told())
        return [self._scoped(f) for f in found.failures.values()], found.sequences

    def _collected(self, passed: frozenset[str]) -> tuple[list[Any], list[Failure]]:
        """Heals made at collection: proved by their tests' own run, else (nothing passed) to be looked at again."""
        ready, again = [], []
        for c in self.collecting.heals:
            folder = c.failure.path.rpartition("/")[0]
            scope = (
                f"{folder}/"
                if c.failure.path.endswith("conftest.py") and folder
                else ""
                if c.failure.path.endswith("conftest.py")
                else c.failure.path
            )
            mine = sorted(n for n in passed if n.startswith(scope))
            failed = [n for n in self.failures if n.startswith(c.failure.path + "::")]
            if not mine:
                again.append(c.failure)
                continue
            c.nodeids = mine
            text = f"{len(mine)} passed" + (f", {len(failed)} failed" if failed else "") + " in this session, collected healed"
            c.steps = [c.guard, ProofStep("rerun", True, text)]
            c.left = {n: self.failures[n] for n in failed}
            ready.append(c)
        return ready, again

    def _passed(self) -> frozenset[str]:
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        stats = getattr(reporter, "stats", {})
        good = {str(r.nodeid) for r in stats.get("passed", ()) if getattr(r, "when", "") == "call"}
        return frozenset(good - set(self.failures))

    def _collect_here(self, session: pytest.Session) -> None:
        """An xdist controller has no items: collect the files of interest here, where no test has run."""
        wanted = sorted({f.path for f in self.failures.values() if f.path.endswith(".py")} | self.worker_files)
        wanted = [str(self.files.root / p) for p in wanted if (self.files.root / p).exists() and not p.endswith("conftest.py")]
        if not wanted:
            return
        undo = compat.suspend_stop(session)
        quiet, forbid = compat.quiet_collection(self.config, self), compat.allow_brackets()
        try:
            session.perform_collect(wanted)
        except (pytest.UsageError, Exception) as exc:
            self._note(f"the failing files could not be collected in the controller ({type(exc).__name__}): proofs run in fresh processes")
        finally:
            forbid()
            quiet()
            undo()

    # -- results -------------------------------------------------------------------------------------------
    def _stored(self, store: Any, results: list[HealingResult], passed: frozenset[str]) -> list[HealingResult]:
        """Write what is to be written, keep the rest pending; a problem becomes a note, never an error."""
        try:
            chosen = [r for r in results if r.decision.kind is DecisionKind.APPLIED]
            outcomes = {o.healing_id: o for o in store.apply(chosen)} if chosen else {}
            results = [_after(r, outcomes.get(r.healing_id)) for r in results]
            if any(r.decision.kind is DecisionKind.PENDING for r in results) or store.exists:
                path = store.save_pending(results, passed=passed)
                self.report = dataclasses.replace(self.report, bundle=str(path))
        except HealerError as exc:
            self._note(str(exc))
            results = [_after(r, None, str(exc)) for r in results]
        self.notes += [n for n in store.notes if n not in self.notes]
        return results

    def _sections(self) -> None:
        """The proposed diff stands in the failure's own report too."""
        from pytest_maestro_healer.report.terminal import failure_section

        for result, shown in zip(self.report.results, for_display(self.report).results, strict=True):
            if result.diff and result.success:
                section = failure_section(shown)
                for nodeid in result.nodeids:
                    for rep in self.reports.get(nodeid, ()):
                        rep.sections.append(section)
        if self.rows is not None:
            try:
                self.rows.fill(self.report)
            except Exception as exc:  # as with --junitxml below: theirs must not suffer
                self._note(f"--html: no heals were added to the rows ({type(exc).__name__}: {exc})")

    # -- the end -------------------------------------------------------------------------------------------
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, Any, Any]:
        if session.exitstatus == pytest.ExitCode.USAGE_ERROR and self.failures:
            self._heal(session)  # a test that was asked for by name and whose file cannot be collected: pytest runs nothing then
        code = self._exit_code(int(session.exitstatus))
        if code != int(session.exitstatus):
            session.exitstatus = code
        if code in (0, 1):
            self._green(session)
        self._write_reports()
        self.terminal.show_originals(self.collecting.originals)
        self._junit()
        result = yield
        self._review(session)
        return result

    def _green(self, session: pytest.Session) -> None:
        """Which tests were seen passing at this commit; what was served from elsewhere than the disk, and what passed by a rerun, are not."""
        served = {self.files.relative(p) for p in self.collecting.overlay.files} | self.worker_files
        self.learning.green(session, self.ran, self._passed() - self.reruns.keys(), served)
        self.report = dataclasses.replace(self.report, notes=tuple(dict.fromkeys([*self.report.notes, *map(redact, self.notes)])))

    def _exit_code(self, code: int) -> int:
        """Never an invented green: what failed was failed, unless all was healed and applied and the user said so."""
        kinds = {r.decision.kind for r in self.report.results}
        if self.collecting.heals and code in (0, 5):
            code = 1
        if code == 1 and self.settings.exit_zero and kinds == {DecisionKind.APPLIED}:
            healed = {n for r in self.report.results for n in r.nodeids} | {r.test_id for r in self.report.results}
            if all(n in healed for n in self.failures):
                return 0
        return code

    def _write_reports(self) -> None:
        from pytest_maestro_healer.session.writing import write_reports

        folder = self.config.invocation_params.dir
        problems = write_reports(self.report, self.settings, folder, self.files.root, self.learning.figures)
        self.report = dataclasses.replace(self.report, notes=tuple(dict.fromkeys([*self.report.notes, *map(redact, problems)])))

    def _junit(self) -> None:
        if self.config.getoption("xmlpath", None) and self.report.results:
            from pytest_maestro_healer.report.junit import properties

            try:
                compat.add_junit_properties(self.config, {n: properties(r) for r in self.report.results for n in (*r.nodeids, r.test_id)})
            except Exception as exc:  # a report of ours must not cost the user theirs
                self._note(f"--junitxml: no healing properties were added ({type(exc).__name__}: {exc})")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        shown = for_display(self.report)
        self.terminal.summary(shown)
        if os.environ.get("GITHUB_ACTIONS") == "true":
            from pytest_maestro_healer.report import github

            github.publish(shown, os.environ, terminalreporter.write_line, str(self.files.root))

    def _review(self, session: pytest.Session) -> None:
        pending = [r for r in self.report.results if r.decision.kind is DecisionKind.PENDING]
        if not (self.settings.review and pending):
            return
        from pytest_maestro_healer.session.reviewing import run_review

        applied = run_review(self.config, self.settings, self.files, pending)
        if applied:
            results = tuple(
                dataclasses.replace(r, decision=Decision(DecisionKind.APPLIED, "accepted in review")) if r.healing_id in applied else r
                for r in self.report.results
            )
            self.report = dataclasses.replace(self.report, results=results)
            self._write_reports()
            session.exitstatus = self._exit_code(int(session.exitstatus))


def _after(result: HealingResult, outcome: Any, problem: str = "") -> HealingResult:
    if result.decision.kind is not DecisionKind.APPLIED or (outcome is not None and outcome.status == "applied"):
        return result
    if outcome is not None and outcome.status == "stale":
        return dataclasses.replace(result, success=False, decision=Decision(DecisionKind.REJECTED, outcome.message))
    return dataclasses.replace(result, decision=Decision(DecisionKind.PENDING, outcome.message if outcome is not None else problem))
