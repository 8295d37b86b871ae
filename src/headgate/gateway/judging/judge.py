"""Asks a model whether a text is an attack, as every call is made: recorded and paid for."""

from __future__ import annotations

import asyncio

from headgate.checks.guards.guard import Guarded
from headgate.config.guards import JudgeSettings
from headgate.errors import UpstreamFailedError, UpstreamTimeoutError
from headgate.gateway.call import Call
from headgate.gateway.endpoints import ENDPOINTS
from headgate.gateway.gateway import Gateway
from headgate.gateway.grading.memory import GradeMemory
from headgate.gateway.judging import question
from headgate.gateway.own_calls.client import InnerClient, inner_call
from headgate.gateway.request import read_request

FEATURE = "headgate:judge"
"""What the cost of such a call is for, in the ledger."""

_ENDPOINT = "chat/completions"


class GatewayJudge:
    """Asks the model or route that a guard names."""

    def __init__(self) -> None:
        self.gateway: Gateway | None = None
        """Set once there is one; it has the guards, which have this."""
        self._memories: dict[str, GradeMemory] = {}
        """Scores given before, as text, for each model that judges."""

    async def score(self, piece: str, settings: JudgeSettings, call: Guarded) -> int:
        """See `checks.guards.panel.InjectionJudge`; the guarded call's project pays."""
        memory = self._memories.get(settings.model)
        if memory is None:
            memory = self._memories[settings.model] = GradeMemory(settings.remember)
        known = memory.recall(call.project, piece)
        if known is not None:
            return int(known)
        found = await self._asked(piece, settings, call)
        memory.keep(str(found), call.project, piece)
        return found

    async def _asked(self, piece: str, settings: JudgeSettings, call: Guarded) -> int:
        origin = call.origin
        if self.gateway is None or not isinstance(origin, Call):
            raise UpstreamFailedError("There is no gateway to ask.")
        asking = inner_call(origin, _ENDPOINT, settings.model)
        asking.priority = origin.priority
        asking.record.feature = FEATURE
        request = read_request(ENDPOINTS[_ENDPOINT], question.body(piece, settings))
        waiting = InnerClient()
        try:
            async with asyncio.timeout(settings.timeout_s):
                await self.gateway.carry(asking, request, waiting)
        except TimeoutError:
            raise UpstreamTimeoutError("The judge took too long.") from None
        if (status := asking.record.status) != 200:
            raise UpstreamFailedError(f"The judge answered {status}.")
        found = question.score(waiting.body)
        if found is None:
            raise UpstreamFailedError("The judge gave no score.")
        return found
