"""uvicorn's HTTP protocol, with a short way out for replies.

ASGI sends a reply as messages, which uvicorn checks, joins and writes one by one: that costs a call
more than its key, its record and its price together. `/v1` writes through `Reply` instead, a head
and what follows it in one system call, and is told at once when its client leaves. All else about
a connection stays uvicorn's: parsing, limits, keep-alive, pipelining, the stop.

It reaches into uvicorn's request cycle, so pyproject.toml names the versions it was written for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

REPLY: Final = "headgate.reply"
"""Where in a scope's `extensions` the request's `Reply` stands."""

Headers = list[tuple[bytes, bytes]]


class Reply:
    """The reply to one request, written straight to its connection.

    Either `whole`, or `begin`, any number of `piece` and `end`. What is written after the client
    has left goes nowhere.
    """

    __slots__ = ("_chunked", "_cycle", "_held", "on_gone")

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._held = b""
        self._chunked = False
        self.on_gone: Callable[[], None] | None = None
        """Called when the client leaves before the reply has ended."""

    @property
    def gone(self) -> bool:
        """Whether the client has left before the reply had ended."""
        return self._cycle.disconnected

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """Send all of it."""
        head = self._head(status, headers, b"content-length: %d" % len(body))
        # A body after HEAD would be taken for the next reply of the connection.
        await self._write(head if self._cycle.scope["method"] == "HEAD" else head + body)
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
        await self._write(held + chunk)

    async def end(self, data: bytes) -> None:
        """Send the last piece of it and the end."""
        await self.piece(data)
        await self._write(self._held + (b"0\r\n\r\n" if self._chunked else b""))
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
        lines = [b"%b: %b" % header for header in cycle.default_headers]
        lines += [b"%b: %b" % header for header in headers]
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

    async def _write(self, data: bytes) -> None:
        cycle = self._cycle
        if cycle.flow.write_paused and not cycle.disconnected:
            await cycle.flow.drain()
        if not cycle.disconnected:
            cycle.transport.write(data)

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


class ServerProtocol(HttpToolsProtocol):
    """What uvicorn runs for each connection."""

    _reply: Reply | None = None
    """The reply to the request that is being answered: the first of several in a pipeline."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """See uvicorn."""
        self._reply = Reply(cycle)
        cycle.scope["extensions"] = {REPLY: self._reply}  # type: ignore[dict-item]
        super()._start_asgi_task(cycle, app)

    def _should_upgrade(self) -> bool:
        """See uvicorn; a websocket begins with GET, and other requests are answered as they are."""
        return self.parser.get_method() == b"GET" and super()._should_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        """See uvicorn."""
        super().connection_lost(exc)
        if self._reply is not None:
            self._reply.left()
            self._reply = None
