"""Mutants where processes cannot be copied: the same fates as with forks, whatever the mutants do to the process that tries them."""

from __future__ import annotations

import subprocess
import types
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.prove.mutants import Mutant
from pytest_maestro_healer.session import unforked
from pytest_maestro_healer.session.fresh import Fresh
from pytest_maestro_healer.session.runner import SessionRunner
from tests.integration.shops import SHOP, TEST, commit, git, heal, teeth
from tests.integration.toys import Run, Suite

#: What a system without forks is to the session and to all that it starts.
NO_FORKS = "import os\n\nif hasattr(os, 'fork'):\n    del os.fork\n"
#: Repeats are no matter here, and each is a process.
ONCE = """
from pytest_maestro_healer.model import ProofStep
from pytest_maestro_healer.prove.ladder import Ladder

Ladder.stable = lambda self, nodeids, overlay, repeats=2: ProofStep("stable", None, "not repeated")
"""
LIB = """
def total(x, y):
    z = x + y
    if z > 5:
        z = 5
    return z
"""
SHARP = "import lib\n\n\ndef test_total():\n    assert lib.total(1, 1) == 3\n    assert lib.total(9, 1) == 5\n"
BLUNT = "import lib\n\n\ndef test_total():\n    got = lib.total(1, 1)\n    assert len(str(type(got))) * 0 + 2 == 3\n"


def healed(suite: Suite, *, forks: bool) -> Run:
    suite.write({"conftest.py": ONCE + ("" if forks else NO_FORKS)})
    before = suite.tree()
    run = suite.spawn("-o", "heal_fresh_confirm=false")
    assert suite.tree() == before
    return run


def test_teeth_are_the_same_without_forks(suite: Suite) -> None:
    suite.write({"lib.py": LIB, "test_a.py": SHARP})
    suite.toy(("== 3", "== 2"), symptom=True)
    run, known = healed(suite, forks=False), healed(suite, forks=True).one()["validation_results"]["teeth"]
    assert run.one()["decision"]["kind"] == "pending", run.text
    teeth = run.one()["validation_results"]["teeth"]
    assert teeth == {**known, "seconds": teeth["seconds"]}
    assert teeth["passed"] is True
    assert len(teeth["details"]) >= 4


def test_an_expectation_that_notices_nothing_is_refused_without_forks_too(suite: Suite) -> None:
    suite.write({"lib.py": LIB, "test_a.py": BLUNT})
    suite.toy(("== 3", "== 2"), symptom=True)
    result = healed(suite, forks=False).one()
    assert (result["decision"]["kind"], result["validation_results"]["teeth"]["passed"]) == ("rejected", False)
    assert result["decision"]["rule"].startswith("0/")


# -- beside the original ---------------------------------------------------------------------------------------------------
def committed(suite: Suite, conftest: str) -> None:
    """Also the version that the original ran in has this conftest; the working tree keeps what changed since."""
    suite.write({"conftest.py": conftest})
    git(suite.path, "add", "conftest.py")
    git(suite.path, "commit", "-q", "--amend", "--no-edit")


@pytest.mark.parametrize(("new", "kind"), [("grand_total", "pending"), ("subtotal", "rejected")])
def test_a_heal_is_compared_with_the_original_as_it_is_with_forks(shop: Suite, monkeypatch: pytest.MonkeyPatch, new: str, kind: str) -> None:
    monkeypatch.setenv("GIT_OPTIONAL_LOCKS", "0")  # git may refresh its index whenever it is asked for the state
    shop.toy(("shop.total(", f"shop.{new}("))
    known = healed(shop, forks=True).one()["validation_results"]["teeth"]
    committed(shop, ONCE + NO_FORKS)
    run = healed(shop, forks=False)
    assert run.one()["decision"]["kind"] == kind, run.text
    found = run.one()["validation_results"]["teeth"]
    assert found == {**known, "seconds": found["seconds"]}
    assert ("that the original noticed at HEAD none is lost" if kind == "pending" else "the original saw `") in found["reason"]
    assert "not tried" not in found["reason"]


def test_it_is_compared_where_what_is_imported_starts_threads(shop: Suite) -> None:
    """With forks, but neither the project of today nor the one of then can be forked."""
    committed(shop, ONCE + "import threading\n\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n")
    run = heal(shop, "subtotal")
    assert (run.one()["decision"]["kind"], teeth(run)[0]) == ("rejected", False), run.text
    assert teeth(run)[1].startswith("the original saw `")


