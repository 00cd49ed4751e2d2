"""Fixtures that a test asks for and that are not there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.finished.halves import slipped
from pytest_maestro_healer.model import Applicability, Diagnosis, Evidence, Failure, FailurePattern, Proposal
from pytest_maestro_healer.strategies.base import Example, Tactic
from pytest_maestro_healer.strategies.dependency_fix import table_plugins
from pytest_maestro_healer.strategies.dependency_fix.build import advice, edit_files, functions, is_fixture
from pytest_maestro_healer.strategies.dependency_fix.cause import Missing, available_fixtures, missing, same_cause
from pytest_maestro_healer.strategies.dependency_fix.editor import FileEditor
from pytest_maestro_healer.strategies.dependency_fix.typos import looks_mistyped, near_names

_PATTERNS = frozenset({FailurePattern.IMPORT_ERROR, FailurePattern.UNKNOWN, FailurePattern.ENVIRONMENT_ISSUE})
#: A word so long is hardly another one with a slip in it.
_LONG = 5
#: Files that are looked through for a word.
_MOST = 600
#: Commits that are looked through for the renaming.
_COMMITS = 5
_DEF = re.compile(r"^\s*(?:async\s+)?def\s+(\w+)\s*\(")


def requesters(tree: ast.Module, name: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Test and fixture functions that take ``name`` as an argument."""
    for f in functions(tree):
        takes = any(a.arg == name for a in (*f.args.args, *f.args.kwonlyargs, *f.args.posonlyargs))
        if takes and (f.name.startswith("test") or is_fixture(f) or f.name in ("setup_method", "setup_function")):
            yield f


def rename_argument(editor: FileEditor, old: str, new: str) -> None:
    """Rename a fixture argument and its uses in every function that requests it, and in usefixtures and getfixturevalue strings."""
    for f in requesters(editor.tree, old):
        for n in ast.walk(f):
            if isinstance(n, ast.arg) and n.arg == old:
                start, _ = editor.src.span(n)
                editor.replace(start, start + len(old), new)
            elif isinstance(n, ast.Name) and n.id == old:
                editor.replace_node(n, new)
    for call in ast.walk(editor.tree):
        if isinstance(call, ast.Call):
            name = last_name(call.func)
            for arg in call.args if name in ("usefixtures", "getfixturevalue") else ():
                if isinstance(arg, ast.Constant) and arg.value == old:
                    start, end = editor.src.span(arg)
                    editor.replace(start, end, editor.src.text[start:end].replace(old, new))


