"""Examples of the tactic about limits."""

from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example

#: A product that works in a thread.
JOBS = """
    import threading
    import time


    class Job:
        def __init__(self, seconds=0.04):
            self.done = threading.Event()
            self.result = None
            self.seconds = seconds
            self.thread = threading.Thread(target=self.work, daemon=True)
            self.thread.start()

        def work(self):
            time.sleep(self.seconds)
            self.result = 42
            self.done.set()
"""
_SLOW = """
    import asyncio


    async def answer():
        await asyncio.sleep(0.04)
        return 42
"""
_SLOW_TEST = """
    import asyncio

    from slow import answer


    def test_answer():
        assert asyncio.run(asyncio.wait_for(answer(), timeout=0.03)) == 42
"""

TIMEOUT_HEALS = (
    Example(
        "asyncio.wait_for",
        {
            "slow.py": _SLOW,
            "test_slow.py": """
                import asyncio

                from slow import answer


                def test_answer():
                    assert asyncio.run(asyncio.wait_for(answer(), timeout=0.01)) == 42
            """,
        },
        {
            "test_slow.py": """
                import asyncio

                from slow import answer


                def test_answer():
                    assert asyncio.run(asyncio.wait_for(answer(), timeout=1)) == 42
            """,
        },
    ),
    Example(
        "a wait whose answer is asserted",
        {
            "jobs.py": JOBS,
            "test_jobs.py": """
                from jobs import Job


                def test_job():
                    job = Job()
                    assert job.done.wait(0.01)
                    assert job.result == 42
            """,
        },
        {
            "test_jobs.py": """
                from jobs import Job


                def test_job():
                    job = Job()
                    assert job.done.wait(1)
                    assert job.result == 42
            """,
        },
    ),
    Example(
        "join before the result is looked at",
        {
            "jobs.py": JOBS,
            "test_jobs.py": """
                from jobs import Job

                LIMIT = 0.005


                def test_job():
                    job = Job()
                    job.thread.join(LIMIT)
                    assert job.result == 42
            """,
        },
        {
            "test_jobs.py": """
                from jobs import Job

                LIMIT = 1


                def test_job():
                    job = Job()
                    job.thread.join(LIMIT)
                    assert job.result == 42
            """,
        },
    ),
    Example(
        "a marker of pytest-timeout",
        {
            "jobs.py": JOBS,
            "test_jobs.py": """
                import pytest

                from jobs import Job


                @pytest.mark.timeout(0.02)
                def test_job():
                    job = Job()
                    job.done.wait()
                    assert job.result == 42
            """,
        },
        {
            "test_jobs.py": """
                import pytest

                from jobs import Job


                @pytest.mark.timeout(1)
                def test_job():
                    job = Job()
                    job.done.wait()
                    assert job.result == 42
            """,
        },
        needs=("pytest_timeout",),
    ),
    Example(
        "the limit that an option gives to all tests",
        {
            "jobs.py": JOBS,
            "test_jobs.py": """
                import pytest
                from jobs import Job


                def test_job():
                    job = Job()
                    job.done.wait()
                    assert job.result == 42
            """,
        },
        {
            "test_jobs.py": """
                import pytest
                from jobs import Job


                @pytest.mark.timeout(1)
                def test_job():
                    job = Job()
                    job.done.wait()
                    assert job.result == 42
            """,
        },
        args=("--timeout=0.02",),
        needs=("pytest_timeout",),
    ),
)
SLOWER_HEALS = (
    Example(
        "the product became slower by a commit that says so, for review",
        {"slow.py": _SLOW, "test_slow.py": _SLOW_TEST},
        {"test_slow.py": _SLOW_TEST.replace("timeout=0.03", "timeout=1")},
        commits=(("answers", {"slow.py": _SLOW.replace("0.04", "0.005"), "test_slow.py": _SLOW_TEST}),),
        head={"slow.py": _SLOW, "test_slow.py": _SLOW_TEST},
        message="answer: one more round trip",
    ),
)
TIMEOUT_DECLINES = (
    Example(
        "a deadlock of the product",
        {
            "jobs.py": JOBS.replace("self.done.set()", "pass"),
            "test_jobs.py": """
                from jobs import Job


                def test_job():
                    job = Job()
                    if not job.done.wait(timeout=0.05):
                        raise TimeoutError("the job did not end")
            """,
        },
        advice="does not end",
        why="no limit is long enough: the event is never set",
    ),
    Example(
        "the product became slower",
        {
            "slow.py": _SLOW.replace("0.04", "0.4"),
            "test_slow.py": """
                import asyncio

                from slow import answer


                def test_answer():
                    assert asyncio.run(asyncio.wait_for(answer(), timeout=0.2)) == 42
            """,
        },
        head={
            "slow.py": _SLOW,
            "test_slow.py": """
                import asyncio

                from slow import answer


                def test_answer():
                    assert asyncio.run(asyncio.wait_for(answer(), timeout=0.2)) == 42
            """,
        },
        advice="slower than before",
        why="as it was before, the product was in time: a limit that it kept is not the test's mistake",
    ),
    Example(
        "a wrong result, in time",
        {
            "slow.py": _SLOW.replace("return 42", "return 41"),
            "test_slow.py": """
                import asyncio

                from slow import answer


                def test_answer():
                    assert asyncio.run(asyncio.wait_for(answer(), timeout=2)) == 42
            """,
        },
        why="more time does not change the result",
    ),
)
