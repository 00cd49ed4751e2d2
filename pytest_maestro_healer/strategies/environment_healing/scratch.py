"""Files and folders outside the project that a test takes to be there, not to be there, or to be writable."""

from __future__ import annotations

import ast
import os
import posixpath
from collections.abc import Iterable, Sequence

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Edit, Evidence, Failure, FailurePattern, Proposal
from pytest_maestro_healer.strategies.base import Tactic
from pytest_maestro_healer.strategies.environment_healing import examples_scratch as examples
from pytest_maestro_healer.strategies.environment_healing.hints import is_assertion
from pytest_maestro_healer.strategies.environment_healing.isolate import Expression, advice, isolated, propose
from pytest_maestro_healer.strategies.environment_healing.paths import Written, below, instead, parents, written
from pytest_maestro_healer.strategies.environment_healing.place import Place, entry, parameters, test_function
from pytest_maestro_healer.strategies.environment_healing.writer import Writer

_ERRORS = ("FileExistsError", "FileNotFoundError", "PermissionError", "IsADirectoryError", "NotADirectoryError", "OSError")
_BROKEN = frozenset({FailurePattern.ENVIRONMENT_ISSUE, FailurePattern.ASSERTION_FAILURE, FailurePattern.UNKNOWN})
#: Folders of the machine that a test may read, but never owns.
_SYSTEM = ("/proc", "/sys", "/dev", "/etc", "/usr", "/bin", "/sbin", "/lib", "/boot")


class ScratchPath(Tactic):
    """Paths under /tmp, a home folder or anywhere else outside the project."""

    name = "scratch_path"
    summary = "Moves what a test writes from a fixed place of the machine, or from the working directory, to its own tmp_path"
    patterns = _BROKEN
    applicability = Applicability.SAFE
    evidence = ("file",)
    sources = ("https://docs.pytest.org/en/stable/how-to/tmp_path.html",)
    heals = examples.SCRATCH_HEALS
    declines = examples.SCRATCH_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """All paths of the function below the failing place, moved together."""
        place = entry(failure, ctx) or test_function(failure, ctx)
        if place is None or not place.takes_fixtures or not (failure.is_a(*_ERRORS) or is_assertion(failure)):
            return
        wanted = str(failure.exc_attrs.get("filename") or "")
        literals = [w for w in written(place.node, place.src) if _outside(w.text, ctx)]
        top = _top(literals, wanted, failure, ctx)
        if top:
            yield from self._moved(failure, ctx, place, [w for w in literals if below(w.text, top) is not None], top, wanted)
        elif os.path.isabs(wanted) and (constant := _constant(place, wanted, ctx)):
            yield from self._constant_moved(failure, ctx, place, *constant, wanted)
        elif wanted and not os.path.isabs(wanted) and _writes(failure):
            yield from self._own_directory(failure, ctx, place, wanted)

    def _moved(self, failure: Failure, ctx: Context, place: Place, found: Sequence[Written], top: str, wanted: str) -> Iterable[Proposal]:
        state = _state(wanted or top, ctx)
        fact = Evidence("file", f"{wanted or top} {state}", str(failure.location or ""), 0.8 if wanted else 0.55)
        made = propose(
            self.name, [failure], ctx, lambda: _rewritten(place, found, posixpath.dirname(top)), evidence=[fact],
            explanation=f"{top} belongs to the machine: {wanted or top} {state}", meaning=f"{top} is a scratch place", safe=bool(wanted), score=0.8,
        )  # fmt: skip
        if made is not None:
            yield made

    def _constant_moved(self, failure: Failure, ctx: Context, place: Place, name: str, path: str, wanted: str) -> Iterable[Proposal]:
        """The place is a constant of the module: the test sees another one, and so do its helpers."""
        state = _state(wanted, ctx)
        rest = "" if below(wanted, path) else f' / "{posixpath.basename(path)}"'

        def change() -> tuple[tuple[Edit, ...], bool]:
            writer = Writer(place.src)
            for fixture in ("monkeypatch", "tmp_path"):
                writer.argument(place.node, fixture)
            writer.start(place.node, [f'monkeypatch.setitem(globals(), "{name}", str(tmp_path{rest}))'])
            return writer.edits(), ctx.is_helper(place.src.path)

        made = propose(
            self.name, [failure], ctx, change, evidence=[Evidence("file", f"{wanted} {state}", str(failure.location or ""), 0.7)],
            explanation=f"{name} is a place of the machine: {wanted} {state}", meaning=f"{path} is a scratch place", safe=False, score=0.7,
        )  # fmt: skip
        if made is not None:
            yield made

    def _own_directory(self, failure: Failure, ctx: Context, place: Place, wanted: str) -> Iterable[Proposal]:
        """The product (or the test) writes relative to the working directory."""
        state = _state(wanted, ctx)
        folder = posixpath.dirname(wanted)
        fact = Evidence("file", f"{wanted}, seen from the working directory, {state}", str(failure.location or ""), 0.7)

        def change() -> tuple[tuple[Edit, ...], bool]:
            writer = Writer(place.src)
            for name in ("monkeypatch", "tmp_path"):
                writer.argument(place.node, name)
            lines = [f'(tmp_path / "{folder}").mkdir(parents=True)'] if folder and failure.is_a("FileNotFoundError") else []
            writer.start(place.node, [*lines, "monkeypatch.chdir(tmp_path)"])
            return writer.edits(), ctx.is_helper(place.src.path)

        made = propose(
            self.name, [failure], ctx, change, evidence=[fact], explanation=f"{wanted} is written to the working directory, where it {state}",
            meaning="what is written goes to a folder of the test's own", safe=not folder, score=0.7,
        )  # fmt: skip
        if made is not None:
            yield made


