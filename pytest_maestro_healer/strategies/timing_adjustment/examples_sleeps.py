"""Examples of the tactic about fixed sleeps."""

from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example
from pytest_maestro_healer.strategies.timing_adjustment.examples_timeouts import JOBS

_TEST = """
    import time

    from jobs import Job


    def test_job():
        job = Job()
        time.sleep(0.01)
        assert job.result == 42
"""
_HELPER = """
    import time


    def wait_until(condition, timeout=5):
        end = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.01)
"""

SLEEP_HEALS = (
    Example(
        "a sleep that is too short",
        {"jobs.py": JOBS, "test_jobs.py": _TEST},
        {
            "test_jobs.py": """
                import time

                from jobs import Job


                def test_job():
                    job = Job()
                    deadline = time.monotonic() + 1
                    while job.result != 42 and time.monotonic() < deadline:
                        time.sleep(0.01)
                    assert job.result == 42
            """,
        },
    ),
    Example(
        "a value that is read after the sleep, in an async test",
        {
            "jobs.py": """
                import asyncio


                class Job:
                    def __init__(self):
                        self.state = ["queued"]
                        self.task = asyncio.ensure_future(self.work())

                    async def work(self):
                        await asyncio.sleep(0.04)
                        self.state.append("done")
            """,
            "test_jobs.py": """
                import asyncio

                from jobs import Job


                def test_job():
                    async def scenario():
                        job = Job()
                        await asyncio.sleep(0.01)
                        last = job.state[-1]
                        assert last == "done"
                        assert len(job.state) == 2

                    asyncio.run(scenario())
            """,
        },
        {
            "test_jobs.py": """
                import asyncio
                from time import monotonic

                from jobs import Job


                def test_job():
                    async def scenario():
                        job = Job()
                        deadline = monotonic() + 1
                        while not (job.state[-1] == 'done' and len(job.state) == 2) and monotonic() < deadline:
                            await asyncio.sleep(0.01)
                        last = job.state[-1]
                        assert last == "done"
                        assert len(job.state) == 2

                    asyncio.run(scenario())
            """,
        },
    ),
    Example(
        "the project has a helper that polls",
        {
            "jobs.py": JOBS,
            "waiting.py": _HELPER,
            "test_jobs.py": _TEST,
            "test_other.py": "from waiting import wait_until\n\n\ndef test_now():\n    wait_until(lambda: True, timeout=1)\n",
        },
        {
            "test_jobs.py": """
                import time

                from jobs import Job
                from waiting import wait_until


                def test_job():
                    job = Job()
                    wait_until(lambda: job.result == 42, timeout=1)
                    assert job.result == 42
            """,
        },
    ),
    Example(
        "what is waited for is taken out by looking",
        {
            "jobs.py": """
                import queue
                import threading
                import time


                class Job:
                    def __init__(self):
                        self.results = queue.Queue()
                        threading.Thread(target=self.work, daemon=True).start()

                    def work(self):
                        time.sleep(0.12)
                        self.results.put(42)
            """,
            "test_jobs.py": """
                import time

                from jobs import Job


                def test_job():
                    job = Job()
                    time.sleep(0.09)
                    assert [job.results.get_nowait() for _ in range(1)] == [42]
            """,
        },
        {
            "test_jobs.py": """
                import time

                from jobs import Job


                def test_job():
                    job = Job()
                    time.sleep(1)
                    assert [job.results.get_nowait() for _ in range(1)] == [42]
            """,
        },
    ),
)
SLEEP_DECLINES = (
    Example(
        "the product never gets there",
        {"jobs.py": JOBS.replace("self.result = 42", "self.result = 41"), "test_jobs.py": _TEST},
        why="no sleep is long enough: the result is wrong",
    ),
    Example(
        "the product became slower",
        {"jobs.py": JOBS.replace("0.04", "0.4"), "test_jobs.py": _TEST.replace("0.01", "0.1")},
        head={"jobs.py": JOBS, "test_jobs.py": _TEST.replace("0.01", "0.1")},
        advice="slower than before",
        why="the uncommitted change of the product made it ten times slower",
    ),
)
