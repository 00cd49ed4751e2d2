"""The semantic guard: an edit of a test must leave it at least as strict as it was.

Every check that a test makes (assert, unittest, nose, mock, numpy, raises, warns) is brought to one form, matched with its successor in the
edited file and compared by strength; what gets round failures (skips, swallowed exceptions, silenced warnings, permissive mocks,
lost tests or parameter sets) may not grow. All from the syntax tree, nothing is imported or run.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING

from pytest_maestro_healer.edit.guards import awaited
from pytest_maestro_healer.edit.guards.broken import check_repair
from pytest_maestro_healer.edit.guards.compare import compare
from pytest_maestro_healer.edit.guards.limits import Limits
from pytest_maestro_healer.edit.guards.stranger import repair_objections
from pytest_maestro_healer.edit.guards.values import looks_nondeterministic
from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.model import Applicability, Proposal

if TYPE_CHECKING:
    from pytest_maestro_healer.evidence.context import Context

__all__ = ["ALLOWANCES", "Limits", "check", "check_proposal", "looks_nondeterministic"]

#: Tactic -> what its edits may relax, because its evidence is about just that. Honoured for proposals that a person reviews only.
ALLOWANCES: Mapping[str, frozenset[str]] = {
    "optional_dependency": frozenset({"importorskip"}),
    "unordered_comparison": frozenset({"unordered"}),
    "quarantine": frozenset({"flaky"}),
    "hash_order": frozenset({"unordered"}),
    "directory_order": frozenset({"unordered"}),
    "clock_race": frozenset({"clock"}),
    "passed_date": frozenset({"clock"}),
    "polluted_state": frozenset({"state"}),
    "missing_setup": frozenset({"state"}),
    "platform_condition": frozenset({"skip"}),
}
_DATA = frozenset(
    {
        ".json",
        ".jsonl",
        ".txt",
        ".yaml",
        ".yml",
        ".csv",
        ".tsv",
        ".xml",
        ".html",
        ".md",
        ".rst",
        ".golden",
        ".expected",
        ".snap",
        ".out",
        ".ambr",
        ".toml",
        ".svg",
    }
)
_CONFIG = frozenset({"pyproject.toml", "pytest.toml", ".pytest.toml", "tox.ini", "pytest.ini", "setup.cfg", "noxfile.py", "setup.py"})


def check(
    before: SourceFile, after: SourceFile, *, edited_paths_ok: Callable[[str], bool] = lambda path: True, limits: Limits | None = None
) -> list[str]:
    """The reasons to refuse an edit that turns ``before`` into ``after``; empty if it weakens nothing.

    ``edited_paths_ok`` says whether a path may be edited at all. A file that did not parse before is compared by what its text shows.
    """
    if not edited_paths_ok(before.path):
        return [f"{before.path} is not test code"]
    if before.data == after.data:
        return [f"the edit changes nothing in {before.path}"]
    if after.encoding_error and not before.encoding_error:
        return [f"{after.path} cannot be decoded after the edit: {after.encoding_error}"]
    if not before.path.endswith(".py"):
        return _data_file(before, after)
    if after.tree is None:
        return [f"{after.path} does not parse after the edit: {after.syntax_error}"]
    if before.tree is None:
        bounds = limits or Limits()
        out = check_repair(before, after, bounds.committed) + (repair_objections(before, after) if bounds.stranger else [])
    else:
        out = compare(before, after, limits or Limits())
    return list(dict.fromkeys(out + awaited.grew(before, after, limits is not None and limits.runs_coroutines)))


def check_proposal(
    proposal: Proposal, ctx: Context, *, allowances: Mapping[str, frozenset[str]] | None = None, limits: Limits | None = None
) -> list[str]:
    """The reasons to refuse a proposal: for each file it edits, whether it may be edited, whether the edits fit, what they weaken.

    ``allowances`` maps a tactic's name to the relaxations (see :class:`Limits`) that it may make in a proposal for review.
    """
    table = ALLOWANCES if allowances is None else allowances
    allowed = table.get(proposal.tactic, frozenset()) if proposal.applicability is Applicability.REVIEW else frozenset()
    bounds = limits or Limits()
    runs = bounds.runs_coroutines or awaited.runs_all(ctx)
    bounds = dataclasses.replace(bounds, allow=bounds.allow | allowed, runs_coroutines=runs)
    out: list[str] = []
    for path in dict.fromkeys(e.path for e in proposal.edits):
        reason = _place(path, ctx)
        if reason:
            out.append(reason)
            continue
        source = ctx.source(path)
        if source is None:
            out.append(f"{path} cannot be read")
            continue
        try:
            healed = source.with_edits(proposal.edits)
        except EditError as exc:
            out.append(f"the edits do not fit: {exc}")
            continue
        if source.tree is None:
            bounds = dataclasses.replace(bounds, committed=(ctx.git.bytes_at(path) or b"").decode("utf-8", "replace"))
        out += [f"{r} ({path})" if path not in r else r for r in check(source, healed, limits=bounds)]
    return out


def _place(path: str, ctx: Context) -> str:
    """Why ``path`` may not be edited, ``""`` where it may."""
    name = path.rpartition("/")[2]
    if not path or PurePath(path).is_absolute() or ".." in path.split("/") or "\\" in path:
        return f"{path} lies outside the project"
    if not ctx.is_test_code(path):
        return f"{path} is not test code"
    if name in _CONFIG:
        return f"{path} is configuration, not test code"
    suffix = PurePath(name).suffix
    if suffix != ".py" and suffix not in _DATA:
        return f"{path} is neither Python nor a known kind of test data"
    root = os.path.realpath(ctx.root)
    real = os.path.realpath(os.path.join(root, path))
    if os.path.normpath(os.path.join(root, path)) == real:
        return ""
    inside = os.path.relpath(real, root).replace(os.sep, "/")
    if inside == ".." or inside.startswith("../"):
        return f"{path} is a link that leads out of the project"
    return "" if ctx.is_test_code(inside) else f"{path} is a link to {inside}, which is not test code"


def _data_file(before: SourceFile, after: SourceFile) -> list[str]:
    if before.data.strip() and not after.data.strip():
        return [f"{before.path} would be empty"]
    if before.path.endswith(".json"):
        import json

        try:
            json.loads(before.data)
        except ValueError:
            return []
        try:
            json.loads(after.data)
        except ValueError as exc:
            return [f"{after.path} is no JSON after the edit: {exc}"]
    return []
