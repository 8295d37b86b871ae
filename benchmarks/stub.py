"""What does the upstream answer? A chat completions server that writes bytes made beforehand.

It lives in the harness's own event loop, on the core of the load. Streams flow in one of two ways:
`freely`, one chunk of every stream a turn of the loop, or `in_step`, each chunk only when the
client has the one before.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Literal, cast

from benchmarks.payloads import (
    CONTENT_CHUNKS,
    answer_text,
    closing_events,
    content_events,
    reply_body,
    role_event,
)
from benchmarks.request_reader import RequestReader

Flow = Literal["freely", "in_step"]

MAX_CONNECTIONS: Final = 2_000
STALL_S: Final = 0.1
"""In step, a stream without progress for so long is given its next chunk all the same."""

_STREAM: Final = re.compile(rb'"stream"\s*:\s*true')
_USAGE: Final = re.compile(rb'"include_usage"\s*:\s*true')
_IDENTITY: Final = (
    b"x-request-id: req_3b1f0c9e57d24a86\r\nopenai-version: 2020-10-01\r\n"
    b"openai-processing-ms: 12\r\n"
)


class Stub:
    """The upstream server; `url` is its base address once it is started."""

    def __init__(
        self, *, says: str = answer_text(), special: Mapping[bytes, bytes] = MappingProxyType({})
    ) -> None:
        """Streams tell `says`, word by word.

        `special` are the bodies of other replies, by what stands in the request.
        """
        self.says = says
        self.special = {mark: _whole(body) for mark, body in special.items()}
        self.flow: Flow = "freely"
        self.nudges = 0
        self.url = ""
        self._slots: dict[int, _Connection] = {}
        self._flowing: set[_Connection] = set()
        self._pumping = False
        self._server: asyncio.Server | None = None
        self._watch: asyncio.TimerHandle | None = None
        self.reply: Final = _whole(reply_body())

    async def start(self) -> None:
        """Listen on a free port of 127.0.0.1."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"
        self._look()

    async def stop(self) -> None:
        """Close the server and every connection."""
        if self._watch is not None:
            self._watch.cancel()
        if self._server is not None:
            self._server.close()
        for connection in list(self._slots.values()):
            connection.close()

    def advance(self, slot: int, received: int) -> None:
        """Tell that a client has ``received`` more chunks of the stream in ``slot``."""
        if self.flow == "in_step":
            connection = self._slots.get(slot)
            if connection is not None:
                connection.acknowledge(received)

    def join(self, connection: _Connection) -> int:
        """Return a free slot for a new connection, or -1 where there is none."""
        if len(self._slots) >= MAX_CONNECTIONS:
            return -1
        slot = next(number for number in range(MAX_CONNECTIONS) if number not in self._slots)
        self._slots[slot] = connection
        return slot

    def leave(self, slot: int, connection: _Connection) -> None:
        """Forget a connection that is gone."""
        self._slots.pop(slot, None)
        self._flowing.discard(connection)

    def pump(self, connection: _Connection) -> None:
        """Let a stream flow freely, one chunk each turn of the loop."""
        self._flowing.add(connection)
        if not self._pumping:
            self._pumping = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        # uvloop gathers what one turn writes to a transport into one system call: so a chunk that
        # is to be a write of its own must have a turn of its own.
        for connection in list(self._flowing):
            if not connection.paused and not connection.send_next():
                self._flowing.discard(connection)
        if self._flowing:
            asyncio.get_running_loop().call_soon(self._turn)
        else:
            self._pumping = False

    def _look(self) -> None:
        if self.flow == "in_step":
            for connection in list(self._slots.values()):
                self.nudges += connection.nudge()
        self._watch = asyncio.get_running_loop().call_later(STALL_S, self._look)


class _Connection(asyncio.Protocol):
    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self._slot = -1
        self._reader = RequestReader()
        self._script: list[bytes] = []
        self._next = 0
        self._moved = False
        self._content: list[bytes] = []
        self.paused = False
        self._write: Callable[[bytes], None] = _nowhere
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._write = self._transport.write
        self._slot = self._stub.join(self)
        if self._slot < 0:
            self._transport.abort()
            return

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._stub.leave(self._slot, self)

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        try:
            whole = self._reader.feed(data)
        except ValueError:
            self.close()
            return
        if whole is None:
            return
        if _STREAM.search(whole):
            self._begin(usage=_USAGE.search(whole) is not None)
        else:
            special = self._stub.special
            self._write(next((special[m] for m in special if m in whole), self._stub.reply))

    def _begin(self, *, usage: bool) -> None:
        closing = [_framed(event) for event in closing_events(usage=usage)]
        closing[-1] += b"0\r\n\r\n"
        if not self._content:
            self._content = [
                _framed(event) for event in content_events(self._slot, self._stub.says)
            ]
        self._script = self._content + closing
        self._next = 0
        self._write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
            + _IDENTITY
            + b"transfer-encoding: chunked\r\n\r\n"
            + _framed(role_event())
        )
        self._moved = True
        # The first chunk waits a turn, so that it is not in one write with the head.
        if self._stub.flow == "freely":
            self._stub.pump(self)
        else:
            asyncio.get_running_loop().call_soon(self.send_next)

    def send_next(self) -> bool:
        """Write the next event of the stream; tell whether more are left."""
        if self._next < len(self._script):
            self._write(self._script[self._next])
            self._next += 1
        return self._next < len(self._script)

    def acknowledge(self, received: int) -> None:
        self._moved = True
        for _ in range(received):
            if self._next < CONTENT_CHUNKS:
                self.send_next()
            elif self._next < len(self._script):
                self._stub.pump(self)

    def nudge(self) -> int:
        """Send the next chunk where nothing moved since the last look; count what was sent."""
        stalled = not self._moved and 0 < self._next < len(self._script)
        self._moved = False
        if stalled:
            self.send_next()
        return int(stalled)


def _whole(body: bytes) -> bytes:
    """A reply, head and body."""
    return (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
        + _IDENTITY
        + b"content-length: %d\r\n\r\n" % len(body)
        + body
    )


def _framed(event: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(event), event)


def _nowhere(data: bytes) -> None:
    del data
