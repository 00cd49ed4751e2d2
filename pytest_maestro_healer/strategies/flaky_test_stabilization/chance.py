"""Tests that fail now and then by themselves: unseeded random numbers, the order of sets, rounding, and what nobody can tell."""

from __future__ import annotations

import ast
import datetime
import math
import re
from collections.abc import Iterable, Sequence

from pytest_maestro_healer.evidence.changes import changes_of
from pytest_maestro_healer.evidence.experiments import Conditions, Observation
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.statistics import lower, reruns_for, runs_needed, upper
from pytest_maestro_healer.model import Applicability, Comparison, Evidence, Operand, Proof, Proposal
from pytest_maestro_healer.strategies.flaky_test_stabilization import examples_chance
from pytest_maestro_healer.strategies.flaky_test_stabilization.draft import Draft
from pytest_maestro_healer.strategies.flaky_test_stabilization.ordering import STRATEGY_NAME, FlakyTactic, _edits, repro
from pytest_maestro_healer.strategies.flaky_test_stabilization.places import Function, Names, Place, place_of
from pytest_maestro_healer.strategies.flaky_test_stabilization.study import ALONE, Study

_SEEDS = range(5)
#: Seeds looked through for one that fails.
_FURTHER = 60
#: How a changelog says so.
_NO_ORDER = re.compile(
    r"(?i)\b(no|any|arbitrary|unspecified|undefined|not|without)\b[^.]*\border\b"
    r"|\border\b[^.]*\b(not|no longer|undefined|unspecified|arbitrary)\b|\bunordered\b"
)
_DRAWS = re.compile(r"^(random|numpy\.random|faker|hypothesis)\.(?!seed)")


def rate(s: Study) -> float:
    """The measured failure rate of the test alone."""
    runs = s.alone_runs()
    return s.failures_alone / len(runs) if runs else 0.0


def _varies(s: Study) -> bool:
    """Whether the test fails now and then alone.

    Where other tests were found to be the cause, and an edit for that, the runs that this took say it: one that fails at some rate p whatever
    runs before it passes five times alone and then fails three times after others in 0.5 % of the cases (p^3 (1-p)^5 is largest for p = 3/8).
    """
    if s.ordered and s.steady_alone:
        return False
    return not s.steady_alone or 0 < s.failures_alone < len(s.alone)


def statistics(s: Study) -> Evidence:
    """The failure rate with its bounds."""
    failed, runs = s.failures_alone, len(s.alone)
    bounds = f"between {lower(failed, runs, 0.025):.0%} and {upper(failed, runs, 0.025):.0%} (95 %, Clopper-Pearson)"
    return Evidence("reruns", f"alone it failed in {failed} of {runs} runs: {bounds}", repro([s.nodeid]), 0.6)


