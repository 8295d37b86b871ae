"""Messages of an application that wait to be answered, and its leaving, seen while one is.

Bounded: while it is full the socket isn't read, and the application's own sending waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

from headgate.intake.sockets.client_socket import ClientSocket


class Inbox:
    """Reads one socket as long as the block lasts."""

    def __init__(self, socket: ClientSocket, most_waiting: int) -> None:
        self._socket = socket
        self._waiting: asyncio.Queue[str | bytes | None] = asyncio.Queue(most_waiting)
        self._running: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._reader = asyncio.create_task(self._read(), name="headgate-socket-reader")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _at: TracebackType | None,
    ) -> None:
        if self._reader is not None:
            self._reader.cancel()

    async def next(self, within_s: float) -> str | bytes | None:
        """The next message.

        None where none comes within `within_s`, the socket has closed or the server stops.
        """
        try:
            async with asyncio.timeout(within_s):
                return await self._waiting.get()
        except TimeoutError:
            return None

    async def while_open(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work`; it is cancelled, and awaited, when the socket closes."""
        self._running = task = asyncio.create_task(work, name="headgate-socket-call")
        try:
            await asyncio.wait((task,))
        finally:
            self._running = None
            if not task.done():
                task.cancel()
                await asyncio.wait((task,))
        if not task.cancelled():
            task.result()

    async def _read(self) -> None:
        while (message := await self._socket.receive()) is not None:
            await self._waiting.put(message)
        if not self._socket.gone:
            # The server stops: nothing more is begun, but a client that leaves is still seen.
            self._wake()
            while await self._socket.receive() is not None:
                pass
        if self._running is not None:
            self._running.cancel()
        self._wake()

    def _wake(self) -> None:
        if not self._waiting.full():
            self._waiting.put_nowait(None)
