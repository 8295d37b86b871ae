"""Which kept answers were told to be forgotten, also those that are still on their way. Pure."""

from __future__ import annotations

from collections import deque

import msgspec

from headgate.gateway.cache.entry import Entry

_MOST = 1_000
"""Clearings that are held; each is also carried out on what is stored, so old ones are of no use
but for answers that were asked for before them and arrive after."""


class Clearing(msgspec.Struct, frozen=True, kw_only=True):
    """An order to forget the answers that fit all it names, if asked for before it was given."""

    at_us: int
    project: str | None = None
    workflow: str | None = None
    prefix: str | None = None
    """The beginning of the model or route that was asked for."""
    tag: str | None = None

    def covers(self, entry: Entry) -> bool:
        """Whether `entry` is to be forgotten."""
        return (
            entry.asked_at_us <= self.at_us
            and (self.project is None or entry.project == self.project)
            and (self.workflow is None or entry.workflow == self.workflow)
            and (self.prefix is None or entry.model.startswith(self.prefix))
            and (self.tag is None or self.tag in entry.tags)
        )


class Clearings:
    """The newest clearings."""

    def __init__(self) -> None:
        self._all: deque[Clearing] = deque(maxlen=_MOST)

    def add(self, clearing: Clearing) -> None:
        """Note one."""
        self._all.append(clearing)

    def cover(self, entry: Entry) -> bool:
        """Whether any of them says that `entry` is to be forgotten."""
        return bool(self._all) and any(clearing.covers(entry) for clearing in self._all)
