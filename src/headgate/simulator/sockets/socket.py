"""One websocket: messages both ways as JSON, and a connection that faults can end."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import msgspec

from headgate.simulator.faults.fault import BreakFault
from headgate.simulator.wire.api_error import ApiError, invalid_type
from headgate.simulator.wire.delivery import end_connection
from headgate.simulator.wire.request import JsonObject, Receive, Scope, Send


class SocketGoneError(Exception):
    """The client has closed the socket, or a fault has."""


class Socket:
    """A websocket that was accepted."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, closing: asyncio.Event) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._closing = closing

    async def receive(self) -> JsonObject:
        """The next message; `ApiError` for one that is no object, `SocketGoneError` at the end."""
        message = await self._receive()
        if message["type"] != "websocket.receive":
            raise SocketGoneError
        try:
            value = msgspec.json.decode(message.get("text") or message.get("bytes") or b"")
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ApiError(400, f"We could not parse the JSON of your message: {error}") from None
        if not isinstance(value, dict):
            raise invalid_type("message", "an object", value)
        return value

    async def send(self, event: dict[str, Any]) -> None:
        """Send an event."""
        await self.send_text(msgspec.json.encode(event).decode())

    async def send_text(self, text: str) -> None:
        """Send what may be no event."""
        try:
            await self._send({"type": "websocket.send", "text": text})
        except OSError:
            raise SocketGoneError from None

    async def close(self, code: int) -> None:
        """Close it."""
        with contextlib.suppress(OSError):
            await self._send({"type": "websocket.close", "code": code})

    async def break_off(self, fault: BreakFault) -> None:
        """End the connection as `fault` says: after a stall, by its end, or by a reset."""
        if fault.how == "stall":
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), fault.seconds)
        end_connection(self._scope, reset=fault.how == "reset")
        raise SocketGoneError
