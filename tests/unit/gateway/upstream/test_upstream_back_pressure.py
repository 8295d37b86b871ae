"""A consumer who does not keep up slows the upstream down; memory stays bounded."""

import asyncio

import pytest

from headgate.gateway.upstream.exchange import HIGH_WATER_BYTES

MIB = 1024 * 1024


@pytest.fixture
async def torrent(serve):
    """A server that sends 32 MiB as fast as it is read, and counts what it could send."""

    async def script(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (32 * MIB))
        for _ in range(512):
            await peer.send(b"x" * 65536)
            server.sent_bytes += 65536

    server = await serve(script)
    server.sent_bytes = 0
    return server


async def test_a_consumer_who_pauses_stops_the_upstream(client, torrent, post):
    reply = await post(client, torrent.origin())
    received = len(await reply.next_chunk())
    await asyncio.sleep(0.3)
    stuck_at = torrent.sent_bytes
    await asyncio.sleep(0.1)
    assert torrent.sent_bytes == stuck_at
    # What fits into the buffers of two kernels, of the server's writer and of the reply.
    assert stuck_at < 24 * MIB
    held = await reply.next_chunk()
    assert HIGH_WATER_BYTES < len(held) <= 2 * HIGH_WATER_BYTES + 65536
    received += len(held)
    while chunk := await reply.next_chunk():
        received += len(chunk)
    assert received == 32 * MIB


async def test_a_reader_of_the_whole_is_not_held_up(client, torrent, post):
    reply = await post(client, torrent.origin())
    assert len(await reply.read(32 * MIB)) == 32 * MIB


async def test_the_connection_is_usable_after_pausing(client, serve, post):
    async def script(peer):
        while True:
            await peer.request()
            await peer.answer(b"x" * MIB)

    server = await serve(script)
    for _ in range(3):
        reply = await post(client, server.origin())
        await asyncio.sleep(0.02)
        received = b""
        while chunk := await reply.next_chunk():
            received += chunk
            await asyncio.sleep(0.005)
        assert len(received) == MIB
    assert len(server.peers) == 1
