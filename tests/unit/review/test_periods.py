"""A page's period ends now, begins where a point does, and has as many points as it says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headgate.review.console.period import NAMES, last_days, period_of

_NOW = st.integers(1_000_000_000_000_000, 4_000_000_000_000_000)


@given(_NOW, st.sampled_from(NAMES))
def test_a_period_holds_now_and_begins_where_a_point_does(now_us: int, name: str):
    period = period_of(name, now_us)
    assert period.name == name
    assert period.since_s % period.point_s == 0
    assert period.since_s <= now_us // 1_000_000 < period.until_s
    assert period.points[-1] <= now_us // 1_000_000 < period.points[-1] + period.point_s
    assert len(period.points) == {"1h": 12, "24h": 96, "7d": 84, "30d": 30, "90d": 90}[name]


@given(_NOW)
def test_an_unknown_period_is_the_default(now_us: int):
    assert period_of("<b>", now_us).name == "24h"
    assert period_of(None, now_us, "30d").name == "30d"


@given(_NOW, st.integers(1, 90))
def test_last_days_are_whole_days_and_today(now_us: int, days: int):
    period = last_days(days, now_us)
    assert len(period.points) == days
    assert period.since_s % 86_400 == 0
