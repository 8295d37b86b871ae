"""What time it is for all processes: the database's, carried on by this machine's steady clock."""

from __future__ import annotations

import time
from collections.abc import Callable

_LONGEST_ANSWER_US = 1_000_000
"""What took longer to be told is not gone by."""


class StoreClock:
    """A clock that no change of this machine's time moves."""

    def __init__(
        self,
        *,
        wall_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        steady_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._steady_ns = steady_ns
        # Until the database has told the time, this machine's own must do.
        self._ahead_us = wall_us() - self.steady_us()

    def set(self, now_us: int, asked_at_us: int) -> None:
        """It was `now_us`, the database said when asked at `asked_at_us`, as `steady_us` tells it.

        The clock may so be ahead by the time that the answer took, never behind: what is good
        until some time is not held to be good for longer.
        """
        if self.steady_us() - asked_at_us < _LONGEST_ANSWER_US:
            self._ahead_us = now_us - asked_at_us

    def steady_us(self) -> int:
        """Microseconds since some moment."""
        return self._steady_ns() // 1000

    def now_us(self) -> int:
        """Microseconds since 1970 UTC."""
        return self._steady_ns() // 1000 + self._ahead_us
