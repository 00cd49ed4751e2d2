"""Idioms that pytest retired: marks on fixtures, warns(None), pytest.config, nose-style setup, the tmpdir fixture."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Proposal
from pytest_maestro_healer.strategies.base import Example, Tactic
from pytest_maestro_healer.strategies.dependency_fix.build import edit_files, enclosing_function, functions, is_fixture
from pytest_maestro_healer.strategies.dependency_fix.cause import available_fixtures, missing, raised_in_tests, same_cause
from pytest_maestro_healer.strategies.dependency_fix.editor import FileEditor
from pytest_maestro_healer.strategies.dependency_fix.fixtures import rename_argument, requesters
from pytest_maestro_healer.strategies.dependency_fix.pypath import rewrite_pypath
from pytest_maestro_healer.strategies.dependency_fix.table_testing import PYTEST

_ANY = frozenset({FailurePattern.IMPORT_ERROR, FailurePattern.API_CHANGE, FailurePattern.ENVIRONMENT_ISSUE})


#: As pytest 9.1 says it, and 9.0.
_MARKED = ("Marks cannot be applied to fixtures", "Marks applied to fixtures have no effect")


def _same_message(failure: Failure, part: str, ctx: Context) -> tuple[list[str], list[str]]:
    """(paths, nodeids) of all failures whose message has ``part``."""
    group = [f for f in (failure, *ctx.failures) if part in f.message]
    return list(dict.fromkeys(f.path for f in group)), list(dict.fromkeys(f.nodeid for f in group))


class MarkedFixture(Tactic):
    name = "marked_fixture"
    summary = "A mark on a fixture, which never had an effect and is an error now, is removed."
    patterns = _ANY
    applicability = Applicability.SAFE
    evidence = ("docs",)
    sources = (PYTEST + "#applying-a-mark-to-a-fixture-function",)
    heals = (
        Example(
            "usefixtures on a fixture",
            {
                "test_m.py": 'import pytest\n\n\n@pytest.mark.usefixtures("tmp_path")\n@pytest.fixture\ndef one():\n    return 1\n\n\n'
                "def test_m(one):\n    assert one == 1\n",
            },
            {"test_m.py": "import pytest\n\n\n@pytest.fixture\ndef one():\n    return 1\n\n\ndef test_m(one):\n    assert one == 1\n"},
            needs=("pytest>=9",),
        ),
    )
    declines = (
        Example(
            "a mark on a test",
            {"test_m.py": 'import pytest\n\n\n@pytest.mark.usefixtures("tmp_path")\ndef test_m():\n    assert 1 == 2\n'},
            why="a mark on a test has its effect",
        ),
    )

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """pytest's own message."""
        return any(text in failure.message for text in _MARKED)

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """All marked fixtures of the failing files."""
        said = next((text for text in _MARKED if text in failure.message), "")
        if not said:
            return
        paths, nodeids = _same_message(failure, said, ctx)

        def change(editor: FileEditor) -> None:
            for f in functions(editor.tree):
                for d in f.decorator_list if is_fixture(f) else ():
                    text = editor.src.segment(d)
                    if text.startswith(("pytest.mark.", "mark.")):
                        editor.replace(editor.src.line_start(d.lineno), editor.src.line_start((d.end_lineno or d.lineno) + 1), "")

        fact = Evidence("docs", "marks on fixtures had no effect before they became an error", self.sources[0], 0.95)
        p = edit_files(self.name, change, paths, ctx, nodeids=nodeids, evidence=[fact], meaning="the mark had no effect",
                       explanation="marks on fixtures, which never had an effect, are removed", cause_key="marked fixture", safe=True, score=0.9)  # fmt: skip  # noqa: E501
        if p is not None:
            yield p


