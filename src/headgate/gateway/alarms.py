"""What a guard needs of layer 5 where it holds a direct call: somebody told. `app` hands it in."""

from __future__ import annotations

from typing import Protocol

import msgspec

from headgate.config.guards import Direction


class GuardAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """A direct call that a guard held; nothing of what was said in it."""

    call_id: str
    project: str
    key_id: str
    guard: str
    direction: Direction
    reason: str | None
    score: int | None


class Alarms(Protocol):
    """Has people look at what guards held."""

    async def raised(self, alarm: GuardAlarm) -> None:
        """Ask somebody whether it was held rightly. Never raises: the call is refused already."""
        ...
