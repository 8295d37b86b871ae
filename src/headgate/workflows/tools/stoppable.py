"""Runs an owner's coroutines, each for a time: one that won't be stopped is no longer waited for.

A coroutine may catch its cancellation and go on. `asyncio.wait_for` would wait for it for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_AT_MOST = 32
"""Coroutines of one tool at a time, those that would not stop included."""

_STOPPING_S = 0.5
"""How long a cancelled one may take to clean up while it is waited for."""


class NotFreeError(Exception):
    """As many are running as may."""


class CancelledItselfError(Exception):
    """A coroutine raised `CancelledError`, though nobody had cancelled it."""


class StoppableTasks:
    """The coroutines of one tool; it belongs to the event loop on which they run."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    async def run(self, coroutine: Coroutine[Any, Any, T], timeout_s: float) -> T:
        """What `coroutine` returns. Raises `TimeoutError`, `NotFreeError`, its own exception."""
        if len(self._running) >= _AT_MOST:
            coroutine.close()
            raise NotFreeError
        task = asyncio.ensure_future(coroutine)
        self._running.add(task)
        task.add_done_callback(self._ended)
        try:
            await asyncio.wait([task], timeout=timeout_s)
        except asyncio.CancelledError:
            await self._stop([task])
            raise
        if not task.done():
            await self._stop([task])
            raise TimeoutError
        if task.cancelled():
            raise CancelledItselfError
        return task.result()

    async def close(self) -> None:
        """Stop them all."""
        await self._stop(list(self._running))

    async def _stop(self, tasks: list[asyncio.Task[Any]]) -> None:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_STOPPING_S)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # seen: nobody else may be waiting for it any more
