"""What every repair service is held to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from pytest_maestro_healer.adapters.branch import Commit
from pytest_maestro_healer.adapters.config import RepairConfig
from pytest_maestro_healer.adapters.conformance.stage import PATH, POISON, RIGHT, WRONG, StubHealer, event, make_project, run_git
from pytest_maestro_healer.adapters.protocols import RepairServiceLike
from pytest_maestro_healer.adapters.states import RepairResult

#: Seconds in which anything here must be over: a limit against hanging, no measure.
LIMIT = 240.0
#: Seconds that a person thinks at most.
THINKING = 60.0
_ROUNDS = 20_000


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a scenario; one that hangs fails."""
    return asyncio.run(asyncio.wait_for(work, LIMIT))


class RepairServiceConformance:
    """Subclass it as ``Test...`` and give :meth:`make_service`; all tests are inherited."""

    def make_service(self, config: RepairConfig, **parts: Any) -> RepairServiceLike:
        """A service of the given configuration; ``parts`` may have ``healer``, ``approver`` and ``pull_request`` to be used."""
        raise NotImplementedError("make_service")

    # -- shape ---------------------------------------------------------------------------------------------
    def test_no_conformance_test_is_overridden(self) -> None:
        """A gap would not be seen."""
        mine = [n for n in vars(RepairServiceConformance) if n.startswith("test_")]
        changed = [n for n in mine if getattr(type(self), n) is not vars(RepairServiceConformance)[n]]
        assert changed == [], f"overridden: {changed}"

    def test_it_has_every_member(self, tmp_path: Path) -> None:
        """As :class:`~pytest_maestro_healer.adapters.protocols.RepairServiceLike` has them."""

        async def scenario() -> None:
            service = self._free(make_project(tmp_path))
            assert isinstance(service, RepairServiceLike)
            await service.close()

        run(scenario())

    # -- writing -------------------------------------------------------------------------------------------
    def test_a_safe_heal_is_written_and_every_state_is_told(self, tmp_path: Path) -> None:
        """Event in, result out, nothing skipped between."""
        root = make_project(tmp_path)

        async def scenario() -> None:
            service = self._free(root)
            found = await self._repaired(service, event(root))
            assert found.status == "success", found.reason
            states = [str(e.status) for e in service.journal(found.repair_id)]
            assert list(dict.fromkeys(states)) == ["pending", "analyzing", "healing", "validating", "success"]
            assert service.result(found.repair_id) == found
            assert [r.repair_id for r in service.results("success")] == [found.repair_id]
            assert service.results("failed") == []
            await service.close()

        run(scenario())
        assert (root / PATH).read_text(encoding="utf-8") == RIGHT

    def test_nothing_is_written_when_nobody_permits_it(self, tmp_path: Path) -> None:
        """Without auto_fix and without approval a service only reports."""
        self._unwritten(tmp_path, StubHealer(), "skipped", auto_fix=False)

    def test_a_heal_for_review_is_not_written_unasked(self, tmp_path: Path) -> None:
        """auto_fix is for safe heals."""
        self._unwritten(tmp_path, StubHealer(safe=False), "skipped", auto_fix=True)

    def test_an_unproved_heal_is_not_written(self, tmp_path: Path) -> None:
        """Not even when everybody permits it."""
        self._unwritten(tmp_path, StubHealer(proved=False), "skipped", auto_fix=True)
        self._unwritten(tmp_path / "again", StubHealer(proved=False), "skipped", auto_fix=True, require_approval=True)

    def test_a_heal_under_the_threshold_is_not_written_unasked(self, tmp_path: Path) -> None:
        """The service's own threshold counts, whatever the healer's was."""
        self._unwritten(tmp_path, StubHealer(), "skipped", auto_fix=True, confidence_threshold=0.99)

    def test_a_file_that_somebody_changed_is_left_alone(self, tmp_path: Path) -> None:
        """What was proved was proved for other bytes."""
        root = make_project(tmp_path)

        async def scenario() -> None:
            gate = asyncio.Event()
            healer = StubHealer(gate=gate)
            service = self._free(root, healer=healer)
            repair_id = await service.submit(event(root))
            await until(lambda: healer.asked == 1)
            (root / PATH).write_text(WRONG + "# mine\n", encoding="utf-8")
            gate.set()
            found = await service.wait(repair_id)
            assert found.status in ("skipped", "failed"), found.status
            assert found.reason
            await service.close()

        run(scenario())
        assert (root / PATH).read_text(encoding="utf-8") == WRONG + "# mine\n"

    def test_a_file_outside_of_the_project_is_not_touched(self, tmp_path: Path) -> None:
        """Wherever the event points to."""
        root = make_project(tmp_path)
        outside = tmp_path / "test_it.py"
        outside.write_text(WRONG, encoding="utf-8")

        async def scenario() -> None:
            service = self._free(root)
            for name in ("../test_it.py", str(outside)):
                found = await self._repaired(service, {"code": WRONG, "error": {"test_file": name}})
                assert found.status in ("failed", "skipped"), found.status
            await service.close()

        run(scenario())
        assert outside.read_text(encoding="utf-8") == WRONG
        assert (root / PATH).read_text(encoding="utf-8") == WRONG

    # -- approval ------------------------------------------------------------------------------------------
    def test_an_approved_heal_is_written_and_not_before(self, tmp_path: Path) -> None:
        """A person is asked, and the heal waits for the answer."""
        root = make_project(tmp_path)

        async def scenario() -> None:
            service = self._free(root, require_approval=True)
            repair_id = await service.submit(event(root))
            await until(lambda: service.result(repair_id).awaiting_approval)
            assert not service.result(repair_id).status.final
            assert (root / PATH).read_text(encoding="utf-8") == WRONG
            found = await service.approve(repair_id)
            assert found.status == "success", found.reason
            await service.close()

        run(scenario())
        assert (root / PATH).read_text(encoding="utf-8") == RIGHT

    def test_a_rejected_heal_is_not_written(self, tmp_path: Path) -> None:
        """Nor asked for again."""
        root = make_project(tmp_path)

        async def scenario() -> None:
            service = self._free(root, require_approval=True)
            repair_id = await service.submit(event(root))
            await until(lambda: service.result(repair_id).awaiting_approval)
            found = await service.reject(repair_id)
            assert found.status == "skipped", found.status
            await service.close()

        run(scenario())
        assert (root / PATH).read_text(encoding="utf-8") == WRONG

    def test_an_approver_may_block(self, tmp_path: Path) -> None:
        """It waits for what only the event loop can do, so it must not be called in the loop's thread."""
        root = make_project(tmp_path)
        called, opened = threading.Event(), threading.Event()
        went_on: list[bool] = []

        def approver(result: RepairResult) -> bool:
            called.set()
            went_on.append(opened.wait(THINKING))
            return False

        async def scenario() -> None:
            service = self._free(root, require_approval=True, approver=approver)
            repair_id = await service.submit(event(root))
            await until(called.is_set)
            opened.set()
            assert (await service.wait(repair_id)).status == "skipped"
            assert went_on == [True], "the loop stood still while the approver thought"
            await service.close()

        run(scenario())
        assert (root / PATH).read_text(encoding="utf-8") == WRONG

    # -- many ----------------------------------------------------------------------------------------------
    def test_a_bad_event_spoils_no_other(self, tmp_path: Path) -> None:
        """No event raises; each has its own result."""
        root = make_project(tmp_path)
        poisoned = {"code": f"{WRONG}{POISON}\n", "error": {"test_file": PATH}}
        bad: list[Any] = [None, 3, "text", {}, {"code": 3}, {"code": WRONG, "error": 7}, {"error": {"test_file": "nowhere.py"}}, poisoned]

        async def scenario() -> None:
            service = self._free(root)
            ids = [await service.submit(e) for e in [*bad[:4], event(root), *bad[4:]]]
            found = [await service.wait(i) for i in ids]
            assert [str(r.status) for i, r in enumerate(found) if i != 4] == ["failed"] * len(bad)
            assert all(r.reason for r in found)
            assert found[4].status == "success", found[4].reason
            assert len(service.results()) == len(set(ids)) == len(found)
            await service.close()

        run(scenario())

    def test_no_more_repairs_work_at_one_time_than_allowed(self, tmp_path: Path) -> None:
        """And as many as allowed do."""
        root = make_project(tmp_path)

        async def scenario() -> None:
            gate = asyncio.Event()
            healer = StubHealer(gate=gate, proved=False)
            service = self._free(root, healer=healer, max_concurrent_repairs=2)
            ids = [await service.submit(event(root, str(i))) for i in range(5)]
            await until(lambda: healer.running >= 2)
            for _ in range(20):  # time for a third one to come where it is not allowed to
                if healer.running > 2:
                    break
                await asyncio.sleep(0.05)
            gate.set()
            for i in ids:
                await service.wait(i)
            assert (healer.most, healer.asked) == (2, 5)
            await service.close()

        run(scenario())

    def test_a_repair_that_waits_for_a_person_holds_no_place(self, tmp_path: Path) -> None:
        """Else one who is on holiday stops everything."""
        root = make_project(tmp_path)

        async def scenario() -> None:
            service = self._free(root, require_approval=True, max_concurrent_repairs=1)
            first = await service.submit(event(root, "1"))
            await until(lambda: service.result(first).awaiting_approval)
            second = await service.submit(event(root, "2"))
            await until(lambda: service.result(second).awaiting_approval)
            await service.close()
            assert {str(service.result(i).status) for i in (first, second)} == {"skipped"}

        run(scenario())
        assert (root / PATH).read_text(encoding="utf-8") == WRONG

    def test_a_cancelled_repair_writes_nothing(self, tmp_path: Path) -> None:
        """It ends, and the next one has its place."""
        root = make_project(tmp_path)

        async def scenario() -> None:
            gate = asyncio.Event()
            healer = StubHealer(gate=gate)
            service = self._free(root, healer=healer, max_concurrent_repairs=1)
            first = await service.submit(event(root, "1"))
            await until(lambda: healer.running == 1)
            found = await service.cancel(first)
            assert found.status == "skipped", found.status
            assert healer.running == 0, "the healer still works"
            assert (root / PATH).read_text(encoding="utf-8") == WRONG
            gate.set()
            assert (await self._repaired(service, event(root, "2"))).status == "success"
            assert service.result(first).status == "skipped"
            await service.close()

        run(scenario())

    def test_updates_tell_every_state_as_it_happens(self, tmp_path: Path) -> None:
        """And end with the service."""
        root = make_project(tmp_path)

        async def scenario() -> None:
            service = self._free(root)
            seen: list[str] = []

            async def listen() -> None:
                async for update in service.updates():
                    seen.append(str(update.status))

            listening = asyncio.create_task(listen())
            await asyncio.sleep(0)
            await self._repaired(service, event(root))
            await service.close()
            await listening
            assert list(dict.fromkeys(seen)) == ["pending", "analyzing", "healing", "validating", "success"]

        run(scenario())

    # -- commits -------------------------------------------------------------------------------------------
    def test_a_heal_is_committed_alone_on_a_branch_with_its_id(self, tmp_path: Path) -> None:
        """HEAD, index, other files and remotes stay as they are; a pull request is asked for, not made."""
        root = make_project(tmp_path, git=True)
        run_git(tmp_path, "init", "-q", "--bare", "remote.git")
        run_git(root, "remote", "add", "origin", str(tmp_path / "remote.git"))
        (root / "notes.txt").write_text("two\n", encoding="utf-8")
        head = run_git(root, "rev-parse", "HEAD")
        told: list[Commit] = []

        def hook(made: Commit) -> str:
            told.append(made)
            return "https://example.com/pull/1"

        async def scenario() -> RepairResult:
            service = self._free(root, auto_commit=True, create_pr=True, pull_request=hook)
            found = await self._repaired(service, event(root))
            await service.close()
            return found

        found = run(scenario())
        assert found.status == "success", found.reason
        assert found.healing_id in found.branch
        assert found.pull_request == "https://example.com/pull/1"
        assert [c.branch for c in told] == [found.branch]
        assert run_git(root, "diff", "--name-only", head, found.branch) == PATH
        assert run_git(root, "show", f"{found.branch}:{PATH}") == RIGHT.rstrip("\n")
        assert run_git(root, "rev-parse", "HEAD", f"{found.branch}^", found.branch).splitlines() == [head, head, found.commit]
        assert run_git(root, "symbolic-ref", "--short", "HEAD") == "work"
        assert run_git(root, "diff", "--cached", "--name-only") == ""
        assert (root / "notes.txt").read_text(encoding="utf-8") == "two\n"
        assert run_git(tmp_path / "remote.git", "for-each-ref") == ""

    def test_staged_or_unfinished_work_is_never_committed(self, tmp_path: Path) -> None:
        """Then nothing is written either: what was asked for cannot be had."""
        for name, wip in (("staged", "notes.txt"), ("unfinished", PATH)):
            root = make_project(tmp_path / name, git=True)
            with open(root / wip, "a", encoding="utf-8") as out:
                out.write("# mine\n")
            if name == "staged":
                run_git(root, "add", wip)
            before = (root / PATH).read_text(encoding="utf-8")

            async def scenario(root: Path = root) -> RepairResult:
                service = self._free(root, auto_commit=True)
                found = await self._repaired(service, event(root))
                await service.close()
                return found

            found = run(scenario())
            assert found.status == "failed", (name, found.status)
            assert found.reason
            assert (root / PATH).read_text(encoding="utf-8") == before
            assert run_git(root, "for-each-ref", "--format=%(refname:short)") == "work"

    # -- parts ---------------------------------------------------------------------------------------------
    def _free(
        self, root: Path, *, healer: StubHealer | None = None, approver: Any = None, pull_request: Any = None, **settings: Any
    ) -> RepairServiceLike:
        """A service that may write what is safe, unless ``settings`` say otherwise."""
        parts: dict[str, Any] = {"healer": healer or StubHealer()}
        parts |= {"approver": approver} if approver is not None else {}
        parts |= {"pull_request": pull_request} if pull_request is not None else {}
        return self.make_service(RepairConfig(root, **{"auto_fix": True, "require_approval": False, **settings}), **parts)

    async def _repaired(self, service: RepairServiceLike, what: Any) -> RepairResult:
        return await service.wait(await service.submit(what))

    def _unwritten(self, folder: Path, healer: StubHealer, status: str, **settings: Any) -> None:
        folder.mkdir(exist_ok=True)
        root = make_project(folder)

        async def scenario() -> None:
            service = self._free(root, healer=healer, **settings)
            found = await self._repaired(service, event(root))
            assert found.status == status, (found.status, found.reason)
            assert found.reason
            await service.close()

        run(scenario())
        assert (root / PATH).read_text(encoding="utf-8") == WRONG


async def until(holds: Any) -> None:
    """Let the loop go on until ``holds()``; what never comes is an error."""
    for i in range(_ROUNDS):
        if holds():
            return
        await asyncio.sleep(0 if i < 100 else 0.005)
    raise AssertionError("it never happened")
