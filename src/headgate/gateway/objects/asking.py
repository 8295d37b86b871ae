"""Asks a provider about its objects: one request, its body, its patience, its second tries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from random import random
from urllib.parse import quote, urlencode

import msgspec

from headgate.gateway.attempts.attempt import MAX_REPLY_BYTES, without_secret
from headgate.gateway.call import Call
from headgate.gateway.endpoints.chat import failure_code
from headgate.gateway.keys.pool import ProviderKey
from headgate.gateway.keys.watch import KeyWatch
from headgate.gateway.objects.operation import Found
from headgate.gateway.provider import Provider
from headgate.gateway.provider_failures import broken_error
from headgate.gateway.retries.hints import asked_pause_s
from headgate.gateway.retries.policy import Again, Failure, RetryPolicy
from headgate.gateway.upstream import RequestBody, UpstreamError, UpstreamReply


class ObjectRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request about objects, as intake read it."""

    found: Found
    query: tuple[tuple[str, str], ...]
    body: bytes | RequestBody
    """In memory where it is JSON, or as it comes where it is a form; b"" where there is none."""
    content_type: bytes | None = None
    accept: bytes | None = None


class Addressee(msgspec.Struct, frozen=True):
    """Who is asked: a provider, by one of its keys."""

    provider: Provider
    key: ProviderKey
    is_new: bool = False
    """Whether any other key of the provider would do as well."""


class Asking:
    """Asks providers on behalf of requests."""

    def __init__(self, retries: RetryPolicy, keys: KeyWatch) -> None:
        self._retries = retries
        self._keys = keys

    async def whole(
        self,
        call: Call,
        request: ObjectRequest,
        addressee: Addressee,
        body: bytes | RequestBody,
        query: Sequence[tuple[str, str]],
    ) -> tuple[UpstreamReply, bytes]:
        """A reply and all of its body; what only reads is asked again as the retry policy says.

        What makes something new goes to another key where the first is refused, unless its body
        has gone by.

        Raises what is left where no reply came, and what reading the client's body raises.
        """
        provider = addressee.provider
        deadline_s = time.monotonic() + provider.quick.total_s
        attempts = 0
        refused: tuple[str | None, ...] = ()
        while True:
            attempts += 1
            reply: UpstreamReply | None = None
            data = b""
            broken: UpstreamError | None = None
            try:
                reply = await self._send(call, request, addressee, body, query)
                data = without_secret(await reply.read(MAX_REPLY_BYTES), secret_of(call))
            except UpstreamError as error:
                broken = error
                failure = Failure(timed_out=error.kind.endswith("timeout"))
            else:
                if reply.status < 400:
                    return reply, data
                failure = Failure(
                    status=reply.status,
                    code=failure_code(data),
                    retry_after_s=asked_pause_s(
                        reply.header, status=reply.status, now_s=time.time()
                    ),
                )
                self._note_refusal(addressee, failure)
                if failure.is_of_key and addressee.is_new and isinstance(body, bytes):
                    refused += (addressee.key.name,)
                    other = provider.pool and provider.pool.home_of(call.caller.project, refused)
                    if other:
                        addressee = Addressee(provider, other, is_new=True)
                        continue
            decision = self._retries.decide(
                failure,
                attempts=attempts,
                more_targets=False,
                remaining_s=deadline_s - time.monotonic(),
                jitter=random(),  # noqa: S311 - spreads retries, guards nothing
            )
            if request.found.operation.method == "GET" and isinstance(decision, Again):
                await asyncio.sleep(decision.delay_s)
                continue
            if broken is not None or reply is None:
                raise broken_error(broken or UpstreamError("cut", "no reply"), provider.name)
            return reply, data

    async def begin(
        self, call: Call, request: ObjectRequest, addressee: Addressee, body: bytes | RequestBody
    ) -> UpstreamReply:
        """A reply of which the head is here; asked for once. Raises as `whole` does."""
        try:
            reply = await self._send(call, request, addressee, body, request.query)
        except UpstreamError as error:
            raise broken_error(error, addressee.provider.name) from None
        self._note_refusal(addressee, Failure(status=reply.status))
        return reply

    def _note_refusal(self, addressee: Addressee, failure: Failure) -> None:
        """A key that is refused as such leaves its pool.

        One that may not do this very thing, a 403, doesn't: with a provider's restricted keys any
        application could have all of them taken out.
        """
        pool = addressee.provider.pool
        if pool is not None and (failure.status == 401 or failure.code == "insufficient_quota"):
            reason = failure.code or "invalid_api_key"
            self._keys.failed(addressee.provider.name, pool, addressee.key, None, failure, reason)

    async def _send(
        self,
        call: Call,
        request: ObjectRequest,
        addressee: Addressee,
        body: bytes | RequestBody,
        query: Sequence[tuple[str, str]],
    ) -> UpstreamReply:
        provider = addressee.provider
        operation = request.found.operation
        record = call.record
        record.attempts += 1
        record.provider = provider.name
        record.simulated = provider.simulated
        call.provider_key = key = await provider.let_in(addressee.key)
        record.provider_key = key.name
        headers = key.bare_headers + call.forwarded
        if body and request.content_type is not None:
            headers += b"content-type: %b\r\n" % request.content_type
        if request.accept is not None:
            headers += b"accept: %b\r\n" % request.accept
        suffix = quote(request.found.path, safe="/:~") + ("?" + urlencode(query) if query else "")
        target = provider.path(suffix.encode("ascii"))
        quick = operation.method == "GET" and operation.effect not in ("content", "pass")
        timeouts = provider.quick if quick else provider.patient
        method = operation.method.encode()
        if isinstance(body, bytes):
            send = provider.upstream.send
            reply = await send(provider.origin, method, target, headers, body, timeouts)
            if reply.status == 401 and provider.may_ask_again(key):
                reply.abort()
                return await self._send(call, request, addressee, body, query)
            return reply
        send_from = provider.upstream.send_from
        return await send_from(provider.origin, method, target, headers, body, timeouts)


def secret_of(call: Call) -> bytes | None:
    """What the provider was shown and no reply may quote."""
    return None if call.provider_key is None else call.provider_key.secret
