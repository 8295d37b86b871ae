"""What the database keeps of one allowance, and what one process's turn with it changes.

No I/O: the store reads a `Standing`, has a process take its turn, and writes it back, in one
transaction that no other process can come between.

*Taken* is what has been handed out to processes and has not come back: used, held for calls in
flight, or idle in a process's share. It never exceeds the limit, so neither can what is used. A
process that dies gives nothing back, and what it had counts as used until the window ends; only
calls in flight end with their process.
"""

from __future__ import annotations

import msgspec

from headgate.ledger.allowances.window import FOR_EVER_US, MINUTE_SLOTS, SLOT_US, Window

GONE_AFTER_US = 30_000_000
"""A process that has not been heard of for so long is taken to be gone."""

_RECALL_US = 1_000_000
"""How long those who hold idle shares are asked to give them back."""

_WAITS_US = 1_000_000
"""How long a process is taken to wait that said so; while it does, it says so more often."""


class Holder(msgspec.Struct, array_like=True):
    """What one process said last of its share."""

    held: int
    """Calls in flight and room for more; only of rules that count calls in flight."""
    idle: int
    """Of its share, what no call uses."""
    seen_at_us: int
    waits: bool = False
    """Whether calls wait in line that its share does not hold."""


class Standing(msgspec.Struct, omit_defaults=True):
    """What the database keeps of one allowance in one period."""

    taken: int = 0
    spent: int = 0
    """Of what was taken, what calls that have ended really used."""
    slots: dict[int, int] = {}
    """Of a minute's rule: what was taken in each second."""
    holders: dict[str, Holder] = {}
    recalled_at_us: int = 0
    """When a process last asked for what others hold idle."""
    extra: int = 0
    """What people granted beyond the limit."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What a process brings to its turn and what it would like of it."""

    want: int = 0
    """How much it would take, if there were enough for all."""
    least: int = 0
    """What its smallest waiting call needs; with less it is not helped."""
    demand: int = 0
    """Of its share and of `want`, what calls wait for."""
    piece: int = 1
    """What a call takes; it is given whole ones."""
    give_back: int = 0
    """Of its share, what it will not use."""
    refunds: tuple[tuple[int, int], ...] = ()
    """What earlier slots, or this period, get back from calls that used less than was reserved."""
    debt: int = 0
    """What calls used beyond the share; it is taken whatever is left."""
    spent: int = 0
    idle: int = 0
    """What remains of its share, once `give_back` is given."""
    in_flight: int = 0
    """Of rules that count calls in flight: how many there are."""
    moves: int = 0
    """Of a minute's rule: units that it took in `stamped` and did not use before its last turn."""
    stamped: int | None = None
    recall: bool = False
    """Whether others shall give back what they hold idle."""
    refused: bool = False
    """Whether a call had to be refused, so that the allowance counts as used up."""
    waits: bool = False
    """See `Holder`."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a process comes away with."""

    granted: int
    left: int
    """What nobody has taken."""
    elsewhere: int
    """What other processes said they hold idle."""
    taken: int
    spent: int
    slot: int
    """The slot that its share now counts in."""
    more_at_us: int
    """When there will be enough for `least`, or anything, if nobody gives any back before."""
    recalled: bool
    """Whether another process asks for what this one holds idle."""
    extra: int = 0
    """What people granted beyond the limit."""
    give_way: bool = False
    """Of calls in flight: whether a place that gets free here is for another process's line."""


