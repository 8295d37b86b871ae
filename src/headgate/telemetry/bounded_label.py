"""Keeps the values of a metric's label from growing without end."""

from __future__ import annotations

OTHER = "other"
"""The label value of everything beyond the bounds."""


class BoundedLabel:
    """The first values of a label that are seen keep their names."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: set[str] = set()

    def value(self, value: str) -> str:
        """`value`, or `OTHER` where that would be one too many."""
        if value in self._seen:
            return value
        if len(self._seen) >= self._most:
            return OTHER
        self._seen.add(value)
        return value
