"""Examples of the tactic about durations measured with the wall clock."""

from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example

#: A machine whose clock is set back by an hour while each test runs.
_SET_BACK = """
    import time

    import pytest


    @pytest.fixture(autouse=True)
    def clock_is_set_back(monkeypatch):
        real, shift = time.time, iter([0])
        monkeypatch.setattr(time, "time", lambda: real() - 3600 * next(shift, 1))
"""
_NAMED_SET_BACK = _SET_BACK.replace("(monkeypatch)", "(monkeypatch, request)").replace(
    'setattr(time, "time", lambda: real() - 3600 * next(shift, 1))',
    'setattr(request.module, "time", lambda: real() - 3600 * next(shift, 1), raising=False)',
)
_WORK = "import time\n\n\ndef work():\n    time.sleep(0.01)\n    return 42\n"
_TEST = """
    import time

    from work import work


    def test_work():
        started = time.time()
        assert work() == 42
        elapsed = time.time() - started
        assert 0 <= elapsed < 5
"""
_DIRECT = """
    from time import time

    from work import work


    def test_work():
        started = time()
        work()
        ended = time()
        assert ended - started >= 0.01
"""
_DATES = """
    from datetime import datetime, timedelta

    from work import work


    def test_work():
        started = datetime.now()
        work()
        elapsed = datetime.now() - started
        assert timedelta(0) <= elapsed < timedelta(seconds=5)
"""
_DATES_SET_BACK = """
    import datetime

    import pytest


    @pytest.fixture(autouse=True)
    def clock_is_set_back(monkeypatch, request):
        shift = iter([0])

        class SetBack(datetime.datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.datetime.fromtimestamp(1.7e9 - 3600 * next(shift, 1), tz)

        monkeypatch.setattr(request.module, "datetime", SetBack, raising=False)
"""

CLOCK_HEALS = (
    Example(
        "the clock is set back while the test runs",
        {"conftest.py": _SET_BACK, "work.py": _WORK, "test_work.py": _TEST},
        {"test_work.py": _TEST.replace("time.time()", "time.perf_counter()")},
    ),
    Example(
        "a function imported by its name",
        {
            "conftest.py": _NAMED_SET_BACK,
            "work.py": _WORK,
            "test_work.py": _DIRECT,
        },
        {"test_work.py": _DIRECT.replace("import time\n", "import perf_counter\n").replace("time()", "perf_counter()")},
    ),
    Example(
        "datetime.now",
        {"conftest.py": _DATES_SET_BACK, "work.py": _WORK, "test_work.py": _DATES},
        {
            "test_work.py": _DATES.replace("datetime.now()", "timedelta(seconds=perf_counter())").replace(
                "timedelta\n", "timedelta\n    from time import perf_counter\n", 1
            )
        },
    ),
)
CLOCK_DECLINES = (
    Example(
        "the work itself is too slow",
        {"work.py": _WORK.replace("0.01", "0.2"), "test_work.py": _TEST.replace("< 5", "< 0.002")},
        advice="too far apart",
        why="another clock measures the same",
    ),
    Example(
        "the time of day is given to the product",
        {
            "conftest.py": _SET_BACK,
            "work.py": "def age(since, now):\n    return now - since\n",
            "test_work.py": """
                import time

                from work import age


                def test_age():
                    started = time.time() - 10
                    assert age(started, time.time()) > 0
            """,
        },
        why="the product gets points in time: those of a clock that starts anywhere mean nothing to it",
    ),
    Example(
        "the product's own measurement is wrong",
        {
            "work.py": "import time\n\n\ndef timed():\n    a = time.time()\n    return a - time.time() - 1\n",
            "test_work.py": "from work import timed\n\n\ndef test_timed():\n    elapsed = timed()\n    assert elapsed >= 0\n",
        },
        why="the test measures nothing itself",
    ),
)