class WarnsNone(Tactic):
    name = "warns_none"
    summary = "pytest.warns(None) becomes warnings.catch_warnings(record=True), which records without expecting anything."
    patterns = _ANY
    applicability = Applicability.SAFE
    evidence = ("docs",)
    sources = (PYTEST + "#using-pytest-warns-none",)
    heals = (
        Example(
            "no warning is expected",
            {"test_w.py": "import pytest\n\n\ndef test_w():\n    with pytest.warns(None) as record:\n        int('1')\n    assert not record\n"},
            {
                "test_w.py": "import warnings\n\nimport pytest\n\n\ndef test_w():\n    with warnings.catch_warnings(record=True) as record:\n"
                "        warnings.simplefilter(\"always\")\n        int('1')\n    assert not record\n",
            },
        ),
    )
    declines = (
        Example(
            "a warning class that is none",
            {"test_w.py": "import pytest\n\n\ndef test_w():\n    with pytest.warns(int):\n        int('1')\n"},
            why="the class is wrong: what was meant is unknown",
        ),
    )

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """The TypeError of ``warns(None)``."""
        return failure.is_a("TypeError") and "derived from Warning" in failure.message and "NoneType" in failure.message

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """Every ``with pytest.warns(None)`` of the failing files."""
        paths, nodeids = _same_message(failure, "derived from Warning, not <class 'NoneType'>", ctx)

        def change(editor: FileEditor) -> None:
            src = editor.src
            for node in ast.walk(editor.tree):
                if not isinstance(node, ast.With) or len(node.items) != 1 or not isinstance(call := node.items[0].context_expr, ast.Call):
                    continue
                name = last_name(call.func)
                none = len(call.args) == 1 and isinstance(call.args[0], ast.Constant) and call.args[0].value is None
                if name != "warns" or not none or call.keywords or node.body[0].lineno == node.lineno:
                    continue
                editor.need("import warnings")
                editor.replace_node(call, "warnings.catch_warnings(record=True)")
                first = min([node.body[0].lineno, *(d.lineno for d in getattr(node.body[0], "decorator_list", []))])
                at = src.line_start(first)
                editor.replace(at, at, f'{src.indent_of(first)}warnings.simplefilter("always")\n')

        fact = Evidence(
            "docs", "warns(None) recorded every warning and expected none; catch_warnings(record=True) does the same", self.sources[0], 0.9
        )
        p = edit_files(self.name, change, paths, ctx, nodeids=nodeids, evidence=[fact], meaning="warns(None) records",
                       explanation="pytest.warns(None) becomes warnings.catch_warnings(record=True)", cause_key="warns(None)", safe=True, score=0.9)  # fmt: skip  # noqa: E501
        if p is not None:
            yield p


class PytestConfig(Tactic):
    name = "pytest_config"
    summary = "pytest.config inside a test or fixture becomes request.config, with request among the arguments."
    patterns = _ANY
    applicability = Applicability.SAFE
    evidence = ("docs",)
    sources = (PYTEST + "#pytest-config-global",)
    heals = (
        Example(
            "an option read in a test",
            {"test_c.py": 'import pytest\n\n\ndef test_c():\n    assert pytest.config.getoption("verbose") is not None\n'},
            {"test_c.py": 'import pytest\n\n\ndef test_c(request):\n    assert request.config.getoption("verbose") is not None\n'},
        ),
    )
    declines = (
        Example(
            "at module level",
            {"test_c.py": 'import pytest\n\nV = pytest.config.getoption("verbose")\n\n\ndef test_c():\n    assert V is not None\n'},
            why="there is no request at import time: the module has to be restructured",
        ),
    )

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """``pytest`` has no ``config``."""
        found = missing(failure)
        return found is not None and found.kind == "attribute" and found.module == "pytest" and found.name == "config"

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """Every use inside tests and fixtures of the failing files."""
        found = missing(failure)
        if found is None or not raised_in_tests(failure, found, ctx):
            return
        group = same_cause(found, ctx, failure)

        def change(editor: FileEditor) -> None:
            src = editor.src
            for n in ast.walk(editor.tree):
                if not (isinstance(n, ast.Attribute) and n.attr == "config" and isinstance(n.value, ast.Name) and n.value.id == "pytest"):
                    continue
                f = enclosing_function(editor.tree, n.lineno)
                if f is None or not (f.name.startswith("test") or is_fixture(f)):
                    raise EditError(f"line {n.lineno}: no request here")
                editor.replace_node(n, "request.config")
                if "request" not in {a.arg for a in ast.walk(f.args) if isinstance(a, ast.arg)}:
                    _add_argument(editor, f, "request")
            del src

        fact = Evidence("docs", "pytest.config was removed; the request fixture has the same object as request.config", self.sources[0], 0.9)
        p = edit_files(self.name, change, [m.path for _, m in group], ctx, nodeids=[f.nodeid for f, _ in group], evidence=[fact],
                       meaning="pytest.config is request.config", explanation="pytest.config is read from the request fixture", cause_key=found.key,
                       safe=True, score=0.9)  # fmt: skip
        if p is not None:
            yield p


