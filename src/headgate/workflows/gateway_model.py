"""The model of a run: the same gateway, called from within this process."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec

from headgate.errors import UpstreamFailedError
from headgate.gateway.call import Call, Headers, LastWords, Refusal
from headgate.gateway.endpoints import ENDPOINTS
from headgate.gateway.gateway import Gateway
from headgate.gateway.request import read_request
from headgate.workflows.model import ModelReply, ModelRequest


class GatewayModel:
    """Answers a run's requests through `Gateway.carry`, as it answers an application's."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def complete(self, request: ModelRequest) -> ModelReply:
        """See `workflows.model.Model`."""
        call = Call(
            request.caller, request.endpoint, trace_id=request.trace_id, parent=request.parent
        )
        call.forwarded = b"".join(b"%b: %b\r\n" % header for header in request.headers)
        call.from_run = True
        call.rungs_up = request.asked_before
        call.priority = request.priority
        call.no_store = request.no_store
        record = call.record
        if request.untrusted:
            call.trust = "untrusted"
        call.users_vouched = request.users_vouched
        call.retrieved = request.retrieved
        record.workflow = request.workflow
        record.run_id = request.run_id
        record.feature = request.feature
        record.user_hash = request.user_hash
        asked = read_request(ENDPOINTS[request.endpoint], request.body)
        asked.prompt_cache_key = request.prompt_cache_key
        record.model_requested = asked.model
        waiting = _Waiting()
        await self._gateway.carry(call, asked, waiting)
        return ModelReply(
            call_id=record.id,
            status=record.status,
            body=waiting.body,
            latency_us=record.latency_us,
            attempts=record.attempts,
            target=call.target.name.decode() if call.target else None,
            model_answered=record.model_answered,
            input_tokens=record.input_tokens,
            cached_tokens=record.cached_tokens,
            cache_write_tokens=record.cache_write_tokens,
            output_tokens=record.output_tokens,
            reasoning_tokens=record.reasoning_tokens,
            simulated=record.simulated,
            cost_nanousd=record.cost_nanousd,
            cache=record.cache,
            guards=record.guards,
            disown=self._disown(call),
        )

    def _disown(self, call: Call) -> Callable[[], None] | None:
        cache, ask = self._gateway.cache, call.ask
        return None if cache is None or ask is None else partial(cache.forget, ask)


class _Waiting:
    """The client of a call that a run makes; it asks for whole replies only."""

    __slots__ = ("body", "gone")

    def __init__(self) -> None:
        self.body = b""
        self.gone = False

    async def begin(self, status: int, headers: Headers) -> None:  # noqa: ARG002 - never happens
        raise UpstreamFailedError("The provider streamed a reply that was not to be streamed.")

    async def write(self, data: bytes) -> None:
        raise NotImplementedError

    async def finish(self, last: LastWords | Refusal) -> None:
        if isinstance(last, Refusal):
            self.body = msgspec.json.encode({"error": last.error.as_object()})
        else:
            self.body = last.body
