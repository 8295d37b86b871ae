"""What a batch cost, recorded once: when it is first seen to have ended.

A batch runs at the provider for hours after the request that began it was recorded. What it used is
told by the batch itself, to whoever asks for it; so the first request of its project that is shown
its end leaves a record of its own, at the prices of the service tier `batch`. One that nobody looks
at again is never recorded.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from headgate.errors import DatabaseUnavailableError
from headgate.gateway.call import Call
from headgate.gateway.endpoints.endpoint import TokenCount
from headgate.gateway.objects.register import ObjectRegister
from headgate.gateway.provider import Provider
from headgate.ledger.prices import PriceList
from headgate.ledger.record import CallRecord
from headgate.ledger.writer import LedgerWriter
from headgate.storage.identifiers import new_id
from headgate.telemetry.traces.lineage import under

ENDPOINT = "batches/usage"
"""What the ledger calls such a record."""

TIER = "batch"

_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})


class _Details(msgspec.Struct):
    cached_tokens: TokenCount | None = None
    reasoning_tokens: TokenCount | None = None


class _Usage(msgspec.Struct):
    input_tokens: TokenCount = 0
    output_tokens: TokenCount = 0
    input_tokens_details: _Details | None = None
    output_tokens_details: _Details | None = None


class _Batch(msgspec.Struct):
    id: str
    status: str
    usage: _Usage
    model: str | None = None


class BatchSettlement:
    """Records what batches used."""

    def __init__(self, register: ObjectRegister, prices: PriceList, writer: LedgerWriter) -> None:
        self._register = register
        self._prices = prices
        self._writer = writer

    async def note(
        self, call: Call, provider: Provider, shown: Iterable[Mapping[str, Any]]
    ) -> None:
        """Record those of the project's batches that are `shown` to have ended and used something.

        Raises `DatabaseUnavailableError`.
        """
        for one in shown:
            if one.get("object") != "batch" or one.get("status") not in _ENDED:
                continue
            try:
                batch = msgspec.convert(one, _Batch)
            except msgspec.ValidationError:
                continue
            if batch.usage.input_tokens or batch.usage.output_tokens:
                await self._settle(call, provider, batch)

    async def _settle(self, call: Call, provider: Provider, batch: _Batch) -> None:
        project = call.caller.project
        if self._writer.full:
            raise DatabaseUnavailableError("What a batch used can't be recorded now; try again.")
        key_id = await self._register.settle("batch", batch.id, project)
        if key_id is None:
            return
        usage = batch.usage
        cached = (usage.input_tokens_details or _Details()).cached_tokens
        reasoned = (usage.output_tokens_details or _Details()).reasoning_tokens
        record = CallRecord(
            id=new_id("call"),
            started_at_us=time.time_ns() // 1000,
            project=project,
            key_id=key_id,
            endpoint=ENDPOINT,
            feature=call.record.feature,
            provider=provider.name,
            provider_key=call.record.provider_key,
            model_answered=batch.model,
            status=200,
            input_tokens=usage.input_tokens,
            cached_tokens=cached,
            output_tokens=usage.output_tokens,
            reasoning_tokens=reasoned,
            service_tier=TIER,
            trace_id=call.record.trace_id,
            parent=under(call.record.id, call.record.parent),
            simulated=provider.simulated or call.record.simulated,
        )
        price = batch.model and self._prices.price_of(
            provider.price_list, provider.price_address, batch.model, TIER
        )
        if price:
            record.price_version = price.version
            record.cost_nanousd = price.cost_nanousd(
                input_tokens=usage.input_tokens,
                cached_tokens=cached or 0,
                output_tokens=usage.output_tokens,
            )
        self._writer.append(record)
