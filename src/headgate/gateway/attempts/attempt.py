"""One attempt: ask one target once, and say how that ended.

An answer that has come whole, a stream whose first events are here, or a failure with what the
client is to be told if nothing else is tried.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from math import inf

import msgspec

from headgate.errors import HeadgateError, UpstreamFailedError
from headgate.gateway.call import Call
from headgate.gateway.deadline import Deadline
from headgate.gateway.dialects import Outgoing
from headgate.gateway.endpoints import StreamReader, Usage
from headgate.gateway.endpoints.chat import error_told, failure_code
from headgate.gateway.endpoints.endpoint import UNREADABLE, StreamRefused
from headgate.gateway.keys.pool import ProviderKey
from headgate.gateway.provider import Provider
from headgate.gateway.provider_failures import (
    LATE_S,
    broken_error,
    refused_key_error,
    too_late_error,
)
from headgate.gateway.request import Request
from headgate.gateway.retries.hints import asked_pause_s
from headgate.gateway.retries.policy import Failure
from headgate.gateway.target import Target
from headgate.gateway.upstream import Look, Timeouts, UpstreamError, UpstreamReply

MAX_REPLY_BYTES = 64 * 1024 * 1024
"""Largest whole reply that is held in memory on its way."""

_LEAST_S = 0.01

_HOLD_S = 1.0
_HOLD_BYTES = 64 * 1024
"""How long, and how much of, a stream is held back after its first event for its first content."""

STREAM_FAILURES = {
    "server_error": 500,
    "internal_error": 500,
    "internal_server_error": 500,
    "response_failed": 500,
    "upstream_stream_error": 502,
    "service_unavailable": 503,
    "overloaded": 529,
    "overloaded_error": 529,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "context_length_exceeded": 400,
}
"""Errors with which a stream may begin, and the statuses that they would be as whole replies."""


_CHARGED = frozenset(
    {"first_byte_timeout", "idle_timeout", "total_timeout", "attempt_timeout", "cut", "too_large"}
)
"""Ends on the wire at which the provider was at work, or had answered in part."""


class Whole(msgspec.Struct, frozen=True):
    """A reply that has arrived in one piece."""

    reply: UpstreamReply
    body: bytes
    usage: Usage | None = None
    """None for an error's reply."""


class Flowing(msgspec.Struct, frozen=True):
    """A stream that has begun; `first` is what the client may see of its first events."""

    reply: UpstreamReply
    reader: StreamReader
    first: bytes


Answer = Whole | Flowing


class Failed(msgspec.Struct, frozen=True):
    """An attempt that can't be handed to the client as success."""

    failure: Failure
    remains: Answer | HeadgateError
    """What the client is given if nothing else is tried."""
    reply: UpstreamReply | None = None
    """The provider's, if it answered."""
    may_be_charged: bool = False
    """Whether it was sent and then broken off, by us or by the provider in the middle of it, or
    answered with what can't be read."""

    @property
    def status(self) -> int | None:
        """What the provider answered, if it did."""
        return None if self.reply is None else self.reply.status

    @property
    def error_class(self) -> str:
        """The failure's code as the ledger keeps it."""
        if isinstance(self.remains, HeadgateError):
            return (self.remains.code or self.remains.type)[:64]
        if isinstance(self.remains, Flowing):
            return self.remains.reader.failure or "upstream_stream_error"
        return failure_code(self.remains.body)


