"""How a target fares: whether it is left alone, and how quickly it answers."""

from __future__ import annotations

from headgate.config.failures import BreakerSettings
from headgate.gateway.breaker import Breaker, Verdict
from headgate.gateway.latency import Latency
from headgate.gateway.retry import Failure
from headgate.gateway.tail import Tail

_SAYS_NOTHING = frozenset({401, 403, 407, 429})
"""Statuses that are about a key or its limits, not about the model's server."""


class TargetHealth:
    """What the attempts of one provider's model have shown, whichever routes led to it."""

    __slots__ = ("breaker", "name", "slow_s", "streamed", "tail", "whole")

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
