"""What does an upstream that fails answer? A chat completions server of which a share goes wrong.

The faults come in turn, at random places that are the same in every run: 429, 500, a stall (no
answer at all) and a cut (the connection closed within the answer). In an outage every call is 503.
"""

from __future__ import annotations

import asyncio
import random
from itertools import cycle
from typing import Final, Literal, cast

from benchmarks.payloads import reply_body
from benchmarks.request_reader import RequestReader

Fault = Literal["429", "500", "stall", "cut"]

ANSWER_S: Final = 0.02
"""How long the upstream thinks, whatever it then does."""

MAX_CONNECTIONS: Final = 2_000

_FAULTS: Final[tuple[Fault, ...]] = ("429", "500", "stall", "cut")
_REASONS: Final = {
    429: (b"Too Many Requests", b"requests", b"rate_limit_exceeded"),
    500: (b"Internal Server Error", b"server_error", b"internal_error"),
    503: (b"Service Unavailable", b"server_error", b"overloaded"),
}


class FailingStub:
    """The upstream; `url` is its base address once it is started."""

    def __init__(self, share: float, seed: int = 20) -> None:
        self.url = ""
        self.outage = False
        self.calls = 0
        """How many it has been asked, retries included."""
        self.share = share
        self._random = random.Random(seed)  # the places, not a secret
        self._faults = cycle(_FAULTS)
        self._server: asyncio.Server | None = None
        self.connections: set[_Connection] = set()
        body = reply_body()
        head = (
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
            % len(body)
        )
        self.reply: Final = head + body

    async def start(self) -> None:
        """Listen on a free port of 127.0.0.1."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def stop(self) -> None:
        """Close the server and every connection."""
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.close()

    def next_fault(self) -> Fault | None:
        """What goes wrong with the next call, if anything."""
        self.calls += 1
        return next(self._faults) if self._random.random() < self.share else None


class _Connection(asyncio.Protocol):
    def __init__(self, stub: FailingStub) -> None:
        self._stub = stub
        self._reader = RequestReader()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if len(self._stub.connections) >= MAX_CONNECTIONS:
            self._transport.abort()
        self._stub.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._stub.connections.discard(self)

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
        asyncio.get_running_loop().call_later(ANSWER_S, self._answer, self._stub.next_fault())

    def _answer(self, fault: Fault | None) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._stub.outage:
            transport.write(_error(503))
        elif fault == "cut":
            transport.write(self._stub.reply[: len(self._stub.reply) // 2])
            transport.close()
        elif fault in ("429", "500"):
            transport.write(_error(int(fault)))
        elif fault is None:
            transport.write(self._stub.reply)


def _error(status: int) -> bytes:
    reason, kind, code = _REASONS[status]
    body = b'{"error":{"message":"%b","type":"%b","param":null,"code":"%b"}}' % (reason, kind, code)
    return b"HTTP/1.1 %d %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
        status,
        reason,
        len(body),
        body,
    )
