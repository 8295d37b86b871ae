"""One session with an MCP server: made when it is needed, made again when it broke, and closed.

A task of its own makes a connection, so that a caller who gives up neither breaks it off nor leaves
it half made; `close` awaits it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable, Coroutine
from typing import Any

from headgate import __version__
from headgate.config.tools import McpToolSource
from headgate.workflows.tools.mcp.listing import Listing, ListingReader
from headgate.workflows.tools.mcp.over_http import HttpConnection
from headgate.workflows.tools.mcp.over_stdio import StdioConnection
from headgate.workflows.tools.mcp.wire import (
    Connection,
    LostError,
    RefusedError,
    Request,
    SessionGoneError,
    unreadable,
)
from headgate.workflows.tools.tool import ToolCall

HANDSHAKES = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
"""Versions of the protocol that begin with `initialize`; the first is asked for."""
STATELESS = "2026-07-28"
"""The version in which each request says all; spoken to servers that know no `initialize`."""

_LISTED_FOR_S = 300.0
"""How long a listing is believed of a server that does not say that it changed."""
_CALLS_AT_MOST = 64
_FIRST_PAUSE_S = 0.5
_PAUSE_AT_MOST_S = 30.0
_LIST_CHANGED = "notifications/tools/list_changed"
_TIDIES_WITHIN_S = 10.0
_NOT_ARRIVED = {"may_have_arrived": False}
_WIRE_EXTRA_BYTES = 4 * 1024 * 1024
"""What a message may have beside the answer: the same once more as text, JSON's escapes, a page of
tools."""


class McpSession:
    """Lists and calls the tools of one server; it belongs to the event loop of its first use."""

    def __init__(
        self,
        source: McpToolSource,
        *,
        shows_errors: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`source` has been checked; `shows_errors` lets a command write to our standard error."""
        self._source = source
        self._shows_errors = shows_errors
        self._clock = clock
        self._numbers = itertools.count(1)
        self._connection: Connection | None = None
        self._opening: asyncio.Task[Connection] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(_CALLS_AT_MOST)
        self._listing_turn = asyncio.Lock()
        self._listing: Listing | None = None
        self._listed_at_s = 0.0
        self._stale = True
        self._meta: dict[str, Any] = {}
        self._failures = 0
        self._failed_for = "the server could not be reached"
        self._not_before_s = 0.0
        self._closed = False

    async def listing(self) -> Listing:
        """What the server lists. Raises `LostError` or `RefusedError`.

        It is asked for again when the server said that it changed, when it was connected to anew,
        and after five minutes.
        """
        async with self._listing_turn:
            for _ in range(2):
                connection = await self._connected()
                old = self._clock() - self._listed_at_s > _LISTED_FOR_S
                if self._listing is not None and not self._stale and not old:
                    return self._listing
                # What is said from now on may be about what has not been listed yet.
                self._stale = False
                try:
                    async with asyncio.timeout(self._source.connect_s):
                        self._listing = await self._list(connection)
                except SessionGoneError:
                    continue
                except TimeoutError:
                    self._stale = True
                    raise LostError(
                        "the server did not list its tools in time", "timeout", **_NOT_ARRIVED
                    ) from None
                except BaseException:
                    self._stale = True
                    raise
                self._failures = 0
                self._listed_at_s = self._clock()
                return self._listing
        raise LostError("the server forgets its sessions", "session", **_NOT_ARRIVED)

    async def call(
        self,
        tool: str,
        arguments: dict[str, Any],
        call: ToolCall,
        *,
        listing: Listing,
        under_way: Callable[[Request], None],
    ) -> Any:
        """The result of a tool, as `listing` has it.

        Raises `LostError`, `RefusedError`, or, where the server has not read the request or is
        not the one any more that gave `listing`, `SessionGoneError`. `under_way` is given the
        request before it is sent: where this is cancelled, it says whether the server may have it.
        """
        params = {
            "name": tool,
            "arguments": arguments,
            "_meta": {"headgate/idempotency-key": call.key},
        }
        async with self._places:
            connection = await self._connected()
            if self._listing is not listing:
                raise SessionGoneError
            return await self._send(
                connection, "tools/call", params, call.timeout_s, under_way=under_way
            )

    async def close(self) -> None:
        """End it. Idempotent; within some seconds, whatever the server does."""
        self._closed = True
        connections = [self._connection]
        self._connection = None
        if (opening := self._opening) is not None:
            opening.cancel()
            await asyncio.wait([opening])
            if not opening.cancelled() and opening.exception() is None:
                connections.append(opening.result())
        for connection in connections:
            if connection is not None:
                await connection.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _list(self, connection: Connection) -> Listing:
        reader = ListingReader(self._source.tools)
        params: dict[str, Any] = {}
        while True:
            page = await self._send(connection, "tools/list", params, self._source.connect_s)
            if (cursor := reader.take(page)) is None:
                return reader.listing()
            params = {"cursor": cursor}

    async def _send(
        self,
        connection: Connection,
        method: str,
        params: dict[str, Any],
        within_s: float,
        *,
        under_way: Callable[[Request], None] = lambda _: None,
    ) -> Any:
        if meta := self._meta | params.get("_meta", {}):
            params = params | {"_meta": meta}
        request = Request(next(self._numbers), method, params, within_s)
        under_way(request)
        try:
            return await connection.request(request)
        except SessionGoneError:
            self._lose(connection)
            raise
        except asyncio.CancelledError:
            if request.sent and method == "tools/call" and not self._meta:
                told = {"requestId": request.number, "reason": "nobody waits for it any more"}
                self._own(connection.notify("notifications/cancelled", told))
            raise

    async def _connected(self) -> Connection:
        """A connection that works as far as is known. Raises `LostError`."""
        if self._closed:
            raise LostError("Headgate is stopping", "closed", **_NOT_ARRIVED)
        if self._connection is not None and not self._connection.broken:
            return self._connection
        if self._opening is None:
            if (wait_s := self._not_before_s - self._clock()) > 0:
                raise LostError(
                    f"{self._failed_for}; it is tried again in {wait_s:.1f} s",
                    "not_connected",
                    **_NOT_ARRIVED,
                )
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(self._opened)
        try:
            return await asyncio.shield(self._opening)
        except (LostError, RefusedError) as error:
            raise LostError(error.message, "not_connected", **_NOT_ARRIVED) from None

    def _opened(self, opening: asyncio.Task[Connection]) -> None:
        self._opening = None
        if opening.cancelled():
            return
        self._failures += 1  # until it has listed its tools
        error = opening.exception()
        if made := error is None:
            self._connection = opening.result()
        elif isinstance(error, LostError | RefusedError):
            self._failed_for = error.message
        if (in_vain := self._failures - made) > 0:
            pause_s = min(_FIRST_PAUSE_S * 2 ** min(in_vain - 1, 10), _PAUSE_AT_MOST_S)
            self._not_before_s = self._clock() + pause_s

    async def _open(self) -> Connection:
        if self._connection is not None:
            self._lose(self._connection)
        self._listing = None
        connection = self._made()
        try:
            async with asyncio.timeout(self._source.connect_s):
                await connection.open()
                await self._agree(connection)
        except BaseException as error:
            if self._closed:
                await connection.close()
            else:
                # A process may take seconds to end, for which nobody shall wait.
                self._own(connection.close())
            if isinstance(error, TimeoutError):
                raise LostError(
                    f"the server did not say within {self._source.connect_s:g} s what it can do",
                    "connect_timeout",
                    **_NOT_ARRIVED,
                ) from None
            raise
        return connection

    def _made(self) -> Connection:
        source = self._source
        limit_bytes = 2 * source.max_answer_bytes + _WIRE_EXTRA_BYTES
        if source.url is not None:
            return HttpConnection(
                source.url,
                source.headers,
                connect_s=source.connect_s,
                limit_bytes=limit_bytes,
                heard=self._heard,
            )
        return StdioConnection(
            source.command,
            source.environment,
            limit_bytes=limit_bytes,
            heard=self._heard,
            shows_errors=self._shows_errors,
        )

    async def _agree(self, connection: Connection) -> None:
        """Agree on a version of the protocol; nothing is offered to the server."""
        client = {"name": "headgate", "version": __version__}
        self._meta = {}
        params = {"protocolVersion": HANDSHAKES[0], "capabilities": {}, "clientInfo": client}
        try:
            told = await self._send(connection, "initialize", params, self._source.connect_s)
        except RefusedError as refused:
            await self._agree_without_handshake(connection, client, refused)
            return
        except SessionGoneError:
            raise unreadable() from None
        version = told.get("protocolVersion") if isinstance(told, dict) else None
        if version not in HANDSHAKES:
            raise LostError(
                "the server speaks no version of MCP that Headgate does",
                "version",
                **_NOT_ARRIVED,
            )
        connection.speak(version, stateless=False)
        await connection.notify("notifications/initialized", {})
        connection.listen()

    async def _agree_without_handshake(
        self, connection: Connection, client: dict[str, str], refused: RefusedError
    ) -> None:
        prefix = "io.modelcontextprotocol/"
        meta = {
            f"{prefix}protocolVersion": STATELESS,
            f"{prefix}clientInfo": client,
            f"{prefix}clientCapabilities": {},
        }
        connection.speak(STATELESS, stateless=True)
        try:
            told = await self._send(
                connection, "server/discover", {"_meta": meta}, self._source.connect_s
            )
        except (RefusedError, LostError, SessionGoneError):
            raise refused from None
        versions = told.get("supportedVersions") if isinstance(told, dict) else None
        if not isinstance(versions, list) or STATELESS not in versions:
            raise refused
        self._meta = meta

    def _heard(self, method: str) -> None:
        if method == _LIST_CHANGED:
            self._stale = True

    def _lose(self, connection: Connection) -> None:
        if self._connection is connection:
            self._connection = None
            self._listing = None
        self._own(connection.close())

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        if self._closed:
            work.close()
            return

        async def quietly() -> None:
            with contextlib.suppress(LostError, OSError, TimeoutError):
                async with asyncio.timeout(_TIDIES_WITHIN_S):
                    await work

        task = asyncio.create_task(quietly())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
