"""An application that waits for its answer over HTTP: its body, its reply, its leaving.

Raw ASGI, because each layer above it costs a call more than the rest of Headgate does.
"""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from types import TracebackType
from typing import Any

from headgate.errors import (
    ClientGoneError,
    HeadgateError,
    InvalidRequestError,
    PayloadTooLargeError,
    UnsupportedMediaTypeError,
)
from headgate.gateway.call import Headers, LastWords, Refusal
from headgate.intake.http.errors import error_body, error_headers

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_WATCH_AFTER_S = 0.02
"""Most calls that end sooner have nobody leave; a task to watch each would cost a tenth of them."""

_DISCARDED_AT_MOST = 4
"""How many times the limit of an oversize body is read away, so that its sender hears the 413."""


class AsgiClient:
    """One HTTP request and the one who sent it."""

    __slots__ = ("_gzip_min_bytes", "_headers", "_receive", "_send", "gone")

    def __init__(
        self, headers: dict[bytes, bytes], receive: Receive, send: Send, gzip_min_bytes: int
    ) -> None:
        self._headers = headers
        self._receive = receive
        self._send = send
        self._gzip_min_bytes = gzip_min_bytes
        self.gone = False

    async def body(self, limit_bytes: int) -> bytes:
        """The request's body, decompressed.

        Raises `PayloadTooLargeError`, `UnsupportedMediaTypeError`, `InvalidRequestError` and, when
        the client leaves before it has sent all, `ClientGoneError`.
        """
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.gone = True
            raise ClientGoneError
        body: bytes = message.get("body", b"")
        if message.get("more_body", False) or len(body) > limit_bytes:
            body = await self._rest_of_body(message, limit_bytes)
        encoding = self._headers.get(b"content-encoding")
        if encoding is None or encoding == b"identity":
            return body
        return await asyncio.to_thread(_decompressed, body, encoding.strip().lower(), limit_bytes)

    async def _rest_of_body(self, message: Message, limit_bytes: int) -> bytes:
        parts: list[bytes] = []
        size_bytes = 0
        while True:
            part = message.get("body", b"")
            size_bytes += len(part)
            if size_bytes <= limit_bytes:
                parts.append(part)
            elif size_bytes > limit_bytes * _DISCARDED_AT_MOST:
                break
            if not message.get("more_body", False):
                break
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.gone = True
                raise ClientGoneError
        if size_bytes > limit_bytes:
            raise too_large(limit_bytes)
        return b"".join(parts)

    def watched(self) -> _Watch:
        """A context in which the running task is cancelled when the client leaves."""
        return _Watch(self)

    async def until_gone(self) -> None:
        """Wait until the client has closed the connection."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True

    async def begin(self, status: int, headers: Headers) -> None:
        """See `gateway.call.Client`."""
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, data: bytes) -> None:
        """See `gateway.call.Client`."""
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def finish(self, last: LastWords | Refusal) -> None:
        """See `gateway.call.Client`."""
        if isinstance(last, Refusal):
            last = _error_answer(last.error, last.headers)
        body = last.body
        if last.status:
            headers = last.headers
            if len(body) >= self._gzip_min_bytes and self._takes_gzip():
                body = await asyncio.to_thread(gzip.compress, body, 1, mtime=0)
                headers.append((b"content-encoding", b"gzip"))
                headers.append((b"vary", b"accept-encoding"))
            headers.append((b"content-length", b"%d" % len(body)))
            await self._send(
                {"type": "http.response.start", "status": last.status, "headers": headers}
            )
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    def _takes_gzip(self) -> bool:
        accepted = self._headers.get(b"accept-encoding", b"").lower()
        for part in accepted.split(b","):
            coding, _, parameters = part.partition(b";")
            if coding.strip() == b"gzip":
                return parameters.replace(b" ", b"") not in (b"q=0", b"q=0.0", b"q=0.00")
        return False


class _Watch:
    """Cancels the task that entered it when the client leaves; begins to look after a moment."""

    __slots__ = ("_client", "_task", "_timer", "_watcher")

    def __init__(self, client: AsgiClient) -> None:
        self._client = client
        self._watcher: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._task = asyncio.current_task(loop)
        self._timer = loop.call_later(_WATCH_AFTER_S, self._begin)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _at: TracebackType | None,
    ) -> bool:
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        if kind is asyncio.CancelledError and self._task is not None:
            # Either our own, or the server's that stops: in both cases the call has ended and who
            # could be told has been.
            self._task.uncancel()
            return True
        return False

    def _begin(self) -> None:
        self._watcher = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        await self._client.until_gone()
        if self._task is not None:
            self._task.cancel()


def _error_answer(error: HeadgateError, headers: Headers) -> LastWords:
    headers = [*headers, (b"content-type", b"application/json"), *error_headers(error)]
    return LastWords(error_body(error), error.status, headers)


def too_large(limit_bytes: int) -> PayloadTooLargeError:
    """The error for a body beyond `limit_bytes`."""
    return PayloadTooLargeError(
        f"The body is larger than {limit_bytes} bytes; send less, or have the operator raise"
        " server.max_body_bytes."
    )


def _decompressed(body: bytes, encoding: bytes, limit_bytes: int) -> bytes:
    """`body` without its gzip or deflate; a body that unpacks beyond the limit is refused."""
    if encoding in (b"gzip", b"x-gzip"):
        window = 16 + zlib.MAX_WBITS
    elif encoding == b"deflate":
        window = zlib.MAX_WBITS
    else:
        raise UnsupportedMediaTypeError(
            "The content-encoding of the body is not known; send it as gzip, deflate or plain."
        )
    unpacker = zlib.decompressobj(window)
    try:
        plain = unpacker.decompress(body, limit_bytes + 1)
    except zlib.error:
        raise InvalidRequestError(
            f"The body is not valid {encoding.decode()}.", code="invalid_encoding"
        ) from None
    if len(plain) > limit_bytes:
        raise too_large(limit_bytes)
    if not unpacker.eof or unpacker.unused_data:
        raise InvalidRequestError(
            f"The body is not one complete {encoding.decode()} stream.", code="invalid_encoding"
        )
    return plain
