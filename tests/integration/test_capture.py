"""Everything that can fail is captured where it fails, as plain data, and named in the result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.integration.toys import BROKEN, Suite

SPY = '''

class Spy(Tactic):
    """Writes down what it is asked about."""

    name = "spy"
    summary = ""

    def propose(self, failure, ctx):
        import json, os
        with open(os.environ["SPY"], "a") as f:
            f.write(json.dumps(failure.to_dict()) + "\\n")
        return ()


Toy.tactics = (Spy(), Swap())
'''
KINDS = """
import unittest
import pytest
import lib
from pathlib import Path

@pytest.fixture
def broken():
    return lib.old_name(1)

@pytest.fixture
def late():
    yield
    lib.old_name(1)

def test_setup(broken):
    pass

def test_teardown(late):
    pass

@pytest.mark.parametrize("path", [Path("a"), Path("b")], ids=["first", "second"])
@pytest.mark.parametrize("n", [1])
def test_params(n, path):
    assert lib.old_name(n) == 2

class TestClass:
    class TestInner:
        def test_method(self):
            assert lib.old_name(1) == 2

class Case(unittest.TestCase):
    def setUp(self):
        self.n = 1

    def test_unit(self):
        self.assertEqual(lib.old_name(self.n), 2)

class SetUp(unittest.TestCase):
    def setUp(self):
        lib.old_name(1)

    def test_never(self):
        pass
"""
ASYNC = """
import asyncio
import pytest
import lib

@pytest.mark.asyncio
async def test_async():
    await asyncio.sleep(0)
    assert lib.old_name(1) == 2
"""


def seen(suite: Suite) -> dict[str, Mapping[str, Any]]:
    """Nodeid -> the failure that the strategy was asked about first."""
    out: dict[str, Mapping[str, Any]] = {}
    for line in (suite.outside / "spy").read_text(encoding="utf-8").splitlines():
        failure = json.loads(line)
        out.setdefault(failure["nodeid"], failure)
    return out


@pytest.fixture
def spied(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> Suite:
    monkeypatch.setenv("SPY", str(suite.outside / "spy"))
    suite.toy(extra=SPY)
    return suite


def healed(run: Any) -> set[str]:
    return {n for r in run.results if r["decision"]["kind"] == "pending" for n in r["nodeids"]}


def test_every_kind_of_test(spied: Suite) -> None:
    spied.toy(("def fault", "def fault"), extra=SPY)
    spied.write({"test_a.py": KINDS})
    run = spied.heal()
    failures = seen(spied)
    phases = {n.partition("::")[2]: f["phase"] for n, f in failures.items()}
    assert phases == {
        "test_setup": "setup", "test_teardown": "teardown", "test_params[1-first]": "call", "test_params[1-second]": "call",
        "TestClass::TestInner::test_method": "call", "Case::test_unit": "call", "SetUp::test_never": "call",
    }  # fmt: skip
    assert {f["exc_type"] for f in failures.values()} == {"AttributeError"}
    assert {f["location"]["path"] for f in failures.values()} == {"test_a.py"}
    params = failures["test_a.py::test_params[1-second]"]
    assert params["param_indices"] == {"n": 0, "path": 1}
    assert params["params"]["path"]["repr"].endswith("Path('b')")
    assert failures["test_a.py::TestClass::TestInner::test_method"]["function"] == "TestClass.TestInner.test_method"
    assert failures["test_a.py::test_setup"]["fixtures"]["broken"]["path"] == "test_a.py"
    assert failures["test_a.py::test_setup"]["statement"] == "return lib.old_name(1)"
    assert set(run.kinds()) == set(failures)


def test_every_kind_is_healed(suite: Suite) -> None:
    suite.write({"test_a.py": KINDS})
    run = suite.heal()
    assert len(run.results) == 1, run.text[-2000:]
    assert {n.partition("::")[2] for n in healed(run)} == {
        "test_setup", "test_teardown", "test_params[1-first]", "test_params[1-second]", "TestClass::TestInner::test_method", "Case::test_unit",
        "SetUp::test_never",
    }  # fmt: skip


def test_a_test_that_fails_twice_is_one_failure(spied: Suite) -> None:
    """Call and teardown: the first is the failure, and the test is healed when both pass."""
    text = "import pytest\nimport lib\n\n\n@pytest.fixture\ndef late():\n    yield\n    lib.old_name(1)\n\n\ndef test_both(late):\n    assert lib.old_name(1) == 2\n"  # noqa: E501
    spied.write({"test_a.py": text})
    run = spied.heal()
    assert list(seen(spied)) == ["test_a.py::test_both"]
    assert seen(spied)["test_a.py::test_both"]["phase"] == "call"
    assert healed(run) == {"test_a.py::test_both"}
    assert run.report["failures"] == 1


def test_a_teardown_that_still_fails_is_no_heal(suite: Suite) -> None:
    text = "import pytest\nimport lib\n\n\n@pytest.fixture\ndef late():\n    yield\n    raise RuntimeError\n\n\ndef test_both(late):\n    assert lib.old_name(1) == 2\n"  # noqa: E501
    suite.write({"test_a.py": text})
    assert healed(suite.heal()) == set()


def test_async(suite: Suite) -> None:
    pytest.importorskip("pytest_asyncio")
    suite.write({"test_a.py": ASYNC, "pytest.ini": "[pytest]\nasyncio_mode = strict\nasyncio_default_fixture_loop_scope = function\n"})
    suite.bare(
        "-p", "pytest_asyncio.plugin", "-p", "toyheal", "--heal", f"--heal-json={suite.outside / 'heal.json'}", "-o", "heal_fresh_confirm=false"
    )
    kinds = {n: r["decision"]["kind"] for r in suite._report()["results"] for n in r["nodeids"]}
    assert kinds == {"test_a.py::test_async": "pending"}


SUBTESTS = """
import unittest
import lib

