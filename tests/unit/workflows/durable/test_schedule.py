"""When workflows run by themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.config.workflow import ScheduleSettings
from headgate.workflows.durable.schedule import GRACE_S, Schedule, is_due


def schedule(cron: str, timezone: str = "UTC") -> Schedule:
    return Schedule(ScheduleSettings(cron=cron, timezone=timezone))


MOMENTS = st.integers(1_700_000_000, 1_900_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))
CRONS = st.sampled_from(["*/5 * * * *", "0 7 * * mon-fri", "30 2 * * *", "15 0 1 * *", "0 * * * *"])
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"])


@given(MOMENTS, CRONS, ZONES)
def test_the_latest_tick_is_a_tick_and_none_is_after_it(moment, cron, zone):
    ticks = schedule(cron, zone)
    tick = ticks.latest(moment)
    assert tick is not None
    assert tick <= moment
    # At the tick itself, and a second before the present, it is the same or an earlier one.
    assert ticks.latest(tick) == tick
    before = ticks.latest(tick - timedelta(seconds=1))
    assert before is not None
    assert before < tick


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=40)), CRONS, ZONES)
def test_time_never_takes_a_tick_back(moment, later, cron, zone):
    ticks = schedule(cron, zone)
    first, second = ticks.latest(moment), ticks.latest(moment + later)
    assert first is not None
    assert second is not None
    assert first <= second


def test_the_clock_is_the_place_s_own():
    ticks = schedule("0 7 * * *", "Europe/Berlin")
    for day in (datetime(2026, 1, 15, 12, tzinfo=UTC), datetime(2026, 7, 15, 12, tzinfo=UTC)):
        tick = ticks.latest(day)
        assert tick is not None
        assert tick.astimezone(ZoneInfo("Europe/Berlin")).hour == 7


def test_an_hour_that_is_left_out_or_comes_twice():
    ticks = schedule("30 2 * * *", "Europe/Berlin")
    assert ticks.latest(datetime(2026, 3, 29, 12, tzinfo=UTC)) == datetime(
        2026, 3, 29, 1, tzinfo=UTC
    )
    first, second = (ticks.latest(datetime(2026, 10, 25, hour, 45, tzinfo=UTC)) for hour in (0, 1))
    assert (first, second) == (
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    )


def test_a_tick_is_due_once_and_not_for_ever():
    tick = datetime(2026, 10, 1, 7, tzinfo=UTC)
    before = tick - timedelta(days=1)
    assert is_due(tick, before, tick)
    assert is_due(tick, before, tick + timedelta(seconds=GRACE_S))
    assert not is_due(tick, before, tick + timedelta(seconds=GRACE_S + 1))
    assert not is_due(tick, tick, tick)


@pytest.mark.parametrize(
    "cron", ["", "* * * *", "* * * * * *", "61 * * * *", "@daily", "0 0 31 2 *", "R * * * *", "x"]
)
def test_what_is_no_expression_is_refused(cron):
    with pytest.raises(ValueError, match="cron"):
        schedule(cron)


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "\0"])
def test_what_is_no_time_zone_is_refused(zone):
    with pytest.raises(ValueError, match="timezone"):
        schedule("0 7 * * *", zone)