def _constant(place: Place, wanted: str, ctx: Context) -> tuple[str, str] | None:
    """The module's constant that the failing path starts with: its name and value."""
    used = {n.id for n in ast.walk(place.src.tree or place.node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    for node in place.src.tree.body if place.src.tree else ():
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in used:
            found = next(iter(written(node.value, place.src)), None)
            if (
                found is not None
                and found.node is node.value
                and not found.is_path
                and _outside(found.text, ctx)
                and below(wanted, found.text) is not None
            ):
                return node.targets[0].id, found.text
    return None


def _outside(text: str, ctx: Context) -> bool:
    """An absolute path (or one of the user's home) that is no part of the project nor of the system."""
    if not posixpath.isabs(text) or text == "/" or "\n" in text or text.startswith(("//", *_SYSTEM)) or len(text) > 200:
        return False
    return below(text, str(ctx.root)) is None and posixpath.normpath(text) != posixpath.normpath(ctx.machine.temp)


def _top(literals: Sequence[Written], wanted: str, failure: Failure, ctx: Context) -> str:
    """The path that the others lie below: one that has to do with the failing name, or is left over from before."""
    related = [w.text for w in literals if wanted and (below(wanted, w.text) is not None or below(w.text, wanted) is not None)]
    if not related and not wanted:
        # nothing but an assertion: a text like "/orders/7" is a route, unless this machine has such a place
        related = [
            w.text for w in literals if ctx.machine.exists(w.text) or (_rooted(w.text, ctx) and not ctx.machine.exists(posixpath.dirname(w.text)))
        ]
    paths = {posixpath.normpath(w.text) for w in literals}
    top = min((posixpath.normpath(p) for p in related), key=len, default="")
    return min((p for p in paths if top and below(top, p) is not None), key=len, default=top)


def _rooted(path: str, ctx: Context) -> bool:
    """Whether the first folder of a path is one of this machine, or the path begins with a name for the home folder."""
    first = path.strip("/").partition("/")[0]
    return not path.startswith("/") or ctx.machine.exists(f"/{first}")


def _state(path: str, ctx: Context) -> str:
    machine = ctx.machine
    if machine.exists(path):
        return "is there already" if machine.writable(path) else "cannot be written by this user"
    folder = posixpath.dirname(path) or "."
    if not machine.exists(folder):
        return "has no folder to stand in"
    return "is not there" if machine.writable(folder) else "cannot be made by this user"


def _writes(failure: Failure) -> bool:
    text = " ".join(f.text for f in failure.frames[-3:]) + failure.statement
    return any(
        w in text for w in ('"w', "'w", '"a', "'a", '"x', "'x", "write", "mkdir", "makedirs", "dump", "save", "touch", "copy", "rename", "connect")
    )


def _rewritten(place: Place, found: Sequence[Written], base: str) -> tuple[tuple[Edit, ...], bool]:
    writer = Writer(place.src)
    up = parents(place.src.tree or place.node)
    if "tmp_path" not in parameters(place.node):
        writer.argument(place.node, "tmp_path")
    for w in found:
        node: ast.AST = w.node
        outer = up.get(node)
        if not w.is_path and isinstance(outer, ast.Call) and isinstance(outer.func, ast.Name) and outer.func.id == "Path" and len(outer.args) == 1:
            w = Written(outer, w.text, True, w.tail)
        writer.replace_node(w.node, instead(w, "tmp_path", below(w.text, base) or "", up))
    return writer.edits(), False


class HomeFolder(Tactic):
    """What lies in the user's home."""

    name = "home_folder"
    summary = "Gives the test a home folder of its own, where the product keeps files in the user's"
    patterns = _BROKEN
    applicability = Applicability.SAFE
    evidence = ("file", "symbol")
    sources = ("https://docs.python.org/3/library/os.path.html#os.path.expanduser", "https://specifications.freedesktop.org/basedir-spec/latest/")
    heals = examples.HOME_HEALS
    declines = examples.HOME_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """``HOME`` at tmp_path; the XDG folders are unset where they are set."""
        implied = ctx.variables.implied(failure.path)
        if failure.phase == "collect" or "HOME" not in implied or ctx.machine.platform == "win32":
            return
        wanted = str(failure.exc_attrs.get("filename") or "")
        inside = bool(wanted) and below(wanted, ctx.machine.home) is not None
        if not inside and (wanted or not is_assertion(failure)):
            return
        changes: dict[str, str | None] = {"HOME": Expression("str(tmp_path)")}
        changes.update(dict.fromkeys(n for n in implied if n.startswith("XDG_") and n in ctx.environ))
        state = _state(wanted, ctx) if inside else "may hold what other programs left there"
        where = implied["HOME"]
        facts = [Evidence("symbol", f"{where} keeps files in the user's home folder", where, 0.5)]
        facts += [Evidence("file", f"{wanted} {state}", str(failure.location or ""), 0.6)] if inside else []
        group = [f for f in ctx.failures if f.nodeid == failure.nodeid or (inside and _home_error(f, failure, ctx))]
        made = propose(
            self.name, group, ctx, lambda: isolated(group, ctx, changes, why="A home folder of the test's own."), evidence=facts,
            explanation=f"{wanted or 'the home folder'} belongs to the user who runs the tests and {state}", meaning="the home folder is empty",
            safe=inside, score=0.75 if inside else 0.4,
        )  # fmt: skip
        if made is not None:
            yield made


def _home_error(other: Failure, failure: Failure, ctx: Context) -> bool:
    name = str(other.exc_attrs.get("filename") or "")
    return other.path == failure.path and other.phase == failure.phase and bool(name) and below(name, ctx.machine.home) is not None


class RootUser(Tactic):
    """Permission bits do not bind the super-user."""

    name = "root_user"
    summary = "Names a test that waits for a PermissionError which the super-user never gets"
    patterns = _BROKEN
    applicability = Applicability.ADVICE
    evidence = ("user",)
    sources = ("https://man7.org/linux/man-pages/man7/path_resolution.7.html",)
    heals = examples.ROOT_HEALS
    declines = examples.ROOT_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The condition to write, since no edit can prove it in this run."""
        place = test_function(failure, ctx)
        if not ctx.machine.is_root or place is None or not is_assertion(failure):
            return
        text = place.src.segment(place.node)
        denies = any(w in text for w in ("chmod", "0o000", "0o444", "0o555", "S_IR")) or "PermissionError" in text
        if not denies or not ("PermissionError" in failure.message or "DID NOT RAISE" in failure.message or "access" in text):
            return
        line = '@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root is never denied")'
        fact = Evidence("user", "the tests run as root, whom permission bits do not bind", failure.path, 0.8)
        told = f"this run is root's, who is never denied: run the tests as an ordinary user, or say so above {failure.function}: {line}"
        yield advice(self.name, failure, told, [fact])
