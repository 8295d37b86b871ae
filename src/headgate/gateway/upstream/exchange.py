"""One request and what has come back so far: a connection fills it, a reply empties it."""

import asyncio
from enum import IntEnum
from time import monotonic
from typing import TYPE_CHECKING

from headgate.gateway.upstream.timeouts import Deadlines, Timeouts

if TYPE_CHECKING:
    from headgate.gateway.upstream.connection import Connection
    from headgate.gateway.upstream.errors import UpstreamError

HIGH_WATER_BYTES = 256 * 1024
"""Above this much unread body the socket is not read until the consumer has taken it."""


class Want(IntEnum):
    """What the one waiter of an exchange waits for."""

    HEAD = 0
    SOME_BODY = 1
    WHOLE_BODY = 2


class Exchange(Deadlines):
    """The state of one request on one connection.

    `connection` is None as soon as the exchange is over (complete or failed): from then on the
    connection may serve somebody else, and nothing done here can touch it.
    """

    __slots__ = (
        "buffered_bytes",
        "chunks",
        "complete",
        "connection",
        "error",
        "fields",
        "headers",
        "never_answered",
        "sending",
        "status",
        "waiter",
        "want",
    )

    def __init__(
        self, connection: "Connection", timeouts: Timeouts, started_s: float, sent_s: float
    ) -> None:
        super().__init__(timeouts, started_s, sent_s)
        self.connection: Connection | None = connection
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.fields: dict[bytes, bytes] = {}
        self.chunks: list[bytes] = []
        self.buffered_bytes = 0
        self.complete = False
        self.error: UpstreamError | None = None
        self.never_answered = False
        self.sending = False
        """Whether some of the request's body has not been given to the connection yet."""
        self.want = Want.HEAD
        self.waiter: asyncio.Future[None] | None = connection.loop.create_future()

    def ready(self) -> bool:
        """Whether what is wanted is there, or will never be."""
        if self.complete or self.error is not None:
            return True
        if self.want is Want.HEAD:
            return self.head_done
        if self.want is Want.SOME_BODY:
            return self.buffered_bytes > 0
        return self.buffered_bytes > HIGH_WATER_BYTES

    def wake(self) -> None:
        """Let the waiter go on, if there is one."""
        waiter = self.waiter
        if waiter is not None:
            self.waiter = None
            self.waiting_since_s = None
            if not waiter.done():
                waiter.set_result(None)

    async def head(self) -> None:
        """Wait for the response's head or a failure. Cancelling it drops the connection."""
        waiter = self.waiter
        if waiter is not None:
            try:
                await waiter
            except BaseException:
                self.abandon()
                raise

    async def wait(self) -> None:
        """Wait until `ready()`. Cancelling the wait drops the connection at once."""
        if self.waiter is not None:
            raise RuntimeError("a reply has one reader at a time")
        connection = self.connection
        if connection is None:
            return
        self.waiting_since_s = monotonic()
        self.waiter = waiter = connection.loop.create_future()
        try:
            await waiter
        except BaseException:
            self.abandon()
            raise

    def take(self) -> bytes:
        """Everything that has arrived and was not yet taken, as one bytes object."""
        chunks = self.chunks
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        self.buffered_bytes = 0
        if self.connection is not None:
            self.connection.resume()
        return data

    def abandon(self) -> None:
        """Drop the connection, because nobody wants the rest of the reply. Idempotent."""
        if self.connection is not None:
            self.connection.drop()
