"""The conductor: failures in, healing results out. It asks the stages in order and does no I/O of its own.

For every failure: diagnose, ask the strategies (causes before symptoms), guard, rerun, follow up where the test now fails further on, repeat;
then one fresh process confirms all accepted heals, and the policy decides.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace

from pytest_maestro_healer.apply.merge import rebase
from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.diagnose.classify import problem as classifier_problem
from pytest_maestro_healer.diagnose.verdict import preliminary
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.experiments import Conditions, Experiments, Observation
from pytest_maestro_healer.evidence.nodeids import is_test
from pytest_maestro_healer.judging import Judge, grouped
from pytest_maestro_healer.learn.learner import Learner
from pytest_maestro_healer.model import Cause, Decision, DecisionKind, Diagnosis, Failure, HealingResult, HealingStrategy, ProofStep, Proposal
from pytest_maestro_healer.prove.candidates import Candidate, merged_causes, progressed
from pytest_maestro_healer.prove.original import Past
from pytest_maestro_healer.prove.runner import Runner, RunReport
from pytest_maestro_healer.prove.steady import HUNTED, OUT_OF_TIME, Steadiness, flaky
from pytest_maestro_healer.records import Facts, advised, healed, refused
from pytest_maestro_healer.searching import PER_TACTIC, Found, Search, told
from pytest_maestro_healer.strategies.base import Strategy, following

__all__ = ["PER_TACTIC", "Found", "Pipeline"]


class Pipeline(Search):
    """One healing phase.

    ``remembered`` says whether a person rejected this very heal before; ``progress`` is told nodeids, ``repeats`` is the stable rung's number,
    ``learner`` knows what became of earlier heals, ``past`` runs tests as they were. ``hunted`` are tests that passed in the run and failed when the
    tests ran in another order.
    """

    def __init__(
        self,
        ctx: Context,
        runner: Runner,
        strategies: Sequence[Strategy],
        config: HealerConfig,
        *,
        in_ci: bool = False,
        remembered: Callable[[HealingResult], bool] = lambda r: False,
        progress: Callable[[int, int, str], None] = lambda done, total, nodeid: None,
        repeats: int = 2,
        clock: Callable[[], float] = time.perf_counter,
        learner: Learner | None = None,
        past: Past | None = None,
        hunted: Container[str] = frozenset(),
    ) -> None:
        super().__init__(ctx, runner, strategies, config, repeats=repeats, clock=clock, learner=learner)
        self.steadiness = Steadiness(runner, ctx)
        self.past = past
        self.hunted = hunted
        self.turn = 0.0
        self.waited: set[str] = set()
        self.judge = Judge(ctx, runner, self.done, following(strategies))
        self.suspects: set[str] = set()
        self.remembered = remembered
        self.progress = progress
        self.facts = Facts(ctx, config, in_ci, shift=learner.shifted if learner is not None else None)
        self.accepted: list[Candidate] = []
        self.others: list[HealingResult] = []
        self.base: dict[str, Mapping[str, bytes]] = {}
        self.now: dict[str, Failure] = {}

    # -- the phase -----------------------------------------------------------------------------------------
    def run(self, failures: Sequence[Failure], ready: Iterable[Candidate] = ()) -> list[HealingResult]:
        """Heal what can be healed. ``ready`` are heals made at collection, already proved by the session's own run of their tests."""
        self.deadline = self.turn = self.clock() + self.config.budget
        if failures and (problem := classifier_problem()):
            self.notes.append(problem)
        self._new_experiments()
        try:
            for collected in ready:
                self._take_one(self._decided(collected))
            self._queue(_unique(failures))
            results = self._confirmed()
        except KeyboardInterrupt:
            # what was found stays on offer, and no more than that
            self.notes.append("healing was interrupted: nothing was written, the test result is as it was")
            self.write_nothing()
            results = _grounded([(c, healed(self.facts, c)) for c in self.accepted])
        return [*results, *grouped(self.others)]

    def _new_experiments(self) -> None:
        """What was found by earlier ones is forgotten."""
        self.ctx.set_experiments(Experiments(self._experiment, lambda: self.clock() > self.turn, self.judge.traced))

    def _decided(self, winner: Candidate) -> list[Candidate]:
        """Of several heals that make a file collectable those with which most of its tests pass: pytest has run them with the first only."""
        names = [*winner.nodeids, *winner.left]
        passed = set(winner.nodeids)
        best = [winner]
        for rival in winner.rivals:
            report = self.runner.run(names, rival.after)
            theirs = {n for n, r in report.results.items() if r.outcome == "passed"}
            if report.problem or not theirs >= passed:
                continue
            rival.nodeids = [n for n in names if n in theirs]
            rival.left = {n: r.failure for n, r in report.results.items() if n in winner.left and n not in theirs}
            others = "fewer" if theirs > passed else "as many"
            rival.steps = [*rival.steps, ProofStep("rerun", True, f"{len(theirs)} passed, with the other heals of this file {others}")]
            best, passed = ([rival] if theirs > passed else [*best, rival]), theirs
        return best

    def _take_one(self, equal: list[Candidate]) -> None:
        """Accept the first of heals that seem equally good against which nothing speaks; those behind it are ties."""
        refusal: tuple[Candidate, HealingResult] | None = None
        for i, candidate in enumerate(equal):
            candidate.ties += [told(c.proposal) for c in equal[i + 1 :]]
            candidate.steps.append(self._teeth(candidate))
            self.judge.followed(candidate)
            result = self._objection(candidate)
            if result is None:
                self._accept(candidate)
                return
            refusal = refusal or (candidate, result)
        if refusal is not None:
            self._refuse(*refusal)

    def _queue(self, queue: list[Failure]) -> None:
        """Heal one failure after the other, and what appears behind them."""
        total = len(queue)
        i = 0
        while i < len(queue):
            # a heal of another test may have brought this one further
            failure = self.now.get(queue[i].nodeid, queue[i])
            i += 1
            if failure.nodeid in self.done:
                continue
            if self.clock() > self.deadline:
                left = {f.nodeid for f in queue[i - 1 :]} - self.done
                self.notes.append(f"the budget of {self.config.budget:g} s is used up: {len(left)} failures were not looked at")
                break
            self.progress(min(i, total), total, failure.nodeid)
            queue += self._one(failure)
            self.turn = self.deadline

    def _one(self, failure: Failure) -> list[Failure]:
        """Heal one failure; returns further failures that appeared behind it."""
        began = self.clock()
        if not failure.healable:
            self.done.add(failure.nodeid)
            self.others.append(refused(self.facts, failure, preliminary(failure), f"opted out: {failure.no_heal_reason}"))
            return []
        base = self.base.get(failure.nodeid, {})
        first = preliminary(failure)
        # what passed in the run's own order: that another test is the reason is the first thing to ask
        reason = HUNTED if failure.nodeid in self.hunted else ""
        found = Found()
        if reason:
            self._limit(failure)
            found = self.search(failure, flaky(first, reason), base, 0, late=False)
            if self._to_wait(failure, found):
                return [failure]
        if found.winner is not None:
            first, suspect, unsteady = flaky(first, reason), "", ""
        else:
            found = self.search(failure, first, base, 0)
            suspect = self._suspect(failure, first, found, base)
            # what made other tests fail every time makes this one fail every time
            unsteady = "" if suspect in self.suspects else self._unsteady(failure, found, base)
        if unsteady:
            first = flaky(first, unsteady)
            winner = found.winner
            what = "what it expects" if winner is not None and winner.symptom else "what it repairs"
            refusals = [f"{winner.proposal.tactic}: {unsteady}: {what} is not the cause"] if winner is not None else found.refusals
            if not reason:
                self._limit(failure)
            found = self.search(failure, first, base, 0)
            if self._to_wait(failure, found):
                return [failure]
            found.refusals += refusals
        if found.winner is None:
            if suspect and not unsteady:
                self.suspects.add(suspect)
            self.unhealed(failure, first, found, base, began)
            return []
        objection: tuple[Candidate, HealingResult] | None = None
        for winner in (found.winner, *found.others):
            winner.diagnosis = self.judge.expected(winner, first) if winner.symptom else self.judge.surroundings(winner, first)
            winner.ties += found.ties(winner, self.symptoms)
            winner.refusals = found.refusals
            if base:
                winner.ground = next((c for c in self.accepted if c.after is base), None)
            # the rung that costs most comes last: what is refused anyway need not show its teeth
            winner.seconds = self.clock() - began
            result = self._objection(winner)
            if winner.proposal.proof is None and result is None:
                winner.steps.append(self._teeth(winner))
                winner.seconds = self.clock() - began
                result = self._refused_by_policy(winner)
            if result is None:
                return self._accept(winner)
            objection = objection or (winner, result)
            if winner.diagnosis.cause.bars:
                break  # no other value is a better answer to it
            found.refusals.append(f"{winner.proposal.tactic}: {result.decision.rule}")
        if objection is not None:
            self._refuse(*objection)
        return []

    def _limit(self, failure: Failure) -> None:
        """What may be found out about a flaky test by experiment is to leave time for the others: from now on its share of what is left."""
        now = self.clock()
        open_ = {f.nodeid for f in self.ctx.failures if f.healable} - self.done
        if failure.nodeid not in self.waited:
            open_ -= self.waited
        self.turn = now + max(0.0, self.deadline - now) / max(1, len(open_))

    def _to_wait(self, failure: Failure, found: Found) -> bool:
        """Whether a search that was cut is to be made once more when all others have had their turn; then from the beginning."""
        if found.winner is not None or self.clock() <= self.turn:
            return False
        if failure.nodeid in self.waited or self.clock() > self.deadline:
            found.refusals.append(OUT_OF_TIME)
            return False
        self.waited.add(failure.nodeid)
        self._new_experiments()
        return True

    def _objection(self, winner: Candidate) -> HealingResult | None:
        """The record of a refusal, where the policy refuses ``winner`` now, a person refused it before, or an accepted heal edits the same lines."""
        result = healed(self.facts, winner)
        clash = next((p for p in winner.after if self._merged(p, winner) is None), None)
        reason = "this very edit was rejected before" if self.remembered(result) else f"overlaps another heal's edit of {clash}" if clash else ""
        if reason:
            return replace(refused(self.facts, winner.failure, winner.diagnosis, reason, winner.seconds), nodeids=result.nodeids)
        return result if result.decision.kind is DecisionKind.REJECTED else None

    def _refused_by_policy(self, winner: Candidate) -> HealingResult | None:
        result = healed(self.facts, winner)
        return result if result.decision.kind is DecisionKind.REJECTED else None

    def _refuse(self, winner: Candidate, result: HealingResult) -> None:
        self.done |= {winner.failure.nodeid, *winner.nodeids}
        self.others.append(result)

    def _suspect(self, failure: Failure, first: Diagnosis, found: Found, base: Mapping[str, bytes]) -> str:
        """Where the product is suspected, if nothing but that is known of a failure."""
        if found.winner is not None or first.cause is Cause.FLAKY:
            return ""
        verdict = found.barred or self.judge.verdict(failure, first, base)
        return verdict.suspect if verdict.cause is Cause.REGRESSION_SUSPECTED else ""

    def write_nothing(self) -> None:
        """From here on nothing is to be written in this phase: what is found stays on offer."""
        self.facts.config = self.config.replace(apply="none")

    def _teeth(self, candidate: Candidate) -> ProofStep:
        """Of a stranger's edit it is not known that it leaves a check as it was: there the product has to be noticed in any case."""
        stranger = any(link.proposal.strategy in self.strangers for link in candidate.links)
        nodeids = candidate.nodeids[:20]
        late = self.clock() > self.deadline
        expectation = candidate.symptom or stranger
        step = self.ladder.teeth(nodeids, candidate.after, self.ctx.files.read, expectation=expectation, past=self.past, late=late)
        if stranger and step.passed is None:
            ran, runs = (self.runner.run(nodeids, overlay, trace=True).executed for overlay in (candidate.links[0].ground, candidate.after))
            if ran and not runs:
                return replace(step, passed=False, reason="none of the product code that the test ran before is run by it now")
        return step

    def _unsteady(self, failure: Failure, found: Found, base: Mapping[str, bytes]) -> str:
        """Why the failure is one of a flaky test, whatever else seemed to heal it; ``""`` where it fails every time."""
        winner = found.winner
        if winner is not None and not winner.symptom:
            if winner.proposal.proof:
                return ""
            # a folder, a variable, a file: what is in a test's way may be there only because of a test before it, and then that one is to be healed
            surroundings = winner.proposal.strategy == HealingStrategy.ENVIRONMENT_HEALING
            return self.steadiness.far(failure, base) if surroundings else self.steadiness.near(failure, base)
        reason = self.steadiness.far(failure, base)
        if not reason and winner is None and found.varied:
            reason = self.steadiness.often(failure, base)
        return reason or ("" if winner is not None else self.steadiness.needs_others(failure, base))

    def _accept(self, winner: Candidate) -> list[Failure]:
        """Take a candidate over: mark its tests, look which other open failures it heals, queue what it uncovered."""
        self.accepted.append(winner)
        # a heal of other tests only leaves its own failure open
        self.done |= {*winner.nodeids, *({winner.failure.nodeid} - set(winner.left))}
        uncovered = []
        for nodeid, failure in winner.left.items():
            if failure is not None and nodeid not in self.done:
                self.base[nodeid] = winner.after
                self.now[nodeid] = failure
                uncovered.append(failure)
        self._sweep(winner)
        self.judge.company(winner)
        return uncovered

    def _sweep(self, winner: Candidate) -> None:
        """Other failing tests of the touched files may be healed by the same edit: they are the same root cause."""
        if winner.proposal.proof is not None:
            self._sweep_in_order(winner)
            return
        touched = set(winner.after)
        open_ = [f for f in self.ctx.failures if f.nodeid not in self.done and f.path in touched and is_test(f.nodeid) and f.healable]
        if not open_:
            return
        climb = self.ladder.rerun([f.nodeid for f in open_], winner.after)
        old = {f.nodeid: f for f in open_}
        unsteady = set(climb.healed) and {n for n in climb.healed if self.steadiness.near(old[n], {})}
        for nodeid in climb.healed:
            if nodeid in unsteady:
                continue
            winner.nodeids.append(nodeid)
            self.done.add(nodeid)
        for nodeid, failure in climb.left.items():
            if nodeid in old and failure is not None and progressed(old[nodeid], failure, self._grown(old[nodeid], winner.after, self.ctx)):
                self.base[nodeid] = winner.after
                self.now[nodeid] = failure

    def _sweep_in_order(self, winner: Candidate) -> None:
        """Other flaky tests may have failed for the same reason: replay the run up to the last of them, healed."""
        open_ = [f for f in self.ctx.failures if f.nodeid not in self.done and f.healable and f.phase != "collect" and is_test(f.nodeid)]
        by_run: dict[int, list[Failure]] = {}
        for f in open_:
            by_run.setdefault(id(self.ctx.sequences.get(f.nodeid)), []).append(f)
        for group in by_run.values():
            group = [f for f in group if self.steadiness.far(f, {}) or self.steadiness.needs_others(f, {})]
            before = max((self.ctx.before(f.nodeid) for f in group), key=len, default=())
            order = [*before, *(f.nodeid for f in group if f.nodeid not in before)]
            passed = self.ladder.ending(order, winner.after, "passed") if group else set()
            # unless the run's own order, unhealed, makes a test fail again, its passing shows nothing
            again = self.ladder.ending(order, {}, "failed") if passed & {f.nodeid for f in group} else set()
            for f in (f for f in group if f.nodeid in passed & again):
                winner.nodeids.append(f.nodeid)
                self.done.add(f.nodeid)

    def _merged(self, path: str, candidate: Candidate) -> bytes | None:
        """The bytes of ``path`` with all accepted heals and ``candidate`` in it; ``None`` where they clash."""
        mine = [c for c in [*self.accepted, *([candidate] if candidate not in self.accepted else [])] if path in c.after]
        if mine == [candidate]:
            return candidate.after[path]
        now: bytes | None = mine[0].before[path]
        for c in mine:
            if now is not None:
                now = rebase(c.before[path], c.after[path], now)
        return now

    def _experiment(self, nodeids: Sequence[str], overlay: Mapping[str, bytes], conditions: Conditions) -> tuple[Mapping[str, Observation], str]:
        if conditions.rev:
            then = self.past.then(nodeids, overlay, conditions) if self.past is not None else RunReport(problem="state: nothing is known of the past")
            return _observed(then)
        report = self.runner.run(nodeids, overlay, conditions=conditions)
        if conditions == Conditions() and len(nodeids) == 1:
            self.steadiness.seen(nodeids[0], overlay, report)
        return _observed(report)

    # -- verdicts ------------------------------------------------------------------------------------------
    def _barred(self, failure: Failure, diagnosis: Diagnosis, proposal: Proposal, base: Mapping[str, bytes], ctx: Context) -> Diagnosis | None:
        """Where a regression is suspected, what the test expects is not to follow it: that is known before anything is proved."""
        if proposal.proof is not None or self.config.effective_apply == "all" or not self._changes_expectation(proposal, ctx):
            return None
        verdict = self.judge.verdict(failure, diagnosis, base, [e.replacement for e in proposal.edits])
        return verdict if verdict.cause.bars else None

    def unhealed(self, failure: Failure, first: Diagnosis, found: Found, base: Mapping[str, bytes], began: float) -> None:
        """Put on record that no heal was found: what to do instead, or why not."""
        diagnosis = first if first.cause is Cause.FLAKY else found.barred or self.judge.verdict(failure, first, base)
        self.done.add(failure.nodeid)
        if diagnosis.cause is Cause.REGRESSION_SUSPECTED:  # a stranger's advice must not stand in the place of its name
            found.advice = [a for a in found.advice if a.strategy not in self.strangers]
        if failure.phase == "collect" and diagnosis.cause is Cause.REGRESSION_SUSPECTED and all(_same_place(a, diagnosis) for a in found.advice):
            result = refused(self.facts, failure, diagnosis, "", self.clock() - began, found.refusals)
            said = found.advice[:1]
            self.others.append(replace(result, advice=said[0].advice, evidence=said[0].evidence) if said else result)
        elif found.advice:
            self.others.append(advised(self.facts, failure, diagnosis, found.advice, found.refusals, self.clock() - began))
        else:
            self.others.append(refused(self.facts, failure, diagnosis, "", self.clock() - began, found.refusals))

    def _confirmed(self) -> list[HealingResult]:
        """One fresh process for all accepted heals; where it objects, each heal by itself."""
        self.accepted = merged_causes(self.accepted)
        if self.accepted and self.config.fresh_confirm and self.config.validate_before_apply:
            self._confirm()
        return _grounded([(c, healed(self.facts, c)) for c in self.accepted])

    def _confirm(self) -> None:
        step = self._fresh(self.accepted)
        if step.passed or len(self.accepted) == 1:
            for c in self.accepted:
                c.steps.append(step)
            return
        # one after the other, each together with those that passed: what is kept was confirmed as a whole
        kept: list[Candidate] = []
        for c in self.accepted:
            step = self._fresh([*kept, c])
            c.steps.append(step)
            kept += [c] * bool(step.passed)

    def _fresh(self, heals: Sequence[Candidate]) -> ProofStep:
        nodeids = list(dict.fromkeys(n for c in heals for n in c.nodeids))
        return self.ladder.fresh(nodeids, self._overlay(heals), self.ctx.passed)[0]

    def _overlay(self, heals: Sequence[Candidate]) -> dict[str, bytes]:
        out: dict[str, bytes] = {}
        for c in heals:
            for path, data in c.after.items():
                disk = c.before[path]
                merged = rebase(disk, data, out[path]) if path in out else data
                out[path] = merged if merged is not None else data
        return out


