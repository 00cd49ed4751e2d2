"""py.path idioms -> pathlib, and the hook arguments that changed from the one to the other."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Proposal
from pytest_maestro_healer.strategies.base import Example, Tactic
from pytest_maestro_healer.strategies.dependency_fix.build import edit_files
from pytest_maestro_healer.strategies.dependency_fix.editor import FileEditor
from pytest_maestro_healer.strategies.dependency_fix.table_testing import HOOK_ARGUMENTS, HOOK_SOURCE, PYPATH_ATTRIBUTES, PYPATH_METHODS

_PLAIN = ("str", "Path", "pathlib.Path", "os.fspath", "open", "repr", "print", "len")


def rewrite_pypath(name: ast.expr, editor: FileEditor) -> None:
    """Translate what is done with a py.path object to pathlib; raises EditError for what has no equivalent."""
    parent = editor.up.get(name)
    if not isinstance(parent, ast.Attribute):
        if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Add):
            raise EditError(f"line {name.lineno}: string addition")
        return
    call = editor.up.get(parent)
    end = editor.src.span(name)[1]
    if parent.attr in PYPATH_ATTRIBUTES:
        editor.replace(end, editor.src.span(parent)[1], PYPATH_ATTRIBUTES[parent.attr])
        return
    if parent.attr in ("strpath", "dirname"):
        start = editor.src.span(name)[0]
        editor.replace(start, start, "str(")
        editor.replace(end, editor.src.span(parent)[1], ")" if parent.attr == "strpath" else ".parent)")
        return
    if not isinstance(call, ast.Call) or call.func is not parent:
        raise EditError(f"line {name.lineno}: {parent.attr} has no pathlib equivalent")
    row = PYPATH_METHODS.get(parent.attr)
    if parent.attr == "mkdir" and len(call.args) == 1:
        raise EditError(f"line {name.lineno}: mkdir returns the new folder")
    if row is None or (row[0] >= 0 and len(call.args) != row[0]) or call.keywords:
        raise EditError(f"line {name.lineno}: {parent.attr} has no pathlib equivalent")
    method = row[1].removeprefix("{0}")
    prefix, _, suffix = method.partition("{rest}")
    if suffix or "(" not in method:
        open_at = editor.src.span(parent)[1]
        if "{rest}" in method:
            editor.replace(end, open_at, prefix.rstrip("("))
        else:
            editor.replace(end, editor.src.span(call)[1], method)
    else:
        editor.replace(end, editor.src.span(call)[1], method)
    rewrite_pypath_result(call, parent.attr, editor)


def rewrite_pypath_result(call: ast.Call, method: str, editor: FileEditor) -> None:
    """``join`` and ``dirpath`` give paths again: what is done with them is translated too."""
    if method in ("join", "dirpath") and isinstance(editor.up.get(call), ast.Attribute):
        rewrite_pypath(call, editor)


def _refused(failure: Failure) -> bool:
    return "can not be found in the hookspec" in failure.message or "py.path.local) argument is deprecated" in failure.message


class HookArguments(Tactic):
    name = "hook_arguments"
    summary = (
        "A hook in conftest.py that still takes a py.path argument takes its pathlib successor (path -> collection_path, file_path, module_path)."
    )
    patterns = frozenset({FailurePattern.IMPORT_ERROR, FailurePattern.API_CHANGE})
    applicability = Applicability.REVIEW
    evidence = ("docs",)
    sources = (HOOK_SOURCE, "https://py.readthedocs.io/en/latest/path.html")
    heals = (
        Example(
            "pytest_ignore_collect",
            {
                "conftest.py": 'def pytest_ignore_collect(path, config):\n    return path.basename == "test_old.py" or None\n',
                "test_new.py": "def test_new():\n    assert True\n",
            },
            {"conftest.py": 'def pytest_ignore_collect(collection_path, config):\n    return collection_path.name == "test_old.py" or None\n'},
            needs=("pytest>=9.1",),
        ),
    )
    declines = (
        Example(
            "an argument that never existed",
            {"conftest.py": "def pytest_ignore_collect(pth, config):\n    return None\n", "test_new.py": "def test_new():\n    assert True\n"},
            why="no release of pytest had it",
        ),
    )

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """pluggy's PluginValidationError, and what pytest 9.0 says before it comes to that."""
        return _refused(failure)

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """All hooks of the conftest at once; where an idiom has no pathlib equivalent, a py.path view of the new argument."""
        if not _refused(failure):
            return
        fact = Evidence("docs", "pytest replaced the py.path arguments of its hooks by pathlib ones", HOOK_SOURCE, 0.9)
        for keep in (False, True):
            p = edit_files(self.name, lambda e, keep=keep: _migrate_hooks(e, keep=keep), [failure.path], ctx, nodeids=[failure.nodeid],  # type: ignore[misc]
                           evidence=[fact], meaning="hook arguments are pathlib paths", explanation="hook arguments are migrated to pathlib",
                           cause_key=f"hook arguments:{failure.path}", safe=False, score=0.8 - 0.2 * keep)  # fmt: skip
            if p is not None:
                yield p
                return


def _migrate_hooks(editor: FileEditor, *, keep: bool) -> None:
    """Rename the arguments; ``keep`` leaves the body as it was, with a py.path object made of the new argument."""
    src = editor.src
    for f in editor.tree.body:
        if not isinstance(f, ast.FunctionDef):
            continue
        for arg in f.args.args:
            new = HOOK_ARGUMENTS.get((f.name, arg.arg))
            if new is None:
                continue
            start = src.span(arg)[0]
            editor.replace(start, start + len(arg.arg), new)
            names = [n for b in f.body for n in ast.walk(b) if isinstance(n, ast.Name) and n.id == arg.arg]
            fspath = [n for n in names if isinstance(k := editor.up.get(n), ast.keyword) and k.arg == "fspath"]
            for n in fspath:
                k_start = src.span(editor.up[n])[0]
                editor.replace(k_start, src.span(n)[1], f"path={new}")
            rest = [n for n in names if n not in fspath]
            if keep and rest:
                editor.need("import py")
                first = f.body[0]
                at = src.line_start(first.lineno)
                editor.replace(at, at, f"{src.indent_of(first.lineno)}{arg.arg} = py.path.local({new})\n")
                continue
            for n in rest:
                if isinstance(n.ctx, ast.Store) or not _translatable(n, editor):
                    raise EditError(f"line {n.lineno}: the path goes elsewhere")
                rewrite_pypath(n, editor)
                editor.replace_node(n, new)


def _translatable(name: ast.Name, editor: FileEditor) -> bool:
    """Whether a use is one that pathlib serves as well: an attribute, str() and the like, a comparison with a string of it."""
    parent = editor.up.get(name)
    if isinstance(parent, ast.Attribute):
        return True
    return isinstance(parent, ast.Call) and name in parent.args and editor.src.segment(parent.func) in _PLAIN
