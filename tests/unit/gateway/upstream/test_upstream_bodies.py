"""What a caller gets for every way in which a server may say where a body ends."""

import asyncio

import pytest

from headgate.gateway.upstream import UpstreamError, UpstreamTooLarge

MIB = 1024 * 1024


def replying(*pieces, then_close=False, pause_s=0.0):
    async def script(peer):
        while True:
            await peer.request()
            for piece in pieces:
                await peer.send(piece)
                if pause_s:
                    await asyncio.sleep(pause_s)
            if then_close:
                return

    return script


async def test_the_request_arrives_as_it_was_given(client, serve, post):
    seen = []

    async def script(peer):
        seen.append(await peer.request())
        await peer.answer(b"hello", headers=b"X-Request-ID: req_1\r\n")

    server = await serve(script)
    reply = await post(client, server.origin(), b'{"a":1}', b"authorization: Bearer k\r\n")
    assert reply.status == 200
    assert reply.header(b"x-request-id") == b"req_1"
    assert (b"x-request-id", b"req_1") in reply.headers
    assert reply.header(b"nothing") is None
    assert await reply.read(100) == b"hello"
    head, body = seen[0]
    assert body == b'{"a":1}'
    assert head.split(b"\r\n") == [
        b"POST /v1/x HTTP/1.1",
        b"Host: 127.0.0.1:%d" % server.port,
        b"authorization: Bearer k",
        b"Content-Length: 7",
    ]


async def test_a_get_without_a_body_sends_no_length(client, serve, post):
    from headgate.gateway.upstream import Timeouts

    seen = []

    async def script(peer):
        seen.append(await peer.request())
        await peer.answer()

    origin = (await serve(script)).origin()
    reply = await client.send(origin, b"GET", origin.target("/models"), b"", b"", Timeouts())
    assert await reply.read(100) == b"ok"
    assert b"content-length" not in seen[0][0].lower()


async def test_a_large_request_body_arrives_whole(client, serve, post):
    sizes = []

    async def script(peer):
        _, body = await peer.request()
        sizes.append((len(body), body[:3], body[-3:]))
        await peer.answer()

    server = await serve(script)
    body = b"abc" + b"x" * (8 * MIB) + b"xyz"
    reply = await post(client, server.origin(), body)
    assert await reply.read(10) == b"ok"
    assert sizes == [(8 * MIB + 6, b"abc", b"xyz")]


async def test_a_chunked_body_is_joined_and_trailers_are_ignored(client, serve, post):
    server = await serve(
        replying(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
            b"5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n"
        )
    )
    for _ in range(2):
        reply = await post(client, server.origin())
        assert await reply.read(100) == b"hello world"
        assert reply.header(b"x-trailer") is None
        assert len(reply.headers) == 1
    assert len(server.peers) == 1


async def test_a_body_without_a_length_ends_with_the_connection(client, serve, post):
    server = await serve(replying(b"HTTP/1.1 200 OK\r\n\r\nall ", b"of it", then_close=True))
    reply = await post(client, server.origin())
    assert await reply.read(100) == b"all of it"
    reply = await post(client, server.origin())
    assert b"".join([await reply.next_chunk(), await reply.next_chunk()]).startswith(b"all")
    assert len(server.peers) == 2


@pytest.mark.parametrize("status", [204, 304])
async def test_statuses_without_a_body_leave_the_connection_usable(client, serve, post, status):
    server = await serve(replying(b"HTTP/1.1 %d None\r\n\r\n" % status))
    for _ in range(2):
        reply = await post(client, server.origin())
        assert reply.status == status
        assert await reply.read(0) == b""
        assert await reply.next_chunk() == b""
    assert len(server.peers) == 1


