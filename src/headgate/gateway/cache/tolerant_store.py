"""Stands before a shared store so that its failing is a miss: never an error, never a wait.

After a failure the store is left alone for some seconds; that it failed, and that it is back, is
logged once each.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from headgate.gateway.cache.clearing import Clearing
from headgate.gateway.cache.entry import Entry
from headgate.gateway.cache.store import AnswerStore, StoreSize

T = TypeVar("T")

_LEFT_ALONE_S = 5.0
_BACKGROUND_TIMEOUT_S = 20.0
"""For what no call waits for: clearing, sweeping, counting."""

_log = logging.getLogger(__name__)


class TolerantStore:
    """A store that may fail."""

    def __init__(
        self,
        store: AnswerStore,
        kind: str,
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._kind = kind
        self._timeout_s = timeout_s
        self._clock = clock
        self._again_at_s = 0.0
        self.healthy = True
        """Whether it answered when it was last asked."""

    async def get_many(self, keys: Sequence[bytes]) -> dict[bytes, Entry]:
        """Those of `keys` that it has; none where it fails."""
        if not self.healthy and self._clock() < self._again_at_s:
            return {}
        return await self._tried(self._store.get_many(keys), {}, self._timeout_s)

    async def put_many(self, entries: Sequence[tuple[bytes, Entry]]) -> None:
        """Keep `entries` if it can."""
        if self.healthy or self._clock() >= self._again_at_s:
            await self._tried(self._store.put_many(entries), None, _BACKGROUND_TIMEOUT_S)

    async def discard(self, keys: Sequence[bytes]) -> None:
        """Forget the entries under `keys` if it can."""
        await self._tried(self._store.discard(keys), None, self._timeout_s)

    async def clear(self, clearing: Clearing) -> int | None:
        """How many entries were forgotten; None where it failed."""
        return await self._tried(self._store.clear(clearing), None, _BACKGROUND_TIMEOUT_S)

    async def sweep(self, now_us: int) -> None:
        """Forget what has expired, if it can."""
        if self.healthy or self._clock() >= self._again_at_s:
            await self._tried(self._store.sweep(now_us), None, _BACKGROUND_TIMEOUT_S)

    async def size(self) -> StoreSize:
        """What it holds, if it can tell."""
        return await self._tried(self._store.size(), StoreSize(), _BACKGROUND_TIMEOUT_S)

    async def close(self) -> None:
        """End its connections."""
        await self._tried(self._store.close(), None, self._timeout_s)

    async def _tried(self, asked: Awaitable[T], otherwise: T, timeout_s: float) -> T:
        try:
            async with asyncio.timeout(timeout_s):
                found = await asked
        except Exception as error:  # noqa: BLE001 - a cache that fails must not fail a call
            self._again_at_s = self._clock() + _LEFT_ALONE_S
            if self.healthy:
                self.healthy = False
                # The driver's own words may quote an address with its password.
                _log.warning(
                    "the cache's store fails; calls go on without it",
                    extra={"store": self._kind, "raised": type(error).__name__},
                )
            return otherwise
        if not self.healthy:
            self.healthy = True
            _log.info("the cache's store answers again", extra={"store": self._kind})
        return found
