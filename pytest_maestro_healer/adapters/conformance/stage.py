"""The stage of the conformance tests: a small project with a wrong test, and a healer that knows the answer without running anything."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_maestro_healer.apply.ids import healing_id
from pytest_maestro_healer.edit.diff import unified
from pytest_maestro_healer.model import Applicability, Decision, DecisionKind, FileChange, HealingResult, ProofStep, Verdict

WRONG = "def test_it():\n    assert 1 + 1 == 3\n\n\ndef test_other():\n    assert True\n"
RIGHT = WRONG.replace("== 3", "== 2")
PATH = "tests/test_it.py"
NODEID = f"{PATH}::test_it"
#: Code with this in it makes the healer raise.
POISON = "# poison"
_PROVED = Verdict((ProofStep("guard", True), ProofStep("rerun", True), ProofStep("fresh", True)))


def make_project(folder: Path, *, git: bool = False) -> Path:
    """A project in ``folder`` whose test :data:`NODEID` fails, its healing state beside it; with ``git`` all of it is committed."""
    root = folder / "project"
    (root / "tests").mkdir(parents=True)
    (root / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\nheal_cache_dir = ../state\n", encoding="utf-8")
    (root / PATH).write_text(WRONG, encoding="utf-8")
    (root / "notes.txt").write_text("one\n", encoding="utf-8")
    if git:
        run_git(root, "init", "-q", "-b", "work")
        for key, value in (
            ("user.name", "Somebody"),
            ("user.email", "somebody@example.com"),
            ("commit.gpgsign", "false"),
            ("core.autocrlf", "false"),
        ):
            run_git(root, "config", key, value)
        run_git(root, "add", ".")
        run_git(root, "commit", "-qm", "one")
    return root


def run_git(root: Path, *args: str) -> str:
    """What git says, without the last line end."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    done = subprocess.run(["git", *args], cwd=root, env=env, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.rstrip("\n")


def event(root: Path, more: str = "") -> dict[str, Any]:
    """The error event of the project's wrong test; with ``more`` one that differs from others."""
    details = {"test_file": PATH, "test_id": NODEID, "error_message": f"assert (1 + 1) == 3{more}", "error_type": "AssertionError"}
    return {"code": (root / PATH).read_text(encoding="utf-8"), "error": details}


class StubHealer:
    """Heals :data:`WRONG` in whatever file an event names, at once or when ``gate`` is opened.

    ``proved`` and ``safe`` say what the heal claims to be. ``most`` is how many heals were ever made at one time.
    """

    def __init__(self, *, proved: bool = True, safe: bool = True, gate: asyncio.Event | None = None) -> None:
        self.proved, self.safe, self.gate = proved, safe, gate
        self.running = self.most = self.asked = 0

    async def heal_failed_test(self, test_code: str, error_details: Mapping[str, Any] | None = None) -> HealingResult:
        """The healed text; raises for poisoned code."""
        self.asked += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await (self.gate.wait() if self.gate is not None else asyncio.sleep(0))
            if POISON in test_code:
                raise RuntimeError("the healer broke")
            return self._result(test_code)
        finally:
            self.running -= 1

    def _result(self, code: str) -> HealingResult:
        change = FileChange.of(PATH, code.encode(), code.replace("== 3", "== 2").encode())
        verdict = _PROVED if self.proved else Verdict((ProofStep("guard", True), ProofStep("rerun", None, "not run")))
        return HealingResult(
            healing_id=healing_id("assertion_update", "stub", (change,)),
            test_id=NODEID,
            strategy_used="assertion_update",
            success=True,
            original_code=code,
            healed_code=change.after,
            confidence_score=0.95 if self.proved else 0.3,
            validation_results={"source": "live" if self.proved else "text"},
            diff=unified(PATH, change.before_bytes, change.after_bytes),
            decision=Decision(DecisionKind.PENDING, "review mode"),
            explanation="the sum is 2",
            applicability=Applicability.SAFE if self.safe else Applicability.REVIEW,
            nodeids=(NODEID,),
            changes=(change,),
            verdict=verdict,
            unasked="safe, proved and sure" if self.proved and self.safe else "",
        )
