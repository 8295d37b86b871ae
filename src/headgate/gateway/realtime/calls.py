"""The calls of one realtime session: asked for, being answered, kept ready; one record each.

Where limits or budgets apply, every response is reserved for before it is made. One that a client
asks for, when it asks. One that the provider begins by itself, because it hears that a speaker has
finished, out of a reservation that is kept ready as long as sound is sent.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict

import msgspec

from headgate.errors import (
    ClientGoneError,
    DatabaseUnavailableError,
    HeadgateError,
    LimitExceededError,
)
from headgate.gateway.call import Call
from headgate.gateway.endpoints import Fields, Usage
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.endpoints.realtime import REALTIME, RealtimeTokens
from headgate.gateway.gateway import Gateway
from headgate.gateway.realtime.context import Context
from headgate.gateway.realtime.events import ClientEvent, ErrorTold, ResponseTold
from headgate.gateway.realtime.guarded_session import GuardedSession
from headgate.gateway.realtime.readiness import AHEAD_TOKENS, Readiness, transcript_turn
from headgate.gateway.request import Request
from headgate.gateway.settlement import Settlement
from headgate.gateway.spending import Spending
from headgate.gateway.target import Target
from headgate.gateway.worst_case import Turn

_MOST_ASKED = 32
"""Responses that a client may have asked for and not seen begin."""

_MOST_BEGUN = 64
"""Responses that may be under way at a time."""

_fields = msgspec.json.Decoder(Fields)
_tokens = msgspec.json.Decoder(RealtimeTokens)


class _Under(msgspec.Struct):
    """A response that was asked for or has begun."""

    call: Call
    likely_tokens: int
    written_tokens: int = 0


class SessionCalls:
    """The calls of one session."""

    def __init__(
        self,
        opened: Call,
        request: Request,
        context: Context,
        gateway: Gateway,
        settlement: Settlement,
        spending: Spending | None,
        guards: GuardedSession | None = None,
    ) -> None:
        """`opened` is the call that opened the session: it knows who asks, whom, and what for."""
        if opened.target is None:
            raise ValueError("the session has no target")
        self._opened = opened
        self._target: Target = opened.target
        self._request = request
        self._context = context
        self._gateway = gateway
        self._settlement = settlement
        self._spending = spending
        self._guards = guards
        self._asked: OrderedDict[str, _Under] = OrderedDict()
        """By the id of the event that asked, the oldest first."""
        self._begun: dict[str, _Under] = {}
        self._refused: set[str] = set()
        """Responses that were begun without having been asked for, and may not be."""
        self._to_answer = Readiness(self._new_call, spending)
        self._to_write = Readiness(self._new_call, spending)
        """The same for writing down what is heard."""

    @property
    def under_way(self) -> bool:
        """Whether any response is."""
        return bool(self._asked or self._begun)

    def is_refused(self, response_id: str | None) -> bool:
        """Whether nothing of this response is to reach the client."""
        return response_id in self._refused

    async def ask(self, event: ClientEvent) -> None:
        """Reserve for the response that a client asks for.

        Raises what `Spending.reserve` does; the event is not to be passed on then, and a record
        says so.
        """
        call = self._new_guarded()
        try:
            if len(self._asked) >= _MOST_ASKED or event.event_id in self._asked:
                raise LimitExceededError(
                    f"{_MOST_ASKED} responses are asked for already, or one by an event of the"
                    " same id; wait until they begin.",
                    code="too_many_responses",
                )
            turn = self._context.next_turn(event.fields.get("response"))
            if self._spending is not None:
                turn = self._bound(call, event, turn)
                await self._spending.reserve_turn(call, self._request, self._target, turn)
        except HeadgateError as error:
            await self._refuse(call, error)
            raise
        except asyncio.CancelledError:
            # It waited in line when its session ended.
            await self._refuse(call, ClientGoneError())
            raise
        call.record.attempts = 1
        self._asked[event.event_id] = _Under(call, turn.likely_tokens)

    async def keep_ready(self, now_s: float) -> None:
        """Reserve for what the provider may make of sound by itself; raises as `ask` does."""
        context = self._context
        if self._spending is None:
            return
        if context.responds_by_itself:
            wanted, held = context.next_turn(), context.next_turn(ahead_tokens=AHEAD_TOKENS)
            await self._to_answer.hold(self._target, wanted, held, now_s)
        if (model := context.transcriber) is not None:
            turn = transcript_turn()
            await self._to_write.hold(self._writer(model), turn, turn, now_s)

    async def begin(self, response_id: str) -> None:
        """Note that the provider has begun a response.

        Raises what `Spending.reserve` does for one that nobody asked for and nothing was kept
        ready for: it is to be cancelled, and none of it passed on.
        """
        if response_id in self._begun:
            return
        if len(self._begun) >= _MOST_BEGUN:
            raise LimitExceededError(f"{_MOST_BEGUN} responses are under way already.")
        if self._asked:
            _, under = self._asked.popitem(last=False)
        elif (reservation := self._to_answer.take()) is not None:
            call = self._new_guarded()
            call.reservation = reservation
            under = _Under(call, self._context.next_turn().likely_tokens)
        else:
            under = await self._unasked(response_id)
        under.call.record.attempts = 1
        under.call.record.response_id = response_id
        self._begun[response_id] = under
        if self._guards is not None:
            self._guards.begin(response_id, under.call)

    def hear(self, response_id: str | None, *, text_tokens: int) -> None:
        """Note a piece of a response, of about so many tokens."""
        under = self._begun.get(response_id or "")
        if under is not None:
            if under.call.record.first_token_us is None:
                under.call.record.first_token_us = under.call.elapsed_us()
            under.written_tokens += text_tokens

    async def end(self, response: ResponseTold) -> None:
        """Settle a response that has ended, by what the provider says it used."""
        self._refused.discard(response.id)
        under = self._begun.pop(response.id, None)
        if under is None:
            return
        record = under.call.record
        record.status = 200
        if response.status == "failed":
            record.error_class = "response_failed"
        usage = None if response.usage is None else response.usage.as_usage()
        if usage is not None and usage.input_tokens is not None:
            self._settlement.note(under.call, self._request, _of(usage, response.id))
        elif response.status == "failed":
            self._settlement.settle_failure(under.call, self._request)
        else:
            self._estimate(under)
        await self._record(under.call)

    async def fail(self, error: ErrorTold) -> None:
        """Settle the response that the provider refused to begin."""
        under = self._asked.pop(error.event_id or "", None)
        if under is not None:
            record = under.call.record
            record.status, record.error_class = 400, (error.code or error.type or "refused")[:64]
            record.cost_nanousd = 0
            await self._record(under.call)

    async def refuse(self, error: HeadgateError) -> None:
        """Leave the record of an event of the client's that its guards did not let by."""
        await self._refuse(self._new_guarded(), error)

    def block(self, response_id: str | None, error: HeadgateError) -> None:
        """Note that guards have blocked a response that is under way."""
        under = self._begun.get(response_id or "")
        if under is not None:
            under.call.record.error_class = error.code

    async def write_down(self, usage: msgspec.Raw) -> None:
        """Leave the record of a transcript."""
        model = self._context.transcriber
        if model is None:
            return
        call = self._new_guarded()
        call.reservation = self._to_write.take()
        call.target = self._writer(model)
        record = call.record
        record.status, record.attempts, record.model_answered = 200, 1, model
        record.model_requested = model[:256]
        try:
            used = _tokens.decode(usage).as_usage(model=model)
        except UNREADABLE:
            used = Usage(model=model)
        if used.input_tokens is not None:
            # What is charged by the second has no price here, and the record says so.
            self._settlement.note(call, self._request, used)
        await self._record(call)

    async def leave(self, error: HeadgateError, *, may_be_charged: bool) -> None:
        """The session is over: settle what it still has under way, because of `error`."""
        self._to_answer.let_go()
        self._to_write.let_go()
        if self._guards is not None:
            self._gateway.count_verdicts(self._guards.leave())
        begun, asked = list(self._begun.values()), list(self._asked.values())
        self._begun.clear()
        self._asked.clear()
        for under in (*begun, *asked):
            record = under.call.record
            record.status, record.error_class = error.status, record.error_class or error.code
            if under.written_tokens or record.response_id is not None or may_be_charged:
                self._estimate(under)
            else:
                record.cost_nanousd = 0
            with contextlib.suppress(DatabaseUnavailableError):
                # Nobody waits for an answer any more; the writer has said what it lost.
                await self._record(under.call)

    async def _unasked(self, response_id: str) -> _Under:
        """A response that the provider began without anything that it could be reserved by."""
        call, turn = self._new_guarded(), self._context.next_turn()
        if self._spending is not None:
            try:
                await self._spending.reserve_turn(call, self._request, self._target, turn)
            except HeadgateError:
                call.record.attempts, call.record.response_id = 1, response_id
                self._refused.add(response_id)
                self._begun[response_id] = _Under(call, turn.likely_tokens)
                raise
        return _Under(call, turn.likely_tokens)

    async def _refuse(self, call: Call, error: HeadgateError) -> None:
        """Leave the record of a response that was never asked of the provider."""
        call.record.status, call.record.error_class = error.status, error.code
        call.record.cost_nanousd = 0
        await self._record(call)

    def _bound(self, call: Call, event: ClientEvent, turn: Turn) -> Turn:
        """Have the response state how much it may write, where the operator wants that."""
        cap = self._spending.output_cap(call) if self._spending is not None else None
        if cap is None or turn.output_tokens is not None:
            return turn
        try:
            create = _fields.decode(event.fields.get("response", b"{}"))
        except UNREADABLE:
            return turn
        create["max_output_tokens"] = msgspec.Raw(b"%d" % cap)
        event.fields["response"] = msgspec.Raw(msgspec.json.encode(create))
        return msgspec.structs.replace(turn, output_tokens=cap)

    def _estimate(self, under: _Under) -> None:
        under.call.record.tokens_estimated = True
        used = Usage(input_tokens=under.likely_tokens, output_tokens=under.written_tokens)
        self._settlement.note(under.call, self._request, _of(used, under.call.record.response_id))

    def _writer(self, model: str) -> Target:
        """The model that writes down what is heard, as a target to be priced by."""
        return Target(self._target.provider, model, None, self._target.health)

    async def _record(self, call: Call) -> None:
        await self._gateway.note_verdicts(call)
        await self._gateway.record(call)

    def _new_guarded(self) -> Call:
        """A call that the session's guards stand at: what they said since the last one is its."""
        call = self._new_call()
        if self._guards is not None:
            self._guards.attend(call)
        return call

    def _new_call(self) -> Call:
        opened = self._opened
        call = Call(opened.caller, REALTIME.name, trace_id=opened.record.trace_id)
        call.target, call.route = opened.target, opened.route
        call.provider_key, call.priority = opened.provider_key, opened.priority
        record = call.record
        for name in ("feature", "user_hash", "route", "model_requested", "provider",
                     "provider_key", "simulated", "upstream_request_id"):  # fmt: skip
            setattr(record, name, getattr(opened.record, name))
        record.streamed = True
        return call


def _of(usage: Usage, response_id: str | None) -> Usage:
    return msgspec.structs.replace(usage, response_id=response_id)
