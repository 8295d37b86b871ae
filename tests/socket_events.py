"""A bare websocket as tests use it: JSON sent, and read until an event of a kind comes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from servers import ADMIN_KEY, RunningServer

WAIT_S = 10.0


class Events:
    """The events of one connection."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.seen: list[dict[str, Any]] = []

    async def send(self, event: Any) -> None:
        """Send `event`, which may be a text that is no event."""
        await self._connection.send(event if isinstance(event, str) else json.dumps(event))

    async def next(self) -> dict[str, Any]:
        """The next event."""
        async with asyncio.timeout(WAIT_S):
            event = dict(json.loads(await self._connection.recv()))
        self.seen.append(event)
        return event

    async def until(self, kind: str) -> dict[str, Any]:
        """The next event of that type."""
        while True:
            event = await self.next()
            if event["type"] == kind:
                return event

    async def closed(self) -> int:
        """The code with which it is closed, once it is; what comes before goes into `seen`."""
        try:
            while True:
                await self.next()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006


@asynccontextmanager
async def opened(
    server: RunningServer,
    key: str | None = ADMIN_KEY,
    *,
    path: str = "/v1/responses",
    headers: Mapping[str, str] | None = None,
    **options: Any,
) -> AsyncIterator[Events]:
    """A websocket to `server`, as long as the block lasts."""
    sent = dict(headers or {})
    if key is not None:
        sent["authorization"] = f"Bearer {key}"
    address = server.address.replace("http", "ws") + path
    async with connect(address, additional_headers=sent, compression=None, **options) as made:
        yield Events(made)
