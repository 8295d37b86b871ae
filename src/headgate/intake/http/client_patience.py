"""Whether a client has kept its connection waiting for too long.

A policy: it is shown the connection at each look. Where all depends on the client and nothing has
changed for long enough, it is over.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seen:
    """A connection at one look."""

    requests: int
    """How many have begun on it."""
    in_head: bool
    """Whether the head of one has begun and not ended."""
    answering: bool
    """Whether one is being answered."""
    unsent_bytes: int
    """How much of replies it has not taken."""
    held_up: bool
    """Whether so much is unsent that nothing more is written until it has taken some."""
    hold_ups: int
    """How often that has come about."""

    @property
    def depends_on_client(self) -> bool:
        """Whether nothing goes on until the client has sent or taken something."""
        if self.unsent_bytes:
            # With less, what is answering may write more meanwhile, so the count tells nothing.
            return self.held_up or not self.answering
        # A body that does not come is for who reads it.
        return self.in_head and not self.answering


class ClientPatience:
    """How long one connection has looked the same."""

    __slots__ = ("_last", "_limit_s", "_since_s")

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._last: Seen | None = None
        self._since_s = 0.0

    def is_over(self, seen: Seen, now_s: float) -> bool:
        """Whether all has depended on the client for so long, and it did nothing.

        A head that comes drop by drop counts as nothing until it is whole.
        """
        if seen != self._last:
            self._last, self._since_s = seen, now_s
        return seen.depends_on_client and now_s - self._since_s >= self._limit_s
