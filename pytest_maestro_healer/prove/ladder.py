"""The proof ladder, cheapest rung first: guard, rerun, stable, and at the end one fresh process for all accepted heals."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.experiments import Conditions
from pytest_maestro_healer.evidence.nodeids import file_of, is_test, without_params
from pytest_maestro_healer.evidence.statistics import upper
from pytest_maestro_healer.model import Failure, Proof, ProofStep
from pytest_maestro_healer.prove.mutants import Mutant, mutants
from pytest_maestro_healer.prove.original import LATE, Compared, Original, Past
from pytest_maestro_healer.prove.runner import Runner, RunReport

#: Mutants tried per heal, and how many it takes to say anything.
MUTANTS = 8
ENOUGH = 3
_GOOD = ("passed", "skipped", "xfailed")


@dataclass(frozen=True)
class Climb:
    """How far one overlay came: ``healed`` nodeids pass, ``left`` still fail (with their new failure where it is known)."""

    steps: tuple[ProofStep, ...]
    healed: tuple[str, ...] = ()
    left: Mapping[str, Failure | None] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Every claimed test passes and no rung failed."""
        return not self.left and not any(s.passed is False for s in self.steps)


class Ladder:
    """Climbs for one healing phase; ``guard`` gives the reasons to refuse a proposal (none: let it through)."""

    def __init__(self, runner: Runner, config: HealerConfig, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self.runner = runner
        self.config = config
        self.clock = clock

    def guarded(self, check: Callable[[], Sequence[str]]) -> ProofStep:
        """The guard rung."""
        began = self.clock()
        reasons = check()
        return ProofStep("guard", not reasons, "; ".join(reasons), self.clock() - began)

    def rerun(self, nodeids: Sequence[str], overlay: Mapping[str, bytes]) -> Climb:
        """The rerun rung: every claimed nodeid with the healed sources served.

        A test that is skipped after an edit has proved nothing: at least one of those claimed must pass.
        """
        began = self.clock()
        report = self.runner.run(nodeids, overlay)
        seconds = self.clock() - began
        if report.problem:
            return Climb((ProofStep("rerun", False, report.problem, seconds),), left=dict.fromkeys(nodeids))
        healed, left = _sort(report)
        if healed and not any(report.results[n].outcome == "passed" for n in healed):
            return Climb((ProofStep("rerun", False, "no claimed test passes: all are skipped", seconds),), left=dict.fromkeys(healed))
        reason = f"{len(healed)} passed" if not left else f"{len(left)} of {len(left) + len(healed)} still fail"
        return Climb((ProofStep("rerun", not left, reason, seconds),), tuple(healed), left)

    def under(self, proof: Proof, nodeids: Sequence[str], base: Mapping[str, bytes], overlay: Mapping[str, bytes]) -> Climb:
        """The rerun rung under stated conditions: without the edit (``base``) a claimed test must fail, with it all must pass."""
        began = self.clock()
        order = proof.order or tuple(nodeids)
        nodeids = [n for n in nodeids if n in order]  # of others the runs show nothing
        before = RunReport(problem="not run")
        for i in range(max(1, proof.repeats) if proof.fails_before else 0):
            before = self.runner.run(order, base, conditions=_conditions(proof, i))
            if before.problem or any(_failed(before, n) for n in nodeids):
                break
        if proof.fails_before and (before.problem or not any(_failed(before, n) for n in nodeids)):
            why = before.problem or f"unchanged it did not fail in {proof.repeats} runs under the conditions of the proof"
            return Climb((ProofStep("rerun", False, why, self.clock() - began),), left=dict.fromkeys(nodeids))
        after = self.runner.run(order, overlay, conditions=_conditions(proof, 0))
        seconds = self.clock() - began
        if after.problem:
            return Climb((ProofStep("rerun", False, after.problem, seconds),), left=dict.fromkeys(nodeids))
        healed, left = _sort(after)
        claimed = tuple(n for n in healed if n in nodeids)
        left = {n: f for n, f in left.items() if n in nodeids or not _failed(before, n)}
        told = " ".join(order) if len(order) <= 3 else f"the order of {len(order)} tests"
        reason = f"fails before and passes after the edit: {told}" if claimed and not left else f"{len(left)} still fail"
        return Climb((ProofStep("rerun", not left, reason, seconds),), claimed, left)

    def steady(self, proof: Proof, nodeids: Sequence[str], overlay: Mapping[str, bytes]) -> ProofStep:
        """The stable rung under stated conditions, with the bound on the failure rate that it shows."""
        began = self.clock()
        order = proof.order or tuple(nodeids)
        if proof.repeats < 1:
            return ProofStep("stable", None, "not repeated")
        for i in range(proof.repeats):
            report = self.runner.run(order, overlay, conditions=_conditions(proof, i))
            bad = [n for n in nodeids if _failed(report, n)]
            if report.problem or bad:
                return ProofStep("stable", False, report.problem or f"{bad[0]} fails in run {i + 1} of {proof.repeats}", self.clock() - began)
        bound = upper(0, proof.repeats)
        reason = f"0 failures in {proof.repeats} runs (failed in {proof.rate:.0%} before); failure rate under {bound:.1%} (95 %, Clopper-Pearson)"
        return ProofStep("stable", True, reason, self.clock() - began)

    def ending(self, order: Sequence[str], overlay: Mapping[str, bytes], outcome: str) -> set[str]:
        """The tests of ``order`` that end with ``outcome`` when they run in it from a clean state."""
        report = self.runner.run(order, overlay, conditions=Conditions(ordered=True, clean=True))
        return {n for n, r in report.results.items() if r.outcome == outcome} if not report.problem else set()

    def stable(self, nodeids: Sequence[str], overlay: Mapping[str, bytes], repeats: int = 2) -> ProofStep:
        """The stable rung: ``repeats`` more runs must agree; a pinned value that differs between two runs shows here."""
        if not repeats:
            return ProofStep("stable", None, "not repeated")
        began = self.clock()
        for i, report in enumerate(self.runner.again(nodeids, overlay, repeats)):
            bad = report.failed()
            if report.problem or bad:
                why = report.problem or f"{bad[0].nodeid} fails on repeat {i + 1}: its result differs between runs"
                return ProofStep("stable", False, why, self.clock() - began)
        return ProofStep("stable", True, f"{repeats} repeats agree", self.clock() - began)

    def teeth(
        self,
        nodeids: Sequence[str],
        overlay: Mapping[str, bytes],
        source: Callable[[str], bytes | None],
        *,
        expectation: bool = True,
        past: Past | None = None,
        late: bool = False,
    ) -> ProofStep:
        """The teeth rung: mutants of the product lines that the healed tests execute, one at a time.

        ``source`` gives a product file's bytes. A heal that changed an ``expectation`` and lets all mutants live is refused; one that left all
        checks as they were cannot have blunted them: there the first one that is noticed ends it. Where there are fewer than :data:`ENOUGH`
        mutants the rung says nothing, and none is tried. With ``past`` it is also refused where it notices fewer mutants than the original test
        did when it last passed; ``late`` says that there is no time left to ask.
        """
        began = self.clock()
        traced = self.runner.run(nodeids, overlay, trace=True)
        executed = traced.executed
        share = max(2, MUTANTS // max(1, len(executed)))
        found = [m for path, lines in sorted(executed.items()) for m in mutants(path, source(path) or b"", lines, share)][:MUTANTS]
        if not expectation:
            found.sort(key=lambda m: m.number)  # one that makes the product wait longer is noticed only when the test's patience ends
        tried = self._mutated(nodeids, overlay, found, MUTANTS if expectation else 1) if len(found) >= ENOUGH else []
        dead = sum(k for _, k in tried)
        passed: bool | None = True if dead else False if expectation else None
        if len(tried) < ENOUGH and (expectation or not dead):
            passed, reason = None, "the tests execute too little of this project's own product code to tell"
        else:
            alive = [m.told for m, k in tried if not k]
            reason = f"{dead}/{len(tried)} mutants of the product are noticed" + (f"; not: {'; '.join(alive[:3])}" if alive else "")
        listed = tuple(f"{'noticed' if k else 'not noticed'}: {m.told}" for m, k in tried)
        if past is not None and passed is not False:
            original = Original(why=LATE) if late else past.original(nodeids)
            kept, words = Compared(past, original, self.runner, overlay, source, traced).verdict()
            passed = passed if kept is None else kept
            reason = words if kept is False else f"{reason}; {words}"
        return ProofStep("teeth", passed, reason, self.clock() - began, listed)

    def _mutated(self, nodeids: Sequence[str], overlay: Mapping[str, bytes], found: Sequence[Mutant], at_once: int) -> list[tuple[Mutant, bool]]:
        """Which mutants are noticed, ``at_once`` at a time until one is."""
        out: list[tuple[Mutant, bool]] = []
        for i in range(0, len(found), at_once):
            some = found[i : i + at_once]
            out += [(m, k) for m, k in zip(some, self.runner.killed(nodeids, overlay, some), strict=True) if k is not None]
            if any(k for _, k in out):
                break
        return out

    def fresh(self, nodeids: Sequence[str], overlay: Mapping[str, bytes], passed_before: frozenset[str]) -> tuple[ProofStep, frozenset[str]]:
        """The fresh rung for all accepted heals at once: the touched files wholly, in a new process.

        Returns the step and the nodeids that must not be lost or must be healed, and are not.
        """
        began = self.clock()
        touched = sorted({p for p in overlay if p.endswith(".py")} & {file_of(n) for n in passed_before} | {file_of(n) for n in nodeids})
        whole = self.runner.run(touched or list(nodeids), overlay, whole_files=True, fresh=True)
        seconds = self.clock() - began
        if whole.problem:
            return ProofStep("fresh", False, whole.problem, seconds), frozenset(nodeids)
        bad = {r.nodeid for r in whole.failed()}
        errored = {n for n, r in whole.results.items() if r.outcome == "error"}
        files = {file_of(n) for n in errored}
        lost = {n for n in passed_before if n in bad or file_of(n) in files}
        unhealed = {n for n in nodeids if _still_bad(n, whole, bad, files)}
        if lost or unhealed:
            names = sorted(unhealed) or sorted(lost)
            what = "not healed there" if unhealed else "passed before the edit"
            return ProofStep("fresh", False, f"in a fresh process {names[0]} fails ({what})", seconds), frozenset(lost | unhealed)
        return ProofStep("fresh", True, f"{len(touched)} file{'s' * (len(touched) != 1)} in a fresh process", seconds), frozenset()


def _conditions(proof: Proof, i: int) -> Conditions:
    env = proof.environments[i % len(proof.environments)] if proof.environments else {}
    world = proof.worlds[i % len(proof.worlds)] if proof.worlds else None
    fresh = proof.fresh or bool(proof.environments)
    near = world is not None and not proof.order  # another time or order of directories needs no process in which no test has run
    return Conditions(env=env, ordered=bool(proof.order), load=proof.load, clean=not near, fresh=fresh, world=world)


def _failed(report: RunReport, nodeid: str) -> bool:
    result = report.results.get(nodeid)
    return result is None or result.outcome not in _GOOD


def _still_bad(nodeid: str, report: RunReport, bad: set[str], errored_files: set[str]) -> bool:
    path = file_of(nodeid)
    if path in errored_files or nodeid in bad:
        return True
    if not is_test(nodeid):
        return not any(file_of(n) == path and r.outcome == "passed" for n, r in report.results.items())
    if nodeid in report.results:
        return False
    # parameter ids may have changed with the edit: then all sets of the test stand for it; a test that did not run is not confirmed
    base = without_params(nodeid)
    same = {n for n in report.results if without_params(n) == base}
    return not same or bool(same & bad)


def _sort(report: RunReport) -> tuple[list[str], dict[str, Failure | None]]:
    healed = [n for n, r in report.results.items() if r.outcome in _GOOD]
    left = {n: r.failure for n, r in report.results.items() if r.outcome not in _GOOD}
    return healed, left