async def attempt(
    call: Call,
    request: Request,
    target: Target,
    key: ProviderKey,
    deadline: Deadline,
    *,
    began_s: float,
    traceparent: bytes = b"",
    look: Look | None = None,
    look_after_s: float = inf,
) -> Answer | Failed:
    """Ask `target` by `key`, now, at `began_s`; `look` may give it up.

    `traceparent` is a header line that the provider is sent, or empty. Raises only faults of ours
    and when cancelled.
    """
    provider = target.provider
    timeouts = provider.timeouts(request.endpoint, streamed=request.streamed)
    left_s = deadline.begin_by_s - began_s
    if left_s < timeouts.total_s - _LEAST_S:
        left_s = max(left_s, _LEAST_S)
        timeouts = _within(timeouts, left_s, max(deadline.end_by_s - began_s, _LEAST_S))
    if look is not None:
        timeouts = _looked_at(timeouts, look, look_after_s)
    if request.streamed:
        request.ask_for_usage(understood=provider.stream_usage)
    try:
        outgoing = provider.dialect.outgoing(request, target.model)
        own_key = key
        if provider.tokens is not None:
            call.provider_key = key = await provider.let_in(key)
    except HeadgateError as error:
        # It can't be said to this target, or there is no token to say it with.
        return Failed(Failure(ours=True, timed_out=True), error)
    try:
        reply = await _sent(provider, key, call.forwarded + traceparent, outgoing, timeouts)
        if reply.status == 401 and provider.may_ask_again(key):
            reply.abort()
            return await attempt(
                call,
                request,
                target,
                own_key,
                deadline,
                began_s=time.monotonic(),
                traceparent=traceparent,
                look=look,
                look_after_s=look_after_s,
            )
        if provider.dialect.translates:
            reply.add_headers(provider.dialect.limits(reply.headers))
        if request.streamed and reply.status == 200 and _flows(request, reply):
            reader = provider.dialect.stream_reader(request)
            if deadline.of_client and left_s < timeouts.first_byte_s + timeouts.idle_s:
                return _judged(await _begin_by(reader, reply, deadline))
            return _judged(await _begin(reader, reply))
        body = await reply.read(MAX_REPLY_BYTES)
    except UpstreamError as error:
        if deadline.of_client and error.kind.endswith("timeout"):
            too_late = time.monotonic() > deadline.begin_by_s - LATE_S
            if too_late and error.kind not in ("pool_timeout", "attempt_timeout"):
                return Failed(
                    Failure(timed_out=True, hasty=True),
                    too_late_error(provider.name),
                    may_be_charged=error.kind in _CHARGED,
                )
        return broken(error, provider.name)
    except StreamRefused as error:
        failure = Failure(status=error.status, code=error.code)
        return Failed(failure, UpstreamFailedError(str(error), code=error.code), reply)
    except ValueError as error:
        return _malformed(provider.name, str(error))
    try:
        body = provider.dialect.answer(request, reply.status, without_secret(body, key.secret))
        if reply.status == 200:
            usage = request.endpoint.usage(body)
            if usage.model is None and (code := error_told(body)) is not None:
                return _erroneous(provider.name, code, reply)
            return Whole(reply, body, usage)
    except UNREADABLE:
        return _malformed(provider.name, "its reply is not JSON that can be read", reply)
    return refused(reply, body, provider.name, key.name)


def _within(timeouts: Timeouts, begin_s: float, end_s: float) -> Timeouts:
    """`timeouts` cut to what is left of the call's time."""
    return Timeouts(
        min(timeouts.connect_s, begin_s),
        min(timeouts.first_byte_s, begin_s),
        timeouts.idle_s,
        min(timeouts.total_s, end_s),
    )


def _looked_at(timeouts: Timeouts, look: Look, look_after_s: float) -> Timeouts:
    """`timeouts`, with `look` asked in between."""
    return Timeouts(
        timeouts.connect_s,
        timeouts.first_byte_s,
        timeouts.idle_s,
        timeouts.total_s,
        look_after_s,
        look,
    )


def without_secret(data: bytes, secret: bytes | None) -> bytes:
    """`data`, a reply or whole events of one, without the provider's key should it quote that."""
    if secret is not None and secret in data:
        return data.replace(secret, b"[redacted]")
    return data


def _sent(
    provider: Provider,
    key: ProviderKey,
    forwarded: bytes,
    outgoing: Outgoing,
    timeouts: Timeouts,
) -> Awaitable[UpstreamReply]:
    """The head of the reply to a request, which is in memory or, a form, comes as it is read."""
    body, upstream = outgoing.body, provider.upstream
    if isinstance(body, bytes):
        headers = key.headers + forwarded if forwarded else key.headers
        return upstream.send(provider.origin, b"POST", outgoing.target, headers, body, timeouts)
    headers = key.bare_headers + b"content-type: %b\r\n" % outgoing.content_type + forwarded
    return upstream.send_from(provider.origin, b"POST", outgoing.target, headers, body, timeouts)


