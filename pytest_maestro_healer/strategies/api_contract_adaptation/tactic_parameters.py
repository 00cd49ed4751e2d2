"""Parameters that were renamed, added, removed, reordered or made keyword-only."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import replace

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Follows, Proposal
from pytest_maestro_healer.strategies.api_contract_adaptation import examples_parameters as examples
from pytest_maestro_healer.strategies.api_contract_adaptation import library_parameters as library
from pytest_maestro_healer.strategies.api_contract_adaptation.calls import Edits, rewrite
from pytest_maestro_healer.strategies.api_contract_adaptation.cause import Misfit, changes, misfit, raised_in_test, same_failures, test_function
from pytest_maestro_healer.strategies.api_contract_adaptation.parameters import (
    Callee,
    Contract,
    adapted,
    contract,
    edits_for,
    failing_calls,
    product_callee,
)
from pytest_maestro_healer.strategies.api_contract_adaptation.renames import STRATEGY
from pytest_maestro_healer.strategies.api_contract_adaptation.resolve import resolver
from pytest_maestro_healer.strategies.base import Tactic

#: What is said of parameters whose order is meant to be another.
_ORDER = re.compile(r"(?i)\b(re-?)?order|\bswap|\bargument|\bparam|\bsignature|\bposition|\bfirst\b|\bkeyword")


class ChangedParameters(Tactic):
    name = "changed_parameters"
    summary = "Calls of a function whose parameters were renamed, added, removed or made keyword-only bind to what they bound to before."
    patterns = frozenset({FailurePattern.API_CHANGE})
    applicability = Applicability.SAFE
    follows = Follows.PARAMETERS
    evidence = ("git", "signature", "callers")
    sources = ("git history of the product", "https://docs.python.org/3/glossary.html#term-parameter")
    heals = examples.CHANGED
    declines = examples.NOT_CHANGED

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Calls that do not bind."""
        return misfit(failure) is not None

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """One proposal for the newest contract that took the failing call."""
        bad = misfit(failure)
        if bad is None:
            return
        direct = raised_in_test(failure)
        for _, call, callee in failing_calls(failure, ctx):
            if not direct and not _through_decorator(callee, bad):
                continue
            change = contract(callee, call, ctx)
            if change is None or adapted(call, change) is None:
                continue
            group = same_failures(failure, ctx, bad.key)
            others = [
                f
                for f in ctx.failures
                if f not in group and (m := misfit(f)) is not None and m.function == bad.function and raised_in_test(f) == direct
            ]
            yield from _made(self.name, change, edits_for(change, [*group, *others], ctx), [*group, *others])
            return


