"""The repair service: error events in, proved and permitted heals written, every state told (CARS, Continuous Auto-Repair Service)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any

from pytest_maestro_healer.adapters.branch import Commit
from pytest_maestro_healer.adapters.callbacks import called
from pytest_maestro_healer.adapters.config import RepairConfig
from pytest_maestro_healer.adapters.events import ErrorEvent, read_event
from pytest_maestro_healer.adapters.protocols import Approver, HealerLike, Monitor, PullRequestHook
from pytest_maestro_healer.adapters.states import Journal, JournalEntry, RepairResult, RepairStatus
from pytest_maestro_healer.adapters.verdicts import Verdict, judge
from pytest_maestro_healer.adapters.watch import TESTS, Monitors, tests_monitor
from pytest_maestro_healer.adapters.write import Ready, check, put, refuse
from pytest_maestro_healer.errors import ConfigError, HealerError
from pytest_maestro_healer.model import HealingResult
from pytest_maestro_healer.remote.place import project_of

MOST_OPEN = 10_000
_BACKLOG = 10_000


class RepairService:
    """Repairs failed tests of one project, a few at a time.

    ``config`` says what may be done. ``healer`` finds and proves heals (default: the engine itself, never writing). ``approver`` is asked for
    each heal where ``require_approval`` is set; without one :meth:`approve` and :meth:`reject` decide. ``pull_request`` is told of commits where
    ``create_pr`` is set. ``monitors`` are asked for events at the intervals of ``monitor_intervals``.

    Use it with ``async with``, or call :meth:`start` and :meth:`close`. Raises :class:`~pytest_maestro_healer.errors.ConfigError` for a
    ``create_pr`` without hook and for intervals of unknown monitors.
    """

    def __init__(
        self,
        config: RepairConfig | None = None,
        *,
        healer: HealerLike | None = None,
        approver: Approver | None = None,
        pull_request: PullRequestHook | None = None,
        monitors: Mapping[str, Monitor] | None = None,
    ) -> None:
        self.config = config or RepairConfig()
        if self.config.create_pr and pull_request is None:
            raise ConfigError("create_pr: give a pull_request hook; the service itself never uses the network")
        known = {TESTS: tests_monitor(self.config.project), **(monitors or {})}
        for name in self.config.monitor_intervals:
            if name not in known:
                raise ConfigError(f"monitor_intervals: no monitor {name!r}; known: {', '.join(known)}")
        self._healer = healer if healer is not None else _engine(self.config)
        self._approver = approver
        self._pull_request = pull_request
        self._monitors = Monitors({n: (known[n], s) for n, s in self.config.monitor_intervals.items()}, self._offer)
        self._journal = Journal(self._tell)
        self._slots = asyncio.Semaphore(self.config.max_concurrent_repairs)
        self._writing = asyncio.Lock()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._decisions: dict[str, asyncio.Future[bool]] = {}
        self._in_work: dict[str, str] = {}
        self._offered: dict[str, None] = {}
        self._listeners: list[asyncio.Queue[RepairResult | None]] = []
        self._closed = False

    # -- the service's life --------------------------------------------------------------------------------
    async def start(self) -> None:
        """Begin to ask the monitors, at once and then at their intervals."""
        self._monitors.start()

    async def close(self) -> None:
        """Stop the monitors and what is still open. What is just being written is written to its end; what waits stays pending in the project."""
        self._closed = True
        await self._monitors.stop()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for queue in self._listeners:
            _put(queue, None)

    async def __aenter__(self) -> RepairService:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # -- events in -----------------------------------------------------------------------------------------
    async def submit(self, event: Any) -> str:
        """Take an error event (see :class:`~pytest_maestro_healer.adapters.protocols.RepairServiceLike`); returns the repair's id at once.

        Raises :class:`~pytest_maestro_healer.errors.HealerError` when the service is closed, and nothing for what is wrong with an event.
        """
        if self._closed:
            raise HealerError("the repair service is closed")
        repair_id = f"r-{secrets.token_hex(5)}"
        self._journal.opened(repair_id)
        if len(self._tasks) >= MOST_OPEN:
            self._journal.to(repair_id, RepairStatus.SKIPPED, f"{MOST_OPEN} events are open already")
            return repair_id
        task = asyncio.create_task(self._repair(repair_id, event), name=f"maestro-heal-{repair_id}")
        self._tasks[repair_id] = task
        task.add_done_callback(lambda _: self._tasks.pop(repair_id, None))
        return repair_id

    async def repair(self, event: Any) -> RepairResult:
        """Take an event and wait for its final result; where a person is asked, that long."""
        return await self.wait(await self.submit(event))

    async def repair_all(self, events: Iterable[Any]) -> list[RepairResult]:
        """Take many events; one final result for each, in their order."""
        ids = [await self.submit(e) for e in events]
        return [await self.wait(i) for i in ids]

    async def _offer(self, name: str, event: Any) -> None:
        """An event of a monitor: the same failure of the same code is looked at once."""
        try:
            key = (await asyncio.to_thread(read_event, event, self.config.project)).key
        except Exception:
            key = secrets.token_hex(8)
        if key in self._offered:
            return
        self._offered[key] = None
        while len(self._offered) > MOST_OPEN:
            del self._offered[next(iter(self._offered))]
        self._journal.noted(await self.submit(event), source=name)

    # -- results out ---------------------------------------------------------------------------------------
    async def wait(self, repair_id: str) -> RepairResult:
        """The final result of a repair, named by its own id or its heal's. Raises HealerError when there is none."""
        repair_id = self._journal.get(repair_id).repair_id
        task = self._tasks.get(repair_id)
        if task is not None:
            await asyncio.wait([task])
        return self._journal.get(repair_id)

    def result(self, repair_id: str) -> RepairResult:
        """The repair as it stands now. Raises :class:`~pytest_maestro_healer.errors.HealerError` when there is none."""
        return self._journal.get(repair_id)

    def results(self, status: RepairStatus | str | None = None) -> list[RepairResult]:
        """All repairs, or those of one status, oldest first."""
        return self._journal.results(status)

    def waiting(self) -> list[RepairResult]:
        """The repairs for which a person is asked."""
        return [r for r in self._journal.results() if r.awaiting_approval]

    def journal(self, repair_id: str | None = None, status: RepairStatus | str | None = None, since: float = 0.0) -> list[JournalEntry]:
        """Every change of state, oldest first: of one repair, into one status, at or after a time."""
        return self._journal.entries(repair_id and self._journal.get(repair_id).repair_id, status, since)

    async def updates(self) -> AsyncIterator[RepairResult]:
        """Every change of state from now on, until the service is closed; who is slower than the events loses the oldest."""
        queue: asyncio.Queue[RepairResult | None] = asyncio.Queue(_BACKLOG)
        self._listeners.append(queue)
        try:
            while not (self._closed and queue.empty()) and (update := await queue.get()) is not None:
                yield update
        finally:
            self._listeners.remove(queue)

    def _tell(self, result: RepairResult) -> None:
        for queue in self._listeners:
            _put(queue, result)

    # -- people --------------------------------------------------------------------------------------------
    async def approve(self, repair_id: str) -> RepairResult:
        """Permit the heal that waits (by the repair's id or the heal's), and wait until it is written.

        Raises :class:`~pytest_maestro_healer.errors.HealerError` when nothing waits under that id.
        """
        return await self._decided(repair_id, True)

    async def reject(self, repair_id: str) -> RepairResult:
        """Refuse the heal that waits; it is never proposed again. Raises as :meth:`approve`."""
        return await self._decided(repair_id, False)

    async def cancel(self, repair_id: str) -> RepairResult:
        """Stop a repair; one that is just being written is written to its end. Returns the final result."""
        repair_id = self._journal.get(repair_id).repair_id
        task = self._tasks.get(repair_id)
        if task is not None:
            task.cancel()
        return await self.wait(repair_id)

    async def _decided(self, repair_id: str, answer: bool) -> RepairResult:
        found = self._journal.get(repair_id)
        future = self._decisions.get(found.repair_id)
        if future is None or future.done():
            raise HealerError(f"{repair_id} waits for no approval: it is {found.status}")
        future.set_result(answer)
        return await self.wait(found.repair_id)

    # -- one repair ----------------------------------------------------------------------------------------
    async def _repair(self, repair_id: str, raw: Any) -> None:
        """All states of one event; whatever happens, the last one is final."""
        key = ""
        try:
            async with self._slots:
                self._journal.to(repair_id, RepairStatus.ANALYZING)
                event = await asyncio.to_thread(read_event, raw, self.config.project)
                self._journal.noted(repair_id, source=event.source or self._journal.get(repair_id).source)
                other = self._in_work.setdefault(event.key, repair_id)
                if other != repair_id:
                    self._journal.to(repair_id, RepairStatus.SKIPPED, f"the same failure is in work as {other}")
                    return
                key = event.key
                self._journal.to(repair_id, RepairStatus.HEALING)
                result = await self._healer.heal_failed_test(event.test_code, event.error_details)
                found = judge(result, self.config)
                facts = {"healing": result, "test_id": result.test_id, "healing_id": result.healing_id}
                self._journal.to(repair_id, found.status or RepairStatus.VALIDATING, found.reason, **facts)
            await self._settled(repair_id, event, result, found)
        except asyncio.CancelledError:
            why = "the service was closed" if self._closed else "cancelled"
            self._journal.to(repair_id, RepairStatus.SKIPPED, why, awaiting_approval=False)
        except Exception as exc:
            said = str(exc) if isinstance(exc, (HealerError, TypeError)) else f"{type(exc).__name__}: {exc}"
            self._journal.to(repair_id, RepairStatus.FAILED, said, awaiting_approval=False)
        finally:
            if key:
                self._in_work.pop(key, None)
            self._decisions.pop(repair_id, None)

    async def _settled(self, repair_id: str, event: ErrorEvent, result: HealingResult, found: Verdict) -> None:
        if found.status is not None:
            return
        file = Path(str(event.error_details.get("test_file") or ""))
        if not await asyncio.to_thread(file.is_file):
            self._journal.to(repair_id, RepairStatus.SKIPPED, "a suggestion only, never written: the event names no test_file that exists")
            return
        root = project_of(file, self.config.project)
        if found.ask and not await self._permitted(repair_id, result, root):
            return
        async with self._slots, self._writing:
            ready = await check(root, result, again=found.ask)
            # from here on a cancellation comes too late: nothing is left half done
            written = await _whole(put(ready, commit=self.config.auto_commit)) if isinstance(ready, Ready) else ready
        status = RepairStatus.SUCCESS if written.done else RepairStatus.SKIPPED if written.stale else RepairStatus.FAILED
        made = written.commit
        facts = {"branch": made.branch, "commit": made.commit} if made is not None else {}
        self._journal.to(repair_id, status, written.reason or found.reason, files=written.files, awaiting_approval=False, **facts)
        if made is not None and self._pull_request is not None and self.config.create_pr:
            await self._requested(repair_id, made, self._pull_request)

    async def _permitted(self, repair_id: str, result: HealingResult, root: Path) -> bool:
        """Ask; what is refused is remembered, so that it is not proposed again."""
        # before the state is told: who hears of it may answer at once
        future = self._decisions[repair_id] = asyncio.get_running_loop().create_future()
        asked = self._journal.to(repair_id, None, "waits for approval", awaiting_approval=True)
        asking = asyncio.create_task(_asked(self._approver, asked, future)) if self._approver is not None else None
        try:
            permitted = await future
        finally:
            if asking is not None:
                asking.cancel()
        if permitted:
            self._journal.to(repair_id, None, "approved", awaiting_approval=False)
            return True
        async with self._writing:
            await _whole(asyncio.to_thread(refuse, root, result))
        self._journal.to(repair_id, RepairStatus.SKIPPED, "rejected", awaiting_approval=False)
        return False

    async def _requested(self, repair_id: str, made: Commit, hook: PullRequestHook) -> None:
        """The repair is over already: a hook that fails is a note, no failure."""
        try:
            address = await called(hook, made)
        except Exception as exc:
            self._tell(self._journal.noted(repair_id, f"the pull request hook raised {type(exc).__name__}: {exc}"))
        else:
            self._tell(self._journal.noted(repair_id, pull_request=str(address or "")))


async def _asked(approver: Approver, asked: RepairResult, future: asyncio.Future[bool]) -> None:
    """Hand the approver's answer on, unless somebody else was quicker."""
    try:
        answer = await called(approver, asked)
    except Exception as exc:
        if not future.done():
            future.set_exception(HealerError(f"the approver raised {type(exc).__name__}: {exc}; the heal stays pending"))
    else:
        if not future.done():
            future.set_result(answer is True)


async def _whole(work: Any) -> Any:
    """The result of ``work``, which is done to its end even when its waiter is cancelled: what is begun to be written is not torn."""
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
        except Exception:
            break
    return task.result()


def _put(queue: asyncio.Queue[RepairResult | None], update: RepairResult | None) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(update)


def _engine(config: RepairConfig) -> HealerLike:
    from pytest_maestro_healer.api import AutonomousTestHealer

    return AutonomousTestHealer({"auto_apply": False, "confidence_threshold": config.confidence_threshold})
