"""An application that waits for its answer over HTTP: its body, its reply, its leaving.

Beneath ASGI, because each layer above costs a call more than the rest of Headgate does.
"""

from __future__ import annotations

import asyncio
import gzip
from types import TracebackType
from typing import Self

from headgate.errors import HeadgateError
from headgate.gateway.call import Headers, LastWords, Refusal
from headgate.intake.http.errors import error_body, error_headers
from headgate.intake.http.reply import Reply
from headgate.intake.http.request_body import Receive, decoded, read_body, too_large


class HttpClient:
    """One HTTP request and the one who sent it."""

    __slots__ = ("_gzip_min_bytes", "_headers", "_receive", "_reply", "_task")

    def __init__(
        self, headers: dict[bytes, bytes], receive: Receive, reply: Reply, gzip_min_bytes: int
    ) -> None:
        self._headers = headers
        self._receive = receive
        self._reply = reply
        self._gzip_min_bytes = gzip_min_bytes
        self._task: asyncio.Task[None] | None = None

    @property
    def gone(self) -> bool:
        """See `gateway.call.Client`."""
        return self._reply.gone

    async def body(self, limit_bytes: int, idle_s: float) -> bytes:
        """The request's body; see `read_body` for what it raises."""
        encoding = self._headers.get(b"content-encoding")
        body = self._reply.body_at_hand()
        if body is None:
            return await read_body(self._receive, encoding, limit_bytes, idle_s)
        if len(body) > limit_bytes:
            raise too_large(limit_bytes)
        return body if encoding is None else await decoded(body, encoding, limit_bytes)

    def watched(self) -> Self:
        """A context in which the running task is cancelled when the client leaves."""
        return self

    def __enter__(self) -> None:
        self._task = self._reply.task
        self._reply.on_gone = self._leave
        if self._reply.gone:
            self._leave()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _at: TracebackType | None,
    ) -> bool:
        self._reply.on_gone = None
        task, self._task = self._task, None
        if kind is asyncio.CancelledError and task is not None:
            # Either our own, or the server's that stops: in both cases the call has ended and who
            # could be told has been.
            task.uncancel()
            return True
        return False

    async def begin(self, status: int, headers: Headers) -> None:
        """See `gateway.call.Client`."""
        self._reply.begin(status, headers)

    async def write(self, data: bytes) -> None:
        """See `gateway.call.Client`."""
        await self._reply.piece(data)

    async def finish(self, last: LastWords | Refusal) -> None:
        """See `gateway.call.Client`."""
        if isinstance(last, Refusal):
            last = _error_answer(last.error, last.headers)
        body = last.body
        if last.cut:
            self._reply.cut()
            return
        if not last.status:
            await self._reply.end(body)
            return
        headers = last.headers
        if len(body) >= self._gzip_min_bytes and self._takes_gzip():
            body = await asyncio.to_thread(gzip.compress, body, 1, mtime=0)
            headers.append((b"content-encoding", b"gzip"))
            headers.append((b"vary", b"accept-encoding"))
        await self._reply.whole(last.status, headers, body)

    def _leave(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _takes_gzip(self) -> bool:
        accepted = self._headers.get(b"accept-encoding", b"").lower()
        for part in accepted.split(b","):
            coding, _, parameters = part.partition(b";")
            if coding.strip() == b"gzip":
                return parameters.replace(b" ", b"") not in (b"q=0", b"q=0.0", b"q=0.00")
        return False


def _error_answer(error: HeadgateError, headers: Headers) -> LastWords:
    headers = [*headers, (b"content-type", b"application/json"), *error_headers(error)]
    return LastWords(error_body(error), error.status, headers)
