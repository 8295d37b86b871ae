"""Realtime sessions from end to end: admit, open at a target of the route, carry, settle."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec

from headgate.config.sockets import SocketSettings
from headgate.errors import HeadgateError, UpstreamFailedError
from headgate.gateway.attempts.attempt import Whole
from headgate.gateway.attempts.dispatch import Dispatcher
from headgate.gateway.call import Call, Headers, Refusal
from headgate.gateway.endpoints.chat import failure_code
from headgate.gateway.endpoints.realtime import REALTIME
from headgate.gateway.gateway import Gateway
from headgate.gateway.realtime.calls import SessionCalls
from headgate.gateway.realtime.context import Context
from headgate.gateway.realtime.guarded_session import GuardedSession
from headgate.gateway.realtime.opening import Opened
from headgate.gateway.realtime.relay import Peer, Relay
from headgate.gateway.reply_headers import call_headers, refusal
from headgate.gateway.request import Request
from headgate.gateway.settlement import Settlement
from headgate.gateway.spending import Spending

_JSON = b"application/json"


class Session:
    """A session that has been opened at a provider and not yet joined to its client."""

    def __init__(self, relay: Relay, first: bytes, headers: Headers) -> None:
        self._relay = relay
        self._first = first
        self.headers = headers
        """What the client's handshake is answered with."""

    async def run(self) -> None:
        """Carry it to its end."""
        await self._relay.run(self._first)


class ProviderRefusal(msgspec.Struct, frozen=True):
    """A provider's own answer to a handshake that it refused."""

    status: int
    body: bytes
    headers: Headers


class RealtimeCarrier:
    """Opens and carries realtime sessions."""

    def __init__(
        self,
        gateway: Gateway,
        dispatcher: Dispatcher,
        settlement: Settlement,
        spending: Spending | None,
        settings: SocketSettings,
    ) -> None:
        """`dispatcher` opens sessions as `opening.SessionOpener` does."""
        self._gateway = gateway
        self._dispatcher = dispatcher
        self._settlement = settlement
        self._spending = spending
        self._settings = settings

    async def open(
        self,
        call: Call,
        model: str,
        query: str,
        peer: Peer,
        session: dict[str, Any] | None,
        standing: Callable[[], Awaitable[object]],
    ) -> Session | Refusal | ProviderRefusal:
        """Open a session for `peer`; a refusal has left its record.

        `query` is what the provider is told beside the model, `session` what it is set to before
        the client can say anything. `standing` raises once the client may no longer use it.
        """
        fields = {"query": msgspec.Raw(msgspec.json.encode(query))}
        request = Request(REALTIME, fields, model, streamed=True)
        call.record.model_requested = model[:256]
        call.record.streamed = True
        try:
            targets = self._gateway.admit(call, request)
            guarding = self._gateway.conversation_guards(call, request)
            answer = await self._dispatcher.dispatch(call, request, targets)
        except HeadgateError as error:
            told: Refusal | ProviderRefusal = refusal(call, error)
        else:
            if isinstance(answer, Opened) and answer.socket is not None:
                context = Context()
                call.record.upstream_request_id = _text(answer.reply.header(b"x-request-id"))
                request = Request(REALTIME, {}, model, streamed=True)
                guards = None if guarding is None else GuardedSession(guarding)
                calls = SessionCalls(
                    call, request, context, self._gateway, self._settlement, self._spending, guards
                )
                relay = Relay(
                    call,
                    peer,
                    answer.socket,
                    calls,
                    context,
                    self._settings,
                    session,
                    standing,
                    partial(self._dispatcher.broke_off, call),
                    guards,
                )
                return Session(relay, answer.body, call_headers(call))
            if isinstance(answer, Whole):
                call.record.status = answer.reply.status
                call.record.error_class = failure_code(answer.body)
                headers = [*call_headers(call), (b"content-type", _JSON)]
                told = ProviderRefusal(answer.reply.status, answer.body, headers)
            else:
                told = refusal(call, UpstreamFailedError())
        call.record.cost_nanousd = 0
        await self._gateway.record(call)
        return told


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")[:128]
