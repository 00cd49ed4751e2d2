"""What breaks collection is healed in the same session: the tests run, and the result says what had to be done for that."""

from __future__ import annotations

import pytest

from tests.integration.toys import BROKEN, HEALED, NEW, OLD, Suite

SWAPS = (
    ("test_syntax(:", "test_syntax():"), ("oops(:", "oops():"), ("import jsno", "import json"), ("undefined_name", "len"),
    ("lib.no_such", "lib.VALUE"), ("'a, b'", "'a'"), ("[lib.rows]", "[1, 2]"),
)  # fmt: skip
MODULES = {
    "syntax": "def test_syntax(:\n    pass\n\n\ndef test_more():\n    pass\n",
    "import": "import jsno\n\n\ndef test_one():\n    assert json\n\n\ndef test_two():\n    pass\n",
    "name": "X = undefined_name\n\n\ndef test_one(tmp_path):\n    assert X(tmp_path.name) > 0\n\n\ndef test_two():\n    pass\n",
    "attribute": "import lib\n\nX = lib.no_such\n\n\ndef test_one():\n    assert X == 2\n\n\ndef test_two():\n    pass\n",
    "parametrize": "import pytest\n\n\n@pytest.mark.parametrize('a, b', [1, 2])\ndef test_one(a):\n    assert a\n",
    "tab": "def test_syntax(:\n\tpass\n\n\ndef test_two():\n\tpass\n",
}


@pytest.mark.parametrize("kind", MODULES)
def test_a_module(suite: Suite, kind: str) -> None:
    suite.toy(*SWAPS)
    suite.write({"test_a.py": MODULES[kind], "test_b.py": "def test_green():\n    pass\n"})
    before = suite.tree()
    plain = suite.plain()
    assert plain.ret == 2
    run = suite.heal()
    assert run.ret == 1
    assert run.counts() == "3 passed, 1 error", run.text[-2000:]
    one = run.one()
    assert (one["decision"]["kind"], one["collected"]) == ("pending", True)
    assert set(one["nodeids"]) == {n for n in one["nodeids"] if n.startswith("test_a.py::")}
    assert len(one["nodeids"]) == 2
    assert "ERROR test_a.py" in run.text
    assert "healed at collection" in run.text
    assert suite.tree() == before


def test_several_broken_files_and_one_that_stays(suite: Suite) -> None:
    suite.toy(*SWAPS)
    suite.write({"test_a.py": MODULES["syntax"], "test_b.py": MODULES["import"], "test_c.py": "import really_not_there\n"})
    run = suite.heal()
    assert run.ret == 2  # as without healing: one file could not be collected
    assert {k.partition("::")[0]: v for k, v in run.kinds().items()} == {"test_a.py": "pending", "test_b.py": "pending", "test_c.py": "rejected"}
    run = suite.heal("--continue-on-collection-errors")
    assert run.ret == 1
    assert run.counts() == "4 passed, 3 errors"


def test_a_test_asked_for_by_name_in_a_file_that_cannot_be_collected(suite: Suite) -> None:
    """pytest then runs nothing at all; what was found out is told all the same."""
    suite.toy(*SWAPS)
    suite.write({"test_c.py": "import really_not_there\n\n\ndef test_one():\n    pass\n"})
    run = suite.heal("test_c.py::test_one")
    assert run.ret == 4  # as without healing
    assert run.kinds() == {"test_c.py": "rejected"}
    assert "healing summary" in run.text
    assert "found no collectors for" in run.text
    assert "1 error" in run.text


@pytest.mark.parametrize("order", [(1, 2, 3), (2, 1, 3), (3, 2, 1)])
def test_of_two_ways_to_collect_a_file_the_one_that_passes(suite: Suite, order: tuple[int, ...]) -> None:
    """Several heals make the file collectable; its own tests tell them apart, whichever was tried first."""
    suite.toy(*(("oops(", f"assert n == {i}") for i in order))
    suite.write({"test_a.py": "def test_green():\n    pass\n\n\ndef test_one():\n    n = 2\n    oops(\n"})
    run = suite.heal("--heal-apply=all", fresh=True)
    assert run.one()["alternatives"] == [], run.text
    assert suite.read("test_a.py").endswith(b"    assert n == 2\n")
    assert suite.plain().ret == 0


