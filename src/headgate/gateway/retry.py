"""Whether a failed attempt is tried again, on the next target, or not at all. Pure: no clock."""

from __future__ import annotations

import msgspec

from headgate.config.settings import RetrySettings

_AGAIN = frozenset({408, 429, 500, 502, 503, 504, 529})
"""Statuses that a second attempt may cure (`insufficient_quota`, also a 429, it can't)."""

_ELSEWHERE = _AGAIN | {401, 403, 404}
"""Statuses that another target may not share: a key refused, a model missing there."""


class Failure(msgspec.Struct, frozen=True):
    """How an attempt failed."""

    status: int | None = None
    """The provider's status, or None where no reply came."""
    code: str | None = None
    """The provider's error code."""
    timed_out: bool = False
    """It took too long: trying the same target again would make the client wait as long again."""
    retry_after_s: float | None = None
    """How long the provider asks to be left alone."""


class Again(msgspec.Struct, frozen=True):
    """Try the same target once more, after a pause."""

    delay_s: float


class Next(msgspec.Struct, frozen=True):
    """Try the next target now."""


class GiveUp(msgspec.Struct, frozen=True):
    """Hand the failure to the client."""


Decision = Again | Next | GiveUp


class RetryPolicy:
    """Exponential backoff with full jitter, within the time that is left."""

    def __init__(self, settings: RetrySettings) -> None:
        self._settings = settings

    def decide(
        self,
        failure: Failure,
        *,
        attempts: int,
        more_targets: bool,
        remaining_s: float,
        jitter: float,
    ) -> Decision:
        """What to do after `attempts` on this target (≥ 1); `jitter` is uniform in [0, 1)."""
        if failure.status is not None and failure.status not in _ELSEWHERE:
            return GiveUp()
        otherwise: Decision = Next() if more_targets and remaining_s > 0 else GiveUp()
        curable = not failure.timed_out and failure.code != "insufficient_quota"
        if failure.status is not None:
            curable = curable and failure.status in _AGAIN
        if not curable or attempts >= self._settings.max_attempts:
            return otherwise
        delay_s = self.delay_s(attempts, jitter)
        if failure.retry_after_s is not None:
            if failure.retry_after_s > self._settings.max_delay_s:
                return otherwise
            delay_s = max(delay_s, failure.retry_after_s)
        return Again(delay_s) if delay_s < remaining_s else otherwise

    def delay_s(self, attempts: int, jitter: float) -> float:
        """The pause after `attempts`, in seconds."""
        longest = self._settings.base_delay_s * 2.0 ** min(attempts - 1, 30)
        return min(longest, self._settings.max_delay_s) * jitter


def retry_after_s(after_ms: bytes | None, after: bytes | None) -> float | None:
    """Seconds that `retry-after-ms` or `retry-after` ask for; None where neither is a number.

    The HTTP-date form is not read: OpenAI doesn't send it, and clocks differ.
    """
    for value, unit_s in ((after_ms, 0.001), (after, 1.0)):
        if value:
            try:
                seconds = float(value) * unit_s
            except ValueError:
                continue
            if 0 <= seconds < 86_400:
                return seconds
    return None
