"""What one process holds of one allowance: calls spend it in memory, turns with the store renew it.

No I/O and no clock: times are handed in, in microseconds as the database tells them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from headgate.ledger.allowances.claim import unknown_amount
from headgate.ledger.allowances.line import Line, Waiter
from headgate.ledger.allowances.past_periods import PastPeriods
from headgate.ledger.allowances.rule import Measure, Rule
from headgate.ledger.allowances.slots import Slots, Stamp
from headgate.ledger.allowances.standing import Answer, Ask, told_idle
from headgate.ledger.allowances.window import FOR_EVER_US, SHARE_SLOTS, SLOT_US, Period, period_at

_VOID_AFTER_US = {"minute": SHARE_SLOTS * SLOT_US, "now": 20_000_000}
"""A share that was not renewed for so long is given up, before the store stops counting it."""

_IDLE_US = 500_000
"""A share that no call used for so long goes back."""

_AHEAD_S = 1
"""For how long a share shall last at the rate at which it is used."""

_AHEAD_US = 50_000
"""How often a share is renewed ahead of need."""

_IDLE_TOLD_US = 200_000
"""How long others may believe that what calls have used by now is idle."""

_REPORT_US = 1_000_000
"""How long what was spent may wait to be told."""

_LINE_US = 100_000
"""How often the store is asked for calls that wait in line."""

_RECALL_US = 30_000
"""How often it is looked whether others have given back what they held idle."""

_RENEW_US = 5_000_000
"""How often a share that could lapse is renewed though no call needs more of it."""

_BROKEN_US = 5_000_000
"""How long an allowance is left alone whose row the store can't read or write."""

_MIN_RATE_SPAN_US = 200_000


class Hold(msgspec.Struct, frozen=True, gc=False):
    """What one call has reserved of one share."""

    share: Share
    amount: int
    stamp: Stamp


class Turn(msgspec.Struct, frozen=True):
    """One `Ask` and the allowance and period that it is about."""

    share: Share
    period: Period
    ask: Ask
    current: bool
    """Whether it is about the share's present period, so that its answer renews the share."""


