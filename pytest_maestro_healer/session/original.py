"""Tests as they were when they last passed: the project of that commit in a temporary folder, and the mutants that the test noticed there.

A copy of the project gets the committed bytes of all that changed since; what git does not track (generated files, compiled extensions) stays, so
that it runs in this environment. Paths of the project in arguments, environment and links become those of the copy: nothing there reaches the
project. A process collects the failed files there and serves, as for clean runs; where none can be copied, fresh ones are asked one after the other.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.experiments import Conditions
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.evidence.nodeids import file_of
from pytest_maestro_healer.evidence.past.former import added
from pytest_maestro_healer.evidence.past.former import todays as is_todays
from pytest_maestro_healer.prove.mutants import Identity
from pytest_maestro_healer.prove.original import LATE, Original, Seen
from pytest_maestro_healer.prove.runner import RunReport
from pytest_maestro_healer.session import forked, unforked, wire
from pytest_maestro_healer.session.fresh import Fresh, scratch_copy, scratch_place
from pytest_maestro_healer.session.zygote import Zygote

#: This part of the healing phase's budget may go into old versions.
_SHARE = 0.1
#: Old versions that are kept at a time; they may be large, but where a test was not green at the first it is looked for at the second.
_TREES = 2


class Originals:
    """See :class:`~pytest_maestro_healer.prove.original.Past`; nothing is done before it is asked for, :meth:`close` leaves nothing behind."""

    def __init__(self, ctx: Context, config: pytest.Config, environ: Mapping[str, str]) -> None:
        """``environ`` is the environment as it was before any test ran."""
        self._ctx = ctx
        self._config = config
        self._environ = environ
        self._left = ctx.config.budget * _SHARE
        self._trees: dict[str, _Tree | str] = {}
        self._todays: dict[str, _Tree | str] = {}
        self._known: dict[tuple[str, ...], Original] = {}

    def original(self, nodeids: Sequence[str]) -> Original:
        """See :class:`~pytest_maestro_healer.prove.original.Past`."""
        key = tuple(nodeids)
        if key not in self._known:
            began = time.monotonic()
            try:
                self._known[key] = self._looked_up(key)
            except (OSError, shutil.Error, ValueError, KeyError, TypeError) as exc:
                self._known[key] = Original(why=f"{type(exc).__name__}: {exc}")
            self._left -= time.monotonic() - began
        return self._known[key]

    def then(self, nodeids: Sequence[str], overlay: Mapping[str, bytes], conditions: Conditions) -> RunReport:
        """See :class:`~pytest_maestro_healer.prove.original.Past`."""
        try:
            tree = self._tree(self._todays, conditions.rev, todays=True)
        except (OSError, shutil.Error, ValueError) as exc:
            tree = self._todays[conditions.rev] = f"{type(exc).__name__}: {exc}"
        if isinstance(tree, str):
            return RunReport(problem=f"state: {tree}")
        return tree.run(nodeids, overlay, conditions)

    def bytes_at(self, path: str, rev: str) -> bytes:
        """See :class:`~pytest_maestro_healer.prove.original.Past`."""
        former = next((old for old, new in self._ctx.git.renames().items() if new == path), path)
        return self._ctx.git.bytes_at(path, rev) or self._ctx.git.bytes_at(former, rev) or b""

    def close(self) -> None:
        """End the processes and remove the folders."""
        for tree in (*self._trees.values(), *self._todays.values()):
            if isinstance(tree, _Tree):
                tree.close()
        self._trees.clear()
        self._todays.clear()

    def _looked_up(self, nodeids: tuple[str, ...]) -> Original:
        if not self._ctx.git.available:
            return Original(why="there is no git repository here")
        first: Original | None = None
        for rev in self._revisions(nodeids):
            found = self._at(rev, nodeids)
            if not found.why:
                return found
            first = first or found
        return first or Original(why="git has no earlier version")

    def _revisions(self, nodeids: Sequence[str]) -> Sequence[str]:
        """Where the tests were seen passing; else where they may have passed: before what is not committed, before the last commit."""
        green = next((rev for n in nodeids if (rev := self._ctx.last_green(n))), "")
        if green:
            return [green]
        dirty = bool(self._ctx.git.changed_files("HEAD"))
        return ["HEAD", "HEAD~1"] if dirty else ["HEAD~1"]

    def _at(self, rev: str, nodeids: Sequence[str]) -> Original:
        seconds = min(self._left, self._ctx.config.timeout)
        if seconds <= 0:
            return Original(why=LATE)
        tree = self._tree(self._trees, rev)
        if isinstance(tree, str):
            return Original(why=tree)
        return tree.original(rev, nodeids, seconds)

    def _tree(self, trees: dict[str, _Tree | str], rev: str, *, todays: bool = False) -> _Tree | str:
        tree = trees.get(rev)
        if tree is None:
            kept = [r for r, t in trees.items() if isinstance(t, _Tree)]
            for old in kept[: len(kept) + 1 - _TREES]:
                other = trees.pop(old)
                if isinstance(other, _Tree):
                    other.close()
            tree = trees[rev] = self._built(rev, todays)
        return tree

    def _built(self, rev: str, todays: bool) -> _Tree | str:
        former = self._ctx.git.former(rev)
        if former is None:
            return f"git does not give the version at {rev[:12]}"
        if todays:
            mine = {p: data for p, data in former.items() if not is_todays(self._ctx, p)}
            former = {**mine, **dict.fromkeys(added(self._ctx))}
        tree = _Tree(self._ctx, self._config, self._environ)
        try:
            problem = tree.build(former, self._ctx.git.beside(rev))
        except BaseException:
            tree.close()
            raise
        if problem:
            tree.close()
        return problem or tree


class _Tree:
    """The project as it was, in a temporary folder, with a process that serves there."""

    def __init__(self, ctx: Context, config: pytest.Config, environ: Mapping[str, str]) -> None:
        self._ctx = ctx
        self._folder = Path(tempfile.mkdtemp(prefix="maestro-heal-"))
        self.root = scratch_place(ctx.root, Path(os.path.realpath(self._folder)))
        was = ctx.files
        files = ProjectFiles(self.root, python_files=was.python_files, testpaths=was.testpaths, collected_files=sorted(was.collected_files))
        self._fresh = _Before(config, files, ctx.config.timeout, environ, was.root)
        self._zygote: Zygote | None = None
        self._served: frozenset[str] = frozenset()

    def close(self) -> None:
        """End the process, remove the folder."""
        if self._zygote is not None:
            self._zygote.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def build(self, former: Mapping[str, bytes | None], beside: Sequence[str]) -> str:
        """Write the files, without those of the repository ``beside`` the project; returns why that cannot be done, or ``""``."""
        too_large = scratch_copy(self._ctx.root, self.root, {})
        if too_large:
            return "the project is too large to be copied"
        _relinked(self._ctx.root, self.root)
        top = next((p for p in self.root.parents if os.path.lexists(p / ".git")), self.root)
        for path in beside:
            (top / path).unlink(missing_ok=True)  # what it was is not known here
        for path, data in former.items():
            full = self.root / path
            if not Path(os.path.realpath(full.parent)).is_relative_to(self.root):
                return f"{path} lies behind a link"
            if full.is_dir() and not full.is_symlink():
                continue
            full.unlink(missing_ok=True)
            if data is not None:
                full.parent.mkdir(parents=True, exist_ok=True)
                full.write_bytes(data)
        return ""

    def run(self, nodeids: Sequence[str], overlay: Mapping[str, bytes], conditions: Conditions) -> RunReport:
        """Tests in a fresh process here."""
        return self._fresh.run(nodeids, overlay, conditions=conditions)

    def original(self, rev: str, nodeids: Sequence[str], seconds: float) -> Original:
        """What ``nodeids`` notice here."""
        mine = {p for n in nodeids if (self.root / (p := file_of(n))).is_file()}
        if not mine:
            return Original(why=f"the test was not there at {rev[:12]}")
        until = time.monotonic() + seconds
        request = {
            "nodeids": list(nodeids),
            "now": str(self._ctx.root),
            "renames": self._ctx.git.renames(),
            "seconds": seconds * 0.8,
            "timeout": self._ctx.config.timeout,
        }
        found: Mapping[str, Any] | None = {"unable": True}
        if forked.known_safe():
            found = self._serving(mine).ask({"original": request}, seconds)
        if found is not None and found.get("unable"):  # what it imports may have started threads
            found = self._unforked(sorted(mine), request, until)
        if found is None:
            return Original(why=LATE if time.monotonic() >= until else f"the project as it was at {rev[:12]} does not run here")
        if found["why"]:
            return Original(why=f"at {rev[:12]} {found['why']}")
        seen = tuple(Seen(path, Identity(*identity), old, bool(killed)) for path, identity, old, killed in found["seen"])
        return Original(rev, tuple(found["tests"]), seen, untried=found["untried"])

    def _unforked(self, files: Sequence[str], request: Mapping[str, Any], until: float) -> Mapping[str, Any] | None:
        """The same in fresh processes: one says what is to be tried, others try it."""
        told: Mapping[str, Any] | None = self._fresh.answer(files, {"original": request}, max(0.01, until - time.monotonic()))[0]
        if told is None or told["why"]:
            return told
        mutants = [wire.mutant(m) for m, *_ in told["found"]]
        left = until - time.monotonic()
        fates = unforked.killed(self._fresh, told["tests"], {}, mutants, self._fresh.timeout, seconds=left, hung=None)
        seen = [[*rest, fate] for (_, *rest), fate in zip(told["found"], fates, strict=True) if fate is not None]
        return {**told, "seen": seen, "untried": len(mutants) - len(seen) if time.monotonic() >= until else 0}

    def _serving(self, wanted: set[str]) -> Zygote:
        """The process that has collected ``wanted``: at first with all failed files, since the next heal will be of one of these."""
        if self._zygote is None or not wanted <= self._served:
            if self._zygote is not None:
                self._zygote.close()
            failed = {f.path for f in self._ctx.failures if f.path.endswith(".py") and (self.root / f.path).is_file()}
            self._served |= wanted | failed
            self._zygote = Zygote(self._fresh)
            self._zygote.start(sorted(self._served))
        return self._zygote


class _Before(Fresh):
    """Processes in the copy, which know nothing of the project itself."""

    def __init__(self, config: pytest.Config, files: ProjectFiles, timeout: float, environ: Mapping[str, str], was: Path) -> None:
        super().__init__(config, files, timeout, environ)
        self._was = was

    def _given(self) -> list[str]:
        return []

    def _folder(self) -> Path:
        return Path(self._mapped(str(super()._folder())))

    def _arguments(self, work: Path, root: Path) -> list[str]:
        return [self._mapped(a) for a in super()._arguments(work, root)]

    def _environment(self, work: Path) -> dict[str, str]:
        env = {k: self._mapped(v) for k, v in super()._environment(work).items()}
        # an editable installation leads to the project
        env["PYTHONPATH"] = os.pathsep.join([*map(self._mapped, _import_roots(self._was)), *filter(None, [env.get("PYTHONPATH", "")])])
        return env

    def _mapped(self, text: str) -> str:
        for was in dict.fromkeys((str(self._was), os.path.realpath(self._was))):
            text = re.sub(rf"{re.escape(was)}(?=$|[{re.escape(os.sep + os.pathsep)}])", lambda _: str(self.files.root), text)
        return text


def _import_roots(root: Path) -> list[str]:
    """The folders in the project from which its modules are imported in this process."""
    out: dict[str, None] = {}
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if not isinstance(path, str) or not path.endswith(".py") or not path.startswith(str(root) + os.sep):
            continue
        parts = [*Path(path).with_suffix("").parts]
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        dotted = name.split(".")
        if parts[-len(dotted) :] == dotted:
            out[str(Path(*parts[: -len(dotted)]))] = None
    return sorted(out)


def _relinked(root: Path, copy: Path) -> None:
    """Links within the project become links within the copy."""
    inside = Path(os.path.realpath(root))
    for folder, dirs, names in os.walk(copy):
        for name in [*dirs, *names]:
            link = Path(folder, name)
            if link.is_symlink():
                real = Path(os.path.realpath(root / link.relative_to(copy)))
                if real.is_relative_to(inside):
                    link.unlink()
                    link.symlink_to(copy / real.relative_to(inside))
