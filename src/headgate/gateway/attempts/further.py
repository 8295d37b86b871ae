"""Money for the attempts that follow a call's first, which may be charged beside it.

Limits count a call once, so they are not asked again. What is reserved here is given back when
`Spending` settles the call.
"""

from __future__ import annotations

import asyncio

from headgate.config.allowances import AllowanceSettings
from headgate.errors import HeadgateError
from headgate.gateway.call import Call
from headgate.gateway.request import Request
from headgate.gateway.target import Target
from headgate.gateway.worst_case import WorstCase, worst_call
from headgate.ledger.allowances.allowances import Allowances
from headgate.ledger.allowances.applied import Applied
from headgate.ledger.allowances.claim import Claim
from headgate.ledger.prices import PriceList


class FurtherAttempts:
    """Reserves money for attempts beside those of the same call that may be charged already."""

    def __init__(
        self, allowances: Allowances, prices: PriceList, settings: AllowanceSettings
    ) -> None:
        self._allowances = allowances
        self._prices = prices
        self._assumed_output_tokens = settings.assumed_output_tokens

    def take(self, call: Call, request: Request, targets: tuple[Target, ...]) -> bool:
        """Reserve for one more while another is still on its way; whether that could be at once.

        What is reserved and not needed is given back in the end.
        """
        if len(call.further) > len(call.lost):
            return True
        money = self._allowances.applied(call.who).money
        if money is None:
            return True
        claim = self._worst_case(call, request, targets).by_size
        if not _within_caps(claim, money, len(call.lost) + 2):
            return False
        reservation = self._allowances.take(money, claim)
        if reservation is None:
            self._allowances.fetch(money, claim)
            return False
        call.further += (reservation,)
        return True

    async def fetch(self, call: Call, request: Request, targets: tuple[Target, ...]) -> bool:
        """As `take`, for one who tries only once: the store is asked for what is lacking.

        A quiet process holds little more than its calls need, so at once there is often nothing.
        """
        money = self._allowances.applied(call.who).money
        if money is None or len(call.further) > len(call.lost):
            return True
        worst = self._worst_case(call, request, targets)
        claim = await _capped(worst, money, len(call.lost) + 2)
        reservation = None
        if claim is not None:
            reservation = await self._allowances.fetch_and_take(money, claim)
        if reservation is None:
            return False
        call.further += (reservation,)
        return True

    async def reserve(self, call: Call, request: Request, targets: tuple[Target, ...]) -> bool:
        """As `take`, after one was lost; waits for the store where that must be asked."""
        money = self._allowances.applied(call.who).money
        if money is None or len(call.further) >= len(call.lost):
            return True
        worst = self._worst_case(call, request, targets)
        claim = await _capped(worst, money, len(call.lost) + 1)
        if claim is None:
            return False
        try:
            reservation = await self._allowances.reserve(
                money, claim, call.record.project, call.priority, worst.counted
            )
        except HeadgateError:
            return False
        call.further += (reservation,)
        return True

    def _worst_case(self, call: Call, request: Request, targets: tuple[Target, ...]) -> WorstCase:
        return worst_call(call, request, targets, self._prices, self._assumed_output_tokens)


async def _capped(worst: WorstCase, applied: Applied, attempts: int) -> Claim | None:
    """What one of so many attempts may use; None where all cost more than one call may."""
    claim = worst.by_size
    if not _within_caps(claim, applied, attempts):
        claim = await asyncio.to_thread(worst.counted)
    return claim if _within_caps(claim, applied, attempts) else None


def _within_caps(claim: Claim, applied: Applied, attempts: int) -> bool:
    """Whether a call of so many attempts, all charged, costs no more than one call may."""
    most = (claim.nanousd or 0) * attempts
    return all(most <= cap.limit for cap in applied.caps)
