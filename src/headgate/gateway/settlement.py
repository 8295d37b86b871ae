"""What a call used and what that costs, written into its record."""

from __future__ import annotations

from fnmatch import fnmatchcase

import msgspec
from msgspec.structs import replace

from headgate.gateway.cache.found import Found
from headgate.gateway.call import Call
from headgate.gateway.endpoints import StreamReader, Usage
from headgate.gateway.lost import Lost
from headgate.gateway.request import Request
from headgate.ledger.cost import total_cost_nanousd
from headgate.ledger.prices import PriceList
from headgate.ledger.record import CallRecord

BYTES_PER_TOKEN = 4
"""Of English text, roughly; used where a call was not told what it used, and for limits."""


class Estimate(msgspec.Struct, frozen=True, gc=False):
    """What an answer looks like, for where its provider does not say what it used."""

    output_tokens: int
    wrote: bool
    """Whether something is written there: then it is not believed to have no tokens."""


_SILENT = Estimate(0, wrote=False)


class Settlement:
    """Settles calls by one price list."""

    def __init__(self, prices: PriceList) -> None:
        self._prices = prices

    def note(
        self, call: Call, request: Request, usage: Usage, estimate: Estimate = _SILENT
    ) -> None:
        """Write what the provider said was used, and its cost.

        Where it said nothing, or nothing that can be, the tokens are estimated: the input's by its
        size, the output's by `estimate`.
        """
        record = call.record
        record.model_answered = usage.model or (call.target.model if call.target else "") or None
        kept = usage.response_id is not None and request.endpoint.keeps(request.fields)
        record.response_id = usage.response_id if kept else None
        call.item_ids = usage.item_ids
        _note_used(record, usage)
        if usage.goes_on and usage.response_id is not None:
            call.goes_on = True
            return
        free = bool(request.endpoint.free_models) and _is_free(_model(call), request)
        if request.endpoint.counts_text and not free:
            _fill(record, request, estimate)
        if record.cached_tokens:
            record.cached_tokens = _part(record.cached_tokens, record.input_tokens)
        if record.reasoning_tokens:
            record.reasoning_tokens = _part(record.reasoning_tokens, record.output_tokens)
        if free and call.target is not None:
            record.cost_nanousd, record.price_version = 0, "free"
        else:
            self._price(call, request, usage)

    def note_stream(self, call: Call, request: Request, reader: StreamReader) -> None:
        """Write what a stream used, or about what it did where it ended before it said."""
        if reader.usage is not None:
            estimate = Estimate(reader.events, wrote=reader.first_token_seen)
            self.note(call, request, reader.usage, estimate)
        else:
            self._estimate(call, request, output_tokens=reader.events)

    def note_kept(self, call: Call, found: Found) -> None:
        """Write what an answer from the cache used when a model gave it, and that it costs nothing.

        Attempts that went before a stale answer keep the cost that they may have had.
        """
        entry, usage, record = found.entry, found.entry.usage, call.record
        record.cache = found.state
        record.status = 200
        record.error_class = None
        record.saved_nanousd = entry.cost_nanousd
        record.simulated = entry.simulated
        record.model_answered = usage.model
        if record.tokens_estimated:
            return
        _note_used(record, usage)
        record.cost_nanousd, record.price_version = 0, "cache"

    def settle_failure(self, call: Call, request: Request) -> None:
        """Write the cost of a call that was not answered: that of the attempts that were lost."""
        call.record.cost_nanousd = 0
        self.add_lost(call, request)

    def add_lost(self, call: Call, request: Request) -> None:
        """Add to the record what the attempts may cost whose answers were not used.

        Where the call was answered they are taken to have used as much as that answer, but for
        streams, of which a provider charges what it wrote until they were broken off: here nothing.
        Else the input is estimated by its size.
        """
        if not call.lost:
            return
        lost, call.lost = call.lost, ()
        record = call.record
        input_tokens = record.input_tokens
        if input_tokens is None:
            input_tokens = _size_bytes(request) // BYTES_PER_TOKEN + 1
        output_tokens = 0 if request.streamed else record.output_tokens or 0
        costs = [record.cost_nanousd]
        trail = {attempt.number: attempt for attempt in record.trail}
        for one in lost:
            cost = self._cost_of(one, call, request, input_tokens, output_tokens)
            costs.append(cost)
            if one.number in trail:
                trail[one.number] = replace(
                    trail[one.number],
                    input_tokens=input_tokens,
                    output_tokens=output_tokens,
                    cost_nanousd=cost,
                )
        record.trail = tuple(trail.values())
        record.tokens_estimated = True
        record.input_tokens = (record.input_tokens or 0) + len(lost) * input_tokens
        record.output_tokens = (record.output_tokens or 0) + len(lost) * output_tokens
        record.cost_nanousd = total_cost_nanousd(costs)

    def _cost_of(
        self, lost: Lost, call: Call, request: Request, input_tokens: int, output_tokens: int
    ) -> int | None:
        record, model = call.record, lost.target.model
        if _is_free(model, request):
            return 0
        provider = lost.target.provider
        price = self._prices.price_of(
            provider.price_list, provider.price_address, model, record.service_tier
        )
        if price is None:
            return None
        record.price_version = record.price_version or price.version
        return price.cost_nanousd(input_tokens=input_tokens, output_tokens=output_tokens)

    def _estimate(self, call: Call, request: Request, *, output_tokens: int) -> None:
        call.record.tokens_estimated = True
        self.note(
            call,
            request,
            Usage(
                input_tokens=_size_bytes(request) // BYTES_PER_TOKEN + 1,
                output_tokens=output_tokens,
            ),
        )

    def _price(self, call: Call, request: Request, usage: Usage) -> None:
        record, target = call.record, call.target
        if target is None:
            return
        model = record.model_answered or target.model
        if not model:
            return
        provider, tier = target.provider, record.service_tier
        price = self._prices.price_of(provider.price_list, provider.price_address, model, tier)
        if price is None and model != target.model:
            price = self._prices.price_of(
                provider.price_list, provider.price_address, target.model, tier
            )
        if price is None or record.input_tokens is None or request.second_model is not None:
            return  # what a second model used is told by nobody
        record.price_version = price.version
        if not (
            record.cached_tokens
            or record.cache_write_tokens
            or record.input_audio_tokens
            or record.output_audio_tokens
            or usage.input_image_tokens
            or usage.output_image_tokens
        ):
            record.cost_nanousd = price.text_nanousd(record.input_tokens, record.output_tokens or 0)
            return
        record.cost_nanousd = price.cost_nanousd(
            input_tokens=record.input_tokens,
            cached_tokens=record.cached_tokens or 0,
            cache_write_tokens=record.cache_write_tokens or 0,
            output_tokens=record.output_tokens or 0,
            input_audio_tokens=record.input_audio_tokens or 0,
            output_audio_tokens=record.output_audio_tokens or 0,
            input_image_tokens=usage.input_image_tokens or 0,
            output_image_tokens=usage.output_image_tokens or 0,
            cached_audio_tokens=usage.cached_audio_tokens or 0,
        )