def take_turn(
    standing: Standing,
    window: Window,
    limit: int,
    ask: Ask,
    *,
    holder: str,
    processes: int,
    now_us: int,
    ends_us: int = FOR_EVER_US,
) -> Answer:
    """Carry out one turn of the process `holder` on `standing`, which it changes.

    `processes` share the allowance; each is given no more than half of its part of what is left,
    unless a call of it needs more.
    """
    holders = standing.holders
    for name in [n for n, h in holders.items() if now_us - h.seen_at_us > GONE_AFTER_US]:
        del holders[name]
    slot = 0
    if window == "now":
        mine = holders.setdefault(holder, Holder(0, 0, now_us))
        mine.held = ask.in_flight + ask.idle
        standing.taken = sum(other.held for other in holders.values())
    elif window == "minute":
        slot = _into_slots(standing.slots, ask, now_us // SLOT_US)
        standing.taken = sum(standing.slots.values())
    else:
        back = ask.give_back + sum(amount for _, amount in ask.refunds)
        standing.taken = max(0, standing.taken - back) + ask.debt
    standing.spent += ask.spent

    left = max(0, limit - standing.taken)
    granted = 0
    if ask.want > 0 and left >= max(1, ask.least):
        granted = min(ask.want, max(ask.least, left // (2 * max(1, processes)), 1))
        # Pieces of calls in many processes would be of use to none.
        granted -= granted % max(1, ask.piece)
        standing.taken += granted
        left -= granted
        if window == "minute":
            standing.slots[slot] = standing.slots.get(slot, 0) + granted
    elif ask.recall:
        standing.recalled_at_us = now_us
    _note_holder(holders, holder, window, ask, granted, now_us)
    return Answer(
        granted=granted,
        left=left,
        elsewhere=sum(h.idle for name, h in holders.items() if name != holder),
        taken=standing.taken,
        spent=standing.spent,
        slot=slot,
        more_at_us=_more_at_us(standing, window, max(1, ask.least) - left, now_us, ends_us),
        recalled=not ask.recall and 0 <= now_us - standing.recalled_at_us < _RECALL_US,
        extra=standing.extra,
        give_way=window == "now" and not left and _gives_way(holders, holder, now_us),
    )


def _gives_way(holders: dict[str, Holder], holder: str, now_us: int) -> bool:
    """Whether a process with a line has none of the places, or two fewer than this one.

    One fewer is as even as it gets: places would go to and fro, and be idle on the way. Only who
    has most gives, so that nobody loses what was just given.
    """
    mine = holders[holder].held if holder in holders else 0
    return mine == max((h.held for h in holders.values()), default=0) and any(
        h.waits
        and 0 <= now_us - h.seen_at_us < _WAITS_US
        and (h.held + 1 < mine or (h.held == 0 < mine))
        for name, h in holders.items()
        if name != holder
    )


def told_idle(ask: Ask, granted: int) -> int:
    """What others may take to be idle of a share: not what calls wait for."""
    return max(0, ask.idle + granted - ask.demand)


def _into_slots(slots: dict[int, int], ask: Ask, now_slot: int) -> int:
    """Bring the slots of a minute up to date; return the slot that counts now."""
    for slot in [s for s in slots if not now_slot - MINUTE_SLOTS < s < now_slot + MINUTE_SLOTS]:
        # Too old to count, or written by a clock that was set back since.
        del slots[slot]
    # Turns come in the order in which they lock the row, not in that of the times they were told.
    now_slot = max(now_slot, max(slots, default=now_slot))
    if ask.stamped is not None and ask.stamped != now_slot and ask.moves:
        # What can't be found there any more counts anew: the process still has it, or used it.
        slots[ask.stamped] = max(0, slots.get(ask.stamped, 0) - ask.moves)
        slots[now_slot] = slots.get(now_slot, 0) + ask.moves
    for slot, amount in ask.refunds:
        if slot in slots:
            slots[slot] = max(0, slots[slot] - amount)
    slots[now_slot] = max(0, slots.get(now_slot, 0) - ask.give_back) + ask.debt
    for slot in [s for s, count in slots.items() if not count]:
        del slots[slot]
    return now_slot


def _note_holder(
    holders: dict[str, Holder], holder: str, window: Window, ask: Ask, granted: int, now_us: int
) -> None:
    held = ask.in_flight + ask.idle + granted if window == "now" else 0
    idle = told_idle(ask, granted)
    waits = window == "now" and ask.waits and not granted
    if idle or held or waits:
        holders[holder] = Holder(held, idle, now_us, waits)
    else:
        holders.pop(holder, None)


def _more_at_us(standing: Standing, window: Window, lacking: int, now_us: int, ends_us: int) -> int:
    if window == "now" or lacking <= 0:
        return now_us
    if window != "minute":
        return ends_us
    freed = 0
    for slot in sorted(standing.slots):
        freed += standing.slots[slot]
        if freed >= lacking:
            return (slot + MINUTE_SLOTS) * SLOT_US
    return now_us + MINUTE_SLOTS * SLOT_US