def test_two_ways_to_collect_a_file_that_both_pass_are_the_users_choice(suite: Suite) -> None:
    suite.toy(("oops(", "assert n == 2"), ("oops(", "assert n < 3"), ("oops(", "assert n == 4"))
    suite.write({"test_a.py": "def test_one():\n    n = 2\n    oops(\n"})
    run = suite.heal("--heal-apply=all", fresh=True)
    assert run.one()["decision"]["kind"] == "pending"
    assert [a.partition("->")[2] for a in run.one()["alternatives"]] in (["assert n < 3"], ["assert n == 2"])


def test_what_fails_behind_a_collection_error_is_healed_too(suite: Suite) -> None:
    suite.toy((OLD, NEW), ("test_syntax(:", "test_syntax():"))
    suite.write({"test_a.py": "def test_syntax(:\n    pass\n\n\n" + BROKEN})
    run = suite.heal()
    assert run.ret == 1
    assert run.counts() == "1 failed, 1 passed, 1 error"
    healed = {n for r in run.results if r["decision"]["kind"] == "pending" for n in r["nodeids"]}
    assert healed >= {"test_a.py::test_syntax", "test_a.py::test_call"}, run.text[-3000:]
    everything = suite.heal(heal=("--heal-apply=all",), fresh=True)
    assert set(everything.kinds().values()) == {"applied"}, everything.text[-3000:]
    assert suite.read("test_a.py").decode() == "def test_syntax():\n    pass\n\n\n" + HEALED


CONFTEST = "def oops(:\n    pass\n\n\nimport pytest\n\n\n@pytest.fixture\ndef five():\n    return 5\n"


@pytest.mark.parametrize("where", ["", "sub/"], ids=["initial", "folder"])
def test_a_conftest(suite: Suite, where: str) -> None:
    suite.toy(*SWAPS)
    suite.write(
        {
            f"{where}conftest.py": CONFTEST,
            f"{where}test_a.py": "def test_five(five):\n    assert five == 5\n",
            "test_b.py": "def test_b():\n    pass\n",
        }
    )
    suite.write({"pytest.ini": "[pytest]\n"})
    before = suite.tree()
    plain = suite.plain()
    assert plain.ret in (2, 4)
    run = suite.heal()
    assert run.ret == 1, run.text[-3000:]
    assert "2 passed" in run.counts()
    one = run.one()
    assert (one["decision"]["kind"], one["changes"][0]["path"]) == ("pending", f"{where}conftest.py")
    assert suite.tree() == before
    run = suite.heal(heal=("--heal-apply=all",), fresh=True)
    assert suite.read(f"{where}conftest.py").decode() == CONFTEST.replace("oops(:", "oops():"), run.text[-3000:]
    assert suite.plain().ret == 0


def test_a_conftest_that_cannot_be_healed_ends_the_run_as_without(suite: Suite) -> None:
    suite.write({"conftest.py": "import really_not_there\n", "test_a.py": "def test_a():\n    pass\n"})
    plain, run = suite.plain(), suite.heal()
    assert run.ret == plain.ret == 4
    assert "really_not_there" in run.text
    assert "Traceback" not in run.text.replace("Traceback:", "")


@pytest.mark.parametrize("where", ["", "sub/"], ids=["initial", "folder"])
@pytest.mark.parametrize(
    ("product", "place"),
    [("def price(a, b:\n    return a + b\n", "pkg/core.py:1"), ("TABLE = {}\nRATE = TABLE['x']\n", "pkg/core.py:2")],
    ids=["does not parse", "raises"],
)
def test_a_conftest_that_fails_by_the_product(suite: Suite, where: str, product: str, place: str) -> None:
    suite.write(
        {"pkg/__init__.py": "", "pkg/core.py": product, f"{where}conftest.py": "import pkg.core\n", f"{where}test_a.py": "def test_a():\n    pass\n"}
    )
    suite.write({"pytest.ini": "[pytest]\n"})
    before = suite.tree()
    plain, run = suite.plain(), suite.heal()
    assert run.ret == plain.ret == (2 if where else 4)
    assert suite.tree() == before
    assert f"{where}conftest.py not healed: looks like a regression in {place}" in run.text
    one = run.one()
    assert one["decision"]["kind"] == "rejected"
    assert one["decision"]["rule"].startswith(f"looks like a regression in {place}")
    assert one["diagnosis"]["suspect"].startswith(place)
    assert run.report["failures"] == 1