def _note_used(record: CallRecord, usage: Usage) -> None:
    record.service_tier = usage.service_tier
    record.input_tokens = usage.input_tokens
    record.cached_tokens = usage.cached_tokens
    record.cache_write_tokens = usage.cache_write_tokens
    record.output_tokens = usage.output_tokens
    record.reasoning_tokens = usage.reasoning_tokens
    record.input_audio_tokens = usage.input_audio_tokens
    record.output_audio_tokens = usage.output_audio_tokens


def _fill(record: CallRecord, request: Request, estimate: Estimate) -> None:
    """Estimate what the provider did not say, or said to be nothing that isn't nothing.

    No prompt is nothing. A server that doesn't count says 0 of both.
    """
    said_nothing = record.output_tokens is None
    if not record.input_tokens:
        record.tokens_estimated = True
        record.input_tokens = _size_bytes(request) // BYTES_PER_TOKEN + 1
        said_nothing = not record.output_tokens
    if said_nothing or (estimate.wrote and not record.output_tokens):
        generates = request.endpoint.generates
        record.tokens_estimated = record.tokens_estimated or generates
        record.output_tokens = estimate.output_tokens if generates else 0


def _part(part: int, whole: int | None) -> int:
    """A part is no more than its whole, whatever a provider says."""
    return part if whole is None else min(part, whole)


def _model(call: Call) -> str:
    return call.record.model_answered or (call.target.model if call.target else "")


def _is_free(model: str, request: Request) -> bool:
    patterns = request.endpoint.free_models
    return bool(patterns) and any(fnmatchcase(model, pattern) for pattern in patterns)


def _size_bytes(request: Request) -> int:
    return sum(len(bytes(value)) for value in request.fields.values())
