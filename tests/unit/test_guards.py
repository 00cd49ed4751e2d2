"""The semantic guard: every weakening is refused with its reason, every honest rewrite is let through."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.edit.guards import Limits, check, check_proposal, looks_nondeterministic
from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Edit, Proposal
from tests.unit.guard_cases import HONEST_BODIES, HONEST_MODULES, REFUSED_BODIES, REFUSED_MODULES, body

REFUSED = [(n, body(a), body(b), w) for n, a, b, w in REFUSED_BODIES] + REFUSED_MODULES
HONEST = [(n, body(a), body(b)) for n, a, b in HONEST_BODIES] + HONEST_MODULES


def guard(before: str, after: str, **kwargs: Any) -> list[str]:
    path = "tests/test_x.py"
    return check(SourceFile(path, before.encode()), SourceFile(path, after.encode()), **kwargs)


@pytest.mark.parametrize(("before", "after", "word"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_weakening_is_refused(before: str, after: str, word: str) -> None:
    reasons = guard(before, after)
    assert reasons, "let through"
    assert word in " | ".join(reasons)


@pytest.mark.parametrize(("before", "after"), [c[1:] for c in HONEST], ids=[c[0] for c in HONEST])
def test_honest_rewrite_is_let_through(before: str, after: str) -> None:
    assert guard(before, after) == []


def test_new_exception_is_let_through_where_the_evidence_allows_it() -> None:
    before, after = body("assert f(1) == 3"), body("with pytest.raises(TypeError):\n    f(1)")
    assert guard(before, after)
    assert guard(before, after, limits=Limits(allow=frozenset({"raises"}))) == []


def test_justified_tolerance_and_order_are_let_through() -> None:
    before = body("assert f(1) == 1.5")
    assert guard(before, body("assert f(1) == pytest.approx(1.5, rel=1e-3)"))
    assert guard(before, body("assert f(1) == pytest.approx(1.5, rel=1e-3)"), limits=Limits(max_rel=1e-3)) == []
    assert guard(before, body("assert f(1) == pytest.approx(1.5, rel=0.1)"), limits=Limits(max_rel=1e-3))
    listed, ordered = body("assert f(1) == [1, 2]"), body("assert sorted(f(1)) == sorted([1, 2])")
    assert guard(listed, ordered)
    assert guard(listed, ordered, limits=Limits(allow=frozenset({"unordered"}))) == []


def test_paths_are_asked_for() -> None:
    assert guard(body("assert f() == 1"), body("assert f() == 2"), edited_paths_ok=lambda p: False) == ["tests/test_x.py is not test code"]


def test_one_change_in_a_long_file() -> None:
    tests = [f"def test_{i}():\n    r = f({i})\n    assert r == {i}\n    assert g(r) in (1, 2)\n" for i in range(250)]
    before = "from pkg import f, g\n\n" + "\n\n".join(tests)
    after = before.replace("assert r == 77\n", "assert r == 78\n")
    assert guard(before, after) == []
    assert guard(before, after.replace("    assert r == 78\n", "")) != []


# -- proposals -------------------------------------------------------------------------------------------------
class Project:
    """A project on disk with its context, and proposals against it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ctx = Context(root, HealerConfig())

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(text.encode())

    def propose(self, path: str, *changes: tuple[str, str], tactic: str = "t", applicability: Applicability = Applicability.REVIEW) -> Proposal:
        src = SourceFile(path, (self.root / path).read_bytes())
        edits = tuple(src.replace(at := src.text.index(a), at + len(a), b) for a, b in changes)
        return Proposal("s", tactic, edits, (), applicability, "")

    def refusals(self, *args: Any, allowances: Mapping[str, frozenset[str]] | None = None, **kwargs: Any) -> str:
        return " | ".join(check_proposal(self.propose(*args, **kwargs), self.ctx, allowances=allowances))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path.resolve())
    made.write("pkg/core.py", "def f(x):\n    assert x\n    return 3\n")
    made.write("tests/test_a.py", "from pkg.core import f\n\ndef test_a():\n    assert f(1) == 4\n")
    return made


def test_proposal_for_test_code_is_let_through(project: Project) -> None:
    assert project.refusals("tests/test_a.py", ("4", "3")) == ""


def test_product_code_is_never_edited(project: Project) -> None:
    assert "pkg/core.py is not test code" in project.refusals("pkg/core.py", ("return 3", "return 4"))


@pytest.mark.parametrize("path", ["/etc/passwd", "../tests/test_a.py", "tests/../pkg/core.py", "tests\\test_a.py", ""])
def test_paths_outside_are_refused(project: Project, path: str) -> None:
    edit = Edit(path, "0" * 64, 0, 0, "x")
    [reason] = check_proposal(Proposal("s", "t", (edit,), (), Applicability.SAFE, ""), project.ctx)
    assert "outside the project" in reason


