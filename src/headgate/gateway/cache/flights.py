"""Single flight: of equal calls at the same time one asks a model, the others wait for its answer.

When the one that leads fails or its client leaves, one of the others leads next. After some
failures the rest go each their own way: waiting in line for a provider that is down helps nobody.
"""

from __future__ import annotations

import asyncio
from collections import deque
from enum import Enum

from headgate.gateway.cache.found import Found

_LEADERS_AT_MOST = 3
"""Calls that fail one after the other before those that wait go each their own way."""


class Turn(Enum):
    """What a call that waited is told where there is no answer for it."""

    LEAD = "ask a model; others wait for you"
    ALONE = "ask a model for yourself"


class Ending(Enum):
    """How a leader ended without an answer that others can use."""

    DEPARTED = "its client left"
    FAILED = "no target answered"
    UNSHARED = "its answer is for it alone, such as an error about the request"


class _Flight:
    __slots__ = ("failures", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[asyncio.Future[Found | Turn]] = deque()
        self.failures = 0


class Flights:
    """The calls of this process that are on their way, by key; for one event loop."""

    def __init__(self) -> None:
        self._flights: dict[bytes, _Flight] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def begin(self, key: bytes) -> bool:
        """Lead, if nobody does; whoever leads must `land` or `give_up` in the end."""
        if key in self._flights:
            return False
        self._flights[key] = _Flight()
        return True

    async def wait(self, key: bytes, patience_s: float) -> Found | Turn:
        """Wait for what the leader finds, at most `patience_s`."""
        flight = self._flights.get(key)
        if flight is None:
            return Turn.ALONE
        mine: asyncio.Future[Found | Turn] = asyncio.get_running_loop().create_future()
        flight.waiting.append(mine)
        try:
            async with asyncio.timeout(patience_s):
                return await mine
        except BaseException as error:
            if mine.done() and not mine.cancelled() and mine.result() is Turn.LEAD:
                # Told to lead in the same moment in which it gave up: the next one leads.
                self.give_up(key, Ending.DEPARTED)
            elif mine in flight.waiting:
                flight.waiting.remove(mine)
            if isinstance(error, TimeoutError):
                return Turn.ALONE
            raise

    def land(self, key: bytes, found: Found) -> None:
        """Hand what was found to all who wait."""
        self._tell_all(self._flights.pop(key, None), found)

    def give_up(self, key: bytes, ending: Ending) -> None:
        """End leading without an answer for the others."""
        flight = self._flights.get(key)
        if flight is None:
            return
        flight.failures += ending is Ending.FAILED
        if ending is Ending.UNSHARED or flight.failures >= _LEADERS_AT_MOST:
            self._tell_all(self._flights.pop(key), Turn.ALONE)
            return
        while flight.waiting:
            follower = flight.waiting.popleft()
            if not follower.done():
                follower.set_result(Turn.LEAD)
                return
        del self._flights[key]

    def _tell_all(self, flight: _Flight | None, told: Found | Turn) -> None:
        for follower in flight.waiting if flight is not None else ():
            if not follower.done():
                follower.set_result(told)
