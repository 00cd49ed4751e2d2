"""The two benchmarks of true regressions: what they choose, lay and count."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from tests.unit.test_git import commit, git, write

BENCH = Path(__file__).parents[1] / "bench"
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.fixture
def bench(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(BENCH))
    yield importlib.import_module(request.param)
    for name in ("bench_undone", "bench_regressions", "bench_assertions", "bench_flaky"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("bench", ["bench_undone"], indirect=True)
def test_fixes_that_come_with_a_test_are_found_and_undone(bench: ModuleType, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--template=", "-b", "main")
    write(tmp_path, {"shop.py": b"def f():\n    return 1\n", "tests/test_shop.py": b"def test_f():\n    pass\n", "CHANGES": b"1\n"})
    commit(tmp_path, "Start")
    write(tmp_path, {"shop.py": b"def f():\n    return 2\n", "tests/test_shop.py": b"def test_f():\n    assert 1\n", "CHANGES": b"2\n"})
    fixed = commit(tmp_path, "Fix a crash of f")
    write(tmp_path, {"shop.py": b"def f():\n    return 3\n"})
    commit(tmp_path, "Fix f without a test")
    write(tmp_path, {"shop.py": b"def f():\n    return 4\n", "tests/test_shop.py": b"def test_f():\n    assert 2\n"})
    commit(tmp_path, "Fix a typo in a comment")
    project = SimpleNamespace(root=tmp_path, git=lambda *args: git(tmp_path, *args))
    (found,) = bench.fixes(project, "2000-01-01", 1)
    assert (found.commit, found.product, found.tests) == (fixed, ("shop.py",), ("tests/test_shop.py",))
    git(tmp_path, "checkout", "-q", fixed)
    bench.undo(project, found, "uncommitted")
    assert [(tmp_path / n).read_bytes() for n in ("shop.py", "CHANGES")] == [b"def f():\n    return 1\n", b"2\n"]


@pytest.mark.parametrize("bench", ["bench_regressions"], indirect=True)
def test_every_row_can_be_laid(bench: ModuleType, tmp_path: Path) -> None:
    rows = [json.loads(line) for path in sorted((BENCH / "regressions").glob("*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len({r["id"] for r in rows}) == len(rows) > 800
    assert {r["id"] for r in rows} >= bench.RIGHT
    for row in rows:
        for files in (*(files for files, _ in row["commits"]), row["uncommitted"]):
            assert not any(Path(name).is_absolute() or ".." in Path(name).parts for name in files)
    assert "| api | 2 | 1 | 0 | 1 |" in bench.table([{"id": "api/a", "outcome": "written"}, {"id": "api/b", "outcome": "for review"}])
