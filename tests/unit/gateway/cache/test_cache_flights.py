"""Of equal calls at the same time one asks; nobody is lost when that one fails or leaves."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kept_answers import an_entry

from headgate.gateway.cache.flights import Ending, Flights, Turn
from headgate.gateway.cache.found import Found

KEY = b"k"
FOUND = Found(an_entry())
PATIENCE_S = 5.0


async def waiting(flights: Flights, count: int) -> list[asyncio.Task[Found | Turn]]:
    tasks = [asyncio.create_task(flights.wait(KEY, PATIENCE_S, PATIENCE_S)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_all_who_wait_get_what_the_leader_found():
    flights = Flights()
    assert flights.begin(KEY)
    assert not flights.begin(KEY)
    followers = await waiting(flights, 99)
    flights.land(KEY, FOUND)
    assert await asyncio.gather(*followers) == [FOUND] * 99
    assert len(flights) == 0


async def test_when_the_leader_leaves_one_of_the_others_leads():
    flights = Flights()
    flights.begin(KEY)
    first, second = await waiting(flights, 2)
    flights.give_up(KEY, Ending.DEPARTED)
    assert await first is Turn.LEAD
    assert not second.done()
    flights.land(KEY, FOUND)
    assert await second == FOUND


async def test_after_some_failures_the_rest_go_their_own_way():
    flights = Flights()
    flights.begin(KEY)
    followers = await waiting(flights, 10)
    for leader in followers[:2]:
        flights.give_up(KEY, Ending.FAILED)
        assert await leader is Turn.LEAD
    flights.give_up(KEY, Ending.FAILED)
    assert await asyncio.gather(*followers[2:]) == [Turn.ALONE] * 8
    assert len(flights) == 0


async def test_an_answer_for_one_alone_sends_the_others_off_at_once():
    flights = Flights()
    flights.begin(KEY)
    followers = await waiting(flights, 3)
    flights.give_up(KEY, Ending.UNSHARED)
    assert await asyncio.gather(*followers) == [Turn.ALONE] * 3


async def test_who_leaves_in_the_moment_in_which_it_is_to_lead_hands_that_on():
    flights = Flights()
    flights.begin(KEY)
    first, second = await waiting(flights, 2)
    flights.give_up(KEY, Ending.DEPARTED)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await second is Turn.LEAD


async def test_nobody_waits_longer_than_it_said():
    flights = Flights()
    flights.begin(KEY)
    assert await flights.wait(KEY, 0.01, PATIENCE_S) is Turn.ALONE
    flights.give_up(KEY, Ending.DEPARTED)
    assert len(flights) == 0


async def test_an_answer_that_flows_is_waited_for_longer():
    flights = Flights()
    flights.begin(KEY)
    follower = asyncio.create_task(flights.wait(KEY, 0.2, 0.2))
    for _ in range(8):
        await asyncio.sleep(0.05)
        flights.moved(KEY)
    flights.land(KEY, FOUND)
    assert await follower == FOUND


async def test_one_slow_reader_does_not_hold_up_the_others():
    flights = Flights()
    flights.begin(KEY)
    flights.moved(KEY)
    assert await flights.wait(KEY, 60, 0.02) is Turn.ALONE


@settings(deadline=None)
@given(st.lists(st.sampled_from(["leave", *Ending]), max_size=12), st.integers(0, 8))
def test_whatever_happens_nobody_is_left_waiting(events: list[str | Ending], count: int):
    async def play() -> None:
        flights = Flights()
        flights.begin(KEY)
        followers = await waiting(flights, count)
        for event in events:
            if event == "leave":
                if followers:
                    followers.pop().cancel()
            elif isinstance(event, Ending):
                flights.give_up(KEY, event)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        for _ in range(count + 1):
            flights.give_up(KEY, Ending.DEPARTED)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert len(flights) == 0
        told = await asyncio.wait_for(asyncio.gather(*followers), 1)
        assert all(isinstance(one, Turn) for one in told)

    asyncio.run(play())