def _add_argument(editor: FileEditor, f: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> None:
    """Add a plain argument after the last one without a default."""
    src = editor.src
    if f.args.vararg or f.args.kwarg or f.args.kwonlyargs or f.args.defaults:
        raise EditError(f"line {f.lineno}: arguments of another form")
    plain = [*f.args.posonlyargs, *f.args.args]
    if plain:
        end = src.span(plain[-1])[1]
        editor.replace(end, end, f", {name}")
        return
    start = src.text.index("(", src.offset(f.lineno, f.col_offset) + src.text[src.offset(f.lineno, f.col_offset) :].index(f.name) + len(f.name))
    editor.replace(start + 1, start + 1, name)


_METHODS = {"setup": "setup_method", "teardown": "teardown_method"}
_MODULE = {"setup": "setup_module", "teardown": "teardown_module"}


class NoseSetup(Tactic):
    name = "nose_setup"
    summary = "setup() and teardown() in nose's style, which pytest 8 no longer calls, get the names that pytest calls."
    patterns = _ANY
    applicability = Applicability.SAFE
    evidence = ("docs", "symbol")
    sources = (PYTEST + "#support-for-tests-written-for-nose",)
    heals = (
        Example(
            "a plain test class",
            {
                "test_s.py": "class TestS:\n    def setup(self):\n        self.items = [1]\n\n    def teardown(self):\n        self.items.clear()\n\n"
                "    def test_s(self):\n        assert self.items == [1]\n",
            },
            {
                "test_s.py": "class TestS:\n    def setup_method(self):\n        self.items = [1]\n\n    def teardown_method(self):\n        self.items.clear()\n\n"  # noqa: E501
                "    def test_s(self):\n        assert self.items == [1]\n",
            },
        ),
        Example(
            "at module level",
            {"test_s.py": "def setup():\n    global ITEMS\n    ITEMS = [1]\n\n\ndef test_s():\n    assert ITEMS == [1]\n"},
            {"test_s.py": "def setup_module():\n    global ITEMS\n    ITEMS = [1]\n\n\ndef test_s():\n    assert ITEMS == [1]\n"},
        ),
    )
    declines = (
        Example(
            "setup does not set what is missing",
            {
                "test_s.py": "class TestS:\n    def setup(self):\n        self.items = [1]\n\n    def test_s(self):\n        assert self.other == [1]\n",  # noqa: E501
            },
            why="calling setup would not help: the attribute comes from nowhere",
        ),
    )

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """A missing attribute of the test object, or an undefined global."""
        found = missing(failure)
        return found is not None and ((found.kind == "attribute" and found.of_object) or found.kind == "undefined")

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The class or module whose setup sets what is missing; its teardown goes along."""
        found = missing(failure)
        src = ctx.source(found.path) if found is not None else None
        if found is None or src is None or src.tree is None or not raised_in_tests(failure, found, ctx):
            return
        owner = self._owner(found.name, found.module if found.kind == "attribute" else "", src.tree)
        if owner is None:
            return
        names = _METHODS if isinstance(owner, ast.ClassDef) else _MODULE
        where = owner.name if isinstance(owner, ast.ClassDef) else src.path
        have = {getattr(n, "name", "") for n in owner.body}
        if have & set(names.values()):
            return

        def change(editor: FileEditor) -> None:
            body = next((n.body for n in ast.walk(editor.tree) if isinstance(n, ast.ClassDef) and n.name == where), editor.tree.body)
            for n in body:
                if isinstance(n, ast.FunctionDef) and n.name in names and not n.decorator_list:
                    at = editor.src.span(n)[0] + len("def ")
                    editor.replace(at, at + len(n.name), names[n.name])

        group = [f for f in (failure, *ctx.failures) if f.path == failure.path and (isinstance(owner, ast.Module) or f"::{where}::" in f.nodeid)]
        facts = [
            Evidence("symbol", f"setup() of {where} sets {found.name}, and pytest 8 does not call it", f"{src.path}:{owner.body[0].lineno}", 0.85),
            Evidence("docs", f"pytest called setup() as {names['setup']}()", self.sources[0], 0.85),
        ]
        text = f"setup() and teardown() of {where} are named as pytest calls them"
        p = edit_files(self.name, change, [src.path], ctx, nodeids=[f.nodeid for f in group], evidence=facts, meaning=text, explanation=text,
                       cause_key=f"nose setup:{src.path}:{where}", safe=True, score=0.92)  # fmt: skip
        if p is not None:
            yield p

    def _owner(self, name: str, cls: str, tree: ast.Module) -> ast.ClassDef | ast.Module | None:
        """The test class (not a TestCase) or the module whose ``setup`` sets ``name``."""
        if not cls:
            setup = next(
                (n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "setup" and not n.decorator_list and not n.args.args), None
            )
            if setup is not None and any(isinstance(n, ast.Global) and name in n.names for n in ast.walk(setup)):
                return tree
            return None
        for node in ast.walk(tree):
            if not isinstance(node, ast.ClassDef) or node.name != cls.rpartition(".")[2] or any("TestCase" in ast.dump(b) for b in node.bases):
                continue
            setup = next((n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "setup" and not n.decorator_list), None)
            if setup is not None and any(isinstance(n, ast.Attribute) and n.attr == name and isinstance(n.ctx, ast.Store) for n in ast.walk(setup)):
                return node
        return None


class Tmpdir(Tactic):
    name = "tmpdir"
    summary = "Where the tmpdir fixture is switched off (-p no:legacypath), tests take tmp_path and its pathlib methods."
    patterns = _ANY
    applicability = Applicability.REVIEW
    evidence = ("docs",)
    sources = (
        "https://docs.pytest.org/en/stable/how-to/tmp_path.html#the-tmpdir-and-tmpdir-factory-fixtures",
        "https://py.readthedocs.io/en/latest/path.html",
    )
    heals = (
        Example(
            "join, write and read",
            {"test_t.py": 'def test_t(tmpdir):\n    tmpdir.join("a.txt").write("x")\n    assert tmpdir.join("a.txt").read() == "x"\n'},
            {
                "test_t.py": 'def test_t(tmp_path):\n    tmp_path.joinpath("a.txt").write_text("x")\n    assert tmp_path.joinpath("a.txt").read_text() == "x"\n'  # noqa: E501
            },
            args=("-p", "no:legacypath"),
        ),
    )
    declines = (
        Example(
            "a method without a pathlib equivalent",
            {"test_t.py": "def test_t(tmpdir):\n    assert tmpdir.sysexec\n"},
            why="there is nothing in pathlib that it could become",
            args=("-p", "no:legacypath"),
        ),
    )

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """The fixture ``tmpdir`` is missing."""
        found = missing(failure)
        return found is not None and found.kind == "fixture" and found.name == "tmpdir"

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """Rename the argument and translate what is done with it."""
        found = missing(failure)
        if found is None or ((available := available_fixtures(failure)) and "tmp_path" not in available):
            return
        group = same_cause(found, ctx, failure)

        def change(editor: FileEditor) -> None:
            for f in requesters(editor.tree, "tmpdir"):
                for n in ast.walk(f):
                    if isinstance(n, ast.Name) and n.id == "tmpdir":
                        rewrite_pypath(n, editor)
            rename_argument(editor, "tmpdir", "tmp_path")

        fact = Evidence("docs", "tmpdir is the py.path view of tmp_path", self.sources[0], 0.85)
        p = edit_files(self.name, change, [m.path for _, m in group], ctx, nodeids=[f.nodeid for f, _ in group], evidence=[fact],
                       meaning="tmpdir is tmp_path", explanation="tmpdir becomes tmp_path", cause_key=found.key, safe=False, score=0.7)  # fmt: skip
        if p is not None:
            yield p
