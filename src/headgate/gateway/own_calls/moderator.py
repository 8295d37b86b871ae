"""Judgements for guards, asked for as every call is: through the gateway, recorded and paid for."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from headgate.checks.guards.guard import Guarded
from headgate.checks.guards.moderation import Judgement
from headgate.errors import UpstreamFailedError
from headgate.gateway.call import Call
from headgate.gateway.endpoints import ENDPOINTS
from headgate.gateway.gateway import Gateway
from headgate.gateway.own_calls.client import InnerClient, inner_call
from headgate.gateway.request import read_request


class _Result(msgspec.Struct):
    flagged: bool
    category_scores: dict[str, float | None] = {}
    categories: dict[str, bool | None] = {}


class _Reply(msgspec.Struct):
    results: list[_Result]


_reply = msgspec.json.Decoder(_Reply)


class GatewayModerator:
    """Asks the route or model that the guard names."""

    def __init__(self) -> None:
        self.gateway: Gateway | None = None
        """Set once there is one; it has the guards, which have this."""

    async def judge(self, texts: Sequence[str], model: str, call: Guarded) -> list[Judgement]:
        """See `checks.guards.moderation.Moderator`; the guarded call's project pays."""
        origin = call.origin
        if self.gateway is None or not isinstance(origin, Call):
            raise UpstreamFailedError("There is no gateway to ask.")
        asking = inner_call(origin, "moderations", model)
        body = msgspec.json.encode({"model": model, "input": list(texts)})
        waiting = InnerClient()
        await self.gateway.carry(asking, read_request(ENDPOINTS["moderations"], body), waiting)
        if (status := asking.record.status) != 200:
            raise UpstreamFailedError(f"The moderation endpoint answered {status}.")
        return [
            Judgement(
                result.flagged,
                {
                    name: score
                    for name, score in result.category_scores.items()
                    if score is not None
                },
                frozenset(name for name, is_hit in result.categories.items() if is_hit),
            )
            for result in _reply.decode(waiting.body).results
        ]
