"""A heal beside the test as it was when it last passed: in a real run, in a real repository."""

from __future__ import annotations

import os

import pytest

from tests.integration.shops import SHOP, TEST, commit, git, heal, teeth
from tests.integration.toys import Suite


def test_an_honest_rename_notices_what_the_original_noticed(shop: Suite) -> None:
    run = heal(shop, "grand_total")
    assert run.one()["decision"]["kind"] == "pending", run.text
    passed, reason = teeth(run)
    assert passed is True
    assert "mutants of the product are noticed" in reason
    assert "that the original noticed at HEAD none is lost" in reason


def test_a_heal_that_loses_sight_is_refused_and_says_of_what(shop: Suite) -> None:
    """Another function gives the same for these values: no check is weaker, and the renamed one is tested by nobody any more."""
    run = heal(shop, "subtotal")
    result = run.one()
    assert result["decision"]["kind"] == "rejected", run.text
    passed, reason = teeth(run)
    assert passed is False
    assert reason.startswith("the original saw `")
    assert "at shop.py:" in reason
    assert ", the healed test does not (" in reason
    assert "the original saw" in run.text


@pytest.mark.parametrize(("new", "passed"), [("grand_total", True), ("subtotal", False)])
def test_beside_threads_it_is_compared_in_fresh_processes(shop: Suite, new: str, passed: bool) -> None:
    thread = "    __import__('threading').Thread(target=__import__('threading').Event().wait, daemon=True).start()\n"
    shop.write({"test_shop.py": TEST.replace("    assert len(", thread + "    assert len(").replace("():\n", "():\n" + thread, 1)})
    passed_now, reason = teeth(heal(shop, new))
    assert passed_now is passed
    assert ("none is lost" if passed else "the original saw `") in reason


@pytest.mark.parametrize(("new", "passed"), [("grand_total", True), ("subtotal", False)])
def test_a_heal_made_while_tests_are_collected_is_compared_too(shop: Suite, new: str, passed: bool) -> None:
    now = {"shop.py": shop.read("shop.py")}
    shop.write({"shop.py": SHOP, "test_shop.py": TEST.replace("import shop\n", "from shop import total\n").replace("shop.total(", "total(")})
    commit(shop, "By its name")
    shop.write(now)
    shop.toy(("import total", f"import {new} as total"))
    run = shop.spawn("-o", "heal_fresh_confirm=false", "-vv")
    assert teeth(run)[0] is passed, run.text


def test_the_last_green_commit_is_asked_where_one_is_known(shop: Suite) -> None:
    """At HEAD and before it the test fails: only the history knows where it passed."""
    shop.write({"shop.py": SHOP})
    shop.toy()
    green = git(shop.path, "rev-parse", "--short=7", "HEAD").strip()
    assert shop.spawn("-k", "total").ret == 0
    shop.write({"shop.py": SHOP.replace("def total", "def grand_total")})
    commit(shop, "Renamed")
    shop.write({"notes.py": "NOTES = 1\n"})
    commit(shop, "Notes")
    run = heal(shop, "subtotal")
    assert teeth(run)[0] is False, run.text
    assert f"at {green})" in teeth(run)[1]
    assert teeth(heal(shop, "grand_total"))[0] is True


def test_without_git_it_is_said_and_nothing_is_refused(suite: Suite) -> None:
    suite.write({"shop.py": SHOP.replace("def total", "def grand_total"), "test_shop.py": TEST})
    run = heal(suite, "grand_total")
    assert run.one()["decision"]["kind"] == "pending", run.text
    assert "not compared with the original: there is no git repository here" in teeth(run)[1]


@pytest.mark.parametrize(
    ("old", "why"),
    [
        ({"shop.py": "import not_installed_here\n" + SHOP}, "the test does not import (No module named 'not_installed_here')"),
        ({"shop.py": SHOP.replace("return amount", "return amount + 1")}, "the test does not pass"),
        ({"conftest.py": "import os\nos._exit(3)\n"}, "does not run here"),
    ],
    ids=["import", "red", "exit"],
)
def test_an_old_version_that_does_not_run_is_no_reason_against_a_heal(shop: Suite, old: dict[str, str], why: str) -> None:
    now = {"shop.py": shop.read("shop.py"), "test_shop.py": shop.read("test_shop.py")}
    git(shop.path, "checkout", "-q", "--orphan", "alone")  # without the commit before, which runs
    shop.write({"shop.py": SHOP, **old})
    commit(shop, "Does not run")
    (shop.path / "conftest.py").unlink(missing_ok=True)
    shop.write(now)
    run = heal(shop, "grand_total")
    assert run.one()["decision"]["kind"] == "pending", run.text
    passed, reason = teeth(run)
    assert passed is True
    assert "not compared with the original" in reason
    assert why in reason


def test_nothing_is_written(shop: Suite) -> None:
    """The old version runs elsewhere: files, index, branches and work trees stay as they are, also where a test or an import writes beside itself."""
    writes = "import pathlib\n\npathlib.Path(__file__).with_name('trace').write_text('x')\npathlib.Path('here').write_text('x')\n"
    now = {"shop.py": shop.read("shop.py")}
    shop.write({"shop.py": writes + SHOP})
    commit(shop, "Writes when it is imported")
    shop.write(now)
    shop.toy(("shop.total(", "shop.grand_total("))
    state = [("status", "--porcelain"), ("worktree", "list"), ("branch", "-a", "-v"), ("stash", "list"), ("log", "--all", "--format=%H")]
    told = [git(shop.path, *args) for args in state]
    files = shop.tree()
    run = shop.spawn("-o", "heal_fresh_confirm=false", env={"GIT_OPTIONAL_LOCKS": "0"})
    assert shop.tree() == files
    assert [git(shop.path, *args) for args in state] == told
    assert "that the original noticed at HEAD none is lost" in teeth(run)[1]


def test_an_installation_of_the_project_does_not_stand_in_for_the_old_version(shop: Suite) -> None:
    """As with ``pip install -e``: a path of the project is in the search path wherever pytest runs."""
    shop.write({"src/shop.py": SHOP.replace("def total", "def grand_total"), "test_shop.py": TEST})
    (shop.path / "shop.py").unlink()
    now = shop.read("src/shop.py")
    shop.write({"src/shop.py": SHOP})
    commit(shop, "Moved")
    shop.write({"src/shop.py": now})
    shop.toy(("shop.total(", "shop.subtotal("))
    path = os.pathsep.join([str(shop.path / "src"), str(shop.path)])
    run = shop.spawn("-o", "heal_fresh_confirm=false", env={"PYTHONPATH": path})
    assert teeth(run)[0] is False, run.text


def test_the_time_for_it_is_limited(shop: Suite) -> None:
    slow = TEST.replace("def test_total():\n", "def test_total():\n    import time\n    time.sleep(0.6 if hasattr(shop, 'total') else 0)\n")
    now = shop.read("shop.py")
    shop.write({"test_shop.py": slow, "shop.py": SHOP})
    for number in range(3):  # also the versions before the last one are slow
        shop.write({"notes.txt": f"{number}\n"})
        commit(shop, "Slow")
    shop.write({"shop.py": now})
    run = heal(shop, "grand_total", "-o", "heal_budget=5")
    assert run.one()["decision"]["kind"] == "pending", run.text
    assert "not compared with the original: the time for that is used up" in teeth(run)[1]
