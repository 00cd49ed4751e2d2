"""Calling what a platform gave us: plain functions may block, so each call has a thread of its own; coroutine functions run in the loop."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from typing import Any


async def called(function: Callable[..., Any], *args: Any) -> Any:
    """What ``function`` returns, awaited where it is awaitable. Raises what it raises.

    A thread of a function that never returns is left behind when the caller is cancelled; it keeps no process alive.
    """
    found = function(*args) if inspect.iscoroutinefunction(function) else await _in_thread(function, *args)
    return await found if inspect.isawaitable(found) else found


async def _in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Not the loop's own pool, which is small: a few people who think about a heal would stop everything else."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def set_(method: Callable[[Any], None], value: Any) -> None:
        if not future.done():
            method(value)

    def target() -> None:
        try:
            answer = function(*args)
        except BaseException as exc:
            problem = exc if isinstance(exc, Exception) else RuntimeError(f"{type(exc).__name__}: {exc}")
            if not loop.is_closed():
                loop.call_soon_threadsafe(set_, future.set_exception, problem)
        else:
            if not loop.is_closed():
                loop.call_soon_threadsafe(set_, future.set_result, answer)

    threading.Thread(target=target, name="maestro-heal-callback", daemon=True).start()
    return await future
