"""From a missing import to proposals: every broken import of the failing files gets a plan, all files of one cause one proposal."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Edit, Evidence, Failure, Proposal
from pytest_maestro_healer.strategies.dependency_fix.cause import Missing, missing, raised_in_tests, same_cause
from pytest_maestro_healer.strategies.dependency_fix.editor import FileEditor
from pytest_maestro_healer.strategies.dependency_fix.sites import Site, import_sites

STRATEGY = "dependency_fix"
_VARIANTS = 3


@dataclass(frozen=True)
class Plan:
    """One way to heal one broken import. ``apply`` asks a :class:`FileEditor` for the changes; it raises EditError where it cannot."""

    tactic: str
    applicability: Applicability
    evidence: tuple[Evidence, ...]
    meaning: str
    explanation: str
    score: float
    apply: Callable[[FileEditor], None]


Planner = Callable[[Site, Context], Sequence[Plan]]


def matches(site: Site, found: Missing) -> bool:
    """Whether ``site`` imports what is missing."""
    if found.kind == "module":
        return (site.module + ".").startswith(found.module + ".")
    if found.kind != "name" or site.name != found.name:
        return False
    return site.module == found.module or site.node.lineno <= found.line <= (site.node.end_lineno or site.node.lineno)


def is_broken(site: Site, ctx: Context) -> bool:
    """Whether an import can be shown to fail, from loaded modules and files alone; doubtful cases count as whole."""
    if site.guarded or not site.module:
        return False
    known = ctx.symbols.module_path(site.module) is not None or ctx.symbols.is_project_module(site.module)
    if not known and not ctx.live.importable(site.module):
        return True
    if not site.name or isinstance(site.node, ast.Import):
        return False
    if ctx.live.module(site.module) is not None:
        return not ctx.live.has(site.module, site.name) and not ctx.symbols.provides(site.module, site.name)
    info = ctx.symbols.module(site.module)
    if info is None or info.dynamic or b"globals()" in ctx.symbols.read(info.path) or b"sys.modules" in ctx.symbols.read(info.path):
        return False
    stars_known = all(ctx.symbols.module(s) is not None for s in info.stars)
    return stars_known and not ctx.symbols.provides(site.module, site.name)


@functools.lru_cache(maxsize=1)
def planners() -> tuple[Planner, ...]:
    """All planners, in the order in which they are asked for an import that is not the failure's own."""
    from pytest_maestro_healer.strategies.dependency_fix import isolate, moved, removed, retired, typos, unused

    return (
        moved.plan_renamed_module, retired.plan, removed.plan, moved.plan_moved, removed.plan_compat, typos.plan, unused.plan, isolate.plan,
    )  # fmt: skip


def best_plans(site: Site, ctx: Context) -> Sequence[Plan]:
    """The plans of the first planner that has any."""
    for planner in planners():
        found = planner(site, ctx)
        if found:
            return found
    return ()


def heal_imports(planner: Planner, failure: Failure, ctx: Context) -> Iterator[Proposal]:
    """Proposals that ``planner`` makes for the missing import behind ``failure``, over all files with that cause.

    Other broken imports of the same files are healed along, each by the first planner that can.
    """
    found = missing(failure)
    if found is None or found.kind not in ("module", "name") or found.circular or not raised_in_tests(failure, found, ctx):
        return
    src = ctx.source(found.path)
    if src is None:
        return
    own = [s for s in import_sites(src, ctx.symbols.module_name(src.path)) if matches(s, found) and not s.guarded]
    first = next(iter(own), None)
    if first is None:
        return
    # every name of the statement that is missing needs a plan; the tactic of the first of them speaks for the proposal
    lead = best_plans(first, ctx)
    if not lead or lead[0].tactic not in {p.tactic for p in planner(first, ctx)}:
        return
    for variant in range(min(len(lead), _VARIANTS)):
        proposal = _assemble(variant, lead[variant], found, failure, ctx, tie=len(lead) > 1)
        if proposal is not None:
            yield proposal


def _assemble(variant: int, lead: Plan, found: Missing, failure: Failure, ctx: Context, *, tie: bool) -> Proposal | None:
    group = same_cause(found, ctx, failure)
    edits: list[Edit] = []
    plans: list[Plan] = []
    healed: set[str] = set()
    for path in dict.fromkeys(m.path for _, m in group):
        got = _heal_file(path, variant, found, ctx)
        if got is None:
            if path == found.path:
                return None
            continue
        edits += got[0]
        plans += got[1]
        healed.add(path)
    if not edits:
        return None
    safe = not tie and all(p.applicability is Applicability.SAFE for p in plans) and not any(ctx.is_helper(p) for p in healed)
    more = len(healed) - 1
    others = [p.explanation for p in _unique(plans) if p.meaning != lead.meaning]
    text = lead.explanation + (f" ({more} more file{'s' * (more > 1)} with the same cause)" if more else "")
    return Proposal(
        STRATEGY,
        lead.tactic,
        tuple(edits),
        tuple(dict.fromkeys(e for p in plans for e in p.evidence)),
        Applicability.SAFE if safe else Applicability.REVIEW,
        "; ".join([text, *others[:6]]),
        nodeids=tuple(dict.fromkeys(f.nodeid for f, m in group if m.path in healed)),
        meaning=lead.meaning,
        cause_key=found.key,
        score=min(p.score for p in plans) - (0.2 if tie else 0),
    )


def _unique(plans: Sequence[Plan]) -> list[Plan]:
    return list({p.meaning: p for p in plans}.values())


def _heal_file(path: str, variant: int, found: Missing, ctx: Context) -> tuple[tuple[Edit, ...], list[Plan]] | None:
    """(edits, plans) for one file: with its other broken imports where that fits together, else the failing one alone."""
    src = ctx.source(path)
    if src is None or src.tree is None:
        return None
    mine: list[Plan] = []
    along: list[Plan] = []
    for site in import_sites(src, ctx.symbols.module_name(path)):
        is_mine = matches(site, found) and not site.guarded
        if not is_mine and not is_broken(site, ctx):
            continue
        options = best_plans(site, ctx)
        if options:
            (mine if is_mine else along).append(options[min(variant, len(options) - 1)] if is_mine else options[0])
        elif is_mine:
            return None
    return _applied(src, [*mine, *along]) or (_applied(src, mine) if along else None)


def _applied(src: SourceFile, plans: list[Plan]) -> tuple[tuple[Edit, ...], list[Plan]] | None:
    try:
        editor = FileEditor(src)
        for plan in plans:
            plan.apply(editor)
        edits = editor.edits()
        healed = src.with_edits(edits)
    except EditError:
        return None
    return (edits, plans) if edits and healed.tree is not None else None