class FixtureName(Tactic):
    name = "fixture_name"
    summary = "A fixture that was renamed or mistyped is requested under the name it has, by every test that asked for it."
    patterns = _PATTERNS
    applicability = Applicability.SAFE
    evidence = ("symbol", "git")
    sources = ("pytest's own list of available fixtures",)
    heals = (
        Example(
            "a fixture renamed in conftest.py",
            {
                "conftest.py": "import pytest\n\n\n@pytest.fixture\ndef connection():\n    return {'a': 1}\n",
                "test_d.py": "def test_d(database):\n    assert database['a'] == 1\n",
            },
            {"test_d.py": "def test_d(connection):\n    assert connection['a'] == 1\n"},
            head={
                "conftest.py": "import pytest\n\n\n@pytest.fixture\ndef database():\n    return {'a': 1}\n",
                "test_d.py": "def test_d(database):\n    assert database['a'] == 1\n",
            },
        ),
        Example(
            "a mistyped fixture",
            {"test_t.py": "def test_t(tmp_pth):\n    assert tmp_pth.exists()\n"},
            {"test_t.py": "def test_t(tmp_path):\n    assert tmp_path.exists()\n"},
        ),
        Example(
            "a mistyped fixture of the project",
            {
                "conftest.py": "import pytest\n\n\n@pytest.fixture\ndef customer():\n    return {'a': 1}\n",
                "test_c.py": "def test_c(cusotmer):\n    assert cusotmer['a'] == 1\n",
            },
            {"test_c.py": "def test_c(customer):\n    assert customer['a'] == 1\n"},
        ),
    )
    declines = (
        Example(
            "a removed fixture without a near name",
            {"test_s.py": "def test_s(warehouse_stock):\n    assert warehouse_stock\n"},
            why="nobody knows what it provided",
        ),
    )

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Fixture lookups only."""
        found = missing(failure)
        return found is not None and found.kind == "fixture"

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The git rename, else the unique near name."""
        found = missing(failure)
        if found is None:
            return
        names = available_fixtures(failure)
        new, fact = _renamed(found.name, names, ctx)
        doubt = ""
        if not new:
            if found.name in table_plugins.FIXTURES or found.name in table_plugins.BUILTIN:
                return
            near = near_names(found.name, [n for n in names if not n.startswith("_")])
            if len(near) != 1:
                return
            new, fact = near[0], Evidence("symbol", f"{near[0]} is the only available fixture with a name near {found.name}", near[0], 0.8)
            doubt = _may_be_another(found.name, new, names, ctx)
        assert fact is not None
        group = same_cause(found, ctx, failure)
        paths = _paths(found, [m.path for _, m in group], ctx)
        text = f"fixture {found.name} is now {new}"
        why = text + (f"; but {doubt}" if doubt else "")
        p = edit_files(self.name, lambda e: rename_argument(e, found.name, new), paths, ctx, nodeids=[f.nodeid for f, _ in group],
                       evidence=[fact], meaning=text, explanation=why, cause_key=found.key, safe=not doubt, score=0.85)  # fmt: skip
        if p is not None:
            yield p


def _may_be_another(wrong: str, near: str, available: Iterable[str], ctx: Context) -> str:
    """Why a fixture that does not exist may be another one than ``near``, which no renaming led to; ``""`` for a slip of the keyboard.

    Projects name fixtures that are not the same with one letter between them (``db_ro`` and ``db_rw``, ``user`` and ``users``); pytest and its
    plugins do not.
    """
    bare, close = (n.replace("_", "").lower() for n in (wrong, near))
    others = [n for n in available if n not in (near, wrong) and slipped(wrong, n)]
    if others:
        return f"{others[0]} is as near"
    commits = ctx.git.touching(rf"def +{re.escape(wrong)} *\(|name *= *['\"]{re.escape(wrong)}['\"]", ".")
    if commits:
        return f"{wrong} was defined once ({commits[0][:7]})"
    if bare != close and not slipped(wrong, near):
        return f"{wrong} is more than one slip away"
    if not any(d.path for d in ctx.symbols.find(near)):
        return ""
    parts, whole = wrong.split("_"), near.split("_")
    apart = [(a, b) for a, b in zip(parts, whole, strict=False) if a != b]
    if len(parts) != len(whole) or len(apart) != 1 or min(map(len, apart[0])) < _LONG or not _inside(*apart[0]):
        return f"both may be the names of fixtures: {wrong} and {near}"
    if commits is None and not looks_mistyped(*apart[0]):
        return f"no history tells whether there was a fixture {wrong}"
    word = re.compile(rb"(?<![A-Za-z])" + re.escape(apart[0][0].encode()) + rb"(?![a-z])")
    places = [p for p in ctx.files.python[:_MOST] if word.search(ctx.files.read(p) or b"")]
    return f"{apart[0][0]} is a word of {places[0]} and {places[1]}" if len(places) > 1 else ""


def _inside(wrong: str, right: str) -> bool:
    """Whether two words differ neither in their first letter nor in how they end."""
    return wrong[0] == right[0] and wrong[-1] == right[-1] and not wrong.startswith(right) and not right.startswith(wrong)


