"""Failed tests given as code and words: reproduce them, heal what fails from live values, ask the words alone where nothing can be run."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import sys
import sysconfig
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_maestro_healer.apply.ids import healing_id
from pytest_maestro_healer.capture.text import Report, likeness, meant
from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.errors import HealerError
from pytest_maestro_healer.evidence.nodeids import file_of, function_of, name_of, tail_of
from pytest_maestro_healer.evidence.redact import without_secrets
from pytest_maestro_healer.model import Decision, DecisionKind, Failure, HealingResult
from pytest_maestro_healer.remote import process
from pytest_maestro_healer.remote.job import Answer, Job, Select, answer
from pytest_maestro_healer.remote.place import Place
from pytest_maestro_healer.remote.shape import shaped

_TEST = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+(\w+)", re.M)
_SHARE = 0.8  # of the time limit, for the engine to end by itself and tell what it has


@dataclass(frozen=True)
class Entry:
    """One failed test: the given ``code``, what was said about it, and which tests are meant (none: any)."""

    code: str
    report: Report
    selects: tuple[Select, ...] = ()

    @property
    def function(self) -> str:
        """The test function that is meant, ``""`` where that is open."""
        return function_of(f"::{self.selects[0][1]}").replace("::", ".") if len(self.selects) == 1 else ""


@dataclass
class Run:
    """All that one group of entries, of one place, goes through; ``work`` is a folder of its own.

    ``others`` are to be run with them; ``done`` says that ``live`` and ``problem`` are those of a run that had these entries among the others.
    """

    place: Place
    entries: Sequence[Entry]
    config: HealerConfig
    settings: frozenset[str]
    work: Path
    problem: str = ""
    live: Answer | None = None
    others: Sequence[Entry] = ()
    done: bool = False
    began: float = field(default_factory=time.perf_counter)

    async def heal(self) -> list[HealingResult]:
        """One result for each entry, in their order."""
        out: list[HealingResult | None] = []
        open_: list[tuple[int, Entry, bool, str]] = []
        if not self.done:
            await self._run()
        for i, entry in enumerate(self.entries):
            failures = self._seen(entry)
            fitting = [f for f in failures if self.place.kind != "scratch" or meant(f, entry.report)]
            if self.live is not None and fitting:
                like, best = max(((likeness(f, entry.report), f) for f in fitting), key=lambda pair: pair[0])
                out.append(shaped(self.place, best, self.live, len(fitting) - 1, self._apply, self._seconds(), like))
            else:
                out.append(None)
                open_.append((i, entry, self._passes(entry), self._why_not(failures)))
        if open_:
            for (i, entry, _, why), result in zip(open_, await self._text(open_)):
                out[i] = shaped_text(self.place, entry, result, why, self._seconds())
        return [r for r in out if r is not None]

    def _seconds(self) -> float:
        return round(time.perf_counter() - self.began, 4)

    # -- live ----------------------------------------------------------------------------------------------
    @property
    def _apply(self) -> bool:
        """Whether anything may be written: only where the given code is a file's content."""
        return self.config.apply != "none" and self.place.kind == "disk" and self.place.whole

    async def _run(self) -> None:
        if self.place.kind == "scratch":
            self.place.file.parent.mkdir(parents=True, exist_ok=True)
            self.place.file.write_bytes(self.place.before)
            (self.place.root / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        elif self.place.kind == "disk" and self.place.file.read_bytes() != self.place.before:
            self.place = dataclasses.replace(self.place, kind="served")
        every = [*self.entries, *self.others]
        selects = () if any(not e.selects for e in every) else tuple(dict.fromkeys(s for e in every for s in e.selects))
        changes: dict[str, Any] = {"apply": self.config.apply if self._apply else "none", "budget": max(1.0, self.config.timeout * _SHARE)}
        settings = self.settings | {"budget"}
        if self.place.kind != "disk":  # what is kept about code that is nowhere would be stale at once
            changes["cache_dir"] = str(self.work / "state")
            settings |= {"cache_dir"}
        real = Path(os.path.realpath(self.place.root))
        files = {str(real / self.place.path): self.place.before} if self.place.kind == "served" else {}
        targets = (self.place.path,)
        job = Job(real, targets, self.config.replace(**changes), settings, files, selects, fallback=True, alone=True)
        try:
            self.live, self.problem = await run_job(job, self.work, timeout=self.config.timeout, env=self._path())
        except (HealerError, OSError) as exc:
            self.problem = str(exc)
        if self.live is not None and self.live.unserved:
            self.live, self.problem = None, "the given code could not be put in place of the file's"

    def _path(self) -> dict[str, str]:
        """A scratch project finds what the caller's own process finds beside the standard library and installed packages."""
        if self.place.kind != "scratch":
            return {}
        own = tuple(os.path.realpath(p) for p in {*sysconfig.get_paths().values(), sys.prefix, sys.base_prefix})
        mine = [os.path.abspath(p or os.curdir) for p in sys.path]  # noqa: PTH100
        mine = [p for p in dict.fromkeys(mine) if Path(p).is_dir() and not os.path.realpath(p).startswith(own)]
        return {"PYTHONPATH": os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH", "")]), *mine])}

    def _seen(self, entry: Entry) -> list[Failure]:
        if self.live is None:
            return []
        mine = [f for f in self.live.failures if file_of(f.nodeid) == self.place.path or f.path == self.place.path]
        if not entry.selects:
            return mine or list(self.live.failures)
        names = [name_of(f"::{s[1]}") for s in entry.selects]
        exact = {s[1] for s in entry.selects}
        found = [f for f in mine if tail_of(f.nodeid) in exact] or [f for f in mine if f.function.rpartition(".")[2] in names]
        return found or [f for f in self.live.failures if f.phase == "collect"]

    def _passes(self, entry: Entry) -> bool:
        if self.live is None:
            return False
        names = {name_of(f"::{s[1]}") for s in entry.selects}
        mine = [o for n, o in self.live.outcomes.items() if not names or name_of(n) in names]
        return bool(mine) and all(o == "passed" for o in mine)

    def _why_not(self, failures: Sequence[Failure]) -> str:
        if self.live is None:
            return self.problem or "the code could not be run"
        if failures:
            f = failures[0]
            lines = f.message.strip().splitlines() or [""]
            return f"outside of its project the code fails otherwise: {f.exc_type}: {lines[0][:200]}"
        return "the test passes here" if any(o == "passed" for o in self.live.outcomes.values()) else "no test ran"

    # -- text ----------------------------------------------------------------------------------------------
    async def _text(self, open_: Sequence[tuple[int, Entry, bool, str]]) -> list[HealingResult]:
        job = {
            "root": str(self.place.root),
            "path": self.place.path,
            "code": self.place.before.decode("latin-1"),
            "strategies": self.config.strategies,
            "exclude": self.config.exclude_strategies,
            "max_attempts": self.config.max_attempts,
            "out": str(self.work / "text.json"),
            "reports": [
                {"report": dataclasses.asdict(e.report), "nodeid": _nodeid(self.place, e), "function": e.function, "passes": passes}
                for _, e, passes, _ in open_
            ],
        }
        path = self.work / "text-job.json"
        path.write_text(json.dumps(job), encoding="utf-8")
        command = [sys.executable, "-m", "pytest_maestro_healer.remote.textual", str(path)]
        env = {**os.environ, **self._path(), "PYTHONDONTWRITEBYTECODE": "1"}
        why = "the failure could not be reproduced"
        try:
            done = await process.run(command, cwd=self.place.root, env=env, log=self.work / "text.log", timeout=self.config.timeout)
            if done.status == 0:
                return [HealingResult.from_dict(r) for r in json.loads((self.work / "text.json").read_text(encoding="utf-8"))]
            why += f", and reading its text {'took too long' if done.status is None else 'failed: ' + done.last_line}"
        except (OSError, ValueError) as exc:
            why += f", and reading its text failed: {exc}"
        return [unhealed(_nodeid(self.place, e), why, e.report.message) for _, e, _, _ in open_]


async def run_job(job: Job, work: Path, *, timeout: float | None, env: Mapping[str, str] | None = None) -> tuple[Answer | None, str]:
    """(what the run answered or ``None``, why there is no answer).

    Raises :class:`OSError` where no process can be started, :class:`~pytest_maestro_healer.errors.HealerError` for a damaged answer.
    """
    done = process.Finished(None, "")
    for optional in (True, False):
        environ = {**job.environment(work), **(env or {})}
        command = job.command(work, optional=optional)
        done = await process.run(command, cwd=job.root, env=environ, log=work / "pytest.log", timeout=timeout)
        if done.status is None:
            return None, f"running it took longer than healing_timeout ({timeout:g} s)"
        found = answer(work)
        if found is not None:
            return found, ""
        if done.status != 4:
            break
    return None, f"pytest ended with status {done.status}: {done.last_line}"


def _nodeid(place: Place, entry: Entry) -> str:
    return f"{place.path}::{entry.selects[0][1]}" if entry.selects and entry.selects[0][1] else place.path


def selects_of(details: Mapping[str, Any], code: str, report: Report, *, part: bool) -> tuple[Select, ...]:
    """Which tests are meant: those named, else the one in the traceback; of a ``part`` of a file all that it has."""
    functions = list(dict.fromkeys(_TEST.findall(code)))
    for key in ("nodeid", "test_id", "test_name", "test_function", "test"):
        name = str(details.get(key) or "")
        tail = tail_of(name) or (name.replace(".", "::") if ".py" not in name else "")
        if tail and name_of(f"::{tail}") in functions:
            return (("", tail),)
    tests = [n for n in functions if n.startswith("test")]
    words = set(re.findall(r"\w+", f"{report.trace}\n{report.message}"))
    spoken = [n for n in tests if n in words]
    if len(spoken) == 1:
        return (("", spoken[0]),)
    return tuple(("", n) for n in tests) if part else ()


def shaped_text(place: Place, entry: Entry, result: HealingResult, why: str, seconds: float) -> HealingResult:
    """A result from words alone, for the given code; ``why`` says what became of running it."""
    change = next((c for c in result.changes if c.path == place.path), None)
    healed = place.code(change.after_bytes) if change is not None and result.success else entry.code
    proof = {**result.validation_results, "source": "text", "reproduced": False, "reason": result.decision.rule, "not_reproduced_because": why}
    proof["refused"] = list(result.refused)
    return dataclasses.replace(result, original_code=entry.code, healed_code=healed, validation_results=proof, execution_time=seconds)


def unhealed(test_id: str, reason: str, said: str = "", code: str = "") -> HealingResult:
    """The result where nothing could be looked at."""
    return without_secrets(
        HealingResult(
            healing_id=healing_id("", "", (), (test_id, said, reason)),
            test_id=test_id,
            strategy_used="",
            success=False,
            original_code=code,
            healed_code=code,
            validation_results={"source": "none", "reproduced": False, "reason": reason, "refused": []},
            created_at=time.time(),
            decision=Decision(DecisionKind.REJECTED, reason),
            nodeids=(test_id,) if test_id else (),
        )
    )