@pytest.mark.parametrize(
    ("old", "why"),
    [
        ({"shop.py": "import not_installed_here\n" + SHOP}, "the test does not import (No module named 'not_installed_here')"),
        ({"shop.py": SHOP.replace("return amount", "return amount + 1")}, "the test does not pass"),
        ({"shop.py": "import os\n\nos._exit(3)\n"}, "does not run here"),
        ({"test_shop.py": TEST + "\n\ndef test_exit():\n    import pytest\n\n    pytest.exit('no')\n"}, "none is lost"),
        ({"test_shop.py": TEST.replace("():\n", "():\n    __import__('pytest').exit('no')\n", 1)}, "it cannot be told (crash: Exit: no)"),
    ],
    ids=["import", "red", "exit", "another exits", "it exits"],
)
def test_what_does_not_run_is_said_without_forks_too(shop: Suite, old: dict[str, str], why: str) -> None:
    now = {"shop.py": shop.read("shop.py"), "test_shop.py": shop.read("test_shop.py")}
    git(shop.path, "checkout", "-q", "--orphan", "alone")
    shop.write({"shop.py": SHOP, "conftest.py": ONCE + NO_FORKS, **old})
    commit(shop, "Does not run")
    shop.write(now)
    run = heal(shop, "grand_total")
    assert run.one()["decision"]["kind"] == "pending", run.text
    assert teeth(run)[0] is True
    assert why in teeth(run)[1]


def test_time_that_is_used_up_is_said_without_forks_too(shop: Suite) -> None:
    committed(shop, ONCE + NO_FORKS + "from pytest_maestro_healer.session import original\n\noriginal._SHARE = 1e-4\n")
    run = heal(shop, "subtotal")
    assert run.one()["decision"]["kind"] == "pending", run.text
    assert "not compared with the original: the time for that is used up" in teeth(run)[1]


# -- one question, asked directly ------------------------------------------------------------------------------------------
class Counted(Fresh):
    """Counts the processes that are started."""

    started = 0

    def start(self, *args: Any, **kwargs: Any) -> subprocess.Popen[bytes]:
        self.started += 1
        return super().start(*args, **kwargs)


class Asked:
    """Mutants of ``lib.f``, each given by the source of the whole function; the tests of ``test_a.py`` are asked about them."""

    def __init__(self, suite: Suite, lib: str, test: str) -> None:
        self.suite = suite
        self.lib = lib
        config = suite.pytester.parseconfig("-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:hypothesispytest", "test_a.py")
        suite.write({"lib.py": lib, "test_a.py": test, "conftest.py": NO_FORKS})  # not before: this process is to keep its forks
        self.fresh = Counted(config, ProjectFiles(suite.path), 20.0)

    def fates(
        self, *swaps: tuple[str, str], overlay: Mapping[str, bytes] | None = None, tests: Sequence[str] = ("test_a.py::test_a",), **more: Any
    ) -> object:
        """By the swaps of text that the mutants are, whether the tests notice; nothing on the disk may change meanwhile."""
        before = self.suite.tree()
        found = unforked.killed(self.fresh, tests, overlay or {}, [self.mutant(*s) for s in swaps], self.fresh.timeout, **more)
        assert self.suite.tree() == before
        return found

    def mutant(self, old: str, new: str) -> Mutant:
        """``f`` with one text in it replaced."""
        assert self.lib.count(old) == 1, old
        text = self.lib.replace(old, new)
        module = compile(text, str(self.suite.path / "lib.py"), "exec")
        code = next(c for c in module.co_consts if isinstance(c, types.CodeType) and c.co_name == "f")
        return Mutant("lib.py", "f", code, text[: text.index(new)].count("\n") + 1, "")


PLUS = "import os\n\nSEEN = []\n\n\ndef f(x):\n    y = x + 1\n    return y\n"
TWO = "import lib\n\n\ndef test_a():\n    assert lib.f(1) == 2\n"
SAME = ("x + 1", "1 + x")
WRONG = ("x + 1", "x - 1")


