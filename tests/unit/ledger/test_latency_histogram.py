"""Quantiles of a histogram that was added up are close to those of the latencies themselves."""

from __future__ import annotations

from bisect import bisect_right

from hypothesis import given
from hypothesis import strategies as st

from headgate.ledger.rollups.latency import BOUNDS_US, quantile_us
from headgate.storage.rollup_tables import LATENCY_BUCKETS


def bucket_of(latency_us: int) -> int:
    """A latency on a bound belongs to the bucket above."""
    return bisect_right(BOUNDS_US, latency_us)


def _histogram(latencies: list[int]) -> list[int]:
    counts = [0] * LATENCY_BUCKETS
    for latency_us in latencies:
        counts[bucket_of(latency_us)] += 1
    return counts


@given(st.lists(st.integers(0, 150_000_000), min_size=1, max_size=200), st.floats(0.01, 1))
def test_a_quantile_lies_in_the_bucket_of_the_true_one(latencies: list[int], share: float):
    found = quantile_us(_histogram(latencies), share)
    ordered = sorted(latencies)
    rank = max(1, -(-int(share * len(ordered) * 1_000_000) // 1_000_000))
    true = ordered[min(rank, len(ordered)) - 1]
    assert found is not None
    bucket = bucket_of(true)
    low = BOUNDS_US[bucket - 1] if bucket else 0
    # One bucket to either side, for a rank that falls on a bound.
    assert low / 1.5001 <= found <= BOUNDS_US[min(bucket + 1, len(BOUNDS_US) - 1)]


@given(st.lists(st.integers(0, 10**9), max_size=50), st.lists(st.integers(0, 10**9), max_size=50))
def test_histograms_add_up(left: list[int], right: list[int]):
    added = [a + b for a, b in zip(_histogram(left), _histogram(right), strict=True)]
    assert added == _histogram(left + right)


def test_without_calls_there_is_no_quantile():
    assert quantile_us([0] * LATENCY_BUCKETS, 0.5) is None


def test_what_lies_beyond_the_last_bound_is_told_as_that_bound():
    assert quantile_us(_histogram([10**10]), 0.95) == BOUNDS_US[-1]


def test_quantiles_rise_with_the_share():
    counts = _histogram([n * 10_000 for n in range(1, 500)])
    found = [quantile_us(counts, share / 20) or 0 for share in range(1, 21)]
    assert found == sorted(found)
    assert abs(found[9] - 2_500_000) < 250_000
