"""Threads in which the event loop's work waits for the database.

They are not the loop's default threads, which also look up host names for the hot path: a slow
database must not hold those up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from headgate.errors import UnavailableError

P = ParamSpec("P")
T = TypeVar("T")

_THREADS = 4
_WAITING_AT_MOST = 512
"""Waiters beyond which new work is refused with 503; what ends begun work is always taken."""


class StorageThreads:
    """A few threads with a bounded line before them; `close()` them at the end."""

    def __init__(self, name: str) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"headgate-{name}")
        self._waiting = 0

    async def begin(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `run`, for new work: `UnavailableError` where too many wait already."""
        if self._waiting >= _WAITING_AT_MOST:
            raise UnavailableError(
                "Too many requests wait for the database; try again shortly.", code="overloaded"
            )
        return await self.run(function, *args, **kwargs)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `function` returns or raises, called in one of the threads."""
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, partial(function, *args, **kwargs))
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Let what runs end and start nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
