"""Since when a test is what it is: neither its layout, annotations, marks nor name count, and a file that was moved is followed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.git import Git
from pytest_maestro_healer.evidence.nodeids import path_to
from pytest_maestro_healer.evidence.symbols import parse
from pytest_maestro_healer.model import Failure

_Function = ast.FunctionDef | ast.AsyncFunctionDef
#: So many commits of a test file are looked through.
_COMMITS = 80


def origin(ctx: Context, failure: Failure) -> str:
    """The commit that brought the failing test as it is now; ``""`` where git does not tell: not committed, not found, cut off by a shallow clone."""
    tree = parse(ctx.files.read(failure.path) or b"")
    test = _test(tree, path_to(failure.nodeid)) if tree is not None else None
    found = _origin(ctx.git, failure.path, _text(test)) if test is not None and ctx.git.available else ""
    return "" if found and ctx.git.shallow and not ctx.git.has_parent(found) else found


def named(ctx: Context, failure: Failure) -> str:
    """The first commit known that has a test of this name in this file, whatever it did then; ``""`` if there is none."""
    return _named(ctx.git, failure.path, path_to(failure.nodeid)[-1])


def never_seen(ctx: Context, failure: Failure) -> bool:
    """Whether the failing test came with HEAD or is not committed yet, and no run is known in which it passed.

    A first commit is no such: with it came everything, and where the test passed before nobody knows.
    """
    if ctx.last_green(failure.nodeid) or not ctx.git.has_parent("HEAD"):
        return False
    return named(ctx, failure) in ("", ctx.git.head)


def given_otherwise(ctx: Context, failure: Failure) -> str:
    """The test code that changed since the failing test was last green (in HEAD or later, where no run is known): itself, or what it works on.

    What it took then is no measure of what it takes now. A path, ``""`` where nothing changed or git does not tell.
    """
    green = ctx.last_green(failure.nodeid)
    names = path_to(failure.nodeid)
    folders = failure.path.split("/")[:-1]
    fixtures = ["/".join([*folders[:i], "conftest.py"]) for i in range(len(folders) + 1)]
    helpers = [p for p in ctx.variables.reachable(failure.path) if p != failure.path and ctx.is_test_code(p)]
    for base in [green] if green else ["HEAD", "HEAD~1"] if ctx.git.available else []:
        trees = (parse(data or b"") for data in (ctx.git.bytes_at(failure.path, base), ctx.files.read(failure.path)))
        then, now = (_test(tree, names) if tree is not None else None for tree in trees)
        if then is None or now is None:
            continue
        if _text(then) != _text(now):
            return failure.path
        for path in (*fixtures, *helpers):
            if ctx.git.bytes_at(path, base) != ctx.files.read(path):
                return path
    return ""


@lru_cache(maxsize=256)
def _named(git: Git, path: str, name: str) -> str:
    word = re.compile(rf"def\s+{re.escape(name)}\b".encode())
    first = ""
    for commit, data in _past(git, path):
        if not word.search(data):
            break
        first = commit
    return first


@lru_cache(maxsize=256)
def _origin(git: Git, path: str, text: str) -> str:
    found = ""
    for commit, data in _past(git, path):
        tree = parse(data)
        if tree is None or not any(isinstance(n, _Function) and _text(n) == text for n in ast.walk(tree)):
            break
        found = commit
    return found


def _past(git: Git, path: str) -> Iterator[tuple[str, bytes]]:
    """(commit, bytes then) of the commits that changed a file, newest first."""
    former = {new: old for old, new in git.renames().items()}
    seen: set[str] = set()
    while path and path not in seen:
        seen.add(path)
        for commit, _ in git.commits(path, limit=_COMMITS):
            if (data := git.bytes_at(path, commit)) is not None:
                yield commit, data
        path = former.get(path, "")


def _test(tree: ast.Module, names: list[str]) -> _Function | None:
    """The function at the end of ``names``, in classes of these names as far as it stands in them; also one under a condition."""
    scope: ast.AST = tree
    for name in names[:-1]:
        scope = next((n for n in ast.walk(scope) if isinstance(n, ast.ClassDef) and n.name == name), scope)
    return next((n for n in ast.walk(scope) if isinstance(n, _Function) and n.name == names[-1]), None)


def _text(test: _Function) -> str:
    """What a test does: parameters, parameter sets and statements."""
    sets = [ast.dump(d) for d in test.decorator_list if "parametrize" in ast.dump(d)]
    body = test.body[1:] if ast.get_docstring(test) is not None else test.body
    names = [a.arg for a in ast.walk(test.args) if isinstance(a, ast.arg) and a.arg not in ("self", "cls")]
    return "\n".join([type(test).__name__, *names, *sets, *(ast.dump(s) for s in body)])
