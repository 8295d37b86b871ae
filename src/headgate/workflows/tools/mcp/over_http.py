"""An MCP server over streamable HTTP: each request a POST, answered as JSON or as events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Mapping
from typing import Any
from urllib.parse import urlsplit

from headgate import __version__
from headgate.context.service import secrets_of, without_secrets
from headgate.gateway.upstream import (
    Origin,
    Timeouts,
    UpstreamClient,
    UpstreamError,
    UpstreamReply,
)
from headgate.workflows.tools.mcp.event_stream import EventSplitter, EventTooLargeError
from headgate.workflows.tools.mcp.wire import (
    Heard,
    LostError,
    RefusedError,
    Request,
    SessionGoneError,
    answer_to,
    decoded,
    is_answer,
    notification,
    result_of,
    too_large,
    unreadable,
)

_CONNECTIONS_AT_MOST = 128
_TASKS_AT_MOST = 16
"""Answers to a server's own requests that are under way; what comes beyond them is not answered."""
_NO_SESSION = -32000
"""With what servers on the TypeScript SDK, beside the 400, answer to a session they don't know."""
_SAYS_WITHIN_S = 5.0
_LEAVES_WITHIN_S = 1.0
_LISTENS_S = 3600.0
_PAUSE_AT_LEAST_S = 0.05
_PAUSE_S = 1.0
_PAUSE_AT_MOST_S = 60.0
_SESSION_ID_AT_MOST = 1024


