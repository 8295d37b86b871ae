"""Whether a failed attempt is tried again, on the next target, or not at all. Pure: no clock."""

from __future__ import annotations

import msgspec

from headgate.config.failures import RetrySettings

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
    ours: bool = False
    """It was never sent, for a reason that lies here: no connection free, no way to say it."""

    hasty: bool = False
    """It took too long for its client, not for us."""

    @property
    def is_of_key(self) -> bool:
        """Whether the provider refused the key, not the request."""
        return self.status in (401, 403) or self.code == "insufficient_quota"

    @property
    def is_of_provider(self) -> bool:
        """Whether the provider failed, in a way for which it may be asked again."""
        if self.ours or self.hasty:
            return False
        return self.status is None or self.status in _ELSEWHERE


class Again(msgspec.Struct, frozen=True):
    """Try the same target once more, after a pause."""

    delay_s: float


class OtherKey(msgspec.Struct, frozen=True):
    """Try the same target now, by another key of its provider."""


class LargerContext(msgspec.Struct, frozen=True):
    """Try the route's target for long requests now."""


class Next(msgspec.Struct, frozen=True):
    """Try the next target now."""

    over_budget: bool = False
    """The same target would have been tried again, had its retry budget had one more."""


class GiveUp(msgspec.Struct, frozen=True):
    """Hand the failure to the client."""

    over_budget: bool = False
    """See `Next`."""


Decision = Again | OtherKey | LargerContext | Next | GiveUp


class RetryPolicy:
    """Exponential backoff with full jitter, within the time that is left."""

    def __init__(self, settings: RetrySettings) -> None:
        self._settings = settings
        self.max_attempts = settings.max_attempts
        """Of one target."""
        self.gives_up_unusual = settings.give_up_unusual
        """Whether an attempt that takes far longer than usual is given up for another."""

    def decide(
        self,
        failure: Failure,
        *,
        attempts: int,
        more_targets: bool,
        remaining_s: float,
        jitter: float,
        affordable: bool = True,
        expected_s: float = 0.0,
        other_key: bool = False,
        larger_context: bool = False,
    ) -> Decision:
        """What to do after `attempts` on this target (≥ 1); `jitter` is uniform in [0, 1).

        `affordable`: whether the provider's retry budget has one more. `expected_s`: how long
        another attempt would probably take; it is not begun where it could not finish. `other_key`:
        whether the provider has another key that may be used for this. `larger_context`: whether
        there is a target for long requests that was not asked yet.
        """
        # A key is refused once, not once a call, so going to another needs no retry budget.
        of_key = failure.is_of_key or (
            failure.status == 429 and affordable and attempts < self._settings.max_attempts
        )
        if other_key and of_key and remaining_s > expected_s:
            return OtherKey()
        if larger_context and failure.code == "context_length_exceeded" and remaining_s > 0:
            return LargerContext()
        if failure.status is not None and failure.status not in _ELSEWHERE:
            return GiveUp()
        instead = Next if more_targets and remaining_s > 0 else GiveUp
        curable = not failure.timed_out and failure.code != "insufficient_quota"
        if failure.status is not None:
            curable = curable and failure.status in _AGAIN
        if not curable or attempts >= self._settings.max_attempts:
            return instead()
        delay_s = self.delay_s(attempts, jitter)
        if failure.retry_after_s is not None:
            if failure.retry_after_s > self._settings.max_delay_s:
                return instead()
            delay_s = max(delay_s, failure.retry_after_s)
        if delay_s + expected_s >= remaining_s:
            return instead()
        return Again(delay_s) if affordable else instead(over_budget=True)

    def delay_s(self, attempts: int, jitter: float) -> float:
        """The pause after `attempts`, in seconds."""
        longest = self._settings.base_delay_s * 2.0 ** min(attempts - 1, 30)
        return min(longest, self._settings.max_delay_s) * jitter