def test_a_mutant_that_hangs_or_ends_its_process_is_noticed_and_the_rest_is_asked(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(suite, PLUS, TWO)
    hang = ("y = x + 1", "while x: y = x")
    monkeypatch.setattr(asked.fresh, "timeout", 1.0)
    monkeypatch.setattr(unforked, "START", 600.0)  # the machine may be busy
    assert asked.fates(SAME, hang, ("x + 1", "os._exit(0)"), ("x + 1", "os.abort()"), SAME, WRONG) == [False, True, True, True, False, True]
    assert asked.fresh.started == 4


def test_a_hang_is_told_from_a_crash_where_it_is_to_say_nothing(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(suite, PLUS, TWO)
    monkeypatch.setattr(asked.fresh, "timeout", 1.0)
    monkeypatch.setattr(unforked, "START", 600.0)
    assert asked.fates(("y = x + 1", "while x: y = x"), ("x + 1", "os.abort()"), WRONG, hung=None) == [None, True, True]


def test_there_is_no_process_when_the_time_is_used_up(suite: Suite) -> None:
    asked = Asked(suite, PLUS, TWO)
    assert asked.fates(WRONG, SAME, seconds=0.0) == [None, None]
    assert asked.fresh.started == 0


def test_a_mutant_that_stops_the_session_is_noticed_and_the_rest_is_asked(suite: Suite) -> None:
    lib = PLUS.replace("import os", "import pytest")
    assert Asked(suite, lib, TWO).fates(("x + 1", "pytest.exit('no')"), ("x + 1", "exec('raise KeyboardInterrupt')"), SAME) == [True, True, False]


def test_what_a_mutant_leaves_behind_is_no_other_mutants_fate(suite: Suite) -> None:
    """The second spoils and is noticed; the third spoils without being noticed, and then the last would look noticed."""
    test = "import lib\n\n\ndef test_a():\n    assert not lib.SEEN\n    assert lib.f(1) == 2\n"
    asked = Asked(suite, PLUS, test)
    spoils, silently = ("x + 1", "SEEN.append(1)"), ("x + 1", "(SEEN.append(1), x + 1)[1]")
    assert asked.fates(WRONG, spoils, silently, SAME, WRONG) == [True, True, False, False, True]
    assert asked.fresh.started == 3


def test_a_value_that_is_kept_does_not_hide_a_mutant(suite: Suite) -> None:
    lib = "import functools\n\n\n@functools.cache\ndef f(x):\n    y = x + 1\n    return y\n"
    asked = Asked(suite, lib, TWO)
    assert asked.fates(WRONG, SAME) == [True, False]
    assert asked.fresh.started == 3


def test_tests_that_pass_only_once_in_a_process_get_one_for_each_mutant(suite: Suite) -> None:
    test = TWO.replace("    assert", "    lib.SEEN.append(1)\n    assert lib.SEEN == [1]\n    assert")
    asked = Asked(suite, PLUS, test)
    assert asked.fates(WRONG, SAME) == [True, False]
    assert asked.fresh.started == 3


def test_what_was_set_up_under_a_mutant_is_torn_down(suite: Suite) -> None:
    test = (
        "import lib\nimport pytest\n\n\n@pytest.fixture(scope='module')\ndef two():\n    return lib.f(1)\n\n\n"
        "def test_a(two):\n    assert two == 2\n\n\ndef test_b(two):\n    assert two == 2\n"
    )
    asked = Asked(suite, PLUS, test)
    assert asked.fates(WRONG, SAME, WRONG, tests=("test_a.py::test_a", "test_a.py::test_b")) == [True, False, True]
    assert asked.fresh.started == 1


def test_the_product_may_be_imported_while_the_test_runs(suite: Suite) -> None:
    asked = Asked(suite, PLUS, "def test_a():\n    import lib\n    assert lib.f(1) == 2\n")
    assert asked.fates(WRONG, SAME) == [True, False]


def test_an_edited_helper_is_served(suite: Suite) -> None:
    suite.write({"helper.py": "import lib\n\n\ndef two():\n    return lib.g(1)\n"})
    asked = Asked(suite, PLUS, "import helper\n\n\ndef test_a():\n    assert helper.two() == 2\n")
    assert asked.fates(WRONG, SAME) == [None, None]
    assert asked.fates(WRONG, SAME, overlay={"helper.py": suite.read("helper.py").replace(b"g(", b"f(")}) == [True, False]


def test_what_starts_threads_when_it_is_imported_is_tried_that_way_too(suite: Suite) -> None:
    """With forks, but nothing to fork: no fresh process is without those threads."""
    asked = Asked(suite, PLUS, TWO)
    suite.write({"conftest.py": "import threading\n\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"})
    session: Any = types.SimpleNamespace(collectors={"test_a.py": None})
    runner = SessionRunner(HealerConfig(isolate=True), asked.fresh.files, session, asked.fresh)
    try:
        assert runner.killed(["test_a.py::test_a"], {}, [asked.mutant(*WRONG), asked.mutant(*SAME)]) == [True, False]
    finally:
        runner.close()
    assert asked.fresh.started == 1


def test_an_edited_data_file_is_there(suite: Suite) -> None:
    suite.write({"want.txt": "3"})
    asked = Asked(suite, PLUS, "import lib\nimport pathlib\n\n\ndef test_a():\n    assert lib.f(1) == int(pathlib.Path('want.txt').read_text())\n")
    assert asked.fates(WRONG, SAME, overlay={"want.txt": b"2"}) == [True, False]


@pytest.mark.parametrize(
    "test", ["def test_a():\n    assert False\n", "def test_b():\n    pass\n", "import nowhere\n"], ids=["fails", "is not there", "breaks"]
)
def test_nothing_is_said_where_the_tests_do_not_pass_anyway(suite: Suite, test: str) -> None:
    asked = Asked(suite, PLUS, test)
    assert asked.fates(WRONG, SAME) == [None, None]
    assert asked.fresh.started == 1


def test_a_process_that_comes_to_no_answer_is_given_up(suite: Suite) -> None:
    asked = Asked(suite, PLUS, TWO)
    suite.write({"conftest.py": "import os\n\nos._exit(3)\n"})
    assert asked.fates(WRONG, SAME) == [None, None]
    assert asked.fresh.started == 1