def test_links_that_lead_out_of_test_code_are_refused(project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "test_b.py"
    elsewhere.write_text("def test_b():\n    assert 1 == x\n")
    (project.root / "tests/test_b.py").symlink_to(elsewhere)
    (project.root / "tests/test_c.py").symlink_to(project.root / "pkg/core.py")
    assert "leads out of the project" in project.refusals("tests/test_b.py", ("1", "2"))
    assert "pkg/core.py, which is not test code" in project.refusals("tests/test_c.py", ("3", "4"))


def test_missing_file_and_configuration_are_refused(project: Project) -> None:
    project.write("tests/pytest.ini", "[pytest]\n")
    project.write("tests/lib.so", "x")
    assert "configuration" in project.refusals("tests/pytest.ini", ("[pytest]", "[pytest]\naddopts = -k no"))
    assert "known kind" in project.refusals("tests/lib.so", ("x", "y"))
    gone = Edit("tests/test_gone.py", "0" * 64, 0, 0, "x")
    assert check_proposal(Proposal("s", "t", (gone,), (), Applicability.SAFE, ""), project.ctx) == ["tests/test_gone.py cannot be read"]


def test_overlapping_and_stale_edits_are_refused(project: Project) -> None:
    assert "overlap" in project.refusals("tests/test_a.py", ("f(1) == 4", "f(1) == 3"), ("== 4", "== 3"))
    stale = project.propose("tests/test_a.py", ("4", "3"))
    project.write("tests/test_a.py", "\n" + (project.root / "tests/test_a.py").read_text())
    assert "other bytes" in " ".join(check_proposal(stale, Context(project.root, HealerConfig())))


def test_data_files_in_test_folders_may_be_edited(project: Project) -> None:
    project.write("tests/data/golden.json", '{"a": 1}\n')
    project.write("tests/data/golden.txt", "hello\n")
    project.write("data/golden.json", '{"a": 1}\n')
    assert project.refusals("tests/data/golden.json", ("1", "2")) == ""
    assert project.refusals("tests/data/golden.txt", ("hello", "hallo")) == ""
    assert "no JSON" in project.refusals("tests/data/golden.json", ('"a": 1', '"a": '))
    assert "empty" in project.refusals("tests/data/golden.txt", ("hello\n", ""))
    assert "not test code" in project.refusals("data/golden.json", ("1", "2"))


def test_several_files_are_all_checked(project: Project) -> None:
    project.write("tests/test_b.py", "def test_b():\n    assert f(1) == 4\n")
    good = project.propose("tests/test_a.py", ("4", "3"))
    bad = project.propose("tests/test_b.py", ("assert f(1) == 4", "f(1)"))
    [reason] = check_proposal(Proposal("s", "t", good.edits + bad.edits, (), Applicability.SAFE, ""), project.ctx)
    assert "dropped" in reason
    assert "tests/test_b.py" in reason


def test_allowance_counts_for_review_of_that_tactic_only(project: Project) -> None:
    change = ("def test_a():", 'import pytest\n\nyaml = pytest.importorskip("yaml")\n\ndef test_a():')
    allowed = {"optional": frozenset({"importorskip"})}
    assert project.refusals("tests/test_a.py", change, tactic="optional", allowances=allowed) == ""
    assert "importorskip" in project.refusals("tests/test_a.py", change, tactic="other", allowances=allowed)
    assert "importorskip" in project.refusals("tests/test_a.py", change, tactic="optional", allowances=allowed, applicability=Applicability.SAFE)


# -- values ------------------------------------------------------------------------------------------------------
NOW = 1_750_000_000.0  # 2025-06-15


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("'<Foo object at 0x7f3a5c0d1e80>'", "address"),
        ("'9f8b7c6d-1a2b-4c3d-8e9f-0a1b2c3d4e5f'", "UUID"),
        ("UUID('2c5ea4c0-4067-11e9-8bad-9b1deb4d3b7d')", "UUID"),
        ("1750000123", "timestamp"),
        ("1750000123.25", "timestamp"),
        ("1750000123456", "timestamp"),
        ("'2025-06-15T10:11:12'", "date"),
        ("datetime.datetime(2025, 6, 15, 10, 0)", "date"),
        ("'/tmp/pytest-of-me/pytest-12/test_a0/x.txt'", "temporary"),
        ("PosixPath('/tmp/tmpab12cd34/x')", "temporary"),
        ("'id=140234567890123'", "object id"),
        ("'pid: 4711'", "process"),
        ("'http://127.0.0.1:49213/'", "port"),
    ],
)
def test_values_of_this_run_are_recognised(source: str, word: str) -> None:
    assert word in (looks_nondeterministic(source, NOW) or "")


@pytest.mark.parametrize(
    "source",
    [
        "3",
        "'abc'",
        "'1999-12-31'",
        "946684800",
        "'0xff'",
        "'00000000-0000-0000-0000-000000000000'",
        "'/usr/lib'",
        "'localhost:8080'",
        "[1, 2.5, None]",
        "1234567890123456789012",
    ],
)
def test_lasting_values_are_left_alone(source: str) -> None:
    assert looks_nondeterministic(source, NOW) is None
