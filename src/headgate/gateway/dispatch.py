"""The attempts of a call: each target in order, each tried as the retry policy says.

What comes out is one answer for the client, a reply or a stream that has begun, or the failure
that remains when there is nothing left to try.
"""

from __future__ import annotations

import asyncio
import time
from random import random

import msgspec

from headgate.errors import (
    HeadgateError,
    UnavailableError,
    UpstreamFailedError,
    UpstreamRefusedKeyError,
    UpstreamTimeoutError,
)
from headgate.gateway.call import Call
from headgate.gateway.endpoints import StreamReader, Usage
from headgate.gateway.endpoints.chat import failure_code
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.request import Request
from headgate.gateway.retry import Again, Failure, Next, RetryPolicy, retry_after_s
from headgate.gateway.routing import Routing, Target
from headgate.gateway.upstream import Timeouts, UpstreamError, UpstreamReply

MAX_REPLY_BYTES = 64 * 1024 * 1024
"""Largest whole reply that is held in memory on its way."""


class Whole(msgspec.Struct, frozen=True):
    """A reply that has arrived in one piece."""

    reply: UpstreamReply
    body: bytes
    usage: Usage | None = None
    """None for an error's reply."""


class Flowing(msgspec.Struct, frozen=True):
    """A stream whose first events are here; `first` is what the client may see of them."""

    reply: UpstreamReply
    reader: StreamReader
    first: bytes


Answer = Whole | Flowing


class _Failed(msgspec.Struct, frozen=True):
    failure: Failure
    remains: Whole | HeadgateError
    """What the client is given if nothing else is tried."""


class Dispatcher:
    """Makes the attempts of calls."""

    def __init__(self, routing: Routing, policy: RetryPolicy) -> None:
        self.routing = routing
        self._policy = policy

    async def dispatch(self, call: Call, request: Request, targets: tuple[Target, ...]) -> Answer:
        """The answer to `request`. Raises what remains when every attempt has failed."""
        record = call.record
        first = targets[0]
        total_s = first.provider.timeouts(request.endpoint, streamed=request.streamed).total_s
        deadline_s = time.monotonic() + total_s
        index = attempts = 0
        while True:
            target = targets[index]
            attempts += 1
            call.target = target
            record.attempts += 1
            record.provider = target.provider.name
            record.simulated = target.provider.simulated
            remaining_s = deadline_s - time.monotonic()
            outcome = await self._attempt(call, request, target, remaining_s)
            if not isinstance(outcome, _Failed):
                return outcome
            decision = self._policy.decide(
                outcome.failure,
                attempts=attempts,
                more_targets=index + 1 < len(targets),
                remaining_s=deadline_s - time.monotonic(),
                jitter=random(),  # noqa: S311 - spreads retries, guards nothing
            )
            match decision:
                case Again(delay_s):
                    await asyncio.sleep(delay_s)
                case Next():
                    index, attempts = index + 1, 0
                case _:
                    if isinstance(outcome.remains, HeadgateError):
                        raise outcome.remains
                    return outcome.remains

    async def _attempt(
        self, call: Call, request: Request, target: Target, remaining_s: float
    ) -> Answer | _Failed:
        provider = target.provider
        timeouts = provider.timeouts(request.endpoint, streamed=request.streamed)
        if remaining_s < timeouts.total_s - 0.01:
            timeouts = Timeouts(
                timeouts.connect_s, timeouts.first_byte_s, timeouts.idle_s, max(remaining_s, 0.01)
            )
        headers = provider.headers + call.forwarded if call.forwarded else provider.headers
        outgoing = provider.dialect.outgoing(request, target.model)
        try:
            if isinstance(outgoing.body, bytes):
                reply = await provider.upstream.send(
                    provider.origin, b"POST", outgoing.target, headers, outgoing.body, timeouts
                )
            else:
                kind = b"content-type: %b\r\n" % outgoing.content_type
                headers = provider.bare_headers + kind + call.forwarded
                reply = await provider.upstream.send_from(
                    provider.origin, b"POST", outgoing.target, headers, outgoing.body, timeouts
                )
            if request.streamed and reply.status == 200 and _flows(request, reply):
                return await _begin(provider.dialect.stream_reader(request), reply)
            body = await reply.read(MAX_REPLY_BYTES)
        except UpstreamError as error:
            return _broken(error, provider.name)
        except ValueError as error:
            return _malformed(provider.name, str(error))
        try:
            body = provider.dialect.answer(
                request, reply.status, without_secret(body, provider.secret)
            )
            if reply.status == 200:
                return Whole(reply, body, request.endpoint.usage(body))
        except UNREADABLE:
            return _malformed(provider.name, "its reply is not JSON that can be read")
        return _refused(reply, body, provider.name)


