"""What stands between a call and its targets where limits and budgets apply: reserve, then settle.

Where none is configured the gateway has no `Spending` at all.
"""

from __future__ import annotations

import asyncio
import contextlib

import msgspec

from headgate.config.allowances import AllowanceSettings
from headgate.errors import HeadgateError, UnsupportedError
from headgate.gateway.call import Call, Headers
from headgate.gateway.capabilities import able_targets
from headgate.gateway.following import follow
from headgate.gateway.request import Request
from headgate.gateway.routing import Routing
from headgate.gateway.target import Target
from headgate.gateway.worst_case import Turn, stated_output, worst_call, worst_turn
from headgate.ledger.allowances import refusal
from headgate.ledger.allowances.allowances import Allowances
from headgate.ledger.allowances.applied import Applied, Told
from headgate.ledger.allowances.claim import NOTHING, Used, of_money
from headgate.ledger.allowances.held import Held
from headgate.ledger.allowances.reservation import Reservation
from headgate.ledger.allowances.rule import Rule
from headgate.ledger.allowances.share import Share
from headgate.ledger.prices import PriceList

_CAP_FIELDS = {"chat/completions": "max_completion_tokens", "responses": "max_output_tokens"}

_OF_ANY_MODEL = ("chat/completions", "responses")
"""The endpoints that a cheaper route can stand in for: another model's vectors, sounds and verdicts
are no cheaper ones of the same kind, and a model that writes text answers there with 404."""

_NAMES = {
    measure: (
        b"x-ratelimit-limit-" + measure.encode(),
        b"x-ratelimit-remaining-" + measure.encode(),
        b"x-ratelimit-reset-" + measure.encode(),
    )
    for measure in ("requests", "tokens")
}
"""The headers that tell of a measure."""

_MINUTE = b"60s"
"""When a minute's allowance is whole again."""

_ANSWERED = of_money(0)
"""What a call may use at worst whose answer is known."""


