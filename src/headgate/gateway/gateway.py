"""The way of every call: admit, reserve, recall, dispatch, settle, keep, record, finish."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import Protocol

from headgate.checks.guards.guarding import Guarding
from headgate.errors import (
    ClientGoneError,
    ContentBlockedError,
    GuardFailedError,
    HeadgateError,
    PermissionDeniedError,
    UnavailableError,
    UpstreamFailedError,
)
from headgate.gateway.attempt import Answer, Flowing, Whole, without_secret
from headgate.gateway.cache.ask import Ask
from headgate.gateway.cache.cache import AnswerCache
from headgate.gateway.cache.forms import form_of
from headgate.gateway.cache.found import Found, may_be_stale
from headgate.gateway.call import Call, Client, Headers, LastWords, Refusal
from headgate.gateway.capabilities import able_targets
from headgate.gateway.commitments.keeper import CommitmentKeeper
from headgate.gateway.conclusion import conclude
from headgate.gateway.conclusion import record as record_call
from headgate.gateway.dispatch import Dispatcher
from headgate.gateway.endpoints.chat import ChatCompletions, failure_code
from headgate.gateway.endpoints.responses import runs_in_background
from headgate.gateway.following import follow
from headgate.gateway.guards import GuardsInCalls, guard_headers
from headgate.gateway.objects.in_calls import ObjectsInCalls, keep_to
from headgate.gateway.objects.register import Keeper
from headgate.gateway.provider_failures import broken_stream_error
from headgate.gateway.reply_headers import call_headers, refusal, reply_headers
from headgate.gateway.request import Request
from headgate.gateway.settlement import BYTES_PER_TOKEN, Settlement
from headgate.gateway.spending import Spending
from headgate.gateway.stored_responses import ResponseOwner, StoredResponses
from headgate.gateway.target import Target
from headgate.gateway.upstream import UpstreamError, UpstreamReply
from headgate.ledger.money import header_usd
from headgate.ledger.writer import LedgerWriter
from headgate.telemetry.faults import log_fault

_JSON = b"application/json"
_EVENT_STREAM = b"text/event-stream; charset=utf-8"

_TOO_MUCH = 429

_DRAIN_S = 0.5
"""How long a finished stream may take to close, for its connection to be used again."""


class Grader(Protocol):
    """Finds out how hard a request is, where its route goes by that."""

    async def targets(
        self, call: Call, request: Request, targets: tuple[Target, ...]
    ) -> tuple[Target, ...]:
        """The call's targets in the order that its grade makes; `targets` has none yet."""


