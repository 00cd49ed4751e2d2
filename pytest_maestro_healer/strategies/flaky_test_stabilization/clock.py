"""Tests whose outcome depends on when they run: two readings of a clock that are compared, and dates that have passed."""

from __future__ import annotations

import ast
import datetime
import re
import time
from collections.abc import Iterable, Iterator, Sequence

from pytest_maestro_healer.evidence.experiments import Conditions
from pytest_maestro_healer.evidence.nodeids import is_test
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Proof, Proposal, World
from pytest_maestro_healer.strategies.flaky_test_stabilization import examples_clock as examples
from pytest_maestro_healer.strategies.flaky_test_stabilization.freeze import Site, sites, ways
from pytest_maestro_healer.strategies.flaky_test_stabilization.ordering import STRATEGY_NAME, FlakyTactic, _edits, repro
from pytest_maestro_healer.strategies.flaky_test_stabilization.places import Place, place_of
from pytest_maestro_healer.strategies.flaky_test_stabilization.restore import Way
from pytest_maestro_healer.strategies.flaky_test_stabilization.study import Study

DAY = 86400.0
STILL = World(tick=0.0)
_MOMENT = re.compile(r"datetime\.|struct_time|\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}:\d{2}\b|\b1[5-9]\d{8}(?:\.\d+|\d{3,9})?\b")
_ISO = re.compile(r"^(\d{4})-(\d{2})-(\d{2})(?:$|[T ])")
#: How long after a date that a test names its meaning may run out: what is valid for a year from then on.
_LONGEST = 400 * DAY


def local(*numbers: int) -> float:
    """A local time in seconds since the epoch."""
    return time.mktime(datetime.datetime(*numbers).timetuple())  # type: ignore[arg-type]


class ClockRace(FlakyTactic):
    """Two readings of the clock, between which a second, a day or a year may end."""

    name = "clock_race"
    late = True
    summary = "A test compares what the product read from the clock with what it reads itself: the clock stands still for the test"
    applicability = Applicability.REVIEW
    evidence = ("experiment", "symbol")
    sources = ("https://docs.python.org/3/library/datetime.html", "Eck, Palomba, Castelluccio, Bacchelli: Understanding flaky tests (FSE 2019)")
    heals = examples.RACE
    declines = examples.RACE_DECLINES

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """See :class:`Tactic`: where the clock ticks finely enough, the readings differ each time."""
        if failure.phase != "call" or not is_test(failure.nodeid) or not failure.is_a("AssertionError"):
            return False
        return diagnosis.asked is FailurePattern.FLAKY_BEHAVIOR or bool(_MOMENT.search(failure.message + failure.statement))

    def studied(self, s: Study) -> Iterable[Proposal]:
        """See :class:`FlakyTactic`."""
        place = place_of(s.nodeid, s.ctx)
        found = sites(place, s.ctx) if place is not None else []
        if place is None or len(found) < 2 or not any(f.path == place.src.path for f in found):
            return
        year = datetime.date.today().year
        eve = local(year - 1, 12, 31, 23, 59, 59)
        rolling = World(now=eve, tick=1.0)
        if not s.within([STILL]) or s.within([rolling]):
            return  # not a matter of two readings
        for moment in (eve, local(2024, 2, 29, 12), local(year - 1, 3, 31, 12)):
            if not s.within([World(now=moment, tick=0.0)]):
                yield self._advice(s, moment)
                return
        noon = datetime.datetime.combine(datetime.date.today(), datetime.time(12))
        why = "Everything in a test happens at one moment."
        way = next((w for w in ways(place, found, noon, why, s.ctx) if s.within([rolling, World()], {w.path: w.data})), None)
        if way is None:
            return
        told = "passes while the clock stands still, fails when a second passes between two readings"
        where = ", ".join(dict.fromkeys(f"{f.path}:{f.read.node.lineno}" for f in found[:4]))
        yield Proposal(
            STRATEGY_NAME,
            self.name,
            _edits(s, {way.path: way.data}),
            (Evidence("experiment", told, repro([s.nodeid]), 0.8), Evidence("symbol", f"the clock is read at {where}", where, 0.4)),
            self.applicability,
            f"{place.name} compares two readings of the clock: {way.how}",
            nodeids=(s.nodeid,),
            meaning="the moment is to be the same for the test and for what it tests",
            score=0.85,
            proof=Proof(repeats=3, worlds=(rolling,)),
        )

    def _advice(self, s: Study, moment: float) -> Proposal:
        when = datetime.datetime.fromtimestamp(moment)
        text = (
            f"{s.nodeid} fails at {when:%Y-%m-%d %H:%M:%S} also while the clock stands still: the test and the product do not agree about that date"
        )
        fact = Evidence("experiment", f"fails with the clock at {when:%Y-%m-%d %H:%M:%S}", repro([s.nodeid]), 0.7)
        return Proposal(STRATEGY_NAME, self.name, (), (fact,), Applicability.ADVICE, "depends on the date", nodeids=(s.nodeid,), advice=text)


