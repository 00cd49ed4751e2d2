"""Positional arguments that land one parameter too early, since a library put a new parameter before theirs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from pytest_maestro_healer.evidence import notes
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.kinds import documented_types
from pytest_maestro_healer.evidence.signatures import Argument, has_stars
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Proposal
from pytest_maestro_healer.strategies.api_contract_adaptation import examples_inserted as examples
from pytest_maestro_healer.strategies.api_contract_adaptation.alignment import Slots, arguments, shifted
from pytest_maestro_healer.strategies.api_contract_adaptation.calls import Edits, rewrite
from pytest_maestro_healer.strategies.api_contract_adaptation.cause import Misfit, misfit, nodes_at
from pytest_maestro_healer.strategies.api_contract_adaptation.library_parameters import Target, entered, live_target
from pytest_maestro_healer.strategies.api_contract_adaptation.parameters import product_callee
from pytest_maestro_healer.strategies.api_contract_adaptation.renames import STRATEGY
from pytest_maestro_healer.strategies.api_contract_adaptation.resolve import resolver
from pytest_maestro_healer.strategies.base import Tactic

#: How an error names the type of a value that is of no use where it is.
_OBJECT = re.compile(r"'(\w+)' object (?:has no attribute|is not|does not|cannot)|\bnot '?(\w+)'?$")


class InsertedParameter(Tactic):
    name = "inserted_parameter"
    summary = (
        "Positional arguments that fall on a library's new parameter, and are of another kind, are passed by the names of the parameters behind it."
    )
    patterns = frozenset({FailurePattern.API_CHANGE})
    applicability = Applicability.REVIEW
    evidence = ("signature", "docs")
    sources = ("the live signature, its defaults, annotations and documented types",)
    heals = examples.HEALS
    declines = examples.DECLINES

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """A value that a library cannot use, whatever it says of it."""
        own = failure.is_a("AssertionError", "SyntaxError", "ImportError", "NameError")
        return failure.phase in ("call", "setup") and misfit(failure) is None and not own

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """One proposal, where one reading of the failing call fits and no other."""
        m = _OBJECT.search(failure.message)
        for src, call in nodes_at(failure, ctx, ast.Call):
            target = live_target(src, call, Misfit("", ""), ctx) or entered(src, call, failure, ctx)
            if target is None or has_stars(call) or product_callee(resolver(src, ctx).ref(call.func), ctx) is not None:
                continue
            readings = _readings(target, call, (m[1] or m[2]) if m else "")
            if len(readings) != 1:
                continue
            slots, inserted = readings[0]
            keywords = [k.arg or "" for k in call.keywords]
            wanted = arguments(call.args, keywords, slots, target.signature)
            if wanted is None:
                continue
            edits = Edits()
            rewrite(edits.of(src), call, [*wanted, *(Argument(k, k) for k in keywords)])
            made = edits.all()
            if made:
                text = f"{target.dotted} has a parameter {inserted} before {slots.names[_first(slots, target)]}: what follows goes by name"
                fact = Evidence(
                    "signature", f"{target.dotted}{target.signature}: the values are of the kind of what follows {inserted}", target.dotted, 0.55
                )
                yield Proposal(STRATEGY, self.name, made, (fact,), Applicability.REVIEW, text, (failure.nodeid,), meaning=text,
                               cause_key=f"inserted:{target.dotted}.{inserted}", score=0.6)  # fmt: skip


def _readings(target: Target, call: ast.Call, wrong: str) -> list[tuple[Slots, str]]:
    keywords = [k.arg or "" for k in call.keywords]
    types = documented_types(notes.documentation(target.obj))
    return list(shifted(call.args, keywords, target.signature, types, wrong))


def _first(slots: Slots, target: Target) -> int:
    """The index of the first argument that does not stand where its parameter stands."""
    order = [p.name for p in target.signature.positional]
    return next(i for i, name in enumerate(slots.names) if order[i : i + 1] != [name])