class Share:
    """One process's part of an allowance, for one subject of a rule."""

    __slots__ = (
        "_past", "_rate", "_rate_since_us", "_slots", "_told_idle", "asked", "available",
        "broken_until_us", "demand", "elsewhere", "extra", "give_way", "giving", "in_flight",
        "is_minute", "known_at_us", "least", "left", "limit_text", "line", "line_demand",
        "line_least", "low",
        "measure", "more_at_us", "period", "recall", "recalled", "refused", "rule", "spent",
        "stamp", "subject", "taken", "telling", "tells_spent", "typical", "until_us", "untold",
        "used", "used_at_us",
    )  # fmt: skip

    def __init__(self, rule: Rule, subject: str) -> None:
        self.rule = rule
        self.subject = subject
        self.measure: Measure = rule.measure
        self.is_minute = rule.window == "minute"
        self.tells_spent = rule.window not in ("minute", "now")
        """Whether the store is told what calls really used."""
        self.limit_text = b"%d" % rule.limit
        """The rule's limit as headers tell it."""
        self.line: Line[Waiter] | None = Line() if rule.wait_s else None
        """Calls that wait for it."""
        self.available = 0
        """What calls may reserve now; below 0 what they used beyond the share."""
        self.in_flight = 0
        """Calls that hold something of it."""
        self.demand = 0
        """What calls that wait for the next turn need together, and the smallest of them."""
        self.least = 0
        self.line_demand = 0
        """The same of calls that wait in line."""
        self.line_least = 0
        self.low = 0
        """Below this the share is renewed ahead of need."""
        self.recall = False
        """Whether a call waits for what other processes hold idle."""
        self.recalled = False
        """Whether another process asks for what this one holds idle."""
        self.give_way = False
        """Whether the next place that gets free is for another process's line."""
        self.giving = 0
        """What no call here may have any more, because the next turn gives it to others."""
        self.refused = False
        """Whether a call was refused for this since the last turn."""
        self.asked = False
        """Whether a turn is on its way, so that what the store said last is out of date."""
        self.period = Period(0, 0)
        self.broken_until_us = 0
        """Until when it is not tried again, because the store could not carry out its turn."""
        self.until_us = 0
        """When the share lapses: its period ends, or it was not renewed in time."""
        # What the store said last.
        self.known_at_us = 0
        self.left = 0
        self.elsewhere = 0
        self.taken = 0
        self.spent = 0
        self.extra = 0
        """What people granted beyond the limit, in this window."""
        self.more_at_us = 0
        self.used_at_us = 0
        self._told_idle = 0
        self.typical = 1
        """What the last call reserved."""
        self.used = 0
        """What calls reserved since the rate was noted last."""
        self._rate = 0
        self._rate_since_us = 0
        self.untold = 0
        """What calls really used, and the store was not told yet."""
        self.telling = 0
        """What the store is being told of that just now."""
        self._past = PastPeriods()
        self._slots = Slots()
        self.stamp = self._slots.restart()
        """That of what is reserved now."""

    def fits(self, amount: int, now_us: int) -> bool:
        """Whether a call may reserve `amount` now, and nobody waits before it."""
        if now_us >= self.until_us:
            self._lapse(now_us)
        return self.available >= amount and not self.line

    def has(self, amount: int, now_us: int) -> bool:
        """Whether there is `amount`, whoever waits for it."""
        if now_us >= self.until_us:
            self._lapse(now_us)
        return self.available >= amount

    def settle_late(self, hold: Hold, actual: int) -> None:
        """A call that held something has ended, since when a new slot or period has begun."""
        self.in_flight -= 1
        stamp, back = hold.stamp, hold.amount - actual
        if self.tells_spent:
            if stamp.slot is not None:
                self._past.note_from(stamp.slot, back=back, spent=actual)
        elif not back or not self.is_minute:
            return
        elif back < 0 or self._slots.came_back(stamp, back):
            self.available += back

    def hand_over(self, hold: Hold) -> int | None:
        """A call gives what it holds to somebody who settles it with the store himself.

        Return when the window began that it counts in; None where such windows pass by
        themselves, and what it held is taken to be used.
        """
        if not self.tells_spent:
            give_back((hold,), {self.measure: hold.amount if self.is_minute else 0})
            return None
        self.in_flight -= 1
        return hold.stamp.slot

    def _lapse(self, now_us: int) -> None:
        """Begin a new period, or give up a share that the store may have given up too."""
        window, old = self.rule.window, self.period
        if window in ("minute", "now"):
            if not (window == "minute" and self.available < 0):
                # Use beyond a minute's share is owed all the same.
                self.available = 0
            self.giving = 0
            self.stamp = self._slots.restart()
            self.until_us = FOR_EVER_US
            self.known_at_us = 0
            return
        self.period = period_at(window, self.rule.zone, now_us)
        if old.end_us:
            self._past.note(old, back=self.available, spent=self.untold)
        self.available = self.untold = self.telling = 0
        self.left = self.taken = self.spent = self.extra = 0
        self.known_at_us = 0
        self.stamp = Stamp(self.period.start_us)
        self.until_us = self.period.end_us

    def turned_back(self, now_us: int) -> None:
        """It is `now_us`, earlier than was believed: what holds until a time to come does not.

        Else a share of a day that the clock never should have come to would be spent, and found
        used up, until that day is there.
        """
        if not self.tells_spent or now_us < self.period.start_us:
            self._lapse(now_us)
        self.known_at_us = self.used_at_us = self.more_at_us = self.broken_until_us = 0
        self._rate_since_us = now_us

    def due(self, now_us: int) -> bool:
        """Whether the share should have a turn now."""
        if now_us < self.broken_until_us:
            return False
        if self.demand > self.available or self.available < 0 or self.refused or self.giving:
            return True
        if self.recalled and self.available:
            return True
        since_us = now_us - self.known_at_us
        used_lately = now_us - self.used_at_us < _IDLE_US
        if self.available < self.low and used_lately and since_us >= _AHEAD_US:
            return True
        if self.recall and since_us >= _RECALL_US:
            return True
        if self.line_demand > self.available and since_us >= _LINE_US:
            return True
        if self._told_idle > self.available and since_us >= _IDLE_TOLD_US:
            return True
        if since_us >= _REPORT_US and (self.untold or self._slots.has_refunds or self._past):
            return True
        if self.available > self.demand and not used_lately:
            return True
        held = self.rule.window == "now" and (self.available or self.in_flight)
        return bool(held and since_us >= _RENEW_US)

    def spent_by(self, now_us: int) -> int:
        """What calls have used in the window of `now_us`, as far as this process knows."""
        if now_us >= self.until_us:
            return 0
        return self.spent + self.telling + self.untold

    def gives_way(self) -> bool:
        """Keep one place from the calls in line here, where another process's are to have it."""
        if not self.give_way or self.available < 1:
            return False
        self.give_way = False
        self.available -= 1
        self.giving += 1
        return True

    @property
    def quiet(self) -> bool:
        """Whether there is nothing that a turn would have to tell, now or later."""
        return not (
            self.available or self.in_flight or self.demand or self.line or self.untold
            or self._slots.has_refunds or self._past or self.refused or self._slots.waiting
        )  # fmt: skip

    def turns(self, now_us: int, *, closing: bool = False) -> list[Turn]:
        """What to tell the store and to ask it for; each must be followed by its answer."""
        if now_us >= self.until_us:
            self._lapse(now_us)
        found = [
            Turn(self, period, Ask(refunds=((period.start_us, back),), spent=spent), current=False)
            for period, back, spent in self._past.taken()
        ]
        found.append(Turn(self, self.period, self._ask(now_us, closing=closing), current=True))
        return found

    def _ask(self, now_us: int, *, closing: bool) -> Ask:
        self.asked = True
        self._note_rate(now_us)
        debt = max(0, -self.available)
        self.available += debt
        back = self.available if closing else self._surplus(now_us)
        self.available -= back
        ahead = self._rate * _AHEAD_S - self.available
        demand = self.demand + self.line_demand
        least = self.least or self.line_least
        # Who gives way asks again in the next turn, behind those for whom it was done.
        want = 0 if closing or self.giving else max(demand - self.available, ahead, 0)
        ask = Ask(
            want=want,
            demand=demand,
            least=max(0, least - self.available),
            piece=max(1, least - self.available) if least else max(1, self.typical),
            give_back=back,
            refunds=self._slots.taken_refunds(),
            debt=debt,
            spent=self.untold,
            idle=self.available,
            in_flight=self.in_flight if self.rule.window == "now" else 0,
            moves=self._slots.moves,
            stamped=self._slots.current,
            recall=self.recall,
            refused=self.refused,
            waits=self.line_demand > 0 and self.available < max(1, self.line_least),
        )
        self.giving = 0
        self.telling, self.untold = self.untold, 0
        self.least = 0
        self.recall = self.recalled = self.refused = False
        if self.is_minute:
            self.stamp = self._slots.sent(self.available)
        return ask

    def _surplus(self, now_us: int) -> int:
        """What of the share should go back because it is not used as fast as was thought."""
        spare = self.available - self.demand - self.line_demand
        if spare <= 0:
            return 0
        if self.recalled or now_us - self.used_at_us >= _IDLE_US:
            return spare
        return max(0, spare - 2 * self._rate * _AHEAD_S)

    def _note_rate(self, now_us: int) -> None:
        span_us = now_us - self._rate_since_us
        if span_us >= _MIN_RATE_SPAN_US:
            rate = self.used * 1_000_000 // span_us
            self._rate = (self._rate + rate) // 2
            self.used = 0
            self._rate_since_us = now_us

    def answered(self, turn: Turn, answer: Answer, now_us: int) -> None:
        """Take what the store answered."""
        if not turn.current:
            return
        self.asked = False
        self.telling = 0
        if turn.period != self.period and self.rule.window not in ("minute", "now"):
            # The period ended while the turn was on its way: what was granted goes back.
            if answer.granted:
                self._past.note(turn.period, back=answer.granted)
            return
        self.left = answer.left
        self.elsewhere = answer.elsewhere
        self.taken = answer.taken
        self.spent = answer.spent
        self.extra = answer.extra
        self.more_at_us = answer.more_at_us
        self.known_at_us = now_us
        self.recalled = answer.recalled
        self.give_way = answer.give_way
        self._told_idle = told_idle(turn.ask, answer.granted)
        self.available += answer.granted
        # Near the end every unit should be where a call needs it, so none is fetched ahead.
        self.low = min(self._rate // 4, answer.left // 4) if answer.granted else 0
        window = self.rule.window
        if window in _VOID_AFTER_US:
            self.until_us = now_us + _VOID_AFTER_US[window]
        if self.is_minute:
            self._slots.answered(answer.slot, answer.granted)

    def refused_by_store(self, turn: Turn, now_us: int) -> None:
        """The store can't carry out a turn of this allowance, and nobody knows why."""
        self.broken_until_us = now_us + _BROKEN_US
        self.unanswered(turn)
        ask = turn.ask
        if self.rule.window in ("minute", "now"):
            return
        # It was not carried out, so what it told is still to be told.
        back = ask.give_back + sum(amount for _, amount in ask.refunds) - ask.debt
        if turn.current and turn.period == self.period:
            self.available += back
            self.untold += ask.spent
        else:
            self._past.note(turn.period, back=back, spent=ask.spent)

    def unanswered(self, turn: Turn) -> None:
        """The store carried out a turn, but its answer was lost: what it granted is lost too."""
        if turn.current:
            self.asked = False
            self.telling = 0
        if turn.current and self.is_minute:
            self.available = min(0, self.available)
            self.stamp = self._slots.lost()


def reserve(shares: Sequence[Share], amounts: Sequence[int], now_us: int) -> list[Hold]:
    """Hold `amounts`, which must fit, of `shares` for one call."""
    # All at once, as `give_back` does: a call has several, and a function of a few lines for each
    # would cost it more than what is counted here.
    holds = []
    for share, amount in zip(shares, amounts, strict=True):
        share.available -= amount
        share.in_flight += 1
        share.used += amount
        share.typical = amount
        share.used_at_us = now_us
        holds.append(Hold(share, amount, share.stamp))
    return holds


def give_back(holds: Sequence[Hold], used: Mapping[Measure, int | None]) -> None:
    """Settle `holds` of a call that has ended and `used` so much; None: nobody knows."""
    for hold in holds:
        share = hold.share
        actual = used[share.measure]
        if actual is None:
            actual = unknown_amount(share.rule, hold.amount)
        if hold.stamp is share.stamp:
            share.in_flight -= 1
            share.available += hold.amount - actual
            if share.tells_spent:
                share.untold += actual
        else:
            share.settle_late(hold, actual)
