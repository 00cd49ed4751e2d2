import pytest
from clock.formatting import short


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59, "0:59"), (185, "3:05")])
def test_short(seconds, text):
    assert short(seconds) == text
