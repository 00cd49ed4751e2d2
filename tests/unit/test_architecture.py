"""The house rules, checked on the sources: who may import whom, sizes, docstrings, and what a tactic must say about itself."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import pytest_maestro_healer
from pytest_maestro_healer.model import Applicability
from pytest_maestro_healer.strategies import BUILTIN, load
from pytest_maestro_healer.strategies.base import Strategy, Tactic

PACKAGE = "pytest_maestro_healer"
ROOT = Path(pytest_maestro_healer.__file__).parent
FILES = sorted(p for p in ROOT.rglob("*.py") if "project" not in p.relative_to(ROOT).parts)  # the demo's broken project is data
IDS = [p.relative_to(ROOT).as_posix() for p in FILES]
STAGES = ("capture", "diagnose", "evidence", "strategies", "edit", "prove", "decide", "apply", "learn", "report")
#: What every stage may import besides its own folder.
SHARED = {"model", "config", "errors", "edit", "evidence"}
MAX_LINES = 450
#: Longer files, each with the reason why it is one file.
LONG: dict[str, str] = {}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes(), str(path))


@pytest.fixture(scope="module", autouse=True)
def _forgotten() -> Iterator[None]:
    """The trees of the whole package are large: what other tests fork would have to carry them along."""
    yield
    tree.cache_clear()


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, absolute dotted name) of everything a file imports, inside functions and for type checking too."""
    here = [PACKAGE, *path.relative_to(ROOT).with_suffix("").parts]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, a.name) for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{module}.{a.name}") for a in node.names)


def ours(name: str) -> str:
    """The top-level part of the package that a dotted name belongs to (``strategies``, ``model``...), ``""`` for foreign names."""
    parts = name.split(".")
    return parts[1] if parts[0] == PACKAGE and len(parts) > 1 else ""


def stage_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_imports_follow_the_pipeline(path: Path) -> None:
    stage = stage_of(path)
    if stage in ("model", "errors"):
        allowed: set[str] = {"model"} & {stage}
    elif stage == "config":
        allowed = {"model", "errors"}
    elif stage in STAGES:
        allowed = SHARED | {stage, "__version__"}
    else:
        return
    bad = [f"{path.name}:{line} imports {name}" for line, name in imports(path) if ours(name) not in allowed | {""}]
    assert bad == []


TAKEN_APART = re.compile(
    r"""(?<!function_of\()(?:nodeid|test_id)\w*\)?\.r?(?:partition|split)\("""
    r"""|\b(?:n|i)\.r?partition\("(?:::|\[)"\)"""
    r"""|"::"\ (?:not\ )?in\ \w*\.?nodeid"""
)


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_nodeids_are_taken_apart_in_one_place(path: Path) -> None:
    """A file's name may hold brackets, a parameter id anything: evidence/nodeids.py knows."""
    if path.name != "nodeids.py":
        assert TAKEN_APART.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_only_the_session_knows_pytest(path: Path) -> None:
    inside = path.relative_to(ROOT).as_posix()
    at_home = inside in ("plugin.py", "hookspecs.py") or inside.startswith("session/")
    found = {name.partition(".")[0]: line for line, name in imports(path) if name.partition(".")[0] in ("pytest", "_pytest")}
    if not at_home:
        assert found == {}, f"{inside} imports pytest"
    if inside != "session/compat.py":
        assert "_pytest" not in found, f"{inside}:{found.get('_pytest')} uses pytest's private names"


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_heavy_modules_are_imported_late(path: Path) -> None:
    """libcst, filelock and platformdirs are imported where they are needed, libcst.matchers nowhere."""
    top = {name for node in tree(path).body if isinstance(node, (ast.Import, ast.ImportFrom)) for name in _named(node)}
    assert not {n.partition(".")[0] for n in top} & {"libcst", "filelock", "platformdirs"}
    assert not [n for _, n in imports(path) if n.startswith("libcst.matchers")]


