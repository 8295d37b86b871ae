"""Rate limits are counted per key and model, and refill evenly."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headgate.simulator.wire.rate_limits import MAX_PAIRS, RateLimits


def test_what_is_left_goes_down_and_comes_back():
    limits = RateLimits(requests_per_min=60, tokens_per_min=6_000)
    first = limits.take("k", "m", 1_000, now_s=0)
    assert (first.remaining_requests, first.remaining_tokens) == (59, 5_000)
    assert (first.reset_requests_s, first.reset_tokens_s) == (1.0, 10.0)
    assert dict(first.headers())["x-ratelimit-reset-tokens"] == "10s"
    later = limits.take("k", "m", 0, now_s=5)
    assert (later.remaining_requests, later.remaining_tokens) == (59, 5_500)


def test_keys_and_models_do_not_share():
    limits = RateLimits(2, 100)
    limits.take("a", "m", 100, now_s=0)
    assert limits.take("b", "m", 0, now_s=0).remaining_tokens == 100
    assert limits.take("a", "n", 0, now_s=0).remaining_tokens == 100


def test_beyond_the_limit_it_tells_when_to_come_back():
    limits = RateLimits(1, 60)
    assert limits.take("k", "m", 60, now_s=0).retry_after_s == 0
    refused = limits.take("k", "m", 30, now_s=0)
    assert refused.retry_after_s == 60
    assert limits.take("k", "m", 30, now_s=60).retry_after_s == 0


def test_times_are_written_as_openai_does():
    headers = dict(RateLimits(10_000, 100).take("k", "m", 100, now_s=0).headers())
    assert headers["x-ratelimit-reset-requests"] == "6ms"
    assert headers["x-ratelimit-reset-tokens"] == "1m0s"


def test_only_so_many_pairs_are_remembered():
    limits = RateLimits(10, 10)
    limits.take("first", "m", 10, now_s=0)
    for number in range(MAX_PAIRS):
        limits.take(str(number), "m", 0, now_s=0)
    assert limits.take("first", "m", 0, now_s=0).remaining_tokens == 10


@given(st.lists(st.tuples(st.integers(0, 200), st.floats(0, 5)), max_size=40))
def test_no_more_is_granted_than_the_limits_allow(requests: list[tuple[int, float]]):
    limits = RateLimits(requests_per_min=10, tokens_per_min=500)
    now_s, granted_requests, granted_tokens = 0.0, 0, 0
    for tokens, pause_s in requests:
        now_s += pause_s
        left = limits.take("k", "m", tokens, now_s)
        assert 0 <= left.remaining_requests <= 10
        assert 0 <= left.remaining_tokens <= 500
        if left.retry_after_s == 0:
            granted_requests += 1
            granted_tokens += tokens
    assert granted_requests <= 10 + now_s / 6 + 1e-6
    assert granted_tokens <= 500 + now_s * 500 / 60 + 1e-6
