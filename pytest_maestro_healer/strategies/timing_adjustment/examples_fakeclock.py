"""Examples of the tactic about sleeps that are longer than the test may take."""

from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example

_CACHE = """
    import time


    class Cache:
        def __init__(self, keeps):
            self.keeps, self.value, self.since = keeps, None, 0.0

        def put(self, value):
            self.value, self.since = value, time.time()

        def get(self):
            return self.value if time.time() - self.since < self.keeps else None
"""
_TEST = """
    import time

    import pytest

    from cache import Cache


    @pytest.mark.timeout(2)
    def test_expires():
        cache = Cache(keeps=60)
        cache.put("tea")
        time.sleep(61)
        assert cache.get() is None
"""
_FREEZEGUN = """
    import time

    import pytest

    from cache import Cache
    from freezegun import freeze_time


    @pytest.mark.timeout(2)
    def test_expires(request):
        freezer = freeze_time()
        clock = freezer.start()
        request.addfinalizer(freezer.stop)
        cache = Cache(keeps=60)
        cache.put("tea")
        clock.tick(61)
        assert cache.get() is None
"""
_TIME_MACHINE = _TEST.replace("test_expires()", "test_expires(time_machine)").replace("time.sleep(61)", "time_machine.shift(61)")

FAKE_HEALS = (
    Example(
        "a cache that forgets, and a project that has freezegun",
        {"cache.py": _CACHE, "test_cache.py": _TEST, "requirements-test.txt": "freezegun\n"},
        {"test_cache.py": _FREEZEGUN},
        needs=("pytest_timeout", "freezegun"),
    ),
    Example(
        "a project that has time-machine",
        {"cache.py": _CACHE, "test_cache.py": _TEST, "requirements-test.txt": "time-machine\n"},
        {"test_cache.py": _TIME_MACHINE.replace("cache = Cache(", "time_machine.move_to(time.time())\n        cache = Cache(")},
        needs=("pytest_timeout", "time_machine"),
    ),
)
FAKE_DECLINES = (
    Example(
        "the project has no such library",
        {"cache.py": _CACHE, "test_cache.py": _TEST},
        advice="it sleeps for 61 s by itself",
        why="a dependency more is for the project to decide",
        needs=("pytest_timeout",),
    ),
    Example(
        "a cache that never forgets",
        {"cache.py": _CACHE.replace("< self.keeps", "< self.keeps * 1000"), "test_cache.py": _TEST, "requirements-test.txt": "freezegun\n"},
        why="the time passes, and the product is wrong",
        needs=("pytest_timeout", "freezegun"),
    ),
)
