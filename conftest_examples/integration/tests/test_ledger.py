import pytest
from ledger import euros

pytestmark = pytest.mark.ledger


def test_book(ledger, custmer):
    assert ledger.book(custmer.name, 5) == 105


@pytest.mark.no_heal("documents what the old system did")
def test_legacy_rounding():
    assert euros(105) == "1.1"


@pytest.mark.parametrize(("cents", "text"), [(0, "0.00"), (105, "1.05")])
def test_euros(cents, text):
    assert euros(cents) == text
