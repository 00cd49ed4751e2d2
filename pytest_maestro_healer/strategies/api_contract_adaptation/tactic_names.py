"""Names that are gone: renamed, moved, turned from function to method, or removed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from pytest_maestro_healer.evidence import notes
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Follows, Proposal
from pytest_maestro_healer.strategies.api_contract_adaptation import examples_names as examples
from pytest_maestro_healer.strategies.api_contract_adaptation.cause import (
    Gone,
    abstract_names,
    changes,
    gone,
    nodes_at,
    raised_in_test,
    same_failures,
)
from pytest_maestro_healer.strategies.api_contract_adaptation.renames import STRATEGY, Migration, proposal
from pytest_maestro_healer.strategies.api_contract_adaptation.resolve import Classes
from pytest_maestro_healer.strategies.api_contract_adaptation.successors import History, history, library_successors, project_successors
from pytest_maestro_healer.strategies.base import Tactic

PATTERNS = frozenset({FailurePattern.API_CHANGE, FailurePattern.IMPORT_ERROR})


def _cause(failure: Failure, ctx: Context) -> Gone | None:
    found = gone(failure)
    if found is None or not raised_in_test(failure):
        return None
    if found.kind == "module" or ctx.live.is_stdlib(found.owner) or "." in found.owner:
        return found
    # 3.10's message has the bare class name only: the receiver tells more
    import ast

    from pytest_maestro_healer.strategies.api_contract_adaptation.resolve import resolver

    for src, node in nodes_at(failure, ctx, ast.Attribute):
        if node.attr == found.name:
            ref = resolver(src, ctx).ref(node.value)
            if ref is not None and ref.dotted.rpartition(".")[2] == found.owner:
                return dataclasses.replace(found, owner=ref.dotted)
    return found


class RenamedSymbol(Tactic):
    name = "renamed_symbol"
    summary = (
        "A function, class, method, attribute, constant or enum member that the product renamed is called by its new name, wherever tests use it."
    )
    patterns = PATTERNS
    applicability = Applicability.SAFE
    follows = Follows.NAME
    evidence = ("git", "callers", "docs", "signature")
    sources = ("git history of the product", "https://dl.acm.org/doi/10.1109/TSE.2023.3264121")
    heals = examples.RENAMED
    declines = examples.NOT_RENAMED

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """One proposal per successor in the product's own history."""
        found = _cause(failure, ctx)
        past = history(found, ctx) if found is not None else None
        if found is None or past is None or _regression(found, ctx):
            return
        group = same_failures(failure, ctx, found.key)
        candidates = project_successors(found, past, ctx)
        for s in candidates:
            edits = Migration(found, past.owner, s, group, ctx).run()
            if edits:
                yield proposal(self.name, found, s, edits, group, ctx)


def _regression(found: Gone, ctx: Context) -> str:
    """Where product code still needs what it no longer defines: the removal was no rename."""
    return changes(ctx).still_used(found.name, member=found.kind != "module")


class KnownMigration(Tactic):
    name = "library_migration"
    summary = (
        "A name that an installed package renamed or moved is replaced as its documentation, its own shim, its changelog or a sourced table says."
    )
    patterns = PATTERNS
    applicability = Applicability.SAFE
    follows = Follows.LIBRARY | Follows.MIGRATION
    evidence = ("migration", "docs", "symbol")
    sources = ("the packages' own upgrade guides, named in each heal",)
    heals = examples.LIBRARY
    declines = examples.NOT_LIBRARY

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """One proposal per candidate; only told ones can be safe."""
        found = _cause(failure, ctx)
        if found is None or (found.imported and not _known(found, ctx)) or history(found, ctx) is not None:
            return
        # dependency_fix knows what left the standard library: here only another spelling is looked for
        standard = found.kind == "module" and ctx.live.is_stdlib(found.owner)
        group = same_failures(failure, ctx, found.key)
        seen: set[str] = set()
        for variant in _receivers(found, failure, ctx):
            candidates = [str(c) for c in failure.exc_attrs.get("candidates") or ()] if variant.owner == found.owner else []
            for s in library_successors(variant, ctx, candidates):
                if s.dotted in seen or (standard and notes.plain(s.name) != notes.plain(found.name)):
                    continue
                seen.add(s.dotted)
                edits = Migration(found, variant.owner, s, group, ctx).run()
                if edits:
                    yield proposal(self.name, variant, s, edits, group, ctx)


def _known(found: Gone, ctx: Context) -> bool:
    from pytest_maestro_healer.evidence.migrations import renamed

    return any(True for _ in renamed(found.owner, found.name, ctx.live))


