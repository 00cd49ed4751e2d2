"""Run tests again inside the live session, with healed sources served by an overlay."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import random
import re
import sys
import threading
import time
import types
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_maestro_healer.evidence.experiments import Conditions
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.evidence.nodeids import file_of, function_of, has_params, is_test, without_params
from pytest_maestro_healer.model import Failure
from pytest_maestro_healer.prove.runner import RunReport, TestOutcome, TestResult
from pytest_maestro_healer.session import compat, elsewhere
from pytest_maestro_healer.session.capture import Capture
from pytest_maestro_healer.session.overlay import Overlay

if TYPE_CHECKING:
    from pytest_maestro_healer.session.ledger import Ledger
    from pytest_maestro_healer.session.state import Snapshot

#: What most projects call a test, at the top of a module. A helper that is taken for one has its asserts told in fewer words, no more.
_TESTS = re.compile(rb"^(?:(?:async[ \t]+)?def[ \t]+(test\w*)|class[ \t]+(\w*Test\w*))", re.M)


_CLASS = re.compile(rb"^class[ \t]+\w+[ \t]*\(([^)]*)\)", re.M)


class QuietProtocol:
    """While registered, runs the items given to it without logging; everything else passes by."""

    def __init__(self) -> None:
        self.reports: list[pytest.TestReport] = []
        self.subtests: list[pytest.TestReport] = []
        self.active = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        if not self.active:
            return None
        self.reports = compat.run_item(item, nextitem)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # pytest's and unittest's subtests log directly
        self.subtests.append(report)


class Tracer:
    """Records the executed lines of product files (root-relative), for each test."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._names: dict[str, str] = {}
        self.tests: dict[str, dict[str, set[int]]] = {}
        self.lines: dict[str, set[int]] = {}

    def begin(self, nodeid: str) -> Tracer:
        """What runs from here on, runs for ``nodeid``."""
        self.lines = self.tests.setdefault(nodeid, {})
        return self

    def result(self) -> tuple[dict[str, frozenset[int]], dict[str, dict[str, frozenset[int]]]]:
        """What ran at all, and what ran for each test."""
        by_test = {n: {p: frozenset(ls) for p, ls in lines.items()} for n, lines in self.tests.items()}
        paths = dict.fromkeys(p for lines in by_test.values() for p in lines)
        return {p: frozenset().union(*(lines.get(p, frozenset()) for lines in by_test.values())) for p in paths}, by_test

    def __enter__(self) -> Tracer:
        self._old = sys.gettrace()
        sys.settrace(self._global)
        threading.settrace(self._global)
        return self

    def __exit__(self, *exc: object) -> None:
        sys.settrace(self._old)
        threading.settrace(self._old)

    def _global(self, frame: types.FrameType, event: str, arg: Any) -> Any:
        name = frame.f_code.co_filename
        if self._capture.kind(name) != "product":
            return None
        if name not in self._names:
            self._names[name] = self._capture.files.relative(name)
        lines = self.lines.setdefault(self._names[name], set())
        lines.add(frame.f_lineno)

        def local(frame: types.FrameType, event: str, arg: Any) -> Any:
            lines.add(frame.f_lineno)
            return local

        return local