class Spending:
    """Reserves what calls may use, and settles what they used."""

    def __init__(
        self,
        allowances: Allowances,
        prices: PriceList,
        routing: Routing,
        settings: AllowanceSettings,
    ) -> None:
        self._allowances = allowances
        self._prices = prices
        self._routing = routing
        self._settings = settings

    async def reserve(
        self, call: Call, request: Request, targets: tuple[Target, ...]
    ) -> tuple[Target, ...]:
        """Reserve what the call may use; return its targets, cheaper ones where a budget says so.

        Raises what `Allowances.reserve` does, and `InvalidRequestError` for a call that has no
        price or may cost more than one call may.
        """
        applied = self._allowances.applied(call.who)
        if not applied:
            return targets
        soft = _beyond_soft(applied, self._allowances.now_us()) if applied.soft else None
        if soft is not None and (cheaper := self._cheaper(call, request, targets, soft)):
            targets = cheaper
        try:
            call.reservation = await self._reserved(call, request, targets, applied)
        except refusal.RuleBudgetExceededError as error:
            cheaper = self._cheaper(call, request, targets, error.rule)
            if cheaper is None:
                raise
            call.reservation = await self._reserved(call, request, cheaper, applied)
            targets = cheaper
        return targets

    async def reserve_batch(self, call: Call, *, worst_nanousd: int, dearest_nanousd: int) -> None:
        """Reserve money for a batch, which has been reserved for as a request.

        `dearest_nanousd` is what one of its requests may cost. Raises as `reserve` does.
        """
        applied = self._allowances.applied(call.who).money
        if applied is None or call.reservation is None:
            return
        claim = of_money(worst_nanousd)
        for cap in applied.caps:
            if dearest_nanousd > cap.limit:
                raise refusal.too_dear(msgspec.structs.replace(claim, nanousd=dearest_nanousd), cap)
        call.worst_nanousd = worst_nanousd
        call.reservation = await self._allowances.reserve_more(
            applied, claim, call.record.project, call.priority, call.reservation
        )

    def counts_money(self, call: Call) -> bool:
        """Whether any budget or cap applies to the call."""
        return self._allowances.applied(call.who).money is not None

    def unpriced_refused(self, call: Call) -> list[str]:
        """Those that apply to the call and can't be kept where no price is known."""
        return _unpriced_refused(self._allowances.applied(call.who))

    def hand_over(self, call: Call) -> tuple[Held, ...]:
        """What the call holds, for what it has begun; the call itself holds nothing any more."""
        reservation, call.reservation = call.reservation, None
        return () if reservation is None else self._allowances.hand_over(reservation)

    async def reserve_answered(self, call: Call) -> None:
        """Reserve for a call whose answer is known: it counts as a request, and costs nothing.

        Raises as `reserve` does.
        """
        applied = self._allowances.applied(call.who).answered
        if applied:
            call.reservation = await self._allowances.reserve(
                applied, _ANSWERED, call.record.project, call.priority
            )

    def spares(self, call: Call, error: HeadgateError) -> bool:
        """Whether what refused the call with `error` is no bar to an answer that costs nothing."""
        rules = (refusal.RuleLimitExceededError, refusal.RuleBudgetExceededError)
        applied = self._allowances.applied(call.who).answered
        counted = () if applied is None else [share.rule for share in applied.shares]
        return not (isinstance(error, rules) and error.rule in counted)

    def cap_output(self, call: Call, request: Request) -> None:
        """Bound what the call may write, where a budget needs that and the request doesn't say."""
        if not self._settings.cap_output:
            return
        field, fields = _CAP_FIELDS.get(request.endpoint.name), request.fields
        if field is None or stated_output(fields) is not None:
            return
        if self._allowances.applied(call.who).money is not None:
            # What is null, or -1 as some servers have it, is no bound.
            fields.pop("max_tokens", None)
            fields[field] = msgspec.Raw(str(self._settings.assumed_output_tokens).encode())

    async def reserve_request(self, call: Call, *, may_cost: bool, runs_models: bool) -> None:
        """Reserve for a request that names no tokens, about files and their like.

        It counts as one request, and one that `may_cost` is refused where a budget has nothing
        left. One that `runs_models` at a cost that nobody tells is refused as a call without a
        price is. Raises as `reserve` does.
        """
        applied = self._allowances.applied(call.who)
        if applied:
            if runs_models and (refusing := _unpriced_refused(applied)):
                raise refusal.unpriced_work(call.record.endpoint, refusing[0])
            claim = of_money(1 if may_cost else 0)
            call.reservation = await self._allowances.reserve(
                applied, claim, call.record.project, call.priority
            )

    async def reserve_turn(self, call: Call, request: Request, target: Target, turn: Turn) -> None:
        """Reserve for a response within a session, which stays at `target`.

        Raises as `reserve` does.
        """
        applied = self._allowances.applied(call.who)
        if applied:
            claim = worst_turn(
                request, target, self._prices, turn, self._settings.assumed_output_tokens
            )
            if claim.nanousd is None and (refusing := _unpriced_refused(applied)):
                raise refusal.unpriced(claim, refusing[0])
            for cap in applied.caps:
                if claim.nanousd is not None and claim.nanousd > cap.limit:
                    raise refusal.too_dear(claim, cap)
            call.reservation = await self._allowances.reserve(
                applied, claim, call.record.project, call.priority
            )

    def output_cap(self, call: Call) -> int | None:
        """The most that a call which sets no bound is to be told to write; None: it may."""
        if not self._settings.cap_output or self._allowances.applied(call.who).money is None:
            return None
        return self._settings.assumed_output_tokens

    def settle(self, call: Call) -> None:
        """The call is over: what it used is spent, and what else it had reserved is free again."""
        reservation = call.reservation
        if reservation is None:
            return
        call.reservation = None
        # Given back first, so that what the call used beyond its first reserve finds room.
        for further in call.further:
            self._allowances.settle(further, NOTHING)
        call.further = ()
        record = call.record
        made = record.attempts > 0
        tokens = (record.input_tokens or 0) + (record.output_tokens or 0) if made else 0
        self._allowances.settle(
            reservation,
            Used(
                requests=1 if made or record.status == 200 else 0,
                tokens=tokens,
                nanousd=record.cost_nanousd if made else 0,
            ),
        )

    def headers(self, call: Call, headers: Headers) -> None:
        """Tell in `headers` of the limits that are smaller than the provider's own."""
        reservation = call.reservation
        if reservation is not None:
            self._tell(reservation.told, headers)

    def headers_of_refusal(self, call: Call, headers: Headers) -> None:
        """Tell a call of its limits that holds nothing, because one of them refused it."""
        with contextlib.suppress(HeadgateError):
            self._tell(self._allowances.applied(call.who).told, headers)

    def _tell(self, told: tuple[Told, ...], headers: Headers) -> None:
        if not told:
            return
        theirs = dict(headers)
        for measure, shares in told:
            share, left = refusal.scarcest(shares)
            limit, remaining, reset = _NAMES[measure]
            if limit in theirs:
                known = theirs[limit]
                if known.isdigit() and int(known) < share.rule.limit:
                    continue
                headers[:] = [header for header in headers if header[0] not in _NAMES[measure]]
            headers += ((limit, share.limit_text), (remaining, b"%d" % left))
            headers.append((reset, _MINUTE if share.is_minute else self._until_end(share)))

    def _until_end(self, share: Share) -> bytes:
        """Until when an allowance is whole again: the end of its window."""
        left_us = share.period.end_us - self._allowances.now_us()
        return b"%ds" % max(0, -(-left_us // 1_000_000))

    async def _reserved(
        self, call: Call, request: Request, targets: tuple[Target, ...], applied: Applied
    ) -> Reservation:
        worst = worst_call(
            call, request, targets, self._prices, self._settings.assumed_output_tokens
        )
        claim = worst.by_size
        if claim.nanousd is None:
            refusing = _unpriced_refused(applied)
            if refusing:
                raise refusal.unpriced(claim, refusing[0])
        else:
            for cap in applied.caps:
                if claim.nanousd > cap.limit:
                    claim = await asyncio.to_thread(worst.counted)
                    if claim.nanousd is not None and claim.nanousd > cap.limit:
                        raise refusal.too_dear(claim, cap)
        call.worst_nanousd = claim.nanousd
        reservation = self._allowances.take(applied, claim)
        if reservation is None:
            reservation = await self._allowances.reserve(
                applied, claim, call.record.project, call.priority, worst.counted
            )
        return reservation

    def _cheaper(
        self, call: Call, request: Request, targets: tuple[Target, ...], rule: Rule
    ) -> tuple[Target, ...] | None:
        """The targets of the rule's cheaper route, unless the call is there or can't go there."""
        route = rule.cheaper_route
        # What a provider keeps of earlier responses is nowhere else.
        if route is None or targets[0].route == route or "previous_response_id" in request.fields:
            return None
        if request.endpoint.name not in _OF_ANY_MODEL:
            return None
        before = call.route
        cheaper = follow(call, request, self._routing.route(route))
        if call.kept_at is not None:
            # Nor are the files and conversations that the request names.
            cheaper = tuple(one for one in cheaper if one.provider.name == call.kept_at)
        try:
            if cheaper and self._routing.has_limits:
                cheaper = able_targets(cheaper, request)
        except UnsupportedError:
            cheaper = ()
        if not cheaper:
            call.route = before
            call.record.route = None if before is None else before.name
        return cheaper or None


def _beyond_soft(applied: Applied, now_us: int) -> Rule | None:
    """The first rule of which so much is spent that calls go to a cheaper route."""
    for share in applied.soft:
        if share.spent_by(now_us) >= (share.rule.soft or 0):
            return share.rule
    return None


def _unpriced_refused(applied: Applied) -> list[str]:
    """The budgets that a call without a known price can't be counted against."""
    return [
        *(cap.name for cap in applied.caps if not cap.unpriced_allowed),
        *(
            share.rule.name
            for share in applied.shares
            if share.rule.measure == "nanousd" and not share.rule.unpriced_allowed
        ),
    ]
