"""uvicorn's HTTP protocol, with a short way in for requests and a short way out for replies.

ASGI sends a reply as messages, which uvicorn checks, joins and writes one by one: that costs a call
more than its key, its record and its price together. `/v1` writes through `Reply` instead, a head
and what follows it in one system call, takes a body that is there already without waiting for it,
and is told at once when its client leaves. What uvicorn does for each request though it is the same
for all of a connection, is done once: its address is read, its timer set. All else about a
connection stays uvicorn's: parsing, pipelining, flow control, the stop. But uvicorn waits for a
client for ever and takes a head of any size: here both have an end.

It reaches into uvicorn's request cycle, so pyproject.toml names the versions it was written for.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from headgate.errors import HeadgateError, HeadTooLargeError, InvalidRequestError
from headgate.intake.http.client_patience import ClientPatience, Seen
from headgate.intake.http.errors import error_body
from headgate.intake.http.reply import REPLY, Reply
from headgate.storage.identifiers import new_id

MAX_HEAD_BYTES: Final = 64 * 1024
"""How much may come of a request's head after its first piece, which is 256 KiB at most."""


class _News:
    """What `asyncio.Event` is to uvicorn's cycle; it costs nothing until somebody waits."""

    __slots__ = ("_event", "_is_set")

    def __init__(self) -> None:
        self._is_set = False
        self._event: asyncio.Event | None = None

    def set(self) -> None:
        self._is_set = True
        if self._event is not None:
            self._event.set()

    def clear(self) -> None:
        self._is_set = False
        if self._event is not None:
            self._event.clear()

    async def wait(self) -> None:
        if self._is_set:
            return
        if self._event is None:
            self._event = asyncio.Event()
        await self._event.wait()


