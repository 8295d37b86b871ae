"""When a window of an allowance begins and ends: calendar days, weeks and months, or for ever."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Window = Literal["now", "minute", "day", "week", "month", "total"]
"""`now`: what is in flight. `minute`: any 60 seconds. The others: calendar windows, or for ever."""

FOR_EVER_US = 2**62

SLOT_US = 1_000_000
"""Of a minute's use it is kept in which slot it fell."""

SHARE_SLOTS = 3
"""For how long what a process took of a minute's rule may be used without a word to the store."""

MINUTE_SLOTS = 61 + SHARE_SLOTS
"""How many slots count: those that any 60 seconds touch, and as many before them as what was taken
may have been used later than it was taken."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Period(NamedTuple):
    """One window: from `start_us` up to, and without, `end_us`; microseconds since 1970 UTC."""

    start_us: int
    end_us: int


ALWAYS = Period(0, FOR_EVER_US)
"""The period of windows that no calendar ends."""


def zone_of(name: str) -> tzinfo:
    """The time zone of that name; ValueError where this machine knows none."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        raise ValueError(f"no time zone is called `{name[:64]}` here") from None


def period_at(window: Window, zone: tzinfo, now_us: int) -> Period:
    """The period of `window` that `now_us` falls into, where clocks show the time of `zone`."""
    if window in ("now", "minute", "total"):
        return ALWAYS
    today = (_EPOCH + timedelta(microseconds=now_us)).astimezone(zone).date()
    if window == "day":
        first, after = today, today + timedelta(days=1)
    elif window == "week":
        first = today - timedelta(days=today.weekday())
        after = first + timedelta(days=7)
    else:
        first = today.replace(day=1)
        after = (first + timedelta(days=32)).replace(day=1)
    return Period(_midnight_us(first, zone), _midnight_us(after, zone))


def _midnight_us(day: date, zone: tzinfo) -> int:
    # Where a clock skips midnight, this is the moment at which it does.
    return (datetime(day.year, day.month, day.day, tzinfo=zone) - _EPOCH) // _MICROSECOND
