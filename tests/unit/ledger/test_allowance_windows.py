"""Windows follow the calendar of the zone that was named, through every change of its clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.ledger.allowances.window import ALWAYS, period_at, zone_of

ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe",
     "America/Santiago", "Pacific/Auckland", "Africa/Cairo"]
)  # fmt: skip
MOMENTS = st.integers(1_600_000_000_000_000, 2_200_000_000_000_000)


def us(*parts: int, zone: str) -> int:
    return int(datetime(*parts, tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000


@given(st.sampled_from(["day", "week", "month"]), ZONES, MOMENTS)
def test_every_moment_lies_in_one_window_and_windows_follow_each_other(window, zone, now_us):
    period = period_at(window, zone_of(zone), now_us)
    assert period.start_us <= now_us < period.end_us
    assert period_at(window, zone_of(zone), period.start_us) == period
    assert period_at(window, zone_of(zone), period.end_us - 1) == period
    assert period_at(window, zone_of(zone), period.end_us).start_us == period.end_us


def test_a_day_in_berlin_begins_at_its_midnight_and_may_have_23_hours():
    day = period_at("day", zone_of("Europe/Berlin"), us(2026, 3, 29, 12, zone="Europe/Berlin"))
    assert day.start_us == us(2026, 3, 29, zone="Europe/Berlin")
    assert day.end_us - day.start_us == 23 * 3_600_000_000


def test_a_week_begins_on_monday_and_a_month_on_its_first():
    now_us = us(2026, 11, 21, 10, zone="UTC")
    assert period_at("week", UTC, now_us).start_us == us(2026, 11, 16, zone="UTC")
    assert period_at("month", UTC, now_us) == (
        us(2026, 11, 1, zone="UTC"),
        us(2026, 12, 1, zone="UTC"),
    )


def test_what_no_calendar_ends_lasts_for_ever():
    assert {period_at(window, UTC, 5) for window in ("now", "minute", "total")} == {ALWAYS}


def test_a_zone_that_is_not_known_is_named():
    with pytest.raises(ValueError, match="Europe/Atlantis"):
        zone_of("Europe/Atlantis")
