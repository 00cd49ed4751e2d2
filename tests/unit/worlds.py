"""A project, a runner and strategies of which everything is known beforehand, for the tests of the pipeline and of the proof."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.experiments import Conditions
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, Frame, HealingResult, Location, Proof, Proposal
from pytest_maestro_healer.pipeline import Pipeline
from pytest_maestro_healer.prove.mutants import Mutant
from pytest_maestro_healer.prove.runner import RunReport, TestResult
from pytest_maestro_healer.strategies.base import Strategy, Tactic

FILE = "tests/test_a.py"
GOOD = (Evidence("symbol", "it was renamed", "lib.py:1", 0.95),)
WEAK = (Evidence("guess", "it looks alike", "", 0.3),)

#: What a test does with the texts of all files: ``""`` passes, ``skip`` skips, ``missing`` is not there, all else is the message of its failure.
Check = Callable[[Mapping[str, str]], str]


def fail(nodeid: str, message: str = "AttributeError: broken", *, line: int = 0, **more: Any) -> Failure:
    """A failure whose exception type stands before the colon."""
    path = nodeid.partition("::")[0]
    kind = message.partition(":")[0]
    given: dict[str, Any] = {
        "phase": "call" if "::" in nodeid else "collect",
        "statement": message,
        "exc_mro": (kind, "Exception"),
        "location": Location(path, line) if line else None,
        "frames": (Frame(Location(path, line or 1), "test", "test"),),
        "function": nodeid.rpartition("::")[2].partition("[")[0],
    }
    return Failure(nodeid=nodeid, path=path, exc_type=kind, message=message, **{**given, **more})


@dataclass
class Call:
    """One proof run, as it was asked for."""

    nodeids: tuple[str, ...]
    overlay: Mapping[str, bytes]
    fresh: bool
    trace: bool
    conditions: Conditions | None


@dataclass
class World:
    """Files on disk, and tests that are functions of them; implements the runner's protocol."""

    root: Path
    checks: dict[str, Check] = field(default_factory=dict)
    fresh_checks: dict[str, Check] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    executed: dict[str, frozenset[int]] = field(default_factory=dict)
    kills: bool | None = True
    problem: Callable[[Call], str] = lambda call: ""
    failures: list[Failure] = field(default_factory=list)

    def write(self, path: str, text: str | bytes) -> None:
        """Write a file."""
        full = self.root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_bytes(text.encode() if isinstance(text, str) else text)

    def texts(self, overlay: Mapping[str, bytes]) -> dict[str, str]:
        """All files as a run with ``overlay`` sees them."""
        found = {p.relative_to(self.root).as_posix(): p.read_bytes() for p in self.root.rglob("*.py")}
        return {p: d.decode() for p, d in {**found, **overlay}.items()}

    def needs(self, nodeid: str, *words: str, path: str = "") -> None:
        """``nodeid`` fails, naming the first of ``words`` that its file does not contain; it fails now."""
        where = path or nodeid.partition("::")[0]

        def check(texts: Mapping[str, str]) -> str:
            missing = [w for w in words if w not in texts[where]]
            return f"AttributeError: no {missing[0]}" if missing else ""

        self.checks[nodeid] = check

    def run(
        self,
        nodeids: Sequence[str],
        overlay: Mapping[str, bytes],
        *,
        whole_files: bool = False,
        fresh: bool = False,
        trace: bool = False,
        conditions: Conditions | None = None,
    ) -> RunReport:
        call = Call(tuple(nodeids), dict(overlay), fresh, trace, conditions)
        self.calls.append(call)
        problem = self.problem(call)
        if problem:
            return RunReport(problem=problem)
        texts = self.texts(overlay)
        checks = {**self.checks, **self.fresh_checks} if fresh else self.checks
        files = {n.partition("::")[0] for n in nodeids}
        wanted = [n for n in checks if n.partition("::")[0] in files] if whole_files else list(nodeids)
        results = {n: result(n, checks[n](texts) if n in checks else "missing") for n in wanted}
        ran = {n: r for n, r in results.items() if not (whole_files and r.outcome == "missing")}
        return RunReport(ran, executed=self.executed if trace else {}, by_test=dict.fromkeys(ran, self.executed) if trace else {})

    def again(self, nodeids: Sequence[str], overlay: Mapping[str, bytes], times: int) -> Iterator[RunReport]:
        return (self.run(nodeids, overlay) for _ in range(times))

    def killed(self, nodeids: Sequence[str], overlay: Mapping[str, bytes], mutants: Sequence[Mutant]) -> list[bool | None]:
        return [self.kills for _ in mutants]

    def heal(
        self,
        *strategies: Strategy,
        passed: Iterable[str] = (),
        remembered: Any = None,
        clock: Any = None,
        past: Any = None,
        hunted: Iterable[str] = (),
        **config: Any,
    ) -> list[HealingResult]:
        """Run the pipeline over what fails now (or over :attr:`failures`)."""
        texts = self.texts({})
        given = {f.nodeid for f in self.failures}
        now = [r.failure for n, c in self.checks.items() if n not in given and (r := result(n, c(texts))).failure is not None]
        failures = [*self.failures, *now]
        good = frozenset(n for n, c in self.checks.items() if c(texts) == "")
        settings = HealerConfig(**config)
        ctx = Context(self.root, settings, failures=failures, passed=good | set(passed), collected=list(self.checks))
        more: dict[str, Any] = {"hunted": frozenset(hunted)}
        if remembered is not None:
            more["remembered"] = remembered
        if past is not None:
            more["past"] = past
        if clock is not None:
            more["clock"] = clock
        self.ctx = ctx
        self.prepare(ctx)
        self.pipeline = Pipeline(ctx, self, strategies, settings, **more)
        return self.pipeline.run(failures)

    prepare: Callable[[Context], None] = lambda ctx: None


