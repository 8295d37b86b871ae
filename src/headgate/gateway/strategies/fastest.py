"""By how long each target took of late to begin its answer."""

from __future__ import annotations

from collections.abc import Callable

from headgate.gateway.strategies.traits import RequestTraits
from headgate.gateway.target import Target


class Fastest:
    """See `Strategy`.

    One that was never measured goes first, and a share of the calls asks another than the fastest,
    so that a target that has become fast is found. What was measured fades with time.
    """

    def __init__(
        self, explore_share: float, random: Callable[[], float], clock: Callable[[], float]
    ) -> None:
        self._explore_share = explore_share
        self._random = random
        self._clock = clock

    def order(self, targets: tuple[Target, ...], traits: RequestTraits) -> tuple[Target, ...]:
        """See `Strategy`."""
        now_s = self._clock()

        def expected_s(target: Target) -> float:
            return target.health.latency(streamed=traits.streamed).expected_s(now_s) or 0.0

        ordered = sorted(targets, key=expected_s)
        if len(ordered) > 1 and self._random() < self._explore_share:
            other = 1 + int(self._random() * (len(ordered) - 1))
            ordered.insert(0, ordered.pop(other))
        return tuple(ordered)
