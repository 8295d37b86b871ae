"""When a connection is used again, when it is not, and when a request is sent a second time."""

import asyncio

import pytest

from headgate.gateway.upstream import UpstreamError


async def test_a_connection_is_used_again(client, serve, post):
    async def script(peer):
        while True:
            await peer.request()
            await peer.answer()

    server = await serve(script)
    for _ in range(5):
        assert await (await post(client, server.origin())).read(10) == b"ok"
    assert len(server.peers) == 1


async def test_the_connection_used_last_is_used_first(client, serve, post):
    async def script(peer):
        while True:
            await peer.request()
            await peer.answer(b"%d" % server.peers.index(peer))

    server = await serve(script)
    replies = await asyncio.gather(*(post(client, server.origin()) for _ in range(4)))
    await asyncio.gather(*(reply.read(10) for reply in replies))
    assert len(server.peers) == 4
    first = await (await post(client, server.origin())).read(10)
    for _ in range(5):
        assert await (await post(client, server.origin())).read(10) == first


@pytest.mark.parametrize("reset", [False, True])
async def test_the_keep_alive_race_is_not_seen_by_the_caller(client, serve, post, reset):
    requests = []

    async def script(peer):
        # Answers once, then closes just as the next request arrives.
        requests.append((await peer.request())[1])
        await peer.answer()
        requests.append((await peer.request())[1])
        if server.peers.index(peer) > 0:
            await peer.answer(b"second")
        elif reset:
            peer.reset()

    server = await serve(script)
    assert await (await post(client, server.origin(), b"1")).read(10) == b"ok"
    assert await (await post(client, server.origin(), b"2")).read(10) == b"ok"
    assert requests == [b"1", b"2", b"2"]
    assert len(server.peers) == 2


async def test_the_race_is_forgiven_only_once(client, serve, post):
    async def script(peer):
        await peer.request()
        if len(server.peers) == 1:
            await peer.answer()
            await peer.request()

    server = await serve(script)
    assert await (await post(client, server.origin())).read(10) == b"ok"
    with pytest.raises(UpstreamError) as caught:
        await post(client, server.origin())
    assert caught.value.kind == "reset"
    assert not caught.value.safe_to_retry
    assert len(server.peers) == 2


async def test_a_race_with_a_server_that_then_is_gone_is_not_called_safe(client, serve, post):
    async def script(peer):
        await peer.request()
        await peer.answer()
        await peer.request()
        server.stop_listening()

    server = await serve(script)
    assert await (await post(client, server.origin())).read(10) == b"ok"
    with pytest.raises(UpstreamError) as caught:
        await post(client, server.origin())
    assert caught.value.kind == "connect"
    assert not caught.value.safe_to_retry


async def test_a_mistaken_call_costs_no_connection(make_client, serve, post):
    async def script(peer):
        while True:
            await peer.request()
            await peer.answer()

    server = await serve(script)
    client = make_client(max_connections_per_origin=1)
    assert await (await post(client, server.origin())).read(10) == b"ok"
    for _ in range(2):
        with pytest.raises(TypeError):
            await post(client, server.origin(), "text, not bytes")
    assert await (await post(client, server.origin(), connect_s=1)).read(10) == b"ok"
    assert len(server.peers) == 1


async def test_the_second_sending_does_not_use_another_stale_connection(client, serve, post):
    async def script(peer):
        await peer.request()
        if server.peers.index(peer) < 3:
            await asyncio.sleep(0.02)
            await peer.answer()
            await peer.request()
        else:
            await peer.answer(b"fresh")

    server = await serve(script)
    replies = await asyncio.gather(*(post(client, server.origin()) for _ in range(3)))
    await asyncio.gather(*(reply.read(10) for reply in replies))
    assert await (await post(client, server.origin())).read(10) == b"fresh"
    assert len(server.peers) == 4


async def test_a_stale_connection_is_replaced_even_where_the_pool_is_full(make_client, serve, post):
    async def script(peer):
        await peer.request()
        await peer.answer()
        await peer.request()

    server = await serve(script)
    client = make_client(max_connections_per_origin=1)
    for _ in range(3):
        assert await (await post(client, server.origin())).read(10) == b"ok"
    assert len(server.peers) == 3


