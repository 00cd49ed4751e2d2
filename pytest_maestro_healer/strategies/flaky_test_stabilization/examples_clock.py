"""Examples of tests whose outcome depends on when they run."""

from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example

_STAMP = """
    from datetime import datetime


    def stamp(text):
        return {"text": text, "at": datetime.now()}
"""
_STAMP_TEST = """
    from datetime import datetime

    from notes import stamp


    def test_stamp():
        assert stamp("tea") == {"text": "tea", "at": datetime.now()}
"""
_STAMP_HEALED = """
    from datetime import datetime

    import pytest
    from notes import stamp


    @pytest.fixture
    def frozen_clock(monkeypatch):
        \"\"\"Everything in a test happens at one moment.\"\"\"

        class FrozenDatetime(datetime):
            @classmethod
            def now(cls, tz=None):
                return cls(2026, 1, 1, 12, tzinfo=tz)

        monkeypatch.setattr("notes.datetime", FrozenDatetime)
        monkeypatch.setitem(globals(), "datetime", FrozenDatetime)


    @pytest.mark.usefixtures("frozen_clock")
    def test_stamp():
        assert stamp("tea") == {"text": "tea", "at": datetime.now()}
"""
_STAMP_FREEZEGUN = """
    from datetime import datetime

    from freezegun import freeze_time
    from notes import stamp


    @freeze_time("2026-01-01 12:00:00")
    def test_stamp():
        assert stamp("tea") == {"text": "tea", "at": datetime.now()}
"""

RACE = (
    Example(
        "Two readings of the clock that are to be equal",
        {"notes.py": _STAMP, "test_notes.py": _STAMP_TEST},
        {"test_notes.py": _STAMP_HEALED},
        varies=(r"cls\(\d+, \d+, \d+, 12",),
    ),
    Example(
        "The project has freezegun",
        {"notes.py": _STAMP, "test_notes.py": _STAMP_TEST, "requirements-dev.txt": "pytest\nfreezegun\n"},
        {"test_notes.py": _STAMP_FREEZEGUN},
        needs=("freezegun",),
        varies=(r"\d+-\d\d-\d\d",),
    ),
)
RACE_DECLINES = (
    Example(
        "A product that is an hour ahead",
        {"notes.py": _STAMP.replace("datetime.now()", "datetime.now() + timedelta(hours=1)").replace("import datetime", "import datetime, timedelta"),
         "test_notes.py": _STAMP_TEST},
        why="it fails also while the clock stands still",
    ),
    Example(
        "A product that does not know the last day of the year",
        {
            "notes.py": _STAMP.replace("datetime.now()}", "datetime.now().replace(day=min(datetime.now().day, 30))}"),
            "test_notes.py": _STAMP_TEST,
        },
        why="a clock that stands still somewhere else would hide it",
    ),
)  # fmt: skip

_OFFER = """
    from datetime import date


    class Offer:
        def __init__(self, until):
            self.until = until

        def valid(self):
            return date.today() <= self.until
"""
_OFFER_TEST = """
    from datetime import date

    from offers import Offer


    def test_valid():
        assert Offer(date(2024, 6, 30)).valid()
"""
_OFFER_HEALED = """
    from datetime import date

    import pytest
    from offers import Offer


    @pytest.fixture
    def frozen_clock(monkeypatch):
        \"\"\"It is 2024-05-06, when the dates of the test were written.\"\"\"

        class FrozenDate(date):
            @classmethod
            def today(cls):
                return cls(2024, 5, 6)

        monkeypatch.setattr("offers.date", FrozenDate)


    @pytest.mark.usefixtures("frozen_clock")
    def test_valid():
        assert Offer(date(2024, 6, 30)).valid()
"""
_TREE = {"offers.py": _OFFER, "test_offers.py": _OFFER_TEST}
_THEN = "2024-05-06T12:00:00"

PASSED = (
    Example("An offer that was valid when the test was written", _TREE, {"test_offers.py": _OFFER_HEALED}, head=_TREE, dated=_THEN),
    Example("Nothing says when the test was written", _TREE, advice="because of the date alone: what it expects was written for an earlier day"),
)
PASSED_DECLINES = (
    Example(
        "The product compares the wrong way round",
        {**_TREE, "offers.py": _OFFER.replace("<=", ">="), "test_offers.py": _OFFER_TEST.replace("assert", "assert not")},
        head={"offers.py": _OFFER, "test_offers.py": _OFFER_TEST.replace("assert", "assert not").replace("2024, 6, 30", "2024, 4, 30")},
        dated=_THEN,
        why="the test has not been committed as it is: on no day did it pass",
    ),
    Example(
        "An offer that had ended when the test was written",
        {"offers.py": _OFFER.replace("<=", ">="), "test_offers.py": _OFFER_TEST.replace("assert", "assert not").replace("2024, 6", "2024, 4")},
        head={"offers.py": _OFFER, "test_offers.py": _OFFER_TEST.replace("assert", "assert not").replace("2024, 6", "2024, 4")},
        dated=_THEN,
        why="on the day on which the test was written the product would have failed it too: it compares the wrong way round",
    ),
    Example(
        "The product fails from that day on",
        {
            "offers.py": _OFFER.replace("return date", "return {2024: True}[date.today().year] and date"),
            "test_offers.py": _OFFER_TEST,
        },
        head={
            "offers.py": _OFFER.replace("return date", "return {2024: True}[date.today().year] and date"),
            "test_offers.py": _OFFER_TEST,
        },
        dated=_THEN,
        advice="offers.py:9 raises KeyError from that day on, for its users too",
        why="a clock that stands still would hide that nobody can use the product today",
    ),
)