def _through_decorator(callee: Callee, bad: Misfit) -> bool:
    """Whether the call failed inside a decorator of the very function that it names: the decorator hands on what the test gave."""
    definition = callee.definition.node
    decorated = isinstance(definition, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and bool(definition.decorator_list)
    return decorated and callee.definition.qualname in (bad.function, bad.function.removesuffix(".__init__"))


def _made(tactic: str, change: Contract, edits: Edits, failures: list[Failure], *, score: float = 0.9) -> Iterable[Proposal]:
    made = edits.all()
    if not made:
        return
    name = change.callee.definition.qualname
    text = f"{name}{change.old} is {name}{change.new} now"
    yield Proposal(
        STRATEGY,
        tactic,
        made,
        change.facts,
        Applicability.SAFE if change.sure else Applicability.REVIEW,
        f"{text}: {_what(change)}",
        nodeids=tuple(dict.fromkeys(f.nodeid for f in failures)),
        meaning=text,
        cause_key=f"call:{change.callee.dotted}",
        score=score if change.sure else score - 0.15,
    )


def _what(change: Contract) -> str:
    parts = [f"{a} is {b}" for a, b in change.mapped.names.items() if a != b]
    parts += [f"{n} is left out" for n in change.mapped.removed]
    parts += [f"{n}={v} is passed" for n, v in change.mapped.values.items()]
    return ", ".join(parts) or "each argument goes where it went before"


class ReorderedParameters(Tactic):
    name = "reordered_parameters"
    summary = "Positional arguments that bind to other parameters than before the product changed their order are put in the new order."
    applicability = Applicability.SAFE
    follows = Follows.ORDER
    evidence = ("git", "signature")
    sources = ("git history of the product",)
    heals = examples.REORDERED
    declines = examples.NOT_REORDERED

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Any failure of a running test that is not about binding itself."""
        return failure.phase in ("call", "setup") and misfit(failure) is None and not failure.is_a("SyntaxError", "ImportError", "NameError")

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """One proposal for every changed contract among the calls of the failing test."""
        at = test_function(failure, ctx)
        if at is None or not ctx.git.available:
            return
        src, function = at
        names = resolver(src, ctx)
        seen: set[str] = set()
        for call in ast.walk(function):
            callee = product_callee(names.ref(call.func), ctx) if isinstance(call, ast.Call) and len(call.args) > 1 else None
            if callee is None or callee.dotted in seen or not isinstance(call, ast.Call):
                continue
            seen.add(callee.dotted)
            change = contract(callee, call, ctx, test_path=src.path)
            if change is None or not change.new.accepts(call) or adapted(call, change) is None or set(change.old.names) != set(change.new.names):
                continue
            meant = _meant(change, ctx)
            sure = replace(change, sure=change.sure and meant is not None, facts=(*change.facts, *([meant] if meant is not None else [])))
            yield from _made(self.name, sure, edits_for(change, [failure], ctx), [failure], score=0.85)


def _meant(change: Contract, ctx: Context) -> Evidence | None:
    """What shows that a new order is no slip: notes that speak of the function's parameters, or its own calls, which changed with it."""
    word, known = change.callee.word, changes(ctx)
    said = known.said(word, _ORDER)
    if said:
        return Evidence("docs", f"{said} speaks of {word}", said, 0.5)
    call = re.compile(rf"(?<!def )\b{re.escape(word)}\(")
    for h in known.hunks(change.former.rev):
        pairs = zip(h.removed, h.added, strict=False)
        at = next((i for i, (a, b) in enumerate(pairs) if a != b and call.search(a) and call.search(b)), None)
        if at is not None:
            where = f"{h.path}:{h.new_line + at}"
            return Evidence("callers", f"the product's own call changed with it at {where}", where, 0.6)
    return None


class ChangedDefault(Tactic):
    name = "changed_default"
    summary = "A call that relied on a default which the product changed, and says so, passes the old default itself."
    applicability = Applicability.REVIEW
    evidence = ("git", "docs")
    sources = ("git history, changelog and commit messages of the product",)
    heals = examples.DEFAULT
    declines = examples.NOT_DEFAULT

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Any failure of a running test."""
        return failure.phase in ("call", "setup") and not failure.is_a("SyntaxError", "ImportError", "NameError")

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """Only where the change of the default is written down somewhere."""
        at = test_function(failure, ctx)
        if at is None or not ctx.git.available:
            return
        src, function = at
        names = resolver(src, ctx)
        for call in ast.walk(function):
            if not isinstance(call, ast.Call) or (callee := product_callee(names.ref(call.func), ctx)) is None:
                continue
            change = contract(callee, call, ctx, test_path=src.path)
            if change is None or not change.new.accepts(call):
                continue
            given = change.new.bind(len(call.args), [k.arg or "" for k in call.keywords]).given
            for p in change.new.params:
                was = change.old.get(p.name)
                if was is None or was.default is None or p.default is None or was.default == p.default or p.name in given or p.kind == "positional":
                    continue
                said = changes(ctx).said(p.name)
                if not said:
                    continue
                editor = Edits()
                from pytest_maestro_healer.evidence.signatures import Argument

                keep = [Argument("", i) for i in range(len(call.args))] + [Argument(k.arg or "", k.arg) for k in call.keywords]
                rewrite(editor.of(src), call, [*keep, Argument(p.name, None, was.default)])
                text = f"the default of {p.name} in {callee.definition.qualname} went from {was.default} to {p.default}"
                fact = Evidence("docs", f"{said} speaks of {p.name}", said, 0.6)
                made = editor.all()
                if made:
                    told = f"{text}: the test passes {was.default} itself"
                    yield Proposal(STRATEGY, self.name, made, (change.facts[0], fact), Applicability.REVIEW, told,
                                   (failure.nodeid,), meaning=text, cause_key=f"default:{callee.dotted}.{p.name}", score=0.7)  # fmt: skip


class LibraryParameters(Tactic):
    name = "library_parameters"
    summary = "An argument that an installed package no longer takes goes where its documentation, a sourced table or the live signature shows."
    patterns = frozenset({FailurePattern.API_CHANGE})
    applicability = Applicability.SAFE
    evidence = ("migration", "docs", "signature")
    sources = ("the packages' own upgrade guides, named in each heal",)
    heals = examples.LIBRARY
    declines = examples.NOT_LIBRARY

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Calls that do not bind, and warnings or errors about a parameter."""
        return misfit(failure) is not None or _about_keywords(failure)

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """One proposal per candidate parameter."""
        bad = misfit(failure)
        if bad is None:
            yield from library.swallowed(self.name, failure, ctx)
            return
        yield from library.propose(self.name, failure, bad, ctx)


def _about_keywords(failure: Failure) -> bool:
    """Whether a library complains of the keyword arguments that it was given."""
    told = re.search(r"(?i)\bkwargs\b|\bkeywords?\b|\bpropert(?:y|ies)\b", failure.message)
    return failure.is_a("TypeError", "ValueError", "AttributeError") and told is not None