class Case(unittest.TestCase):
    def test_sub(self):
        for i in (1, 2, 3):
            with self.subTest(i=i):
                self.assertEqual(lib.{name}(i), i + 1)
"""


@pytest.mark.parametrize("name", ["old_name", "half"])
def test_subtests_of_unittest(suite: Suite, name: str) -> None:
    """A heal must make every subtest pass: ``half`` is right for the first only."""
    suite.toy(("lib.missing(", f"lib.{'new_name' if name == 'old_name' else name}("))
    suite.write(
        {"lib.py": "def new_name(x):\n    return x + 1\n\n\ndef half(x):\n    return 2\n", "test_a.py": SUBTESTS.replace("{name}", "missing")}
    )
    plain = suite.plain()
    run = suite.heal()
    assert run.ret == plain.ret == 1
    assert run.counts() == plain.counts()
    assert healed(run) == ({"test_a.py::Case::test_sub"} if name == "old_name" else set()), run.text[-1500:]


@pytest.mark.skipif(pytest.version_tuple < (9, 0), reason="subtests came with pytest 9")
@pytest.mark.parametrize("name", ["new_name", "half"])
def test_subtests_of_pytest(suite: Suite, name: str) -> None:
    text = "import lib\n\n\ndef test_sub(subtests):\n    for i in (1, 2, 3):\n        with subtests.test(i=i):\n            assert lib.missing(i) == i + 1\n"  # noqa: E501
    suite.toy(("lib.missing(", f"lib.{name}("))
    suite.write({"lib.py": "def new_name(x):\n    return x + 1\n\n\ndef half(x):\n    return 2\n", "test_a.py": text})
    plain = suite.plain()
    run = suite.heal()
    assert run.ret == plain.ret == 1
    assert run.counts() == plain.counts()
    assert healed(run) == ({"test_a.py::test_sub"} if name == "new_name" else set()), run.text[-1500:]


def test_doctests_are_named_and_left_alone(suite: Suite) -> None:
    suite.write({"test_a.py": '"""\n>>> 1 + 1\n3\n"""\n', "notes.txt": ">>> undefined_name\n1\n", "product.py": '"""\n>>> 2 + 2\n5\n"""\n'})
    args = ("--doctest-modules", "--doctest-glob=*.txt", "--ignore=toyheal.py", "--ignore=lib.py")
    plain, run = suite.plain(*args), suite.heal(*args)
    assert run.ret == plain.ret == 1
    assert run.counts() == plain.counts() == "3 failed"
    assert run.kinds() == dict.fromkeys(["test_a.py::test_a", "notes.txt::notes.txt", "product.py::product"], "rejected")
    assert run.text.count("not healed") == 4


def test_reruns_are_one_failure(spied: Suite) -> None:
    spied.write({"test_a.py": BROKEN, "test_b.py": "import lib\n\nN = []\n\n\ndef test_flaky():\n    N.append(1)\n    assert len(N) > 1\n"})
    run = spied.heal("--reruns=2")
    assert run.report["failures"] == 1
    assert list(seen(spied)) == ["test_a.py::test_call"]
    assert seen(spied)["test_a.py::test_call"]["reruns"] == 2
    assert run.counts() == "1 failed, 1 passed, 3 rerun"
    assert run.one()["decision"]["kind"] == "pending"


def test_one_root_cause_over_many_files_is_one_heal(suite: Suite) -> None:
    suite.toy(everywhere=True)
    names = [f"part{i}/test_{i}.py" for i in range(6)]
    text = "import lib\nimport pytest\n\n\n@pytest.mark.parametrize('n', range(5))\ndef test_call(n):\n    assert lib.old_name(n) == n + 1\n"
    suite.write({**dict.fromkeys(names, text), "pytest.ini": "[pytest]\npythonpath = .\n"})
    run = suite.heal()
    one = run.one()
    assert len(one["nodeids"]) == 30
    assert [c["path"] for c in one["changes"]] == names
    assert one["diff"].count("+    assert lib.new_name(n)") == 6
    assert "1 heal pending" in run.text


def test_the_same_heal_found_file_by_file_is_one_too(suite: Suite) -> None:
    suite.write({f"test_{i}.py": BROKEN for i in range(4)})
    one = suite.heal().one()
    assert [c["path"] for c in one["changes"]] == [f"test_{i}.py" for i in range(4)]


def test_failures_in_odd_places(suite: Suite) -> None:
    """Recursion, exception groups, huge messages, unprintable objects: captured, and the run's result is its own."""
    suite.write({
        "test_a.py": "class Bad:\n    def __repr__(self): raise RuntimeError('repr')\n    def __eq__(self, o): return False\n\n"
        "def test_repr():\n    assert Bad() == 1\n\ndef test_deep():\n    test_deep()\n\ndef test_long():\n    assert 'x' * 10**6 == ''\n\n"
        "def test_code():\n    exec('raise KeyError(1)')\n\ndef test_bytes():\n    raise ValueError('\\udcff\\x00\\x1b[31m')\n"
    })  # fmt: skip
    plain, run = suite.plain(), suite.heal()
    assert run.ret == plain.ret == 1
    assert run.counts() == plain.counts() == "5 failed"
    assert len(run.results) == 5
    assert set(run.kinds().values()) == {"rejected"}
