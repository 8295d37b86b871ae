"""A caller who gives up frees the upstream: it sees the connection close at once."""

import asyncio
import gc

import pytest

from headgate.gateway.upstream import UpstreamError

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"


@pytest.fixture
async def stalling(serve):
    """A server that sends `server.response` and then waits; `server.gone` tells of a disconnect."""

    async def script(peer):
        await peer.request()
        if server.response:
            await peer.send(server.response)
        server.asked.set()
        await peer.gone()
        server.gone.set()

    server = await serve(script)
    server.response = b""
    server.asked = asyncio.Event()
    server.gone = asyncio.Event()
    return server


async def soon(event):
    async with asyncio.timeout(1):
        await event.wait()


async def cancelled(task):
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_cancelling_send_disconnects(client, stalling, post):
    task = asyncio.create_task(post(client, stalling.origin()))
    await soon(stalling.asked)
    await cancelled(task)
    await soon(stalling.gone)


@pytest.mark.parametrize("how", ["read", "next_chunk"])
async def test_cancelling_a_wait_for_the_body_disconnects(client, stalling, post, how):
    stalling.response = HEAD
    reply = await post(client, stalling.origin())
    task = asyncio.create_task(reply.read(1000) if how == "read" else reply.next_chunk())
    await soon(stalling.asked)
    await asyncio.sleep(0)
    await cancelled(task)
    await soon(stalling.gone)


async def test_a_deadline_of_the_callers_own_disconnects(client, stalling, post):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await post(client, stalling.origin())
    await soon(stalling.gone)


async def test_abort_disconnects_and_may_be_repeated(client, stalling, post):
    stalling.response = HEAD + b"some"
    reply = await post(client, stalling.origin())
    reply.abort()
    reply.abort()
    await soon(stalling.gone)
    assert await reply.next_chunk() in {b"some", b""}
    with pytest.raises(UpstreamError):
        await reply.next_chunk()
    reply.abort()


async def test_abort_wakes_a_reader_in_another_task(client, stalling, post):
    stalling.response = HEAD
    reply = await post(client, stalling.origin())
    task = asyncio.create_task(reply.next_chunk())
    await asyncio.sleep(0.01)
    reply.abort()
    with pytest.raises(UpstreamError):
        await task


async def test_a_reply_thrown_away_half_read_disconnects(client, stalling, post):
    stalling.response = HEAD + b"some"
    reply = await post(client, stalling.origin())
    del reply
    gc.collect()
    await soon(stalling.gone)


async def test_abort_after_the_end_leaves_the_connection_to_others(client, serve, post):
    async def script(peer):
        while True:
            await peer.request()
            await asyncio.sleep(0.01)
            await peer.answer()

    server = await serve(script)
    finished = await post(client, server.origin())
    assert await finished.read(10) == b"ok"
    second = asyncio.create_task(post(client, server.origin()))
    await asyncio.sleep(0)
    finished.abort()
    del finished
    assert await (await second).read(10) == b"ok"
    assert len(server.peers) == 1


async def test_cancelling_while_connecting_leaks_nothing(make_client, serve, post, monkeypatch):
    async def script(peer):
        while True:
            await peer.request()
            await peer.answer()

    server = await serve(script)
    client = make_client(max_connections_per_origin=1)
    # Cancelled at every point of the way to a connection, the only slot must come back.
    for turns in range(12):
        task = asyncio.create_task(post(client, server.origin()))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        reply = await post(client, server.origin(), connect_s=2)
        assert await reply.read(10) == b"ok"


async def test_cancelling_in_the_turn_in_which_the_answer_comes_is_clean(make_client, serve, post):
    async def script(peer):
        while True:
            await peer.request()
            await peer.answer()

    server = await serve(script)
    client = make_client(max_connections_per_origin=2)
    for turns in range(40):
        task = asyncio.create_task(post(client, server.origin()))
        for _ in range(turns % 20):
            await asyncio.sleep(0.0002)
        task.cancel()
        outcome = (await asyncio.gather(task, return_exceptions=True))[0]
        if not isinstance(outcome, asyncio.CancelledError):
            assert await outcome.read(10) == b"ok"
    assert await (await post(client, server.origin(), connect_s=2)).read(10) == b"ok"
