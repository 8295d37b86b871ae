"""However the network cuts a response into pieces, the caller gets the same reply."""

import asyncio
import zlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.gateway.upstream.connection import Connection
from headgate.gateway.upstream.errors import UpstreamError
from headgate.gateway.upstream.reply import UpstreamReply
from headgate.gateway.upstream.timeouts import Timeouts


class Wire(asyncio.Transport):
    """A transport without a network: it remembers what became of it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.ended = False
        self.reading = True

    def write(self, data):
        self.written += data

    def get_write_buffer_size(self):
        return 0

    def is_closing(self):
        return self.ended

    def close(self):
        self.ended = True

    def abort(self):
        self.ended = True

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True


class Shelf:
    """Stands where the pool stands."""

    def __init__(self) -> None:
        self.connections = set()
        self.released = 0
        self.forgotten = 0

    def release(self, connection, now_s):
        self.released += 1

    def forget(self, connection):
        self.forgotten += 1

    def gone(self, connection):
        pass


def feed(pieces, *, loop, close=False):
    """Send one request on a fresh connection, deliver the pieces; the exchange and the pool."""
    shelf = Shelf()
    connection = Connection(loop, shelf, 64 * 1024)
    connection.connection_made(Wire())
    exchange = connection.begin(b"GET / HTTP/1.1\r\n\r\n", b"", Timeouts(), 0.0, 0.0)
    for piece in pieces:
        if exchange.connection is not None:
            connection.data_received(piece)
    if close:
        connection.connection_lost(None)
    return exchange, shelf


def cut(data, points):
    edges = [0, *sorted({point % len(data) for point in points} - {0}), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def chunked(body, sizes):
    framed = b""
    for size in sizes:
        piece, body = body[:size], body[size:]
        if piece:
            framed += b"%x\r\n%b\r\n" % (len(piece), piece)
    if body:
        framed += b"%X;last=yes\r\n%b\r\n" % (len(body), body)
    return framed + b"0\r\nX-Trailer: t\r\n\r\n"


@pytest.fixture(scope="module")
def bare_loop():
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def finish(loop, exchange):
    reply = UpstreamReply(exchange)
    return reply.status, reply.headers, loop.run_until_complete(reply.read(1_000_000))


bodies = st.one_of(st.binary(max_size=400), st.just(b"\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"))
points = st.lists(st.integers(0, 5000), max_size=30)


@settings(deadline=None, max_examples=200)
@given(
    body=bodies,
    points=points,
    framing=st.sampled_from(["length", "chunked", "close"]),
    interim=st.booleans(),
    sizes=st.lists(st.integers(1, 60), max_size=8),
    coding=st.sampled_from([b"", b"gzip", b"deflate", b"raw"]),
)
def test_any_cutting_gives_the_same_reply(bare_loop, body, points, framing, interim, sizes, coding):
    sent = body
    head = b"HTTP/1.1 202 Accepted\r\nX-Empty:\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
    if coding:
        bits = {b"gzip": 31, b"deflate": 15, b"raw": -15}[coding]
        packer = zlib.compressobj(wbits=bits)
        sent = packer.compress(body) + packer.flush()
        head += b"Content-Encoding: %b\r\n" % (b"deflate" if coding == b"raw" else coding)
    if framing == "length":
        head += b"Content-Length: %d\r\n" % len(sent)
    elif framing == "chunked":
        head += b"Transfer-Encoding: chunked\r\n"
        sent = chunked(sent, sizes)
    stream = head + b"\r\n" + sent
    if interim:
        stream = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + stream
    whole, shelf = feed([stream], loop=bare_loop, close=framing == "close")
    split, split_shelf = feed(cut(stream, points), loop=bare_loop, close=framing == "close")
    expected = finish(bare_loop, whole)
    assert finish(bare_loop, split) == expected
    assert expected[0] == 202
    assert expected[2] == body
    assert expected[1][1:3] == [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    assert shelf.released == split_shelf.released == (framing != "close")


@settings(deadline=None, max_examples=100)
@given(body=st.binary(min_size=1, max_size=60), sizes=st.lists(st.integers(1, 20), max_size=4))
def test_a_response_cut_off_anywhere_never_looks_complete(bare_loop, body, sizes):
    chunked_stream = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(body, sizes)
    length_stream = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    for stream in (chunked_stream, length_stream):
        for end in range(1, len(stream)):
            exchange, shelf = feed([stream[:end]], loop=bare_loop, close=True)
            assert not exchange.complete
            assert exchange.error.kind == "cut"
            assert not exchange.never_answered
            assert shelf.released == 0


@settings(deadline=None, max_examples=300)
@given(data=st.binary(min_size=1, max_size=300), points=points)
def test_arbitrary_bytes_end_in_an_error_or_wait_but_never_in_a_crash(bare_loop, data, points):
    prefixes = (b"", b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n")
    for prefix in prefixes:
        exchange, _ = feed(cut(prefix + data, points), loop=bare_loop, close=True)
        assert exchange.complete or isinstance(exchange.error, UpstreamError)


@settings(deadline=None, max_examples=100)
@given(after=st.binary(min_size=1, max_size=50), points=points)
def test_whatever_follows_a_response_the_reply_is_its_own(bare_loop, after, points):
    stream = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    exchange, shelf = feed([stream + after], loop=bare_loop)
    assert finish(bare_loop, exchange)[2] == b"ok"
    if after.strip(b"\r\n"):
        assert shelf.released == 0


def test_a_head_over_the_limit_is_refused_even_in_one_piece(bare_loop):
    stream = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n%b\r\n" % (b"X: %b\r\n" % (b"y" * 1000) * 99)
    exchange, _ = feed([stream], loop=bare_loop)
    assert exchange.error.kind == "protocol"
    exchange, _ = feed([stream[: 50 * 1005] + b"\r\n\r\n"], loop=bare_loop)
    assert exchange.complete


def test_an_idle_connection_leaves_the_pool_when_the_peer_ends_it(bare_loop):
    shelf = Shelf()
    connection = Connection(bare_loop, shelf, 64 * 1024)
    wire = Wire()
    connection.connection_made(wire)
    assert connection.usable
    connection.eof_received()
    assert not connection.usable
    assert wire.ended
    assert shelf.forgotten == 1
    connection.connection_lost(None)
    assert shelf.forgotten == 1


def test_a_connection_given_up_before_it_was_made_is_closed_when_it_is(bare_loop):
    connection = Connection(bare_loop, Shelf(), 64 * 1024)
    connection.drop()
    wire = Wire()
    connection.connection_made(wire)
    assert wire.ended
    assert not connection.usable


def test_a_connection_goes_back_to_the_pool_reading(bare_loop):
    shelf = Shelf()
    connection = Connection(bare_loop, shelf, 64 * 1024)
    wire = Wire()
    connection.connection_made(wire)
    exchange = connection.begin(b"GET / HTTP/1.1\r\n\r\n", b"", Timeouts(), 0.0, 0.0)
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 300001\r\n\r\n" + b"x" * 300_000)
    assert not wire.reading
    # Some transports still hand over what they had read before they were paused.
    connection.data_received(b"x")
    assert exchange.complete
    assert shelf.released == 1
    assert wire.reading