@pytest.mark.parametrize("seen", [b"H", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_a_request_that_saw_any_answer_is_never_sent_again(client, serve, post, seen):
    requests = []

    async def script(peer):
        requests.append(await peer.request())
        await peer.answer()
        requests.append(await peer.request())
        await peer.send(seen)

    server = await serve(script)
    assert await (await post(client, server.origin())).read(10) == b"ok"
    with pytest.raises(UpstreamError) as caught:
        await post(client, server.origin())
    assert caught.value.kind == "cut"
    assert len(requests) == 2
    assert len(server.peers) == 1


async def test_a_server_that_dies_at_work_is_not_taken_for_the_race(
    client, serve, post, monkeypatch
):
    monkeypatch.setattr("headgate.gateway.upstream.connection._STALE_WINDOW_S", 0.05)

    async def script(peer):
        await peer.request()
        await peer.answer()
        await peer.request()
        await asyncio.sleep(0.15)

    server = await serve(script)
    assert await (await post(client, server.origin())).read(10) == b"ok"
    with pytest.raises(UpstreamError) as caught:
        await post(client, server.origin())
    assert caught.value.kind == "reset"
    assert len(server.peers) == 1


async def test_a_connection_closed_while_idle_is_not_used(client, serve, post):
    async def script(peer):
        await peer.request()
        await peer.answer()

    server = await serve(script)
    for _ in range(3):
        assert await (await post(client, server.origin())).read(10) == b"ok"
        await asyncio.sleep(0.02)
    assert len(server.peers) == 3


@pytest.mark.parametrize(
    "excess",
    [b"garbage", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong", b"\r\n", b"\x00"],
)
@pytest.mark.parametrize("together", [True, False])
async def test_bytes_after_a_response_never_reach_the_next_caller(
    client, serve, post, excess, together
):
    response = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    async def script(peer):
        while True:
            await peer.request()
            if together:
                await peer.send(response + excess)
            else:
                await peer.send(response)
                await asyncio.sleep(0.01)
                await peer.send(excess)

    server = await serve(script)
    for _ in range(3):
        assert await (await post(client, server.origin())).read(10) == b"ok"
        await asyncio.sleep(0.03)
    # A bare line end that came together with the response leads to nothing and is let pass.
    assert len(server.peers) == (1 if together and excess == b"\r\n" else 3)


async def test_an_answer_before_the_request_was_read_closes_the_connection(client, serve, post):
    async def script(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.answer(status=413)
        await peer.gone()

    server = await serve(script)
    reply = await post(client, server.origin(), b"x" * (32 * 1024 * 1024))
    assert reply.status == 413
    assert await reply.read(10) == b"ok"
    assert await post(client, server.origin()) is not None
    assert len(server.peers) == 2


async def test_idle_connections_are_closed_after_a_while(make_client, serve, post):
    gone = []

    async def script(peer):
        await peer.request()
        await peer.answer()
        await peer.gone()
        gone.append(peer)

    server = await serve(script)
    client = make_client(keepalive_s=0.1)
    assert await (await post(client, server.origin())).read(10) == b"ok"
    await asyncio.sleep(0.05)
    assert not gone
    await asyncio.sleep(0.25)
    assert gone
    assert await (await post(client, server.origin())).read(10) == b"ok"
    assert len(server.peers) == 2


async def test_closing_closes_everything(client, serve, post):
    gone = []

    async def script(peer):
        await peer.request()
        if len(server.peers) == 1:
            await peer.answer()
        await peer.gone()
        gone.append(peer)

    server = await serve(script)
    await (await post(client, server.origin())).read(10)
    client_side = [post(client, server.origin()) for _ in range(3)]
    calls = [asyncio.create_task(call) for call in client_side]
    await asyncio.sleep(0.05)
    await client.close()
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(outcome, UpstreamError)
    await asyncio.sleep(0.02)
    assert len(gone) == len(server.peers)
    with pytest.raises(UpstreamError) as caught:
        await post(client, server.origin())
    assert caught.value.kind == "connect"
    assert caught.value.safe_to_retry
    await client.close()
