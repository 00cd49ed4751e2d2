"""A test that was changed where the product was not: its failing is no regression, and is not called one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.test_product_at_fault import git, heal
from tests.integration.test_product_at_fault import project as project

SHOP = "def total(prices):\n    out = 0\n    for p in prices:\n        out += p\n    return out\n"
TEST = "from shop import total\n\n\ndef test_total():\n    assert total([1, 2]) == 3\n"
WRONG = TEST.replace("== 3", "== 12")


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message)


@pytest.fixture
def shop(project: Path) -> Path:
    """Two commits: the function was rewritten in the second; the test passes with both."""
    (project / "shop.py").write_text("def total(prices):\n    return sum(prices)\n")
    (project / "test_shop.py").write_text(TEST)
    commit(project, "A shop")
    (project / "shop.py").write_text(SHOP)
    commit(project, "A loop")
    return project


def diagnosis(folder: Path) -> tuple[str, str, str]:
    """(cause, suspect, why it was not healed) of the one record, after which nothing has changed on the disk."""
    before = (folder / "test_shop.py").read_bytes()
    (record,) = heal(folder, {})
    assert (folder / "test_shop.py").read_bytes() == before
    assert record["decision"]["kind"] == "rejected", record  # type: ignore[index]
    said = json.loads(json.dumps(record))
    return said["diagnosis"]["cause"], said["diagnosis"]["suspect"], said["decision"]["rule"]


def test_a_wrong_expectation_that_is_not_committed(shop: Path) -> None:
    (shop / "test_shop.py").write_text(WRONG)

    cause, suspect, rule = diagnosis(shop)

    assert (cause, suspect) == ("test_changed", "")
    assert rule == "the test was changed (test_shop.py:5, not committed), the product was not: as it was before, the test passes"


def test_a_wrong_expectation_that_was_committed(shop: Path) -> None:
    (shop / "test_shop.py").write_text(WRONG)
    commit(shop, "Another expectation")
    (shop / "NOTES.md").write_text("notes\n")
    commit(shop, "Notes")

    cause, _, rule = diagnosis(shop)

    assert cause == "test_changed"
    assert "the test was changed (test_shop.py:5, in " in rule


def test_a_wrong_expectation_in_a_helper(shop: Path) -> None:
    (shop / "conftest.py").write_text("import pytest\n\n\n@pytest.fixture\ndef prices():\n    return [1, 2]\n")
    (shop / "test_shop.py").write_text(TEST.replace("test_total()", "test_total(prices)").replace("[1, 2]", "prices"))
    commit(shop, "A fixture")
    (shop / "conftest.py").write_text("import pytest\n\n\n@pytest.fixture\ndef prices():\n    return [1, 2, 9]\n")

    cause, _, rule = diagnosis(shop)

    assert cause == "test_changed"
    assert "conftest.py:6, not committed" in rule


def test_a_new_test_and_an_old_product(shop: Path) -> None:
    (shop / "test_shop.py").write_text(TEST + "\n\ndef test_more():\n    assert total([4, 5]) == 12\n")

    cause, _, rule = diagnosis(shop)

    assert cause == "test_changed"
    assert rule.startswith("the test is new (test_shop.py:6, not committed)"), rule


def test_a_new_file_of_tests_and_an_old_product(shop: Path) -> None:
    (shop / "test_more.py").write_text(WRONG)

    assert diagnosis(shop)[0] == "test_changed"


@pytest.mark.parametrize(("old", "new"), [("([1], 1)", "([2], 5)"), ("pytest.param([1], 1, id='one')", "pytest.param([2], 5, id='two')")])
def test_a_new_parameter_set(shop: Path, old: str, new: str) -> None:
    rows = "import pytest\n\n\n@pytest.mark.parametrize('prices, all', [{}])\ndef test_total(prices, all):\n    assert total(prices) == all\n"
    (shop / "test_shop.py").write_text("from shop import total\n" + rows.format(old))
    commit(shop, "Rows")
    (shop / "test_shop.py").write_text("from shop import total\n" + rows.format(f"{old}, {new}"))

    cause, _, rule = diagnosis(shop)

    assert cause == "test_changed"
    assert "(test_shop.py:5, not committed)" in rule


def test_a_product_that_was_changed_too_is_suspected_as_before(shop: Path) -> None:
    (shop / "test_shop.py").write_text(TEST.replace("[1, 2]) == 3", "[1, 2, 3]) == 6"))
    (shop / "shop.py").write_text(SHOP.replace("out += p", "out -= p"))

    cause, suspect, _ = diagnosis(shop)

    assert (cause, suspect) == ("regression_suspected", "shop.py:4 (changed uncommitted)")


def test_a_test_that_failed_before_it_was_changed_says_nothing(shop: Path) -> None:
    (shop / "shop.py").write_text(SHOP.replace("out += p", "out -= p"))
    commit(shop, "Another loop")
    (shop / "test_shop.py").write_text(TEST.replace("[1, 2]) == 3", "[1, 2, 3]) == 6"))

    cause, suspect, _ = diagnosis(shop)

    assert cause == "regression_suspected"
    assert suspect.startswith("shop.py:4 (changed in ")