class UnseededRandom(FlakyTactic):
    """The outcome is a function of the seed."""

    name = "unseeded_random"
    late = True
    summary = "A test's outcome depends on unseeded random numbers that the product draws: the test seeds them"
    applicability = Applicability.SAFE
    evidence = ("reruns", "experiment")
    sources = (
        "random.seed, numpy.random.seed",
        "Dutta et al.: Detecting flaky tests in probabilistic and machine learning applications (ISSTA 2020)",
    )
    heals = examples_chance.RANDOM
    declines = examples_chance.RANDOM_DECLINES

    def studied(self, s: Study) -> Iterable[Proposal]:
        """See :class:`FlakyTactic`."""
        place = place_of(s.nodeid, s.ctx)
        if place is None or not _varies(s):
            return
        if _is_noise(s):
            return  # the cause is rounding
        outcomes = self._by_seed(s)
        if outcomes is None or (len(set(outcomes)) == 1 and not outcomes[0]):
            return
        bad = [k for k, ok in enumerate(outcomes) if not ok]
        drawn = random_input(s, place)
        if drawn:
            if bad:
                yield self._advice(s, bad[0], drawn)
            return
        failing = bad or self._failing(s)
        good = next((k for k, ok in enumerate(outcomes) if ok), None)
        s.blamed = self._wrong(s, failing, good) if failing else ""
        if s.blamed:
            yield self._advice(s, failing[0], "", s.blamed)
            return
        measured = rate(s)
        needed = runs_needed(max(measured, 0.02), most=200)
        for line, module in (("random.seed({})", "random"), ("numpy.random.seed({})", "numpy")):
            if module == "numpy" and s.ctx.live.module("numpy") is None:
                continue
            for k in (k for k, ok in enumerate(outcomes) if ok):
                draft = Draft(place)
                draft.first(line.format(k))
                draft.need(f"import {module}")
                data = draft.data()
                if data is None or not all(s.good((), {place.src.path: data}) for _ in range(min(needed, 8))):
                    continue
                yield Proposal(
                    STRATEGY_NAME,
                    self.name,
                    _edits(s, {place.src.path: data}),
                    (statistics(s), Evidence("experiment", f"with a seed it always ends alike: {_told(outcomes)}", "", 0.6)),
                    # without history nobody knows whether the product was always meant to draw
                    Applicability.SAFE if measured < 0.5 and s.ctx.git.available and failing else Applicability.REVIEW,
                    f"{place.name} failed in {s.failures_alone} of {len(s.alone)} runs alone, depending on random numbers: now it seeds them",
                    nodeids=(s.nodeid,),
                    meaning="the random numbers are to be the same in every run",
                    cause_key=f"random:{place.src.path}:{place.name}",
                    score=0.8,
                    proof=Proof(repeats=max(needed, 3), rate=measured),
                )
                return

    def _by_seed(self, s: Study) -> list[bool] | None:
        """Whether the test passes, by seed; ``None`` where a seed does not settle it."""
        out = []
        for k in _SEEDS:
            runs = s.ctx.experiments.repeat(s.nodeid, 3, s.ctx.overlay, Conditions(clean=True, seed=k))
            if len(runs) < 3 or len({o.passed for o in runs}) != 1:
                return None
            out.append(runs[0].passed)
        return out

    def _failing(self, s: Study) -> list[int]:
        """A further seed for which the test fails: without one nobody can ask the product of before."""
        for k in range(_SEEDS.stop, _FURTHER):
            seen = s.ctx.experiments.repeat(s.nodeid, 1, s.ctx.overlay, Conditions(clean=True, seed=k))
            if seen and not seen[0].passed:
                return [k]
        return []

    def _wrong(self, s: Study, bad: Sequence[int], good: int | None) -> str:
        """Why it is the product that is wrong for some random numbers, ``""`` where nothing says so; ``good`` is a seed with which it passes."""
        passing = Conditions(clean=True, seed=good) if good is not None else None
        lost = s.product_change([Conditions(clean=True, seed=k) for k in bad[:2]], passing)
        if lost:
            return f"as it was before {lost} the product does not fail for any of them"
        failures = [s.failure, *(o.failure for o in s.alone_runs() if o.failure is not None)]
        for f in failures:
            if f.frames and f.frames[-1].kind == "product":
                return f"the product raises {f.exc_type.rpartition('.')[2]} for some random numbers"
            c = f.comparison
            if c is not None and any(o.value.type == "NoneType" for o in c.operands[:2]) != any(o.source == "None" for o in c.operands[:2]):
                return "the product gives nothing (None) for some random numbers"
            if f.is_a("TypeError", "AttributeError") and "'NoneType'" in f.message:
                return "the product gives nothing (None) for some random numbers"
        return ""

    def _advice(self, s: Study, seed: int, drawn: str, wrong: str = "") -> Proposal:
        how = f"makes its own random input ({drawn}) and the product fails for some of it" if drawn else f"fails now and then, and {wrong}"
        text = f"{s.nodeid} {how}: random.seed({seed}) at the start of the test reproduces that. Seeding the test would hide it"
        evidence = (statistics(s), Evidence("experiment", f"fails with random.seed({seed})", "", 0.7))
        return Proposal(
            STRATEGY_NAME,
            self.name,
            (),
            evidence,
            Applicability.ADVICE,
            "random input finds something in the product",
            nodeids=(s.nodeid,),
            advice=text,
        )


def _is_noise(s: Study) -> bool:
    spread = _spread([s.failure.comparison])
    return spread is not None and 0 < spread <= 1e-9


def _told(outcomes: Sequence[bool]) -> str:
    return ", ".join(f"{k} {'passes' if ok else 'fails'}" for k, ok in enumerate(outcomes))


def random_input(s: Study, place: Place) -> str:
    """How the test makes random input for the product; ``""`` where it does not."""
    return _draws_itself(place, s) if _asks_product(s) else ""


