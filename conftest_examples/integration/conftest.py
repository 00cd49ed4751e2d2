from pathlib import Path

import pytest
from ledger import Customer, Ledger


@pytest.fixture
def ledger():
    """A ledger with one customer, closed at the end."""
    made = Ledger()
    made.add(Customer("Ada", 100))
    yield made
    made.close()


@pytest.fixture
def customer(ledger):
    return ledger.customers["Ada"]


@pytest.hookimpl(optionalhook=True)
def pytest_heal_outcome(result):
    """Called for every result of a healing run: healed, advised or left alone."""
    with Path("heals.log").open("a", encoding="utf-8") as log:
        log.write(f"{result.decision.kind} {result.test_id}: {result.explanation or result.decision.rule}\n")
