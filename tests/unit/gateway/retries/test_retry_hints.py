"""How long a provider asks to be left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.gateway.retries.hints import asked_pause_s, duration_s

NOW_S = 1_792_567_680.0  # Wed, 21 Oct 2026 07:28:00 GMT


def pause(status: int = 429, **headers: str) -> float | None:
    given_ = {name.replace("_", "-").encode(): text.encode() for name, text in headers.items()}
    return asked_pause_s(given_.get, status=status, now_s=NOW_S)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after_ms": "1500", "retry_after": "9"}, 1.5),
        ({"retry_after": "2"}, 2.0),
        ({"retry_after": "Wed, 21 Oct 2026 07:28:30 GMT"}, 30.0),
        ({"retry_after": "Wed, 21 Oct 2026 07:27:00 GMT"}, 0.0),
        ({"retry_after": "Wed, 21 Oct 2099 07:28:00 GMT"}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after_ms": "-5"}, None),
        ({"retry_after_ms": "nan"}, None),
        ({"retry_after_ms": "inf"}, None),
        ({}, None),
        ({"x_ratelimit_reset_requests": "20ms", "x_ratelimit_remaining_requests": "0"}, 0.02),
        (
            {
                "x_ratelimit_reset_requests": "1s",
                "x_ratelimit_remaining_requests": "0",
                "x_ratelimit_reset_tokens": "6m0s",
                "x_ratelimit_remaining_tokens": "0",
            },
            360.0,
        ),
        ({"x_ratelimit_reset_requests": "1s", "x_ratelimit_remaining_requests": "7"}, None),
        (
            {
                "retry_after": "3",
                "x_ratelimit_reset_requests": "1s",
                "x_ratelimit_remaining_requests": "0",
            },
            3.0,
        ),
    ],
)
def test_the_pause_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert pause(**headers) == pytest.approx(seconds)


def test_the_limits_resets_are_no_hint_where_they_were_not_the_reason() -> None:
    used_up = {"x_ratelimit_reset_requests": "1m", "x_ratelimit_remaining_requests": "0"}
    assert pause(500, **used_up) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (b"6m0s", 360.0),
        (b"20ms", 0.02),
        (b"1h2m3.5s", 3723.5),
        (b"8.64s", 8.64),
        (b"1d", None),
        (b"12", 12.0),
        (b"s", None),
        (b"1s2", None),
        (b"-1s", None),
        (b"", None),
    ],
)
def test_a_duration_is_read(text: bytes, seconds: float | None) -> None:
    assert duration_s(text) == seconds


@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=40))
def test_whatever_a_provider_sends_is_a_bounded_pause_or_none(
    after: bytes, after_ms: bytes, reset: bytes
) -> None:
    headers = {
        b"retry-after": after,
        b"retry-after-ms": after_ms,
        b"x-ratelimit-reset-tokens": reset,
        b"x-ratelimit-remaining-tokens": b"0",
    }
    seconds = asked_pause_s(headers.get, status=429, now_s=NOW_S)
    assert seconds is None or 0 <= seconds < 86_400