def _receivers(found: Gone, failure: Failure, ctx: Context) -> Iterator[Gone]:
    """The owner, and where an object hands missing names on to another one, the object that the test holds."""
    import ast

    from pytest_maestro_healer.strategies.api_contract_adaptation.resolve import resolver

    for src, node in nodes_at(failure, ctx, ast.Attribute):
        if node.attr == found.name and found.kind != "module":
            ref = resolver(src, ctx).ref(node.value)
            if ref is not None and ref.kind in ("class", "instance") and ref.dotted != found.owner:
                yield dataclasses.replace(found, owner=ref.dotted)
    yield found


class AbstractMethods(Tactic):
    name = "renamed_hook"
    summary = "A test's own subclass overrides a hook under the name that the product now calls."
    patterns = PATTERNS
    applicability = Applicability.SAFE
    evidence = ("git",)
    sources = ("git history of the product",)
    heals = examples.HOOKS
    declines = examples.NOT_HOOKS

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Classes that cannot be instantiated for want of a method."""
        return failure.is_a("TypeError") and bool(abstract_names(failure))

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """Look for the hook's former name."""
        known = changes(ctx)
        for new in abstract_names(failure):
            for path in ctx.files.product_files:
                for qualname, d in known.current(path).items():
                    if d.name == new and d.scope:
                        yield from self._renamed(path, qualname, failure, ctx)

    def _renamed(self, path: str, qualname: str, failure: Failure, ctx: Context) -> Iterator[Proposal]:
        known = changes(ctx)
        scope = qualname.rpartition(".")[0]
        owner = f"{ctx.symbols.module_name(path)}.{scope}"
        for rev, _ in known.versions(path):
            before = known.at(path, rev)
            if qualname in before:
                continue
            lost = [d for q, d in before.items() if d.scope == scope and q not in known.current(path)]
            for d in lost:
                found = Gone(owner, "class", d.name)
                past = history(found, ctx)
                for s in project_successors(found, past, ctx) if past is not None else ():
                    if s.dotted.endswith("." + qualname):
                        edits = Migration(found, owner, s, [failure], ctx).run()
                        if edits:
                            yield proposal(self.name, found, s, edits, [failure], ctx)
            return


class Removed(Tactic):
    name = "removed_without_successor"
    summary = "A name that was removed and has no successor is reported with the place, the version and what was said about it; no test is changed."
    patterns = PATTERNS
    applicability = Applicability.ADVICE
    evidence = ("git", "docs", "distribution")
    heals = examples.REMOVED
    declines = examples.REMOVED_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """A precise text."""
        found = _cause(failure, ctx)
        if found is None:
            return
        past = history(found, ctx)
        promised = changes(ctx).promised(found.owner, found.name) if found.kind == "module" else ""
        if past is not None:
            text, facts = self._own(found, past, ctx)
        elif promised:
            text = f"{promised} promises {found.name} in __all__, and {found.owner} does not have it: this looks like a regression of the product"
            facts = (Evidence("symbol", text, promised, 0.8),)
        elif found.imported or (Classes(ctx).path(found.owner) is None and not ctx.live.get(found.owner)[0]):
            return
        else:
            text, facts = self._foreign(found, ctx)
        if text:
            yield Proposal(STRATEGY, self.name, (), facts, Applicability.ADVICE, text, (failure.nodeid,), cause_key=found.key, advice=text)

    def _own(self, found: Gone, past: History, ctx: Context) -> tuple[str, tuple[Evidence, ...]]:
        f = past.former
        where = f"{f.path}:{f.definition.line}"
        text = f"{f.definition.kind} {f.definition.qualname} was taken out of {f.path} by {f.label}"
        used = _regression(found, ctx)
        if used:
            text += f", and the product itself still uses {found.name} at {used}: this looks like a regression of the product"
        elif any(s.sure for s in project_successors(found, past, ctx)):
            return "", ()
        else:
            text += " and nothing that took its place could be shown; if that was meant, the test goes with it"
        return text, (Evidence("git", text, where, 0.6),)

    def _foreign(self, found: Gone, ctx: Context) -> tuple[str, tuple[Evidence, ...]]:
        top = found.owner.partition(".")[0]
        names = ctx.distributions.of_import(top)
        version = ctx.distributions.version(names[0]) if names else None
        if version is None:
            return "", ()
        if any(s.sure for s in library_successors(found, ctx)):
            return "", ()
        said = notes.removal_noted(top, found.name)
        told = f"; {said[1]} says: {said[0]}" if said else ""
        text = f"{found.dotted} is not part of {names[0]} {version}{told}: pin the version that has it, or let the test go with the feature"
        return text, (Evidence("distribution", text, f"{names[0]} {version}", 0.5),)
