"""Which values of a metric's label keep their names: the first that are seen."""

from __future__ import annotations

OTHER = "other"
"""The label value of everything beyond the bounds."""


class BoundedLabels:
    """The values of one label."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: set[str] = set()

    def value(self, value: str) -> str:
        """`value`, or `OTHER` where too many others came before it."""
        if value in self._seen:
            return value
        if len(self._seen) >= self._most:
            return OTHER
        self._seen.add(value)
        return value
