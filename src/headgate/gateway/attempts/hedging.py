"""Two attempts at once: a second begins where the first is slow, and the first answer wins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from headgate.gateway.attempts.attempt import Answer, Failed, Flowing

Racer = Coroutine[Any, Any, Answer | Failed]


async def race(
    first: Racer,
    second: Callable[[], Racer | None],
    *,
    after_s: float,
    decided: Callable[[], None],
    paid: Callable[[], Coroutine[Any, Any, bool]] | None = None,
) -> tuple[Answer | Failed, bool]:
    """The first answer of the two, or what the last of them failed with; and whether by `second`.

    `second` is begun where `first` has not ended after `after_s`, nor until `paid` says that there
    may be two; it may give none. `decided` is called before the one that lost is cancelled. Whoever
    cancels this cancels both.
    """
    racers = [asyncio.create_task(first)]
    winner: asyncio.Task[Answer | Failed] | None = None
    try:
        await asyncio.wait(racers, timeout=after_s)
        may = not racers[0].done() and (paid is None or await _meanwhile(paid(), racers[0]))
        if may and (other := second()) is not None:
            racers.append(asyncio.create_task(other))
        winner = await _first_answer(racers)
        decided()
        return winner.result(), winner is not racers[0]
    finally:
        await _end([racer for racer in racers if racer is not winner])


async def _meanwhile(paid: Coroutine[Any, Any, bool], racer: asyncio.Task[Answer | Failed]) -> bool:
    """What `paid` says while `racer` runs; no where that ends first."""
    paying = asyncio.create_task(paid)
    try:
        await asyncio.wait((paying, racer), return_when=asyncio.FIRST_COMPLETED)
        return not racer.done() and paying.result()
    finally:
        await _end([paying])


async def _first_answer(
    racers: list[asyncio.Task[Answer | Failed]],
) -> asyncio.Task[Answer | Failed]:
    waiting = set(racers)
    last = racers[0]
    while waiting:
        ended, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        # In the order in which they were begun, should both have ended.
        for racer in (one for one in racers if one in ended):
            if racer.exception() is not None or not isinstance(racer.result(), Failed):
                return racer
            last = racer
    return last


async def _end(losers: Sequence[asyncio.Task[Any]]) -> None:
    """Break off what lost; an answer that came too late is dropped."""
    for racer in losers:
        racer.cancel()
    for outcome in await asyncio.gather(*losers, return_exceptions=True):
        if isinstance(outcome, Flowing):
            outcome.reply.abort()
