"""One TCP connection to an origin: it writes requests, parses responses, and judges reuse."""

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from headgate.gateway.upstream.errors import UpstreamError
from headgate.gateway.upstream.exchange import HIGH_WATER_BYTES, Exchange
from headgate.gateway.upstream.timeouts import Timeouts

if TYPE_CHECKING:
    from headgate.gateway.upstream.pool import OriginPool

_STALE_WINDOW_S = 1.0
"""How soon after the request a close must come to count as the keep-alive race."""

_SINGLE_FIELDS = (b"content-length", b"transfer-encoding", b"content-encoding")


class _NoTransport(asyncio.Transport):
    """Stands where a connection that was never made has no transport."""

    def abort(self) -> None:
        """There is nothing to abort."""


_NOT_CONNECTED = _NoTransport()


class _ResponseRefusedError(Exception):
    """Raised inside a parser callback to stop the parser; its text says why."""


class Connection(asyncio.Protocol):
    """A connection that serves one exchange at a time, for as long as it stays clean."""

    __slots__ = (
        "_closed",
        "_drained",
        "_excess",
        "_exchange",
        "_fields",
        "_finished",
        "_head_bytes",
        "_interim",
        "_keep_alive",
        "_max_head_bytes",
        "_parser",
        "_paused",
        "_pool",
        "_quiet_bytes",
        "_transport",
        "_until_close",
        "_write_paused",
        "idle_since_s",
        "loop",
        "served",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, pool: "OriginPool", max_head_bytes: int
    ) -> None:
        self.loop = loop
        self.served = 0
        self.idle_since_s = 0.0
        self._pool = pool
        self._max_head_bytes = max_head_bytes
        self._transport: asyncio.Transport = _NOT_CONNECTED
        self._parser: HttpResponseParser | None = None
        self._exchange: Exchange | None = None
        self._fields: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._quiet_bytes = 0
        self._interim = False
        self._finished = False
        self._excess = False
        self._keep_alive = False
        self._until_close = False
        self._paused = False
        self._write_paused = False
        self._drained: asyncio.Future[None] | None = None
        self._closed = False

    # What the pool and the client do with it.

    def begin(
        self, head: bytes, body: bytes, timeouts: Timeouts, started_s: float, sent_s: float
    ) -> Exchange:
        """Write a request and return the exchange that its response will fill.

        `body` is what was not already joined to `head`; b"" for most.
        """
        exchange = Exchange(self, timeouts, started_s, sent_s)
        self._exchange = exchange
        self._head_bytes = 0
        self._quiet_bytes = 0
        if body:
            self._transport.writelines((head, body))
            exchange.unsent_bytes = self._transport.get_write_buffer_size()
        else:
            self._transport.write(head)
        return exchange

    def write(self, data: bytes) -> None:
        """Write more of the request that was begun; nothing where the connection has gone."""
        if not self._closed:
            self._transport.write(data)

    @property
    def unsent_bytes(self) -> int:
        """What of the request waits to be sent."""
        return 0 if self._closed else self._transport.get_write_buffer_size()

    async def drained(self) -> None:
        """Wait until more may be written, or until there is nobody left to write to."""
        if self._write_paused and not self._closed:
            self._drained = self.loop.create_future()
            try:
                await self._drained
            finally:
                self._drained = None

    @property
    def usable(self) -> bool:
        """Whether a request may be written to it now."""
        return not self._closed and self._exchange is None

    def resume(self) -> None:
        """Read again after the consumer has taken what was buffered."""
        if self._paused:
            self._paused = False
            self._transport.resume_reading()

    def drop(self, error: UpstreamError | None = None) -> None:
        """Close at once. What was in flight fails with `error`, or was not wanted any more."""
        exchange = self._exchange
        self._detach()
        self._transport.abort()
        if exchange is not None:
            exchange.connection = None
            if exchange.error is None and not exchange.complete:
                exchange.error = error or UpstreamError("cut", "the call was given up")
            exchange.wake()

    def sweep(self, now_s: float) -> None:
        """Fail what is in flight where one of its limits has passed."""
        exchange = self._exchange
        if exchange is None:
            return
        kind = exchange.overdue(now_s, self._transport.get_write_buffer_size())
        if kind is not None:
            self.drop(UpstreamError(kind, f"the upstream kept us waiting: {kind}"))

    def _detach(self) -> None:
        """Leave the pool, and break the cycle with the parser."""
        self._exchange = None
        self._parser = None
        self._let_write()
        if not self._closed:
            self._closed = True
            self._pool.forget(self)

    def _let_write(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    # What the transport tells.

    def pause_writing(self) -> None:
        """Called by the event loop when much waits to be sent."""
        self._write_paused = True

    def resume_writing(self) -> None:
        """Called by the event loop when little does."""
        self._write_paused = False
        self._let_write()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop, once."""
        self._transport = cast("asyncio.Transport", transport)
        self._pool.connections.add(self)
        if self._closed:
            self._transport.abort()
        else:
            self._parser = HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop with what has arrived, up to 256 KiB at a time."""
        exchange = self._exchange
        parser = self._parser
        if exchange is None or parser is None:
            # Nobody asked: it would be taken for the answer to the next caller's request.
            self.drop()
            return
        exchange.received_at_s = monotonic()
        head_was_done = exchange.head_done
        buffered_before = exchange.buffered_bytes
        try:
            parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as exc:
            if not self._finished:
                reason = exc.__context__ or exc
                self.drop(UpstreamError("protocol", f"the upstream's response: {reason}"))
                return
            self._excess = True
        if self._finished:
            self._finish(exchange)
            return
        if not exchange.head_done or (head_was_done and exchange.buffered_bytes == buffered_before):
            # Bytes that lead to nothing: an endless status line, chunk extension or trailer,
            # which the parser would swallow or pile up without ever telling us.
            self._quiet_bytes += len(data)
            if self._quiet_bytes > self._max_head_bytes:
                self.drop(UpstreamError("protocol", "the upstream's response head is too large"))
                return
        else:
            self._quiet_bytes = 0
            if exchange.buffered_bytes > HIGH_WATER_BYTES and not self._paused:
                self._paused = True
                self._transport.pause_reading()
        if exchange.waiter is not None and exchange.ready():
            exchange.wake()
            # An answer that comes before all of the request was sent ends the sending.
            self._let_write()

    def eof_received(self) -> bool:
        """Called by the event loop when the peer has closed its side."""
        if self._exchange is None:
            # Out of the pool now, not one turn of the loop later when the transport is closed.
            self.drop()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop, once, when the socket is gone."""
        exchange = self._exchange
        self._detach()
        # CPython's selector transport, aborted after its end, may fail on its missing loop.
        self._transport = _NOT_CONNECTED
        self._pool.gone(self)
        if exchange is None:
            return
        exchange.connection = None
        if exchange.received_at_s == 0:
            # The keep-alive race: the server closed an idle connection while our request was on
            # its way. Later than that, it is a server that died at work.
            waited_s = monotonic() - exchange.sent_s
            exchange.never_answered = self.served > 0 and waited_s < _STALE_WINDOW_S
            exchange.error = UpstreamError(
                "reset", "the upstream closed the connection without an answer"
            )
        elif exc is not None:
            exchange.error = UpstreamError("reset", f"the connection broke in a response: {exc}")
        elif exchange.head_done and self._until_close:
            exchange.complete = True
        else:
            exchange.error = UpstreamError("cut", "the upstream's response ended too early")
        exchange.wake()

    def _finish(self, exchange: Exchange) -> None:
        """The response is complete: hand the connection back, if it is still clean."""
        self._finished = False
        self._exchange = None
        self.served += 1
        exchange.complete = True
        exchange.connection = None
        if exchange.sending or self._transport.get_write_buffer_size():
            # The answer came before the request was read, which is no longer worth sending.
            self.drop()
        elif self._keep_alive and not self._excess and not self._transport.is_closing():
            self.resume()
            self._pool.release(self, exchange.received_at_s)
        else:
            self._detach()
            self._transport.close()
        exchange.wake()

    # What the parser tells, from within feed_data.

    def on_message_begin(self) -> None:
        """A status line begins."""
        if self._finished:
            raise _ResponseRefusedError("bytes after the end of the response")
        self._fields = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, or one trailer (which counts, and is otherwise ignored)."""
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes > self._max_head_bytes:
            raise _ResponseRefusedError("its head is too large")
        self._fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is complete: a response begins, or was only announced (1xx)."""
        parser = self._parser
        exchange = self._exchange
        if parser is None or exchange is None:
            raise _ResponseRefusedError("the connection is closed")
        status = parser.get_status_code()
        if status > 599:
            raise _ResponseRefusedError(f"there is no status {status}")
        if status < 200:
            if status < 100 or status == 101:
                raise _ResponseRefusedError(f"status {status} was not asked for")
            self._interim = True
            return
        headers = self._fields
        fields = dict(headers)
        if len(fields) != len(headers):
            _refuse_repeated(headers)
        coding = fields.get(b"transfer-encoding")
        if coding is not None and (
            b"content-length" in fields or coding.strip().lower() != b"chunked"
        ):
            raise _ResponseRefusedError("its length is ambiguous")
        # The parser forgets the flags that this is computed from once the message is complete.
        self._keep_alive = parser.should_keep_alive()
        self._until_close = coding is None and b"content-length" not in fields
        self._fields = []
        exchange.status = status
        exchange.headers = headers
        exchange.fields = fields
        exchange.head_done = True

    def on_body(self, body: bytes) -> None:
        """Some bytes of the body, without their chunked framing."""
        exchange = self._exchange
        if exchange is not None:
            exchange.chunks.append(body)
            exchange.buffered_bytes += len(body)

    def on_message_complete(self) -> None:
        """The last byte of a response was seen, or the end of a 1xx."""
        if self._interim:
            self._interim = False
        else:
            self._finished = True


def _refuse_repeated(headers: list[tuple[bytes, bytes]]) -> None:
    """Refuse a head that says twice, perhaps differently, how its body is to be read."""
    names = [name for name, _ in headers]
    for name in _SINGLE_FIELDS:
        if names.count(name) > 1:
            raise _ResponseRefusedError(f"it has more than one {name.decode()}")
