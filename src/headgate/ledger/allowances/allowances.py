"""Admits calls by every limit and budget that applies to them, and counts what they used.

In the common case a call is admitted from memory. It waits only where this process' share of an
allowance is empty, and then for one transaction that serves all that wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from headgate.config.allowances import AllowanceSettings, Priority
from headgate.errors import HeadgateError
from headgate.ledger.allowances import refusal
from headgate.ledger.allowances.applied import Applied
from headgate.ledger.allowances.asking import Asked, Asking, BudgetQuestion
from headgate.ledger.allowances.claim import NOTHING, Claim, Used
from headgate.ledger.allowances.clock import StoreClock
from headgate.ledger.allowances.exchange import Exchange
from headgate.ledger.allowances.held import Held
from headgate.ledger.allowances.reservation import Reservation
from headgate.ledger.allowances.rule import Rules, Who
from headgate.ledger.allowances.share import Share, give_back, reserve
from headgate.ledger.allowances.shares import Shares
from headgate.ledger.allowances.store import AllowanceStore
from headgate.ledger.allowances.waiting import Waiter, WaitingCalls

_FRESH_US = 100_000
"""For how long what the store said of an allowance that is used up is believed."""

_PATIENCE_S = 5.0
"""How long a call waits for the store before it is told that it is away."""

_LONGEST_S = 10.0
"""How long a call tries anew where others are always quicker to take what there is."""

_RECALL_S = 1.0
"""How long a call waits for what other processes hold and do not use."""

_RECALL_PAUSE_S = 0.03

_MOST_FETCHES = 64
"""Questions to the store at once that nobody waits for; one round answers many."""


class Allowances:
    """The limits and budgets of one process. `start()` it before use and `stop()` it after."""

    def __init__(
        self,
        rules: Rules,
        settings: AllowanceSettings,
        store: AllowanceStore,
        *,
        clock: StoreClock | None = None,
        asking: Asking | None = None,
    ) -> None:
        """`asking`: who asks people for more, where a budget says so."""
        self._asking = asking
        self.rules = rules
        self._settings = settings
        self._clock = clock or StoreClock()
        self._exchange = Exchange(store, self._clock, self._renewed, self._turned_back)
        self._strict = settings.when_store_is_away == "refuse"
        self._shares = Shares(rules)
        self._fetches: set[asyncio.Task[None]] = set()
        self._waiting = WaitingCalls(self._exchange, self._clock, self._held, self._barred)
        self.refusals: dict[str, int] = {}
        """How many calls each rule refused."""

    def start(self) -> None:
        """Begin to count; call it on the event loop that carries the calls."""
        self._exchange.start()

    async def stop(self, timeout_s: float) -> None:
        """Give back what no call holds and tell what was spent."""
        fetches = list(self._fetches)
        for fetch in fetches:
            fetch.cancel()
        await asyncio.gather(*fetches, return_exceptions=True)
        await self._exchange.stop(timeout_s)

    def applied(self, who: Who) -> Applied:
        """What holds for calls of `who`. Raises `UnavailableError` where there is no room."""
        return self._shares.of(who)

    def take(self, applied: Applied, claim: Claim) -> Reservation | None:
        """Reserve what a call may use, if it is at hand."""
        if self._strict and self._exchange.away:
            raise refusal.store_away()
        now_us = self._clock.now_us()
        amounts = claim.amounts(applied.rules)
        for share, amount in zip(applied.shares, amounts, strict=True):
            # What `fits` would say of a share that is as it should be: six calls a call less.
            if share.available >= amount and now_us < share.until_us and not share.line:
                continue
            if not share.fits(amount, now_us):
                return None
        return self._held(applied, amounts, now_us)

    def fetch(self, applied: Applied, claim: Claim) -> None:
        """Have the store asked for what `take` lacked, for one who will not wait but try again."""
        lacking = self._lacking(applied, claim, self._clock.now_us())
        if lacking and len(self._fetches) < _MOST_FETCHES:
            fetch = asyncio.get_running_loop().create_task(self._fetched(lacking))
            self._fetches.add(fetch)
            fetch.add_done_callback(self._fetches.discard)

    async def fetch_and_take(self, applied: Applied, claim: Claim) -> Reservation | None:
        """As `take`, having asked the store once for what it lacked; nobody is refused or asked."""
        with suppress(HeadgateError):
            reservation = self.take(applied, claim)
            if reservation is not None:
                return reservation
            lacking = self._lacking(applied, claim, self._clock.now_us())
            await self._round(lacking, self._needed(applied, claim))
            return self.take(applied, claim)
        return None

    async def reserve_more(
        self, applied: Applied, claim: Claim, project: str, priority: Priority, held: Reservation
    ) -> Reservation:
        """As `reserve`, for a call that has reserved before; what it holds then is all of it."""
        more = await self.reserve(applied, claim, project, priority)
        return Reservation((*held.holds, *more.holds), held.told)

    async def reserve(
        self,
        applied: Applied,
        claim: Claim,
        project: str,
        priority: Priority,
        counted: Callable[[], Claim] | None = None,
    ) -> Reservation:
        """Reserve what a call may use, waiting as its rules allow.

        `counted` gives a closer claim, at some cost; it is asked where there is not enough for the
        first. Raises `LimitExceededError`, `BudgetExceededError` or `UnavailableError`.
        """
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        while True:
            reservation = self.take(applied, claim)
            if reservation is not None:
                return reservation
            now_us = self._clock.now_us()
            lacking = self._lacking(applied, claim, now_us)
            if any(now_us < share.broken_until_us for share, _ in lacking):
                raise refusal.store_away()
            share = next((s for s, a in lacking if self._used_up(s, a, now_us)), None)
            if share is None and loop.time() < began_s + _LONGEST_S:
                await self._round(lacking, self._needed(applied, claim))
                continue
            if counted is not None:
                claim, counted = await asyncio.to_thread(counted), None
                continue
            if share is None:
                share = lacking[0][0]
            amount = claim.amount(share.rule)
            if self._held_elsewhere(share, amount) and loop.time() < began_s + _RECALL_S:
                share.recall = True
                await asyncio.sleep(_RECALL_PAUSE_S)
                await self._round([(share, amount)], self._needed(applied, claim))
            elif share.rule.wait_s and amount <= share.rule.limit:
                return await self._in_line(share, Waiter(applied, claim, project, priority))
            else:
                asked = await self._asked(share, amount)
                granted = asked is not None and asked.state == "granted"
                if granted and loop.time() < began_s + _LONGEST_S:
                    await self._round([(share, amount)], self._needed(applied, claim))
                    continue
                refused = self._refused(share, amount, now_us)
                raise refused if asked is None else refusal.asked(refused, asked)

    def settle(self, reservation: Reservation, used: Used) -> None:
        """A call has ended: what it used is spent, the rest of what it reserved comes back."""
        holds = reservation.holds
        give_back(holds, used.by_measure())
        for hold in holds:
            if hold.share.line:
                if hold.share.gives_way():
                    self._exchange.nudge(hold.share)
                self._waiting.serve(hold.share)

    def hand_over(self, reservation: Reservation) -> tuple[Held, ...]:
        """A call has begun something that is paid for later: what is held for it until then.

        Its other limits count what was reserved as used. Whoever takes this must settle it with
        the store; left alone it stays taken until its windows end.
        """
        found = []
        for hold in reservation.holds:
            share, rule = hold.share, hold.share.rule
            began_us = share.hand_over(hold)
            if began_us is not None and hold.amount:
                found.append(Held(rule.name, share.subject, began_us, rule.measure, hold.amount))
            if share.line:
                self._waiting.serve(share)
        return tuple(found)

    def now_us(self) -> int:
        """The time by which windows begin and end, in microseconds since 1970 UTC."""
        return self._clock.now_us()

    @property
    def waiting(self) -> int:
        """Calls in line."""
        return self._waiting.count

    def share_states(self) -> list[Share]:
        """The shares that this process has, for figures."""
        return list(self._shares)

    def _held(self, applied: Applied, amounts: list[int], now_us: int) -> Reservation:
        holds = reserve(applied.shares, amounts, now_us)
        for share in applied.shares:
            if share.available < share.low:
                self._exchange.nudge(share)
        self._exchange.active.update(applied.active)
        return Reservation(holds, applied.told)

    def _lacking(self, applied: Applied, claim: Claim, now_us: int) -> list[tuple[Share, int]]:
        """The shares that do not hold what a call needs of them, and how much that is."""
        return [
            (share, amount)
            for share, amount in self._needed(applied, claim)
            if not share.fits(amount, now_us)
        ]

    def _used_up(self, share: Share, amount: int, now_us: int) -> bool:
        """Whether `amount` is not to be had of the store either, as far as is known."""
        if share.line:
            return True
        if amount > share.rule.limit and not share.rule.asks:
            return True
        if share.asked or now_us - share.known_at_us > _FRESH_US:
            return False
        if share.known_at_us < share.more_at_us <= now_us:
            return False
        return max(0, share.available) + share.left < amount

    def _held_elsewhere(self, share: Share, amount: int) -> bool:
        return (
            share.elsewhere > 0
            and share.left + max(0, share.available) + share.elsewhere >= amount
            and not share.line
        )

    async def _fetched(self, lacking: list[tuple[Share, int]]) -> None:
        # Whoever tries again finds that there is nothing.
        with suppress(HeadgateError):
            await self._round(lacking)

    def _needed(self, applied: Applied, claim: Claim) -> list[tuple[Share, int]]:
        return list(zip(applied.shares, claim.amounts(applied.rules), strict=True))

    async def _round(
        self, lacking: list[tuple[Share, int]], needed: list[tuple[Share, int]] | None = None
    ) -> None:
        """Have the store asked for what is lacking, and wait for its answer.

        All that is `needed` is kept from going back meanwhile: else a call could lack one share
        after the other, and never hold all of them at once.
        """
        if self._exchange.away:
            raise refusal.store_away()
        needed = lacking if needed is None else needed
        for share, amount in needed:
            share.demand += amount
        for share, amount in lacking:
            share.least = min(share.least, amount) if share.least else amount
            self._exchange.nudge(share)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._exchange.next_round()
        except TimeoutError:
            raise refusal.store_away() from None
        finally:
            for share, amount in needed:
                share.demand -= amount
        if self._exchange.away:
            raise refusal.store_away()

    def _refused(
        self, share: Share, amount: int, now_us: int, *, waited_s: float = 0.0
    ) -> HeadgateError:
        rule = share.rule
        self.refusals[rule.name] = self.refusals.get(rule.name, 0) + 1
        if rule.kind == "budget" and amount <= rule.limit and share.taken and not share.refused:
            share.refused = True
            self._exchange.nudge(share)
        return refusal.refused(share, amount, now_us, waited_s=waited_s)

    async def _asked(self, share: Share, amount: int) -> Asked | None:
        """What a person says, or shall say, to a call that a budget does not hold."""
        rule = share.rule
        # Who asks for more than the whole budget holds at once must not use up the one question
        # of a window: a person would say no to it, and then to everybody.
        if self._asking is None or not rule.asks or amount > rule.limit + share.extra:
            return None
        return await self._asking.ask(
            BudgetQuestion(
                rule=rule,
                subject=share.subject,
                period=share.period,
                extra_nanousd=share.extra,
                needed_nanousd=amount,
            )
        )

    async def _in_line(self, share: Share, waiter: Waiter) -> Reservation:
        """Wait for one's turn, for as long as the rule allows."""
        rule = share.rule
        if self._waiting.count >= self._settings.queue_calls:
            self.refusals[rule.name] = self.refusals.get(rule.name, 0) + 1
            raise refusal.line_full(share, self._settings.queue_calls)
        try:
            return await self._waiting.turn(share, waiter)
        except TimeoutError:
            amount = waiter.claim.amount(rule)
            raise self._refused(share, amount, self._clock.now_us(), waited_s=rule.wait_s) from None
        except asyncio.CancelledError:
            if waiter.served is not None:
                self.settle(waiter.served, NOTHING)
            raise

    def _barred(self) -> bool:
        """Whether the store is away, and nothing is to be spent meanwhile."""
        return self._strict and self._exchange.away

    def _renewed(self, share: Share) -> None:
        self._waiting.serve(share)

    def _turned_back(self, now_us: int) -> None:
        """The store's clock was put back: nothing counts as known of a time to come."""
        for share in self._shares:
            share.turned_back(now_us)
            if not share.quiet:
                self._exchange.nudge(share)
