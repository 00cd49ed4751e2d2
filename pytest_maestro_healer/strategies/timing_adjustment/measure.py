"""How long a test takes when its limit is lifted, idle and under load, and the bound that follows."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.experiments import Conditions, Experiments, Observation
from pytest_maestro_healer.evidence.past.former import Before, Then, blame, compared
from pytest_maestro_healer.model import Evidence, Failure, Proof

#: Runs with the machine as it is, and runs while every processor is kept busy; of a slow test, whose runs take longer than this together, one each.
IDLE, LOADED, ENOUGH = 3, 2, 6.0
#: A limit that is never reached costs nothing: this many times the slowest run, and at least a second.
MARGIN, LEAST = 10.0, 1.0
#: Runs of the product as it was before, until one is in time.
_TRIES = 3
#: How many times the slowest run the bound has to be for so many runs to do: who looks less often has to leave more room.
_DOES = {2: 2 * MARGIN, 3: 1.5 * MARGIN, 4: 1.2 * MARGIN}
RULE = "rounded up to 1, 2 or 5"
#: A test that became that many times slower is looked at by a person, whatever its commit says.
FAR = 20.0


@dataclass(frozen=True)
class Measured:
    """Seconds of each run, and how often the unchanged test failed of so many tries."""

    idle: tuple[float, ...]
    loaded: tuple[float, ...]

    @property
    def longest(self) -> float:
        """The slowest of all runs."""
        return max((*self.idle, *self.loaded))

    @property
    def median(self) -> float:
        """The median of the idle runs."""
        return statistics.median(self.idle)

    def told(self) -> str:
        """The distribution in one phrase."""
        busy = f"; {len(self.loaded)} under load, longest {seconds(max(self.loaded))}" if self.loaded else ""
        return f"{_times(len(self.idle))}, median {seconds(self.median)}, longest {seconds(max(self.idle))}{busy}"


def _times(count: int) -> str:
    return f"{count} run{'s' * (count != 1)}"


def seconds(value: float) -> str:
    """A duration with two digits that count."""
    return f"{value:.2g} s" if value < 10 else f"{value:.0f} s"


def rounded(value: float) -> float:
    """The next number of the series 1, 2, 5, 10, 20..."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(round(m * power, 9) for m in (1, 2, 5, 10) if m * power >= value * 0.9999)


def written(value: float) -> str:
    """A number as a person writes it."""
    return str(int(value)) if value == int(value) else f"{value:g}"


def runs(failure: Failure, ctx: Context, overlay: Mapping[str, bytes], times: int, load: int = 0) -> list[Observation]:
    """``times`` runs of the failing test with ``overlay`` on top of what was healed before."""
    return ctx.experiments.repeat(failure.nodeid, times, {**ctx.overlay, **overlay}, Conditions(load=load))


def measured(failure: Failure, ctx: Context, overlay: Mapping[str, bytes]) -> tuple[Measured | None, Observation | None]:
    """The durations with the limit lifted; where a run does not pass, ``None`` and what it did (``None`` for a hang).

    A sequential test: the runs, idle and under load in turn, end where the bound leaves more room than a full set of them would ask for.
    """
    idle: list[float] = []
    loaded: list[float] = []
    for kind in (idle, loaded, idle, loaded, idle):
        if kind and sum(kind) > ENOUGH:
            continue
        seen = runs(failure, ctx, overlay, 1, ctx.machine.cpus if kind is loaded else 0)
        if not seen or not seen[0].passed:
            return None, seen[0] if seen else None
        kind.append(seen[0].seconds)
        longest = max((*idle, *loaded))
        if loaded and bound(longest) >= _DOES.get(len(idle) + len(loaded), MARGIN) * longest:
            break
    return Measured(tuple(idle), tuple(loaded)), None


def bound(longest: float) -> float:
    """The limit for what took ``longest`` at most."""
    return rounded(max(LEAST, MARGIN * longest))


@dataclass
class Known:
    """What experiments have said about one failed test as it is: how often it fails, and whether more time by a limit that it states heals it."""

    rate: tuple[float, bool] | None = None
    too_short: bool = False


_KNOWN: WeakKeyDictionary[Experiments, dict[tuple[object, ...], Known]] = WeakKeyDictionary()


