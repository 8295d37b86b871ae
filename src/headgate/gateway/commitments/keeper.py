"""Keeps what was begun here until it ends: notes it, sees its end in replies, settles it once.

Whoever is shown the end first settles it: a client that asks, or `watch`, which asks by itself.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from random import random
from typing import Any

from headgate.errors import DatabaseUnavailableError
from headgate.gateway.call import Call
from headgate.gateway.commitments.outcome import outcome_of
from headgate.gateway.provider import Provider
from headgate.gateway.spending import Spending
from headgate.ledger.commitments.commitment import LATER, Commitment, Due, Kind, Outcome, Used
from headgate.ledger.commitments.store import CommitmentStore, Settled
from headgate.ledger.prices import PriceList
from headgate.ledger.record import CallRecord
from headgate.ledger.writer import LedgerWriter
from headgate.storage.identifiers import new_id
from headgate.storage.threads import StorageThreads

_MAX_REMEMBERED = 10_000

RESERVED = "reserved"
"""Stands in place of a price's version where a cost is what had been reserved."""


class CommitmentKeeper:
    """The commitments of one server, as one process meets them."""

    def __init__(
        self,
        store: CommitmentStore,
        threads: StorageThreads,
        prices: PriceList,
        providers: Mapping[str, Provider],
        writer: LedgerWriter,
        spending: Spending | None,
    ) -> None:
        self._store = store
        self._threads = threads
        self._prices = prices
        self.providers = providers
        self._writer = writer
        self._spending = spending
        self._settled: OrderedDict[tuple[Kind, str, str], None] = OrderedDict()

    async def begun(self, call: Call, kind: Kind, object_id: str, *, model: str | None) -> None:
        """`call` has begun something: what it reserved is held until that ends.

        Raises `DatabaseUnavailableError`; then what was reserved counts as spent.
        """
        record = call.record
        held = () if self._spending is None else self._spending.hand_over(call)
        money = [one.amount for one in held if one.measure == "nanousd"]
        reserved_nanousd = max(money, default=call.worst_nanousd)
        record.cost_nanousd, record.price_version = 0, LATER
        commitment = Commitment(
            kind=kind,
            object_id=object_id,
            provider=record.provider or "",
            provider_key=record.provider_key,
            project=record.project,
            key_id=record.key_id,
            feature=record.feature,
            user_hash=record.user_hash,
            workflow=record.workflow,
            run_id=record.run_id,
            route=record.route,
            model=model,
            trace_id=record.trace_id,
            simulated=record.simulated,
            held=held,
            reserved_nanousd=reserved_nanousd,
        )
        try:
            await self._threads.run(self._store.make, commitment, random())  # noqa: S311 - spreads looks
        except DatabaseUnavailableError:
            # What is held stays taken, and is seen to be spent.
            record.cost_nanousd, record.price_version = reserved_nanousd, RESERVED
            record.tokens_estimated = True
            raise

    async def seen(self, kind: Kind, provider: str, shown: Sequence[Mapping[str, Any]]) -> None:
        """Settle those of the objects that are `shown` to have ended.

        Raises `DatabaseUnavailableError`.
        """
        ended: dict[str, Outcome] = {}
        for one in shown:
            object_id, outcome = one.get("id"), outcome_of(kind, one)
            if outcome is None or not isinstance(object_id, str):
                continue
            if (kind, provider, object_id) not in self._settled:
                ended[object_id] = outcome
        if not ended:
            return
        for commitment in await self.going_on(kind, provider, list(ended)):
            await self.ended(commitment, ended[commitment.object_id])
        for object_id in ended:
            self._note_settled(kind, provider, object_id)

    async def going_on(
        self, kind: Kind, provider: str, object_ids: Sequence[str]
    ) -> list[Commitment]:
        """Those of the objects that are not settled. Raises `DatabaseUnavailableError`."""
        return await self._threads.run(self._store.going_on, kind, provider, object_ids)

    async def claim(self) -> list[Due]:
        """Those that are for this process to ask after. Raises `DatabaseUnavailableError`."""
        return await self._threads.run(self._store.claim, random())  # noqa: S311 - spreads looks

    async def look_again(self, due: Due) -> None:
        """It goes on, or could not be asked after. Raises `DatabaseUnavailableError`."""
        await self._threads.run(self._store.look_again, due, random())  # noqa: S311 - spreads looks

    async def forget_old(self) -> None:
        """Forget what was settled long ago. Raises `DatabaseUnavailableError`."""
        await self._threads.run(self._store.forget_old)

    async def ended(self, commitment: Commitment, outcome: Outcome) -> None:
        """Settle it, unless that was done. Raises `DatabaseUnavailableError`."""
        record = await self._threads.run(
            self._store.settle,
            commitment,
            outcome.status,
            lambda: self._settled_by(commitment, outcome),
        )
        if record is not None:
            self._writer.note_written(record)

    def _note_settled(self, kind: Kind, provider: str, object_id: str) -> None:
        self._settled[kind, provider, object_id] = None
        if len(self._settled) > _MAX_REMEMBERED:
            self._settled.popitem(last=False)

    def _settled_by(self, commitment: Commitment, outcome: Outcome) -> Settled:
        used = outcome.used
        record = _record(commitment, outcome)
        if used is None:
            # It is not free because nobody says what it used: the worst case stands for it.
            record.cost_nanousd = commitment.reserved_nanousd
            record.price_version = RESERVED
            record.tokens_estimated = True
            return Settled(record, commitment.reserved_nanousd, None)
        if not used.input_tokens and not used.output_tokens:
            return Settled(None, 0, 0)
        self._price(record, commitment, outcome)
        tokens = (used.input_tokens or 0) + (used.output_tokens or 0)
        return Settled(record, record.cost_nanousd, tokens)

    def _price(self, record: CallRecord, commitment: Commitment, outcome: Outcome) -> None:
        provider = self.providers.get(commitment.provider)
        if provider is None:
            return
        used = outcome.used or Used()
        for model in dict.fromkeys((outcome.model, commitment.model)):
            price = model and self._prices.price_of(
                provider.price_list, provider.price_address, model, outcome.service_tier
            )
            if price:
                record.price_version = price.version
                record.cost_nanousd = price.cost_nanousd(
                    input_tokens=used.input_tokens or 0,
                    cached_tokens=used.cached_tokens or 0,
                    output_tokens=used.output_tokens or 0,
                )
                return


def _record(commitment: Commitment, outcome: Outcome) -> CallRecord:
    used = outcome.used or Used()
    failed = outcome.status not in ("completed", "incomplete")
    return CallRecord(
        id=new_id("call"),
        started_at_us=time.time_ns() // 1000,
        project=commitment.project,
        key_id=commitment.key_id,
        endpoint=commitment.endpoint,
        feature=commitment.feature,
        user_hash=commitment.user_hash,
        workflow=commitment.workflow,
        run_id=commitment.run_id,
        route=commitment.route,
        model_requested=commitment.model,
        provider=commitment.provider,
        provider_key=commitment.provider_key,
        model_answered=outcome.model,
        status=200,
        error_class=f"{commitment.kind}_{outcome.status}"[:64] if failed else None,
        input_tokens=used.input_tokens,
        cached_tokens=used.cached_tokens,
        output_tokens=used.output_tokens,
        reasoning_tokens=used.reasoning_tokens,
        service_tier=outcome.service_tier,
        response_id=commitment.object_id if commitment.kind == "response" else None,
        trace_id=commitment.trace_id,
        simulated=commitment.simulated,
    )
