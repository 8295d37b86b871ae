"""A request's body that is sent as it comes, so that no file is ever whole in memory.

The other way round from `reply.py`: there the consumer pulls, here the connection does.
"""

from __future__ import annotations

from math import inf
from time import monotonic
from typing import Protocol

from headgate.gateway.upstream.connection import Connection
from headgate.gateway.upstream.errors import UpstreamError
from headgate.gateway.upstream.exchange import Exchange

END_OF_CHUNKS = b"0\r\n\r\n"


class RequestBody(Protocol):
    """Where a body comes from."""

    @property
    def length_bytes(self) -> int | None:
        """How long it is, where that is known before; None: it is sent in chunks."""

    async def next_chunk(self) -> bytes:
        """The next bytes of it; b"" at its end. What it raises ends the request."""


async def send_body(connection: Connection, exchange: Exchange, body: RequestBody) -> None:
    """Send all of `body`, or stop where the upstream answers or fails before its end.

    While the body's source is waited for only the total limit counts: a slow application is not
    the upstream's fault. Raises what the source raises, with the connection dropped.
    """
    left_bytes = body.length_bytes
    limits = exchange.timeouts
    try:
        while not exchange.ready():
            exchange.first_byte_by_s = inf
            data = await body.next_chunk()
            if exchange.ready():
                return
            if not data:
                break
            if left_bytes is None:
                data = b"%x\r\n%b\r\n" % (len(data), data)
            else:
                left_bytes -= len(data)
                if left_bytes < 0:
                    raise ValueError("a request's body is longer than it said")
            connection.write(data)
            exchange.unsent_bytes = connection.unsent_bytes
            exchange.first_byte_by_s = monotonic() + limits.idle_s
            await connection.drained()
        else:
            return
        if left_bytes:
            raise UpstreamError("cut", "the request's body ended too early")
        if left_bytes is None:
            connection.write(END_OF_CHUNKS)
        exchange.sending = False
        exchange.unsent_bytes = connection.unsent_bytes
        exchange.first_byte_by_s = monotonic() + limits.first_byte_s
    except BaseException:
        exchange.abandon()
        raise
