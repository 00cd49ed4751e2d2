"""Drift or regression, asked for a whole run: each failed test is traced once, those that fail alike together."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace

from pytest_maestro_healer.diagnose.imports import judge_import
from pytest_maestro_healer.diagnose.verdict import ProductChange, changes_logic, judge, preliminary, product_changes, stated, with_headers
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.experiments import Lines
from pytest_maestro_healer.evidence.finished.halves import NO_PAST, unfinished
from pytest_maestro_healer.evidence.finished.repaired import guessed, vacuous
from pytest_maestro_healer.evidence.nodeids import is_test
from pytest_maestro_healer.evidence.past.former import Blame, brought_in, brought_in_any, states
from pytest_maestro_healer.evidence.past.origin import given_otherwise, never_seen
from pytest_maestro_healer.evidence.past.rewritten import Rewritten, rewritten
from pytest_maestro_healer.model import Applicability, Cause, DecisionKind, Diagnosis, Failure, Follows, HealingResult, HealingStrategy, Proposal
from pytest_maestro_healer.prove.candidates import Candidate
from pytest_maestro_healer.prove.runner import Runner

#: Tests traced in one run: one at first, for often there is no second that fails alike.
_FIRST, _MORE, _MOST = 1, 8, 32
#: A traced run takes longer; this much is left to it of the time limit.
_SLOWER = 20
#: What lets a test live with its surroundings; so many tests that one edit heals are asked for their past.
_SHIELDS = frozenset({
    HealingStrategy.ENVIRONMENT_HEALING, HealingStrategy.TIMING_ADJUSTMENT, HealingStrategy.FLAKY_TEST_STABILIZATION,
    HealingStrategy.ASSERTION_UPDATE,
})  # fmt: skip
_COMPANY = 40


class Judge:
    """Verdicts on the failures of one run; what was traced is remembered.

    ``done`` are the tests of which nothing has to be known any more, ``following`` says what a proposal follows.
    """

    def __init__(self, ctx: Context, runner: Runner, done: Container[str], following: Callable[[Proposal], Follows | None]) -> None:
        self.following = following
        self.ctx = ctx
        self.runner = runner
        self.done = done
        self._traced: dict[str, Lines] = {}
        self._further: dict[str, tuple[Mapping[str, bytes], Lines]] = {}
        self._blamed: dict[tuple[str, int], str] = {}
        self._rewritten: dict[str, Rewritten | None] = {}
        self._runs = 0

    def verdict(self, failure: Failure, first: Diagnosis, base: Mapping[str, bytes], values: Sequence[str] = ()) -> Diagnosis:
        """``first``, judged by the product lines that the test executes on top of ``base``; ``values`` are the texts that a heal would expect."""
        if failure.phase == "collect":
            return judge_import(failure, first)
        found = judge(failure, self._changes(failure, base), new_values=values, first=first)
        return self._unless_rewritten(failure, found) if found.cause is Cause.REGRESSION_SUSPECTED and not base else found

    def _unless_rewritten(self, failure: Failure, found: Diagnosis) -> Diagnosis:
        """``found``, unless only the test was changed: that the product is at fault would be said without a reason then."""
        if failure.nodeid not in self._rewritten:
            self._rewritten[failure.nodeid] = rewritten(self.ctx, failure, lambda then: self._passes(failure.nodeid, then))
        own = self._rewritten[failure.nodeid]
        return found if own is None else replace(found, cause=Cause.TEST_CHANGED, reasons=(own.why, *found.reasons), suspect="")

    def _passes(self, nodeid: str, then: Mapping[str, bytes]) -> bool | None:
        report = self.runner.run([nodeid], then)
        result = report.results.get(nodeid)
        if result is None:
            return None if "[" in nodeid and not report.problem else False
        return result.outcome == "passed"

    def expected(self, winner: Candidate, first: Diagnosis) -> Diagnosis:
        """The verdict on a heal that changes what a test expects: on each such step for itself, as far as the test came with the steps before it."""
        verdict = first
        self.followed(winner)
        for link in winner.links:
            if not link.symptom:
                continue
            begin = first if link.failure is winner.failure else preliminary(link.failure)
            values = [e.replacement for e in link.proposal.edits]
            verdict = self.verdict(link.failure, begin, link.ground, values)
            if not verdict.cause.bars and winner.proposal.applicability is Applicability.SAFE:
                verdict = self._older(winner, link.failure, begin, link.ground, values) or verdict
            if verdict.cause.bars:
                break
        return replace(verdict, pattern=first.pattern, probability=first.probability)

    def followed(self, winner: Candidate) -> None:
        """Note on a heal that would be written unasked why the change of the product that it follows may be half done, or a mistake."""
        found = dict.fromkeys(c for p in winner.proposals if (c := self.following(p)) is not None)
        for follows in found if winner.proposal.applicability is Applicability.SAFE else ():
            winner.unsure = winner.unsure or unfinished(self.ctx, winner.failure, follows, winner.before, winner.after)
        if winner.proposal.strategy == HealingStrategy.SYNTAX_REPAIR and vacuous(winner.before, winner.after):
            winner.unsure = "the repaired assertion would compare within a call, and hold whatever comes of it"
        if winner.proposal.strategy == HealingStrategy.SYNTAX_REPAIR:
            still = guessed(winner.before, winner.after, winner.left, self.ctx.git.bytes_at)
            winner.unsure = f"{still} fails as repaired, and nothing else says that this is what was meant" if still else winner.unsure

    def surroundings(self, winner: Candidate, first: Diagnosis) -> Diagnosis:
        """The verdict on a heal that shields a test from its surroundings: a product that began to depend on them is not healed that way.

        The tactics of the other strategies that heal what no change explains ask this themselves.
        """
        self.followed(winner)
        for link in winner.links:
            if link.proposal.strategy == HealingStrategy.ENVIRONMENT_HEALING and link.failure.phase != "collect":
                if not self.ctx.git.available:
                    winner.unsure = NO_PAST
                found = brought_in(link.failure, self.ctx, link.ground)
                if found.before is not None and not found.before.rev:
                    winner.unsure = _why(found)
                elif found.where:
                    return replace(first, cause=Cause.REGRESSION_SUSPECTED, suspect=found.where, reasons=(*first.reasons, _why(found)))
        return drifted(first)

    def company(self, winner: Candidate) -> None:
        """The question whether the product was always so, of the other tests that one edit heals: a change may have brought in one of them only."""
        strategies = {p.strategy for p in winner.proposals}
        if winner.proposal.applicability is not Applicability.SAFE or winner.unsure or strategies.isdisjoint(_SHIELDS):
            return
        if not self.ctx.git.available:
            winner.unsure = NO_PAST
            return
        healed = [winner.failure, *(f for f in self.ctx.failures if f.nodeid in winner.nodeids)]
        new = next((f.nodeid for f in healed if f.phase != "collect" and never_seen(self.ctx, f)), "")
        if new:
            winner.unsure = f"{new} is new and was not seen to pass: what it finds may always have been wrong"
            return
        if HealingStrategy.TIMING_ADJUSTMENT in strategies:
            other = next((path for f in healed if f.phase != "collect" and (path := given_otherwise(self.ctx, f))), "")
            if other:
                winner.unsure = f"{other} was changed, and what the test takes since is not what it took before"
                return
        asked = {winner.failure.nodeid, *(link.failure.nodeid for link in winner.links)}
        others = [f for f in self.ctx.failures if f.nodeid in winner.nodeids and f.nodeid not in asked and f.phase != "collect"]
        if not others:
            return
        if len(others) > _COMPANY:
            winner.unsure = f"{len(others)} more tests would be healed alike, and not each could be asked"
            return
        flaky = HealingStrategy.FLAKY_TEST_STABILIZATION in strategies
        before = max((self.ctx.before(f.nodeid) for f in others), key=len) if flaky else ()
        values = HealingStrategy.TIMING_ADJUSTMENT not in strategies
        found = brought_in_any(others, self.ctx, winner.links[0].ground if winner.links else {}, values=values, after=before)
        if found.before is not None:
            winner.unsure = _why(found)

    def _older(self, winner: Candidate, failure: Failure, first: Diagnosis, base: Mapping[str, bytes], values: Sequence[str]) -> Diagnosis | None:
        """The verdict on what would be written unasked, by an experiment: with an older product the test may pass, and then that change counts.

        What changed may be executed by no line of the test (a base class, a default, a table): that it changed the result is known all the same, and
        unless it states the new value nobody said that it was meant: then it is for review.
        """
        found = brought_in(failure, self.ctx, base) if failure.phase != "collect" else Blame()
        if found.before is None or not found.told:
            winner.unsure = winner.unsure or (_why(found) if found.before is not None else "" if self.ctx.git.available else NO_PAST)
            return None
        verdict = judge(failure, self._changes(failure, base, found.before.rev), new_values=values, first=first)
        if verdict.cause is Cause.REGRESSION_SUSPECTED or verdict.cause is Cause.DRIFT or stated(self.ctx.git.hunks(found.before.rev), values):
            return verdict
        winner.unsure = winner.unsure or f"{_why(found)}, and nothing states the new value"
        return replace(verdict, suspect=found.where)

    def _changes(self, failure: Failure, base: Mapping[str, bytes], rev: str = "") -> list[ProductChange]:
        """Changed product lines that the test executes, by a traced rerun: changed since ``rev``, or since the test was last green, or else
        uncommitted or since the newest of the last commits that changed any of them; empty without git."""
        if not self.ctx.git.available:
            return []
        green = self.ctx.last_green(failure.nodeid)
        recent = () if rev else (b.rev for b in states(self.ctx, failure) if not (b.settles or b.spare))
        asked = dict.fromkeys([rev or green or "HEAD~1", *recent])
        return next((found for since in asked if (found := self._since(since, failure, base))), [])

    def _since(self, rev: str, failure: Failure, base: Mapping[str, bytes]) -> list[ProductChange]:
        # what is not committed first: in a hunk that goes further back it would be one line of many
        newest = self.ctx.git.hunks("HEAD") if rev != "HEAD" else ()
        hunks = [h for h in (*newest, *self.ctx.git.hunks(rev)) if h.path.endswith(".py")]
        product = {h.path: not self.ctx.is_test_code(h.path) for h in hunks}
        if not any(product.values()):
            return []
        ran = {p: lines for p, lines in self._executed(failure, base).items() if product.get(p)}
        found = product_changes(hunks, with_headers(ran, self.ctx.files.read), product, "")
        found.sort(key=lambda c: not changes_logic(c.hunk))  # many harmless ones must not hide one that is not
        return [ProductChange(c.hunk, c.executed, self._commit(c.hunk.path, min(c.executed))) for c in found[:5]]

    def _commit(self, path: str, line: int) -> str:
        if (path, line) not in self._blamed:
            self._blamed[path, line] = self.ctx.git.last_change(path, line)
        return self._blamed[path, line]

    def traced(self, failure: Failure, also: Sequence[str] = ()) -> Lines:
        """The product lines that a failing test executes unhealed, and those of the tests ``also``."""
        found = [self._executed(failure, {}), *([self.runner.run(also, {}, trace=True).executed] if also else [])]
        return {p: frozenset().union(*(lines.get(p, ()) for lines in found)) for p in dict.fromkeys(p for lines in found for p in lines)}

    def _executed(self, failure: Failure, base: Mapping[str, bytes]) -> Lines:
        nodeid = failure.nodeid
        if base:
            ground, lines = self._further.get(nodeid, ({}, {}))
            if ground is not base:
                lines = self.runner.run([nodeid], base, trace=True).executed
                self._further[nodeid] = (base, lines)
            return lines
        if nodeid not in self._traced:
            alike = self._alike(failure)
            report = self.runner.run([nodeid, *alike], base, trace=True)
            if alike and (report.problem or nodeid not in report.by_test):
                report = self.runner.run([nodeid], base, trace=True)
            self._traced.update({n: lines for n, lines in report.by_test.items() if n in alike})
            self._traced[nodeid] = report.by_test.get(nodeid, report.executed)
        return self._traced[nodeid]

    def _alike(self, failure: Failure) -> list[str]:
        """Other open failures of the same kind: who asks for one of them will ask for the next."""
        self._runs += 1
        number = (_FIRST if self._runs == 1 else _MORE if self._runs == 2 else _MOST) - 1
        out: list[str] = []
        seconds = failure.duration
        for f in self.ctx.failures:
            if len(out) >= number or seconds * _SLOWER > self.ctx.config.timeout:
                break
            same = f.exc_type == failure.exc_type and f.phase == failure.phase and f.healable and is_test(f.nodeid)
            known = f.nodeid in self.done or f.nodeid in self._traced or f.nodeid in (failure.nodeid, *out)
            if same and not known:
                out.append(f.nodeid)
                seconds += f.duration
        return out


def _why(found: Blame) -> str:
    path = found.before.path if found.before is not None else ""
    if found.told:
        return f"with {path} as it was before, the test passes unhealed"
    if found.before is not None and not found.before.rev:
        return f"whether the product is at fault cannot be told: {found.where}"
    return f"with {path} as it was before, the test fails in another way: whose fault it is cannot be told"


def drifted(first: Diagnosis) -> Diagnosis:
    """The diagnosis once a cause was healed."""
    return Diagnosis(first.pattern, first.probability, first.cause if first.cause is not Cause.UNKNOWN else Cause.DRIFT)


def grouped(results: Sequence[HealingResult]) -> list[HealingResult]:
    """The failures that one suspected regression made, and those that get the very same advice, as one record each; all else as it is."""
    out: list[HealingResult] = []
    first: dict[tuple[object, ...], int] = {}
    for r in results:
        key = _one_cause(r)
        if key is None:
            out.append(r)
            continue
        if key not in first:
            first[key] = len(out)
            out.append(r)
            continue
        twin = out[first[key]]
        out[first[key]] = replace(
            twin,
            nodeids=tuple(dict.fromkeys((*twin.nodeids, *r.nodeids))),
            execution_time=round(twin.execution_time + r.execution_time, 4),
            refused=tuple(dict.fromkeys((*twin.refused, *r.refused))),
        )
    return out


def _one_cause(r: HealingResult) -> tuple[object, ...] | None:
    """What results of one cause have in common; ``None`` for one that stands for itself."""
    d = r.diagnosis
    if r.changes or d is None:
        return None
    if r.decision.kind is DecisionKind.ADVISED:
        return (r.decision, r.strategy_used, r.tactic, r.advice, d.cause, d.suspect) if r.advice else None
    if r.decision.kind is DecisionKind.REJECTED and d.cause is Cause.REGRESSION_SUSPECTED and d.suspect and not r.advice:
        return r.decision, d.suspect
    return None
