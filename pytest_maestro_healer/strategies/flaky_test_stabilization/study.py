"""What experiments say about one flaky test: how often it fails alone, after which tests, and what those leave changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.experiments import Conditions, Experiments, Observation
from pytest_maestro_healer.evidence.nodeids import file_of
from pytest_maestro_healer.evidence.past.former import Before, Then, blame, compared
from pytest_maestro_healer.evidence.state import Change
from pytest_maestro_healer.model import Failure, Proposal, World

ORDERED = Conditions(ordered=True, clean=True)
#: So often a test has to fail again after its polluters.
_CONFIRMED = 2
#: Runs of the test alone: enough to see a failure rate of 10 % with a probability of 95 %.
ALONE = 30
_PROBED = 15
#: So many tests that fail in an order anyway are tried alone, unhealed and healed.
_EXCUSED = 8
#: Of the tests before it, so many are traced.
_TRACED = 8
_GOOD = ("passed", "skipped", "xfailed")


@dataclass
class Study:
    """One failed test under experiment; every result is kept, so that all tactics share it."""

    failure: Failure
    ctx: Context
    alone: list[Observation] = field(default_factory=list)
    #: By tactic, what came of it.
    proposals: dict[str, list[Proposal]] = field(default_factory=dict)
    #: By tactic, what it offers: asked again, it says the same.
    asked: dict[str, list[Proposal]] = field(default_factory=dict)
    _polluters: tuple[str, ...] | None = None
    _setters: tuple[str, ...] | None = None
    _changes: dict[str, tuple[Change, ...]] = field(default_factory=dict)
    _orders: dict[tuple[str, ...], str] = field(default_factory=dict)
    _baseline: dict[tuple[str, ...], frozenset[str]] = field(default_factory=dict)
    #: Why the product is at fault, where a tactic has found that out: then nobody is to live with it.
    blamed: str = ""
    #: The change of the product of which it cannot be told whether it is at fault: then nothing is written unasked.
    untold: str = ""

    @property
    def nodeid(self) -> str:
        """The flaky test."""
        return self.failure.nodeid

    def run(self, order: Sequence[str], overlay: Mapping[str, bytes] | None = None) -> Mapping[str, Observation]:
        """One ordered run from a clean state."""
        return self.ctx.experiments.observe(order, {**self.ctx.overlay, **(overlay or {})}, ORDERED)

    def passes(self, order: Sequence[str], overlay: Mapping[str, bytes] | None = None) -> bool | None:
        """Whether the test passes at the end of ``order``; ``None`` where the run could not be made."""
        found = self.run([*order, self.nodeid], overlay).get(self.nodeid)
        return None if found is None or found.outcome == "missing" else found.passed

    def good(self, order: Sequence[str], overlay: Mapping[str, bytes]) -> bool:
        """Whether, healed, the test passes at the end of ``order`` and none of the others fails that passes there unhealed.

        One that passes there only because what is healed made others fail does not count: it fails, unhealed, where the healed files are not run.
        One of a healed file that fails there in any case must not fail alone for the heal: what dies early pollutes nobody.
        """
        found = self.run([*order, self.nodeid], overlay)
        if self.nodeid not in found or not found[self.nodeid].passed:
            return False
        bad = {n for n in order if n in found and found[n].outcome not in _GOOD}
        excused = sorted(n for n in bad & self.failing(order) if file_of(n) in overlay) if bad else []
        bad -= self.failing(order) if bad else set()
        if any(self._broken(n, overlay) for n in excused[:_EXCUSED]):
            return False
        return not bad or bad <= self.failing([n for n in order if file_of(n) not in overlay])

    def _broken(self, nodeid: str, overlay: Mapping[str, bytes]) -> bool:
        """Whether another test, which passes alone as it is, fails alone with the heal."""
        alone = (self.ctx.experiments.observe([nodeid], {**self.ctx.overlay, **more}, ORDERED).get(nodeid) for more in ({}, overlay))
        before, after = (o is not None and o.outcome in _GOOD for o in alone)
        return before and not after

    def failing(self, order: Sequence[str]) -> frozenset[str]:
        """What fails in ``order`` as it is."""
        key = tuple(order)
        if key not in self._baseline:
            self._baseline[key] = frozenset(n for n, o in self.run([*order, self.nodeid]).items() if o.outcome not in _GOOD)
        return self._baseline[key]

    # -- alone -----------------------------------------------------------------------------------------------
    def alone_runs(self, times: int = ALONE) -> list[Observation]:
        """The test by itself from a clean state, ``times`` times."""
        while len(self.alone) < times and self.ctx.experiments.available:
            found = self.ctx.experiments.repeat(self.nodeid, 1, self.ctx.overlay, Conditions(clean=True))
            if not found:
                break
            self.alone += found
            if len(self.alone) == 3 and all(o.seconds > 5 for o in self.alone):
                break
        return self.alone

    @property
    def failures_alone(self) -> int:
        """How often it failed alone."""
        return sum(1 for o in self.alone_runs() if not o.passed)

    @property
    def steady_alone(self) -> bool:
        """Whether all runs alone ended alike (a first look of five; more only where those differ)."""
        first = self.alone_runs(5)
        return bool(first) and len({o.outcome for o in first}) == 1

    @property
    def ordered(self) -> bool:
        """Whether a tactic has found tests after which it fails each time, and an edit for that."""
        return bool(self._polluters) and any(p.edits and p.proof and p.proof.order for ps in self.proposals.values() for p in ps)

    @property
    def varies(self) -> bool:
        """Whether it passes now and fails then, alone, for no reason that the order gives; as far as it was run."""
        return len({o.passed for o in self.alone}) > 1

    # -- elsewhere -------------------------------------------------------------------------------------------
    def under(self, conditions: Conditions, overlay: Mapping[str, bytes] | None = None) -> Observation | None:
        """The test alone, under stated conditions; ``None`` where that could not be run."""
        return self.ctx.experiments.observe([self.nodeid], {**self.ctx.overlay, **(overlay or {})}, conditions).get(self.nodeid)

    def within(self, worlds: Sequence[World], overlay: Mapping[str, bytes] | None = None) -> bool:
        """Whether the test passes in each of ``worlds``."""
        return all((o := self.under(Conditions(world=w), overlay)) is not None and o.passed for w in worlds)

    def product_change(self, conditions: Sequence[Conditions], passing: Conditions | None = None) -> str:
        """The change of the product without which the unhealed test passes under all ``conditions``, as ``path:line (...)``; else ``""``.

        Looked for in the states that :func:`~pytest_maestro_healer.evidence.past.former.states` gives. ``passing`` are conditions under which it
        passes now: where it fails under them too, it did not fail by chance then, and so not alike.
        """

        def then(before: Before, given: Conditions) -> Then:
            return compared(self.failure, self.under(replace(given, fresh=True, clean=False, rev=before.rev)))

        def ask(before: Before) -> Then:
            found = next((t for c in conditions if (t := then(before, c)) is not Then.PASSES), Then.PASSES)
            if found is Then.ALIKE and passing is not None and then(before, passing) is not Then.PASSES:
                return Then.OTHERWISE
            return found

        return self._change(ask)

    def order_change(self, order: Sequence[str]) -> str:
        """The change of the product without which the unhealed test passes at the end of ``order``, and ``order`` passes too; else ``""``."""

        key = tuple(order)
        if key not in self._orders:
            self._orders[key] = self._order_change(order)
        return self._orders[key]

    def _order_change(self, order: Sequence[str]) -> str:
        def ask(before: Before) -> Then:
            found = self.ctx.experiments.observe([*order, self.nodeid], self.ctx.overlay, Conditions(ordered=True, fresh=True, rev=before.rev))
            if not all(n in found and found[n].outcome in _GOOD for n in order):
                return Then.OTHERWISE  # a test of what was not there: nobody knows what it would have left behind
            return compared(self.failure, found.get(self.nodeid))

        return self._change(ask, order)

    def _change(self, ask: Callable[[Before], Then], also: Sequence[str] = ()) -> str:
        found = blame(self.ctx, self.failure, ask, also[:_TRACED])
        if not found.told:
            self.untold = self.untold or found.where
        return found.where if found.told else ""

    # -- other tests -----------------------------------------------------------------------------------------
    def polluters(self, overlay: Mapping[str, bytes] | None = None) -> tuple[str, ...]:
        """A smallest set of the tests that ran before, after which it fails; empty where the run's order does not make it fail.

        A test that does not pass each time alone has no polluter: whoever is looked for then is found by chance.
        """
        if overlay is None and self._polluters is not None:
            return self._polluters
        if not self.steady_alone or not self.alone[0].passed:
            return ()
        before = list(self.ctx.before(self.nodeid))
        found: tuple[str, ...] = ()
        # what tests share is most often in their own file: if those are enough, the others, which may take long, need not run
        near = [n for n in before if file_of(n) == file_of(self.nodeid)]
        whole = next((o for o in (near, before) if o and self.passes(o, overlay) is False), None)
        if whole is not None:
            found = smallest(whole, lambda order: self.passes(order, overlay) is False)
            if any(self.passes(found, overlay) is not False for _ in range(_CONFIRMED)):
                found = ()  # it failed there by chance, and passed alone by chance
        if overlay is None:
            self._polluters = found
        return found

    def setters(self) -> tuple[str, ...]:
        """A smallest set of the tests of its file after which it passes, where alone it fails."""
        if self._setters is None:
            self._setters = ()
            whole = self.file_order()
            order = list(whole)
            before = order[: order.index(self.nodeid)] if self.nodeid in order else []
            if before and whole[self.nodeid].passed and self.passes(before):
                self._setters = smallest(before, lambda o: self.passes(o) is True)
        return self._setters

    def file_order(self, overlay: Mapping[str, bytes] | None = None) -> Mapping[str, Observation]:
        """All tests of its file in their order."""
        return self.ctx.experiments.observe([self.failure.path], {**self.ctx.overlay, **(overlay or {})}, Conditions(clean=True))

    def changes(self, nodeids: Sequence[str]) -> tuple[Change, ...]:
        """What the last of ``nodeids`` leaves changed; the project's own state first."""
        key = "\n".join(nodeids)
        if key not in self._changes:
            conditions = Conditions(ordered=True, clean=True, probe=True)
            # the test itself runs too: what it cleans up is not left over for the next experiment
            found = self.ctx.experiments.observe([*nodeids, self.nodeid], self.ctx.overlay, conditions).get(nodeids[-1])
            self._changes[key] = tuple(sorted(found.changed, key=_order)[:_PROBED]) if found is not None else ()
        return self._changes[key]