def _flows(request: Request, reply: UpstreamReply) -> bool:
    return request.endpoint.flows((reply.header(b"content-type") or b"").lower())


async def _begin(reader: StreamReader, reply: UpstreamReply) -> Flowing:
    """Wait for the first content, so that a stream that breaks before it may be tried again.

    Not for longer than `_HOLD_S` after the first event: a model that thinks for minutes says so in
    events that have no content, and its client should see them.
    """
    first = b""
    try:
        while True:
            data = await (reply.next_chunk_within(_HOLD_S) if first else reply.next_chunk())
            if data is None:
                return Flowing(reply, reader, first)
            if not data:
                raise UpstreamError("cut", "the stream ended before its first content")
            first += reader.feed(data)
            begun = reader.first_token_seen or reader.finished or reader.failure is not None
            if begun or len(first) > _HOLD_BYTES:
                return Flowing(reply, reader, first)
    except BaseException:
        reply.abort()
        raise


def _judged(flowing: Flowing) -> Flowing | Failed:
    """A stream that has begun; a failure where it begins with an error that may pass."""
    reader = flowing.reader
    if reader.failure is None or reader.first_token_seen:
        return flowing
    status = STREAM_FAILURES.get(reader.failure)
    if status is None:
        return flowing
    return Failed(Failure(status=status, code=reader.failure), flowing, flowing.reply)


async def _begin_by(reader: StreamReader, reply: UpstreamReply, deadline: Deadline) -> Flowing:
    """As `_begin`, within the time that the client gives."""
    try:
        async with asyncio.timeout(max(deadline.begin_by_s - time.monotonic(), _LEAST_S)):
            return await _begin(reader, reply)
    except TimeoutError:
        raise UpstreamError("first_byte_timeout", "no event came in the client's time") from None


def broken(error: UpstreamError, provider: str) -> Failed:
    """An attempt that got no complete answer."""
    failure = Failure(
        timed_out=error.kind.endswith("timeout") or error.kind == "too_large",
        ours=error.kind in ("pool_timeout", "too_large"),
    )
    return Failed(failure, broken_error(error, provider), may_be_charged=error.kind in _CHARGED)


def _malformed(provider: str, what: str, reply: UpstreamReply | None = None) -> Failed:
    error = UpstreamFailedError(
        f"The provider `{provider}` sent something other than its API promises: {what}.",
        code="upstream_malformed_reply",
    )
    # Who answers 200 has done the work, and may charge for it however the answer came out.
    may_be_charged = reply is None or reply.status == 200
    return Failed(Failure(status=502), error, reply, may_be_charged=may_be_charged)


def _erroneous(provider: str, code: str, reply: UpstreamReply) -> Failed:
    """An attempt that was answered 200 with nothing but an error, which no SDK would raise."""
    status = int(code) if code.isdigit() and 400 <= int(code) < 600 else None
    failure = Failure(status=status or STREAM_FAILURES.get(code, 502), code=code)
    error = UpstreamFailedError(
        f"The provider `{provider}` answered 200 with an error ({code}) in place of an answer.",
        code=code,
    )
    return Failed(failure, error, reply, may_be_charged=True)


def refused(reply: UpstreamReply, body: bytes, provider: str, key: str | None) -> Failed:
    """An attempt, by the key of this name, that was answered with an error status."""
    is_json = body.lstrip()[:1] == b"{"
    failure = Failure(
        status=reply.status,
        code=failure_code(body) if is_json else None,
        retry_after_s=asked_pause_s(reply.header, status=reply.status, now_s=time.time()),
    )
    if reply.status in (401, 407):
        # The provider's own words quote parts of the key.
        return Failed(failure, refused_key_error(provider, key), reply)
    if is_json and reply.status >= 400:
        return Failed(failure, Whole(reply, body), reply)
    error = UpstreamFailedError(
        f"The provider `{provider}` answered {reply.status} with something other than JSON."
    )
    if reply.status < 400:
        return Failed(failure, error, reply)
    whole = Whole(reply, msgspec.json.encode({"error": error.as_object()}))
    return Failed(failure, whole, reply)
