"""How a target fares: whether it is left alone, until when it rests, how quickly it answers."""

from __future__ import annotations

from headgate.config.failures import BreakerSettings
from headgate.gateway.health.breaker import Breaker, Verdict
from headgate.gateway.health.latency import Latency
from headgate.gateway.health.tail import Tail
from headgate.gateway.keys.pool import LONGEST_REST_S
from headgate.gateway.retries.policy import Failure

_SAYS_NOTHING = frozenset({401, 403, 407, 429})
"""Statuses that are about a key or its limits, not about the model's server."""


class TargetHealth:
    """What the attempts of one provider's model have shown, whichever routes led to it."""

    __slots__ = ("_rests_until_s", "breaker", "name", "slow_s", "streamed", "tail", "whole")

    def __init__(self, name: str, settings: BreakerSettings) -> None:
        self.name = name
        """Such as `openai/gpt-5-mini`."""
        self.slow_s = settings.slow_s
        self.breaker = Breaker(settings)
        self.streamed = Latency()
        """Until the first event of a stream."""
        self.whole = Latency()
        """Until the end of a reply that is not streamed."""
        self.tail = Tail()
        """Of generations that are not streamed."""
        self._rests_until_s = float("-inf")

    def refused(self, failure: Failure, now_s: float) -> None:
        """Take in a failure: a rate limit that says how long to stay away is remembered."""
        if failure.status == 429 and not failure.is_of_key and failure.retry_after_s is not None:
            self._rests_until_s = now_s + min(failure.retry_after_s, LONGEST_REST_S)

    def rests(self, now_s: float) -> bool:
        """Whether it has said to come back later than now."""
        return now_s < self._rests_until_s

    def latency(self, *, streamed: bool) -> Latency:
        """How quickly such requests are answered."""
        return self.streamed if streamed else self.whole


def verdict_of(failure: Failure) -> Verdict:
    """What a failed attempt says of its target."""
    if failure.ours or failure.hasty:
        return "unknown"
    if failure.status is None or failure.status >= 500 or failure.status == 408:
        return "bad"
    return "unknown" if failure.status in _SAYS_NOTHING else "good"
