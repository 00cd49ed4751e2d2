"""Since when a test is what it is, by real histories."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.past.former import product_since, states, todays
from pytest_maestro_healer.evidence.past.origin import given_otherwise, named, origin
from pytest_maestro_healer.evidence.past.unseen import unseen
from pytest_maestro_healer.model import Failure
from tests.unit.test_git import commit, git, write

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
TEST = b"from shop import f\n\n\ndef test_f():\n    assert f() == 'a'\n"
HOW: dict[str, Callable[[bytes], bytes]] = {
    "annotated": lambda t: t.replace(b"():\n", b"() -> None:\n"),
    "in another layout": lambda t: t.replace(b"'a'", b'"a"') + b"\n",
    "with a docstring": lambda t: t.replace(b"    assert", b'    """F."""\n    assert'),
    "marked": lambda t: b"import pytest\n" + t.replace(b"def ", b"@pytest.mark.slow\ndef "),
    "in a class": lambda t: t.replace(b"def test_f():\n    assert", b"class TestF:\n    def test_f(self):\n        assert"),
    "under a condition": lambda t: t.replace(b"def test_f():\n    assert", b"if True:\n    def test_f():\n        assert"),
    "beside another": lambda t: t + b"\n\ndef test_g():\n    pass\n",
}


def context(root: Path) -> Context:
    return Context(root, HealerConfig())


def failing(nodeid: str = "test_a.py::test_f") -> Failure:
    return Failure(nodeid, "call", nodeid.partition("::")[0], "AssertionError", "")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q", "--template=", "-b", "main")
    write(folder, {"README": b"A shop\n"})
    commit(folder)
    write(folder, {"shop.py": b"def f():\n    return 'a'\n", "test_a.py": TEST})
    return folder


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("how", HOW)
def test_what_does_not_change_a_test_does_not_make_it_newer(root: Path, how: str, committed: bool) -> None:
    first = commit(root)
    write(root, {"test_a.py": HOW[how](TEST)})
    if committed:
        commit(root)
    nodeid = "test_a.py::TestF::test_f" if how == "in a class" else "test_a.py::test_f"
    assert origin(context(root), failing(nodeid)) == first


def test_another_expectation_makes_it_newer_and_its_name_is_still_known(root: Path) -> None:
    first = commit(root)
    write(root, {"test_a.py": TEST.replace(b"'a'", b"'b'")})
    second = commit(root)
    assert (origin(context(root), failing()), named(context(root), failing())) == (second, first)


def test_a_file_that_was_moved_is_followed(root: Path) -> None:
    first = commit(root)
    (root / "tests").mkdir()
    git(root, "mv", "test_a.py", "tests/test_a.py")
    commit(root)
    assert origin(context(root), failing("tests/test_a.py::test_f")) == first


def test_what_git_does_not_tell_is_unknown(root: Path, tmp_path: Path) -> None:
    assert origin(context(root), failing()) == ""  # not committed
    commit(root)
    assert origin(context(root), failing("test_a.py::test_inherited")) == ""
    write(root, {"shop.py": b"def f():\n    return 'b'\n"})
    commit(root)
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth", "1", root.as_uri(), str(shallow))
    assert origin(context(shallow), failing()) == ""


def test_the_states_asked_go_back_to_the_origin(root: Path) -> None:
    first = commit(root)
    commits = []
    for number in range(5):
        write(root, {"shop.py": b"def f():\n    return 'b%d'\n" % number})
        commits.append(commit(root))
    write(root, {"test_a.py": HOW["annotated"](TEST), "shop.py": b"def f():\n    return 'c'\n"})
    ctx = context(root)
    asked = [(s.rev, s.settles) for s in states(ctx, failing())]
    assert asked == [("HEAD", False), *((f"{c}~1", False) for c in reversed(commits[2:])), (first, True)]
    assert product_since(ctx, failing()) == first


def test_code_that_git_does_not_know_is_seen(root: Path) -> None:
    write(root, {".gitignore": b"gen.py\n_version.py\n", "_version.py": b"v = 1\n", "shop.py": b"import _version\nf = _version.v\n"})
    commit(root)
    assert unseen(context(root), failing()) == ""
    write(root, {"gen.py": b"f = 1\n", "shop.py": b"from gen import f\n"})
    assert unseen(context(root), failing()) == "gen.py"


@pytest.mark.parametrize("use", ["from lab.tests.blood import f", "from lab.tests import blood", "kind = 'lab.tests.' + 'blood'", "kind = '.tests'"])
def test_what_product_code_uses_is_product_whatever_its_folder_is_called(root: Path, use: str) -> None:
    names = ("blood", "units", "alone", "test_own")
    files = {**{f"lab/tests/{n}.py": b"x = 1\n" for n in names}, "lab/__init__.py": b"", "lab/tests/__init__.py": b"", "lab/report.py": use.encode()}
    files |= {"lab/tests/blood.py": b"from lab.tests.units import x\n", "run.py": b"import lab.tests.alone\n"}
    write(root, files)
    ctx = Context(root, HealerConfig(), collected=["lab/tests/test_own.py::test_x"])
    alone = [] if "kind" in use else ["alone"]  # a package that is named may be used as a whole
    assert [n for n in names if todays(ctx, f"lab/tests/{n}.py")] == [*alone, "test_own"]


def test_a_module_of_no_package_that_a_tested_module_imports_is_product(root: Path) -> None:
    write(root, {"pay/test_mode.py": b"def f(): pass\n", "pay/gateway.py": b"from pay.test_mode import f\n", "run.py": b"import pay.test_own\n"})
    write(root, {"checks/test_gateway.py": b"from pay.gateway import f\n", "pay/test_own.py": b"def test_x(): pass\n"})
    ctx = Context(root, HealerConfig(), collected=["checks/test_gateway.py::test_f"])
    assert [todays(ctx, f"pay/{n}.py") for n in ("test_mode", "test_own")] == [False, True]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, ""),
        ({"shop.py": b"def f():\n    return 'b'\n"}, ""),
        ({"test_a.py": TEST + b"\n\ndef test_g():\n    pass\n"}, ""),
        ({"test_a.py": TEST.replace(b"'a'", b"'a' * 900")}, "test_a.py"),
        ({"conftest.py": b"ROWS = 9000\n"}, "conftest.py"),
        ({"test_other.py": b"def test_o():\n    pass\n"}, ""),
    ],
)
@pytest.mark.parametrize("committed", [True, False])
def test_what_a_test_works_on_may_be_other_than_it_was(root: Path, changed: dict[str, bytes], told: str, committed: bool) -> None:
    commit(root)
    write(root, changed)
    if committed and changed:
        commit(root)
    assert given_otherwise(context(root), failing()) == (told if changed else "")


def test_without_a_past_nothing_is_known_of_what_a_test_works_on(root: Path) -> None:
    shutil.rmtree(root / ".git")
    assert given_otherwise(context(root), failing()) == ""
