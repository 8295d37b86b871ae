"""By chance, each target as often as its weight says; the others follow as they are written."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate

from headgate.gateway.strategies.traits import RequestTraits
from headgate.gateway.target import Target


class Weighted:
    """See `Strategy`; `random` gives numbers in [0, 1)."""

    def __init__(self, weights: tuple[int, ...], random: Callable[[], float]) -> None:
        self._ends = tuple(accumulate(weights))
        self._random = random

    def order(self, targets: tuple[Target, ...], traits: RequestTraits) -> tuple[Target, ...]:  # noqa: ARG002 - the same for every request
        """See `Strategy`."""
        first = bisect_right(self._ends, self._random() * self._ends[-1])
        first = min(first, len(targets) - 1)
        return (targets[first], *targets[:first], *targets[first + 1 :])
