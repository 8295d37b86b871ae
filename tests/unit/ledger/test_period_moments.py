"""Moments are written as people write them, and refused with what would have been right."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import InvalidRequestError
from headgate.ledger.period import day_of, moment_us

NOW_US = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()) * 1_000_000
HOUR_US = 3_600_000_000


@pytest.mark.parametrize(
    ("text", "hours_ago"),
    [("24h", 24), ("7d", 168), ("2w", 336), ("30m", 0.5), ("0s", 0), (" 1h ", 1)],
)
def test_a_duration_is_so_long_ago(text: str, hours_ago: float):
    assert moment_us(text, now_us=NOW_US) == NOW_US - int(hours_ago * HOUR_US)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T08:30", datetime(2026, 11, 1, 8, 30, tzinfo=UTC)),
        ("2026-11-01T08:30:00Z", datetime(2026, 11, 1, 8, 30, tzinfo=UTC)),
        ("2026-11-01T08:30:00+02:00", datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
        ("2026-11-01 08:30:00.25", datetime(2026, 11, 1, 8, 30, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_a_date_is_in_utc_unless_it_says_otherwise(text: str, moment: datetime):
    assert moment_us(text, now_us=NOW_US) == round(moment.timestamp() * 1_000_000)


@pytest.mark.parametrize("text", ["999999w", "0001-01-01", "0001-01-01T00:00+14:00"])
def test_nothing_is_before_1970(text: str):
    assert moment_us(text, now_us=NOW_US) == 0


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "7", "d", "-1d", "1.5h", "1y", "2026-02-30", "2026-11", "٣d", "9" * 400],
)
def test_anything_else_is_refused_with_examples(text: str):
    with pytest.raises(InvalidRequestError, match="such as 24h or 7d") as refusal:
        moment_us(text, now_us=NOW_US, param="until")
    assert refusal.value.param == "until"
    assert refusal.value.status == 400


@given(st.text(max_size=40))
def test_no_text_makes_anything_but_a_moment_or_a_refusal(text: str):
    try:
        moment = moment_us(text, now_us=NOW_US)
    except InvalidRequestError:
        return
    assert moment >= 0


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 12, 31)))  # noqa: DTZ001
def test_every_date_is_read_back_exactly(moment: datetime):
    moment_in_us = moment_us(moment.isoformat(), now_us=NOW_US)
    assert day_of(moment_in_us // (24 * HOUR_US)) == moment.date().isoformat()
