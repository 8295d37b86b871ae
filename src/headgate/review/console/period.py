"""The period that a page of figures is about, and how fine its charts are."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

PeriodName = Literal["1h", "24h", "7d", "30d", "90d"]
NAMES: tuple[PeriodName, ...] = get_args(PeriodName)

_DAY_S = 86_400
_SHAPES: dict[PeriodName, tuple[int, int, str]] = {
    "1h": (300, 12, "last hour"),
    "24h": (900, 96, "last 24 hours"),
    "7d": (7200, 84, "last 7 days"),
    "30d": (86_400, 30, "last 30 days"),
    "90d": (86_400, 90, "last 90 days"),
}
"""How long a point is, in seconds; how many points; and how people call it."""


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """From when to when, in seconds since 1970 UTC; it begins where a point does."""

    name: PeriodName
    title: str
    since_s: int
    until_s: int
    point_s: int

    @property
    def points(self) -> range:
        """Where each point begins."""
        return range(self.since_s, self.until_s, self.point_s)


def last_days(days: int, now_us: int) -> Period:
    """Today and the days before it, by days: for figures without a chart."""
    now_s = now_us // 1_000_000
    return Period(
        name="7d",
        title=f"last {days} days",
        since_s=now_s // _DAY_S * _DAY_S - (days - 1) * _DAY_S,
        until_s=now_s + 1,
        point_s=_DAY_S,
    )


def period_of(asked: str | None, now_us: int, default: PeriodName = "24h") -> Period:
    """The period called `asked`, up to now; the default for a name that there isn't."""
    name = next((n for n in NAMES if n == asked), default)
    point_s, points, title = _SHAPES[name]
    now_s = now_us // 1_000_000
    return Period(
        name=name,
        title=title,
        since_s=now_s // point_s * point_s - (points - 1) * point_s,
        until_s=now_s + 1,
        point_s=point_s,
    )