def result(nodeid: str, said: str) -> TestResult:
    """The outcome that a check's answer stands for."""
    if said in ("skip", "missing", "xpass", "xfail"):
        return TestResult(nodeid, {"skip": "skipped", "missing": "missing", "xpass": "xpassed", "xfail": "xfailed"}[said])  # type: ignore[arg-type]
    return TestResult(nodeid, "failed", fail(nodeid, said)) if said else TestResult(nodeid, "passed")


class Swap(Tactic):
    """Replaces ``old`` by ``new`` in the failing test's file, or in ``paths``."""

    def __init__(
        self, old: str, new: str, *, name: str = "swap", paths: Sequence[str] = (), words: str = "", group: bool = False, **proposal: Any
    ) -> None:
        self.name = name  # type: ignore[misc]
        self.old, self.new, self.paths, self.words, self.group = old, new, paths, words, group
        self.proposal = proposal

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        return self.words in failure.message

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        edits = []
        for path in self.paths or (failure.path,):
            src = ctx.source(path)
            at = src.text.find(self.old) if src is not None else -1
            while src is not None and at >= 0:
                edits.append(src.replace(at, at + len(self.old), self.new))
                at = src.text.find(self.old, at + len(self.old))
        if not edits:
            return
        touched = {e.path for e in edits}
        proposal = Proposal(
            "toy", self.name, tuple(edits), GOOD, Applicability.SAFE, f"{self.old} is {self.new} now", meaning=f"{self.old}->{self.new}"
        )
        if self.group:
            proposal = replace(proposal, nodeids=tuple(f.nodeid for f in ctx.failures if f.path in touched), cause_key=self.old)
        yield replace(proposal, **self.proposal)


class Toy(Strategy):
    """The strategy ``name`` with ``tactics``."""

    def __init__(self, *tactics: Tactic, name: str = "toy", symptom: bool = False) -> None:
        self.name = name  # type: ignore[misc]
        self.tactics = tactics
        self.symptom = symptom


def calls(*names: str) -> str:
    """A test module with one test for each ``name`` that it calls."""
    return "import lib\n" + "".join(f"\n\ndef test_{i}():\n    assert lib.{n}(1) == 2\n" for i, n in enumerate(names))


__all__ = ["FILE", "GOOD", "WEAK", "Call", "Proof", "Swap", "Toy", "World", "calls", "fail", "result"]