def _paths(found: Missing, failing: list[str], ctx: Context) -> list[str]:
    """The failing files that request the fixture; conftest files where none does (a fixture requests it)."""
    mine = [p for p in dict.fromkeys(failing) if (s := ctx.source(p)) is not None and s.tree is not None and found.name in s.text]
    direct = [
        p
        for p in mine
        if (s := ctx.source(p)) is not None and s.tree is not None and (any(requesters(s.tree, found.name)) or f'"{found.name}"' in s.text)
    ]
    return direct or [s.path for s in ctx.test_files_with(found.name) if s.path.rpartition("/")[2] == "conftest.py"]


def _renamed(old: str, available: Iterable[str], ctx: Context) -> tuple[str, Evidence | None]:
    """The fixture whose definition took the place of the old one, in the working tree or the commit that did so."""
    if not ctx.git.available:
        return "", None
    names = set(available)
    commits = ctx.git.touching(rf"def +{re.escape(old)} *\(", ".")
    for base, target in (("HEAD", ""), *((f"{c}~1", c) for c in (["HEAD"] if commits is None else commits[:_COMMITS]))):
        for h in ctx.git.hunks(base, target):
            gone = [m[1] for line in h.removed if (m := _DEF.match(line))]
            came = [m[1] for line in h.added if (m := _DEF.match(line))]
            if len(gone) == len(came) and old in gone:
                new = came[gone.index(old)]
                if new in names and new != old:
                    return new, Evidence("git", f"def {old}( became def {new}( in {h.path}", f"{h.path}:{h.new_line}", 0.95)
    return "", None


class PluginFixture(Tactic):
    name = "plugin_fixture"
    summary = "A fixture of a plugin that is not installed, or of a conftest.py that is not above the test, is named with what to do."
    patterns = _PATTERNS
    applicability = Applicability.ADVICE
    evidence = ("distribution", "symbol")
    sources = (table_plugins.SOURCE.format("<plugin>"),)
    heals = (
        Example(
            "mocker without pytest-mock",
            {"test_m.py": "def test_m(mocker):\n    assert mocker.Mock()\n"},
            advice="pip install pytest-mock",
        ),
    )
    declines = (
        Example(
            "an unknown fixture",
            {"test_s.py": "def test_s(warehouse_stock):\n    assert warehouse_stock\n"},
            why="no plugin is known for it, and guessing a package name to install is dangerous",
        ),
    )

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Fixture lookups only."""
        found = missing(failure)
        return found is not None and found.kind == "fixture"

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """Advice: the plugin to install, or where the fixture is defined out of reach."""
        found = missing(failure)
        if found is None:
            return
        dist = table_plugins.FIXTURES.get(found.name)
        if dist is not None:
            base = dist.partition("[")[0]
            version = ctx.distributions.version(base)
            facts = [Evidence("distribution", f"fixture {found.name} is provided by {dist}", table_plugins.SOURCE.format(base), 0.85)]
            facts += [Evidence("distribution", f"{d.path} declares {d.requirement}", d.path, 0.9) for d in ctx.distributions.declared(base)[:1]]
            if version is None:
                text = f"fixture '{found.name}' comes from {dist}, which is not installed: {ctx.distributions.install_command(base, dist)}"
            else:
                text = f"fixture '{found.name}' comes from {dist} {version}, which is installed but not active: look for '-p no:' and PYTEST_DISABLE_PLUGIN_AUTOLOAD"  # noqa: E501
            yield advice(self.name, failure, text, facts, found.key, f"{found.name} is a fixture of {dist}", 0.6)
        for d in ctx.symbols.find(found.name):
            src = ctx.source(d.path)
            node = (
                next((f for f in functions(src.tree) if f.name == found.name and is_fixture(f)), None)
                if src is not None and src.tree is not None
                else None
            )
            if node is not None and d.path != found.path:
                text = f"fixture '{found.name}' is defined in {d.path}:{d.line}, which {found.path} cannot see: move it to a conftest.py above both, or load that module as a plugin"  # noqa: E501
                yield advice(self.name, failure, text, [Evidence("symbol", f"the only definition is {d.path}:{d.line}", f"{d.path}:{d.line}", 0.8)],
                             found.key, f"{found.name} is out of reach", 0.6)  # fmt: skip
                return
