"""Relative paths that hold from one working directory only."""

from __future__ import annotations

import ast
import os
import posixpath
from collections.abc import Iterable, Mapping, Sequence

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Edit, Evidence, Failure, FailurePattern, Proposal
from pytest_maestro_healer.strategies.base import Tactic
from pytest_maestro_healer.strategies.environment_healing import examples_files as examples
from pytest_maestro_healer.strategies.environment_healing.isolate import propose
from pytest_maestro_healer.strategies.environment_healing.paths import Written, below, instead, parents, written
from pytest_maestro_healer.strategies.environment_healing.place import Place, entry, test_function
from pytest_maestro_healer.strategies.environment_healing.writer import Writer

_MISSING = ("FileNotFoundError", "NotADirectoryError")


class WorkingDirectory(Tactic):
    """Files found from one folder only."""

    name = "working_directory"
    summary = "Anchors a relative path at the test file, or gives the test the working directory that the product's relative paths need"
    patterns = frozenset({FailurePattern.ENVIRONMENT_ISSUE, FailurePattern.ASSERTION_FAILURE, FailurePattern.UNKNOWN})
    applicability = Applicability.SAFE
    evidence = ("file",)
    sources = ("https://docs.pytest.org/en/stable/how-to/monkeypatch.html", "https://docs.python.org/3/library/pathlib.html")
    heals = examples.WORKING_HEALS
    declines = examples.WORKING_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The path anchored where it is written in the test; else the working directory."""
        place = entry(failure, ctx) or test_function(failure, ctx)
        if place is None or failure.phase == "collect":
            return
        wanted = str(failure.exc_attrs.get("filename") or "") if failure.is_a(*_MISSING) else ""
        if os.path.isabs(wanted):
            return
        up = parents(place.src.tree or place.node)
        literals = [w for w in written(place.src.tree or place.node, place.src) if _relevant(w, place) and not _joined(w.node, up)]
        for base, folder in _bases(place.src.path, ctx):
            found = [w for w in literals if _found_only_there(w.text, folder, ctx)]
            if wanted and not (_found_only_there(wanted, folder, ctx) or any(w.text == wanted for w in found)):
                continue
            if not wanted and not found:
                continue
            yield from self._proposals(failure, ctx, place, found, base, wanted or found[0].text)
            return

    def _proposals(self, failure: Failure, ctx: Context, place: Place, found: Sequence[Written], base: str, wanted: str) -> Iterable[Proposal]:
        shown = base or "the project's root"
        cwd = ctx.files.relative(ctx.machine.cwd) or "."
        fact = Evidence(
            "file", f"{wanted} is there seen from {shown}, and not from where pytest was started ({cwd})", posixpath.join(base, wanted), 0.85
        )
        group = [failure, *(f for f in ctx.failures if f.nodeid != failure.nodeid and _same(f, failure))]
        common = {"evidence": [fact], "explanation": f"{wanted} is looked for in the working directory; it lies in {shown}", "safe": True}
        meaning = f"relative paths start at {shown}"
        if found and any(wanted.endswith(w.text) or below(wanted, w.text) is not None for w in found):
            made = propose(self.name, group, ctx, lambda: self._anchored(place, found, base), meaning=meaning, score=0.85, **common)  # type: ignore[arg-type]
            if made is not None:
                yield made
        made = propose(self.name, group, ctx, lambda: _changed(group, ctx, base), meaning=meaning, score=0.8, **common)  # type: ignore[arg-type]
        if made is not None:
            yield made

    @staticmethod
    def _anchored(place: Place, found: Sequence[Written], base: str) -> tuple[tuple[Edit, ...], bool]:
        writer = Writer(place.src)
        up = parents(place.src.tree or place.node)
        root = anchor(writer, base)
        for w in found:
            if isinstance(up.get(w.node), ast.Call) and w.is_path is False and _is_maker(up[w.node]):
                start, end = writer.src.span(up[w.node])
                writer.replace(start, end, instead(Written(up[w.node], w.text, True), root, w.text, up))  # type: ignore[arg-type]
            else:
                writer.replace_node(w.node, instead(w, root, w.text, up))
        return writer.edits(), False


def _is_maker(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Path", "PurePath") and len(node.args) == 1


def anchor(writer: Writer, base: str) -> str:
    """An expression for the folder ``base`` (root-relative) from the test file's own place."""
    path = writer.imported("pathlib", "Path")
    parts = posixpath.dirname(writer.src.path)
    up = len([p for p in parts.split("/") if p]) - len([p for p in base.split("/") if p])
    return f"{path}(__file__).parent" if up == 0 else f"{path}(__file__).parents[{up}]"