class InProcess:
    """Overlay reruns in this process. ``collectors`` maps a root-relative test file to its live collector."""

    def __init__(self, session: pytest.Session, capture: Capture, files: ProjectFiles, collectors: Mapping[str, pytest.Collector]) -> None:
        self.session = session
        self.config = session.config
        self.capture = capture
        self.files = files
        self.collectors = collectors

    def run(
        self,
        nodeids: Sequence[str],
        overlay: Mapping[str, bytes],
        *,
        whole_files: bool = False,
        trace: bool = False,
        conditions: Conditions | None = None,
        outcome_only: bool = False,
        ledger: Ledger | None = None,
    ) -> RunReport:
        """See :class:`~pytest_maestro_healer.prove.runner.Runner`; may raise the hang guard's exception.

        With ``outcome_only`` the first failure ends it, and how it looks is worked out by nobody: for copies of this process that end with the run.
        Each test is entered in ``ledger``.
        """
        started = time.perf_counter()
        if outcome_only:
            self.capture.idle = True
            self.plainly()
        if conditions is not None and conditions.world is not None:
            elsewhere.enter(conditions.world)
        absolute = {str(self.files.root / p): data for p, data in overlay.items()}
        idle = self._idle(nodeids, overlay, whole_files)
        server = Overlay(self.config, absolute, self._plain(nodeids, overlay, idle))
        results: dict[str, TestResult] = {}
        tracer = Tracer(self.capture) if trace else None
        with contextlib.ExitStack() as stack:
            for undo in (compat.suspend_stop(self.session), compat.suspend_debugger(self.config), compat.snapshot_reporter(self.config)):
                stack.callback(undo)
            stack.enter_context(self._silence())
            server.install()
            stack.callback(server.uninstall)
            items: list[tuple[str, pytest.Item]] = []
            for path, wanted in _by_file(nodeids).items():
                if path in overlay:
                    items += self._fresh_items(stack, server, path, wanted, whole_files, results, idle.get(path, frozenset()))
                else:
                    items += self._live_items(path, wanted, whole_files, results)
            if conditions is not None and conditions.ordered:
                rank = {n: i for i, n in enumerate(nodeids)}
                items.sort(key=lambda pair: rank.get(pair[0], len(rank)))
            self._run_items(items, results, tracer, conditions or Conditions(), outcome_only, ledger)
        executed, by_test = tracer.result() if tracer else ({}, {})
        served = frozenset(self.files.relative(p) for p in server.served)
        return RunReport(results, seconds=time.perf_counter() - started, executed=executed, served=served, by_test=by_test)

    def plainly(self) -> None:
        """Have tracebacks put together in the cheapest way, in a copy of the process that ends with its run: nobody reads them, and the usual way
        parses every file that is in one."""
        self.config.option.tbstyle = "native"

    def compile(self, nodeids: Sequence[str], overlay: Mapping[str, bytes], *, whole_files: bool = False) -> None:
        """Compile the healed test modules here, once, for the copies of this process that will execute ``nodeids`` of them."""
        plain = self._plain(nodeids, overlay, self._idle(nodeids, overlay, whole_files))
        server = Overlay(self.config, {str(self.files.root / p): data for p, data in overlay.items() if p.endswith(".py")}, plain)
        for path in server.files:
            with contextlib.suppress(Exception):  # what cannot be compiled is told by the run itself
                server.compile(compat.module_names(self.config, Path(path))[0], path)

    def _idle(self, nodeids: Sequence[str], overlay: Mapping[str, bytes], whole: bool) -> dict[str, frozenset[str]]:
        """By file, the functions and classes of which no test is to run: a long module need not be rewritten and collected for one of its tests."""
        out: dict[str, frozenset[str]] = {}
        for path, wanted in _by_file(nodeids).items():
            if path in overlay and not whole and all(is_test(n) for n in wanted):
                known = {_top(str(i.nodeid)) for i in self.session.items if self.files.relative(i.path) == path}
                out[path] = frozenset(known - {_top(n) for n in wanted})
        return out

    def _plain(self, nodeids: Sequence[str], overlay: Mapping[str, bytes], idle: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
        """By full path, what need not be rewritten: besides what is idle what looks like a test that the user's run left out."""
        wanted = {p: {_top(n) for n in some} for p, some in _by_file(nodeids).items()}
        return {str(self.files.root / p): (names | (_looks_like_tests(overlay[p]) - wanted[p])) - _bases(overlay[p]) for p, names in idle.items()}

    # -- items ---------------------------------------------------------------------------------------------
    def _live_items(self, path: str, wanted: list[str], whole: bool, results: dict[str, TestResult]) -> list[tuple[str, pytest.Item]]:
        mine = [i for i in self.session.items if self.files.relative(i.path) == path]
        return _select(mine, path, wanted, whole, results, frozenset())

    def _fresh_items(
        self,
        stack: contextlib.ExitStack,
        server: Overlay,
        path: str,
        wanted: list[str],
        whole: bool,
        results: dict[str, TestResult],
        idle: frozenset[str],
    ) -> list[tuple[str, pytest.Item]]:
        old = self.collectors.get(path)
        full = self.files.root / path
        if old is None:
            results.update({n: TestResult(n, "missing") for n in wanted})
            return []
        nodeid = str(old.nodeid)
        stack.callback(compat.purge_fixtures(self.session, nodeid))
        module, error = self._load(stack, server, full)
        fresh: list[pytest.Item] = []
        if module is not None:
            with _hidden(module, idle):
                for node in self._nodes(full, old):
                    more, error = compat.collect(node)
                    fresh += more
                    if error is not None:
                        break
        if error is not None:
            failure = self.capture.of_import(nodeid, path, error)
            results.update({n: TestResult(n, "error", failure) for n in wanted})
            return []
        before = [i for i in self.session.items if self.files.relative(i.path) == path]
        _carry_markers(before, fresh)
        return _select(fresh, path, wanted, whole, results, frozenset(str(i.nodeid) for i in before))

    def _nodes(self, full: Path, old: pytest.Collector) -> list[pytest.Collector]:
        assert old.parent is not None
        made = old.parent.ihook.pytest_collect_file(file_path=full, parent=old.parent)
        out: list[pytest.Collector] = []
        for entry in made:
            nodes = entry if isinstance(entry, list) else [entry]
            out += [n for n in nodes if isinstance(n, pytest.Module) or type(n) is type(old)]
        return out

    def _load(self, stack: contextlib.ExitStack, server: Overlay, full: Path) -> tuple[types.ModuleType | None, BaseException | None]:
        """Execute the healed module under the name the session knows it by; sys.modules is restored afterwards."""
        names = compat.module_names(self.config, full)
        missing = object()
        saved = {n: sys.modules.get(n, missing) for n in names}

        def restore() -> None:
            for n, m in saved.items():
                if m is missing:
                    sys.modules.pop(n, None)
                else:
                    sys.modules[n] = m  # type: ignore[assignment]

        stack.callback(restore)
        loaded = [n for n in names if saved[n] is not missing] or names[:1]
        folder = str(full.parent)
        if "importlib" not in str(self.config.getoption("importmode", "prepend")) and "." not in loaded[0] and folder not in sys.path:
            sys.path.insert(0, folder)
        try:
            module = server.load(loaded[0], str(full))
            for n in loaded[1:]:
                sys.modules[n] = module
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as exc:
            if type(exc).__name__ == "Hang":
                raise
            return None, exc
        return module, None

    # -- running -------------------------------------------------------------------------------------------
    def _run_items(
        self,
        items: list[tuple[str, pytest.Item]],
        results: dict[str, TestResult],
        tracer: Tracer | None,
        conditions: Conditions,
        first: bool,
        ledger: Ledger | None,
    ) -> None:
        quiet = QuietProtocol()
        manager = self.config.pluginmanager
        name = f"maestro-healer-proof-{id(quiet)}"
        manager.register(quiet, name)
        restore = compat.quiet_logreport(self.config, quiet)
        quiet.active = True
        try:
            for i, (nodeid, item) in enumerate(items):
                following = items[i + 1][1] if i + 1 < len(items) else None
                quiet.reports, quiet.subtests = [], []
                if conditions.seed is not None:
                    seed_all(conditions.seed)
                before = self._snapshot() if conditions.probe else None
                if ledger is not None:
                    ledger.begin(nodeid)
                began = time.perf_counter()
                with tracer.begin(nodeid) if tracer else contextlib.nullcontext():
                    item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
                new = result_of(nodeid, [*quiet.subtests, *quiet.reports], time.perf_counter() - began)
                if before is not None:
                    new = dataclasses.replace(new, changed=before.changes(self._snapshot()))
                old = results.get(nodeid)
                if old is None or old.outcome in ("passed", "skipped", "xfailed"):
                    results[nodeid] = new
                if ledger is not None:
                    ledger.end(results[nodeid])
                if first and new.outcome not in ("passed", "skipped", "xfailed"):
                    break
        finally:
            quiet.active = False
            restore()
            manager.unregister(quiet, name)

    def _snapshot(self) -> Snapshot:
        from pytest_maestro_healer.session.state import Snapshot

        return Snapshot(self.capture)

    @contextlib.contextmanager
    def _silence(self) -> Iterator[None]:
        """Keep what modules and tests print away from the terminal."""
        capman: Any = self.config.pluginmanager.get_plugin("capturemanager")
        if capman is not None and capman.is_globally_capturing():
            capman.resume_global_capture()
            try:
                yield
            finally:
                # between items, pytest's own capture is suspended
                capman.suspend_global_capture(in_=False)
                capman.read_global_capture()
            return
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield


def seed_all(seed: int) -> None:
    """Seed :mod:`random`, and numpy's global generator where numpy is loaded."""
    random.seed(seed)
    numpy: Any = sys.modules.get("numpy")
    numpy_seed = getattr(getattr(numpy, "random", None), "seed", None)
    if numpy_seed is not None:
        numpy_seed(seed % 2**32)


def result_of(nodeid: str, reports: Sequence[pytest.TestReport], seconds: float) -> TestResult:
    """One outcome from the reports of one item, subtests included."""
    outcome: TestOutcome = "passed"
    failure: Failure | None = None
    for rep in reports:
        if rep.failed:
            data = getattr(rep, "maestro_failure", None)
            return TestResult(nodeid, "failed", Failure.from_dict(data) if data else None, seconds)
        if rep.skipped:
            outcome = "xfailed" if hasattr(rep, "wasxfail") else "skipped"
        elif rep.when == "call" and hasattr(rep, "wasxfail"):
            outcome = "xpassed"
    if not any(rep.when == "teardown" for rep in reports):  # it never came to its end: pytest.exit, say
        outcome = "missing"
    return TestResult(nodeid, outcome, failure, seconds)


@lru_cache(maxsize=64)
def _looks_like_tests(data: bytes) -> frozenset[str]:
    return frozenset((m[1] or m[2]).decode() for m in _TESTS.finditer(data))


@lru_cache(maxsize=64)
def _bases(data: bytes) -> frozenset[str]:
    """The classes that others of the file are made from: their tests run as those of the others."""
    return frozenset(w.decode() for m in _CLASS.finditer(data) for w in re.findall(rb"\w+", m[1]))


def _top(nodeid: str) -> str:
    """The name in the module that a test belongs to: its function, or the outermost of its classes."""
    return function_of(nodeid).partition("::")[0]


@contextlib.contextmanager
def _hidden(module: types.ModuleType, names: frozenset[str]) -> Iterator[None]:
    """Tests that are not to run are not there while the module is collected; those that run may call them."""
    kept = dict(vars(module))
    for name in names & kept.keys():
        delattr(module, name)
    try:
        yield
    finally:
        vars(module).update({n: v for n, v in kept.items() if n in names})


def _by_file(nodeids: Sequence[str]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for n in nodeids:
        out.setdefault(file_of(n), []).append(n)
    return out


def _select(
    items: list[pytest.Item], path: str, wanted: list[str], whole: bool, results: dict[str, TestResult], known: frozenset[str]
) -> list[tuple[str, pytest.Item]]:
    by_id = {str(i.nodeid): i for i in items}
    out: list[tuple[str, pytest.Item]] = []
    for want in wanted:
        if whole or not is_test(want):
            continue
        if want in by_id:
            out.append((want, by_id[want]))
            continue
        same = [i for n, i in by_id.items() if without_params(n) == without_params(want)]
        if has_params(want) and known:  # the parameter ids changed with the edit: the new ones stand for the old
            same = [i for i in same if str(i.nodeid) not in known] or same
        if same:
            out += [(want, i) for i in same]
        else:
            results[want] = TestResult(want, "missing")
    if whole or any(not is_test(w) for w in wanted):
        chosen = {id(i) for _, i in out}
        out += [(n, i) for n, i in by_id.items() if id(i) not in chosen]
    order = {id(i): k for k, i in enumerate(items)}
    return sorted(out, key=lambda pair: order[id(pair[1])])


def _carry_markers(before: list[pytest.Item], fresh: list[pytest.Item]) -> None:
    """Markers that a ``modifyitems`` hook had put on the old items go on the new ones too."""
    old = {str(i.nodeid): i for i in before}
    for item in fresh:
        match = old.get(str(item.nodeid))
        if match is None:
            continue
        have = [m.name for m in item.own_markers]
        for mark in match.own_markers:
            if mark.name not in have:
                item.add_marker(getattr(pytest.mark, mark.name)(*mark.args, **mark.kwargs) if mark.args or mark.kwargs else mark.name)