def _named(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*{{m.partition('.')[0] for m in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not loaded_by(f"import {PACKAGE}") & {"pytest", "_pytest", "libcst", "filelock", "platformdirs"}


def test_importing_the_plugin_loads_nothing_heavy() -> None:
    without = loaded_by("import pytest")
    assert not (loaded_by(f"import {PACKAGE}.plugin") - without) & {"libcst", "filelock", "platformdirs", "hypothesis", "sqlite3", "subprocess"}


def test_strategies_ask_the_context_only() -> None:
    """No file, process or network access of their own."""
    forbidden = {"subprocess", "socket", "shutil", "tempfile", "urllib", "http", "requests", "multiprocessing"}
    bad = []
    for path in (p for p in FILES if stage_of(p) == "strategies"):
        bad += [f"{path.name}:{line} imports {name}" for line, name in imports(path) if name.partition(".")[0] in forbidden]
        bad += [
            f"{path.name}:{n.lineno} calls {ast.unparse(n.func)}" for n in ast.walk(tree(path)) if isinstance(n, ast.Call) and _touches_disk(n.func)
        ]
    assert bad == []


def _touches_disk(func: ast.expr) -> bool:
    if isinstance(func, ast.Name):
        return func.id == "open"
    return isinstance(func, ast.Attribute) and func.attr in ("read_text", "read_bytes", "write_text", "write_bytes", "unlink", "system", "popen")


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_files_are_of_readable_size(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_LINES or path.relative_to(ROOT).as_posix() in LONG, f"{lines} lines"


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_what_is_public_has_a_docstring(path: Path) -> None:
    missing = [] if ast.get_docstring(tree(path)) or not tree(path).body else ["the module"]
    for node in tree(path).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            # a tactic says in its summary what it is for
            if not ast.get_docstring(node) and not _describes_itself(node):
                missing.append(node.name)
            if isinstance(node, ast.ClassDef) and not node.bases:
                methods = [m for m in node.body if isinstance(m, (ast.FunctionDef, ast.AsyncFunctionDef)) and not m.name.startswith(("_", "pytest_"))]
                missing += [f"{node.name}.{m.name}" for m in methods if not ast.get_docstring(m)]
    assert missing == []


def _describes_itself(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef) and any(isinstance(s, ast.Assign) and ast.unparse(s.targets[0]) == "summary" for s in node.body)


# -- tactics ---------------------------------------------------------------------------------------------------
TACTICS = [pytest.param(s, t, id=f"{s.name}-{t.name}") for s in load() for t in s.tactics]


def test_strategies_are_what_the_registry_says() -> None:
    assert [s.name for s in load()] == list(BUILTIN)
    for strategy in load():
        names = [t.name for t in strategy.tactics]
        assert names, strategy.name
        assert len(names) == len(set(names)), f"{strategy.name} has two tactics of one name"
        assert strategy.title, strategy.name
        assert strategy.summary, strategy.name


@pytest.mark.parametrize(("strategy", "tactic"), TACTICS)
def test_a_tactic_says_what_it_does(strategy: Strategy, tactic: Tactic) -> None:
    assert tactic.name.isidentifier()
    assert tactic.name.islower()
    assert len(tactic.summary.split()) >= 4, "the summary is a sentence"
    assert "\n" not in tactic.summary
    assert isinstance(tactic.applicability, Applicability)


@pytest.mark.parametrize(("strategy", "tactic"), TACTICS)
def test_a_tactic_shows_what_it_heals_and_what_it_leaves_alone(strategy: Strategy, tactic: Tactic) -> None:
    assert tactic.heals, "no HEALS example"
    assert tactic.declines, "no DECLINES example"
    titles = [e.title for e in (*tactic.heals, *tactic.declines)]
    assert len(titles) == len(set(titles)), "two examples of one title"
    for example in tactic.heals:
        assert example.healed or example.advice, f"{example.title}: neither heals nor advises"
        assert set(example.healed) <= set(example.files), f"{example.title}: heals a file that is not there"
    for example in tactic.declines:
        assert not example.healed, f"{example.title}: declines and heals"
        assert example.why, f"{example.title}: does not say why it is left alone"
