"""Finds, among the vectors of earlier questions, the one that is most like a new one. Pure.

Each vector is also kept as the signs of its numbers, one bit each. Comparing bits is a hundred
times as fast as comparing numbers and nearly as telling, so bits choose a few candidates and
numbers decide: some milliseconds for 10,000 vectors, without a library for it.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Sequence
from heapq import nsmallest
from math import sqrt
from operator import itemgetter, mul

import msgspec

_CANDIDATES = 24
"""How many vectors are compared by their numbers."""

Vector = Sequence[float]


class Kept(msgspec.Struct, frozen=True):
    """An earlier question."""

    key: bytes
    """Of its answer in the cache."""
    run_id: str | None
    """The run that it was asked by."""


class Alike(msgspec.Struct, frozen=True):
    """The earlier question that is most like a new one."""

    similarity: float
    """The cosine of the two vectors: 1 for the same direction."""
    kept: Kept


class _Point:
    __slots__ = ("kept", "numbers", "signs")

    def __init__(self, numbers: array[float], kept: Kept) -> None:
        self.numbers = numbers
        self.signs = _signs(numbers)
        self.kept = kept


class VectorIndex:
    """At most `max_entries` vectors; the oldest goes first."""

    def __init__(self, max_entries: int) -> None:
        self._max_entries = max_entries
        self._places: OrderedDict[bytes, bytes] = OrderedDict()
        """The bounds in which each answer's key stands, oldest first."""
        self._points: dict[bytes, dict[bytes, _Point]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def add(self, bounds: bytes, vector: Vector, kept: Kept) -> None:
        """Remember a question that has been answered."""
        numbers = _unit(vector)
        if numbers is None:
            return
        self.discard(kept.key)
        self._points.setdefault(bounds, {})[kept.key] = _Point(numbers, kept)
        self._places[kept.key] = bounds
        while len(self._places) > self._max_entries:
            self.discard(next(iter(self._places)))

    def discard(self, key: bytes) -> None:
        """Forget the question whose answer had `key`."""
        bounds = self._places.pop(key, None)
        if bounds is not None:
            points = self._points[bounds]
            del points[key]
            if not points:
                del self._points[bounds]

    def nearest(self, bounds: bytes, vector: Vector) -> Alike | None:
        """The question within `bounds` that is most like the one with `vector`."""
        numbers = _unit(vector)
        points = self._points.get(bounds)
        if numbers is None or not points:
            return None
        signs = _signs(numbers)
        size = len(numbers)
        near = nsmallest(
            _CANDIDATES,
            (
                ((point.signs ^ signs).bit_count(), number, point)
                for number, point in enumerate(points.values())
                if len(point.numbers) == size
            ),
        )
        compared = [(sum(map(mul, numbers, point.numbers)), point) for _, _, point in near]
        if not compared:
            return None
        similarity, best = max(compared, key=itemgetter(0))
        return Alike(min(1.0, similarity), best.kept)


def _unit(vector: Vector) -> array[float] | None:
    """`vector` with length 1; None where it has none, or a number that is none."""
    length = sqrt(sum(map(mul, vector, vector)))
    if not 0 < length < float("inf"):
        return None
    return array("f", [number / length for number in vector])


def _signs(numbers: array[float]) -> int:
    return int("".join(["1" if number > 0 else "0" for number in numbers]), 2)
