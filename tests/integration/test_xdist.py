"""With xdist the heals are the same: workers capture, the controller proves and writes, alone."""

from __future__ import annotations

import pytest

from tests.integration.toys import BROKEN, NEW, OLD, Run, Suite

pytest.importorskip("xdist")

PROJECT = {
    "conftest.py": "import pytest\n\n\n@pytest.fixture\ndef two():\n    return 2\n",
    "test_a.py": BROKEN,
    "test_b.py": "import lib\nimport pytest\nfrom pathlib import Path\n\n\n"
    "@pytest.mark.parametrize('p', [Path('a'), object, {1}, b'x', None], ids=str)\n"
    "def test_call(p, two, tmp_path):\n    assert lib.old_name(1) == two\n",
    "sub/test_c.py": "import lib\n\n\nclass TestC:\n    def test_c(self):\n        assert lib.old_name(1) == 2\n\n    def test_real(self):\n"
    "        assert lib.VALUE == 3\n",
    "test_d.py": "def test_syntax(:\n    assert True\n\n\ndef test_more():\n    assert True\n",
    "test_e.py": "import really_not_there\n",
    "sub/test_f.py": "def test_f():\n    pass\n",
    "pytest.ini": "[pytest]\npythonpath = .\n",
}


def same(run: Run) -> object:
    """What must not depend on how the tests were spread."""
    return sorted(
        (r["test_id"], sorted(r["nodeids"]), r["decision"], r["diff"], r["confidence_score"], r["collected"], sorted(r["refused"]))
        for r in run.results
    )


def test_same_heals_and_one_writer(suite: Suite) -> None:
    suite.toy((OLD, NEW), ("test_syntax(:", "test_syntax():"))
    suite.write(PROJECT)
    plain = suite.spawn("--continue-on-collection-errors", heal=())
    alone = suite.spawn("--continue-on-collection-errors")
    before = suite.tree()
    spread = suite.spawn("-n2", "--continue-on-collection-errors")
    assert suite.tree() == before
    assert "INTERNALERROR" not in spread.text
    assert same(spread) == same(alone), (spread.text, alone.text)
    assert spread.ret == alone.ret == plain.ret == 1
    assert spread.report["failures"] == alone.report["failures"]
    assert spread.counts() == alone.counts()
    written = suite.spawn("-n2", "--continue-on-collection-errors", heal=("--heal-apply=all",))
    assert {k: v for k, v in written.kinds().items() if v == "applied"}.keys() == {k: v for k, v in alone.kinds().items() if v == "pending"}.keys(), (
        written.text
    )
    assert "def test_syntax():" in suite.read("test_d.py").decode()
    assert all(OLD.encode() not in suite.read(n) for n in ("test_a.py", "test_b.py", "sub/test_c.py"))
    assert len({h.healing_id for h in suite.store.history()}) == len(suite.store.history())
    assert all(o.ok for o in suite.store.rollback())
    assert suite.tree().keys() == before.keys()
    assert {n: v[1] for n, v in suite.tree().items()} == {n: v[1] for n, v in before.items()}


def test_reruns_across_workers(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN, "test_b.py": BROKEN.replace("test_call", "test_other")})
    run = suite.spawn("-n2", "--reruns=1", "-o", "heal_fresh_confirm=false")
    assert run.report["failures"] == 2
    assert run.counts() == "2 failed, 2 rerun"
    assert {n for r in run.results for n in r["nodeids"]} == {"test_a.py::test_call", "test_b.py::test_other"}


def test_a_worker_that_dies(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN, "test_b.py": "import os\n\n\ndef test_dies():\n    os._exit(1)\n"})
    run = suite.spawn("-n2", "-o", "heal_fresh_confirm=false")
    assert run.ret == 1
    assert "INTERNALERROR" not in run.text
    assert run.kinds()["test_a.py::test_call"] == "pending"


def test_green_with_workers(suite: Suite) -> None:
    suite.write({"test_a.py": "def test_a():\n    pass\n"})
    run = suite.spawn("-n2", "-x")
    assert run.ret == 0
    assert "healing summary" not in run.text


def test_a_file_changed_by_a_test(suite: Suite) -> None:
    suite.write({"test_a.py": BROKEN.replace("    assert", "    open(__file__, 'a').write('# changed\\n')\n    assert")})
    run = suite.spawn("-n2", heal=("--heal-apply=all",))
    assert run.ret == 1
    assert "test_a.py changed during the run" in run.notes
    assert OLD.encode() in suite.read("test_a.py")
