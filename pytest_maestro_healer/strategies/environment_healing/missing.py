"""Environment variables that the test needs and that are not set here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.variables import Read
from pytest_maestro_healer.model import Applicability, Diagnosis, Edit, Evidence, Failure, FailurePattern, Proposal
from pytest_maestro_healer.strategies.base import Tactic
from pytest_maestro_healer.strategies.environment_healing import examples_variables as examples
from pytest_maestro_healer.strategies.environment_healing.hints import product_change
from pytest_maestro_healer.strategies.environment_healing.isolate import Trial, advice, isolated, propose
from pytest_maestro_healer.strategies.environment_healing.meant_unset import meant_unset
from pytest_maestro_healer.strategies.environment_healing.writer import Writer, quoted

_NAME = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b|\b[A-Z]{3,}\b")


class MissingVariable(Tactic):
    """A variable that product or test code reads."""

    name = "missing_variable"
    summary = "Sets an environment variable that the code under test reads, for the test only, to the value that the project documents"
    patterns = frozenset(
        {
            FailurePattern.ENVIRONMENT_ISSUE,
            FailurePattern.ASSERTION_FAILURE,
            FailurePattern.API_CHANGE,
            FailurePattern.UNKNOWN,
            FailurePattern.IMPORT_ERROR,
        }
    )
    applicability = Applicability.SAFE
    evidence = ("experiment", "docs", "symbol")
    sources = ("https://docs.pytest.org/en/stable/how-to/monkeypatch.html", "https://12factor.net/config")
    heals = examples.MISSING_HEALS
    declines = examples.MISSING_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """Documented values that make the unhealed test pass; without documentation a neutral value, for review."""
        unset = self._unset(failure, ctx)
        named = _named(failure, unset)
        for name in named:
            became = _newly_required(ctx, name)
            if became:
                yield advice(self.name, failure, f"{became} no longer has a default for {name}: a caller that does not set it breaks")
                return
        if failure.phase == "collect":
            yield from self._at_import(failure, ctx, named)
            return
        if not ctx.experiments.available:
            return
        documented = {n: values[0] for n in unset if (values := ctx.settings.values(n))}
        trial = Trial(failure, ctx)
        found = trial.minimal({n: s.value for n, s in documented.items()})
        if found:
            facts = [Evidence("docs", f"{documented[n].place}: {n}={v}", documented[n].where, documented[n].weight) for n, v in found.items()]
            yield from self._proposal(trial, found, unset, facts, safe=True)
            return
        if named and not any(n in documented for n in named):
            yield from self._guessed(failure, ctx, named, unset)

    def _unset(self, failure: Failure, ctx: Context) -> dict[str, Read]:
        """The variables that are read by what the test reaches and are not set."""
        paths = [failure.path, *(f.location.path for f in failure.frames if f.kind in ("test", "product"))]
        out: dict[str, Read] = {}
        for path in dict.fromkeys(p for p in paths if p.endswith(".py")):
            for read in ctx.variables.read_by(path):
                if read.name not in ctx.environ and not read.name.startswith("PYTEST_"):
                    known = out.setdefault(read.name, read)
                    if read.converter and not known.converter:
                        out[read.name] = read
        return out

    def _guessed(self, failure: Failure, ctx: Context, named: Sequence[str], unset: dict[str, Read]) -> Iterable[Proposal]:
        guesses = {n: _sibling(ctx, n) or _neutral(unset.get(n), n) for n in named}
        trial = Trial(failure, ctx)
        found = trial.minimal({n: v for n, (v, _) in guesses.items()})
        if found:
            facts = [guesses[n][1] for n in found]
            yield from self._proposal(trial, found, unset, facts, safe=all(e.kind == "sibling" for e in facts))

    def _proposal(
        self, trial: Trial, found: dict[str, str | None], unset: dict[str, Read], facts: list[Evidence], *, safe: bool
    ) -> Iterable[Proposal]:
        group, ctx = trial.group(found), trial.ctx
        names = ", ".join(found)
        where = next((unset[n].where for n in found if n in unset), "")
        doubt = next((d for n, v in found.items() if n in unset and (d := meant_unset(n, v or "", unset[n].path, trial.failure, ctx))), "")
        told = f"{names} is not set in this run" + (f"; it is read at {where}" if where else "") + (f"; but {doubt}" if doubt else "")
        proof = Evidence("experiment", f"the test passes as it stands when {names} is set, and fails without", where, 0.6)
        made = propose(
            self.name, group, ctx, lambda: isolated(group, ctx, found, why="What the code under test reads from its environment."),
            evidence=[proof, *facts], explanation=told, meaning=" ".join(f"{k}={v}" for k, v in found.items()), safe=safe and not doubt,
            score=0.85 if safe else 0.5, key=f"missing_variable:{names}",
            clean=trial.clean,
        )  # fmt: skip
        if made is not None:
            yield made

    def _at_import(self, failure: Failure, ctx: Context, named: Sequence[str]) -> Iterable[Proposal]:
        """A module of the product reads the variable when it is imported: it must be there before the import."""
        src = ctx.source(failure.path)
        frame = next((f for f in failure.frames if f.kind == "test" and f.location.path == failure.path), None)
        values = [(n, v[0]) for n in named if (v := ctx.settings.values(n))]
        if src is None or src.tree is None or frame is None or not values:
            return
        statement = next((n for n in src.tree.body if n.lineno <= frame.location.line <= (n.end_lineno or n.lineno)), None)
        if statement is None:
            return

        def change() -> tuple[tuple[Edit, ...], bool]:
            writer = Writer(src)
            environ = f"{writer.module('os')}.environ"
            writer.before(statement, [*(f"{environ}.setdefault({quoted(n)}, {quoted(s.value)})" for n, s in values), ""])
            return writer.edits(), True

        facts = [Evidence("docs", f"{s.place}: {n}={s.value}", s.where, s.weight) for n, s in values]
        made = propose(
            self.name, [failure], ctx, change, evidence=facts,
            explanation=f"{values[0][0]} is read when the module is imported, and is not set in this run",
            meaning=" ".join(f"{n}={s.value}" for n, s in values), safe=False, score=0.6,
        )  # fmt: skip
        if made is not None:
            yield made

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """At collection only where a variable was missed."""
        if failure.phase == "collect":
            return failure.is_a("KeyError", "RuntimeError", "ValueError", "TypeError", "Exception") and not failure.is_a(
                "ImportError", "SyntaxError", "NameError"
            )
        return super().answers(failure, diagnosis)


def _named(failure: Failure, unset: dict[str, Read]) -> list[str]:
    """The variables that the failure itself names: a key of the environment, or read by the code that raised."""
    out = []
    key = failure.exc_attrs.get("key")
    if failure.is_a("KeyError") and isinstance(key, str):
        try:
            name = ast.literal_eval(key)
        except (ValueError, SyntaxError):
            name = ""
        if name in unset or (
            isinstance(name, str) and name.isidentifier() and any("environ" in f.text or "_Environ" in f.function for f in failure.frames)
        ):
            out.append(name)
    said = set(_NAME.findall(failure.message[:2000]))
    out += [n for n in unset if n in said]
    last = next((f for f in reversed(failure.frames) if f.kind in ("product", "test")), None)
    if last is not None and not failure.is_a("AssertionError"):
        out += [r.name for r in unset.values() if r.path == last.location.path and abs(r.line - last.location.line) <= 3]
    return list(dict.fromkeys(out))


def _newly_required(ctx: Context, name: str) -> str:
    """Where the product lost its default for a variable lately, ``""`` where it did not."""
    change = product_change(ctx, name)
    if change is None:
        return ""
    where, removed, added = change
    before, after = (" ".join(line for line in lines if name in line) for lines in (removed, added))
    had = re.search(rf"(?:get|getenv)\(\s*[\"']{name}[\"']\s*,", before)
    has = re.search(rf"(?:get|getenv)\(\s*[\"']{name}[\"']\s*,", after)
    return where if had and not has else ""


def _sibling(ctx: Context, name: str) -> tuple[str, Evidence] | None:
    """The value that another test of the project sets."""
    pattern = re.compile(rf"(?:setenv\(|environ\[|setdefault\()\s*[\"']{re.escape(name)}[\"']\s*(?:,|\]\s*=)\s*[\"']([^\"'\n]+)[\"']")
    for src in ctx.test_files_with(name):
        m = pattern.search(src.text)
        if m:
            return m[1], Evidence("sibling", f"another test sets {name} to {m[1]!r}", f"{src.path}:{src.position(m.start())[0]}", 0.75)
    return None


def _neutral(read: Read | None, name: str) -> tuple[str, Evidence]:
    converter = read.converter if read else ""
    value = "1" if converter in ("int", "float", "bool", "Decimal") else "http://localhost" if name.endswith(("URL", "URI", "ENDPOINT")) else "test"
    return value, Evidence("symbol", f"nothing documents a value of {name}; any value will do for this test", read.where if read else "", 0.3)
