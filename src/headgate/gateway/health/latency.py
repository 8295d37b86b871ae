"""How long a target takes to begin its answer. Pure: the clock is handed in."""

from __future__ import annotations

from math import exp

_MEMORY_S = 60.0
"""What was measured this long ago is worth no more than a guess."""

_LEAST_WEIGHT = 0.1
"""Of a new attempt, so that many at once don't leave the mean where it was."""


class Latency:
    """A mean of the latest attempts of one target."""

    __slots__ = ("_at_s", "_mean_s")

    def __init__(self) -> None:
        self._mean_s: float | None = None
        self._at_s = 0.0

    def note(self, latency_s: float, now_s: float) -> None:
        """Take in an attempt that was answered."""
        mean_s = self._mean_s
        if mean_s is None:
            self._mean_s = latency_s
        else:
            weight = (now_s - self._at_s) / _MEMORY_S
            if weight < _LEAST_WEIGHT:
                weight = _LEAST_WEIGHT
            elif weight > 1.0:
                weight = 1.0
            self._mean_s = mean_s + weight * (latency_s - mean_s)
        self._at_s = now_s

    def expected_s(self, now_s: float) -> float | None:
        """What an attempt now is expected to take; None where nothing is known.

        What was measured long ago fades, so that a target that was slow once is tried again.
        """
        if self._mean_s is None:
            return None
        return self._mean_s * exp(-max(0.0, now_s - self._at_s) / _MEMORY_S)
