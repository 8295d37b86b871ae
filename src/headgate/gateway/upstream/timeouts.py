"""How long each part of a call may take, and which limit it has passed. Pure, without a clock."""

from collections.abc import Callable
from math import inf
from typing import Literal

import msgspec

SWEEP_INTERVAL_S = 0.05
"""Deadlines are looked at this often: a timeout fires at most 0.1 s late, never early.

(`connect_s` has a timer of its own, exact to the loop's millisecond.)
"""


Look = Callable[[float], float]
"""Asked at a moment, in seconds of a monotonic clock, while no head of a response has come: for how
many seconds to wait on before it is asked again; 0 gives the exchange up."""


class Timeouts(msgspec.Struct, frozen=True):
    """The limits of a call, in seconds.

    `connect_s`: until a connection is usable (waiting for a free one, DNS, TCP, proxy, TLS).
    `first_byte_s`: from the request being sent until the response's head is complete.
    `idle_s`: between two arrivals of body bytes while somebody waits for them; also the longest
    that the sending of a large body may stand still.
    `total_s`: from the call of `send` until the last byte of the body.
    `look_after_s`: from the call of `send` until `look` is asked whether to wait on.
    """

    connect_s: float = 5
    first_byte_s: float = 30
    idle_s: float = 30
    total_s: float = 600
    look_after_s: float = inf
    look: Look | None = None


DeadlineKind = Literal["first_byte_timeout", "idle_timeout", "total_timeout", "attempt_timeout"]
"""The limits that a sweep can find passed; each is an `UpstreamErrorKind`."""


class Deadlines:
    """One call's progress in time, in seconds of a monotonic clock.

    The connection writes down what happened; `overdue` decides. A slow consumer is not the
    upstream's fault: the idle limit counts only while somebody waits.
    """

    __slots__ = (
        "first_byte_by_s",
        "head_done",
        "look_at_s",
        "received_at_s",
        "sent_s",
        "timeouts",
        "total_by_s",
        "unsent_bytes",
        "waiting_since_s",
    )

    def __init__(self, timeouts: Timeouts, started_s: float, sent_s: float) -> None:
        self.timeouts = timeouts
        self.total_by_s = started_s + timeouts.total_s
        self.first_byte_by_s = sent_s + timeouts.first_byte_s
        self.look_at_s = started_s + timeouts.look_after_s
        self.head_done = False
        self.sent_s = sent_s
        self.received_at_s = 0.0
        self.waiting_since_s: float | None = sent_s
        self.unsent_bytes = 0

    def overdue(self, now_s: float, unsent_bytes: int) -> DeadlineKind | None:
        """The limit that has passed by `now_s`, if any.

        `unsent_bytes` is what is left of the request in the write buffer: a head cannot be late
        while the request is still on its way, so long as that makes progress.
        """
        if now_s >= self.total_by_s:
            return "total_timeout"
        if not self.head_done:
            if now_s >= self.look_at_s and self._given_up(now_s):
                return "attempt_timeout"
            if now_s < self.first_byte_by_s:
                return None
            if unsent_bytes < self.unsent_bytes:
                limit_s = self.timeouts.idle_s if unsent_bytes else self.timeouts.first_byte_s
                self.unsent_bytes = unsent_bytes
                self.first_byte_by_s = now_s + limit_s
                return None
            return "first_byte_timeout"
        if self.waiting_since_s is None:
            return None
        quiet_since_s = max(self.received_at_s, self.waiting_since_s)
        return "idle_timeout" if now_s - quiet_since_s >= self.timeouts.idle_s else None

    def _given_up(self, now_s: float) -> bool:
        look = self.timeouts.look
        wait_s = inf if look is None else look(now_s)
        self.look_at_s = now_s + wait_s
        return wait_s <= 0
