"""The connections to one origin: which are free, how many there may be, who is next."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic

from headgate.gateway.upstream.connection import Connection
from headgate.gateway.upstream.errors import UpstreamError, UpstreamErrorKind
from headgate.gateway.upstream.timeouts import Timeouts

Dial = Callable[[Connection], Awaitable[None]]
"""Opens a new connection's transport; raises UpstreamError of kind connect, dns or tls."""

_WAITERS_PER_CONNECTION = 4
"""A caller who finds this many waiting before him for each connection is refused at once."""


class OriginPool:
    """A bounded pool: the most recently used free connection first, waiting callers in order.

    LIFO, so that after a burst the surplus connections fall idle and are closed. At most
    `max_connections` are open or being opened; at most four times as many callers wait.
    """

    __slots__ = (
        "_dial",
        "_drained",
        "_max_connections",
        "_max_head_bytes",
        "_open_count",
        "_waiters",
        "closed",
        "connections",
        "idle",
    )

    def __init__(self, dial: Dial, max_connections: int, max_head_bytes: int) -> None:
        self.idle: deque[Connection] = deque()
        self.connections: set[Connection] = set()
        self.closed = False
        self._dial = dial
        self._max_connections = max_connections
        self._max_head_bytes = max_head_bytes
        self._open_count = 0
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()
        self._drained: asyncio.Event | None = None

    @property
    def in_use(self) -> bool:
        """Whether any connection is open or being opened."""
        return self._open_count > 0 or bool(self.connections)

    async def acquire(
        self, timeouts: Timeouts, started_s: float, *, fresh: bool = False
    ) -> Connection:
        """A free connection, or a new one; `fresh` asks for a new one.

        Raises UpstreamError of kind pool_timeout, connect_timeout, connect, dns or tls, all safe
        to retry, or total_timeout.
        """
        remaining_s = started_s + timeouts.total_s - monotonic()
        late: UpstreamErrorKind = "pool_timeout"
        try:
            async with asyncio.timeout(min(timeouts.connect_s, remaining_s)):
                while True:
                    self._refuse_if_closed()
                    if self.idle and not fresh:
                        return self.idle.pop()
                    if not self._take_slot(fresh=fresh):
                        connection = await self._next_free()
                        if connection is not None:
                            if connection.usable:
                                return connection
                            continue
                    late = "connect_timeout"
                    return await self._open()
        except TimeoutError:
            if remaining_s < timeouts.connect_s:
                late = "total_timeout"
            raise UpstreamError(
                late, f"no connection to the upstream in time: {late}", safe_to_retry=True
            ) from None

    def release(self, connection: Connection, now_s: float) -> None:
        """Take back a clean connection: to whoever waits longest, or to the free ones."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        connection.idle_since_s = now_s
        self.idle.append(connection)

    def forget(self, connection: Connection) -> None:
        """Count a connection out; it was dropped, or has ended."""
        if connection in self.idle:
            self.idle.remove(connection)
        self._free_slot()

    def gone(self, connection: Connection) -> None:
        """A connection's socket is closed."""
        self.connections.discard(connection)
        if self._drained is not None and not self.connections:
            self._drained.set()

    def sweep(self, now_s: float, keepalive_s: float) -> None:
        """Fail calls that are overdue, close connections that were free for too long."""
        for connection in tuple(self.connections):
            connection.sweep(now_s)
        while self.idle and now_s - self.idle[0].idle_since_s >= keepalive_s:
            self.idle[0].drop()

    async def close(self) -> None:
        """Abort everything, and wait until the sockets are closed (at most a second)."""
        self.closed = True
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
        for connection in tuple(self.connections):
            connection.drop()
        if self.connections:
            self._drained = asyncio.Event()
            try:
                async with asyncio.timeout(1):
                    await self._drained.wait()
            except TimeoutError:
                return

    def _take_slot(self, *, fresh: bool) -> bool:
        if fresh and self._open_count >= self._max_connections and self.idle:
            self.idle[0].drop()
        if self._open_count >= self._max_connections:
            return False
        self._open_count += 1
        return True

    def _free_slot(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._open_count -= 1

    async def _next_free(self) -> Connection | None:
        """Wait in line. None means: a slot is yours, open a connection yourself."""
        if len(self._waiters) >= _WAITERS_PER_CONNECTION * self._max_connections:
            raise UpstreamError(
                "pool_timeout", "too many callers wait for this upstream", safe_to_retry=True
            )
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            return await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled():
                self._pass_on(waiter.result())
            raise

    def _pass_on(self, connection: Connection | None) -> None:
        """Give away what reached a caller who had just given up."""
        if connection is None:
            self._free_slot()
        elif connection.usable:
            self.release(connection, monotonic())

    async def _open(self) -> Connection:
        """Open a connection in a slot that is already counted."""
        # From here on the slot is the connection's: dropping it, however far it came, frees it.
        connection = Connection(asyncio.get_running_loop(), self, self._max_head_bytes)
        try:
            self._refuse_if_closed()
            await self._dial(connection)
            self._refuse_if_closed()
        except BaseException:
            connection.drop()
            raise
        return connection

    def _refuse_if_closed(self) -> None:
        if self.closed:
            raise UpstreamError("connect", "the client is closed", safe_to_retry=True)
