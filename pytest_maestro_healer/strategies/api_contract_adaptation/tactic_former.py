"""Arguments that used to be implied: a new parameter whose value gives the former behaviour, an argument that became required."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence import migrations, notes
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.signatures import Argument, has_stars
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Proposal
from pytest_maestro_healer.strategies.api_contract_adaptation import examples_former as examples
from pytest_maestro_healer.strategies.api_contract_adaptation.calls import Edits, rewrite
from pytest_maestro_healer.strategies.api_contract_adaptation.cause import Misfit, misfit, nodes_at, same_failures, test_function
from pytest_maestro_healer.strategies.api_contract_adaptation.library_parameters import Target, live_target
from pytest_maestro_healer.strategies.api_contract_adaptation.parameters import is_constant, product_callee
from pytest_maestro_healer.strategies.api_contract_adaptation.renames import STRATEGY, reference
from pytest_maestro_healer.strategies.api_contract_adaptation.resolve import resolver
from pytest_maestro_healer.strategies.base import Tactic

_ANY_CALL = Misfit("", "")
_MISSING = re.compile(r"missing \d+ required (?:positional |keyword-only )?arguments?: (.+)", re.S)
_QUOTED = r"[`'\"](\w+)=?[`'\"]"
#: How an error says that an argument has to be given.
_TOLD = (
    re.compile(
        rf"(?i)\b(?:value for|provide|pass|specify|supply|requires?|missing|needs?)\b[^.\n]{{0,60}}?{_QUOTED}\s+"
        r"(?:argument|parameter|keyword|option)"
    ),
    re.compile(
        rf"(?i)\b(?:argument|parameter|keyword|option)\s+{_QUOTED}\s+(?:is|must be|has to be|needs to be)\s+"
        r"(?:required|given|provided|specified|passed|set)"
    ),
    re.compile(rf"(?i){_QUOTED}\s+(?:argument\s+|parameter\s+)?(?:is required|must be (?:given|provided|specified|passed|set))"),
)
_MAX_CALLS, _MAX_OPTIONS = 40, 3


@dataclass(frozen=True)
class Option:
    """An argument to pass: ``value`` is source text, or a dotted name where ``dotted`` says so."""

    name: str
    value: str
    fact: Evidence
    score: float
    dotted: bool = False


class FormerBehaviour(Tactic):
    name = "former_behaviour"
    summary = "Where an upgraded package names the argument that gives its former behaviour, a call whose result changed passes that argument."
    applicability = Applicability.REVIEW
    evidence = ("docs", "migration")
    sources = ("the package's own documentation and changelog, named in each heal",)
    heals = examples.FORMER
    declines = examples.NOT_FORMER

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Any failure of a running test that is not about binding a call."""
        return failure.phase in ("call", "setup") and misfit(failure) is None and not failure.is_a("SyntaxError", "ImportError", "NameError")

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """One proposal per argument that is told of a callable which the test calls."""
        at = test_function(failure, ctx)
        if at is None:
            return
        src, function = at
        seen: set[str] = set()
        for call in [n for n in ast.walk(function) if isinstance(n, ast.Call)][:_MAX_CALLS]:
            if product_callee(resolver(src, ctx).ref(call.func), ctx) is not None:
                continue
            target = live_target(src, call, _ANY_CALL, ctx)
            if target is None or target.dotted in seen:
                continue
            seen.add(target.dotted)
            for option in list(former_options(target, ctx))[:_MAX_OPTIONS]:
                yield from self._made(src, function, target, option, failure, ctx)

    def _made(self, src: SourceFile, function: ast.stmt, target: Target, option: Option, failure: Failure, ctx: Context) -> Iterator[Proposal]:
        edits = Edits()
        for call in [n for n in ast.walk(function) if isinstance(n, ast.Call)]:
            found = live_target(src, call, _ANY_CALL, ctx)
            if found is not None and found.dotted == target.dotted and not _given(call, option.name, target):
                _pass(edits, src, call, option, ctx)
        made = edits.all()
        if made:
            text = f"{target.dotted} gives its former result with {option.name}={option.value}"
            yield Proposal(STRATEGY, self.name, made, (option.fact,), Applicability.REVIEW, text, (failure.nodeid,), meaning=text,
                           cause_key=f"former:{target.dotted}.{option.name}", score=option.score)  # fmt: skip