class HttpConnection:
    """Requests to one address; no redirect is followed, since headers may be secrets.

    Nothing is sent twice: each request goes out on a connection of its own, which can't be stale.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        connect_s: float,
        limit_bytes: int,
        heard: Heard,
    ) -> None:
        """`url` and `headers` have been checked; `limit_bytes` is the largest message read."""
        parts = urlsplit(url)
        self._origin = Origin.parse(f"{parts.scheme}://{parts.netloc}")
        self._target = self._origin.target(
            (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        )
        self._headers = {name.lower(): value for name, value in headers.items()}
        self._secrets = secrets_of(headers)
        self._connect_s = connect_s
        self._limit_bytes = limit_bytes
        self._heard = heard
        self._client = UpstreamClient(max_connections_per_origin=_CONNECTIONS_AT_MOST)
        self._session_id: str | None = None
        self._version: str | None = None
        self._stateless = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def broken(self) -> bool:
        """Whether it is closed: a request that fails says nothing of the next."""
        return self._closed

    async def open(self) -> None:
        """Nothing: connections are made when they are needed."""

    def speak(self, version: str, *, stateless: bool) -> None:
        """Say `version` with each message; `stateless`, also which method and tool it is for."""
        self._version = version
        self._stateless = stateless

    def listen(self) -> None:
        """Hold a stream open on which a server that has sessions says that its tools changed."""
        if self._session_id is not None:
            self._own(self._listen())

    async def request(self, request: Request) -> Any:
        """The result. Raises `RefusedError`, `LostError` or `SessionGoneError`."""
        ends_at_s = asyncio.get_running_loop().time() + request.within_s
        try:
            reply = await self._post(request.encoded(), request.within_s, request)
            return await self._answer(reply, request, ends_at_s)
        except UpstreamError as error:
            raise _lost(error) from None
        except EventTooLargeError:
            raise too_large() from None

    async def notify(self, method: str, params: dict[str, Any]) -> None:
        """Tell the server something, within a few seconds."""
        await self._say(notification(method, params))

    async def close(self) -> None:
        """End the session, where there is one, and all connections."""
        if self._closed:
            return
        self._closed = True
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._session_id is not None:
            with contextlib.suppress(UpstreamError, TimeoutError):
                async with asyncio.timeout(_LEAVES_WITHIN_S):
                    reply = await self._send(b"DELETE", None, _LEAVES_WITHIN_S, {})
                    reply.abort()
        await self._client.close()

    async def _answer(self, reply: UpstreamReply, request: Request, ends_at_s: float) -> Any:
        if reply.status >= 300:
            await self._raise_for(reply)
        if request.method == "initialize":
            self._remember_session(reply)
        match _media_type(reply):
            case "application/json":
                message = self._decoded(await reply.read(self._limit_bytes))
                if message is None or not is_answer(message):
                    raise unreadable()
                return result_of(message)
            case "text/event-stream":
                return await self._from_events(reply, request, ends_at_s)
            case _:
                reply.abort()
                raise unreadable()

    async def _raise_for(self, reply: UpstreamReply) -> None:
        """What a status that is no answer means."""
        status = reply.status
        if status == 404 and self._session_id is not None:
            reply.abort()
            raise SessionGoneError
        if 400 <= status < 500 and _media_type(reply) == "application/json":
            message = self._decoded(await reply.read(self._limit_bytes))
            if message is not None and isinstance(message.get("error"), dict):
                self._refuse(message)
        reply.abort()
        hint = "; look at its `headers`" if status in (401, 403) else ""
        raise LostError(
            f"the server answered with status {status}{hint}",
            f"http_{status}",
            # A refusal, or a pointer elsewhere, is no work done; anything else may be.
            may_have_arrived=status >= 500 or status == 408,
        )

    def _refuse(self, message: dict[str, Any]) -> None:
        """Raise what a JSON-RPC error means that came with a 4xx: nothing was begun."""
        try:
            result_of(message)
        except RefusedError as refused:
            if refused.code == _NO_SESSION and self._session_id is not None:
                raise SessionGoneError from None
            refused.never_done = True
            raise

    def _remember_session(self, reply: UpstreamReply) -> None:
        told = reply.header(b"mcp-session-id")
        if told is None:
            return
        if len(told) > _SESSION_ID_AT_MOST or not all(0x21 <= byte <= 0x7E for byte in told):
            raise unreadable()
        self._session_id = told.decode("ascii")

    async def _from_events(self, reply: UpstreamReply, request: Request, ends_at_s: float) -> Any:
        """The answer out of a stream of events, fetched again from where it broke off.

        A server may end the stream before the answer and have the client ask for the rest; that
        repeats no work.
        """
        while True:
            last_id, pause_s = None, _PAUSE_S
            splitter = EventSplitter(self._limit_bytes)
            try:
                while chunk := await reply.next_chunk():
                    for event in splitter.feed(chunk):
                        last_id = event.id or last_id
                        if event.retry_ms is not None:
                            pause_s = event.retry_ms / 1000
                        message = self._decoded(event.data)
                        if message is None:
                            continue
                        if is_answer(message) and message.get("id") in (request.number, None):
                            return result_of(message)
                        self._take(message)
            except UpstreamError:
                if last_id is None:
                    raise
            finally:
                reply.abort()
            if last_id is None:
                raise _broken_off()
            await asyncio.sleep(max(pause_s, _PAUSE_AT_LEAST_S))
            left_s = ends_at_s - asyncio.get_running_loop().time()
            try:
                reply = await self._send(
                    b"GET", None, max(left_s, 0.001), {"last-event-id": _one_line(last_id)}
                )
            except UpstreamError:
                raise _broken_off() from None
            if reply.status != 200 or _media_type(reply) != "text/event-stream":
                reply.abort()
                raise _broken_off()

    async def _listen(self) -> None:
        pause_s = _PAUSE_S
        while True:
            with contextlib.suppress(UpstreamError, EventTooLargeError):
                reply = await self._send(b"GET", None, _LISTENS_S, {})
                try:
                    if reply.status in (404, 405):
                        return  # it has no such stream, or this session is over
                    if reply.status == 200 and _media_type(reply) == "text/event-stream":
                        # What was said while nobody listened is not said again.
                        self._heard("notifications/tools/list_changed")
                        splitter = EventSplitter(self._limit_bytes)
                        while chunk := await reply.next_chunk():
                            pause_s = _PAUSE_S
                            for event in splitter.feed(chunk):
                                if (message := self._decoded(event.data)) is not None:
                                    self._take(message)
                finally:
                    reply.abort()
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _PAUSE_AT_MOST_S)

    def _decoded(self, data: bytes) -> dict[str, Any] | None:
        return decoded(without_secrets(data, self._secrets))

    def _take(self, message: dict[str, Any]) -> None:
        if not is_answer(message) and (answer := answer_to(message, self._heard)) is not None:
            self._own(self._say(answer))

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        if self._closed or len(self._tasks) >= _TASKS_AT_MOST:
            work.close()
            return
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _say(self, message: bytes) -> None:
        with contextlib.suppress(UpstreamError):
            reply = await self._post(message, _SAYS_WITHIN_S, None)
            reply.abort()

    async def _post(self, body: bytes, within_s: float, request: Request | None) -> UpstreamReply:
        more = {"content-type": "application/json"}
        if self._stateless and request is not None:
            more["mcp-method"] = request.method
            if isinstance(name := request.params.get("name"), str):
                more["mcp-name"] = name
        return await self._send(b"POST", _Body(body, request), within_s, more)

    async def _send(
        self, method: bytes, body: _Body | None, within_s: float, more: dict[str, str]
    ) -> UpstreamReply:
        events = "text/event-stream"
        headers = {"user-agent": f"headgate/{__version__}"} | self._headers
        headers["accept"] = events if method == b"GET" else f"application/json, {events}"
        if self._version is not None:
            headers["mcp-protocol-version"] = self._version
        if self._session_id is not None:
            headers["mcp-session-id"] = self._session_id
        lines = "".join(f"{name}: {value}\r\n" for name, value in (headers | more).items())
        return await self._client.send_from(
            self._origin,
            method,
            self._target,
            lines.encode("ascii"),
            body or _Body(b"", None),
            Timeouts(
                connect_s=min(self._connect_s, within_s),
                first_byte_s=within_s,
                idle_s=within_s,
                total_s=within_s,
            ),
        )


class _Body:
    """A body that is there, and that writes down when it is taken; see `RequestBody`."""

    def __init__(self, content: bytes, request: Request | None) -> None:
        self.length_bytes: int | None = len(content)
        self._left = content
        self._request = request

    async def next_chunk(self) -> bytes:
        if self._request is not None:
            self._request.sent = True
        content, self._left = self._left, b""
        return content


def _lost(error: UpstreamError) -> LostError:
    if error.kind == "too_large":
        return too_large()
    return LostError(
        f"the server gave no whole answer ({error.kind})",
        error.kind,
        may_have_arrived=not error.safe_to_retry,
    )


def _broken_off() -> LostError:
    return LostError("the server's answer broke off", "cut", may_have_arrived=True)


def _media_type(reply: UpstreamReply) -> str:
    told = (reply.header(b"content-type") or b"").decode("latin-1")
    return told.partition(";")[0].strip().lower()


def _one_line(value: str) -> str:
    """An event's id as a header can carry it."""
    return "".join(character for character in value if " " <= character <= "~")
