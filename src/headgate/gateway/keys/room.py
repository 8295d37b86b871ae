"""How much of a rate limit is left for one provider key. Pure: the clock is handed in."""

from __future__ import annotations


class Room:
    """One limit, of requests or of tokens, that fills up again with time."""

    __slots__ = ("_at_s", "_left", "_per_s", "limit")

    def __init__(self, limit: float, window_s: float) -> None:
        self.limit = limit
        self._left = limit
        self._per_s = limit / window_s
        self._at_s: float | None = None

    def share_after(self, amount: float, now_s: float) -> float:
        """What share of the limit would be left after `amount`; below 0 where it doesn't fit."""
        self._refill(now_s)
        return (self._left - amount) / self.limit

    def take(self, amount: float, now_s: float) -> None:
        """Count `amount` as used."""
        self._refill(now_s)
        self._left -= amount

    def learn(self, limit: float, left: float, reset_s: float | None, now_s: float) -> None:
        """Believe the provider: what the limit is, what is left, when it is whole again."""
        self.limit = limit
        self._left = min(left, limit)
        self._at_s = now_s
        missing = limit - self._left
        if reset_s is not None and missing > 0:
            self._per_s = missing / max(reset_s, 0.001)

    def _refill(self, now_s: float) -> None:
        if self._at_s is not None and now_s > self._at_s:
            self._left = min(self.limit, self._left + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s if self._at_s is None else max(self._at_s, now_s)
