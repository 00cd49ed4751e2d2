"""Functions of installed packages that give a generator, where a test wants the whole sequence: what they gave before nobody can look up."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.model import Applicability, Evidence, Failure, Proposal
from pytest_maestro_healer.strategies.api_contract_adaptation import calls
from pytest_maestro_healer.strategies.api_contract_adaptation.cause import changes
from pytest_maestro_healer.strategies.api_contract_adaptation.renames import STRATEGY
from pytest_maestro_healer.strategies.api_contract_adaptation.sites import calls_of


def collected(tactic: str, dotted: str, failure: Failure, ctx: Context) -> Iterator[Proposal]:
    """For review: every call that a test compares, measures or looks into is collected; others may well want the generator."""
    package = ctx.distributions.of_import(dotted)
    path = ctx.symbols.module_path(dotted.partition(".")[0])
    found, function = ctx.live.get(dotted) if package and not (path and changes(ctx).is_product(path)) else (False, None)
    if not found or not inspect.isgeneratorfunction(function):
        return
    edits = calls.Edits()
    for src, call, names in calls_of({dotted}, dotted.rpartition(".")[2], ctx):
        if _wants_all(call, names.up.get(call)):
            calls.wrap(edits.of(src), call, "list(", ")")
    made = edits.all()
    if made:
        what = f"{dotted} of {package[0]} {ctx.distributions.version(package[0]) or ''}".rstrip()
        fact = Evidence("signature", f"{what} is a generator function, and a test takes what it gives for a whole sequence", dotted, 0.6)
        yield Proposal(STRATEGY, tactic, made, (fact,), Applicability.REVIEW, f"{dotted} gives a generator: its items are collected",
                       (failure.nodeid,), meaning=f"{dotted} is lazy", cause_key=f"lazy:{dotted}", score=0.7)  # fmt: skip


def _wants_all(call: ast.Call, parent: ast.AST | None) -> bool:
    """Whether what a call gives is compared, measured or looked into by its place."""
    if isinstance(parent, ast.Call) and call in parent.args:
        name = last_name(parent.func)
        return name == "len" or name.startswith(("assert", "assert_"))
    if isinstance(parent, ast.Compare):
        return any(isinstance(op, (ast.Eq, ast.NotEq)) for op in parent.ops)
    return isinstance(parent, ast.Subscript) and parent.value is call
