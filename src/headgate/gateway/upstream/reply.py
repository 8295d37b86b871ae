"""What a caller holds once a response's head has arrived: it, and the body at its own pace."""

import asyncio
import contextlib

from headgate.gateway.upstream.decoding import Decoder
from headgate.gateway.upstream.errors import UpstreamError, UpstreamTooLarge
from headgate.gateway.upstream.exchange import Exchange, Want

_PLAIN = (b"identity", b"")


class UpstreamReply:
    """A response from an upstream, of which the head is known.

    The body is decoded (gzip, deflate); the headers are as they came, so whoever forwards them
    leaves out `content-encoding`, `content-length` and `transfer-encoding`. Read it to its end
    or call `abort`; a reply that is thrown away half-read drops its connection.
    """

    __slots__ = ("_decoder", "_exchange", "headers", "status")

    def __init__(self, exchange: Exchange) -> None:
        self.status: int = exchange.status
        self.headers: list[tuple[bytes, bytes]] = exchange.headers
        self._exchange = exchange
        self._decoder: Decoder | None = None
        coding = exchange.fields.get(b"content-encoding")
        if coding is not None and coding.strip().lower() not in _PLAIN:
            try:
                self._decoder = Decoder(coding)
            except UpstreamError:
                self.abort()
                raise

    def header(self, name: bytes) -> bytes | None:
        """A header's value by its lower-case name (the last one, if it was repeated)."""
        return self._exchange.fields.get(name)

    def add_headers(self, more: list[tuple[bytes, bytes]]) -> None:
        """Say the same as others of its headers do, by the names that readers of it know."""
        self.headers = self.headers + more
        self._exchange.fields.update(more)

    async def read(self, limit_bytes: int) -> bytes:
        """The rest of the body, decoded.

        Raises UpstreamTooLarge when it is larger than `limit_bytes`, which also bounds what is
        held in memory, and UpstreamError when it does not come to its end.
        """
        exchange = self._exchange
        if exchange.complete and self._decoder is None:
            if exchange.buffered_bytes > limit_bytes:
                raise UpstreamTooLarge(limit_bytes)
            return exchange.take()
        declared = exchange.fields.get(b"content-length", b"")
        parts: list[bytes] = []
        size_bytes = 0
        try:
            if declared.isdigit() and int(declared) > limit_bytes and self._decoder is None:
                raise UpstreamTooLarge(limit_bytes)
            while part := await self._next(Want.WHOLE_BODY):
                size_bytes += len(part)
                if size_bytes > limit_bytes:
                    raise UpstreamTooLarge(limit_bytes)
                parts.append(part)
        except UpstreamError:
            self.abort()
            raise
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def next_chunk(self) -> bytes:
        """What has arrived since the last call, decoded, as one bytes object; b"" at the end.

        Waits while there is nothing. Raises UpstreamError where the body breaks off, after
        everything that came before the break has been given out.
        """
        return await self._next(Want.SOME_BODY)

    async def next_chunk_within(self, wait_s: float) -> bytes | None:
        """As `next_chunk`, but None where nothing has come within `wait_s`; nothing is lost."""
        exchange = self._exchange
        exchange.want = Want.SOME_BODY
        if not exchange.ready():
            timer = asyncio.get_running_loop().call_later(wait_s, exchange.wake)
            try:
                await exchange.wait()
            finally:
                timer.cancel()
            if not exchange.ready():
                return None
        return await self.next_chunk()

    def abort(self) -> None:
        """Drop the connection at once, so that the upstream sees it. Idempotent."""
        self._exchange.abandon()

    async def _next(self, want: Want) -> bytes:
        exchange = self._exchange
        decoder = self._decoder
        while True:
            if decoder is not None and (plain := decoder.pull()):
                return plain
            exchange.want = want
            if exchange.chunks and exchange.ready():
                data = exchange.take()
                if decoder is None:
                    return data
                decoder.push(data)
                continue
            if exchange.error is not None:
                raise exchange.error
            if exchange.complete:
                if decoder is not None:
                    decoder.finish()
                return b""
            await exchange.wait()

    def __del__(self) -> None:
        connection = self._exchange.connection
        if connection is not None:
            # The collector may run in any thread; the connection belongs to its loop's.
            with contextlib.suppress(RuntimeError):
                connection.loop.call_soon_threadsafe(self._exchange.abandon)
