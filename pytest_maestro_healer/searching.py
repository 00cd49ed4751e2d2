"""Searching for a heal of one failure: ask the strategies, guard, rerun, follow up where the test gets further, let what is proved compete."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.diagnose.verdict import preliminary
from pytest_maestro_healer.edit.guards import Limits, check_proposal
from pytest_maestro_healer.edit.guards.expected import expects_otherwise
from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.errors import TamperedError
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.nodeids import has_params, stands_for, without_params
from pytest_maestro_healer.evidence.weight import strength
from pytest_maestro_healer.learn.learner import Learner
from pytest_maestro_healer.model import Applicability, Cause, Diagnosis, Failure, HealingStrategy, ProofStep, Proposal
from pytest_maestro_healer.prove.candidates import Candidate, Link, chained, order, progressed, rank, rivals, same_code
from pytest_maestro_healer.prove.ladder import Climb, Ladder
from pytest_maestro_healer.prove.runner import Runner
from pytest_maestro_healer.prove.scope import narrowed
from pytest_maestro_healer.strategies.base import Strategy

MAX_STEPS = 12
#: Below this strength of its evidence an edit was only worth a try: what it does not heal speaks against it.
_A_GUESS = 0.5
PER_TACTIC = 6
_OURS = frozenset(str(s) for s in HealingStrategy)


@dataclass
class Found:
    """The outcome of one search: the winner, the other proven candidates by rank, advice met and refusals with their reasons.

    ``untried`` could be as good as the winner, but there was no attempt left for them. ``barred`` is the verdict by which what the test expects
    was not touched. ``varied`` says that an edit passed once and not when it was repeated.
    """

    winner: Candidate | None = None
    others: list[Candidate] = field(default_factory=list)
    untried: list[Proposal] = field(default_factory=list)
    barred: Diagnosis | None = None
    varied: bool = False
    advice: list[Proposal] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def absorb(self, other: Found) -> None:
        """Take over advice and refusals of a follow-up search."""
        self.advice += other.advice
        self.varied |= other.varied
        self.refusals += other.refusals

    def ties(self, winner: Candidate, symptoms: frozenset[str]) -> list[str]:
        """What else could be right, where ``winner`` (the winner, or one of the others after all before it were refused) is taken."""
        return [*(told(c.proposal) for c in self.rivals(winner, symptoms)), *self.unknown(winner, symptoms)]

    def unknown(self, winner: Candidate, symptoms: frozenset[str]) -> list[str]:
        """What was not tried and could be right as well as ``winner``."""
        return [f"{told(p)} (not tried)" for p in self.untried if rivals(winner, p, symptoms)]

    def rivals(self, winner: Candidate, symptoms: frozenset[str]) -> list[Candidate]:
        """The proven candidates that could be right as well as ``winner``."""
        behind = self.others[self.others.index(winner) + 1 :] if winner in self.others else self.others
        return [c for c in behind if not same_code(c, winner) and rivals(winner, c, symptoms)]


class Search:
    """Searches for heals; what was ``done`` (nodeids) is nobody's claim any more, ``deadline`` is by ``clock``, ``notes`` are for the user."""

    def __init__(
        self,
        ctx: Context,
        runner: Runner,
        strategies: Sequence[Strategy],
        config: HealerConfig,
        *,
        repeats: int = 2,
        clock: Callable[[], float] = time.perf_counter,
        learner: Learner | None = None,
    ) -> None:
        self.learner = learner
        self.ctx = ctx
        self.runner = runner
        self.strategies = strategies
        self.config = config
        self.ladder = Ladder(runner, config)
        self.repeats = repeats
        self.clock = clock
        self.notes: list[str] = []
        self.done: set[str] = set()
        self.deadline = 0.0

    def search(self, failure: Failure, diagnosis: Diagnosis, base: Mapping[str, bytes], depth: int, *, late: bool = True) -> Found:
        """Prove candidates for ``failure`` on top of ``base`` (already healed bytes); follow up where the test gets further.

        Without ``late``, tactics that take long are not asked.
        """
        found = Found()
        ctx = self.ctx.step(base)
        proven: list[Candidate] = []
        heals: list[Candidate] = []  # those of them after which this very failure is gone
        held: list[tuple[Proposal, ProofStep, Diagnosis]] = []
        attempts, asked = 0, False
        for proposal in self._offered(failure, diagnosis, ctx, found, heals, late):
            if heals and not any(rivals(h, proposal, self.symptoms) for h in heals):
                continue
            if proposal.strategy in self.strangers and not asked:
                asked, attempts = True, 0
            # what could be as good as something proved gets attempts of its own: the first to pass is not for that reason right
            spent = attempts >= self.config.max_attempts * (2 if heals else 1)
            if (spent or self.clock() > self.deadline) and not heals:
                self._not_tried(proposal, attempts if spent else 0, found)
                if spent and self.strangers and not asked:
                    continue
                break
            proposal, guard = self._guarded(proposal, ctx)
            if not guard.passed:
                found.refusals.append(f"{proposal.tactic}: {guard.reason}")
                self._learn(failure, diagnosis, proposal, "guard")
                continue
            if spent or self.clock() > self.deadline:
                self._not_tried(proposal, attempts if spent else 0, found)
                found.untried.append(proposal)
                continue
            verdict = self._barred(failure, diagnosis, proposal, base, ctx)
            if verdict is not None:
                held.append((proposal, guard, verdict))
                continue
            attempts += 1
            candidate = self._tried(failure, proposal, guard, base, ctx, depth, found)
            if candidate is None:
                self._learn(failure, diagnosis, proposal, "failed")
            else:
                proven.append(candidate)
                heals += [candidate] * (failure.nodeid not in candidate.left)
        proven = sorted(heals or proven, key=lambda c: rank(c, self.symptoms))
        if held:
            proven = self._unless_held(proven, held, failure, base, ctx, depth, found)
        if proven:
            found.winner, *found.others = proven
        return found

    def _barred(self, failure: Failure, diagnosis: Diagnosis, proposal: Proposal, base: Mapping[str, bytes], ctx: Context) -> Diagnosis | None:
        """The verdict that forbids to change an expectation as ``proposal`` does: then it need not be proved. Here none does."""
        return None

    def _unless_held(
        self,
        proven: list[Candidate],
        held: Sequence[tuple[Proposal, ProofStep, Diagnosis]],
        failure: Failure,
        base: Mapping[str, bytes],
        ctx: Context,
        depth: int,
        found: Found,
    ) -> list[Candidate]:
        """``proven``, unless a better one among what was held back proves right too: then the test's new value is the sign of a regression."""
        for proposal, guard, verdict in sorted(held, key=lambda h: rank(h[0], self.symptoms)):
            if proven and rank(proven[0], self.symptoms) <= rank(proposal, self.symptoms):
                break
            if not proven or self._tried(failure, proposal, guard, base, ctx, depth, found) is not None:
                found.barred = verdict
                why = f"looks like a regression in {verdict.suspect}" if verdict.suspect else verdict.reasons[0]
                found.refusals.append(f"{proposal.tactic}: {why}")
                return []
        return proven

    def _not_tried(self, proposal: Proposal, attempts: int, found: Found) -> None:
        why = f"{attempts} attempts were made" if attempts else "the time for healing is used up"
        if not any(r.endswith(f"not tried, {why}") for r in found.refusals):
            found.refusals.append(f"{proposal.tactic}: not tried, {why}")

    @property
    def symptoms(self) -> frozenset[str]:
        """Strategies that change an expectation instead of a cause."""
        return frozenset(s.name for s in self.strategies if s.symptom)

    @property
    def strangers(self) -> frozenset[str]:
        """Strategies of whose proposals nobody knows how they were found."""
        return frozenset(s.name for s in self.strategies if s.stranger)

    def write_nothing(self) -> None:
        """From here on nothing is to be written in this phase."""

    def _offered(
        self, failure: Failure, diagnosis: Diagnosis, ctx: Context, found: Found, heals: Sequence[Candidate], late: bool
    ) -> Iterator[Proposal]:
        """Our own proposals, and strangers' where those gave no heal: asking them may cost time and money. So may late tactics of ours."""
        for stage in (False, True)[: 1 + late]:
            if not heals:
                yield from self._proposals(failure, diagnosis, ctx, found, stranger=False, late=stage)
        if late and not heals and self.strangers and self.clock() <= self.deadline:
            yield from self._proposals(failure, diagnosis, ctx, found, stranger=True)

    def _proposals(self, failure: Failure, diagnosis: Diagnosis, ctx: Context, found: Found, *, stranger: bool, late: bool = False) -> list[Proposal]:
        out: list[Proposal] = []
        is_flaky = diagnosis.cause is Cause.FLAKY
        for strategy in (s for s in self.strategies if s.stranger == stranger):
            if (strategy.symptom or stranger) and is_flaky:
                continue  # what a test expects is not why it fails only now and then; what a stranger guesses, no single run can prove
            for tactic in strategy.tactics:
                if (is_flaky and getattr(tactic, "late", False)) != late:
                    continue
                try:
                    if tactic.answers(failure, diagnosis):
                        out += _checked(islice(tactic.propose(failure, ctx), PER_TACTIC))
                except TamperedError as exc:
                    self.notes.append(str(exc))
                    self.write_nothing()
                except Exception as exc:
                    note = f"{strategy.name}/{getattr(tactic, 'name', tactic)} raised {type(exc).__name__}: {exc}; it was left out"
                    if note not in self.notes:
                        self.notes.append(note)
        out = self._without_symptoms(out, found)
        found.advice += [p for p in out if not p.edits]
        if self.learner is None:
            return order([p for p in out if p.edits], self.symptoms)
        return order([p for p in out if p.edits], self.symptoms, partial(self.learner.weight, diagnosis=diagnosis))

    def _without_symptoms(self, out: list[Proposal], found: Found) -> list[Proposal]:
        """Where a strategy names the cause and has no edit for it, what the test expects is not to follow it (unless all is to be applied)."""
        named = next((p for p in out if not p.edits and p.strategy not in self.symptoms), None)
        if named is None or self.config.effective_apply == "all":
            return out
        withheld = [p for p in out if p.edits and p.strategy in self.symptoms]
        found.refusals += dict.fromkeys(f"{p.tactic}: another cause is named: {named.advice}" for p in withheld)
        return [p for p in out if p not in withheld]

    def _learn(self, failure: Failure, diagnosis: Diagnosis, proposal: Proposal, result: str) -> None:
        if self.learner is not None:
            self.learner.failed(failure, diagnosis, proposal, result)

    def _tried(
        self, failure: Failure, proposal: Proposal, guard: ProofStep, base: Mapping[str, bytes], ctx: Context, depth: int, found: Found
    ) -> Candidate | None:
        after = {**base, **_applied(proposal, ctx)}
        nodeids = self._claimed(failure, proposal)
        proof = proposal.proof
        climb = self.ladder.under(proof, nodeids, base, after) if proof is not None else self.ladder.rerun(nodeids, after)
        problem = next((s.reason for s in climb.steps if s.passed is False and not climb.left), "") or next(
            (s.reason for s in climb.steps if s.reason.startswith(("hang", "crash", "state"))), ""
        )
        if problem:
            found.refusals.append(f"{proposal.tactic}: {problem}")
            return None
        symptom = self._changes_expectation(proposal, ctx)
        candidate = Candidate(failure, proposal, self._befores(after, ctx), after, guard=guard, symptom=symptom)
        candidate.links = (Link(failure, proposal, base, symptom),)
        if _is_healed(failure, climb):
            return self._settled(candidate, climb, found)
        next_failure = _behind(failure, climb)
        if next_failure is not None and progressed(failure, next_failure, self._grown(failure, after, ctx)) and depth + 1 < MAX_STEPS:
            more = self.search(next_failure, preliminary(next_failure), after, depth + 1)
            found.absorb(more)
            if more.barred is not None and (candidate.symptom or proposal.applicability is Applicability.SAFE):
                found.barred = found.barred or more.barred
            if more.winner is not None and more.winner.symptom and not candidate.symptom and proposal.applicability is not Applicability.SAFE:
                # the wrong guess makes any value look like the right one
                found.refusals.append(f"{proposal.tactic}: the test goes on to expect something else, and this step is no more than likely")
                return None
            if more.winner is not None:
                whole = chained(candidate, more.winner)
                whole.ties = [*more.winner.ties, *more.ties(more.winner, self.symptoms)]
                return self._settled(whole, self.ladder.rerun(list(dict.fromkeys([*nodeids, *more.winner.nodeids])), whole.after), found)
        if self._gained(failure, climb):
            return self._settled(candidate, climb, found)
        why = next_failure.message.splitlines()[:1] if next_failure is not None and next_failure.message else []
        found.refusals.append(f"{proposal.tactic}: the test still fails" + (f" ({why[0][:120]})" if why else ""))
        return None

    def _settled(self, candidate: Candidate, climb: Climb, found: Found) -> Candidate | None:
        """Fill in what the rerun showed and repeat it."""
        if not self._gained(candidate.failure, climb):
            found.refusals.append(f"{candidate.proposal.tactic}: {climb.steps[-1].reason if climb.steps else 'nothing passed'}")
            return None
        broken = next((n for n in climb.left if n in self.ctx.passed), "")
        if broken:
            found.refusals.append(f"{candidate.proposal.tactic}: {broken} passed before the edit and fails with it")
            return None
        candidate.nodeids = list(dict.fromkeys([*climb.healed]))
        candidate.left = {n: f for n, f in climb.left.items() if n not in candidate.nodeids}
        if candidate.left and any(strength(link.proposal.evidence) < _A_GUESS for link in candidate.links):
            count = f"{len(candidate.left)} of {len(candidate.left) + len(candidate.nodeids)}"
            found.refusals.append(f"{candidate.proposal.tactic}: {count} tests that it is for still fail with it, and little else speaks for it")
            return None
        proof = candidate.proposal.proof
        if proof is not None:
            stable = self.ladder.steady(proof, candidate.nodeids, candidate.after)
        else:
            stable = self.ladder.stable(candidate.nodeids[:50], candidate.after, self.repeats)
        if stable.passed is False:
            found.varied |= proof is None
            found.refusals.append(f"{candidate.proposal.tactic}: {stable.reason}")
            return None
        rerun = ProofStep("rerun", True, f"{len(candidate.nodeids)} passed", sum(s.seconds for s in climb.steps))
        candidate.steps = [candidate.guard, rerun, stable]
        return candidate

    def _gained(self, failure: Failure, climb: Climb) -> bool:
        """Whether a test that failed passes now; the parameter sets that passed all along are no heal."""
        failed = {failure.nodeid, *(f.nodeid for f in self.ctx.failures)}
        return any(n in failed or n not in self.ctx.passed for n in climb.healed)

    def _claimed(self, failure: Failure, proposal: Proposal) -> list[str]:
        """The failing tests the proposal is for, with the passing parameter sets of the same functions."""
        open_ = {f.nodeid for f in self.ctx.failures if f.healable}
        if strength(proposal.evidence) >= _A_GUESS:  # a guess has to do for those as well that were given up before
            open_ -= self.done
        mine = [failure.nodeid, *(n for n in proposal.nodeids if n in open_)]
        if proposal.proof is not None:
            return list(dict.fromkeys(mine))
        bases = {without_params(n) for n in mine if has_params(n)}
        also = sorted(n for n in self.ctx.passed if without_params(n) in bases)
        return list(dict.fromkeys([*mine, *also]))

    @staticmethod
    def _grown(failure: Failure, after: Mapping[str, bytes], ctx: Context) -> int:
        """How many lines the failing place's file gained."""
        path = failure.location.path if failure.location else ""
        src = ctx.source(path) if path in after else None
        return after[path].count(b"\n") - src.data.count(b"\n") if src is not None else 0

    @staticmethod
    def _befores(after: Mapping[str, bytes], ctx: Context) -> dict[str, bytes]:
        """What the edits are made against: the very bytes that the tactic saw, also where the disk has others by now."""
        sources = {path: ctx.source(path) for path in after}
        return {path: src.data if src is not None else b"" for path, src in sources.items()}

    def _changes_expectation(self, proposal: Proposal, ctx: Context) -> bool:
        """Of our own strategies it is known, of a stranger's proposal its edits tell."""
        if proposal.strategy not in self.strangers:
            return proposal.strategy in self.symptoms
        return any(expects_otherwise(src, src.with_edits(proposal.edits)) for e in proposal.edits if (src := ctx.source(e.path)) is not None)

    def _guarded(self, proposal: Proposal, ctx: Context) -> tuple[Proposal, ProofStep]:
        """The proposal, narrowed to what may be edited, and the guard rung."""
        outside = ""

        def objections() -> list[str]:
            if outside:
                return [outside]
            # what a tactic of ours may relax, because its evidence is about just that, nobody else may by taking its name
            known = proposal.strategy in _OURS
            stranger = proposal.strategy in self.strangers
            return check_proposal(proposal, ctx, allowances=None if known else {}, limits=Limits(stranger=stranger))

        try:
            proposal, outside = narrowed(proposal, ctx, self.config)
            return proposal, self.ladder.guarded(objections)
        except Exception as exc:  # edits that are no edits: what cannot be judged is not let through
            return proposal, ProofStep("guard", False, f"it cannot be judged ({type(exc).__name__}: {str(exc)[:200]})")


def told(proposal: Proposal) -> str:
    """A proposal in a few words."""
    return proposal.meaning or proposal.explanation


def _applied(proposal: Proposal, ctx: Context) -> dict[str, bytes]:
    out: dict[str, bytes] = {}
    for path in dict.fromkeys(e.path for e in proposal.edits):
        src = ctx.source(path) or SourceFile(path, b"")
        out[path] = src.with_edits(proposal.edits).data
    return out


def _checked(proposals: Iterable[Proposal]) -> list[Proposal]:
    out = list(proposals)
    for p in out:
        if not isinstance(p, Proposal):
            raise TypeError(f"{p!r} is no Proposal")
    return out


def _is_healed(failure: Failure, climb: Climb) -> bool:
    if failure.nodeid in climb.left:
        return False
    return any(stands_for(n, failure.nodeid) for n in climb.healed)


def _behind(failure: Failure, climb: Climb) -> Failure | None:
    """The failure that now stands where ``failure`` stood."""
    if climb.left.get(failure.nodeid) is not None:
        return climb.left[failure.nodeid]
    return next((f for n, f in climb.left.items() if f is not None and stands_for(n, failure.nodeid)), None)
