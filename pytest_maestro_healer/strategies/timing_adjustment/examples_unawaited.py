"""Examples of the tactics about missing waits."""

from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example

_ASK = "import asyncio\n\n\nasync def ask(name):\n    await asyncio.sleep(0)\n    return {'name': name}\n"

AWAIT_HEALS = (
    Example(
        "in an async function",
        {
            "ask.py": _ASK,
            "test_ask.py": """
                import asyncio

                from ask import ask


                def test_ask():
                    async def scenario():
                        assert ask("tea")["name"] == "tea"

                    asyncio.run(scenario())
            """,
        },
        {
            "test_ask.py": """
                import asyncio

                from ask import ask


                def test_ask():
                    async def scenario():
                        assert (await ask("tea"))["name"] == "tea"

                    asyncio.run(scenario())
            """,
        },
    ),
    Example(
        "in an ordinary test",
        {
            "ask.py": _ASK,
            "test_ask.py": """
                from ask import ask


                def test_ask():
                    answer = ask("tea")
                    assert answer == {"name": "tea"}
            """,
        },
        {
            "test_ask.py": """
                import asyncio

                from ask import ask


                def test_ask():
                    answer = asyncio.run(ask("tea"))
                    assert answer == {"name": "tea"}
            """,
        },
    ),
)
HELPER_HEALS = (
    Example(
        "in a helper of the test file",
        {
            "ask.py": _ASK,
            "test_ask.py": """
                import asyncio

                from ask import ask


                async def both():
                    one = ask("tea")
                    return one


                def test_ask():
                    assert asyncio.run(both()) == {"name": "tea"}
            """,
        },
        {
            "test_ask.py": """
                import asyncio

                from ask import ask


                async def both():
                    one = await ask("tea")
                    return one


                def test_ask():
                    assert asyncio.run(both()) == {"name": "tea"}
            """,
        },
    ),
)
AWAIT_DECLINES = (
    Example(
        "the product forgot to await",
        {
            "ask.py": _ASK + "\n\nasync def name(n):\n    return ask(n)\n",
            "test_ask.py": """
                import asyncio

                from ask import name


                def test_name():
                    assert asyncio.run(name("tea")) == {"name": "tea"}
            """,
        },
        why="the coroutine comes out of the product: its await is missing there",
    ),
)

_BOX = """
    import time


    def fill(box, text):
        time.sleep(0.03)
        box.append(text)
"""
_STARTS = """
    import threading
    import time


    def start(n, out):
        thread = threading.Thread(target=lambda: (time.sleep(0.05), out.append(n * 2)))
        thread.start()
        return thread
"""
JOIN_HEALS = (
    Example(
        "a thread that the product started and handed out",
        {
            "jobs.py": _STARTS,
            "test_jobs.py": """
                from jobs import start


                def test_start():
                    out = []
                    thread = start(5, out)
                    assert out == [10]
            """,
        },
        {
            "test_jobs.py": """
                from jobs import start


                def test_start():
                    out = []
                    thread = start(5, out)
                    thread.join(timeout=1)
                    assert out == [10]
            """,
        },
        varies=(r"timeout=[\d.]+",),
    ),
    Example(
        "a thread",
        {
            "box.py": _BOX,
            "test_box.py": """
                import threading

                from box import fill


                def test_fill():
                    box = []
                    worker = threading.Thread(target=fill, args=(box, "tea"))
                    worker.start()
                    assert box == ["tea"]
            """,
        },
        {
            "test_box.py": """
                import threading

                from box import fill


                def test_fill():
                    box = []
                    worker = threading.Thread(target=fill, args=(box, "tea"))
                    worker.start()
                    worker.join(timeout=1)
                    assert box == ["tea"]
            """,
        },
    ),
    Example(
        "a task",
        {
            "box.py": "import asyncio\n\n\nasync def fill(box, text):\n    await asyncio.sleep(0.01)\n    box.append(text)\n",
            "test_box.py": """
                import asyncio

                from box import fill


                def test_fill():
                    async def scenario():
                        box = []
                        task = asyncio.create_task(fill(box, "tea"))
                        assert box == ["tea"]

                    asyncio.run(scenario())
            """,
        },
        {
            "test_box.py": """
                import asyncio

                from box import fill


                def test_fill():
                    async def scenario():
                        box = []
                        task = asyncio.create_task(fill(box, "tea"))
                        await asyncio.wait_for(task, timeout=1)
                        assert box == ["tea"]

                    asyncio.run(scenario())
            """,
        },
    ),
)
JOIN_DECLINES = (
    Example(
        "a thread that fills in the wrong thing",
        {
            "box.py": _BOX.replace("append(text)", "append(text.upper())"),
            "test_box.py": JOIN_HEALS[1].files["test_box.py"],
        },
        why="waiting does not help: the product is wrong",
    ),
)
_LATER = """
    import asyncio


    class Bell:
        def __init__(self):
            self.rung = 0

        def ring(self):
            asyncio.get_running_loop().call_later(0.01, self._ring)

        def _ring(self):
            self.rung += 1
"""
_BELL = """
    import asyncio

    from bell import Bell


    def test_ring():
        async def scenario():
            bell = Bell()
            bell.ring()
            assert bell.rung == 1

        asyncio.run(scenario())
"""
WAIT_HEALS = (
    Example(
        "a callback checked before the loop ran",
        {"bell.py": _LATER, "test_bell.py": _BELL},
        {
            "test_bell.py": """
                import asyncio
                from time import monotonic

                from bell import Bell


                def test_ring():
                    async def scenario():
                        bell = Bell()
                        bell.ring()
                        deadline = monotonic() + 1
                        while bell.rung != 1 and monotonic() < deadline:
                            await asyncio.sleep(0.01)
                        assert bell.rung == 1

                    asyncio.run(scenario())
            """,
        },
    ),
)
WAIT_DECLINES = (
    Example(
        "the product began to work in the background",
        {"bell.py": _LATER, "test_bell.py": _BELL},
        head={"bell.py": _LATER.replace("asyncio.get_running_loop().call_later(0.01, self._ring)", "self._ring()"), "test_bell.py": _BELL},
        advice="began to work in the background",
        why="callers that relied on the effect being there at once break",
    ),
    Example(
        "a bell that rings twice",
        {"bell.py": _LATER.replace("+= 1", "+= 2"), "test_bell.py": _BELL},
        advice="looked at too early: it is 0 and 1 at once and 2 and 1 within 0.3 s",
        why="no wait makes two rings one",
    ),
)
