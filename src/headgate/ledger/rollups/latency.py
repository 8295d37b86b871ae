"""Latencies as a histogram that can be added up, and the quantiles that it tells. No I/O.

Buckets grow by half, so a quantile is within a few percent where calls are many. The last bucket
has no end; what lies in it is told as its beginning.
"""

from __future__ import annotations

from collections.abc import Sequence

from headgate.storage.rollup_tables import LATENCY_BUCKETS

BOUNDS_US: tuple[int, ...] = tuple(int(5_000 * 1.5**i) for i in range(LATENCY_BUCKETS - 1))
"""Where each bucket but the last ends: 5 ms, 7.5 ms, … 189 s."""


def quantile_us(counts: Sequence[int], share: float) -> int | None:
    """The latency that `share` (0 to 1) of the calls do not exceed; None without calls."""
    total = sum(counts)
    if not total:
        return None
    wanted = share * total
    below = 0
    for bucket, count in enumerate(counts):
        if count and below + count >= wanted:
            low = BOUNDS_US[bucket - 1] if bucket else 0
            if bucket == len(BOUNDS_US):
                return low
            inside = max(0.0, wanted - below) / count
            return int(low + (BOUNDS_US[bucket] - low) * inside)
        below += count
    return BOUNDS_US[-1]