def _changed(group: Sequence[Failure], ctx: Context, base: str) -> tuple[tuple[Edit, ...], bool]:
    """``monkeypatch.chdir`` at the start of each function."""
    places: dict[str, dict[int, Place]] = {}
    for f in group:
        place = entry(f, ctx)
        if place is not None and (place.takes_fixtures or place.kind == "unittest"):
            places.setdefault(place.src.path, {})[place.node.lineno] = place
    edits: list[Edit] = []
    for mine in places.values():
        writer = Writer(next(iter(mine.values())).src)
        folder = anchor(writer, base)
        for place in mine.values():
            if place.takes_fixtures:
                writer.argument(place.node, "monkeypatch")
                writer.start(place.node, [f"monkeypatch.chdir({folder})"])
            else:
                module = writer.module("os")
                me = place.node.args.args[0].arg if place.node.args.args else "self"
                writer.start(place.node, [f"{me}.addCleanup({module}.chdir, {module}.getcwd())", f"{module}.chdir({folder})"])
        edits += writer.edits()
    return tuple(edits), any(ctx.is_helper(p) for p in places)


def _same(other: Failure, failure: Failure) -> bool:
    return (
        other.path == failure.path
        and other.phase == failure.phase
        and other.exc_type == failure.exc_type
        and other.healable
        and not os.path.isabs(str(other.exc_attrs.get("filename") or ""))
    )


def _bases(path: str, ctx: Context) -> Iterable[tuple[str, str]]:
    """(root-relative folder, absolute folder) from the test file's own upwards to the root, without the working directory."""
    here = posixpath.dirname(path)
    while True:
        folder = os.path.join(ctx.root, here) if here else str(ctx.root)
        if os.path.realpath(folder) != os.path.realpath(ctx.machine.cwd):
            yield here, folder
        if not here:
            return
        here = posixpath.dirname(here)


def _found_only_there(text: str, folder: str, ctx: Context) -> bool:
    return (
        bool(text)
        and not os.path.isabs(text)
        and "\n" not in text
        and len(text) < 200
        and text not in (".", "..")
        and ctx.machine.exists(os.path.join(folder, text))
        and not ctx.machine.exists(os.path.join(ctx.machine.cwd, text))
    )


def _joined(node: ast.AST, up: Mapping[ast.AST, ast.AST]) -> bool:
    """Whether a path is only the rest of another one, and relative to that."""
    parent = up.get(node)
    if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Div):
        return parent.right is node
    if not isinstance(parent, ast.Call):
        return False
    name = parent.func.attr if isinstance(parent.func, ast.Attribute) else ""
    return name == "joinpath" or (name == "join" and node not in parent.args[:1])


def _relevant(found: Written, place: Place) -> bool:
    """Written in the failing function, or at module level."""
    if found.tail:
        return False
    line = found.node.lineno
    inside = place.node.lineno <= line <= (place.node.end_lineno or line)
    tree = place.src.tree
    top = next((n for n in tree.body if n.lineno <= line <= (n.end_lineno or n.lineno)), None) if tree else None
    return inside or isinstance(top, (ast.Assign, ast.AnnAssign))