def without_secret(data: bytes, secret: bytes | None) -> bytes:
    """`data`, a reply or whole events of one, without the provider's key should it quote that."""
    if secret is not None and secret in data:
        return data.replace(secret, b"[redacted]")
    return data


def _flows(request: Request, reply: UpstreamReply) -> bool:
    return request.endpoint.flows((reply.header(b"content-type") or b"").lower())


async def _begin(reader: StreamReader, reply: UpstreamReply) -> Flowing:
    """Wait for the first events, so that a stream that breaks before them may be tried again."""
    try:
        while True:
            data = await reply.next_chunk()
            if not data:
                raise UpstreamError("cut", "the stream ended before its first event")
            if first := reader.feed(data):
                return Flowing(reply, reader, first)
    except BaseException:
        reply.abort()
        raise


def broken_error(error: UpstreamError, provider: str) -> HeadgateError:
    """What a client is told of a call that got no complete answer."""
    code = f"upstream_{error.kind}"
    if error.kind == "pool_timeout":
        return UnavailableError(
            f"All connections to the provider `{provider}` are busy; try again shortly, or raise"
            f" providers.{provider}.max_connections.",
            code=code,
        )
    if error.kind.endswith("timeout"):
        return UpstreamTimeoutError(
            f"The provider `{provider}` took too long ({error.kind.replace('_', ' ')}); try again,"
            f" or raise providers.{provider}.timeouts.",
            code=code,
        )
    return UpstreamFailedError(
        f"The provider `{provider}` could not be reached or broke off ({error.kind}); try again.",
        code=code,
    )


def refused_key_error(provider: str) -> HeadgateError:
    """What a client is told where the provider did not accept Headgate's key."""
    return UpstreamRefusedKeyError(
        f"The provider `{provider}` refused Headgate's key; an operator must set a valid"
        f" providers.{provider}.api_key."
    )


def _broken(error: UpstreamError, provider: str) -> _Failed:
    failure = Failure(timed_out=error.kind.endswith("timeout") or error.kind == "too_large")
    return _Failed(failure, broken_error(error, provider))


def _malformed(provider: str, what: str) -> _Failed:
    error = UpstreamFailedError(
        f"The provider `{provider}` sent something other than its API promises: {what}.",
        code="upstream_malformed_reply",
    )
    return _Failed(Failure(status=502), error)


def _refused(reply: UpstreamReply, body: bytes, provider: str) -> _Failed:
    """An attempt that was answered with an error status."""
    is_json = body.lstrip()[:1] == b"{"
    failure = Failure(
        status=reply.status,
        code=failure_code(body) if is_json else None,
        retry_after_s=retry_after_s(reply.header(b"retry-after-ms"), reply.header(b"retry-after")),
    )
    if reply.status in (401, 407):
        # The provider's own words quote parts of the key.
        return _Failed(failure, refused_key_error(provider))
    if is_json and reply.status >= 400:
        return _Failed(failure, Whole(reply, body))
    error = UpstreamFailedError(
        f"The provider `{provider}` answered {reply.status} with something other than JSON."
    )
    if reply.status < 400:
        return _Failed(failure, error)
    return _Failed(failure, Whole(reply, msgspec.json.encode({"error": error.as_object()})))
