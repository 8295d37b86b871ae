"""Which of many places in a text another place lies in; in no more time than a search."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from headgate.checks.injection.reading import Span


class Cover:
    """Places in a text; those that overlap or touch are one."""

    def __init__(self, spans: Iterable[Span]) -> None:
        merged: list[Span] = []
        for start, end in sorted(spans):
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            elif end > start:
                merged.append((start, end))
        self.spans: tuple[Span, ...] = tuple(merged)
        self._starts = [start for start, _ in merged]

    def around(self, start: int, end: int) -> Span | None:
        """The place that has all of `start` to `end` in it."""
        at = bisect_right(self._starts, start) - 1
        if at < 0 or self.spans[at][1] < end:
            return None
        return self.spans[at]
