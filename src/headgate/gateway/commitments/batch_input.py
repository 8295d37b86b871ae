"""What a batch may cost at worst: its input file is read, line by line, before it is begun.

By size first, as for calls: no text has more tokens than bytes. Where a budget does not hold that,
the file is read again and its tokens are counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote

import msgspec

from headgate.config.allowances import AllowanceSettings
from headgate.config.failures import BreakerSettings
from headgate.errors import HeadgateError, InvalidRequestError
from headgate.gateway.call import Call
from headgate.gateway.endpoints import ENDPOINTS
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.health.health import TargetHealth
from headgate.gateway.objects.asking import Addressee
from headgate.gateway.provider import Provider
from headgate.gateway.request import read_request
from headgate.gateway.spending import Spending
from headgate.gateway.target import Target
from headgate.gateway.upstream import RequestBody, UpstreamError
from headgate.gateway.worst_case import WorstCase
from headgate.ledger.allowances.refusal import RuleBudgetExceededError
from headgate.ledger.allowances.rule import nanousd
from headgate.ledger.prices import PriceList

_MAX_LINE_BYTES = 16 * 1024 * 1024
_TIER = msgspec.Raw(b'"batch"')


class _Begun(msgspec.Struct):
    input_file_id: str


class _Line(msgspec.Struct):
    url: str = ""
    body: msgspec.Raw = msgspec.Raw(b"{}")


class Bound(msgspec.Struct):
    """What the lines of a file may cost together at worst."""

    nanousd: int = 0
    dearest_nanousd: int = 0
    """What one of them may cost."""
    lines: int = 0


class BatchInput:
    """Reserves for batches."""

    def __init__(self, spending: Spending, prices: PriceList, settings: AllowanceSettings) -> None:
        self._spending = spending
        self._prices = prices
        self._assumed_output_tokens = settings.assumed_output_tokens
        self._declared_nanousd = None
        if settings.assumed_batch_usd is not None:
            self._declared_nanousd = nanousd(settings.assumed_batch_usd)

    async def reserve(self, call: Call, addressee: Addressee, body: bytes | RequestBody) -> None:
        """Reserve what the batch may cost that `body` begins at `addressee`.

        Raises what `Spending.reserve` does, and `InvalidRequestError` where nobody can say what
        it may cost and a budget needs to know.
        """
        if not isinstance(body, bytes) or not self._spending.counts_money(call):
            return
        try:
            file_id = msgspec.json.decode(body, type=_Begun).input_file_id
        except UNREADABLE:
            return  # the provider says what is wrong with it
        bound = await self._bound(addressee, file_id, counting=False)
        if bound is None and self._declared_nanousd is not None:
            bound = Bound(self._declared_nanousd)
        if bound is None:
            if rules := self._spending.unpriced_refused(call):
                raise _unknown(rules[0])
            return
        try:
            await self._reserve(call, bound)
        except RuleBudgetExceededError:
            closer = await self._bound(addressee, file_id, counting=True)
            if closer is None or closer.nanousd >= bound.nanousd:
                raise
            await self._reserve(call, closer)

    async def _reserve(self, call: Call, bound: Bound) -> None:
        await self._spending.reserve_batch(
            call, worst_nanousd=bound.nanousd, dearest_nanousd=bound.dearest_nanousd
        )

    async def _bound(self, addressee: Addressee, file_id: str, *, counting: bool) -> Bound | None:
        """The worst case of the file's lines; None where it or a price of them is not known."""
        bound, provider = Bound(), addressee.provider
        try:
            async for lines in _lines(addressee, file_id):
                if counting:
                    known = await asyncio.to_thread(
                        self._add, bound, provider, lines, counting=True
                    )
                else:
                    known = self._add(bound, provider, lines, counting=False)
                    # A file of many lines must not hold up every other call.
                    await asyncio.sleep(0)
                if not known:
                    return None
        except (UpstreamError, HeadgateError):
            return None
        return bound

    def _add(self, bound: Bound, provider: Provider, lines: list[bytes], *, counting: bool) -> bool:
        for line in lines:
            if not line.strip():
                continue
            cost = self._line_nanousd(provider, line, counting=counting)
            if cost is None:
                return False
            bound.lines += 1
            bound.nanousd += cost
            bound.dearest_nanousd = max(bound.dearest_nanousd, cost)
        return True

    def _line_nanousd(self, provider: Provider, line: bytes, *, counting: bool) -> int | None:
        try:
            asked = msgspec.json.decode(line, type=_Line)
        except UNREADABLE:
            return 0  # the provider runs nothing for it
        endpoint = ENDPOINTS.get(asked.url.removeprefix("/v1/"))
        if endpoint is None:
            return None
        try:
            request = read_request(endpoint, bytes(asked.body))
        except HeadgateError:
            return 0
        target = Target(provider, request.model, None, TargetHealth("", BreakerSettings()))
        # Where a batch has no price of its own, the standard one is no less.
        for tier in (_TIER, None):
            if tier is None:
                request.fields.pop("service_tier", None)
            else:
                request.fields["service_tier"] = tier
            worst = WorstCase(request, (target,), self._prices, self._assumed_output_tokens)
            if worst.by_size.nanousd is not None:
                return worst.counted().nanousd if counting else worst.by_size.nanousd
        return None


async def _lines(addressee: Addressee, file_id: str) -> AsyncIterator[list[bytes]]:
    """The file's lines, some at a time. Raises `UpstreamError` or `HeadgateError`."""
    provider = addressee.provider
    key = await provider.let_in(addressee.key)
    path = f"/files/{quote(file_id, safe='')}/content"
    reply = await provider.upstream.send(
        provider.origin,
        b"GET",
        provider.path(path.encode()),
        key.bare_headers,
        b"",
        provider.patient,
    )
    rest = b""
    try:
        if reply.status != 200:
            raise UpstreamError("protocol", "the file's content is not shown")
        while data := await reply.next_chunk():
            *lines, rest = (rest + data).split(b"\n")
            if len(rest) > _MAX_LINE_BYTES:
                raise UpstreamError("too_large", "a line is too long")
            yield lines
        yield [rest]
    finally:
        reply.abort()


def _unknown(rule: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"What this batch may cost is not known, so `{rule}` can't be kept: its input file can't be"
        " read here, or names a model without a price. An operator can name a price under `prices`,"
        " or set `allowances.assumed_batch_usd`.",
        param="input_file_id",
        code="unpriced_batch",
    )