class PassedDate(FlakyTactic):
    """A date in a test that lay ahead when the test was written."""

    name = "passed_date"
    late = True
    summary = "A date that the test names has passed since it was written: the test runs at the day on which it was written"
    applicability = Applicability.REVIEW
    evidence = ("experiment", "git")
    sources = ("https://docs.python.org/3/library/datetime.html#datetime.date.today", "https://github.com/spulec/freezegun")
    heals = examples.PASSED
    declines = examples.PASSED_DECLINES

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """See :class:`Tactic`: such a test fails each time, from one day on."""
        return failure.phase in ("call", "setup") and is_test(failure.nodeid) and not failure.is_a("ImportError", "NameError", "SyntaxError")

    def studied(self, s: Study) -> Iterable[Proposal]:
        """See :class:`FlakyTactic`."""
        place = place_of(s.nodeid, s.ctx)
        named = [d for d in dates(place) if d < time.time()] if place is not None else []
        found = sites(place, s.ctx) if place is not None and named else []
        if place is None or not found:
            return
        first = min([place.function.lineno, *(d.lineno for d in place.function.decorator_list)])
        written = s.ctx.git.written_at(place.src.path, first, place.function.end_lineno or first)
        then = written or min(named) - DAY
        if then > time.time() - DAY or not s.within([World(now=then)]):
            return  # it never passed, whatever the day
        if s.within([World()]):
            return  # it passes today, alone: not the date fails it
        since = self._since(s, then)
        fact = Evidence("experiment", f"passes with the clock before {_day(since)}, fails from that day on", repro([s.nodeid]), 0.8)
        near = [d for d in named if since - _LONGEST <= d <= since + DAY]
        raised = next((f for f in reversed(s.failure.frames) if f.kind == "product"), None)
        if raised is not None and not s.failure.is_a("AssertionError", "Failed"):
            yield self._advice(s, since, fact, f"{raised.location} raises {s.failure.exc_type} from that day on, for its users too")
            return
        if not written or not near:
            reason = "what it expects was written for an earlier day, or the product reads the clock wrongly" if near else "no date in it says why"
            yield self._advice(s, since, fact, reason)
            return
        if s.product_change([Conditions()]):
            return  # not the day, but a change of the product
        yield from self._frozen(
            s, place, found, written, (fact, Evidence("git", f"the test was written on {_day(written)}", place.src.path, 0.7)), near
        )

    def _frozen(
        self, s: Study, place: Place, found: Sequence[Site], written: float, facts: tuple[Evidence, ...], near: Sequence[float]
    ) -> Iterator[Proposal]:
        day = datetime.datetime.combine(datetime.date.fromtimestamp(written), datetime.time(12))
        why = f"It is {day:%Y-%m-%d}, when the dates of the test were written."
        way: Way | None = None
        for candidate in ways(place, found, day, why, s.ctx):
            if s.within([World(), World(now=time.time() + 366 * DAY)], {candidate.path: candidate.data}):
                way = candidate
                break
        if way is None:
            return
        passed = ", ".join(_day(d) for d in sorted(set(near))[:3])
        yield Proposal(
            STRATEGY_NAME,
            self.name,
            _edits(s, {way.path: way.data}),
            facts,
            self.applicability,
            f"{place.name} names {passed}, which has passed since it was written: {way.how}",
            nodeids=(s.nodeid,),
            meaning=f"the test is about {_day(written)}",
            cause_key=f"date:{place.src.path}:{place.name}",
            score=0.8,
        )

    @staticmethod
    def _since(s: Study, passes: float) -> float:
        """The first moment at which the test fails, to the hour."""
        low, high = passes, time.time()
        while high - low > 3600:
            middle = (low + high) / 2
            if s.within([World(now=middle)]):
                low = middle
            else:
                high = middle
        return high

    def _advice(self, s: Study, since: float, fact: Evidence, reason: str) -> Proposal:
        text = f"{s.nodeid} fails since {_day(since)} because of the date alone: {reason}"
        return Proposal(STRATEGY_NAME, self.name, (), (fact,), Applicability.ADVICE, "fails because of the date", nodeids=(s.nodeid,), advice=text)


def _day(moment: float) -> str:
    return datetime.datetime.fromtimestamp(moment).strftime("%Y-%m-%d")


def dates(place: Place) -> list[float]:
    """The dates that a test names: in itself, its decorators, the constants and the fixtures of its file; local midnight in seconds."""
    asked = {a.arg for a in place.function.args.args}
    used = {n.id for n in ast.walk(place.function) if isinstance(n, ast.Name)} | asked
    parts: list[ast.AST] = [place.function]
    for node in place.tree.body:
        constant = isinstance(node, (ast.Assign, ast.AnnAssign)) and any(isinstance(n, ast.Name) and n.id in used for n in ast.walk(node))
        helper = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name in used
        parts += [node] * (constant or helper)
    out: list[float] = []
    for inner in (n for part in parts for n in ast.walk(part)):
        numbers = _numbers(inner)
        if numbers is not None:
            try:
                out.append(local(*numbers))
            except (ValueError, OverflowError):
                continue
    return list(dict.fromkeys(out))


def _numbers(node: ast.AST) -> tuple[int, int, int] | None:
    """Year, month and day of a literal or of a call with three literals."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and (m := _ISO.match(node.value)):
        return int(m[1]), int(m[2]), int(m[3])
    if isinstance(node, ast.Call) and len(node.args) >= 3 and ast.unparse(node.func).rpartition(".")[2] in ("date", "datetime"):
        values = [a.value for a in node.args[:3] if isinstance(a, ast.Constant) and isinstance(a.value, int)]
        return (values[0], values[1], values[2]) if len(values) == 3 else None
    return None
