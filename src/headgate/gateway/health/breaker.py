"""Whether a target that has been failing is asked at all. Pure: the clock is handed in.

Closed, every attempt is let in and judged. Open, none is. Half-open, one is let in as a probe: if
it goes well the breaker closes, if not it opens again for twice as long.
"""

from __future__ import annotations

from typing import Literal

from headgate.config.failures import BreakerSettings

BreakerState = Literal["closed", "open", "half_open"]

Entry = Literal["normal", "probe"]
"""How an attempt was let in; it is handed back when the attempt has ended."""

Verdict = Literal["good", "slow", "bad", "unknown"]
"""What an attempt says of its target; `unknown`: nothing, such as one that was cancelled."""


class Breaker:
    """The breaker of one target."""

    __slots__ = (
        "_bad",
        "_calls",
        "_half_at_s",
        "_old_bad",
        "_old_calls",
        "_old_slow",
        "_open_until_s",
        "_opened_times",
        "_settings",
        "_slow",
        "state",
    )

    def __init__(self, settings: BreakerSettings) -> None:
        self._settings = settings
        self.state: BreakerState = "closed"
        self._open_until_s = 0.0
        self._opened_times = 0
        """How often it opened since it was last closed."""
        self._forget()

    def _forget(self) -> None:
        # Counts of this half of the window and of the half before it.
        self._calls = self._bad = self._slow = 0
        self._old_calls = self._old_bad = self._old_slow = 0
        self._half_at_s = float("-inf")

    def enter(self, now_s: float) -> Entry | None:
        """Let an attempt in, or not. Whoever is let in must `leave`, however it ends."""
        if self.state == "closed":
            return "normal"
        if self.state == "half_open" or now_s < self._open_until_s:
            return None
        self.state = "half_open"
        return "probe"

    def wait_s(self, now_s: float) -> float:
        """How long until an attempt may be let in; 0 where one is now."""
        if self.state == "closed":
            return 0.0
        if self.state == "half_open":
            return self._settings.open_s
        return max(0.0, self._open_until_s - now_s)

    def leave(self, entry: Entry, verdict: Verdict, now_s: float) -> bool:
        """Judge by an attempt that has ended; return whether the state is another now."""
        if entry == "probe":
            return self._probed(verdict, now_s)
        if self.state != "closed" or verdict == "unknown" or not self._settings.enabled:
            return False
        if now_s >= self._half_at_s:
            self._turn(now_s)
        self._calls += 1
        if verdict == "good":
            return False
        if verdict == "bad":
            self._bad += 1
        else:
            self._slow += 1
        return self._judge(now_s)

    def _turn(self, now_s: float) -> None:
        """Begin a new half of the window."""
        half_s = self._settings.window_s / 2
        if now_s < self._half_at_s + half_s:
            self._old_calls, self._old_bad, self._old_slow = self._calls, self._bad, self._slow
        else:
            self._old_calls = self._old_bad = self._old_slow = 0
        self._calls = self._bad = self._slow = 0
        self._half_at_s = now_s + half_s

    def _judge(self, now_s: float) -> bool:
        settings = self._settings
        calls = self._calls + self._old_calls
        if calls < settings.min_calls:
            return False
        failing = self._bad + self._old_bad >= settings.error_share * calls
        slow = self._slow + self._old_slow >= settings.slow_share * calls
        if failing or slow:
            self._open(now_s)
        return failing or slow

    def _probed(self, verdict: Verdict, now_s: float) -> bool:
        if verdict == "unknown":
            # Nothing is known, so the next attempt is the probe.
            self.state = "open"
            self._open_until_s = now_s
            return False
        if verdict == "good":
            self.state = "closed"
            self._opened_times = 0
            self._forget()
        else:
            self._open(now_s)
        return True

    def _open(self, now_s: float) -> None:
        settings = self._settings
        longest_s = max(settings.open_s, settings.max_open_s)
        open_s = min(settings.open_s * 2.0 ** min(self._opened_times, 30), longest_s)
        self.state = "open"
        self._open_until_s = now_s + open_s
        self._opened_times += 1
        self._forget()
