"""The shell of the watch: events in, rounds out. What decides stands in the modules beside it."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import math
import os
import signal
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from pytest_maestro_healer.apply.journal import Journal
from pytest_maestro_healer.apply.paths import project_cache_dir
from pytest_maestro_healer.commands.root import loaded_names
from pytest_maestro_healer.errors import HealerError
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.model import HealingReport
from pytest_maestro_healer.report import json as report_json
from pytest_maestro_healer.watch.affected import Affected, Graph, GraphBuilder, affected, is_code
from pytest_maestro_healer.watch.board import Board, Outcome, Plan, Reason
from pytest_maestro_healer.watch.child import Child, Project
from pytest_maestro_healer.watch.debounce import Settled, Settler
from pytest_maestro_healer.watch.outputs import Outputs
from pytest_maestro_healer.watch.snapshot import Snapshot

INSTALL = 'watch needs watchfiles: pip install "pytest-maestro-healer[watch]"'
_SIGNALS = [getattr(signal, n) for n in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, n)]
#: Milliseconds: the longest time over which events are gathered, and the pause that ends it.
_GATHER, _STEP = 200, 25
#: Seconds in which events of a round's last moments still come in.
_LATE = 0.15


@dataclass(frozen=True)
class Timing:
    """``rounds`` that came to an end are enough (0: until a signal).

    ``settle`` seconds without a change make a file whole, ``patience`` seconds one that looks half written.
    """

    rounds: int = 0
    settle: float = 0.2
    patience: float = 3.0


@dataclass(frozen=True)
class Round:
    """A round that is over: ``status`` is finished, cancelled (files changed meanwhile), stopped (by a signal), or error (pytest gave no answer)."""

    number: int
    plan: Plan
    status: Literal["finished", "cancelled", "stopped", "error"]
    exit_code: int
    seconds: float
    report: HealingReport
    board: Board


class Screen(Protocol):
    """Who is told."""

    def status(self, text: str) -> None:
        """What is going on; the next status takes its place."""

    def say(self, text: str) -> None:
        """One line that stays."""

    def begin(self, plan: Plan) -> None:
        """A round begins: pytest has the terminal now."""

    def end(self, done: Round) -> None:
        """A round is over."""


def require_watchfiles() -> Any:
    """The module; raises :class:`~pytest_maestro_healer.errors.HealerError` with the command that installs it."""
    try:
        return importlib.import_module("watchfiles")
    except ImportError as exc:
        raise HealerError(INSTALL) from exc


class Watch:
    """Watches ``project``; with ``json`` stdout is left to the documents."""

    def __init__(self, project: Project, screen: Screen, timing: Timing, *, cache_dir: str = "", json: bool = False) -> None:
        self.project, self.screen, self.timing, self.json = project, screen, timing, json
        self.board, self.outputs = Board(), Outputs()
        state = project_cache_dir(project.root, cache_dir)
        self.snapshot = Snapshot(project.root, [Path(os.path.realpath(state))])
        self.settler = Settler(self.snapshot.unfinished, quiet=timing.settle, patience=timing.patience)
        self._journal = Journal(project.root, state, screen.say)
        self._builder = GraphBuilder(self.snapshot.signature)
        self._graph = Graph()
        self._during: set[str] = set()
        self._theirs: set[str] = set()
        self._began = self._ended = 0.0
        self._wake, self._stop = asyncio.Event(), asyncio.Event()
        self._signals = 0
        self._child: Child | None = None
        self._last: Round | None = None
        self._files = 0

    async def run(self) -> int:
        """Until the rounds are done or a signal comes; 0 when no test is left failing, 1 when one is, 2 when pytest gave no answer."""
        module = require_watchfiles()
        with self._obeying():
            feed = asyncio.ensure_future(self._feed(module))
            try:
                await asyncio.sleep(0)  # the watcher is there before the first look: nothing is lost between them
                self._files = await asyncio.to_thread(self.snapshot.scan)
                self._graph = await asyncio.to_thread(self._build)
                await self._rounds(feed)
            finally:
                self._stop.set()
                await feed
        if self._last is None or self._last.status == "stopped":
            return 130 if self._last is None or not self.board.outcomes else 1
        return 2 if self._last.status == "error" else int(bool(self.board.failing))

    # -- events --------------------------------------------------------------------------------------------
    @contextlib.contextmanager
    def _obeying(self) -> Iterator[None]:
        """Signals end the watch; a second one ends a round that takes its time to stop."""
        loop = asyncio.get_running_loop()
        old: dict[int, Any] = {}
        for number in _SIGNALS:
            try:
                loop.add_signal_handler(number, self._signalled)
            except (NotImplementedError, RuntimeError):
                old[number] = signal.signal(number, lambda *_: loop.call_soon_threadsafe(self._signalled))
        try:
            yield
        finally:
            for number in _SIGNALS:
                if number in old:
                    signal.signal(number, old[number])
                else:
                    loop.remove_signal_handler(number)

    def _signalled(self) -> None:
        self._signals += 1
        self._stop.set()
        self._wake.set()
        if self._signals > 1 and self._child is not None:
            self._child.kill()

    async def _feed(self, module: Any) -> None:
        try:
            async for found in module.awatch(
                self.project.root, watch_filter=None, debounce=_GATHER, step=_STEP, rust_timeout=1000, stop_event=self._stop
            ):
                paths = {p for _, name in found if (p := self.snapshot.relevant(name))}
                paths |= {p for change, name in found if change != module.Change.modified for p in self.snapshot.within(name)}
                if paths:
                    self.settler.changed(paths, self._now())
                    if self._child is not None:
                        self._during |= paths
                    self._wake.set()
        except (OSError, RuntimeError) as exc:
            raise HealerError(f"{self.project.root} cannot be watched: {exc}") from exc
        finally:
            self._stop.set()
            self._wake.set()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    # -- rounds --------------------------------------------------------------------------------------------
    async def _rounds(self, feed: asyncio.Future[None]) -> None:
        plan: Plan | None = self.board.plan("start")
        done = 0
        while not self._stop.is_set():
            if plan is not None:
                self._last = await self._round(plan, done + 1)
                self.screen.end(self._last)
                if self._last.status in ("finished", "error"):
                    done += 1
                    if done == self.timing.rounds:
                        return
            plan = await self._next()
        if feed.done():
            feed.result()

    async def _next(self) -> Plan | None:
        """The next round, once something changed and settled; ``None`` where that is no reason for one, or when it is time to go."""
        while not self._stop.is_set():
            self._wake.clear()
            state = self.settler.poll(self._now())
            if isinstance(state, Settled):
                return await asyncio.to_thread(self._plan, state)
            self.screen.status(state.why or self._idle())
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._wake.wait(), state.seconds)
        return None

    def _idle(self) -> str:
        counts = self.board.counts()
        left = f"{counts['failed']} failing" if counts["failed"] else "all well" if counts["passed"] else "no tests yet"
        return f"watching {self._files} files, {left}; Ctrl-C ends"

    def _plan(self, state: Settled) -> Plan | None:
        """What the settled changes call for."""
        ours = self._healed(state.paths)
        changed = self.snapshot.take(state.paths)
        running = {p for p in changed if p in self._during or self._began <= self.snapshot.written(p) <= self._ended}
        changed -= self._ignored(running - self._during - ours)
        self.outputs.edited(changed - running)
        self._during = set()
        cancelled = self._last is not None and self._last.status == "cancelled"
        if not changed and not cancelled:
            return None
        before, self._graph = self._graph, self._build()
        for path in changed:
            if not (self.project.root / path).exists():
                self.board.gone(path)
        named = loaded_names(self.project.root, self.project.arguments)
        reached = affected(changed, before, self._graph, named) if changed else Affected()
        own = bool(changed) and changed <= ours & running
        if not cancelled and not self._collects(reached):
            self.screen.say(f"{_names(changed)} changed; no test depends on it")
            return None
        if not self.board.tell(reached, own=own):
            self.screen.say(f"{_names(changed)}: healed again and again; waiting for your next change")
            return None
        broken = {p: why for p, why in state.broken.items() if p in changed}
        for path, why in broken.items():
            self.screen.say(f"{path} {why} and stays so; taken as it is")
        reason: Reason = "heal" if own else "change"
        return self.board.plan(reason, changed, broken)

    def _build(self) -> Graph:
        return self._builder.build(self._project_files())

    def _project_files(self) -> ProjectFiles:
        return ProjectFiles(
            self.project.root,
            python_files=self.board.python_files,
            testpaths=self.board.testpaths,
            collected_files=tuple(self.board.collected),
        )

    def _collects(self, reached: Affected) -> bool:
        files = self._project_files()
        return bool(reached.everything) or any(files.is_test_module(p) for p in reached.files)

    def _healed(self, paths: Collection[str]) -> set[str]:
        """Those of ``paths`` that are just as a heal left them: our own writes."""
        if self._child is not None:
            self._keeps(self._child.state)
        wanted = {(f.path, f.after_sha256) for t in self._journal.load() if t.kind == "apply" for f in t.files}
        return {p for p in paths if p.endswith(".py") and (p, self.snapshot.sha(p)) in wanted}

    def _keeps(self, state: Path | None) -> None:
        """The rounds keep their journal there."""
        if state is not None:
            self._journal = Journal(self.project.root, state, self.screen.say)
            self.snapshot.leave_out(Path(os.path.realpath(state)))

    # -- one round -----------------------------------------------------------------------------------------
    async def _round(self, plan: Plan, number: int) -> Round:
        keep = [p for p in self.board.collected if not p.endswith(".py")]
        began = self._now()
        with tempfile.TemporaryDirectory(prefix="maestro-heal-") as folder:
            for path in self.outputs.over(self._theirs):
                self.screen.say(f"{path} changes whenever tests run; taken as written by them, and left out while they run")
            self.screen.begin(plan)
            self._during, self._theirs = set(), set()
            self._began, self._ended = time.time(), math.inf
            child = self._child = await Child.start(self.project, plan, keep, Path(folder), stdout="err" if self.json else "out")
            try:
                cancelled = await self._attend(child)
            finally:
                if child.running.returncode is None:
                    await child.stop()
                await asyncio.sleep(_LATE)
                self._ended = time.time()
            found = None if cancelled else child.answer()
            code = child.running.returncode if child.running.returncode is not None else -1
            report = found[1] if found is not None else HealingReport()
            self._over(plan, found, complete=not cancelled and not self._stop.is_set())
            self._child = None
        status: Literal["finished", "cancelled", "stopped", "error"] = "finished"
        if self._stop.is_set():
            status = "stopped"
        elif cancelled:
            status = "cancelled"
        elif found is None:
            status = "error"
        return Round(number, plan, status, code, round(self._now() - began, 3), report, self.board)

    async def _attend(self, child: Child) -> bool:
        """Wait for the round's end; stop it when a signal comes or its files change. Returns whether they did."""
        ended = asyncio.ensure_future(child.running.wait())
        try:
            while not ended.done():
                self._wake.clear()
                if self._stop.is_set():
                    await child.stop()
                    return False
                if await asyncio.to_thread(self._spoilt):
                    self.screen.status("files changed, the round is stopped")
                    await child.stop()
                    return True
                waking = asyncio.ensure_future(self._wake.wait())
                await asyncio.wait([ended, waking], return_when=asyncio.FIRST_COMPLETED)
                waking.cancel()
        finally:
            ended.cancel()
        return False

    def _spoilt(self) -> bool:
        """Whether code was changed by somebody else since the round began."""
        suspects = [p for p in set(self._during) if is_code(p) and self.outputs.verdict(p, named=True) == "cancel"]
        changed = {p for p in suspects if self.snapshot.differs(p)}
        return bool(changed and changed - self._healed(changed))

    def _over(self, plan: Plan, found: tuple[Outcome, HealingReport] | None, *, complete: bool) -> None:
        during = {p for p in set(self._during) if self.snapshot.differs(p)}
        self._keeps(self._child.state if self._child is not None else None)
        ignored = self._ignored(during - self._healed(during))
        self.snapshot.take(ignored)
        self.settler.drop(ignored)
        if found is not None and complete:
            self.board.finished(plan, *found)
            if self.project.report is not None:
                with contextlib.suppress(HealerError):
                    report_json.write(found[1], self.project.report)

    def _ignored(self, during: Collection[str]) -> set[str]:
        """Those of the files that changed while the tests ran that are the tests' own."""
        self._theirs |= set(during)
        return {p for p in during if self.outputs.verdict(p, named=bool(self._graph.naming(p))) == "ignore"}


def _names(paths: Collection[str]) -> str:
    first = min(paths, default="nothing")
    return first if len(paths) < 2 else f"{first} and {len(paths) - 1} more"


def watch(make: Callable[[], Watch]) -> int:
    """Run the watch that ``make`` makes inside the event loop; see :meth:`Watch.run`."""

    async def main() -> int:
        return await make().run()

    return asyncio.run(main())


def document(done: Round) -> str:
    """One line of JSON."""
    plan, board = done.plan, done.board
    failing = {n: dict(zip(("heal", "decision"), board.heals.get(n, ("", "")), strict=True)) for n in board.failing}
    return json.dumps(
        {
            "schema": 1,
            "round": done.number,
            "status": done.status,
            "reason": plan.reason,
            "changed": list(plan.changed),
            "broken": dict(plan.broken),
            "everything": plan.why,
            "files": None if plan.files is None else sorted(plan.files),
            "exit_code": done.exit_code,
            "seconds": done.seconds,
            "tests": board.counts(),
            "failing": failing,
            "results": [r.to_dict() for r in done.report.results],
            "notes": list(done.report.notes),
        },
        default=repr,
    )
