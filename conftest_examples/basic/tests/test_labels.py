from decimal import Decimal

from basket import label


def test_label()
    assert label("tea", Decimal("3.5")) == "tea: 3.50"
