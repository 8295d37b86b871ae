"""How many connections there may be, and what becomes of callers who find none free."""

import asyncio

import pytest

from headgate.gateway.upstream import UpstreamError


@pytest.fixture
async def slow(serve):
    async def script(peer):
        while True:
            await peer.request()
            await asyncio.sleep(server.delay_s)
            await peer.answer()

    server = await serve(script)
    server.delay_s = 0.02
    return server


async def test_the_bound_holds_and_everyone_is_served(make_client, slow, post):
    client = make_client(max_connections_per_origin=3)

    async def call():
        return await (await post(client, slow.origin())).read(10)

    assert await asyncio.gather(*(call() for _ in range(12))) == [b"ok"] * 12
    assert len(slow.peers) == 3


async def test_a_streaming_reply_holds_its_connection(make_client, serve, post):
    async def script(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
        await asyncio.sleep(0.1)
        await peer.send(b"cd")
        await peer.request()
        await peer.answer()

    server = await serve(script)
    client = make_client(max_connections_per_origin=1)
    streaming = await post(client, server.origin())
    waiting = asyncio.create_task(post(client, server.origin()))
    assert await streaming.read(10) == b"abcd"
    assert await (await waiting).read(10) == b"ok"
    assert len(server.peers) == 1


async def test_callers_are_served_in_order(make_client, slow, post):
    client = make_client(max_connections_per_origin=1)
    order = []

    async def call(number):
        await (await post(client, slow.origin())).read(10)
        order.append(number)

    tasks = []
    for number in range(4):
        tasks.append(asyncio.create_task(call(number)))
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert order == [0, 1, 2, 3]


async def test_waiting_too_long_for_a_connection_is_a_pool_timeout(make_client, slow, post):
    slow.delay_s = 0.4
    client = make_client(max_connections_per_origin=1)
    first = asyncio.create_task(post(client, slow.origin()))
    await asyncio.sleep(0.02)
    with pytest.raises(UpstreamError) as caught:
        await post(client, slow.origin(), connect_s=0.1)
    assert caught.value.kind == "pool_timeout"
    assert caught.value.safe_to_retry
    assert await (await first).read(10) == b"ok"


async def test_a_full_queue_refuses_at_once(make_client, slow, post):
    slow.delay_s = 0.3
    client = make_client(max_connections_per_origin=1)
    tasks = [asyncio.create_task(post(client, slow.origin())) for _ in range(5)]
    await asyncio.sleep(0.05)
    with pytest.raises(UpstreamError) as caught:
        async with asyncio.timeout(0.05):
            await post(client, slow.origin())
    assert caught.value.kind == "pool_timeout"
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_caller_who_stops_waiting_does_not_lose_the_connection(make_client, slow, post):
    client = make_client(max_connections_per_origin=1)
    first = asyncio.create_task(post(client, slow.origin()))
    await asyncio.sleep(0.005)
    impatient = [asyncio.create_task(post(client, slow.origin())) for _ in range(2)]
    patient = asyncio.create_task(post(client, slow.origin()))
    await asyncio.sleep(0.005)
    for task in impatient:
        task.cancel()
    assert await (await first).read(10) == b"ok"
    assert await (await patient).read(10) == b"ok"
    assert len(slow.peers) == 1


async def test_slots_come_back_after_failures(make_client, serve, post):
    async def script(peer):
        await peer.request()
        await peer.send(b"nonsense")

    server = await serve(script)
    client = make_client(max_connections_per_origin=2)
    for _ in range(6):
        with pytest.raises(UpstreamError) as caught:
            await post(client, server.origin(), connect_s=0.5)
        assert caught.value.kind == "protocol"


async def test_refused_connections_give_their_slot_to_the_next(make_client, slow, post):
    origin = slow.origin()
    await slow.stop()
    client = make_client(max_connections_per_origin=1)
    outcomes = await asyncio.gather(
        *(post(client, origin, connect_s=2) for _ in range(5)), return_exceptions=True
    )
    assert [outcome.kind for outcome in outcomes] == ["connect"] * 5


async def test_closing_the_client_ends_the_waiting(make_client, slow, post):
    slow.delay_s = 1
    client = make_client(max_connections_per_origin=1)
    tasks = [asyncio.create_task(post(client, slow.origin())) for _ in range(3)]
    await asyncio.sleep(0.05)
    await client.close()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(outcome, UpstreamError)
