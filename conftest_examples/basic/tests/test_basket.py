from basket import total


def test_total():
    assert total(["1.10", "2.20"]) == Decimal("3.30")


def test_discount():
    assert total(["10"], discount="0.25") == Decimal("7.5")
