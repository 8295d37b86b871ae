"""A body that is sent as it comes: whole, bounded in memory, and given up where it is no use."""

import asyncio

import pytest

from headgate.gateway.upstream import Timeouts, UpstreamError

MIB = 1024 * 1024


class Pieces:
    """A body in pieces; a number is a pause, an exception is raised."""

    def __init__(self, *pieces, length_bytes=None) -> None:
        self.length_bytes = length_bytes
        self.given = 0
        self._pieces = iter(pieces)

    async def next_chunk(self):
        for piece in self._pieces:
            if isinstance(piece, BaseException):
                raise piece
            if isinstance(piece, float):
                await asyncio.sleep(piece)
                continue
            self.given += len(piece)
            return piece
        return b""


def sent(client, origin, body, **limits):
    timeouts = Timeouts(**{"connect_s": 5, "first_byte_s": 5, "idle_s": 5, **limits})
    return client.send_from(origin, b"POST", origin.target("/x"), b"x: 1\r\n", body, timeouts)


async def read_chunked(reader):
    parts = []
    while size := int(await reader.readline(), 16):
        parts.append(await reader.readexactly(size))
        assert await reader.readexactly(2) == b"\r\n"
    assert await reader.readexactly(2) == b"\r\n"
    return b"".join(parts)


async def test_a_body_of_known_length_arrives_whole(client, serve):
    seen = []

    async def script(peer):
        seen.append(await peer.request())
        await peer.answer(b"thanks")

    server = await serve(script)
    reply = await sent(client, server.origin(), Pieces(b"abc", b"", length_bytes=3))
    assert await reply.read(10) == b"thanks"
    head, body = seen[0]
    assert body == b"abc"
    assert b"Content-Length: 3" in head
    assert b"Transfer-Encoding" not in head


async def test_a_body_of_unknown_length_is_sent_in_chunks(client, serve):
    seen = []

    async def script(peer):
        head = await peer.reader.readuntil(b"\r\n\r\n")
        seen.extend((head, await read_chunked(peer.reader)))
        await peer.answer()

    server = await serve(script)
    await sent(client, server.origin(), Pieces(b"abc", 0.02, b"d" * MIB, b"e"))
    assert b"Transfer-Encoding: chunked\r\n\r\n" in seen[0]
    assert seen[1] == b"abc" + b"d" * MIB + b"e"


async def test_a_connection_is_used_again_after_a_whole_body(client, serve):
    async def script(peer):
        while True:
            await peer.request()
            await peer.answer()

    server = await serve(script)
    origin = server.origin()
    reply = await sent(client, origin, Pieces(b"abc", length_bytes=3))
    assert await reply.read(10) == b"ok"
    reply = await client.send(origin, b"POST", b"/x", b"", b"{}", Timeouts())
    assert await reply.read(10) == b"ok"
    assert len(server.peers) == 1


async def test_a_slow_reader_holds_the_source_back(client, serve):
    go_on = asyncio.Event()

    async def script(peer):
        await go_on.wait()
        await peer.request()
        await peer.answer()

    body = Pieces(*([b"x" * 65536] * 512), length_bytes=512 * 65536)
    server = await serve(script)
    sending = asyncio.ensure_future(sent(client, server.origin(), body))
    await asyncio.sleep(0.3)
    assert body.given < 24 * MIB, "the socket's buffers and ours, not the whole"
    go_on.set()
    assert (await sending).status == 200
    assert body.given == 512 * 65536


async def test_an_early_answer_ends_the_sending(client, serve):
    async def script(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.answer(b"no", status=413)
        await peer.gone()

    body = Pieces(b"x" * 1000, 0.1, *([b"x" * 65536] * 1000))
    server = await serve(script)
    reply = await sent(client, server.origin(), body)
    assert reply.status == 413
    assert await reply.read(10) == b"no"
    assert body.given < 65 * MIB


async def test_an_early_answer_wakes_a_sender_that_waits_for_room(client, serve):
    async def script(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.1)
        await peer.answer(b"no", status=413)
        await asyncio.sleep(1)

    server = await serve(script)
    async with asyncio.timeout(3):
        reply = await sent(client, server.origin(), Pieces(b"x" * (32 * MIB)))
    assert reply.status == 413


async def test_what_the_source_raises_ends_the_request(client, serve):
    left = asyncio.Event()

    async def script(peer):
        await peer.gone()
        left.set()

    server = await serve(script)
    with pytest.raises(KeyError):
        await sent(client, server.origin(), Pieces(b"abc", KeyError("too large")))
    async with asyncio.timeout(3):
        await left.wait()


@pytest.mark.parametrize(("length", "error"), [(5, UpstreamError), (2, ValueError)])
async def test_a_body_of_another_length_than_it_said_is_never_complete(
    client, serve, length, error
):
    async def script(peer):
        await peer.gone()

    server = await serve(script)
    with pytest.raises(error):
        await sent(client, server.origin(), Pieces(b"abc", length_bytes=length))


async def test_an_upstream_that_reads_nothing_is_given_up(client, serve):
    async def script(peer):
        await asyncio.sleep(5)

    server = await serve(script)
    with pytest.raises(UpstreamError) as raised:
        await sent(client, server.origin(), Pieces(b"x" * (32 * MIB)), idle_s=0.3)
    assert raised.value.kind == "first_byte_timeout"


async def test_a_slow_application_is_not_the_upstreams_fault(client, serve):
    async def script(peer):
        await peer.request()
        await peer.answer()

    server = await serve(script)
    body = Pieces(b"a", 0.5, b"b", length_bytes=2)
    reply = await sent(client, server.origin(), body, idle_s=0.2, first_byte_s=0.2)
    assert reply.status == 200


async def test_a_cancelled_request_drops_its_connection(client, serve):
    left = asyncio.Event()

    async def script(peer):
        await peer.gone()
        left.set()

    server = await serve(script)
    sending = asyncio.ensure_future(sent(client, server.origin(), Pieces(b"a", 60.0)))
    await asyncio.sleep(0.1)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    async with asyncio.timeout(3):
        await left.wait()


async def test_a_connection_lost_in_the_middle_is_an_error(client, serve):
    async def script(peer):
        await peer.reader.readexactly(1000)
        peer.reset()

    server = await serve(script)
    with pytest.raises(UpstreamError) as raised:
        await sent(client, server.origin(), Pieces(*([b"x" * 65536] * 2000)))
    assert raised.value.kind == "reset"
