"""How an answer reaches its client: whole, as it flows, or as it was given once before.

On the way it is settled, looked at by its guards, and kept where the cache may give it again. How
it was come by, and how its call ends, is the way of a call: see `gateway`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from headgate.errors import (
    ContentBlockedError,
    GuardFailedError,
    HeadgateError,
    UpstreamFailedError,
)
from headgate.gateway.attempts.attempt import Flowing, Whole, without_secret
from headgate.gateway.cache.cache import AnswerCache
from headgate.gateway.cache.forms import form_of
from headgate.gateway.cache.found import Found
from headgate.gateway.call import Call, Client, Headers, LastWords, Refusal
from headgate.gateway.call_failures import given_up, our_fault
from headgate.gateway.endpoints.chat import failure_code
from headgate.gateway.guards import GuardsInCalls, guard_headers
from headgate.gateway.provider_failures import broken_stream_error, not_what_was_asked
from headgate.gateway.reply_headers import call_headers, refusal, reply_headers
from headgate.gateway.request import Request
from headgate.gateway.settlement import BYTES_PER_TOKEN, Estimate, Settlement
from headgate.gateway.spending import Spending
from headgate.gateway.upstream import UpstreamError, UpstreamReply
from headgate.ledger.money import header_usd

_JSON = b"application/json"
_EVENT_STREAM = b"text/event-stream; charset=utf-8"

_DRAIN_S = 0.5
"""How long a finished stream may take to close, for its connection to be used again."""


class Answering:
    """Hands answers on."""

    def __init__(
        self,
        settlement: Settlement,
        broke_off: Callable[[Call], None],
        *,
        spending: Spending | None,
        cache: AnswerCache | None,
        guards: GuardsInCalls | None,
    ) -> None:
        """`broke_off` is told of a call whose stream broke after it had begun."""
        self._settlement = settlement
        self._broke_off = broke_off
        self._spending = spending
        self._cache = cache
        self._guards = guards

    async def replay(
        self, call: Call, request: Request, found: Found, client: Client
    ) -> LastWords | Refusal:
        """An answer that was given before, in the form that this client asked for."""
        self._settlement.note_kept(call, found)
        headers = call_headers(call, target=found.entry.target.encode())
        if self._spending is not None:
            self._spending.headers(call, headers)
        if call.record.simulated:
            headers.append((b"x-headgate-simulated", b"true"))
        if call.record.cost_nanousd is not None:
            cost = header_usd(call.record.cost_nanousd)
            headers.append((b"x-headgate-cost-usd", cost.encode()))
        last = await self.guarded(call, LastWords(found.entry.body, 200, headers))
        if isinstance(last, Refusal):
            return last
        body = last.body
        if not request.streamed:
            headers.append((b"content-type", _JSON))
            return last
        shown = request.usage_shown()
        events = form_of(request.endpoint.name).events(body, include_usage=shown)
        headers += [(b"content-type", _EVENT_STREAM), (b"cache-control", b"no-cache")]
        await client.begin(200, headers)
        call.record.first_token_us = call.elapsed_us()
        reader = request.endpoint.stream_reader(hide_usage=False)
        return LastWords(events, unless=reader.error_block)

    def whole(self, call: Call, request: Request, answer: Whole) -> LastWords | Refusal:
        """A reply that arrived in one piece, settled."""
        record, body = call.record, answer.body
        record.status = answer.reply.status
        headers = _headers(call, answer.reply)
        if self._spending is not None:
            self._spending.headers(call, headers)
        headers.append((b"content-type", answer.reply.header(b"content-type") or _JSON))
        if answer.usage is None:
            record.error_class = failure_code(answer.body)
            self._settlement.settle_failure(call, request)
        else:
            usage = answer.usage
            estimate = Estimate(
                len(body) // BYTES_PER_TOKEN,
                wrote=usage.output_tokens == 0 and request.endpoint.wrote(body),
            )
            self._settlement.note(call, request, usage, estimate)
            if self._cache is not None and call.ask is not None:
                merged = self._cache.keep_whole(call, call.ask, usage, body)
                if merged is None:
                    return refusal(call, not_what_was_asked(record.provider or ""))
                body = merged
            self._settlement.add_lost(call, request)
            if record.cost_nanousd is not None:
                headers.append((b"x-headgate-cost-usd", header_usd(record.cost_nanousd).encode()))
        return LastWords(body, answer.reply.status, headers)

    async def guarded(self, call: Call, last: LastWords | Refusal) -> LastWords | Refusal:
        """A whole answer as its guards let it by."""
        if self._guards is None or isinstance(last, Refusal):
            return last
        last = await self._guards.reply(call, last)
        last.headers.extend(guard_headers(call))
        if self._cache is not None and call.ask is not None and self._guards.found_unfit(call):
            self._cache.forget(call.ask)
        return last

    async def relay(
        self, call: Call, request: Request, answer: Flowing, client: Client
    ) -> LastWords | Refusal | None:
        """Hand a stream on as it flows; its last events are left for after the record.

        A stream that breaks ends in an error that the SDKs raise: it never looks complete.
        """
        record, reader, reply = call.record, answer.reader, answer.reply
        record.status = 200
        secret = call.provider_key.secret if call.provider_key is not None else None
        block = without_secret(answer.first, secret)
        guarded, begun = None, False
        scribe = None
        if self._cache is not None and call.ask is not None:
            scribe = self._cache.scribe(call.ask)
        last: LastWords | Refusal | None

        def told_of(error: HeadgateError) -> LastWords | Refusal:
            """An error in the form that the client can still be told it in."""
            if not begun:
                return refusal(call, error)
            return _last_error(call, reader.error_block(error), error)

        try:
            if self._guards is not None:
                guarded = await self._guards.stream(call, request)
            headers = _stream_headers(call, reply) + guard_headers(call)
            if self._spending is not None:
                self._spending.headers(call, headers)
            begun = True
            await client.begin(200, headers)
            while True:
                if scribe is not None and self._cache is not None and call.ask is not None:
                    scribe.feed(block)
                    self._cache.flows(call.ask)
                if guarded is not None:
                    block = guarded.feed(block, ended=reader.finished)
                if record.first_token_us is None and reader.first_token_seen:
                    record.first_token_us = call.elapsed_us()
                if reader.finished:
                    break
                if block:
                    await client.write(block)
                data = await reply.next_chunk()
                if not data:
                    if not reader.may_end:
                        raise UpstreamError("cut", "the stream ended without its last event")
                    reader.finished, block = True, b""
                    continue
                block = without_secret(reader.feed(data), secret)
            record.error_class = reader.failure
            await _drain(reply)
            if guarded is not None:
                await guarded.settle()
            last = LastWords(block, unless=reader.error_block)
        except (ContentBlockedError, GuardFailedError) as stopped:
            last = told_of(stopped)
        except UpstreamError as broken:
            self._broke_off(call)
            if reader.failure is not None:
                # It said why, and then ended: that is the story, and the client has heard it.
                record.error_class, last = reader.failure, LastWords(b"")
            else:
                error = broken_stream_error(call, broken)
                last = _last_error(call, reader.error_block(error), error)
        except ValueError as unreadable:
            error = UpstreamFailedError(f"The provider's stream can't be read: {unreadable}.")
            last = told_of(error)
        except asyncio.CancelledError:
            call.cancelled = True
            error = given_up(client)
            last = told_of(error)
            if client.gone:
                last = None
                if reader.failure is None:
                    record.status = error.status
                else:
                    # It was told of an error inside the stream, and left because of it.
                    record.error_class = reader.failure
        except Exception as fault:  # noqa: BLE001 - the client is told, the log where
            last = told_of(our_fault(call, fault))
        finally:
            reply.abort()
        if guarded is not None:
            guarded.end()
        self._settlement.note_stream(call, request, reader)
        if scribe is not None and self._cache is not None and call.ask is not None:
            complete = reader.finished and record.error_class is None and not call.cancelled
            if complete and reader.usage is not None:
                self._cache.keep_stream(call, call.ask, scribe, reader.usage)
        self._settlement.add_lost(call, request)
        return last


def _headers(call: Call, reply: UpstreamReply) -> Headers:
    """A reply's headers as the client sees them."""
    request_id = reply.header(b"x-request-id") or reply.header(b"request-id")
    return reply_headers(call, reply, request_id)


def _stream_headers(call: Call, reply: UpstreamReply) -> Headers:
    headers = _headers(call, reply)
    headers.append((b"content-type", reply.header(b"content-type") or _EVENT_STREAM))
    headers.append((b"cache-control", b"no-cache"))
    return headers


def _last_error(call: Call, block: bytes, error: HeadgateError) -> LastWords:
    """An error as the end of a stream, noted in the record."""
    call.record.error_class = error.code
    return LastWords(block, cut=not block)


async def _drain(reply: UpstreamReply) -> None:
    """Read a finished stream to its close, so that its connection can be used again."""
    with contextlib.suppress(UpstreamError, TimeoutError):
        async with asyncio.timeout(_DRAIN_S):
            while await reply.next_chunk():
                pass