def _draws_itself(place: Place, s: Study) -> str:
    """A call in the test, or in a fixture of its file that it uses, that draws a random number; ``""`` where there is none."""
    names = Names(place.src, s.ctx)
    asked = {a.arg for a in place.function.args.args}
    fixtures = [n for n in place.tree.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) and n.name in asked]
    functions: list[Function] = [place.function, *fixtures]
    for node in (n for f in functions for n in ast.walk(f) if isinstance(n, ast.Call)):
        if _DRAWS.match(names.dotted(node.func)):
            return ast.unparse(node)[:80]
    return ""


def _asks_product(s: Study) -> bool:
    """Whether product code has a part in the failure: it raised it, or the test calls into the project."""
    if any(f.kind == "product" for f in s.failure.frames):
        return True
    place = place_of(s.nodeid, s.ctx)
    if place is None:
        return True
    names = Names(place.src, s.ctx)
    product = {p.removesuffix(".py").removesuffix("/__init__").replace("/", ".").removeprefix("src.") for p in s.ctx.files.product_files}
    called = {names.dotted(n.func) for n in ast.walk(place.function) if isinstance(n, ast.Call)}
    return any(c.rpartition(".")[0] in product or c.rpartition(".")[0].rpartition(".")[0] in product for c in called if c)


class HashOrder(FlakyTactic):
    """What a set gives, in the order in which this process hashes strings."""

    name = "hash_order"
    late = True
    summary = "A test compares what comes out of a set in an order that changes from process to process: it compares without order"
    applicability = Applicability.REVIEW
    evidence = ("experiment", "value")
    sources = ("Python documentation: PYTHONHASHSEED; object.__hash__",)
    heals = examples_chance.HASH
    declines = examples_chance.HASH_DECLINES

    def studied(self, s: Study) -> Iterable[Proposal]:
        """See :class:`FlakyTactic`."""
        comparison = s.failure.comparison
        place = place_of(s.nodeid, s.ctx)
        if comparison is None or place is None or not permuted(comparison) or comparison.operator != "==":
            return
        outcomes: dict[str, bool] = {}
        compared: dict[str, tuple[str, ...]] = {}
        for seed in ("0", "1", "2", "3", "4"):
            found = s.under(Conditions(env={"PYTHONHASHSEED": seed}, fresh=True))
            if found is not None:
                outcomes[seed], compared[seed] = found.passed, _compared(found)
            if len(set(compared.values())) > 1:
                break
        failing = [k for k, ok in outcomes.items() if not ok]
        if not failing or len(set(compared.values())) == 1:
            return
        again = s.under(Conditions(env={"PYTHONHASHSEED": failing[0]}, fresh=True))
        if again is None or again.passed or _compared(again) != compared[failing[0]]:
            return
        good = next((Conditions(env={"PYTHONHASHSEED": k}) for k, ok in outcomes.items() if ok), None)
        lost = s.product_change([Conditions(env={"PYTHONHASHSEED": k}) for k in failing[:2]], good)
        said = announced(s, place) if lost else ""
        if lost and not said:
            yield order_given_up(s, self.name, lost)
            return
        data = sorted_sides(place, comparison)
        if data is None:
            return
        told = ", ".join(f"{k} {'passes' if ok else 'fails'}" for k, ok in outcomes.items())
        environments = tuple({"PYTHONHASHSEED": k} for k in dict.fromkeys((*failing, *outcomes, "5", "6")))
        yield Proposal(
            STRATEGY_NAME,
            self.name,
            _edits(s, {place.src.path: data}),
            (
                Evidence("experiment", f"what is compared depends on PYTHONHASHSEED and on nothing else: {told}", repro([s.nodeid]), 0.7),
                Evidence("value", "both sides hold the same items in another order", str(comparison.location or ""), 0.5),
                *((Evidence("docs", f"the project says that the order is gone ({lost})", said, 0.7),) if said else ()),
            ),
            self.applicability,
            f"{place.name} compares the order in which a set gives its items; now without order",
            nodeids=(s.nodeid,),
            meaning="the order of the items is of no meaning",
            score=0.8,
            proof=Proof(repeats=3, environments=environments[:3]),
        )


