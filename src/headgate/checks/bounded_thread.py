"""Runs an owner's function in a thread that may be given up when it takes too long.

Python can't stop a thread. One that is given up goes on until its function returns, so their
number is bounded: when all are taken, a call fails at once instead of starting another.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

THREADS_AT_MOST = 16
"""Threads of one kind in one process, the given-up ones included."""


class NoThreadFreeError(Exception):
    """Every thread is taken by a function that does not return."""


class BoundedThreads:
    """Threads of one kind: those that one kind of function holds, another need not wait for."""

    def __init__(self, name: str, at_most: int = THREADS_AT_MOST) -> None:
        """`name` is what the threads are called."""
        self._name = name
        self._free = threading.BoundedSemaphore(at_most)

    async def call(self, function: Callable[[], T], timeout_s: float) -> T:
        """What `function()` returns; else its exception, `TimeoutError` or `NoThreadFreeError`."""
        if not self._free.acquire(blocking=False):
            raise NoThreadFreeError
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()

        def tell(set_outcome: Callable[[Any], None], outcome: object) -> None:
            if not result.done():
                set_outcome(outcome)

        def work() -> None:
            outcome: object
            told: Callable[[Any], None]
            try:
                try:
                    outcome, told = function(), result.set_result
                except BaseException as error:  # noqa: BLE001 - whatever it raises is its answer
                    # A future refuses StopIteration, and SystemExit would end the event loop.
                    ordinary = isinstance(error, Exception) and not isinstance(error, StopIteration)
                    outcome = (
                        error if ordinary else RuntimeError(f"it raised {type(error).__name__}")
                    )
                    told = result.set_exception
            finally:
                self._free.release()
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(tell, told, outcome)

        threading.Thread(target=work, name=self._name, daemon=True).start()
        return await asyncio.wait_for(result, timeout_s)


_rules = BoundedThreads("headgate-rules")


async def call_bounded(function: Callable[[], T], timeout_s: float) -> T:
    """As `BoundedThreads.call`, in the threads that rules share."""
    return await _rules.call(function, timeout_s)