class RequiredArgument(Tactic):
    name = "required_argument"
    summary = "An argument that an upgraded package requires now is passed as all other tests pass it, or as a sourced table has it."
    patterns = frozenset({FailurePattern.API_CHANGE})
    applicability = Applicability.REVIEW
    evidence = ("tests", "migration")
    sources = ("the packages' own upgrade guides, named in each heal",)
    heals = examples.REQUIRED
    declines = examples.NOT_REQUIRED

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Errors that name an argument to be given."""
        return bool(_wanted(failure))

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """One proposal for each of the failing calls whose callee takes the argument."""
        names = _wanted(failure)
        bad = misfit(failure) or _ANY_CALL
        for src, call in nodes_at(failure, ctx, ast.Call):
            target = live_target(src, call, bad, ctx)
            if target is None or has_stars(call) or product_callee(resolver(src, ctx).ref(call.func), ctx) is not None:
                continue
            options = [o for n in names if not _given(call, n, target) and (o := required_option(target, n, call, src, ctx)) is not None]
            if not options or len(options) < len([n for n in names if not _given(call, n, target)]):
                continue
            edits = Edits()
            for option in options:
                _pass(edits, src, call, option, ctx)
            made = edits.all()
            if made:
                passed = ", ".join(f"{o.name}={o.value}" for o in options)
                text = f"{target.dotted} requires {', '.join(o.name for o in options)} now: {passed} is passed"
                group = same_failures(failure, ctx, bad.key) if bad is not _ANY_CALL else [failure]
                yield Proposal(STRATEGY, self.name, made, tuple(o.fact for o in options), Applicability.REVIEW, text,
                               tuple(f.nodeid for f in group), meaning=text, cause_key=f"required:{target.dotted}",
                               score=min(o.score for o in options))  # fmt: skip


# -- what to pass ------------------------------------------------------------------------------------------
def former_options(target: Target, ctx: Context) -> Iterator[Option]:
    """Arguments that are told to give the former behaviour: by a sourced table, by the callable's documentation, by a changelog."""
    seen: set[str] = set()
    for row in migrations.former(target.dotted, ctx.live):
        if row.old not in seen and _takes(target, row.old):
            seen.add(row.old)
            fact = Evidence("migration", f"{row.old}={row.new} gives what {target.dotted} gave before {row.since}", row.source, 0.8)
            yield Option(row.old, row.new, fact, 0.8, dotted=_is_dotted(row.new))
    top = target.dotted.partition(".")[0]
    texts = [(target.dotted, notes.documentation(target.obj))]
    if not ctx.live.is_stdlib(top):
        texts += [(file, text) for file, text in notes.release_notes(top)]
    for where, text in texts:
        for name, value, sentence in notes.former_arguments(text):
            p = target.signature.get(name)
            if p is not None and name not in seen and p.default not in (None, value):
                seen.add(name)
                yield Option(name, value, Evidence("docs", f"the documentation says: {sentence}", where, 0.75), 0.75)


def required_option(target: Target, name: str, call: ast.Call, src: SourceFile, ctx: Context) -> Option | None:
    """The value of a required argument: what all other calls in test code pass, else what a sourced table has."""
    if not _takes(target, name):
        return None
    word = last_name(call.func)
    passed: Counter[str] = Counter()
    places: dict[str, str] = {}
    for other in ctx.test_files_with(f"{name}="):
        for node in ast.walk(other.tree) if other.tree is not None else ():
            if isinstance(node, ast.Call) and last_name(node.func) == word:
                for k in node.keywords:
                    if k.arg == name:
                        text = ast.unparse(k.value) if is_constant(k.value) else ""
                        passed[text] += 1
                        places.setdefault(text, f"{other.path}:{node.lineno}")
    if len(passed) == 1 and "" not in passed:
        text, count = next(iter(passed.items()))
        fact = Evidence(
            "tests", f"{count} other call{'s' * (count > 1)} of {word} in the tests pass {name}={text}", places[text], 0.7 if count > 1 else 0.5
        )
        return Option(name, text, fact, 0.8 if count > 1 else 0.65)
    for row in migrations.former(target.dotted, ctx.live):
        if row.old == name:
            fact = Evidence("migration", f"{name}={row.new} is what {target.dotted} took for granted before {row.since}", row.source, 0.75)
            return Option(name, row.new, fact, 0.75, dotted=_is_dotted(row.new))
    return None


def _wanted(failure: Failure) -> list[str]:
    """The arguments that an error asks for."""
    m = _MISSING.search(failure.message)
    if m and failure.is_a("TypeError"):
        return re.findall(r"'(\w+)'", m[1])
    return list(dict.fromkeys(found[1] for p in _TOLD for found in p.finditer(failure.message)))[:1]


def _takes(target: Target, name: str) -> bool:
    p = target.signature.get(name)
    return (p is not None and p.kind != "positional") or (p is None and target.signature.has("kwargs"))


def _given(call: ast.Call, name: str, target: Target) -> bool:
    """Whether a call gives the argument already, or may."""
    if has_stars(call) or any(k.arg == name for k in call.keywords):
        return True
    return name in target.signature.bind(len(call.args), [k.arg or "" for k in call.keywords], partial=True).given


def _pass(edits: Edits, src: SourceFile, call: ast.Call, option: Option, ctx: Context) -> None:
    editor = edits.of(src)
    value = reference(editor, resolver(src, ctx), option.value) if option.dotted else option.value
    keep = [Argument("", i) for i in range(len(call.args))] + [Argument(k.arg or "", k.arg) for k in call.keywords]
    rewrite(editor, call, [*keep, Argument(option.name, None, value)])


def _is_dotted(text: str) -> bool:
    return all(p.isidentifier() for p in text.split(".")) and text not in ("True", "False", "None")
