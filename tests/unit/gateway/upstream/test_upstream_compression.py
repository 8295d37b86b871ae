"""Compressed bodies arrive plain, in a stream as in one piece, and no bomb fills the memory."""

import asyncio
import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.gateway.upstream import UpstreamError, UpstreamTooLarge
from headgate.gateway.upstream.decoding import DECODE_STEP_BYTES, Decoder

TEXT = b"".join(b"line %d of a longer text\n" % number for number in range(2000))


def deflate(data, window_bits):
    packer = zlib.compressobj(wbits=window_bits)
    return packer.compress(data) + packer.flush()


def sending(body, coding):
    async def script(peer):
        while True:
            await peer.request()
            await peer.answer(body, headers=b"Content-Encoding: %b\r\n" % coding)

    return script


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (b"gzip", gzip.compress(TEXT)),
        (b"x-gzip", gzip.compress(TEXT)),
        (b"GZIP", gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:])),
        (b"deflate", deflate(TEXT, 15)),
        (b"deflate", deflate(TEXT, -15)),
        (b"identity", TEXT),
    ],
    ids=["gzip", "x-gzip", "two members", "deflate", "bare deflate", "identity"],
)
async def test_a_compressed_body_arrives_plain(client, serve, post, coding, body):
    server = await serve(sending(body, coding))
    assert await (await post(client, server.origin())).read(len(TEXT)) == TEXT
    reply = await post(client, server.origin())
    received = b""
    while chunk := await reply.next_chunk():
        received += chunk
    assert received == TEXT
    assert len(server.peers) == 1


async def test_a_compressed_stream_is_given_out_as_it_flows(client, serve, post):
    arrived = asyncio.Event()

    async def script(peer):
        await peer.request()
        await peer.send(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        packer = zlib.compressobj(wbits=31)
        for number in range(3):
            piece = packer.compress(b"event %d" % number) + packer.flush(zlib.Z_SYNC_FLUSH)
            await peer.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            await arrived.wait()
            arrived.clear()
        last = packer.flush()
        await peer.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(last), last))

    server = await serve(script)
    reply = await post(client, server.origin())
    for number in range(3):
        assert await reply.next_chunk() == b"event %d" % number
        arrived.set()
    assert await reply.next_chunk() == b""


@pytest.mark.parametrize("body", [gzip.compress(TEXT)[:-4], gzip.compress(TEXT)[:200]])
async def test_compressed_data_that_ends_early_is_a_cut(client, serve, post, body):
    server = await serve(sending(body, b"gzip"))
    reply = await post(client, server.origin())
    with pytest.raises(UpstreamError) as caught:
        await reply.read(len(TEXT))
    assert caught.value.kind == "cut"


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (b"gzip", b"this is not gzip"),
        (b"gzip", gzip.compress(TEXT) + b"rest"),
        (b"deflate", deflate(TEXT, 15) + b"rest"),
        (b"deflate", b"\xff\xff\xff\xff"),
    ],
)
async def test_damaged_compressed_data_is_a_protocol_error(client, serve, post, coding, body):
    server = await serve(sending(body, coding))
    reply = await post(client, server.origin())
    with pytest.raises(UpstreamError) as caught:
        await reply.read(len(TEXT) * 2)
    assert caught.value.kind == "protocol"


async def test_a_bomb_is_stopped_at_the_limit(client, serve, post):
    bomb = gzip.compress(b"\0" * (64 * 1024 * 1024))
    server = await serve(sending(bomb, b"gzip"))
    reply = await post(client, server.origin())
    with pytest.raises(UpstreamTooLarge):
        await reply.read(1024 * 1024)
    reply = await post(client, server.origin())
    assert len(await reply.next_chunk()) <= DECODE_STEP_BYTES
    reply.abort()


@pytest.mark.parametrize("status", [204, 304])
async def test_no_body_is_no_damaged_body(client, serve, post, status):
    async def script(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 %d None\r\nContent-Encoding: gzip\r\n\r\n" % status)

    server = await serve(script)
    assert await (await post(client, server.origin())).read(10) == b""


@given(
    data=st.binary(max_size=2000),
    step=st.integers(1, 500),
    kind=st.sampled_from([(b"gzip", 31), (b"deflate", 15), (b"deflate", -15)]),
)
def test_any_cutting_decodes_the_same(data, step, kind):
    coding, window_bits = kind
    packed = deflate(data, window_bits)
    decoder = Decoder(coding)
    plain = b""
    for start in range(0, len(packed), step):
        decoder.push(packed[start : start + step])
        while piece := decoder.pull():
            plain += piece
    decoder.finish()
    assert plain == data
