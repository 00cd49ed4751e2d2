"""A heal as a commit on a branch of its own, made beside the work tree: neither HEAD nor the index nor any other file is touched.

Only objects and one new branch are written (``hash-object``, ``write-tree``, ``commit-tree``, ``update-ref``); nothing is ever pushed.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_maestro_healer.apply.journal import Link, connected
from pytest_maestro_healer.apply.merge import rebase
from pytest_maestro_healer.apply.write import sha256
from pytest_maestro_healer.errors import ApplyError
from pytest_maestro_healer.model import HealingResult, Record

PREFIX = "maestro-heal/"
_MOST_NAMES = 50
_HOOK_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX")


@dataclass(frozen=True)
class Commit(Record):
    """A healed state as a commit: what a pull request needs to know.

    ``root`` is the project's folder, ``base`` the commit it was made from (HEAD), ``files`` the changed ones below ``root``.
    """

    root: str
    branch: str
    commit: str
    base: str
    title: str
    body: str
    healing_id: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Planned:
    """What is to be committed: ``content`` are the new bytes of each file, as the work tree would have them; ``base`` the commit it is made from."""

    base: str
    content: Mapping[str, bytes]


def plan(root: Path, result: HealingResult, links: Sequence[Link]) -> Planned:
    """What a commit of ``result`` would hold, before anything is written; ``links`` are the steps that heals made in files.

    Raises :class:`~pytest_maestro_healer.errors.ApplyError` where there must be no commit: no repository, staged changes, no identity, or a file
    with uncommitted changes that are not heals.
    """
    try:
        base = _git(root, "rev-parse", "-q", "--verify", "HEAD^{commit}").decode().strip()
    except ApplyError as exc:
        raise ApplyError(f"auto_commit: {root} is in no git repository with a commit; nothing was written") from exc
    if _status(root, "diff", "--cached", "--quiet", "--no-ext-diff") != 0:
        raise ApplyError("auto_commit: the index has staged changes; commit or unstage them; nothing was written")
    if _status(root, "var", "GIT_COMMITTER_IDENT") != 0:
        raise ApplyError("auto_commit: git knows no user.name and user.email; nothing was written")
    content = {}
    for c in result.changes:
        entry = _git(root, "ls-tree", "-z", "HEAD", "--", c.path).split(b"\0")[0]
        if not entry.startswith(b"100"):
            raise ApplyError(f"auto_commit: {c.path} is not committed; nothing was written")
        committed = _git(root, "cat-file", "--filters", f"HEAD:./{c.path}")
        if committed != c.before_bytes and not connected(links, c.path, sha256(committed), c.before_sha256):
            raise ApplyError(f"auto_commit: {c.path} has uncommitted changes; nothing was written")
        merged = rebase(c.before_bytes, c.after_bytes, committed)
        if merged is None or merged == committed:
            raise ApplyError(f"auto_commit: the heal of {c.path} builds on one that is not committed; nothing was written")
        content[c.path] = merged
    return Planned(base, content)


def commit(root: Path, result: HealingResult, planned: Planned) -> Commit:
    """Commit ``planned`` on a branch with the healing id; a branch that has just that already is taken as it is.

    Raises :class:`~pytest_maestro_healer.errors.ApplyError` when git refuses.
    """
    title = f"Heal {result.nodeids[0] if result.nodeids else result.test_id}"
    more = len(result.nodeids) - 1
    title += f" and {more} more" if more > 0 else ""
    body = f"{result.explanation or result.strategy_used}\n\nStrategy: {result.strategy_used}\nConfidence: {result.confidence_score:.2f}\n"
    body += f"Healing-Id: {result.healing_id}\n"
    with tempfile.TemporaryDirectory(prefix="maestro-heal-") as folder:
        env = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        _git(root, "read-tree", planned.base, env=env)
        for path, data in planned.content.items():
            mode = _git(root, "ls-tree", "-z", planned.base, "--", path).split(b" ", 1)[0].decode()
            blob = _git(root, "hash-object", "-w", f"--path={path}", "--stdin", data=data).decode().strip()
            prefix = os.fsdecode(_git(root, "rev-parse", "--show-prefix").rstrip(b"\n"))
            _git(root, "update-index", "--cacheinfo", f"{mode},{blob},{prefix}{path}", env=env)
        tree = _git(root, "write-tree", env=env).decode().strip()
    message = f"{title}\n\n{body}".encode("utf-8", "replace")
    found = _git(root, "commit-tree", tree, "-p", planned.base, "-F", "-", data=message).decode().strip()
    branch, found = _named(root, result.healing_id, found, tree, planned.base)
    return Commit(str(root), branch, found, planned.base, title, body, result.healing_id, tuple(planned.content))


def _named(root: Path, healing_id: str, made: str, tree: str, base: str) -> tuple[str, str]:
    """(branch, its commit): a new branch, or one that was made for the same content on the same base before."""
    for n in range(1, _MOST_NAMES):
        branch = f"{PREFIX}{healing_id}" + (f"-{n}" if n > 1 else "")
        ref = f"refs/heads/{branch}"
        with contextlib.suppress(ApplyError):
            at = _git(root, "rev-parse", "-q", "--verify", f"{ref}^{{commit}}").decode().strip()
            if _git(root, "rev-parse", f"{at}^{{tree}}", f"{at}^").decode().split() == [tree, base]:
                return branch, at
            continue
        # the empty old value: it must not exist
        _git(root, "update-ref", "-m", f"maestro-heal: {healing_id}", ref, made, "")
        return branch, made
    raise ApplyError(f"auto_commit: there are {_MOST_NAMES - 1} branches {PREFIX}{healing_id} already")


def _run(root: Path, *args: str, data: bytes | None = None, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    own = {k: v for k, v in os.environ.items() if k not in _HOOK_VARIABLES}
    command = ["git", "--literal-pathspecs", "-c", "core.quotepath=off", "-c", "core.fsmonitor=false", *args]
    try:
        return subprocess.run(
            command,
            cwd=root,
            env={**own, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", **(env or {})},
            input=data if data is not None else b"",
            capture_output=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as exc:
        raise ApplyError(f"auto_commit: git cannot be run: {exc}") from exc


def _status(root: Path, *args: str) -> int:
    return _run(root, *args).returncode


def _git(root: Path, *args: str, data: bytes | None = None, env: Mapping[str, str] | None = None) -> bytes:
    done = _run(root, *args, data=data, env=env)
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"status {done.returncode}"]
        raise ApplyError(f"auto_commit: git {args[0]}: {said[-1][:300]}")
    return done.stdout