def announced(s: Study, place: Place) -> str:
    """Where the project's notes or its newest commits say that something the test calls gives no order any more; ``""`` if nowhere."""
    known = changes_of(s.ctx.git, s.ctx.files, s.ctx.symbols)
    called = {last_name(n.func) for n in ast.walk(place.function) if isinstance(n, ast.Call)}
    return next((where for name in sorted(called - {""}) if (where := known.said(name, _NO_ORDER))), "")


def _compared(seen: Observation) -> tuple[str, ...]:
    """What was compared, as far as the failure shows it."""
    comparison = seen.failure.comparison if seen.failure is not None else None
    return tuple(o.value.repr for o in comparison.operands) if comparison is not None else (seen.outcome,)


def order_given_up(s: Study, tactic: str, where: str) -> Proposal:
    """Advice: what the test compares had an order, and a change of the product lost it."""
    text = f"the order was lost by a change of the product: {where}; as it was before, {s.nodeid} passes whatever the order underneath"
    fact = Evidence("git", f"with {where.partition(' ')[0]} as it was before the test passes each time", where, 0.8)
    return Proposal(STRATEGY_NAME, tactic, (), (fact,), Applicability.ADVICE, "the product gave an order up", nodeids=(s.nodeid,), advice=text)


def rounding_given_up(s: Study, tactic: str, where: str) -> Proposal:
    """Advice: a change of the product made its floats vary."""
    text = f"the last digits vary since a change of the product: {where}; as it was before, {s.nodeid} passes each time"
    fact = Evidence("git", f"with {where.partition(' ')[0]} as it was before the test passes each time", where, 0.8)
    told = "the product's floats began to vary"
    return Proposal(STRATEGY_NAME, tactic, (), (statistics(s), fact), Applicability.ADVICE, told, nodeids=(s.nodeid,), advice=text)


def permuted(comparison: Comparison) -> bool:
    """Whether the two sides are sequences of the same items in another order."""
    sides = [o.value for o in comparison.operands[:2]]
    if len(sides) != 2 or any(v.kind not in ("list", "tuple") or v.truncated for v in sides):
        return False
    a, b = ([i.repr for i in v.items] for v in sides)
    return a != b and sorted(a) == sorted(b)


def sorted_sides(place: Place, comparison: Comparison) -> bytes | None:
    """Both operands of the failing assert wrapped in ``sorted``."""
    node = _compare_at(place, comparison)
    types = {i.type for o in comparison.operands[:2] for i in o.value.items}
    if node is None or len(types) != 1 or types & {"dict", "object", "NoneType", "complex"}:
        return None
    draft = Draft(place)
    for side in (node.left, node.comparators[0]):
        text = place.src.segment(side)
        if isinstance(side, ast.Call) and isinstance(side.func, ast.Name) and side.func.id in ("list", "tuple") and len(side.args) == 1:
            text = place.src.segment(side.args[0])
        draft.replace(side, f"sorted({text})")
    return draft.data()


def _compare_at(place: Place, comparison: Comparison) -> ast.Compare | None:
    at = comparison.location
    asserts = [n for n in ast.walk(place.function) if isinstance(n, ast.Assert)]
    asserts = [n for n in asserts if at is None or n.lineno <= at.line <= (n.end_lineno or n.lineno)]
    tests = [n.test for n in asserts if isinstance(n.test, ast.Compare) and len(n.test.ops) == 1]
    return tests[0] if len(tests) == 1 else None


