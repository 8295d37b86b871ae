"""The short way out for a reply: written straight to its connection, past ASGI's messages.

It reaches into uvicorn's request cycle, as `server_protocol` does, which makes one for each
request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

REPLY: Final = "headgate.reply"
"""Where in a scope's `extensions` the request's `Reply` stands."""

Headers = list[tuple[bytes, bytes]]

_line: Final = b": ".join
"""A header as its line."""


class Reply:
    """The reply to one request, written straight to its connection.

    Either `whole`, or `begin`, any number of `piece` and `end`. What is written after the client
    has left goes nowhere.
    """

    __slots__ = ("_chunked", "_cycle", "_held", "on_gone", "stopping", "task")

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._held = b""
        self._chunked = False
        self.on_gone: Callable[[], None] | None = None
        """Called when the client leaves before the reply has ended."""
        self.stopping = False
        """Whether the server has begun to stop: what would go on for long must end now."""
        self.task: asyncio.Task[None] | None = None
        """What answers the request, until it has ended."""

    def body_at_hand(self) -> bytes | None:
        """The request's body, where all of it has come; None: it is to be received as usual."""
        cycle = self._cycle
        if cycle.more_body or cycle.disconnected or cycle.waiting_for_100_continue:
            return None
        # Else nobody would see the client leave.
        cycle.flow.resume_reading()
        cycle.message_event.clear()
        body = bytes(cycle.body)
        cycle.body = bytearray()
        return body

    @property
    def begun(self) -> bool:
        """Whether some of it may have been sent, and not all."""
        return self._cycle.response_started and not self._cycle.response_complete

    @property
    def gone(self) -> bool:
        """Whether the client has left before the reply had ended."""
        return self._cycle.disconnected

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """Send all of it."""
        cycle = self._cycle
        head = self._head(status, headers, b"content-length: %d" % len(body))
        # A body after HEAD would be taken for the next reply of the connection.
        data = head if cycle.scope["method"] == "HEAD" else head + body
        if cycle.flow.write_paused:
            await self._drained()
        if not cycle.disconnected:
            cycle.transport.write(data)
        self._end()

    def begin(self, status: int, headers: Headers) -> None:
        """Set the head of a reply whose length isn't known; it goes out with the first piece."""
        # HTTP/1.0 has no chunks: there the end of the connection is the end of the reply.
        self._chunked = self._cycle.scope["http_version"] != "1.0"
        self._held = self._head(
            status, headers, b"transfer-encoding: chunked" if self._chunked else None
        )

    async def piece(self, data: bytes) -> None:
        """Send a piece of it."""
        if not data:
            return
        held, self._held = self._held, b""
        chunk = b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data
        cycle = self._cycle
        if cycle.flow.write_paused:
            await self._drained()
        if not cycle.disconnected:
            cycle.transport.write(held + chunk)

    async def end(self, data: bytes) -> None:
        """Send the last piece of it and the end."""
        await self.piece(data)
        cycle = self._cycle
        if cycle.flow.write_paused:
            await self._drained()
        if not cycle.disconnected:
            cycle.transport.write(self._held + (b"0\r\n\r\n" if self._chunked else b""))
        self._end()

    def cut(self) -> None:
        """End the connection in the middle of the reply, so that it can't look complete."""
        cycle = self._cycle
        if not cycle.disconnected:
            cycle.keep_alive = False
            cycle.response_complete = True
            cycle.message_event.set()
            cycle.transport.abort()

    def left(self) -> None:
        """Say that the client has left."""
        if not self._cycle.response_complete:
            self._cycle.disconnected = True
            if self.on_gone is not None:
                self.on_gone()

    def _head(self, status: int, headers: Headers, framing: bytes | None) -> bytes:
        cycle = self._cycle
        lines = list(map(_line, cycle.default_headers + headers))
        if framing is not None:
            lines.append(framing)
        if not cycle.keep_alive:
            lines.append(b"connection: close")
        head = b"\r\n".join(lines)
        if head.count(b"\n") != len(lines) - 1 or head.count(b"\r") != len(lines) - 1:
            raise ValueError("a line end in a header of the reply")
        cycle.response_started = True
        cycle.waiting_for_100_continue = False
        return b"%b%b\r\n\r\n" % (STATUS_LINE[status], head)

    async def _drained(self) -> None:
        """Wait for a client that reads slowly; apart, as it costs each reply that needn't wait."""
        if not self._cycle.disconnected:
            await self._cycle.flow.drain()

    def _end(self) -> None:
        """What uvicorn does when a reply has been sent."""
        cycle = self._cycle
        if cycle.disconnected:
            return
        cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()
