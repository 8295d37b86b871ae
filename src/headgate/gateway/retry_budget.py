"""Whether a provider may be asked once more than its calls need. Pure: the clock is handed in.

A provider that is down must not be hit by a multiple of its load just when it tries to come back.
So each call's first attempt earns a share of a further one, each answer another share (a provider
that still answers can bear it), what is earned fades with time, and a small floor lets a quiet
server retry.
"""

from __future__ import annotations

from math import exp

from headgate.config.failures import RetryBudgetSettings

_LOOK_EVERY_S = 1.0
"""Time passes in steps where nothing is spent, since that is on every call's way."""


class RetryBudget:
    """The further attempts that one provider may be asked for."""

    __slots__ = ("_answers", "_at_s", "_earned", "_floor", "_settings")

    def __init__(self, settings: RetryBudgetSettings) -> None:
        self._settings = settings
        self._earned = 0.0
        self._answers = 0.0
        """What answers have earned, for retries only."""
        self._floor = settings.floor_per_s * settings.window_s
        self._at_s: float | None = None

    def earn(self, now_s: float) -> None:
        """Count a call's first attempt."""
        # What is earned between two looks fades as if it had been there at the first: never less.
        if self._at_s is None or now_s - self._at_s >= _LOOK_EVERY_S:
            self._pass_time(now_s)
        self._earned += self._settings.share

    def answered(self) -> None:
        """Count an attempt that was answered."""
        self._answers += self._settings.success_share

    def affords(self, now_s: float, *, hedge: bool = False) -> bool:
        """Whether one further attempt may be made now; a `hedge` repeats what has not failed."""
        self._pass_time(now_s)
        return self._earned >= 1 or self._floor >= 1 or (self._answers >= 1 and not hedge)

    def spend(self, now_s: float, *, hedge: bool = False) -> bool:
        """Take one further attempt, if it may be made now."""
        self._pass_time(now_s)
        if self._answers >= 1 and not hedge:
            self._answers -= 1
        elif self._earned >= 1:
            self._earned -= 1
        elif self._floor >= 1:
            self._floor -= 1
        else:
            return False
        return True

    def _pass_time(self, now_s: float) -> None:
        settings = self._settings
        if self._at_s is not None and now_s > self._at_s:
            passed_s = now_s - self._at_s
            left = exp(-passed_s / settings.window_s)
            self._earned *= left
            self._answers *= left
            most = settings.floor_per_s * settings.window_s
            self._floor = min(most, self._floor + passed_s * settings.floor_per_s)
        self._at_s = now_s if self._at_s is None else max(now_s, self._at_s)
