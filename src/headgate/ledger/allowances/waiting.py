"""Calls in line for what is used up: each is let go in its turn, as soon as there is enough for it.

Whose turn it is decides `line`; how long a call waits, its rule.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from headgate.config.allowances import Priority
from headgate.ledger.allowances.applied import Applied
from headgate.ledger.allowances.claim import Claim
from headgate.ledger.allowances.clock import StoreClock
from headgate.ledger.allowances.exchange import Exchange
from headgate.ledger.allowances.reservation import Reservation
from headgate.ledger.allowances.share import Share

_MOST_SERVED = 1000


class Waiter:
    """A call in line."""

    __slots__ = ("applied", "claim", "future", "priority", "project")

    def __init__(self, applied: Applied, claim: Claim, project: str, priority: Priority) -> None:
        self.applied = applied
        self.claim = claim
        self.project = project
        self.priority: Priority = priority
        self.future: asyncio.Future[Reservation] = asyncio.get_running_loop().create_future()

    @property
    def served(self) -> Reservation | None:
        """What was reserved for it; None where its turn has not come."""
        future = self.future
        return future.result() if future.done() and not future.cancelled() else None


class WaitingCalls:
    """The calls of one process that wait in line, whatever for."""

    def __init__(
        self,
        exchange: Exchange,
        clock: StoreClock,
        hold: Callable[[Applied, list[int], int], Reservation],
        barred: Callable[[], bool],
    ) -> None:
        """`hold` reserves amounts that are there; nobody is let go while it is `barred`."""
        self._exchange = exchange
        self._clock = clock
        self._hold = hold
        self._barred = barred
        self.count = 0

    async def turn(self, share: Share, waiter: Waiter) -> Reservation:
        """Wait in the line of `share`; raises `TimeoutError` where that takes too long."""
        line = share.line
        assert line is not None  # noqa: S101 - narrows the type; rules with `wait_s` have one
        line.join(waiter)
        self.count += 1
        try:
            self.serve(share)
            self._exchange.nudge(share)
            async with asyncio.timeout(share.rule.wait_s):
                return await waiter.future
        except TimeoutError:
            if waiter.served is None:
                raise
            return waiter.served
        finally:
            self.count -= 1
            line.leave(waiter)
            self._note(share)

    def serve(self, share: Share) -> None:
        """Let calls in line go, as far as the share holds."""
        line = share.line
        if not line:
            share.line_demand = share.line_least = 0
            return
        now_us = self._clock.now_us()
        for _ in range(_MOST_SERVED):
            if not self._serve_one(share, now_us):
                break
        self._note(share)

    def _serve_one(self, share: Share, now_us: int) -> bool:
        if self._barred():
            return False
        for waiter in share.line or ():
            assert isinstance(waiter, Waiter)  # noqa: S101 - nobody else joins
            shares = waiter.applied.shares
            amounts = waiter.claim.amounts(waiter.applied.rules)
            if not share.has(waiter.claim.amount(share.rule), now_us):
                return False
            lacking = [
                (one, amount)
                for one, amount in zip(shares, amounts, strict=True)
                if not one.has(amount, now_us)
            ]
            if not lacking:
                line = share.line
                assert line is not None  # noqa: S101 - it was just gone through
                line.served(waiter)
                if not waiter.future.done():
                    waiter.future.set_result(self._hold(waiter.applied, amounts, now_us))
                return True
            for one, amount in zip(shares, amounts, strict=True):
                # What it has already must not go back while it waits for the rest.
                one.line_demand = max(one.line_demand, amount)
            for one, amount in lacking:
                one.line_least = amount
                self._exchange.nudge(one)
        return False

    def _note(self, share: Share) -> None:
        """Tell the share what the calls in its line need."""
        first = share.line.first if share.line else None
        if first is None or share.line is None:
            share.line_demand = share.line_least = 0
            return
        assert isinstance(first, Waiter)  # noqa: S101 - nobody else joins
        share.line_least = first.claim.amount(share.rule)
        share.line_demand = share.line_least * len(share.line)
        share.recall = share.elsewhere > 0