def known(failure: Failure, ctx: Context) -> Known:
    """What the tactics share, one per healing phase, failed test and state of its files."""
    key = (failure.nodeid, frozenset(ctx.overlay.items()))
    return _KNOWN.setdefault(ctx.experiments, {}).setdefault(key, Known())


def failing_rate(failure: Failure, ctx: Context) -> tuple[float, bool]:
    """How often the unchanged test fails, idle; where it never does again, under load (and whether that was needed).

    The failure that was reported counts as one of the idle runs. Measured once for all candidates.
    """
    found = known(failure, ctx)
    if found.rate is None:
        found.rate = _failing_rate(failure, ctx)
    return found.rate


def _failing_rate(failure: Failure, ctx: Context) -> tuple[float, bool]:
    again = runs(failure, ctx, {}, 1)
    if again and not again[0].passed:
        return 1.0, False
    for load, times in ((0, 2), (ctx.machine.cpus, 4)):
        seen = runs(failure, ctx, {}, times, load)
        bad = sum(not o.passed for o in seen)
        if bad:
            return (bad if load else bad + 1) / (len(seen) if load else len(seen) + 2), bool(load)
    return 0.0, True


def proof(failure: Failure, ctx: Context) -> tuple[Proof | None, float]:
    """The conditions of the proof: none of its own for a test that fails every time, contention and repeats for a racy one."""
    rate, loaded = failing_rate(failure, ctx)
    if rate == 1.0 and not loaded:
        return None, rate
    return Proof(load=ctx.machine.cpus, repeats=5, rate=rate, fails_before=rate >= 0.5), rate


def evidence(found: Measured, bound: str, rule: str, where: str) -> Evidence:
    """The data behind a bound."""
    return Evidence("timing", f"with the limit lifted: {found.told()}; {rule}, {RULE}: {bound}", where, 0.8)


@dataclass(frozen=True)
class Slower:
    """A change of the product without which the unchanged test passes; ``refused`` where it does not look like anybody's intention.

    With ``told`` false it may be that change, and nobody can tell.
    """

    text: str
    refused: bool
    fact: Evidence
    told: bool = True


def slower_than_before(failure: Failure, ctx: Context, now: float) -> Slower | None:
    """The change of the product that made the test fail, ``None`` where there is none (or no git).

    With the product as it was the unchanged test is run again. What was committed may be meant; what was not, or made the test :data:`FAR`
    times slower, is a regression until a person says otherwise.
    """
    took: list[float] = []

    def ask(before: Before) -> Then:
        then = Then.OTHERWISE
        # a busy machine makes a fast product miss a tight bound: one run in time is enough to say that it was fast
        for _ in range(_TRIES):
            found = ctx.experiments.observe([failure.nodeid], ctx.overlay, Conditions(fresh=True, rev=before.rev)).get(failure.nodeid)
            then = compared(failure, found, values=False)
            if found is not None and then is Then.PASSES:
                took[:] = [found.seconds]
            if then is not Then.ALIKE:
                break
        return then

    change = blame(ctx, failure, ask)
    if change.before is None:
        return None
    path, line, commit = change.before.path, change.before.line, change.before.commit
    place = f"{path}:{line}"
    if not change.told:
        past = "with it as it was before, the test fails in another way: " if change.before.rev else ""
        text = f"{change.where}: {past}whether the product became slower cannot be told"
        return Slower(text, False, Evidence("git", text, place, 0.3), told=False)
    subject = next((text for known, text in ctx.git.commits(path) if known.startswith(commit)), "") if commit else ""
    told = f"changed in {commit[:7]}: {subject}" if commit else "an uncommitted change"
    text = f"{place} ({told}): with it as it was before, the test passes in {seconds(took[0])}"
    fact = Evidence("git", f"{text}, now in {seconds(now)}", place, 0.3)
    return Slower(text, not commit or now > FAR * max(took[0], 0.01), fact)


def group(failure: Failure, ctx: Context, lines: Sequence[int]) -> list[Failure]:
    """The failure, and others of the same file that go through the same lines."""
    others = [f for f in ctx.failures if f.nodeid != failure.nodeid and f.path == failure.path and f.location and f.location.line in lines]
    return [failure, *(f for f in others if f.healable)]