class ServerProtocol(HttpToolsProtocol):
    """What uvicorn runs for each connection."""

    _reply: Reply | None = None
    """The reply to the request that is being answered: the first of several in a pipeline."""

    _known_url = b""
    """The address of the request before, and its path in three forms: most ask for one address."""
    _known_path = "", b"", b""

    _idle_since_s: float | None = None
    """Since when nothing is asked; None: something is."""

    _in_head = False
    """Whether the head of a request has begun and not ended."""

    _head_bytes = 0
    _requests = 0
    _hold_ups = 0

    def __init__(self, *given: Any, client_idle_s: float = 60.0, **named: Any) -> None:
        """`client_idle_s` is how long a client may keep it waiting; the rest is uvicorn's."""
        super().__init__(*given, **named)
        self._patience = ClientPatience(client_idle_s)
        self._look_every_s = min(self.timeout_keep_alive, client_idle_s / 2)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See uvicorn."""
        super().connection_made(transport)
        self._idle_since_s = self.loop.time()
        self._look_again()

    def data_received(self, data: bytes) -> None:
        """See uvicorn."""
        goes_on = self._in_head
        super().data_received(data)
        if goes_on and self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(HeadTooLargeError())

    def send_400_response(self, msg: str) -> None:
        """See uvicorn, which would send plain text."""
        del msg
        self._refuse(
            InvalidRequestError(
                "The request can't be read: it is not HTTP/1.1.", code="invalid_http"
            )
        )

    def _refuse(self, error: HeadgateError) -> None:
        """Answer what is no request with `error`, and hear nothing more of its sender."""
        self._in_head = False
        if self._reply is not None and self._reply.begun:
            # In the middle of a reply an answer would be taken for a part of it.
            self.transport.abort()
            return
        body = error_body(error)
        headers = [
            *self.server_state.default_headers,
            (b"x-request-id", new_id("req").encode()),
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        head = b"\r\n".join(map(b": ".join, headers))
        self.transport.write(b"%b%b\r\n\r\n%b" % (STATUS_LINE[error.status], head, body))
        self.transport.close()

    def pause_writing(self) -> None:
        """See uvicorn."""
        self._hold_ups += 1
        super().pause_writing()

    def shutdown(self) -> None:
        """See uvicorn."""
        if self._reply is not None:
            self._reply.stopping = True
        super().shutdown()

    def on_message_begin(self) -> None:
        """See uvicorn; the scope is made when the head is complete."""
        self.url = b""
        self.expect_100_continue = False
        self.headers = []
        self._in_head = True
        self._head_bytes = 0
        self._requests += 1

    def on_header(self, name: bytes, value: bytes) -> None:
        """See uvicorn, which takes what follows a body in chunks for headers, too."""
        if self._in_head:
            name = name.lower()
            if name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """See uvicorn, of which this is the part for requests that ask for no upgrade."""
        self._in_head = False
        parser = self.parser
        http_version = parser.get_http_version()
        self.scope = {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": http_version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,  # type: ignore[typeddict-item]
            "method": parser.get_method().decode("ascii"),
            "root_path": self.root_path,
            "headers": self.headers,
            "state": self.app_state.copy(),
        }
        if parser.should_upgrade() or self.limit_concurrency is not None:
            super().on_headers_complete()
            return
        if self.url != self._known_url:
            self._read_address()
        scope = self.scope
        scope["path"], scope["raw_path"], scope["query_string"] = self._known_path
        before: RequestResponseCycle | None = self.cycle
        self.cycle = RequestResponseCycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=_News(),  # type: ignore[arg-type]
            expect_100_continue=self.expect_100_continue,
            keep_alive=http_version != "1.0" and parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _read_address(self) -> None:
        parsed = httptools.parse_url(self.url)
        path = parsed.path.decode("ascii")
        if "%" in path:
            path = unquote(path)
        raw_path = self.root_path.encode("ascii") + parsed.path
        self._known_path = self.root_path + path, raw_path, parsed.query or b""
        self._known_url = self.url

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """See uvicorn."""
        self._reply = reply = Reply(cycle)
        cycle.scope["extensions"] = {REPLY: reply}  # type: ignore[dict-item]
        reply.task = task = self.loop.create_task(self._answer(cycle, app, reply))
        self.tasks.add(task)

    async def _answer(self, cycle: RequestResponseCycle, app: Any, reply: Reply) -> None:
        try:
            await cycle.run_asgi(app)
        finally:
            # Here and not in a callback of the task's, which costs another turn of the loop.
            if reply.task is not None:
                self.tasks.discard(reply.task)
            reply.task = None

    def on_response_complete(self) -> None:
        """See uvicorn."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
            return
        self._idle_since_s = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_again()

    def _unset_keepalive_if_required(self) -> None:
        """See uvicorn; the timer runs on and finds at its end that there is nothing to do."""
        self._idle_since_s = None

    def _look_again(self, after_s: float | None = None) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            self._look_every_s if after_s is None else after_s, self.timeout_keep_alive_handler
        )

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that has been idle for long enough, or whose client keeps it waiting.

        One timer runs on for a connection instead of one a request, which takes 2 µs to set and
        to cancel.
        """
        self.timeout_keep_alive_task = None
        transport, since_s, now_s = self.transport, self._idle_since_s, self.loop.time()
        after_s = self._look_every_s
        if since_s is not None and not transport.is_closing():
            left_s = since_s + self.timeout_keep_alive - now_s
            after_s = min(after_s, left_s)
            if left_s <= 0:
                # What the client has not taken yet of a reply may still go out.
                transport.close()
                after_s = self._look_every_s
        if self._patience.is_over(self._seen(), now_s):
            transport.abort()
        else:
            self._look_again(after_s)

    def _seen(self) -> Seen:
        return Seen(
            requests=self._requests,
            in_head=self._in_head,
            answering=self._reply is not None and self._reply.task is not None,
            unsent_bytes=self.transport.get_write_buffer_size(),
            held_up=self.flow.write_paused,
            hold_ups=self._hold_ups,
        )

    def _should_upgrade(self) -> bool:
        """See uvicorn; a websocket begins with GET, and other requests are answered as they are."""
        return self.parser.get_method() == b"GET" and super()._should_upgrade()

    def handle_websocket_upgrade(self) -> None:
        """See uvicorn; the connection is another protocol's from here on."""
        self._stop_looking()
        super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        """See uvicorn."""
        self._stop_looking()
        super().connection_lost(exc)
        if self._reply is not None:
            self._reply.left()
            self._reply = None

    def _stop_looking(self) -> None:
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None
