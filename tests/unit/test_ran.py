"""What a failing test runs through: the commits that changed it last, and days that are written in it."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.experiments import Experiments, Observation
from pytest_maestro_healer.evidence.past.dated import switch
from pytest_maestro_healer.evidence.past.former import Before, Then, blame
from pytest_maestro_healer.evidence.past.ran import Unit, commits, ran, units
from pytest_maestro_healer.model import Failure
from tests.unit.test_git import commit, git, write

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
SHOP = """\
from shop.zones import zone
OTHER = 1
LIMIT = 2
@keep
class Stamp:
    form = '%Y'
    def text(self, s):
        if s > LIMIT:
            return ''
        return zone() + self.form
    def other(self):
        return OTHER
def version():
    return 0
"""
TEST = b"from shop.times import Stamp\n\n\ndef test_f():\n    assert Stamp().text(0) == 'a'\n"
FAILURE = Failure("test_a.py::test_f", "call", "test_a.py", "AssertionError", "")


def text(*, version: int = 0, guard: bool = True, other: int = 1) -> bytes:
    out = SHOP.replace("return 0", f"return {version}").replace("OTHER = 1", f"OTHER = {other}")
    return (out if guard else out.replace("        if s > LIMIT:\n            return ''\n", "")).encode()


def running(root: Path, *functions: str) -> Context:
    """A context in which the test is known to run these."""

    def no_run(*_: object) -> tuple[Mapping[str, Observation], str]:
        return {}, "state: none"

    tree = ast.parse((root / "shop/times.py").read_text(encoding="utf-8"))
    lines = frozenset(n.body[-1].lineno for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name in functions)
    ctx = Context(root, HealerConfig())
    ctx.set_experiments(Experiments(no_run, trace=lambda _, __: {"shop/times.py": lines}))
    return ctx


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q", "--template=", "-b", "main")
    write(folder, {"shop/__init__.py": b"", "shop/zones.py": b"def zone():\n    return ''\n", "shop/times.py": text(guard=False), "test_a.py": TEST})
    commit(folder)
    return folder


def test_what_a_function_takes_from_its_modules_belongs_to_it(root: Path) -> None:
    write(root, {"shop/times.py": text()})
    found = ran(running(root, "text"), FAILURE)["shop/times.py"]
    assert [sorted(u.names) for u in sorted(found, key=lambda u: u.first)] == [["zone"], ["LIMIT"], ["Stamp"], ["form"], ["text"]]


@needs_git
def test_the_commits_are_those_that_changed_its_lines_also_by_taking_some_out(root: Path) -> None:
    write(root, {"shop/times.py": text()})
    fixed = commit(root)
    write(root, {"shop/times.py": text(guard=False)})
    lost = commit(root)
    for number in range(1, 6):
        write(root, {"shop/times.py": text(guard=False, version=number, other=number)})
        commit(root)
    write(root, {"shop/times.py": b"# a\n# b\n# c\n" + text(guard=False, version=6)})
    ctx = running(root, "text")
    assert list(commits(ctx, ran(ctx, FAILURE), 2)) == [lost, fixed]

    asked: list[str] = []

    def ask(before: Before) -> Then:
        asked.append(before.rev)
        return Then.PASSES if before.rev == f"{lost}~1" else Then.ALIKE

    found = blame(ctx, FAILURE, ask)
    assert found.told
    assert found.before is not None
    assert found.before.commit == lost
    assert asked[-1] == f"{lost}~1"


@needs_git
def test_a_state_that_has_the_test_and_cannot_be_told_is_not_always_so(root: Path) -> None:
    write(root, {"shop/times.py": text()})
    changed = commit(root)
    for number in range(1, 6):
        write(root, {"shop/times.py": text(version=number)})
        commit(root)
    ctx = running(root, "text")
    assert blame(ctx, FAILURE, lambda _: Then.ALIKE).before is None
    found = blame(ctx, FAILURE, lambda b: Then.OTHERWISE if b.rev == f"{changed}~1" else Then.ALIKE)
    assert (found.told, found.before.commit if found.before else "") == (False, changed)


def units_of(code: str) -> dict[str, list[Unit]]:
    return {"m.py": units(ast.parse(code))}


@pytest.mark.parametrize(
    "code",
    [
        "LAUNCH = date(2026, 1, 2)\ndef f():\n    return date.today() >= LAUNCH",
        "class C:\n    day = '2026-01-02'\n    def f(self):\n        today = date.today().isoformat()\n        return self.day < today",
        "def today_():\n    return datetime.now().date()\ndef f():\n    return 0 if today_() < datetime(2026, 1, 2) else 1",
        "def f():\n    return (date.fromisoformat('2026-01-02') - date.today()).days < 0",
        "def f():\n    return time.time() > 1767312001",
        "def f():\n    return date.today().year >= 2026",
        "def f():\n    return time.strftime('%Y%m%d') > '20260102'",
        "OPEN = date.today() >= date(2026, 1, 2)",
        "def f():\n    return tuple(time.localtime()) > (2026, 1, 2)",
    ],
)
def test_a_day_that_the_clock_is_compared_with_is_seen(code: str) -> None:
    assert switch(units_of(code)).startswith("m.py:")


@pytest.mark.parametrize(
    "code",
    [
        "def f(token):\n    return token.expires < datetime.now()",
        "def f(start):\n    return time.time() - start > 2000 or time.time_ns() - start > 1_000_000_000",
        "BORN = date(2026, 1, 2)\ndef f(day):\n    return day >= BORN",
        "EPOCH = datetime(1970, 1, 1)\ndef f():\n    return (datetime.now() - EPOCH).total_seconds()",
        "def f(order):\n    return order.time() > '2026-01-02'",
    ],
)
def test_other_comparisons_are_none(code: str) -> None:
    assert switch(units_of(code)) == ""


@needs_git
def test_what_depends_on_a_day_was_not_always_so(root: Path) -> None:
    code = b"from datetime import date\n\n\ndef stamp():\n    return 'b' if date.today() > date(2026, 1, 2) else 'a'\n"
    write(root, {"shop/times.py": code})
    commit(root)
    write(root, {"test_a.py": b"from shop.times import stamp\n\n\ndef test_f():\n    assert stamp() == 'a'\n"})
    commit(root)
    assert blame(running(root), FAILURE, lambda _: Then.ALIKE).before is None
    found = blame(running(root, "stamp"), FAILURE, lambda _: Then.ALIKE).before
    assert found is not None
    assert (found.path, found.rev) == ("shop/times.py:5", "")
