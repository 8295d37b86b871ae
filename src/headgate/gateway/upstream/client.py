"""The HTTP/1.1 client of the hot path: one `send`, pools per origin, one sweeper of deadlines."""

import asyncio
import os
import ssl
from time import monotonic

from headgate.gateway.upstream.connection import Connection
from headgate.gateway.upstream.dialing import dial
from headgate.gateway.upstream.errors import UpstreamError
from headgate.gateway.upstream.origin import Origin
from headgate.gateway.upstream.pool import OriginPool
from headgate.gateway.upstream.proxy import Proxy, ProxyRules
from headgate.gateway.upstream.reply import UpstreamReply
from headgate.gateway.upstream.sending import RequestBody, send_body
from headgate.gateway.upstream.timeouts import SWEEP_INTERVAL_S, Timeouts

_MAX_ORIGINS = 1024
"""Origins come from configuration; more than this many at once is a mistake in a caller."""


_COPY_LIMIT_BYTES = 64 * 1024
"""Up to this size head and body are joined into one write; above it copying costs more."""


class UpstreamClient:
    """Sends requests to origins over kept-alive connections.

    It belongs to the event loop on which it is first used, and needs no start; `close` it on
    that loop. `keepalive_s` is how long an unused connection is kept, `max_head_bytes` what a
    response's head (1xx and trailers included) may weigh. With `trust_env`, HTTP_PROXY,
    HTTPS_PROXY and NO_PROXY are read when the client is made.
    """

    def __init__(
        self,
        *,
        max_connections_per_origin: int = 1024,
        keepalive_s: float = 60,
        max_head_bytes: int = 64 * 1024,
        trust_env: bool = True,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Raises ValueError where the environment names a proxy that we cannot speak to."""
        self._max_connections_per_origin = max_connections_per_origin
        self._keepalive_s = keepalive_s
        self._max_head_bytes = max_head_bytes
        self._ssl_context = ssl_context
        self._proxies = ProxyRules(os.environ if trust_env else {})
        self._routes: dict[Origin, _Route] = {}
        self._last_route: _Route | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._watched_at_s = 0.0
        self._held_up = False
        self._closed = False

    async def send(
        self,
        origin: Origin,
        method: bytes,
        target: bytes,
        headers: bytes,
        body: bytes,
        timeouts: Timeouts,
    ) -> UpstreamReply:
        """Send a request; returns when the response's head has arrived.

        `headers` are complete lines, each ending in CRLF, without Host, Content-Length and the
        blank line; `target` comes from `Origin.target`. Neither is checked again for line ends.
        Raises UpstreamError. Cancelling it drops the connection.
        """
        started_s = monotonic()
        # Most clients have one origin, which is found without a look.
        route = self._last_route
        if route is None or route.origin is not origin:
            route = self._last_route = self._routes.get(origin) or self._open_route(origin)
        pool = route.pool
        head = route.head(method, target, headers, len(body))
        if len(body) <= _COPY_LIMIT_BYTES:
            head += body
            body = b""
        if pool.idle:
            connection = pool.idle.pop()
        else:
            connection = await pool.acquire(timeouts, started_s)
        exchange = connection.begin(head, body, timeouts, started_s, monotonic())
        await exchange.head()
        if exchange.never_answered:
            # RFC 9110, 9.2.2 lets a client repeat a POST by itself only if it knows that the
            # first was not applied. It cannot quite be known here. But servers close idle
            # connections whenever they like, this one had been idle, and it closed at once,
            # without a byte: every such race would otherwise be an error to a user. So, once,
            # on a connection that cannot be stale; what has seen any answer is never repeated.
            try:
                connection = await pool.acquire(timeouts, started_s, fresh=True)
            except UpstreamError as error:
                error.safe_to_retry = False
                raise
            exchange = connection.begin(head, body, timeouts, started_s, monotonic())
            await exchange.head()
        if not exchange.head_done and exchange.error is not None:
            raise exchange.error
        return UpstreamReply(exchange)

    async def send_from(
        self,
        origin: Origin,
        method: bytes,
        target: bytes,
        headers: bytes,
        body: RequestBody,
        timeouts: Timeouts,
    ) -> UpstreamReply:
        """As `send`, with a body that is sent as it comes and can't be sent twice.

        Therefore it goes out on a new connection, which can't be stale. Where the upstream answers
        before it has seen all, the rest is not sent. Raises also what `body` raises.
        """
        started_s = monotonic()
        route = self._routes.get(origin) or self._open_route(origin)
        head = route.head_of_stream(method, target, headers, body.length_bytes)
        connection = await route.pool.acquire(timeouts, started_s, fresh=True)
        exchange = connection.begin(head, b"", timeouts, started_s, monotonic())
        exchange.sending = True
        await send_body(connection, exchange, body)
        await exchange.head()
        if not exchange.head_done and exchange.error is not None:
            raise exchange.error
        return UpstreamReply(exchange)

    def way_to(self, origin: Origin) -> tuple[Proxy | None, ssl.SSLContext | None]:
        """The proxy through which an origin is reached, and its TLS; None: without."""
        proxy = origin.proxy or self._proxies.proxy_for(origin.scheme, origin.host, origin.port)
        tls = (origin.ssl_context or self._tls()) if origin.scheme == "https" else None
        return proxy, tls

    async def close(self) -> None:
        """Abort all calls, close all connections and wait for them (at most a second)."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        routes = list(self._routes.values())
        self._routes.clear()
        self._last_route = None
        await asyncio.gather(*(route.pool.close() for route in routes))

    def _open_route(self, origin: Origin) -> "_Route":
        if self._closed:
            raise UpstreamError("connect", "the client is closed", safe_to_retry=True)
        if len(self._routes) >= _MAX_ORIGINS:
            raise UpstreamError(
                "connect", f"more than {_MAX_ORIGINS} origins in use", safe_to_retry=True
            )
        proxy, tls = self.way_to(origin)

        async def dial_and_watch(connection: Connection) -> None:
            self._watch()
            await dial(connection, origin, proxy, tls)

        pool = OriginPool(dial_and_watch, self._max_connections_per_origin, self._max_head_bytes)
        route = _Route(origin, proxy, pool)
        self._routes[origin] = route
        return route

    def _tls(self) -> ssl.SSLContext:
        if self._ssl_context is None:
            self._ssl_context = ssl.create_default_context()
            self._ssl_context.set_alpn_protocols(["http/1.1"])
        return self._ssl_context

    def _watch(self) -> None:
        """See to it that the sweeper runs; it stops by itself when no connection is left."""
        if self._timer is None:
            self._watched_at_s = monotonic()
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(SWEEP_INTERVAL_S, self._sweep)

    def _sweep(self) -> None:
        self._timer = None
        now_s = monotonic()
        # When something has held up the loop, answers may lie in the sockets, not yet read, and
        # uvloop runs timers first: look again after they have been. But never skip two in a row.
        late = now_s - self._watched_at_s > 2 * SWEEP_INTERVAL_S
        self._held_up = late and not self._held_up
        busy = False
        for route in self._routes.values():
            if not self._held_up:
                route.pool.sweep(now_s, self._keepalive_s)
            busy = busy or route.pool.in_use
        if busy:
            self._watch()


class _Route:
    """How requests for one origin are written, and the pool they go through."""

    __slots__ = ("_after_target", "_before_target", "origin", "pool")

    def __init__(self, origin: Origin, proxy: Proxy | None, pool: OriginPool) -> None:
        self.origin = origin
        self.pool = pool
        self._before_target = b""
        self._after_target = b" HTTP/1.1\r\nHost: " + origin.authority + b"\r\n"
        if proxy is not None and origin.scheme == "http":
            # A proxy is asked for the whole URL (RFC 9112, 3.2.2).
            self._before_target = b"http://" + origin.authority
            self._after_target += proxy.authorization_field

    def head(self, method: bytes, target: bytes, headers: bytes, body_bytes: int) -> bytes:
        """The request's head, up to and with the blank line."""
        if not body_bytes and method == b"GET":
            return b"%b %b%b%b%b\r\n" % (
                method,
                self._before_target,
                target,
                self._after_target,
                headers,
            )
        return b"%b %b%b%b%bContent-Length: %d\r\n\r\n" % (
            method,
            self._before_target,
            target,
            self._after_target,
            headers,
            body_bytes,
        )

    def head_of_stream(
        self, method: bytes, target: bytes, headers: bytes, body_bytes: int | None
    ) -> bytes:
        """The head of a request whose body follows by itself, in chunks where no length is told."""
        framing = (
            b"Transfer-Encoding: chunked"
            if body_bytes is None
            else b"Content-Length: %d" % body_bytes
        )
        return b"%b %b%b%b%b%b\r\n\r\n" % (
            method,
            self._before_target,
            target,
            self._after_target,
            headers,
            framing,
        )
