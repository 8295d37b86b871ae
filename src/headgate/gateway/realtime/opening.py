"""One attempt to open a realtime session: a handshake, and the provider's first event.

It stands where `gateway.attempt` stands for calls over HTTP, so that keys, breakers, retries and
the ladder of targets are those of every call.
"""

from __future__ import annotations

import asyncio
from typing import cast

import msgspec

from headgate.errors import HeadgateError
from headgate.gateway.attempts.attempt import (
    STREAM_FAILURES,
    Answer,
    Failed,
    Whole,
    broken,
    refused,
    without_secret,
)
from headgate.gateway.call import Call
from headgate.gateway.deadline import Deadline
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.keys.pool import ProviderKey
from headgate.gateway.realtime.events import ServerEvent, read_server_event
from headgate.gateway.request import Request
from headgate.gateway.retries.policy import Failure
from headgate.gateway.target import Target
from headgate.gateway.upstream import UpstreamError, UpstreamReply
from headgate.gateway.upstream.websocket import (
    Handshake,
    HandshakeRefused,
    UpstreamSocket,
    open_websocket,
)

_LEAST_S = 0.01


class Opened(Whole, frozen=True):
    """A session that has begun; `body` is the provider's first event."""

    socket: UpstreamSocket | None = None


class SessionOpener:
    """Opens sessions."""

    def __init__(self, *, max_message_bytes: int, max_waiting_messages: int) -> None:
        self._max_message_bytes = max_message_bytes
        self._max_waiting_messages = max_waiting_messages

    async def __call__(
        self,
        call: Call,
        request: Request,
        target: Target,
        key: ProviderKey,
        deadline: Deadline,
        *,
        began_s: float,
        traceparent: bytes = b"",
        **_: object,
    ) -> Answer | Failed:
        """Ask `target` by `key`, now; see `gateway.attempt.attempt`. Nobody looks on meanwhile."""
        provider = target.provider
        left_s = max(deadline.begin_by_s - began_s, _LEAST_S)
        timeouts = provider.quick
        try:
            path = provider.dialect.realtime_path(target.model, _query(request))
            if provider.tokens is not None:
                call.provider_key = key = await provider.let_in(key)
        except HeadgateError as error:
            return Failed(Failure(ours=True, timed_out=True), error)
        proxy, tls = provider.upstream.way_to(provider.origin)
        try:
            socket = await open_websocket(
                provider.origin,
                path,
                key.bare_headers + call.forwarded + traceparent,
                proxy=proxy,
                tls=tls,
                max_message_bytes=self._max_message_bytes,
                max_waiting=self._max_waiting_messages,
                connect_s=min(timeouts.connect_s, left_s),
                answer_s=min(timeouts.first_byte_s, left_s),
            )
        except HandshakeRefused as no:
            answer = no.handshake
            body = without_secret(answer.body, key.secret)
            return refused(_as_reply(answer), body, provider.name, key.name)
        except UpstreamError as error:
            return broken(error, provider.name)
        return await _begun(socket, key, provider.name, min(timeouts.first_byte_s, left_s))


async def _begun(
    socket: UpstreamSocket, key: ProviderKey, provider: str, within_s: float
) -> Answer | Failed:
    """What the first event makes of a session; it is closed where that makes nothing of it."""
    reply = _as_reply(socket.handshake)
    try:
        async with asyncio.timeout(within_s):
            first = without_secret(await socket.receive(), key.secret)
        event = read_server_event(first)
    except TimeoutError:
        await socket.close()
        return broken(UpstreamError("first_byte_timeout", "no first event came"), provider)
    except UpstreamError as error:
        await socket.close()
        return broken(error, provider)
    except UNREADABLE:
        await socket.close()
        return broken(UpstreamError("protocol", "the first event is no event"), provider)
    except BaseException:
        await socket.close()
        raise
    if event.type == "error":
        await socket.close()
        return _failed(event, first, reply)
    return Opened(reply, first, None, socket)


def _failed(event: ServerEvent, first: bytes, reply: UpstreamReply) -> Failed:
    """A session that begins with an error."""
    code = event.error.code if event.error is not None else None
    status = STREAM_FAILURES.get(code or "", 400)
    shown = msgspec.json.decode(first).get("error")
    told = Handshake(status, reply.headers)
    whole = Whole(_as_reply(told), msgspec.json.encode({"error": shown}))
    return Failed(Failure(status=status, code=code), whole, reply)


def _as_reply(handshake: Handshake) -> UpstreamReply:
    """What is asked of a reply once it has come whole is its status and its headers."""
    return cast("UpstreamReply", handshake)


def _query(request: Request) -> bytes:
    raw = request.fields.get("query")
    return b"" if raw is None else msgspec.json.decode(raw, type=str).encode("ascii")
