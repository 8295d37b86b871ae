"""A reader may wait for the next piece for a while only, and go on afterwards."""

import asyncio
import time

import pytest

from headgate.gateway.upstream import UpstreamError

HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def pieces(*steps):
    async def script(peer):
        await peer.request()
        await peer.send(HEAD)
        for step in steps:
            if isinstance(step, bytes):
                await peer.send(b"%x\r\n%b\r\n" % (len(step), step) if step else b"0\r\n\r\n")
            elif isinstance(step, asyncio.Event):
                await step.wait()
            else:
                await asyncio.sleep(step)

    return script


async def test_nothing_is_lost_by_a_wait_that_was_too_short(client, serve, post):
    waited = asyncio.Event()
    server = await serve(pieces(waited, b"late", b""))
    reply = await post(client, server.origin())
    assert await reply.next_chunk_within(0.05) is None
    waited.set()
    assert await reply.next_chunk() == b"late"
    assert await reply.next_chunk() == b""


async def test_what_comes_in_time_is_given_at_once(client, serve, post):
    server = await serve(pieces(0.05, b"soon", b""))
    reply = await post(client, server.origin())
    began_s = time.monotonic()
    assert await reply.next_chunk_within(5) == b"soon"
    assert time.monotonic() - began_s < 2
    assert await reply.next_chunk_within(5) == b""


async def test_a_break_is_told_as_ever(client, serve, post):
    server = await serve(pieces(b"begun", 0.05))
    reply = await post(client, server.origin())
    assert await reply.next_chunk_within(5) == b"begun"
    with pytest.raises(UpstreamError) as raised:
        await reply.next_chunk_within(5)
    assert raised.value.kind == "cut"
