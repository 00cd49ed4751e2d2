from ledger import euros


def test_statement():
    assert [euros(c) for c in (1, 20)] == ["0.01", "0.2"]
