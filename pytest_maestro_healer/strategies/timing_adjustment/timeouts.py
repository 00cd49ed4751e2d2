"""Limits that are too short for what they wait for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Frame, Proof, Proposal
from pytest_maestro_healer.strategies.base import Tactic
from pytest_maestro_healer.strategies.environment_healing.place import Place, failing_function, test_function
from pytest_maestro_healer.strategies.environment_healing.writer import Writer
from pytest_maestro_healer.strategies.timing_adjustment import examples_timeouts as examples
from pytest_maestro_healer.strategies.timing_adjustment.bounds import Bound, bounds, marks
from pytest_maestro_healer.strategies.timing_adjustment.build import advice, proposal
from pytest_maestro_healer.strategies.timing_adjustment.fakeclock import own_sleep
from pytest_maestro_healer.strategies.timing_adjustment.measure import (
    LEAST,
    MARGIN,
    Measured,
    Slower,
    bound,
    evidence,
    failing_rate,
    group,
    known,
    measured,
    proof,
    seconds,
    slower_than_before,
    written,
)

#: Without git to say that the product is as it was, a limit that has to grow by more than this is for a person.
SUSPICIOUS = 100.0
_EXPIRED = ("TimeoutError", "TimeoutExpired", "Timeout", "ReadTimeout", "ConnectTimeout", "Empty", "Full", "BrokenBarrierError", "timeout")


class TimeoutTooShort(Tactic):
    """A limit given to a waiting call or to the test itself."""

    name = "timeout_too_short"
    summary = "Raises a limit to ten times the slowest of several measured runs, some of them under load; a run that does not end is named instead"
    patterns = frozenset({FailurePattern.TIMEOUT, FailurePattern.ASSERTION_FAILURE, FailurePattern.UNKNOWN, FailurePattern.FLAKY_BEHAVIOR})
    applicability = Applicability.SAFE
    evidence = ("timing",)
    sources = ("https://docs.python.org/3/library/asyncio-task.html#asyncio.wait_for", "https://github.com/pytest-dev/pytest-timeout#usage")
    heals = (*examples.TIMEOUT_HEALS, *examples.SLOWER_HEALS)
    declines = examples.TIMEOUT_DECLINES

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """What expired, and assertions that may come from a wait that did."""
        return failure.phase in ("call", "setup") and (
            diagnosis.asked is FailurePattern.TIMEOUT or failure.is_a(*_EXPIRED) or failure.is_a("AssertionError", "Failed")
        )

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The measured bound; advice where the lifted test does not end, or ended in time before the product changed."""
        place = failing_function(failure, ctx) or test_function(failure, ctx)
        if place is None or not ctx.experiments.available:
            return
        killed = "pytest-timeout" in failure.message
        found = marks(test_function(failure, ctx) or place) if killed else _before(bounds(place), failure, place)
        if not found:
            if killed:
                yield from self._by_option(failure, ctx)
            elif failure.is_a(*_EXPIRED):
                yield from self._elsewhere(failure, ctx)
            return
        limit = _patience(ctx, max(b.value for b in found))
        slept = own_sleep(failure, test_function(failure, ctx)) if killed else None
        if slept is not None and slept[1] > limit:
            yield self._sleeps(failure, *slept)
            return
        data, seen = measured(failure, ctx, lifted(found, limit, ctx))
        if data is None:
            if failure.is_a(*_EXPIRED) or killed:
                yield from self._hangs(failure, limit, seen.failure if seen else None)
            return
        became = slower_than_before(failure, ctx, data.median)
        if became and became.refused:
            fact = evidence(data, seconds(data.longest), "the slowest run", found[0].where)
            text = f"slower than before, and by a change of the product: {became.text}, now in {seconds(data.median)}"
            yield advice(self.name, failure, text, [fact])
            return
        chosen = self._needed(failure, ctx, found, limit) if len(found) > 1 else found
        yield from self._raised(failure, ctx, place, chosen, data, became)

    def _needed(self, failure: Failure, ctx: Context, found: Sequence[Bound], limit: float) -> Sequence[Bound]:
        """The one limit that is too short, where lifting it alone does; else all."""
        for one in found:
            seen = ctx.experiments.observe([failure.nodeid], {**ctx.overlay, **lifted([one], limit, ctx)}).get(failure.nodeid)
            if seen is not None and seen.passed:
                return [one]
        return found

    def _raised(
        self, failure: Failure, ctx: Context, place: Place, found: Sequence[Bound], data: Measured, became: Slower | None
    ) -> Iterable[Proposal]:
        condition: Proof | None
        condition, rate = proof(failure, ctx)
        if rate == 0.0:
            return
        target = bound(data.longest)
        old = max(b.value for b in found)
        if target <= old:
            return
        writer = Writer(place.src)
        for b in found:
            writer.replace_node(b.node, written(target * b.scale))
        told = f"{found[0].name} {written(old * found[0].scale)} at {found[0].where}"
        facts = [evidence(data, f"{written(target)} s", f"bound = {MARGIN:g} times the longest, at least {LEAST:g} s", found[0].where)]
        facts.append(
            Evidence("reruns", f"unchanged, the test fails in {rate:.0%} of the runs{' under load' if condition else ''}", failure.path, 0.4)
        )
        facts += [became.fact] if became else []
        safe = became is None and (ctx.git.available or data.longest <= SUSPICIOUS * old)
        lines = [b.line for b in found] + ([failure.location.line] if failure.location else [])
        shared = any(b.kind in ("constant", "mark") for b in found)
        members = group(failure, ctx, lines) if not shared else [f for f in ctx.failures if f.path == failure.path and f.exc_type == failure.exc_type]
        made = proposal(
            self.name, members, ctx, writer, evidence=facts,
            explanation=f"{told} is too short: what it waits for takes up to {seconds(data.longest)}",
            meaning=f"wait up to {written(target)} s", safe=safe, score=0.8, proof=condition,
        )  # fmt: skip
        if made is not None:
            known(failure, ctx).too_short = True
            yield made

    def _hangs(self, failure: Failure, limit: float, last: Failure | None) -> Iterable[Proposal]:
        """The lifted run did not pass: a hang is named with the place where it stood."""
        if last is not None and not last.is_a(*_EXPIRED) and "timeout" not in last.message.lower():
            return  # it got further and failed there: not a matter of time
        stack = stands_at(last or failure)
        text = f"it does not end: still waiting after {seconds(limit)} with its limit lifted" + (f"; it stands at {stack}" if stack else "")
        fact = Evidence("timing", f"with the limit lifted to {seconds(limit)} the test did not pass", failure.path, 0.7)
        yield advice(self.name, failure, text, [fact])

    def _sleeps(self, failure: Failure, statement: ast.stmt, length: float) -> Proposal:
        """It was stopped in a sleep of its own that is longer than anybody waits here."""
        where = f"{failure.path}:{statement.lineno}"
        text = f"it sleeps for {seconds(length)} by itself at {where}, longer than it may take: a fake clock (freezegun, time-machine) lets that pass"
        return advice(self.name, failure, text, [Evidence("timing", f"the sleep alone takes {seconds(length)}", where, 0.7)])

    def _by_option(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The limit is an option's, for all tests: this one is given its own."""
        place = test_function(failure, ctx)
        stated = re.search(r"Timeout \(>([\d.]+)\s*s\)", failure.message)
        if place is None or stated is None:
            return
        old = float(stated[1])
        limit = _patience(ctx, old)
        slept = own_sleep(failure, place)
        if slept is not None and slept[1] > limit:
            yield self._sleeps(failure, *slept)
            return

        def marked(value: float) -> Writer:
            writer = Writer(place.src)
            writer.decorate(place.node, f"{writer.module('pytest')}.mark.timeout({written(value)})")
            return writer

        data, seen = measured(failure, ctx, {place.src.path: place.src.with_edits(marked(limit).edits()).data})
        if data is None:
            yield from self._hangs(failure, limit, seen.failure if seen else None)
            return
        became = slower_than_before(failure, ctx, data.median)
        target = bound(data.longest)
        fact = evidence(data, f"{written(target)} s", f"bound = {MARGIN:g} times the longest, at least {LEAST:g} s", failure.path)
        if became and became.refused:
            text = f"slower than before, and by a change of the product: {became.text}, now in {seconds(data.median)}"
            yield advice(self.name, failure, text, [fact])
        elif target > old:
            made = proposal(
                self.name, [failure], ctx, marked(target), evidence=[fact],
                explanation=f"the test takes up to {seconds(data.longest)}, and all have {old:g} s",
                meaning=f"this test may take {written(target)} s", safe=False, score=0.6,
            )  # fmt: skip
            if made is not None:
                yield made

    def _elsewhere(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The limit is not written in the test: the product's own, or an option's."""
        frame = next((f for f in reversed(failure.frames) if f.kind == "product"), None)
        rate, _ = failing_rate(failure, ctx)
        if frame is not None and not failure.is_a("Failed") and rate > 0:
            text = f"the limit that expired is the product's own ({frame.location}: {frame.text}); no test states it"
            yield advice(self.name, failure, text, [Evidence("timing", f"it expires in {rate:.0%} of the runs", str(frame.location), 0.5)])


def _patience(ctx: Context, old: float) -> float:
    """How long an experiment waits where ``old`` seconds were too short."""
    return max(2.0, min(15.0, ctx.config.timeout * 0.6, 40 * old))


def lifted(found: Iterable[Bound], limit: float, ctx: Context) -> dict[str, bytes]:
    """The file with the limits raised to ``limit`` seconds, for an experiment."""
    mine = list(found)
    if not mine:
        return {}
    writer = Writer(mine[0].src)
    for b in mine:
        writer.replace_node(b.node, written(limit * b.scale))
    return {mine[0].src.path: mine[0].src.with_edits(writer.edits()).data}


def _before(found: Sequence[Bound], failure: Failure, place: Place) -> list[Bound]:
    """The limits of calls that ran before the failure, or in it."""
    line = failure.location.line if failure.location and failure.location.path == place.src.path else 10**9
    end = next((f.location.end_line for f in reversed(failure.frames) if f.kind == "test" and f.location.line == line), line)
    return [b for b in found if b.line <= max(line, end)]


def stands_at(failure: Failure) -> str:
    """The innermost places of the project's own code, as one phrase."""
    own: list[Frame] = [f for f in failure.frames if f.kind in ("test", "product")][-3:]
    return ", called from ".join(f"{f.location} ({f.text[:80]})" for f in reversed(own))
