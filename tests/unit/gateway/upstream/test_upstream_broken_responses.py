"""What a caller is told when the upstream breaks off, resets, or talks nonsense."""

import asyncio

import pytest

from headgate.gateway.upstream import UpstreamError

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def sending(data, *, reset=False):
    async def script(peer):
        await peer.request()
        if data:
            await peer.send(data)
        if reset:
            await asyncio.sleep(0.02)
            peer.reset()

    return script


@pytest.mark.parametrize("reset", [False, True])
async def test_a_close_without_an_answer_on_a_new_connection_is_a_reset(client, serve, post, reset):
    server = await serve(sending(b"", reset=reset))
    with pytest.raises(UpstreamError) as caught:
        await post(client, server.origin())
    assert caught.value.kind == "reset"
    assert not caught.value.safe_to_retry
    assert len(server.peers) == 1


async def test_a_head_that_breaks_off_is_a_cut(client, serve, post):
    server = await serve(sending(HEAD[:-5]))
    with pytest.raises(UpstreamError) as caught:
        await post(client, server.origin())
    assert caught.value.kind == "cut"


@pytest.mark.parametrize(
    "response",
    [
        HEAD + b"12345",
        CHUNKED_HEAD + b"5\r\n12345\r\n",
        CHUNKED_HEAD + b"a\r\n12345",
        CHUNKED_HEAD + b"5\r\n12345\r\n0\r\n",
    ],
    ids=["length", "between chunks", "in a chunk", "before the last line"],
)
async def test_a_cut_body_gives_what_came_and_then_raises(client, serve, post, response):
    server = await serve(sending(response))
    reply = await post(client, server.origin())
    assert await reply.next_chunk() == b"12345"
    for _ in range(2):
        with pytest.raises(UpstreamError) as caught:
            await reply.next_chunk()
        assert caught.value.kind == "cut"
        assert not caught.value.safe_to_retry


async def test_a_cut_body_is_never_given_as_a_whole(client, serve, post):
    server = await serve(sending(HEAD + b"12345"))
    reply = await post(client, server.origin())
    with pytest.raises(UpstreamError) as caught:
        await reply.read(100)
    assert caught.value.kind == "cut"


@pytest.mark.parametrize("head", [HEAD, CHUNKED_HEAD + b"5\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
async def test_a_reset_in_a_body_raises(client, serve, post, head):
    server = await serve(sending(head + b"12345", reset=True))
    reply = await post(client, server.origin())
    with pytest.raises(UpstreamError) as caught:
        await reply.read(100)
    assert caught.value.kind == "reset"


@pytest.mark.parametrize(
    "response",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 600 None\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\n" + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
        b"HTTP/1.1 200 OK\r\nBad Name: 1\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX: a\r\n folded\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Encoding: gzip\r\n\r\nok",
    ],
)
async def test_nonsense_is_a_protocol_error_and_drops_the_connection(client, serve, post, response):
    async def script(peer):
        await peer.request()
        await peer.send(response)
        await peer.gone()

    server = await serve(script)
    with pytest.raises(UpstreamError) as caught:
        await post(client, server.origin())
    assert caught.value.kind == "protocol"
    assert not caught.value.safe_to_retry


@pytest.mark.parametrize("body", [b"zz\r\nabc\r\n", b"-1\r\nabc\r\n", b"3\r\nabcdef\r\n0\r\n\r\n"])
async def test_broken_chunks_are_a_protocol_error(client, serve, post, body):
    async def script(peer):
        await peer.request()
        await peer.send(CHUNKED_HEAD)
        await asyncio.sleep(0.01)
        await peer.send(body)
        await peer.gone()

    server = await serve(script)
    reply = await post(client, server.origin())
    with pytest.raises(UpstreamError) as caught:
        await reply.read(100)
    assert caught.value.kind == "protocol"


@pytest.mark.parametrize(
    "flood",
    [
        (b"HTTP/1.1 200 ", b"x" * 1000),
        (b"HTTP/1.1 200 OK\r\nX: ", b"x" * 1000),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 100),
        (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
        (CHUNKED_HEAD + b"5;", b"x" * 1000),
        (CHUNKED_HEAD + b"0\r\n", b"X: y\r\n" * 100),
        (CHUNKED_HEAD + b"0\r\nX: ", b"x" * 1000),
    ],
    ids=["reason", "header", "headers", "interim", "extension", "trailers", "trailer"],
)
async def test_heads_and_trailers_without_end_are_refused(make_client, serve, post, flood):
    begin, more = flood

    async def script(peer):
        await peer.request()
        await peer.send(begin)
        while True:
            await peer.send(more)
            await asyncio.sleep(0)

    server = await serve(script)
    client = make_client(max_head_bytes=8192)
    with pytest.raises(UpstreamError) as caught:
        async with asyncio.timeout(5):
            await (await post(client, server.origin())).read(100)
    assert caught.value.kind == "protocol"


async def test_a_large_but_allowed_head_is_read(client, serve, post):
    headers = b"".join(b"X-%d: %b\r\n" % (number, b"v" * 1000) for number in range(50))

    async def script(peer):
        await peer.request()
        await peer.answer(headers=headers)

    server = await serve(script)
    reply = await post(client, server.origin())
    assert len(reply.headers) == 51
    assert reply.header(b"x-49") == b"v" * 1000


async def test_no_one_listening_is_a_connect_error_that_is_safe_to_retry(client, serve, post):
    server = await serve(sending(b""))
    origin = server.origin()
    await server.stop()
    with pytest.raises(UpstreamError) as caught:
        await post(client, origin)
    assert caught.value.kind == "connect"
    assert caught.value.safe_to_retry


async def test_an_unknown_name_is_a_dns_error_that_is_safe_to_retry(client, post):
    from headgate.gateway.upstream import Origin

    with pytest.raises(UpstreamError) as caught:
        await post(client, Origin.parse("http://no-such-host.invalid/v1"))
    assert caught.value.kind == "dns"
    assert caught.value.safe_to_retry
