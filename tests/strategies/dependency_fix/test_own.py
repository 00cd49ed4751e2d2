"""A name or fixture that a test lost need not be what has that name, or one like it, elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pytest_maestro_healer.model import Applicability, Failure, Frame, Location, Proposal
from tests.strategies.dependency_fix.test_grouping import proposals
from tests.unit.test_git import commit, git, write

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
PAY = "def discounted(n):\n    return n - n // 10\n\n\ndef checkout(n):\n    return discounted(n)\n\n\ndef parse(n):\n    return int(n)\n"
OWN = "def discounted(n):\n    return round(n * 0.9)\n\n\n"
COMPARES = "def test_p():\n    assert checkout(100) == discounted(100)\n"
STATES = "def test_p():\n    assert discounted(100) == 90\n"
HEAD = "from shop import checkout\n\n\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "--template=", "-b", "main")
    write(tmp_path, {"README": b"A shop\n"})
    commit(tmp_path)
    return tmp_path


def laid(root: Path, *states: dict[str, str]) -> None:
    """One commit for each state."""
    for files in states:
        write(root, {path: text.encode() for path, text in files.items()})
        commit(root)


def undefined(root: Path, name: str, path: str = "test_p.py") -> list[Proposal]:
    line = next(n for n, text in enumerate((root / path).read_text().splitlines(), 1) if f"{name}(" in text)
    failed = Failure(
        f"{path}::test_p", "call", path, "NameError", f"name '{name}' is not defined", exc_mro=("NameError",),
        frames=(Frame(Location(path, line), "test_p", "test", "", "test_p"),), exc_attrs={"name": name},
    )  # fmt: skip
    return [p for p in proposals(root, {}, failed) if p.tactic == "missing_import"]


def kinds(found: list[Proposal]) -> list[Applicability]:
    return [p.applicability for p in found]


@pytest.mark.parametrize("later", [{}, {"README": "More\n"}])
def test_a_name_that_the_test_file_defined_waits(root: Path, later: dict[str, str]) -> None:
    laid(root, {"shop.py": PAY, "test_p.py": HEAD + OWN + STATES}, {"test_p.py": HEAD + STATES}, *([later] if later else []))
    found = undefined(root, "discounted")
    assert kinds(found) == [Applicability.REVIEW]
    assert "test_p.py defined discounted itself" in found[0].explanation


def test_a_name_that_a_conftest_defined_waits(root: Path) -> None:
    (root / "tests").mkdir()
    laid(root, {"shop.py": PAY, "conftest.py": OWN, "tests/test_p.py": "from conftest import discounted\n" + STATES}, {"conftest.py": ""})
    laid(root, {"tests/test_p.py": STATES})
    found = undefined(root, "discounted", "tests/test_p.py")
    assert kinds(found) == [Applicability.REVIEW]
    assert "conftest.py defined discounted itself" in found[0].explanation


def test_a_constant_that_the_test_file_defined_waits(root: Path) -> None:
    laid(root, {"shop.py": "rate = dict\n", "test_p.py": "rate = list\n\n\ndef test_p():\n    assert rate() == {}\n"})
    laid(root, {"test_p.py": "def test_p():\n    assert rate() == {}\n"})
    assert kinds(undefined(root, "rate")) == [Applicability.REVIEW]


def test_a_helper_that_was_moved_as_it_was_is_imported(root: Path) -> None:
    own = PAY.partition("\n\n\n")[0] + "\n\n\n"
    laid(root, {"shop.py": "", "test_p.py": own + STATES}, {"shop.py": PAY, "test_p.py": STATES})
    assert kinds(undefined(root, "discounted")) == [Applicability.SAFE]


def test_a_name_of_the_product_that_nobody_imported(root: Path) -> None:
    laid(root, {"shop.py": PAY, "test_p.py": "def test_p():\n    pass\n"}, {"test_p.py": HEAD + STATES})
    assert kinds(undefined(root, "discounted")) == [Applicability.SAFE]


@pytest.mark.parametrize(
    "body",
    [
        COMPARES,
        "def test_p():\n    want = discounted(100)\n    assert checkout(100) == want\n",
        "import unittest\n\n\nclass TestP(unittest.TestCase):\n    def test_p(self):\n        self.assertEqual(checkout(100), discounted(100))\n",
    ],
)
def test_what_the_tested_function_calls_is_no_oracle(root: Path, body: str) -> None:
    laid(root, {"shop.py": PAY, "test_p.py": HEAD + body})
    found = undefined(root, "discounted")
    assert kinds(found) == [Applicability.REVIEW]
    assert "compared with itself" in found[0].explanation


@pytest.mark.parametrize(
    "body",
    [
        "def test_p():\n    assert checkout(100) == 90\n    assert discounted(100) == 90\n",
        "def test_p():\n    assert discounted(parse('100')) == 90\n",
        "def test_p():\n    assert discounted(100) == parse('90')\n",
    ],
)
def test_what_is_stated_beside_it_is_no_comparison_with_itself(root: Path, body: str) -> None:
    laid(root, {"shop.py": PAY, "test_p.py": "from shop import checkout, parse\n\n\n" + body})
    assert kinds(undefined(root, "discounted")) == [Applicability.SAFE]


def test_an_import_that_was_committed_is_taken_back(root: Path) -> None:
    laid(root, {"shop.py": PAY, "test_p.py": "from shop import checkout, discounted\n\n\n" + COMPARES})
    (root / "test_p.py").write_text(HEAD + COMPARES)
    assert kinds(undefined(root, "discounted")) == [Applicability.SAFE]


MUL = "from operator import mul\n\n\ndef test_p():\n    assert mul(2, 3) == 6\n"


@pytest.mark.parametrize("later", [(), ({"README": "More\n"}, {"test_p.py": MUL.partition("\n\n\n")[2] + "\n"})])
def test_an_import_that_an_older_version_had_is_taken_back(root: Path, later: tuple[dict[str, str], ...]) -> None:
    laid(root, {"calc.py": "def mul(a, b):\n    return 0\n", "test_p.py": MUL}, {"test_p.py": MUL.partition("\n\n\n")[2]}, *later)
    [found] = undefined(root, "mul")
    assert found.applicability is Applicability.SAFE
    assert found.meaning == "from operator import mul"


def test_a_helper_that_stood_in_for_the_import_since_counts(root: Path) -> None:
    own = "def mul(a, b):\n    return a + b + 1\n\n\n" + MUL.partition("\n\n\n")[2]
    laid(root, {"test_p.py": MUL}, {"test_p.py": own}, {"test_p.py": MUL.partition("\n\n\n")[2]})
    assert [p for p in undefined(root, "mul") if p.applicability is Applicability.SAFE] == []


# -- fixtures -------------------------------------------------------------------------------------------------
def lacking(root: Path, wrong: str, *own: str, foreign: tuple[str, ...] = ("tmp_path", "capsys")) -> list[Proposal]:
    text = "import pytest\n" + "".join(f"\n\n@pytest.fixture\ndef {n}():\n    return 1\n" for n in own)
    laid(root, {"conftest.py": text, "test_p.py": f"def test_p({wrong}):\n    assert {wrong}\n"})
    return asked(root, wrong, *own, *foreign)


def asked(root: Path, wrong: str, *available: str) -> list[Proposal]:
    failed = Failure(
        "test_p.py::test_p", "setup", "test_p.py", "FixtureLookupError", f"fixture '{wrong}' not found",
        exc_mro=("FixtureLookupError", "LookupError"), frames=(Frame(Location("test_p.py", 1), "test_p", "test", "", "test_p"),),
        exc_attrs={"argname": wrong, "available": list(available)},
    )  # fmt: skip
    return [p for p in proposals(root, {}, failed) if p.tactic == "fixture_name"]


@pytest.mark.parametrize(
    ("wrong", "own"),
    [
        ("db_ro", "db_rw"), ("user", "users"), ("order", "orders"), ("client1", "client2"), ("old_price", "odd_price"), ("reader", "header"),
        ("loaded_shop", "loader_shop"),
    ],
)  # fmt: skip
def test_a_near_fixture_may_be_another(root: Path, wrong: str, own: str) -> None:
    assert set(kinds(lacking(root, wrong, own))) <= {Applicability.REVIEW}


@pytest.mark.parametrize(("wrong", "own"), [("cusotmer", "customer"), ("db_sesion", "db_session"), ("warehause", "warehouse")])
def test_a_slip_in_a_long_word_is_one(root: Path, wrong: str, own: str) -> None:
    assert kinds(lacking(root, wrong, own)) == [Applicability.SAFE]


def test_a_slip_in_a_fixture_of_pytest_is_one(root: Path) -> None:
    assert kinds(lacking(root, "tmp_pth")) == [Applicability.SAFE]


OLD = "import pytest\n\n\n@pytest.fixture\ndef warehause():\n    return 1\n"


def test_a_fixture_that_there_was_is_no_slip(root: Path) -> None:
    laid(root, {"tests/more/conftest.py": OLD}, {"tests/more/conftest.py": ""})
    found = lacking(root, "warehause", "warehouse")
    assert kinds(found) == [Applicability.REVIEW]
    assert "was defined once" in found[0].explanation


def test_a_fixture_that_was_renamed_some_commits_ago(root: Path) -> None:
    laid(root, {"conftest.py": OLD}, {"conftest.py": OLD.replace("warehause", "depot")}, {"README": "More\n"}, {"README": "Still more\n"})
    laid(root, {"test_p.py": "def test_p(warehause):\n    assert warehause\n"})
    found = asked(root, "warehause", "depot", "stock")
    assert kinds(found) == [Applicability.SAFE]
    assert "became def depot(" in found[0].evidence[0].sentence


def test_two_fixtures_as_near(root: Path) -> None:
    assert Applicability.SAFE not in kinds(lacking(root, "customr", "customer", "customur"))


def test_a_word_that_is_used_is_no_slip(root: Path) -> None:
    laid(root, {"shop.py": "def invert():\n    return 1\n"})
    assert kinds(lacking(root, "invert_page", "insert_page")) == [Applicability.REVIEW]


# -- names that many modules have -----------------------------------------------------------------------------
CLIENT = "class Client:\n    pass\n"


def not_to_be_had(root: Path) -> list[Proposal]:
    failed = Failure(
        "test_c.py", "collect", "test_c.py", "ImportError", "cannot import name 'Client' from 'fetch'", exc_mro=("ImportError",),
        frames=(Frame(Location("test_c.py", 1), "<module>", "test", "", "test_c"),), exc_attrs={"name": "fetch"},
    )  # fmt: skip
    return [p for p in proposals(root, {}, failed) if p.tactic == "moved_symbol"]


@pytest.mark.parametrize(
    ("before", "healed"), [("from fetch.client import Client\n", True), ("class Client:\n    old = 1\n", False), ("# Fetch.\n", False)]
)
def test_a_common_name_is_followed_to_where_it_was_taken_from_only(root: Path, before: str, healed: bool) -> None:
    test = "from fetch import Client\n\n\ndef test_c():\n    assert Client()\n"
    laid(root, {"fetch/__init__.py": before, "fetch/client.py": CLIENT, "test_c.py": test}, {"fetch/__init__.py": ""})
    assert [p.meaning for p in not_to_be_had(root)] == (["fetch.Client is now fetch.client.Client"] if healed else [])
