"""What time it is for all processes: the database's, carried on by this machine's steady clock."""

from __future__ import annotations

import time
from collections.abc import Callable


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
        self._ahead_us = wall_us() - steady_ns() // 1000

    def set(self, now_us: int) -> None:
        """It is `now_us`, the database says."""
        self._ahead_us = now_us - self._steady_ns() // 1000

    def now_us(self) -> int:
        """Microseconds since 1970 UTC."""
        return self._steady_ns() // 1000 + self._ahead_us
