"""Keeps usage rolled up while a process lives: looks once a minute whether something is due."""

from __future__ import annotations

import asyncio
import contextlib
import time

from headgate.errors import DatabaseUnavailableError
from headgate.ledger.rollups.roller import Roller
from headgate.storage.threads import StorageThreads
from headgate.telemetry.faults import log_fault

_EVERY_S = 60.0
_BETWEEN_TURNS_S = 0.05


class RollupTask:
    """`start()` it on the loop and `stop()` it before the threads and the database close."""

    def __init__(self, roller: Roller, threads: StorageThreads) -> None:
        self._roller = roller
        self._threads = threads
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._work(), name="headgate-rollups")

    async def stop(self) -> None:
        """End; what is not rolled up yet will be at the next start."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _work(self) -> None:
        while True:
            try:
                more = await self._threads.run(self._roller.turn, int(time.time()))
            except DatabaseUnavailableError:
                more = False
            except Exception as error:  # noqa: BLE001 - the figures wait; nothing else may
                log_fault("rolling usage up failed; trying again", error)
                more = False
            await asyncio.sleep(_BETWEEN_TURNS_S if more else _EVERY_S)
