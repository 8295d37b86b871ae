"""The one who waits for a response at the other end of a websocket: events become messages.

The way of a call is that of HTTP: what `gateway` writes as server-sent events goes out as one
message an event, and a refusal as an `error` event, which leaves the socket open.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.errors import HeadgateError
from headgate.gateway.call import Headers, LastWords, Refusal
from headgate.gateway.endpoints.endpoint import UNREADABLE, data_of, events_of
from headgate.gateway.responses_chain import ResponsesChain
from headgate.intake.http.errors import error_headers
from headgate.intake.sockets.client_socket import ClientSocket

_TOLD = frozenset(
    {b"retry-after", b"retry-after-ms", b"x-should-retry", b"x-request-id", b"x-headgate-call-id"}
)
"""Headers that an error's event tells too."""

_ENDINGS = (b'"response.completed"', b'"response.incomplete"')


class ResponsesClient:
    """One response on its way to one websocket."""

    def __init__(
        self, socket: ClientSocket, chain: ResponsesChain, *, lane: msgspec.Raw | None = None
    ) -> None:
        """`lane` is the `stream_id` that every event of the response is to carry."""
        self._socket = socket
        self._chain = chain
        self._lane = b"" if lane is None else b'"stream_id":%b,' % bytes(lane)

    @property
    def gone(self) -> bool:
        """See `gateway.call.Client`."""
        return self._socket.gone

    async def begin(self, status: int, headers: Headers) -> None:
        """See `gateway.call.Client`; a message has no head."""

    async def write(self, data: bytes) -> None:
        """See `gateway.call.Client`; `data` are whole events."""
        for event in events_of(data):
            message = data_of(event)
            if message and message != b"[DONE]":
                await self._tell(message)

    async def finish(self, last: LastWords | Refusal) -> None:
        """See `gateway.call.Client`."""
        if isinstance(last, Refusal):
            headers = [*last.headers, *error_headers(last.error)]
            await self._tell(error_message(last.error, headers))
        elif last.cut:
            await self._socket.close(1011, "the response broke off")
        elif last.status == 0:
            await self.write(last.body)
        elif last.status == 200:
            # A provider that answered in one piece, though it was asked to stream.
            await self._tell(
                b'{"type":"response.completed","sequence_number":0,"response":%b}' % last.body
            )
        else:
            await self._tell(_as_event(last.status, _error_of(last.body), last.headers))

    async def _tell(self, message: bytes) -> None:
        if any(ending in message for ending in _ENDINGS):
            self._chain.note(message)
        if self._lane:
            message = b"{" + self._lane + message[1:]
        await self._socket.send(message)


def error_message(error: HeadgateError, headers: Headers) -> bytes:
    """The `error` event that tells of `error`."""
    return _as_event(error.status, error.as_object(), headers)


def _as_event(status: int, error: object, headers: Headers) -> bytes:
    told = {name.decode(): value.decode("latin-1") for name, value in headers if name in _TOLD}
    shown = {**error, "headers": told} if isinstance(error, dict) else error
    return msgspec.json.encode({"type": "error", "status": status, "error": shown})


def _error_of(body: bytes) -> Any:
    """What stands under `error` in a provider's answer."""
    try:
        found = msgspec.json.decode(body)
    except UNREADABLE:
        found = None
    if isinstance(found, dict) and isinstance(found.get("error"), dict):
        return found["error"]
    unknown = HeadgateError("The provider answered with an error that can't be read.")
    return {**unknown.as_object(), "type": "upstream_error", "code": "upstream_failed"}