def _same_place(advice: Proposal, diagnosis: Diagnosis) -> bool:
    """Whether an advice only names the place that the diagnosis names too."""
    return advice.advice.startswith(diagnosis.suspect.partition(" ")[0])


def _grounded(heals: Sequence[tuple[Candidate, HealingResult]]) -> list[HealingResult]:
    """The results, where what was proved on top of another heal goes no further than that one."""
    out: list[HealingResult] = []
    done: dict[int, HealingResult] = {}
    for c, result in heals:
        ground = done.get(id(c.ground))
        kind = result.decision.kind
        if ground is not None and kind is not DecisionKind.REJECTED and ground.decision.kind is DecisionKind.REJECTED:
            result = replace(result, success=False, decision=Decision(DecisionKind.REJECTED, f"it builds on {ground.healing_id}, which is refused"))
        elif ground is not None and kind is DecisionKind.APPLIED and ground.decision.kind is not DecisionKind.APPLIED:
            result = replace(result, decision=Decision(DecisionKind.PENDING, f"it builds on {ground.healing_id}, which is not applied"))
        if ground is not None and not ground.unasked:
            result = replace(result, unasked="")
        done[id(c)] = result
        out.append(result)
    return out


def _unique(failures: Sequence[Failure]) -> list[Failure]:
    """One failure per nodeid (the first phase that failed), collection errors first, then by place: the order of arrival differs under xdist."""
    seen: dict[str, Failure] = {}
    for f in failures:
        seen.setdefault(f.nodeid, f)
    return sorted(seen.values(), key=lambda f: (f.phase != "collect", f.path, f.location.line if f.location else 0, f.nodeid))


def _observed(report: RunReport) -> tuple[Mapping[str, Observation], str]:
    return {n: Observation(n, r.outcome, r.seconds, r.failure, r.changed) for n, r in report.results.items()}, report.problem