def test_a_conftest_that_cannot_be_healed_gets_its_advice_and_its_report(suite: Suite) -> None:
    suite.write({"conftest.py": "import really_not_there\n", "test_a.py": "def test_a():\n    pass\n"})
    run = suite.heal("--heal-strategies=dependency_fix")
    assert run.ret == 4
    assert run.one()["decision"]["kind"] == "advised"
    assert "really_not_there" in run.one()["advice"]


@pytest.mark.parametrize("name", ["helper.py", "testsuite/helper.py"])
def test_a_broken_helper(suite: Suite, name: str) -> None:
    """Test code beside the tests is healed for review; product code is not touched."""
    suite.toy(*SWAPS)
    package = name.rpartition("/")[0]
    module = name.removesuffix(".py").replace("/", ".")
    suite.write({name: "def oops(:\n    return 1\n", "test_a.py": f"from {module} import oops\n\n\ndef test_a():\n    assert oops is not None\n"})
    if package:
        suite.write({f"{package}/__init__.py": ""})
    run = suite.heal()
    if package:
        assert run.ret == 1, run.text[-2000:]
        assert run.counts() == "1 passed, 1 error"
        assert run.one()["changes"][0]["path"] == name
    else:
        assert run.ret == 2
        assert run.one()["decision"]["kind"] == "rejected"
    assert suite.read(name) == b"def oops(:\n    return 1\n"


@pytest.mark.parametrize(
    "args",
    [("test_a.py",), ("test_a.py::test_more",), ("-k", "more"), ("--import-mode=importlib",), ("-x",), ("--deselect", "test_b.py::test_b")],
    ids=" ".join,
)
def test_however_it_was_asked_for(suite: Suite, args: tuple[str, ...]) -> None:
    suite.toy(*SWAPS)
    suite.write({"test_a.py": MODULES["syntax"], "test_b.py": "def test_b():\n    pass\n"})
    run = suite.heal(*args)
    assert run.ret == 1, run.text[-2000:]
    assert run.one()["decision"]["kind"] == "pending", run.text[-2000:]
    assert "test_a.py::test_more" in run.one()["nodeids"]


def test_fixtures_and_markers_of_a_healed_module_are_in_order(suite: Suite) -> None:
    text = """
import pytest

pytestmark = pytest.mark.usefixtures("counted")
CALLS = []


@pytest.fixture
def value(value):
    return value + 1


@pytest.fixture(autouse=True)
def auto():
    CALLS.append(1)


@pytest.fixture(scope="module")
def counted():
    CALLS.append("module")


class TestIt:
    def test_syntax(self, value):
        assert value == 2
        assert CALLS == ["module", 1]


def test_syntax(:
    assert CALLS == ["module", 1, 1]
"""
    suite.toy(*SWAPS)
    suite.write({"conftest.py": "import pytest\n\n\n@pytest.fixture\ndef value():\n    return 1\n", "test_a.py": text})
    run = suite.heal()
    assert run.counts() == "2 passed, 1 error", run.text[-2500:]
    assert run.one()["decision"]["kind"] == "pending"


def test_a_heal_at_collection_that_hangs(suite: Suite) -> None:
    suite.toy(("test_syntax(:", "test_syntax():\n    pass\nwhile True: pass\ndef f():"))
    suite.write({"test_a.py": MODULES["syntax"], "test_b.py": "def test_b():\n    pass\n"})
    run = suite.heal("-o", "heal_timeout=1", "--continue-on-collection-errors")
    assert run.ret == 1
    assert run.counts() == "1 passed, 1 error"
    assert run.one()["decision"]["kind"] == "rejected"


def test_results_are_stored_for_the_next_command(suite: Suite) -> None:
    suite.toy(*SWAPS)
    suite.write({"test_a.py": MODULES["syntax"]})
    suite.heal()
    (pending,) = suite.store.pending()
    assert all(o.ok for o in suite.store.accept([pending.healing_id]))
    assert suite.read("test_a.py").decode() == MODULES["syntax"].replace("(:", "():")
    assert suite.plain().ret == 0
