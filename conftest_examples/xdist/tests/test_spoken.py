from clock.formatting import spoken


def test_seconds_only():
    assert spoken(5) == "5 s"


def test_minutes():
    assert spoken(185) == "3 min 5 s"
