"""How long the slowest of a target's answers take of late. Pure: the clock is handed in.

Beside `latency`, a mean that says what to expect: here the question is what is no longer usual.
"""

from __future__ import annotations

from math import frexp

_HALF_S = 300.0
"""Answers count for this long, and for up to as long again."""

_LEAST_ANSWERS = 100
"""Fewer say nothing of the slowest."""

_PERCENT = 99
_LOOK_EVERY = 32
"""So many answers are put into their buckets together: that is not on every call's way."""

_STEPS = 4
"""Buckets for each doubling, so that what is told is at most a quarter too long."""

_SHORTEST_EXPONENT = -10
_BUCKETS = 28 * _STEPS
"""From a millisecond to about three days."""


class Tail:
    """The slow end of the answers of one target."""

    __slots__ = ("_counts", "_half_ends_s", "_new", "_old", "_tail_s", "_total")

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self._old = [0] * _BUCKETS
        self._total = 0
        """Of both halves."""
        self._new: list[float] = []
        """Latencies that stand in no bucket yet."""
        self._half_ends_s = float("-inf")
        self._tail_s: float | None = None

    def note(self, latency_s: float, now_s: float) -> None:
        """Take in an attempt that was answered."""
        if now_s >= self._half_ends_s:
            self._turn(now_s)
        self._new.append(latency_s)
        if len(self._new) >= _LOOK_EVERY:
            self._look()

    def longest_s(self, now_s: float) -> float | None:
        """What all but one in a hundred kept to; None where too few answers came of late."""
        if now_s >= self._half_ends_s:
            self._turn(now_s)
        return self._tail_s

    def _turn(self, now_s: float) -> None:
        """Begin a new half of the window."""
        is_next = now_s < self._half_ends_s + _HALF_S
        self._sort_in()
        self._old = self._counts if is_next else [0] * _BUCKETS
        self._counts = [0] * _BUCKETS
        self._total = sum(self._old)
        self._half_ends_s = now_s + _HALF_S
        self._look()

    def _sort_in(self) -> None:
        for latency_s in self._new:
            self._counts[_bucket(latency_s)] += 1
        self._total += len(self._new)
        self._new.clear()

    def _look(self) -> None:
        self._sort_in()
        self._tail_s = None
        if self._total < _LEAST_ANSWERS:
            return
        slower = self._total * (100 - _PERCENT) // 100
        for bucket in range(_BUCKETS - 1, -1, -1):
            slower -= self._counts[bucket] + self._old[bucket]
            if slower < 0:
                self._tail_s = _upper_s(bucket)
                return


def _bucket(latency_s: float) -> int:
    if latency_s <= 0:
        return 0
    part, exponent = frexp(latency_s)
    # `part` is from a half to one: a step is a fourth of that.
    bucket = (exponent - _SHORTEST_EXPONENT) * _STEPS + int((part - 0.5) * 2 * _STEPS)
    return max(0, min(bucket, _BUCKETS - 1))


def _upper_s(bucket: int) -> float:
    exponent, step = divmod(bucket, _STEPS)
    return float((0.5 + (step + 1) / (2 * _STEPS)) * 2.0 ** (exponent + _SHORTEST_EXPONENT))
