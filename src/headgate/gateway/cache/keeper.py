"""What the cache does in the background: writing to the shared store, sweeping it, clearings.

`start()` it, `stop()` it; between the two its two tasks are its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable

from headgate.errors import HeadgateError
from headgate.gateway.cache.clearing import Clearing
from headgate.gateway.cache.clearing_log import ClearingLog
from headgate.gateway.cache.entry import Entry
from headgate.gateway.cache.semantic.near_miss import NearMiss, NearMissLog
from headgate.gateway.cache.tolerant_store import TolerantStore
from headgate.storage.threads import StorageThreads
from headgate.telemetry.faults import log_fault

_WAITING_AT_MOST = 4_096
"""Entries that wait for the shared store; beyond it they stay in this process's memory alone."""
_WRITTEN_AT_ONCE = 256
_NEAR_MISSES_AT_MOST = 1_000
"""That wait to be written; beyond it the oldest is dropped."""
_LOOK_EVERY_S = 1.0
_SWEEP_EVERY_S = 60.0
_LAST_WRITE_S = 2.0

_Change = tuple[bytes, Entry | None]
"""A key and what to keep under it; None: forget it."""


class Keeper:
    """The cache's background."""

    def __init__(
        self,
        store: TolerantStore | None,
        log: ClearingLog,
        near_misses: NearMissLog,
        threads: StorageThreads,
    ) -> None:
        self.store = store
        self.on_clearing: Callable[[Clearing], object] = lambda _: None
        """Called for each clearing that any process was asked for."""
        self._log = log
        self._near_misses = near_misses
        self._unwritten: deque[NearMiss] = deque(maxlen=_NEAR_MISSES_AT_MOST)
        self._threads = threads
        self._changes: asyncio.Queue[_Change] = asyncio.Queue(_WAITING_AT_MOST)
        self._tasks: list[asyncio.Task[None]] = []

    def keep(self, key: bytes, entry: Entry) -> None:
        """Have the shared store keep `entry`, soon."""
        self._change(key, entry)

    def forget(self, key: bytes) -> None:
        """Have the shared store forget what is under `key`, soon."""
        self._change(key, None)

    def note_near_miss(self, miss: NearMiss) -> None:
        """Write `miss` down, soon."""
        self._unwritten.append(miss)

    async def clear(self, clearing: Clearing) -> int | None:
        """Tell every process of `clearing` and carry it out on the shared store."""
        await self._threads.begin(self._log.note, clearing)
        return None if self.store is None else await self.store.clear(clearing)

    async def start(self) -> None:
        """Begin."""
        self._tasks = [
            asyncio.create_task(self._tend(), name="headgate-cache-tend"),
            asyncio.create_task(self._write(), name="headgate-cache-write"),
        ]

    async def stop(self) -> None:
        """Write what still waits, for a moment, and end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WRITE_S):
                await self._changes.join()
                with contextlib.suppress(HeadgateError):
                    await self._write_near_misses()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.store is not None:
            await self.store.close()
        self._threads.close()

    def _change(self, key: bytes, entry: Entry | None) -> None:
        if self.store is not None:
            with contextlib.suppress(asyncio.QueueFull):
                self._changes.put_nowait((key, entry))

    async def _write(self) -> None:
        while True:
            changes = dict([await self._changes.get()])
            taken = 1
            while taken < _WRITTEN_AT_ONCE and not self._changes.empty():
                key, entry = self._changes.get_nowait()
                changes[key] = entry
                taken += 1
            kept = [(key, entry) for key, entry in changes.items() if entry is not None]
            gone = [key for key, entry in changes.items() if entry is None]
            if self.store is not None:
                if kept:
                    await self.store.put_many(kept)
                if gone:
                    await self.store.discard(gone)
            for _ in range(taken):
                self._changes.task_done()

    async def _write_near_misses(self) -> None:
        if self._unwritten:
            misses = list(self._unwritten)
            self._unwritten.clear()
            await self._threads.begin(self._near_misses.write, misses)

    async def _tend(self) -> None:
        sweep_at_s = time.monotonic() + _SWEEP_EVERY_S
        while True:
            try:
                now_us = time.time_ns() // 1000
                for clearing in await self._threads.begin(self._log.unseen, now_us):
                    self.on_clearing(clearing)
                await self._write_near_misses()
            except HeadgateError:
                pass  # the database is away; what was cleared is seen when it is back
            except Exception as fault:  # noqa: BLE001 - the next look may succeed
                log_fault("the cache could not look for clearings", fault)
            if self.store is not None and time.monotonic() >= sweep_at_s:
                sweep_at_s = time.monotonic() + _SWEEP_EVERY_S
                await self.store.sweep(time.time_ns() // 1000)
            await asyncio.sleep(_LOOK_EVERY_S)
