"""Examples of the tactic about measured durations."""

from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example

_WORK = "import time\n\n\ndef work():\n    time.sleep(0.03)\n    return 42\n"
_TEST = """
    import time

    from work import work


    def test_work():
        started = time.perf_counter()
        assert work() == 42
        elapsed = time.perf_counter() - started
        assert 0.01 <= elapsed < 0.02
"""

_TIMED = """
    def timed():
        return 0.013  # what this machine's clock would say
"""
_TIMED_TEST = """
    from work import timed


    def test_work():
        elapsed = timed()
        assert 0.001 <= elapsed < 0.01
"""

ELAPSED_HEALS = (
    Example(
        "an upper bound under what the work takes",
        {"work.py": _TIMED, "test_work.py": _TIMED_TEST},
        {"test_work.py": _TIMED_TEST.replace("< 0.01", "< 0.05")},
    ),
)
ELAPSED_DECLINES = (
    Example(
        "a hundred times the bound",
        {"work.py": _WORK.replace("0.03", "0.2"), "test_work.py": _TEST.replace("0.01 <= elapsed < 0.02", "elapsed < 0.002")},
        advice="too far apart",
        why="that is another order of magnitude: the product is slow",
    ),
    Example(
        "the product became slower",
        {"work.py": _WORK, "test_work.py": _TEST},
        head={"work.py": _WORK.replace("0.03", "0.012"), "test_work.py": _TEST},
        advice="slower than before",
        why="the uncommitted change of the product is the reason",
    ),
    Example(
        "a count that is too high",
        {
            "work.py": "def count():\n    return 12\n",
            "test_work.py": "from work import count\n\n\ndef test_count():\n    assert count() < 10\n",
        },
        why="that is no duration",
    ),
)
