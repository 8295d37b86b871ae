"""Single flight: of equal calls at the same time one asks a model, the others wait for its answer.

When the one that leads fails or its client leaves, one of the others leads next. After some
failures the rest go each their own way: waiting in line for a provider that is down helps nobody.
"""

from __future__ import annotations

import asyncio
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
    __slots__ = ("failures", "moved_at_s", "waiting")

    def __init__(self) -> None:
        self.moved_at_s: float | None = None
        self.waiting: list[asyncio.Future[Found | Turn]] = []
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

    def moved(self, key: bytes) -> None:
        """Note that the answer, a stream, is flowing; whoever leads says so now and then."""
        flight = self._flights.get(key)
        if flight is not None:
            flight.moved_at_s = asyncio.get_running_loop().time()

    async def wait(self, key: bytes, patience_s: float, idle_s: float) -> Found | Turn:
        """Wait for what the leader finds.

        At most `patience_s`; once its answer flows, as long as it doesn't stand still for `idle_s`.
        A leader whose client reads slowly must not hold up everyone else.
        """
        flight = self._flights.get(key)
        if flight is None:
            return Turn.ALONE
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[Found | Turn] = loop.create_future()
        flight.waiting.append(mine)
        begins_by_s = until_s = loop.time() + patience_s
        try:
            while not mine.done() and (left_s := until_s - loop.time()) > 0:
                await asyncio.wait((mine,), timeout=min(left_s, idle_s))
                moved_at_s = flight.moved_at_s
                until_s = begins_by_s if moved_at_s is None else moved_at_s + idle_s
        except asyncio.CancelledError:
            if mine.done() and mine.result() is Turn.LEAD:
                # Told to lead in the same moment in which its client left: the next one leads.
                self.give_up(key, Ending.DEPARTED)
            raise
        finally:
            if not mine.done():
                flight.waiting.remove(mine)
        return mine.result() if mine.done() else Turn.ALONE

    def land(self, key: bytes, found: Found) -> None:
        """Hand what was found to all who wait."""
        flight = self._flights.pop(key, None)
        if flight is not None and flight.waiting:
            self._tell_all(flight, found)

    def give_up(self, key: bytes, ending: Ending) -> None:
        """End leading without an answer for the others."""
        flight = self._flights.get(key)
        if flight is None:
            return
        flight.failures += ending is Ending.FAILED
        if ending is Ending.UNSHARED or flight.failures >= _LEADERS_AT_MOST:
            del self._flights[key]
            self._tell_all(flight, Turn.ALONE)
            return
        while flight.waiting:
            follower = flight.waiting.pop(0)
            if not follower.done():
                flight.moved_at_s = None
                follower.set_result(Turn.LEAD)
                return
        del self._flights[key]

    def _tell_all(self, flight: _Flight, told: Found | Turn) -> None:
        for follower in flight.waiting:
            if not follower.done():
                follower.set_result(told)
