"""A websocket that an application opened: accepted or refused, then messages both ways.

Over ASGI. What is sent after the application has left goes nowhere.
"""

from __future__ import annotations

from headgate.errors import HeadgateError
from headgate.gateway.call import Headers
from headgate.intake.http.errors import error_body, error_headers
from headgate.intake.http.header_lines import by_name
from headgate.intake.http.request_body import Receive, Scope, Send
from headgate.intake.sockets.protocol import STOP

_RESTARTS = 1012
"""Service restart, in the registry of RFC 6455: the SDKs connect again."""


class ClientSocket:
    """One websocket and the application at its other end."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.headers = by_name(scope["headers"])
        self.subprotocols: tuple[str, ...] = tuple(scope.get("subprotocols", ()))
        self._receive = receive
        self._send = send
        self.gone = False
        """Whether it is closed, whoever closed it."""
        self.server_stops = False
        """Whether this server stops: it is to be closed as soon as nothing is under way."""

    async def accept(self, headers: Headers, subprotocol: str | None = None) -> None:
        """Let the application in."""
        await self._out(
            {"type": "websocket.accept", "subprotocol": subprotocol, "headers": headers}
        )

    async def refuse(self, error: HeadgateError, headers: Headers) -> None:
        """Answer the handshake with an error, as a request over HTTP would be."""
        told = [*headers, (b"content-type", b"application/json"), *error_headers(error)]
        await self.refuse_with(error.status, error_body(error), told)

    async def refuse_with(self, status: int, body: bytes, headers: Headers) -> None:
        """Answer the handshake with a whole reply."""
        start = {"type": "websocket.http.response.start", "status": status, "headers": headers}
        await self._out(start)
        await self._out({"type": "websocket.http.response.body", "body": body})
        self.gone = True

    async def receive(self) -> str | bytes | None:
        """The next message; None when the server stops, and from when the application has left."""
        while not self.gone:
            message = await self._receive()
            if message["type"] == "websocket.receive":
                text: str | None = message.get("text")
                data: bytes | None = message.get("bytes")
                return text if text is not None else data
            if message["type"] == "websocket.disconnect":
                self.gone = True
            elif message["type"] == STOP:
                self.server_stops = True
                return None
        return None

    async def send(self, message: bytes) -> None:
        """Send `message`, UTF-8, as a text; waits while the application is slow to read."""
        await self._out({"type": "websocket.send", "text": message.decode()})

    async def close(self, code: int, reason: str) -> None:
        """Close it; `code` is one of RFC 6455's, `reason` at most 123 bytes long."""
        await self._out({"type": "websocket.close", "code": code, "reason": reason})
        self.gone = True

    async def close_to_stop(self) -> None:
        """Close it because the server stops."""
        await self.close(_RESTARTS, "the server stops")

    async def _out(self, message: dict[str, object]) -> None:
        if self.gone:
            return
        try:
            await self._send(message)
        except OSError:
            # uvicorn's way to say that the connection is lost.
            self.gone = True