class Gateway:
    """Carries calls. There is no second way to a model."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        settlement: Settlement,
        writer: LedgerWriter,
        stored: StoredResponses,
        objects: ObjectsInCalls,
        *,
        durable: bool,
        spending: Spending | None = None,
        cache: AnswerCache | None = None,
        guards: GuardsInCalls | None = None,
        grader: Grader | None = None,
        commitments: CommitmentKeeper | None = None,
    ) -> None:
        self.cache = cache
        self.routing = dispatcher.routing
        self._dispatcher = dispatcher
        self._settlement = settlement
        self._writer = writer
        self._stored = stored
        self._objects = objects
        self._durable = durable
        self._spending = spending
        self._guards = guards
        self._grader = grader
        self._commitments = commitments
        self.in_flight = 0

    async def carry(self, call: Call, request: Request, client: Client) -> None:
        """Carry `request` to a model and its answer to `client`; leave one record.

        Never raises for what can go wrong on the way: the client is told. When the task is
        cancelled, because the client has gone or the server stops, the call upstream is dropped,
        the record says so, what can be told is told, and the cancellation goes on.
        """
        self.in_flight += 1
        try:
            last = await self._answered(call, request, client)
            if call.goes_on and self._commitments is not None:
                last = await _begun(call, client, last, self._commitments)
            if self.cache is not None and call.ask is not None:
                self.cache.leave(call, call.ask)
            if self._guards is not None:
                await self._guards.concluded(call, request)
            await self._conclude(call, client, last)
            if call.cancelled:
                raise asyncio.CancelledError
        finally:
            self.in_flight -= 1

    async def refuse(self, call: Call, error: HeadgateError, client: Client) -> None:
        """Answer a request that is no call yet with an error; leave one record all the same."""
        call.record.cost_nanousd = 0
        await self._conclude(call, client, refusal(call, error))

    async def _answered(
        self, call: Call, request: Request, client: Client
    ) -> LastWords | Refusal | None:
        """What is left to tell the client once the call is settled; None where it has gone."""
        try:
            targets = self.admit(call, request)
            if self._guards is not None:
                await self._guards.request(call, request)
            if self._grader is not None and call.route is not None and call.route.grades:
                targets = await self._grader.targets(call, request, targets)
            if (previous := request.previous_response()) is not None:
                targets = await self._keepers(call, previous, targets)
            if request.names_objects:
                targets = await self._objects.targets_of(call, request.fields, targets)
            if self.routing.has_limits:
                targets = able_targets(targets, request)
            if not request.model:
                # Another provider would choose another model, and has no prompt of the first's.
                targets = targets[:1]
            answer: Answer | Found | None = None
            if self._spending is not None:
                self._spending.cap_output(call, request)
            if self.cache is not None:
                call.ask = self.cache.asked(call, request, targets)
            if self._spending is not None:
                targets, answer = await self._afforded(call, request, targets, self._spending)
            if answer is None and self.cache is not None and call.ask is not None:
                answer = await self.cache.recall(call, call.ask)
                request = call.ask.narrowed(request)
            answer = answer or await self._dispatched(call, request, targets)
            if isinstance(answer, Found):
                return await self._replay(call, request, answer, client)
            if isinstance(answer, Flowing):
                return await self._relay(call, request, answer, client)
            last = self._whole(call, request, answer)
            return last if self._guards is None else await self._guarded(call, last)
        except HeadgateError as error:
            self._settlement.settle_failure(call, request)
            told = refusal(call, error)
            if self._spending is not None and error.status == _TOO_MUCH:
                self._spending.headers_of_refusal(call, told.headers)
            return told
        except asyncio.CancelledError:
            call.cancelled = True
            self._settlement.settle_failure(call, request)
            told = refusal(call, _given_up(client))
            return None if client.gone else told
        except Exception as fault:  # noqa: BLE001 - the client is told 500, the log where
            return refusal(call, _our_fault(call, fault))

    def conversation_guards(self, call: Call, request: Request) -> Guarding | None:
        """The guards of a conversation of many requests; None where none stand there."""
        return None if self._guards is None else self._guards.conversation(call, request)

    async def note_verdicts(self, call: Call) -> None:
        """Put what the guards said into the call's record and the metrics, and tell who must look.

        Of calls that end elsewhere than in `carry`.
        """
        if self._guards is not None:
            self._guards.note(call)
            await self._guards.alarm(call)

    def count_verdicts(self, guarding: Guarding) -> None:
        """Put what guards said that is in no call's record into the metrics."""
        if self._guards is not None:
            self._guards.count(guarding.report.taken())

    async def _afforded(
        self, call: Call, request: Request, targets: tuple[Target, ...], spending: Spending
    ) -> tuple[tuple[Target, ...], Found | None]:
        """Whom the call can afford to ask, or its answer where that is known already.

        A known answer costs nothing, so no budget and no limit on tokens stands before it.
        """
        found: Found | None = None
        if self.cache is not None and call.ask is not None:
            found = self.cache.at_hand(call.ask)
        if found is None:
            try:
                afforded = await spending.reserve(call, request, targets)
            except HeadgateError as error:
                if self.cache is None or call.ask is None or not spending.spares(call, error):
                    raise
                found = await self.cache.found_by_others(call.ask)
                if found is None:
                    raise
            else:
                if afforded is not targets and self.cache is not None:
                    call.ask = self.cache.asked(call, request, afforded)
                return afforded, None
        await spending.reserve_answered(call)
        return targets, found

    def admit(self, call: Call, request: Request) -> tuple[Target, ...]:
        """Whom the request can be asked of, if the caller may ask and the ledger can keep it."""
        if self._writer.full:
            raise UnavailableError(
                "The ledger's queue is full because the database is away or slow; calls are"
                " refused until it has caught up.",
                code="ledger_full",
            )
        if not request.model:
            self._take_default(call, request)
        if not (call.from_run or call.caller.may_use_model(request.model)):
            raise _model_not_allowed(request.model)
        if request.second_model is not None and not call.caller.may_use_model(request.second_model):
            raise _model_not_allowed(request.second_model)
        request.endpoint.check(request.fields)
        if call.hedge_safe and runs_in_background(request.fields):
            # Breaking off the one that is late would not end it.
            call.hedge_safe = False
        return follow(call, request, self.routing.route(request.model))

    def _take_default(self, call: Call, request: Request) -> None:
        """Let a request that names no model ask for the one that the operator chose, if any."""
        default = self.routing.default_models.get(request.endpoint.name)
        if default is not None and request.takes_default_model():
            request.model = call.record.model_requested = default

    async def _keepers(
        self, call: Call, previous: str, targets: tuple[Target, ...]
    ) -> tuple[Target, ...]:
        """Those of `targets` whose provider keeps `previous`, the project's own response."""
        owner = await self._stored.owner_of_previous(previous, call.caller.project)
        keeper = Keeper(owner.provider, owner.provider_key)
        return keep_to(call, keeper, targets, "previous_response_id")

    def _dispatched(
        self, call: Call, request: Request, targets: tuple[Target, ...]
    ) -> Awaitable[Answer | Found]:
        """The answer of a model; an older one where none answers, if the route allows that."""
        if self.cache is None or call.ask is None or call.ask.terms.stale_if_error_s <= 0:
            return self._dispatcher.dispatch(call, request, targets)
        return self._dispatched_or_older(call, request, targets, self.cache, call.ask)

    async def _dispatched_or_older(
        self,
        call: Call,
        request: Request,
        targets: tuple[Target, ...],
        cache: AnswerCache,
        ask: Ask,
    ) -> Answer | Found:
        answer: Answer | None = None
        error: HeadgateError | None = None
        try:
            answer = await self._dispatcher.dispatch(call, request, targets)
        except HeadgateError as failure:
            error, status = failure, failure.status
        else:
            if isinstance(answer, Flowing) or answer.usage is not None:
                return answer
            status = answer.reply.status
        if may_be_stale(status) and (older := await cache.stale(ask)) is not None:
            self._settlement.settle_failure(call, request)
            return older
        if answer is None:
            raise error or UnavailableError
        return answer

    async def _replay(
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
        last = await self._guarded(call, LastWords(found.entry.body, 200, headers))
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

    def _whole(self, call: Call, request: Request, answer: Whole) -> LastWords | Refusal:
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
            written = len(body) // BYTES_PER_TOKEN
            self._settlement.note(call, request, answer.usage, output_tokens=written)
            if self.cache is not None and call.ask is not None:
                merged = self.cache.keep_whole(call, call.ask, answer.usage, body)
                if merged is None:
                    return refusal(call, _not_what_was_asked(record.provider or ""))
                body = merged
            self._settlement.add_lost(call, request)
            if record.cost_nanousd is not None:
                headers.append((b"x-headgate-cost-usd", header_usd(record.cost_nanousd).encode()))
        return LastWords(body, answer.reply.status, headers)

    async def _guarded(self, call: Call, last: LastWords | Refusal) -> LastWords | Refusal:
        """A whole answer as its guards let it by."""
        if self._guards is None or isinstance(last, Refusal):
            return last
        last = await self._guards.reply(call, last)
        last.headers.extend(guard_headers(call))
        if self.cache is not None and call.ask is not None and self._guards.found_unfit(call):
            self.cache.forget(call.ask)
        return last

    async def _relay(
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
        if self.cache is not None and call.ask is not None:
            scribe = self.cache.scribe(call.ask)
        last: LastWords | Refusal | None
        try:
            if self._guards is not None:
                guarded = await self._guards.stream(call, request)
            headers = _stream_headers(call, reply) + guard_headers(call)
            if self._spending is not None:
                self._spending.headers(call, headers)
            begun = True
            await client.begin(200, headers)
            while True:
                if scribe is not None and self.cache is not None and call.ask is not None:
                    scribe.feed(block)
                    self.cache.flows(call.ask)
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
            if begun:
                last = _last_error(call, reader.error_block(stopped), stopped)
            else:
                last = refusal(call, stopped)
        except UpstreamError as broken:
            self._dispatcher.broke_off(call)
            error = broken_stream_error(call, broken)
            last = _last_error(call, reader.error_block(error), error)
        except ValueError as unreadable:
            error = UpstreamFailedError(f"The provider's stream can't be read: {unreadable}.")
            last = _last_error(call, reader.error_block(error), error)
        except asyncio.CancelledError:
            call.cancelled = True
            error = _given_up(client)
            last = _last_error(call, reader.error_block(error), error)
            if client.gone:
                last = None
                if reader.failure is None:
                    record.status = error.status
                else:
                    # It was told of an error inside the stream, and left because of it.
                    record.error_class = reader.failure
        except Exception as fault:  # noqa: BLE001 - the client is told, the log where
            error = _our_fault(call, fault)
            last = _last_error(call, reader.error_block(error), error)
        finally:
            reply.abort()
        if guarded is not None:
            guarded.end()
        self._settlement.note_stream(call, request, reader)
        if scribe is not None and self.cache is not None and call.ask is not None:
            complete = reader.finished and record.error_class is None and not call.cancelled
            if complete and reader.usage is not None:
                self.cache.keep_stream(call, call.ask, scribe, reader.usage)
        self._settlement.add_lost(call, request)
        return last

    def _conclude(
        self, call: Call, client: Client, last: LastWords | Refusal | None
    ) -> Awaitable[None]:
        """Record the call, then let the client have the end of its answer."""
        return conclude(call, client, last, self.record(call))

    async def record(self, call: Call) -> None:
        """See `conclusion.record`; whose a stored answer is is remembered too."""
        record = call.record
        completion = None
        if record.response_id is not None and record.provider is not None:
            if record.endpoint == ChatCompletions.name:
                completion = record.response_id
            else:
                owner = ResponseOwner(record.project, record.provider, record.provider_key)
                self._stored.remember(record.response_id, owner)
            if call.item_ids:
                self._objects.remember_items(call)
        await record_call(call, writer=self._writer, spending=self._spending, durable=self._durable)
        if completion is not None:
            await self._objects.keep(call, "chat_completion", completion)


def _model_not_allowed(model: str) -> HeadgateError:
    told = f"the model `{model[:64]}`" if model else "a model that its request doesn't name"
    return PermissionDeniedError(
        f"This key may not use {told}; GET /v1/models lists those that it may.",
        param="model",
        code="model_not_allowed",
    )


async def _begun(
    call: Call, client: Client, last: LastWords | Refusal | None, commitments: CommitmentKeeper
) -> LastWords | Refusal | None:
    """Note what goes on in the background; a response that can't be noted is nobody's.

    It goes on though the client leaves meanwhile, so it is noted all the same.
    """
    response_id = call.record.response_id
    if response_id is None:
        return last
    model = None if call.target is None else call.target.model
    noted = asyncio.ensure_future(commitments.begun(call, "response", response_id, model=model))
    while not noted.done():
        try:
            await asyncio.wait((noted,))
        except asyncio.CancelledError:
            call.cancelled = True
    fault = noted.exception()
    if fault is not None and isinstance(last, LastWords) and last.status:
        error = fault if isinstance(fault, HeadgateError) else _our_fault(call, fault)
        last = refusal(call, error)
    return None if call.cancelled and client.gone else last


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


def _our_fault(call: Call, fault: BaseException) -> HeadgateError:
    """What a client is told of a fault of ours: where to look for it, and nothing of it."""
    call_id = call.record.id
    log_fault("call failed", fault, call_id=call_id, trace_id=call.record.trace_id)
    return HeadgateError(f"Headgate failed to carry this call; its log tells why under {call_id}.")


def _not_what_was_asked(provider: str) -> HeadgateError:
    """What a client is told where a provider answered a part of its batch with something else."""
    return UpstreamFailedError(
        f"The provider `{provider}` did not answer with one vector for each input; try again.",
        code="upstream_malformed_reply",
    )


def _given_up(client: Client) -> HeadgateError:
    """Why a call was cancelled."""
    if client.gone:
        return ClientGoneError()
    return UnavailableError(
        "The call was given up before its answer was complete: the server is stopping, or the run"
        " that made it ran out of time. Try again.",
        code="call_cancelled",
    )


async def _drain(reply: UpstreamReply) -> None:
    """Read a finished stream to its close, so that its connection can be used again."""
    with contextlib.suppress(UpstreamError, TimeoutError):
        async with asyncio.timeout(_DRAIN_S):
            while await reply.next_chunk():
                pass
