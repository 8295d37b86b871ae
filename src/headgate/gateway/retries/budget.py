"""Whether a provider may be asked once more than its calls need. Pure: the clock is handed in.

A provider that is down must not be hit by a multiple of its load just when it tries to come back.
Two accounts decide. *Trust* is lost with each attempt that fails, won back with answers and, a
little, with time; while there is some, whatever fails may be tried again, so one that fails now and
then is asked each time, and so is that of a quiet server. Where it is gone the provider counts as
down, and only the *share* is left: each call's first attempt earns a part of a further one, and
what was tried on trust in vain is paid back first.
"""

from __future__ import annotations

from math import exp

from headgate.config.failures import RetryBudgetSettings

_MOST_TRUST = 10.0
"""So many failures in a row and a provider counts as down; more where the floor is higher."""

_LOOK_EVERY_S = 1.0
"""Time passes in steps where nothing is spent, since that is on every call's way."""


class RetryBudget:
    """The further attempts that one provider may be asked for."""

    __slots__ = ("_at_s", "_earned", "_floor", "_most_trust", "_owed", "_settings", "_trust")

    def __init__(self, settings: RetryBudgetSettings) -> None:
        self._settings = settings
        self._earned = 0.0
        """By first attempts; below 0 where more was tried on trust."""
        self._owed = 0.0
        """What was tried on trust of late, less what was answered since."""
        self._floor = settings.floor_per_s * settings.window_s
        """For hedges: they repeat what has not failed, so trust says nothing of them."""
        self._trust = self._floor
        self._most_trust = max(self._floor, _MOST_TRUST)
        self._at_s: float | None = None

    def earn(self, now_s: float) -> None:
        """Count a call's first attempt."""
        # What is earned between two looks fades as if it had been there at the first: never less.
        if self._at_s is None or now_s - self._at_s >= _LOOK_EVERY_S:
            self._pass_time(now_s)
        self._earned += self._settings.share

    def answered(self) -> None:
        """Count an attempt that was answered."""
        trust = self._trust + self._settings.success_share
        self._trust = min(trust, self._most_trust)
        if self._owed > 0:
            self._owed -= 1

    def failed(self, now_s: float) -> None:
        """Count an attempt that failed in a way for which another one may be made."""
        self._pass_time(now_s)
        trusted = self._trust >= 1
        self._trust = max(0.0, self._trust - 1)
        if trusted and self._trust < 1:
            # From here on it counts as down: nothing that was saved in better times is spent on it.
            self._earned = min(self._earned, 0.0) - self._owed
            self._owed = 0.0

    def affords(self, now_s: float, *, hedge: bool = False) -> bool:
        """Whether one further attempt may be made now; a `hedge` repeats what has not failed."""
        self._pass_time(now_s)
        return self._earned >= 1 or (self._floor if hedge else self._trust) >= 1

    def spend(self, now_s: float, *, hedge: bool = False) -> bool:
        """Take one further attempt, if it may be made now."""
        if not self.affords(now_s, hedge=hedge):
            return False
        if not hedge and self._trust >= 1:
            # It is paid for by its failure, or was worth it.
            self._owed += 1
        elif self._earned >= 1:
            self._earned -= 1
        else:
            self._floor -= 1
        return True

    def swap(self, now_s: float) -> bool:
        """Count a failure and take a further attempt for it, or neither where there is none."""
        self._pass_time(now_s)
        if self._trust < 2 and (self._trust >= 1 or self._earned < 1):
            return False
        self.failed(now_s)
        return self.spend(now_s)

    def _pass_time(self, now_s: float) -> None:
        settings = self._settings
        if self._at_s is not None and now_s > self._at_s:
            passed_s = now_s - self._at_s
            if self._earned > 0:
                self._earned *= exp(-passed_s / settings.window_s)
            most = settings.floor_per_s * settings.window_s
            self._floor = min(most, self._floor + passed_s * settings.floor_per_s)
            if self._trust < most:
                self._trust = min(most, self._trust + passed_s * settings.floor_per_s)
        self._at_s = now_s if self._at_s is None else max(now_s, self._at_s)
