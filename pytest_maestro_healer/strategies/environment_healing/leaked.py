"""Variables of the run's own environment that leak into the code under test."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.variables import LOCALE
from pytest_maestro_healer.model import Applicability, Evidence, Failure, FailurePattern, Proposal
from pytest_maestro_healer.strategies.base import Tactic
from pytest_maestro_healer.strategies.environment_healing import examples_variables as examples
from pytest_maestro_healer.strategies.environment_healing.hints import product_change
from pytest_maestro_healer.strategies.environment_healing.isolate import Trial, advice, isolated, propose

#: Needed to run at all, or another tactic's matter.
_KEPT = frozenset({"PATH", "HOME", "TZ", "COLUMNS", "LINES", "TMPDIR", "TEMP", "TMP", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PWD", *LOCALE})
#: A name that stands for nothing but a variable.
_NAME = re.compile(r"[A-Z][A-Z0-9]*_[A-Z0-9_]+|[A-Z][A-Z0-9]{4,}")
#: Set by pytest around each test, so that no experiment from outside can take them away.
_PYTEST = ("PYTEST_CURRENT_TEST",)
BROKEN = frozenset(
    {
        FailurePattern.ENVIRONMENT_ISSUE,
        FailurePattern.ASSERTION_FAILURE,
        FailurePattern.API_CHANGE,
        FailurePattern.TIMEOUT,
        FailurePattern.UNKNOWN,
    }
)


class LeakedVariable(Tactic):
    """A variable that is set here and not where the test was written."""

    name = "leaked_variable"
    summary = "Removes, for the test only, a variable of the surrounding shell, CI or pytest that changes what the product does"
    patterns = BROKEN
    applicability = Applicability.REVIEW
    evidence = ("experiment", "symbol")
    sources = ("https://docs.pytest.org/en/stable/example/simple.html#pytest-current-test-environment-variable",)
    heals = examples.LEAKED_HEALS
    declines = examples.LEAKED_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The smallest set of variables without which the unhealed test passes."""
        if failure.phase == "collect" or not ctx.experiments.available:
            return
        read = {r.name: r.where for r in reversed(ctx.variables.read_by(failure.path)) if not ctx.is_test_code(r.path)}
        yield from self._pytests_own(failure, ctx, read)
        for name, place in ctx.variables.named(failure.path, [n for n in ctx.environ if _NAME.fullmatch(n)]).items():
            if name not in read and not ctx.is_test_code(place.rpartition(":")[0]):
                read[name] = place
        implied = {n: p for n, p in ctx.variables.implied(failure.path).items() if n in ctx.environ and n not in read}
        candidates = [n for n in (*read, *implied) if n in ctx.environ and n not in _KEPT and not n.startswith("PYTEST_")]
        # openers, consoles and the like are made once: what counts is how a new process behaves
        trial = Trial(failure, ctx, clean=any(n in implied for n in candidates))
        found = trial.minimal(dict.fromkeys(candidates))
        if not found:
            return
        names = ", ".join(found)
        where = {n: read.get(n) or implied.get(n, "") for n in found}
        for name in found:
            became = _began_to_read(ctx, name) if name in read else ""
            if became:
                yield advice(
                    self.name, failure, f"{became} began to read {name}, which is set to {ctx.environ[name]!r} here, and the test fails by it"
                )
                return
        group = trial.group(found)
        facts = [Evidence("experiment", f"the test passes as it stands without {names}, and fails with it", next(iter(where.values())), 0.8)]
        facts += [Evidence("symbol", f"{n} is read by what the test runs", w, 0.4) for n, w in where.items() if w]
        made = propose(
            self.name, group, ctx, lambda: isolated(group, ctx, found, why="Nothing of the surrounding shell reaches the code under test."),
            evidence=facts, explanation=f"{names} is set in this run, and changes what the product does",
            meaning=f"the test expects {names} to be unset", safe=False, score=0.8, clean=trial.clean,
        )  # fmt: skip
        if made is not None:
            yield made

    def _pytests_own(self, failure: Failure, ctx: Context, read: dict[str, str]) -> Iterable[Proposal]:
        for name in (n for n in _PYTEST if n in read):
            facts = [Evidence("symbol", f"the product reads {name}, which only pytest sets", read[name], 0.7)]
            group = [f for f in ctx.failures if f.path == failure.path and f.phase == failure.phase and f.exc_type == failure.exc_type]
            made = propose(
                self.name, group, ctx, lambda n=name, g=group: isolated(g, ctx, {n: None}, why="The product runs as it does for its users."),  # type: ignore[misc]
                evidence=facts, explanation=f"the product behaves differently where {name} is set",
                meaning=f"the test expects {name} to be unset", safe=False, score=0.6,
            )  # fmt: skip
            if made is not None:
                yield made


def _began_to_read(ctx: Context, name: str) -> str:
    change = product_change(ctx, name)
    if change is None:
        return ""
    where, removed, _ = change
    return where if not any(name in line for line in removed) else ""
