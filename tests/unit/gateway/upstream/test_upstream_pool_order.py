"""Whatever callers do to a pool, and in whatever order, it keeps its bound and loses no slot."""

import asyncio
from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.gateway.upstream.errors import UpstreamError
from headgate.gateway.upstream.pool import OriginPool
from headgate.gateway.upstream.timeouts import Timeouts

MAX_CONNECTIONS = 2


class Wire(asyncio.Transport):
    """A transport that ends a turn of the loop after it was aborted, as real ones do."""

    def __init__(self, connection) -> None:
        super().__init__()
        self.connection = connection
        self.ended = False

    def abort(self):
        if not self.ended:
            self.ended = True
            self.connection.loop.call_soon(self.connection.connection_lost, None)


class Network:
    """Opens connections, or fails to, and counts those that are open."""

    def __init__(self) -> None:
        self.wires = []
        self.turns = 0
        self.failing = False

    @property
    def open_count(self):
        return sum(not wire.ended for wire in self.wires)

    async def dial(self, connection):
        for _ in range(self.turns):
            await asyncio.sleep(0)
        if self.failing:
            raise UpstreamError("connect", "refused", safe_to_retry=True)
        wire = Wire(connection)
        self.wires.append(wire)
        connection.connection_made(wire)
        assert self.open_count <= MAX_CONNECTIONS


class Caller:
    """One caller: waits, acquires, holds for some turns, then gives back or drops."""

    def __init__(self, pool, plan) -> None:
        self.pool = pool
        self.plan = plan

    async def run(self):
        connection = await self.pool.acquire(
            Timeouts(connect_s=1), monotonic(), fresh=self.plan["fresh"]
        )
        try:
            for _ in range(self.plan["held_turns"]):
                await asyncio.sleep(0)
        finally:
            if self.plan["drops"]:
                connection.drop()
            elif connection.usable:
                self.pool.release(connection, monotonic())


plans = st.fixed_dictionaries(
    {
        "fresh": st.booleans(),
        "held_turns": st.integers(0, 4),
        "drops": st.booleans(),
        "turns_before": st.integers(0, 3),
        "cancelled_after": st.one_of(st.none(), st.integers(0, 6)),
        "dial_turns": st.integers(0, 3),
        "dial_fails": st.booleans(),
        "peer_ends_idle": st.booleans(),
    }
)


async def play(plans_in_order):
    network = Network()
    pool = OriginPool(network.dial, MAX_CONNECTIONS, 65536)
    loop = asyncio.get_running_loop()
    tasks = []
    for plan in plans_in_order:
        network.turns = plan["dial_turns"]
        network.failing = plan["dial_fails"]
        if plan["peer_ends_idle"] and pool.idle:
            pool.idle[0].eof_received()
        task = loop.create_task(Caller(pool, plan).run())
        tasks.append(task)
        if plan["cancelled_after"] is not None:
            left = plan["cancelled_after"]

            def countdown(task=task, left=left):
                if left == 0:
                    task.cancel()
                else:
                    loop.call_soon(countdown, task, left - 1)

            loop.call_soon(countdown)
        for _ in range(plan["turns_before"]):
            await asyncio.sleep(0)
    async with asyncio.timeout(5):
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, UpstreamError):
            assert outcome.kind == "connect"
        else:
            assert outcome is None or isinstance(outcome, asyncio.CancelledError)
    # Every slot is still there: as many can be had at once as ever, and no more.
    network.failing = False
    async with asyncio.timeout(5):
        held = [await pool.acquire(Timeouts(), monotonic()) for _ in range(MAX_CONNECTIONS)]
    assert len(set(held)) == MAX_CONNECTIONS
    assert all(connection.usable for connection in held)
    with pytest.raises(UpstreamError) as caught:
        await pool.acquire(Timeouts(connect_s=0.001), monotonic())
    assert caught.value.kind == "pool_timeout"
    await pool.close()
    assert not pool.connections
    assert network.open_count == 0


@settings(deadline=None, max_examples=300)
@given(st.lists(plans, min_size=1, max_size=8))
def test_the_bound_holds_and_no_slot_is_lost(plans_in_order):
    asyncio.run(play(plans_in_order))


async def test_a_fresh_connection_may_take_the_place_of_an_idle_one():
    network = Network()
    pool = OriginPool(network.dial, MAX_CONNECTIONS, 65536)
    held = [await pool.acquire(Timeouts(), monotonic()) for _ in range(MAX_CONNECTIONS)]
    for connection in held:
        pool.release(connection, monotonic())
    fresh = await pool.acquire(Timeouts(connect_s=1), monotonic(), fresh=True)
    assert fresh not in held
    assert network.open_count == MAX_CONNECTIONS
    await pool.close()


async def test_a_connection_that_ends_on_its_way_to_a_caller_is_not_given_out():
    network = Network()
    pool = OriginPool(network.dial, 1, 65536)
    first = await pool.acquire(Timeouts(), monotonic())
    waiting = asyncio.create_task(pool.acquire(Timeouts(connect_s=1), monotonic()))
    await asyncio.sleep(0)
    pool.release(first, monotonic())
    first.eof_received()
    second = await waiting
    assert second is not first
    assert second.usable
    await pool.close()