def _order(change: Change) -> tuple[bool, bool, bool, bool, bool, int]:
    """What is likely to matter first: the project's own state, and in it what was bound anew before what may have changed far inside."""
    return (
        change.kind == "file",
        change.kind != "module",
        change.foreign,
        change.nested and not change.rebound,
        change.before is None,
        change.path.count("."),
    )


def smallest(items: Sequence[str], bad: Callable[[Sequence[str]], bool]) -> tuple[str, ...]:
    """A subset of ``items`` (order kept) that still is ``bad``, from which no single half or item can be left out.

    Delta debugging (Zeller and Hildebrandt, 2002), which for a single culprit is a bisection.
    """
    items = list(items)
    parts = 2
    while len(items) >= 2:
        size = max(1, len(items) // parts)
        chunks = [items[i : i + size] for i in range(0, len(items), size)]
        for i in reversed(range(len(chunks))):
            rest = [x for j, c in enumerate(chunks) if j != i for x in c]
            if len(chunks) > 1 and bad(chunks[i]):
                items, parts = list(chunks[i]), 2
                break
            if parts > 2 and rest and bad(rest):
                items, parts = rest, max(2, parts - 1)
                break
        else:
            if size == 1:
                break
            parts = min(len(items), parts * 2)
    return tuple(items)


_STUDIES: WeakKeyDictionary[Experiments, dict[tuple[object, ...], Study]] = WeakKeyDictionary()


def study(failure: Failure, ctx: Context) -> Study:
    """The study of a failed test, one per healing phase and state of its files."""
    return _STUDIES.setdefault(ctx.experiments, {}).setdefault(_key(failure.nodeid, ctx), Study(failure, ctx))


def studied_before(nodeid: str, ctx: Context) -> Study | None:
    """The study of a test, where it was studied in this state of the files."""
    return _STUDIES.get(ctx.experiments, {}).get(_key(nodeid, ctx))


def _key(nodeid: str, ctx: Context) -> tuple[object, ...]:
    return nodeid, tuple(sorted((p, hash(d)) for p, d in ctx.overlay.items()))
