"""Vectors for the cache, asked for as every call is: through the gateway, recorded and paid for."""

from __future__ import annotations

import asyncio

import msgspec

from headgate.gateway.cache.semantic.index import Vector
from headgate.gateway.call import Call
from headgate.gateway.endpoints import ENDPOINTS
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.gateway import Gateway
from headgate.gateway.own_calls.client import InnerClient, inner_call
from headgate.gateway.request import read_request


class _Vector(msgspec.Struct):
    embedding: list[float]


class _Reply(msgspec.Struct):
    data: list[_Vector]


_reply = msgspec.json.Decoder(_Reply)


class GatewayEmbedder:
    """Asks the route or model that the operator named."""

    def __init__(self, model: str, timeout_s: float) -> None:
        self._model = model
        self._timeout_s = timeout_s
        self.gateway: Gateway | None = None
        """Set once there is one; it has the cache, which has this."""

    async def embed(self, call: Call, text: str) -> Vector | None:
        """See `cache.semantic.similar.Embedder`; the call's run pays for it."""
        if self.gateway is None:
            return None
        asking = inner_call(call, "embeddings", self._model)
        body = msgspec.json.encode(
            {"model": self._model, "input": text, "encoding_format": "float"}
        )
        request = read_request(ENDPOINTS["embeddings"], body)
        waiting = InnerClient()
        try:
            async with asyncio.timeout(self._timeout_s):
                await self.gateway.carry(asking, request, waiting)
            return (
                _reply.decode(waiting.body).data[0].embedding
                if asking.record.status == 200
                else None
            )
        except (TimeoutError, IndexError, *UNREADABLE):
            return None