async def test_interim_responses_are_skipped(client, serve, post):
    server = await serve(
        replying(
            b"HTTP/1.1 100 Continue\r\n\r\n",
            b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
            b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok",
            pause_s=0.01,
        )
    )
    for _ in range(2):
        reply = await post(client, server.origin())
        assert reply.status == 201
        assert reply.headers == [(b"content-length", b"2")]
        assert await reply.read(10) == b"ok"
    assert len(server.peers) == 1


async def test_connection_close_is_heeded(client, serve, post):
    server = await serve(
        replying(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
    )
    for _ in range(2):
        assert await (await post(client, server.origin())).read(10) == b"ok"
    assert len(server.peers) == 2


async def test_http_1_0_without_keep_alive_is_not_reused(client, serve, post):
    server = await serve(replying(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    for _ in range(2):
        assert await (await post(client, server.origin())).read(10) == b"ok"
    assert len(server.peers) == 2


async def test_next_chunk_gives_what_has_arrived_and_then_the_end(client, serve, post):
    go_on = asyncio.Event()

    async def script(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await peer.send(b"3\r\none\r\n3\r\ntwo\r\n")
        await go_on.wait()
        await peer.send(b"5\r\nthree\r\n0\r\n\r\n")

    server = await serve(script)
    reply = await post(client, server.origin())
    received = b""
    while len(received) < 6:
        received += await reply.next_chunk()
    assert received == b"onetwo"
    go_on.set()
    assert await reply.next_chunk() == b"three"
    assert await reply.next_chunk() == b""
    assert await reply.next_chunk() == b""


async def test_read_gives_the_rest_after_chunks_were_taken(client, serve, post):
    async def script(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        await asyncio.sleep(0.02)
        await peer.send(b"def")

    server = await serve(script)
    reply = await post(client, server.origin())
    first = await reply.next_chunk()
    assert first + await reply.read(10) == b"abcdef"


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_large_body_is_read_whole(client, serve, post, chunked):
    body = bytes(range(256)) * (4 * 4 * 1024)

    async def script(peer):
        await peer.request()
        if chunked:
            await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for start in range(0, len(body), 100_000):
                piece = body[start : start + 100_000]
                await peer.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            await peer.send(b"0\r\n\r\n")
        else:
            await peer.answer(body)

    server = await serve(script)
    reply = await post(client, server.origin())
    assert await reply.read(len(body)) == body


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n01234567890",
        b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n",
    ],
    ids=["with the head", "declared only", "chunked"],
)
async def test_a_body_over_the_limit_is_refused(client, serve, post, response):
    server = await serve(replying(response))
    reply = await post(client, server.origin())
    with pytest.raises(UpstreamTooLarge) as caught:
        await reply.read(10)
    assert caught.value.kind == "too_large"
    assert caught.value.limit_bytes == 10
    assert not caught.value.safe_to_retry


async def test_an_endless_body_is_dropped_at_the_limit(client, serve, post):
    dropped = asyncio.Event()

    async def script(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                await peer.send(b"x" * 65536)
        finally:
            dropped.set()

    server = await serve(script)
    reply = await post(client, server.origin())
    with pytest.raises(UpstreamTooLarge):
        await reply.read(MIB)
    async with asyncio.timeout(2):
        await dropped.wait()


async def test_two_readers_of_one_reply_are_refused(client, serve, post):
    async def script(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        await peer.gone()

    server = await serve(script)
    reply = await post(client, server.origin())
    first = asyncio.create_task(reply.next_chunk())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="one reader"):
        await reply.next_chunk()
    reply.abort()
    with pytest.raises(UpstreamError):
        await first


async def test_many_calls_at_once_get_their_own_answers(client, serve, post):
    async def script(peer):
        while True:
            _, body = await peer.request()
            await peer.answer(body * 3)

    server = await serve(script)

    async def call(number):
        for turn in range(20):
            body = b"<%d.%d>" % (number, turn)
            assert await (await post(client, server.origin(), body)).read(1000) == body * 3

    await asyncio.gather(*(call(number) for number in range(20)))
    assert len(server.peers) <= 20