class FloatNoise(FlakyTactic):
    """Equality of floats whose last digits differ from run to run."""

    name = "float_noise"
    late = True
    summary = "A test compares floats for equality whose last digits vary from run to run: it allows for the measured spread"
    applicability = Applicability.SAFE
    evidence = ("reruns", "value")
    sources = ("pytest.approx",)
    heals = examples_chance.FLOAT
    declines = examples_chance.FLOAT_DECLINES

    def studied(self, s: Study) -> Iterable[Proposal]:
        """See :class:`FlakyTactic`."""
        comparison = s.failure.comparison
        place = place_of(s.nodeid, s.ctx)
        if comparison is None or place is None or comparison.operator != "==" or comparison.style != "assert" or not _varies(s):
            return
        node = _compare_at(place, comparison)
        spread = _spread([s.failure.comparison, *(o.failure.comparison for o in s.alone_runs() if o.failure is not None)])
        if node is None or spread is None or not 0 < spread <= 1e-9:
            return
        side = node.comparators[0]
        rel = 10.0 ** (math.ceil(math.log10(spread)) + 1)
        draft = Draft(place)
        draft.replace(side, f"pytest.approx({place.src.segment(side)}, rel={rel:.0e})".replace("e-0", "e-"))
        draft.need("import pytest")
        data = draft.data()
        if data is None:
            return
        measured = rate(s)
        # as often as makes it unlikely that a test that still varies passes each time
        s.blamed = s.product_change([Conditions(clean=True)] * min(runs_needed(max(measured, 0.1)), ALONE))
        if s.blamed:
            yield rounding_given_up(s, self.name, s.blamed)
            return
        yield Proposal(
            STRATEGY_NAME,
            self.name,
            _edits(s, {place.src.path: data}),
            (statistics(s), Evidence("value", f"the sides differ by {spread:.1e} of the value at most", str(comparison.location or ""), 0.6)),
            self.applicability,
            f"{place.name} compares floats that vary in their last digits; now within {rel:.0e} of the value",
            nodeids=(s.nodeid,),
            meaning="the difference is rounding",
            score=0.85,
            proof=Proof(repeats=max(3, runs_needed(max(measured, 0.02), most=200)), rate=measured),
        )


def _spread(comparisons: Iterable[Comparison | None]) -> float | None:
    """The largest relative difference of two floats in all failed comparisons; ``None`` where others were compared."""
    widest = 0.0
    for c in comparisons:
        values = [v for v in (_number(o) for o in c.operands[:2]) if v is not None] if c is not None else []
        if len(values) != 2:
            return None
        a, b = values
        widest = max(widest, abs(a - b) / max(abs(a), abs(b), 1e-300))
    return widest


def _number(operand: Operand) -> float | None:
    try:
        return float(operand.value.repr) if operand.value.type in ("float", "int", "numpy.float64") else None
    except ValueError:
        return None


class Quarantine(FlakyTactic):
    """The last resort: the test is run again where it fails, marked with the reason and the date; it is not healed."""

    name = "quarantine"
    late = True
    summary = "No cause was found: the test is marked to be rerun, with the measured failure rate and the date; it is quarantined, not healed"
    applicability = Applicability.REVIEW
    evidence = ("reruns",)
    sources = (
        "pytest-rerunfailures: re-run individual failures",
        "Google Testing Blog: Flaky Tests at Google and How We Mitigate Them (2016)",
    )
    heals = examples_chance.QUARANTINE
    declines = examples_chance.QUARANTINE_DECLINES

    def studied(self, s: Study) -> Iterable[Proposal]:
        """See :class:`FlakyTactic`."""
        place = place_of(s.nodeid, s.ctx)
        if place is None or s.polluters() or not _varies(s) or any("flaky" in ast.unparse(d) for d in place.function.decorator_list):
            return
        measured = rate(s)
        if not 0 < measured <= 0.5 or s.blamed or random_input(s, place):
            return
        reruns = reruns_for(measured)
        if s.ctx.live.module("pytest_rerunfailures") is None:
            text = f"{s.nodeid} fails in {measured:.0%} of its runs alone and no cause was found; pytest-rerunfailures would rerun it {reruns} times"
            yield Proposal(STRATEGY_NAME, self.name, (), (statistics(s),), Applicability.ADVICE, "flaky, no cause found", (s.nodeid,), advice=text)
            return
        draft = Draft(place)
        reason = f"failed in {s.failures_alone} of {len(s.alone)} runs alone, no cause found, {datetime.date.today().isoformat()}"
        draft.decorate(f'@pytest.mark.flaky(reruns={reruns}, reason="{reason}")')
        draft.need("import pytest")
        data = draft.data()
        if data is None:
            return
        yield Proposal(
            STRATEGY_NAME,
            self.name,
            _edits(s, {place.src.path: data}),
            (statistics(s),),
            self.applicability,
            f"{place.name} is quarantined, not healed: it fails in {measured:.0%} of its runs and no cause was found; {reruns} reruns hide that",
            nodeids=(s.nodeid,),
            meaning="the failures are not worth a red run",
            score=0.1,
            proof=Proof(repeats=3, rate=measured, fresh=True, fails_before=False),
        )
