"""A reply put on the wire: at the model's rate, compressed where wished, or broken on purpose."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Literal

import msgspec

from headgate.simulator.faults.fault import BreakFault
from headgate.simulator.wire.reply import (
    JsonReply,
    Piece,
    Reply,
    StreamReply,
    data_event,
    named_event,
)
from headgate.simulator.wire.request import Receive, Scope, Send

Header = tuple[bytes, bytes]

TRANSPORT = "headgate.simulator.transport"
"""The ASGI extension in which the simulator's own server hands over a connection's transport."""

Outcome = Literal["completed", "broken", "client_gone"]
"""How a reply ended. `broken`: by a fault. `client_gone`: the client left before its end."""

_BROKEN_EVENT = b'data: {"id":"chatcmpl-broken","object":"chat.completi\n\n'
STREAM_ERROR = "The server had an error while processing your request. Sorry about that!"
"""What the fault `stream-error` says."""


class SimulatedDisconnectError(ConnectionError):
    """A fault ends the connection, and the server gives no other way to it than failing."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One reply's way to its client."""

    scope: Scope
    receive: Receive
    send: Send
    tokens_per_s: float
    """0 for as fast as the client reads."""
    broken: BreakFault | None
    delay_s: float
    """How long the first byte is held back."""
    gzip: bool
    closing: asyncio.Event
    """Set when the simulator stops, so that nothing stalls any longer."""

    async def deliver(self, reply: Reply, status: int, headers: list[Header]) -> Outcome:
        """Send the whole reply, or as much of it as the fault allows."""
        if isinstance(reply, JsonReply) and self.broken is None and self.delay_s == 0:
            return await self._send(reply, status, headers)
        gone = asyncio.ensure_future(self._client_gone())
        sending = asyncio.ensure_future(self._send(reply, status, headers))
        try:
            await asyncio.wait((gone, sending), return_when=asyncio.FIRST_COMPLETED)
            return sending.result() if sending.done() else "client_gone"
        finally:
            for task in (gone, sending):
                task.cancel()
            for task in (gone, sending):
                with contextlib.suppress(asyncio.CancelledError, SimulatedDisconnectError):
                    await task

    async def _client_gone(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def _send(self, reply: Reply, status: int, headers: list[Header]) -> Outcome:
        if self.delay_s > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.closing.wait(), self.delay_s)
        if self.broken is not None and self.broken.how == "reset" and self.broken.after == 0:
            self._end_connection(reset=True)
            return "broken"
        if isinstance(reply, StreamReply):
            return await self._send_stream(reply, headers)
        return await self._send_document(reply, status, headers)

    async def _send_document(self, reply: JsonReply, status: int, headers: list[Header]) -> Outcome:
        body = reply.body
        half = body[: len(body) // 2]
        how = self.broken.how if self.broken else None
        if how in ("stall", "cut", "reset"):
            # The length promises the whole, so that the client can tell that half is missing.
            headers = [*headers, (b"content-length", str(len(body)).encode())]
            await self._start(status, headers)
            await self._body(half, more=True)
            await self._break_off()
            return "broken"
        if how == "malformed-json":
            body = half
        if self.gzip and len(body) > 512:
            body = _gzipped(body)
            headers = [*headers, (b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")]
        await self._start(status, [*headers, (b"content-length", str(len(body)).encode())])
        await self._body(body, more=False)
        return "broken" if how == "malformed-json" else "completed"

    async def _send_stream(self, reply: StreamReply, headers: list[Header]) -> Outcome:
        if (b"content-type", b"application/json") in headers:
            headers = [h for h in headers if h[0] != b"content-type"]
            headers.append((b"content-type", b"text/event-stream; charset=utf-8"))
        headers.append((b"cache-control", b"no-cache"))
        compress: Callable[[bytes, int], bytes] | None = None
        if self.gzip:
            headers += [(b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")]
            compress = _gzip_stream()
        await self._start(200, headers)
        outcome: Outcome = "completed"
        sent = 0
        async for piece in self._paced(reply.pieces):
            data = piece.data
            if self.broken is not None and sent == self.broken.after:
                outcome = "broken"
                if self.broken.how == "stream-error":
                    data = _error_event(data, sent)
                elif self.broken.how == "malformed-json":
                    data = _broken_event(data)
                else:
                    await self._break_off()
                    return "broken"
            await self._body(compress(data, zlib.Z_SYNC_FLUSH) if compress else data, more=True)
            sent += 1
            if outcome == "broken" and self.broken and self.broken.how == "stream-error":
                break
        await self._body(compress(b"", zlib.Z_FINISH) if compress else b"", more=False)
        return outcome

    async def _paced(self, pieces: tuple[Piece, ...]) -> AsyncIterator[Piece]:
        """Each piece when the model would have written it."""
        due_s = time.monotonic()
        for number, piece in enumerate(pieces):
            if self.tokens_per_s > 0 and piece.tokens:
                due_s += piece.tokens / self.tokens_per_s
                ahead_s = due_s - time.monotonic()
                # Timers are no finer than this; a late piece catches up with the next.
                if ahead_s > 0.001:
                    await asyncio.sleep(ahead_s)
            elif number % 16 == 15:
                # Lets a client that left be noticed in a stream that never waits.
                await asyncio.sleep(0)
            yield piece

    async def _break_off(self) -> None:
        if self.broken is None:
            return
        if self.broken.how == "stall":
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.closing.wait(), self.broken.seconds)
        self._end_connection(reset=self.broken.how == "reset")

    def _end_connection(self, *, reset: bool) -> None:
        """Close the connection in the middle of a reply, or reset it."""
        end_connection(self.scope, reset=reset)

    async def _start(self, status: int, headers: list[Header]) -> None:
        await self.send({"type": "http.response.start", "status": status, "headers": headers})

    async def _body(self, data: bytes, *, more: bool) -> None:
        await self.send({"type": "http.response.body", "body": data, "more_body": more})


def end_connection(scope: Scope, *, reset: bool) -> None:
    """Close the connection that `scope` came by, or reset it.

    Raises `SimulatedDisconnectError` where the server gives no other way.
    """
    transport = (scope.get("extensions") or {}).get(TRANSPORT)
    if transport is None:
        raise SimulatedDisconnectError
    if not reset:
        transport.close()
        return
    connection = transport.get_extra_info("socket")
    # A linger of 0 makes the kernel send RST instead of FIN.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _broken_event(data: bytes) -> bytes:
    """An event of the same kind whose data is cut off, and so no JSON."""
    if not data.startswith(b"event:"):
        return _BROKEN_EVENT
    head, _, rest = data.partition(b"\ndata: ")
    return head + b"\ndata: " + rest[: max(8, len(rest) // 3)].split(b"\n")[0] + b"\n\n"


def _error_event(data: bytes, number: int) -> bytes:
    """An error event in the way of the endpoint whose next event would have been `data`."""
    if data.startswith(b"event:"):
        fields = {"code": "server_error", "message": STREAM_ERROR, "param": None}
        # The specification has the fields flat, the API itself nests them, and the SDKs raise
        # only for nested ones: both are here.
        nested = {"type": "server_error", **fields}
        event = {"type": "error", "sequence_number": number, **fields, "error": nested}
        return named_event(event).data
    error = {"message": STREAM_ERROR, "type": "server_error", "param": None, "code": None}
    return data_event({"error": error}).data


def _gzipped(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=31)
    return compressor.compress(body) + compressor.flush()


def _gzip_stream() -> Callable[[bytes, int], bytes]:
    """A compressor that gives out each event as soon as it has it; its mode is zlib's flush."""
    compressor = zlib.compressobj(wbits=31)
    return lambda data, mode: compressor.compress(data) + compressor.flush(mode)
