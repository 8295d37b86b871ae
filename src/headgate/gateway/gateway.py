"""The way of every call: admit, guard, reserve, recall, dispatch, settle, keep, record, finish."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Protocol

from headgate.checks.guards.guarding import Guarding
from headgate.errors import (
    HeadgateError,
    UnavailableError,
)
from headgate.gateway.answering import Answering
from headgate.gateway.attempts.attempt import Answer, Flowing
from headgate.gateway.attempts.dispatch import Dispatcher
from headgate.gateway.cache.ask import Ask
from headgate.gateway.cache.cache import AnswerCache
from headgate.gateway.cache.found import Found, may_be_stale
from headgate.gateway.call import Call, Client, LastWords, Refusal
from headgate.gateway.call_failures import given_up, model_not_allowed, our_fault
from headgate.gateway.capabilities import able_targets
from headgate.gateway.commitments.keeper import CommitmentKeeper
from headgate.gateway.conclusion import conclude
from headgate.gateway.conclusion import record as record_call
from headgate.gateway.endpoints.chat import ChatCompletions
from headgate.gateway.endpoints.responses import runs_in_background
from headgate.gateway.following import follow
from headgate.gateway.guards import GuardsInCalls
from headgate.gateway.objects.in_calls import ObjectsInCalls, keep_to
from headgate.gateway.objects.register import Keeper
from headgate.gateway.reply_headers import refusal
from headgate.gateway.request import Request
from headgate.gateway.settlement import Settlement
from headgate.gateway.spending import Spending
from headgate.gateway.stored_responses import ResponseOwner, StoredResponses
from headgate.gateway.target import Target
from headgate.ledger.writer import LedgerWriter

_TOO_MUCH = 429


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
        self._answering = Answering(
            settlement, dispatcher.broke_off, spending=spending, cache=cache, guards=guards
        )
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
                return await self._answering.replay(call, request, answer, client)
            if isinstance(answer, Flowing):
                return await self._answering.relay(call, request, answer, client)
            last = self._answering.whole(call, request, answer)
            return last if self._guards is None else await self._answering.guarded(call, last)
        except HeadgateError as error:
            self._settlement.settle_failure(call, request)
            told = refusal(call, error)
            if self._spending is not None and error.status == _TOO_MUCH:
                self._spending.headers_of_refusal(call, told.headers)
            return told
        except asyncio.CancelledError:
            call.cancelled = True
            self._settlement.settle_failure(call, request)
            told = refusal(call, given_up(client))
            return None if client.gone else told
        except Exception as fault:  # noqa: BLE001 - the client is told 500, the log where
            return refusal(call, our_fault(call, fault))

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
            raise model_not_allowed(request.model)
        if request.second_model is not None and not call.caller.may_use_model(request.second_model):
            raise model_not_allowed(request.second_model)
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
        error = fault if isinstance(fault, HeadgateError) else our_fault(call, fault)
        last = refusal(call, error)
    return None if call.cancelled and client.gone else last
